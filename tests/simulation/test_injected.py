"""What is injected, shifted and scaled does what a general-purpose solver of the same equations says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spike2pop_nb.checking.equations import solve_declared
from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.experiments import (
    Protocol,
    calcium_buffering,
    chirp,
    conductance_pulses,
    ramp,
    run_experiment,
    shift_reversal,
    step,
    temperature,
)
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.simulation.course import Schedule, Waves
from spike2pop_nb.simulation.runner import Runner

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


def test_buffered_calcium_is_a_slower_pool(population: Population) -> None:
    neuron = population.neuron
    (pool,) = neuron.pools
    slower = replace(neuron, name="buffered", calcium=replace(pool, tau_ms=5.0 * pool.tau_ms))
    known, _ = solve_declared(slower, population.g[0], DURATION_MS)
    compared(spikes(population, calcium_buffering(5.0), "exact"), known, 5e-4, 5e-4)


def test_warm_conductances_are_larger_ones_and_warm_rates_are_faster(population: Population) -> None:
    neuron = population.neuron
    larger = temperature(21.0, rate_q10=1.0, conductance_q10=1.5, declared_C=11.0)
    known = simulate(1.5 * population.g, neuron, duration_ms=DURATION_MS, transient_ms=0, record="spikes")
    np.testing.assert_allclose(spikes(population, larger, "standard"), known.spike_times_ms[0], atol=0.1)
    (pool,) = neuron.pools
    channels = tuple(
        replace(
            channel,
            gates=tuple(replace(gate, tau=faster(gate.tau)) if gate.tau else gate for gate in channel.gates),
        )
        for channel in neuron.channels
    )
    pool = replace(pool, tau_ms=pool.tau_ms / 2, influx_uM_per_uA=pool.influx_uM_per_uA / 2)
    known_faster, _ = solve_declared(
        replace(neuron, name="warm", channels=channels, calcium=pool), population.g[0], DURATION_MS
    )
    warm = temperature(21.0, rate_q10=2.0, conductance_q10=1.0, declared_C=11.0)
    compared(spikes(population, warm, "exact"), known_faster, 5e-4, 5e-4)


def faster(tau: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda V: 0.5 * tau(V)


class Pulses(Schedule):
    """A current and a conductance, different in every step."""

    def waves(self, ms: np.ndarray) -> Waves:
        g = 0.2 + 0.2 * np.sin(ms[None] / 3.0)
        return Waves(np.zeros(1, dtype=np.int64), np.cos(ms[None]) + g * -70.0, g)


def test_what_is_injected_is_no_current_of_a_channel(population: Population) -> None:
    """Recorded currents move the voltage together with what is injected."""
    dt, neuron = 0.01, population.neuron
    runner = Runner(neuron, dt, 0.0, 100.0, dt, np.zeros(1), np.zeros(1, dtype=np.uint64))
    ran = runner.run(population.g[:1], np.zeros(1, dtype=np.int64), schedule=Pulses(), currents=True)
    V = ran.V_mV[0].astype(float)
    ms = runner.time_ms()
    dV = (V[2:] - V[:-2]) / (2 * dt)
    assert np.ptp(V) > 40
    # half of each of the steps before and after a sample, in whose middles it is injected
    given = []
    for side in (-0.5, 0.5):
        waves = Pulses().waves(ms + side * dt)
        assert waves.conductance is not None
        given.append((waves.current[0], waves.conductance[0]))
    current, g = (0.5 * (given[0][k] + given[1][k])[1:-1] for k in (0, 1))
    off = ran.I[0].sum(axis=0)[1:-1] + g * V[1:-1] - current + neuron.capacitance_uF * dV
    assert np.abs(off).max() < 0.02 * np.abs(ran.I[0].sum(axis=0)).max()
    assert np.median(np.abs(off)) < 2e-3
