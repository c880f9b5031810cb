"""The model card: what it says of the shipped networks, and which sections scores give it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spike2pop_nb.inference import find_weights, weights
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.training.model_card import model_card

FOLDER = Path(weights.__file__).parent / "weights"


def row(error: float) -> dict[str, Any]:
    """Scores of one band and pattern."""
    methods = ("mean", "median", "shuffled", "constant", "trees")
    return {
        "trains": 400,
        "mae": {name: [error, 2.0] for name in methods} | {"trees": [1.0, 3.0]},
        "expected_error": [1.5, 2.0],
        "posterior_std": [1.0, 2.0],
        "nll": 2.345,
        "coverage": {"0.5": 0.5, "0.8": 0.812, "0.95": 0.95},
        "rank_histogram": {"g_s": [10, 10, 10, 10], "g_u": [5, 10, 10, 15]},
        "pattern_accuracy": 0.98765,
        "feature_mae": {"rate_hz": 0.1234, "burst_duration_ms": None},
        "flagged": 0.05,
        "drifting": None,
    }


def scores(name: str, **more: Any) -> dict[str, Any]:
    return {
        "neuron": name,
        "weights": load_network(FOLDER / f"{name}.safetensors").metadata,
        "test_trains": 400,
        "silent_test_trains": 7,
        "baseline_trains": 0,
        "baselines": [],
        "bands": {"all": {"all": row(1.2)}},
        "held_out": {},
        "data": [],
        "recipes": {},
        **more,
    }


@pytest.mark.parametrize("name", find_weights())
def test_the_shipped_cards_say_how_their_networks_were_made(name: str) -> None:
    shipped = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    card = model_card(scores(name))
    for mark, end in (("# Network", "\n\nScored on"), ("SHA-256", None)):
        made = card[card.index(mark) :]
        assert (made[: made.index(end)] if end else made) in shipped


def test_numbers_come_as_cells_and_only_sections_that_were_scored() -> None:
    card = model_card(scores("stg"))
    assert "| both | all | network, posterior median | 1.20 / 2.00 |\n" in card
    assert "| both | all | 400 | 50.0 | 81.2 | 95.0 | 1.00 / 2.00 | 2.35 | 0.9877 |\n" in card
    assert "| both | all | ▅▅▅▅ | ▃▅▅▇ | 50 % |\n" in card
    assert "| both | 0.123 Hz | – | – | – | – |\n" in card
    assert "their error is smaller than the posterior median's in 1 of 2 comparisons" in card
    assert "both, all, g_s." in card
    for title in ("never trained on", "Drift", "Ablations", "Training curve", "Failures"):
        assert title not in card
    moved = {"trains": 50, "steady_called_drifting": 0.02, "jumps_over_5_found": None}
    more = model_card(scores("stg", drift=moved, held_out={"far": {"all": {"all": row(1.0)}}}), None, "a.svg")
    assert "Of 50 steady trains, 2.0 % are said to drift.\n" in more
    assert "| far | all | 400 | 50.0 | 81.2 | 95.0 | 0.9877 | 5.0 % | – |\n" in more
    assert "![Errors over the plane](a.svg)\n" in more
    assert "\n\n\n" not in more
