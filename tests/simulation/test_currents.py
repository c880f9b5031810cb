"""Currents of a member: they move its voltage, and a general-purpose solver gives the same."""

from __future__ import annotations

import numpy as np
import pytest
from declared_equations import equations, solve_declared

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import MAX_CURRENTS_MS, Currents, currents, simulate
from spike2pop_nb.simulation.currents import _follow


def middle(neuron: NeuronModel, size: int = 3) -> Population:
    return generate_population(neuron, (neuron.baseline.g_s, neuron.baseline.g_u), size, seed=2)


def declared_currents(neuron: NeuronModel, g: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each current from a state of the declared equations: the change of V when all others are taken away."""
    found = []
    for c in range(neuron.n_channels):
        alone = np.zeros_like(g)
        alone[c] = g[c]
        found.append(-equations(neuron, alone)[0](0.0, y)[0] * neuron.capacitance_uF)
    return np.array(found)


def worst_and_usual(found: Currents) -> tuple[float, np.ndarray]:
    """Where −ΣI and C dV/dt differ: the worst, and all as a share of the current that flows."""
    dV = np.gradient(found.V_mV, found.time_ms)
    assert np.abs(dV).max() > 20, "it has to fire for this to be a test"
    error = np.abs(-found.I.sum(axis=0) - found.neuron.capacitance_uF * dV)
    return float(error.max()), error / (found.inward + found.outward)


def test_currents_move_the_voltage(neuron: NeuronModel) -> None:
    population = middle(neuron)
    times = {"duration_ms": 400.0, "transient_ms": 100.0}
    standard = currents(population, 1, **times, sample_ms=0.02)
    exact = currents(population, 1, **times, sample_ms=0.01, accuracy="exact")
    worst, share = worst_and_usual(standard)
    finer, _share = worst_and_usual(exact)
    assert np.median(share) < 1e-4
    assert np.quantile(share, 0.99) < 5e-3
    # what is left is at the steepest part of a spike, which lasts one step, and is second order in the step
    assert finer < worst / 2.8


def test_they_are_those_of_the_simulation_shown(neuron: NeuronModel) -> None:
    population = middle(neuron)
    shown = simulate(population, duration_ms=700.0, transient_ms=200.0)
    found = currents(population, 2, like=shown)
    np.testing.assert_array_equal(found.V_mV.astype(np.float32), shown.V_mV[2])
    np.testing.assert_allclose(found.time_ms, shown.time_ms)
    np.testing.assert_array_equal(found.spike_times_ms, shown.spike_times_ms[2])
    assert found.label == ("1", 2)


def test_along_the_voltage_of_a_general_solver_they_are_the_solvers(neuron: NeuronModel) -> None:
    g, dt = middle(neuron).g[0], 0.01
    t = np.arange(0.0, 60.0, dt)
    _, solution = solve_declared(neuron, g, 60.0, t_eval=t)
    found, Ca = _follow(neuron, g, solution.y[0], dt, slice(0, len(t) - 1, 50))
    states = solution.y.T[:-1:50]
    reference = np.stack([declared_currents(neuron, g, y) for y in states], axis=1)
    scale = np.abs(reference).max(axis=1, keepdims=True)
    # the first spike of all is steep, and gates start half a step late
    assert (np.abs(found - reference) < 0.01 * scale).all()
    if neuron.calcium is not None:
        np.testing.assert_allclose(Ca, states[:, 1], rtol=2e-3)


def test_shares_of_each_direction_sum_to_one(neuron: NeuronModel) -> None:
    found = currents(middle(neuron), duration_ms=200.0, transient_ms=50.0)
    outward, inward = found.shares()
    np.testing.assert_allclose(outward.sum(axis=0), 1.0)
    np.testing.assert_allclose(inward.sum(axis=0), 1.0)
    assert not ((outward > 0) & (inward > 0)).any()
    np.testing.assert_allclose(found.outward - found.inward, found.I.sum(axis=0), atol=1e-9)
    table = found.to_frame()
    assert list(table.columns[-neuron.n_channels :]) == [f"I_{name}" for name in neuron.channel_names]
    assert ("Ca_uM" in table) == (neuron.calcium is not None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"row": 7}, "no member in row 7; the population has 3"),
        ({"row": -1}, "no member in row -1"),
        ({"duration_ms": 2 * MAX_CURRENTS_MS}, "over up to 60 s"),
        ({"duration_ms": 50.0, "transient_ms": 80.0}, "last longer than their transient"),
        ({"accuracy": "wild"}, "accuracy must be one of"),
        ({"sample_ms": 0.0}, "sample_ms must be"),
        ({"sample_ms": 1e6}, "sample_ms must be"),
    ],
)
def test_what_cannot_be_is_one_sentence(options: dict, words: str) -> None:
    population = generate_population("stg", (4.0, 5.0), 3, seed=1)
    options = {"duration_ms": 50.0, "transient_ms": 10.0} | options
    with pytest.raises(SimulationError, match=words):
        currents(population, **options)


def test_arrays_need_a_neuron_and_noise_or_a_dead_member_is_refused() -> None:
    population = generate_population("stg", (4.0, 5.0), 1, seed=1)
    with pytest.raises(SimulationError, match="Name the neuron"):
        currents(population.g)
    noisy = simulate(population, duration_ms=50.0, transient_ms=10.0, noise_sigma=3.0)
    with pytest.raises(SimulationError, match="without noise"):
        currents(population, like=noisy)
    with pytest.raises(SimulationError, match="cannot be simulated"):
        currents(-population.g, neuron="stg", duration_ms=50.0, transient_ms=10.0)
