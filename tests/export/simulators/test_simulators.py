"""Exports against the declaration, and run in the simulators they are for."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.export import simulators
from spike2pop_nb.export.simulators.expressions import TOLERANCE, evaluate, express
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import simulate

V = np.linspace(-120.0, 80.0, 4999)


def test_expressions_are_the_declared_functions(neuron: NeuronModel) -> None:
    gates = [gate for channel in neuron.channels for gate in channel.gates]
    functions = [f for gate in gates for f in (gate.x_inf, gate.tau) if f is not None]
    for channel in neuron.channels:
        functions += channel.scheme.rates.values() if channel.scheme else []
    for function in functions:
        np.testing.assert_allclose(evaluate(express(function), V), function(V), rtol=TOLERANCE)


def test_branches_are_recorded_or_fitted() -> None:
    def where(V):  # type: ignore[no-untyped-def]
        return np.where((V > -40.0) & (V < 0.0), V * V, 1.0 + np.exp(V / 50.0))

    np.testing.assert_allclose(evaluate(express(where), V), where(V), rtol=TOLERANCE)


@pytest.mark.parametrize(("name", "target"), [("stg", (5.0, 5.0)), ("da", (2.0, 5.0))])
def test_neuron_gives_the_same_intervals(name: str, target: tuple[float, float], tmp_path: Path) -> None:
    if importlib.util.find_spec("neuron") is None or shutil.which("nrnivmodl") is None:
        pytest.skip("NEURON is not installed")
    population = generate_population(name, target, size=1, seed=3)
    simulators.export(population, "neuron", tmp_path)
    subprocess.run(["nrnivmodl"], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([sys.executable, f"{name}_neuron.py", "3000"], cwd=tmp_path, check=True)
    _same_intervals(population, tmp_path)


def test_brian2_gives_the_same_intervals(tmp_path: Path) -> None:
    probe = subprocess.run([sys.executable, "-c", "import brian2"], capture_output=True)
    if probe.returncode:
        pytest.skip("Brian2 is not installed, or not for this NumPy")
    population = generate_population("stg", (5.0, 5.0), size=1, seed=3)
    simulators.export(population, "brian2", tmp_path)
    subprocess.run([sys.executable, "stg_brian2.py", "3000"], cwd=tmp_path, check=True)
    _same_intervals(population, tmp_path)


def _same_intervals(population: Population, folder: Path) -> None:
    found = pd.read_csv(folder / "spike_times.csv")["time_ms"].to_numpy()
    simulated = simulate(population, duration_ms=3000, transient_ms=0, accuracy="exact", record="spikes")
    expected = simulated.spike_times_ms[0]
    assert len(found) == len(expected)
    np.testing.assert_allclose(np.diff(found), np.diff(expected), rtol=0.01)


def test_what_cannot_be_exported_is_one_sentence(tmp_path: Path) -> None:
    population = generate_population("stg", (5.0, 5.0), size=1, seed=3)
    with pytest.raises(SimulationError, match="no export to 'matlab'; choose one of"):
        simulators.export(population, "matlab", tmp_path)  # type: ignore[arg-type]
    with pytest.raises(SimulationError, match="has 0 members"):
        simulators.export(population.select([]), "brian2", tmp_path)
