"""A recipe holds its neuron: a variation, or one that nobody registered, makes its own data."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb.conductances import dics
from spike2pop_nb.errors import NeuronModelError, SimulationError, TrainingError
from spike2pop_nb.neurons import NeuronModel, get_neuron, same_neuron, vary_neuron
from spike2pop_nb.training.card_commands import commands
from spike2pop_nb.training.dataset import Recipe, make_dataset, read_recipe, shard_path
from spike2pop_nb.training.model_card import published_errors

SHORT = {"n_trains": 4, "shard_size": 2, "members_per_target": 2, "duration_s": 0.3, "noisy_share": 0.0}
VARIED = vary_neuron("stg", V_th_mV=-49, baseline={"Kd": (80, 100)})
MINE = dataclasses.replace(get_neuron("stg"), name="mine", V_th_mV=-50.0)


@pytest.mark.parametrize("neuron", [VARIED, MINE], ids=["varied", "unregistered"])
def test_workers_use_the_neuron_itself(neuron: NeuronModel, tmp_path: Path) -> None:
    recipe = {"neuron": neuron, **SHORT}
    assert make_dataset(recipe, tmp_path, workers=1) == 4
    table = pd.concat([pd.read_parquet(shard_path(tmp_path, i)) for i in range(2)])
    g = table[list(neuron.g_columns)].to_numpy(float)
    np.testing.assert_allclose(dics(neuron, g)[:, 1:], table[["g_s", "g_u"]], atol=1e-3)
    assert make_dataset(recipe, tmp_path) == 4  # the same again
    with pytest.raises(TrainingError, match="made with another neuron; give the same options"):
        make_dataset(recipe | {"neuron": "stg"}, tmp_path)
    other = dataclasses.replace(neuron, capacitance_uF=2.0)
    with pytest.raises(TrainingError, match=r"made with another (neuron|declaration of the neuron 'mine'); "):
        make_dataset(recipe | {"neuron": other}, tmp_path)


def test_what_is_written_says_the_variation() -> None:
    assert Recipe(neuron="stg").model_dump() == Recipe(neuron=get_neuron("stg")).model_dump()
    assert Recipe(neuron="stg").model_dump()["neuron"] == "stg"
    recipe = Recipe(neuron=VARIED)
    written = json.loads(json.dumps(recipe.model_dump()))
    assert written["neuron"] == {"name": "stg", "V_th_mV": -49.0, "baseline": {"Kd": [80.0, 100.0]}}
    again = Recipe(**written)
    model = pickle.loads(pickle.dumps(recipe)).model
    assert again.model is model  # VARIED itself, or an equal neuron that was pickled before it
    assert same_neuron(model, VARIED)
    assert (model.V_th_mV, model.baseline) == (-49, VARIED.baseline)
    assert again.model_dump() == written
    scores = {"recipes": {"mine": written}, "neuron": "stg", "data": {}, "held_out": {}}
    lines = commands(scores | {"weights": {"training": {"asked_epochs": 1, "seed": 0}, "config": {}}})
    assert any("# but with V_th at -49 mV and baseline {'Kd': [80.0, 100.0]}" in line for line in lines)


def test_data_of_an_unknown_neuron_can_be_read_but_not_made(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps({"recipe": Recipe(neuron="toy").model_dump()}))
    assert read_recipe(tmp_path).neuron == "toy"
    with pytest.raises(NeuronModelError, match="There is no neuron 'toy'"):
        make_dataset(read_recipe(tmp_path), tmp_path)


def test_a_neuron_that_workers_cannot_get_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    local = dataclasses.replace(MINE, tau_slow=lambda V: MINE.tau_slow(V))
    with pytest.raises(NeuronModelError, match="'mine' cannot be pickled or sent to another process"):
        make_dataset({"neuron": local, **SHORT}, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_published_figures_are_those_of_the_neuron() -> None:
    assert published_errors("stg")[0] == ("clean", "all", "published", (2.85, 1.75))
    assert len(published_errors("da")) == 9
    assert published_errors("mine") == []


def test_where_rows_are_computed_is_part_of_the_recipe(tmp_path: Path) -> None:
    """Rounding differs between devices: a data set is not continued on another."""
    assert make_dataset({"neuron": "stg", **SHORT}, tmp_path, workers=1) == 4
    with pytest.raises(TrainingError, match="made with another device; give the same options"):
        make_dataset({"neuron": "stg", "device": "cuda", **SHORT}, tmp_path)
    recipe = read_recipe(tmp_path).model_dump()
    assert recipe["device"] == "cpu"


def test_a_device_that_is_not_there_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spike2pop_nb.simulation.gpu.find_spec", lambda _name: None)
    with pytest.raises(SimulationError, match="needs numba-cuda"):
        make_dataset({"neuron": "stg", "device": "cuda", **SHORT}, tmp_path / "new")
    assert not (tmp_path / "new").exists()
