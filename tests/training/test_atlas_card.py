"""Cards of atlases: what they tell of members that nothing was learned from."""

from __future__ import annotations

import pytest

from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference import list_atlases
from spike2pop_nb.inference.weight_files import SHIPPED_ATLASES
from spike2pop_nb.training.atlas_card import atlas_card, atlas_scores, fresh_members


@pytest.mark.parametrize("name", list_atlases())
def test_a_card_is_shipped_with_every_atlas(name: str) -> None:
    card = (SHIPPED_ATLASES / f"{name}.md").read_text(encoding="utf-8")
    assert card.startswith(f"# Atlas of neuron `{name}`\n")
    for part in ("## DICs", "## Current and noise", "AUROC", "| current | all |", "spikes missing"):
        assert part in card
    assert "\n\n\n" not in card


def test_a_card_says_how_well_fresh_members_are_told() -> None:
    heard: list[str] = []
    scores = atlas_scores("stg", members=40, progress=lambda _done, _total, words: heard.append(words))
    assert len(heard) == 6
    known, unknown = scores["driven"]["current"]["all"], scores["driven"]["nothing"]["all"]
    assert known["trains"] == unknown["trains"] > 10
    assert known["mae"]["median"][1] < unknown["mae"]["median"][1]
    assert scores["quiet"]["larger network"]["all"]["mae"]["median"][0] < 4
    assert 0.5 < scores["strange"]["kinds"]["Poisson"]["auroc"] <= 1
    card = atlas_card(scores)
    assert "| nothing | all | " in card
    assert "| larger network | all | " in card
    assert "80 members" in card
    assert "\n\n\n" not in card


def test_fresh_members_repeat_and_are_without_drive_where_that_is_asked() -> None:
    one, again, still = (fresh_members("stg", 12, 3, driven=driven) for driven in (True, True, False))
    assert one.times_ms.tobytes() == again.times_ms.tobytes()
    assert one.sigma.any()
    assert not still.sigma.any()
    assert not still.current.any()


@pytest.mark.usefixtures("without_atlases")
def test_without_an_atlas_there_is_no_card() -> None:
    with pytest.raises(PredictorError, match="makes one in minutes"):
        atlas_scores("stg")
