"""Adapting to a declared neuron is one call: data, adapters, curve, scores; the network is found by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import DIC_RANGE, write_shards
from test_train import SMALL

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference import list_predictors, load_predictor
from spike2pop_nb.inference.weights import install_weights, own_base
from spike2pop_nb.training.adapt import adapt
from spike2pop_nb.training.dataset import Recipe
from spike2pop_nb.training.train import train


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("shards"), n_groups=400, members=2)


@pytest.fixture(scope="module")
def base(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("base")
    return train(shards, out, "toy", epochs=2, options=SMALL, dic_range=DIC_RANGE)


def test_adapting_leaves_weights_curve_and_card(shards: Path, base: Path, tmp_path: Path) -> None:
    said: list[str] = []
    weights = adapt(
        "other",
        tmp_path,
        data=[shards],
        base=base,
        epochs=2,
        curve=(100, 10**9),
        curve_steps=33,
        options=SMALL,
        baseline=False,
        dic_range=DIC_RANGE,
        report=said.append,
    )
    assert weights.stat().st_size < base.stat().st_size
    card = (tmp_path / "scores" / "model_card.md").read_text()
    assert "Adapting against training from scratch" in card
    assert "| 100 | 35 | adapters |" in card
    assert "| 100 | 35 | from scratch |" in card
    assert "1000000000" not in card
    assert any("from scratch, 100 trains" in sentence for sentence in said)
    with pytest.raises(TrainingError, match="holds adapters itself"):
        adapt("third", tmp_path / "third", data=[shards], base=weights)


def test_data_made_for_adapting_have_other_lengths_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, Recipe] = {}

    def remember(recipe: Recipe, folder: Path, **_: object) -> int:
        made[folder.name] = recipe
        return recipe.n_trains

    monkeypatch.setattr("spike2pop_nb.training.adapt.make_dataset", remember)
    with pytest.raises(TrainingError, match="No Parquet shards"):
        adapt("da", tmp_path, trains=400)
    assert list(made) == ["da", "da_lengths"]
    assert [recipe.n_trains for recipe in made.values()] == [400, 100]
    own, longer = made["da"].window_ms(0), made["da_lengths"].window_ms(3)
    assert own[0] == longer[0]
    assert own[1] < longer[1] < own[0] + 5 * (own[1] - own[0])


def test_adapters_on_a_base_of_ones_own_are_installed_with_it(
    shards: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path / "mine"))
    weights = train(shards, tmp_path, "other", base=base, epochs=1, options=SMALL, dic_range=DIC_RANGE)
    own_base(weights).write_bytes(base.read_bytes())
    install_weights(weights, "other")
    assert "other" in list_predictors()
    assert "other.base" not in list_predictors()
    assert load_predictor("other").predict([np.arange(20) * 30.0])[0].usable


def test_installed_weights_are_found_by_name(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path / "mine"))
    assert "toy" not in list_predictors()
    install_weights(base, "toy")
    assert "toy" in list_predictors()
    assert "stg" in list_predictors()
    assert load_predictor("toy").predict([np.arange(20) * 30.0])[0].usable
