"""What holds a neuron holds the declaration: one that nobody registered works everywhere, and pickles."""

from __future__ import annotations

import dataclasses
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spike2pop_nb import export, plots
from spike2pop_nb.conductances import (
    Population,
    generate_population,
    modulation_path,
    rank_choices,
    reachability,
)
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.export import simulators
from spike2pop_nb.fidelity import Result, find_population, pattern_map, verify
from spike2pop_nb.neurons import NeuronModel, get_neuron, vary_neuron
from spike2pop_nb.simulation import Simulated, currents, simulate

QUICK: dict[str, Any] = {"duration_ms": 600.0, "transient_ms": 200.0}


class Around:
    """Draws near one pair of DICs."""

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal((4.0, 5.0), 0.1, (n, 2))


@pytest.fixture(scope="module")
def mine() -> NeuronModel:
    """A neuron that is not registered."""
    return dataclasses.replace(get_neuron("stg"), name="mine", title="Mine", V_th_mV=-50.0)


@pytest.fixture(scope="module")
def population(mine: NeuronModel) -> Population:
    return generate_population(mine, (4.0, 5.0), 6, seed=1)


@pytest.fixture(scope="module")
def simulated(population: Population) -> Simulated:
    return simulate(population)


@pytest.fixture(scope="module", params=["posterior", "target"])
def found(request: pytest.FixtureRequest, mine: NeuronModel, simulated: Simulated) -> Result:
    posterior: Any = Around() if request.param == "posterior" else (4.0, 5.0)
    return find_population(simulated.train(0), mine, posterior, size=3, budget=300)


def test_it_is_generated_simulated_and_verified(
    mine: NeuronModel, population: Population, simulated: Simulated
) -> None:
    assert population.neuron is simulated.neuron is mine
    assert verify(simulated.train(0), simulated).passed[0]
    assert currents(population, 0, **QUICK).neuron is mine
    for other in ("stg", vary_neuron(mine, V_th_mV=-49)):
        with pytest.raises(
            SimulationError, match=r"of the neuron 'mine' with V_th at -50 mV, not of the one"
        ):
            simulate(population, other)
    varied = generate_population("stg", (4.0, 4.0), 1, V_mV=-49)
    assert simulate(varied, "stg", **QUICK).neuron is simulate(varied, **QUICK).neuron is varied.neuron
    with pytest.raises(SimulationError, match=r"of the neuron 'mine' with V_th at -50 mV, not of the one"):
        currents(population, 0, "stg")


def test_it_is_explored(mine: NeuronModel, population: Population) -> None:
    assert reachability(mine, ("CaS", "H"), 5).neuron is mine
    firing = pattern_map(mine, ("CaS", "H"), n_grid=3, members=1)
    assert firing.neuron is mine
    assert list(plots.plane_map(firing).layout.xaxis.range) == [-20, 20]
    assert rank_choices(mine, (4.0, 5.0), n=64).neuron is mine
    assert modulation_path(population, (-5.0, 5.0), steps=2).at(1).neuron is mine
    assert len(plots.dic_curves(population).data)
    assert len(plots.dic_plane(mine, population=population).data)


@pytest.mark.parametrize("target", simulators.TARGETS)
def test_it_is_exported(population: Population, target: simulators.Target, tmp_path: Path) -> None:
    assert simulators.export(population, target, tmp_path)[0].name == f"mine_{target}.py"


def test_it_is_searched_and_written(mine: NeuronModel, found: Result, tmp_path: Path) -> None:
    assert found.population is not None
    assert found.neuron is found.population.neuron is mine
    export.write_results([found], tmp_path, {}, formats=("csv", "parquet", "md", "html", "txt"))
    assert Population.from_csv(tmp_path / "population.csv", mine).neuron is mine
    assert Population.from_parquet(tmp_path / "population.parquet", mine).neuron is mine
    (entry,) = json.loads((tmp_path / "summary.json").read_text())["recordings"]
    assert entry["neuron"]["neuron"] == "mine"
    assert entry["neuron"]["V_th_mV"] == -50.0
    assert entry["neuron"]["declaration"] == mine.declaration
    assert "V_th_mV" in (tmp_path / "README.txt").read_text()


def test_results_pickle(
    mine: NeuronModel, found: Result, population: Population, simulated: Simulated
) -> None:
    again = pickle.loads(pickle.dumps(found))
    assert again.neuron is again.population.neuron is again.simulated.neuron is mine
    assert again.population.table.equals(found.population.table)  # type: ignore[union-attr]
    assert again.verdict.table.equals(found.verdict.table)  # type: ignore[union-attr]
    assert again.verdict.rule == found.verdict.rule  # type: ignore[union-attr]
    path = modulation_path(population, (-5.0, 5.0), steps=2)
    holders = [reachability(mine, ("CaS", "H"), 5), rank_choices(mine, (4.0, 5.0), n=64), path]
    for holder in [*holders, simulated, currents(population, 0, **QUICK)]:
        assert pickle.loads(pickle.dumps(holder)).neuron is mine


def test_a_fresh_process_goes_on_with_what_was_pickled(tmp_path: Path) -> None:
    population = generate_population("stg", (4.0, 4.0), 2, seed=1, V_mV=-49)
    run = simulate(population)
    (tmp_path / "kept.pickle").write_bytes(pickle.dumps((population, run, verify(run.train(0), run))))
    code = """
import pickle, sys
from spike2pop_nb.conductances import dics
population, run, verdict = pickle.load(open(sys.argv[1], "rb"))
assert population.neuron is run.neuron
print(population.neuron.V_th_mV, dics(population.neuron, population.g)[:, 2].round(6).tolist())
print(len(verdict.table))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "kept.pickle")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["-49.0 [4.0, 4.0]", "2"], done.stderr
    assert population.neuron is vary_neuron("stg", V_th_mV=-49)
