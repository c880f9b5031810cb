"""What is injected, shifted and scaled does what a general-purpose solver of the same equations says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from declared_equations import solve_declared

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.experiments import (
    Protocol,
    chirp,
    conductance_pulses,
    ramp,
    run_experiment,
    shift_reversal,
    step,
)
from spike2pop_nb.neurons import NeuronModel, get_neuron

DURATION_MS = 900.0


@pytest.fixture(scope="module")
def population() -> Population:
    return generate_population("stg", (5.0, 5.0), 2, seed=3)


def spikes(population: Population, protocol: Protocol, accuracy: str) -> np.ndarray:
    found = run_experiment(
        population, {"given": protocol}, duration_ms=DURATION_MS, transient_ms=0, accuracy=accuracy
    )
    return found.spike_times_ms["given"][0]


def compared(ours: np.ndarray, known: np.ndarray, mean: float, median: float) -> None:
    # the first hundred milliseconds lead from an artificial start to the rhythm
    ours, known = ours[ours > 100], known[known > 100]
    assert len(ours) == len(known)
    intervals, expected = np.diff(ours), np.diff(known)
    assert np.median(np.abs(intervals / expected - 1.0)) <= median
    assert intervals.mean() == pytest.approx(expected.mean(), rel=mean)


CURRENTS: dict[str, tuple[Protocol, Callable[[float, float], float]]] = {
    "step": (step(4.0, 300.01, 600.0), lambda t, _V: 4.0 * (300.01 <= t < 600.0)),
    "hyperpolarising": (step(-4.0, 300.0, 600.0), lambda t, _V: -4.0 * (300.0 <= t < 600.0)),
    "ramp": (ramp(0.0, 8.0, 200.0, 800.0), lambda t, _V: 8.0 * (t - 200) / 600 if 200 <= t < 800 else 0.0),
    "slow step": (
        step(4.0, 300.0, 600.0, ramp_ms=100.0),
        lambda t, _V: 4.0 * float(np.interp(t, [300, 400, 600, 700], [0, 1, 1, 0])),
    ),
    "chirp": (
        chirp(3.0, 5.0, 5.0, 200.0, 800.0),
        lambda t, _V: 3.0 * float(np.sin(2 * np.pi * 5e-3 * (t - 200))) if 200 <= t < 800 else 0.0,
    ),
    "pulses": (
        conductance_pulses(0.4, -80.0, [300.0, 500.0], rise_ms=2.0, decay_ms=20.0),
        lambda t, V: 0.4 * (double(t - 300.0) + double(t - 500.0)) * (-80.0 - V),
    ),
    "rectangular pulses": (
        conductance_pulses(0.4, -80.0, [300.0, 500.0], duration_ms=50.0),
        lambda t, V: 0.4 * (300 <= t < 350 or 500 <= t < 550) * (-80.0 - V),
    ),
}


def double(past: float) -> float:
    if past < 0:
        return 0.0
    peak = 2.0 * 20.0 / 18.0 * np.log(10.0)
    return float((np.exp(-past / 20) - np.exp(-past / 2)) / (np.exp(-peak / 20) - np.exp(-peak / 2)))


@pytest.mark.parametrize("name", CURRENTS)
def test_injected(name: str, population: Population) -> None:
    protocol, injected = CURRENTS[name]
    known, _ = solve_declared(population.neuron, population.g[0], DURATION_MS, injected=injected)
    compared(spikes(population, protocol, "standard"), known, 1e-3, 2e-3)
    ours = spikes(population, protocol, "exact")
    compared(ours, known, 5e-4, 5e-4)
    late = known[known > 100]
    assert np.abs(ours[-len(late) :] - late).max() < 0.5


def test_shifted_reversal_potentials(population: Population) -> None:
    neuron = population.neuron
    other = shifted(neuron, "leak", 5.0)
    known, _ = solve_declared(other, population.g[0], DURATION_MS)
    compared(spikes(population, shift_reversal("leak", 5.0), "standard"), known, 1e-3, 2e-3)


def shifted(neuron: NeuronModel, name: str, by_mV: float) -> NeuronModel:
    channels = tuple(
        replace(channel, E_mV=channel.E_mV + by_mV) if channel.name == name else channel
        for channel in neuron.channels
    )
    return replace(neuron, name="shifted", channels=channels)


def test_a_current_in_pA_is_that_in_density() -> None:
    neuron = get_neuron("stg")  # 1 µF/cm²
    population = generate_population(neuron, (5.0, 5.0), 1, seed=3)
    density = spikes(population, step(4.0, 300.0, 600.0), "standard")
    absolute = spikes(population, step(100.0, 300.0, 600.0, unit="pA", capacitance_pF=25.0), "standard")
    np.testing.assert_array_equal(density, absolute)
