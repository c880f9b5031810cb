"""Currents of a member: they move its voltage, and a general-purpose solver gives the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from spike2pop_nb.checking.equations import equations, solve_declared
from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import MAX_CURRENTS_MS, currents, simulate, time_step_ms


def middle(neuron: NeuronModel, size: int = 3) -> Population:
    return generate_population(neuron, (neuron.baseline.g_s, neuron.baseline.g_u), size, seed=2)


def declared_currents(neuron: NeuronModel, g: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Each current from a state of the declared equations: the change of V when all others are taken away."""
    alone = [equations(neuron, row)[0] for row in np.diag(g)]
    return lambda y: np.array([-change(0.0, y)[0] * neuron.capacitance_uF for change in alone])


def test_currents_move_the_voltage(neuron: NeuronModel) -> None:
    population = middle(neuron)
    for accuracy in ("standard", "exact"):
        dt = time_step_ms(neuron, accuracy)
        found = currents(
            population, 1, duration_ms=500.0, transient_ms=100.0, sample_ms=dt, accuracy=accuracy
        )
        dV = np.gradient(found.V_mV, found.time_ms)
        assert len(found.spike_times_ms) > 0, "it has to fire for this to be a test"
        error = np.abs(found.I.sum(axis=0) + found.neuron.capacitance_uF * dV)[1:-1]
        # voltages are kept as 32-bit numbers, of which one step apart this is the rounding
        assert error.max() < 2 * np.spacing(np.float32(64.0)) / dt * found.neuron.capacitance_uF


def test_samples_are_those_of_every_step(neuron: NeuronModel) -> None:
    population = middle(neuron)
    times = {"duration_ms": 50.0, "transient_ms": 20.0}
    coarse, fine = (currents(population, 0, **times, sample_ms=ms) for ms in (0.1, 0.02))
    np.testing.assert_array_equal(coarse.I, fine.I[:, ::5])
    np.testing.assert_array_equal(coarse.Ca_uM, fine.Ca_uM[::5])


def test_they_are_those_of_the_simulation_shown(neuron: NeuronModel) -> None:
    population = middle(neuron)
    shown = simulate(population, duration_ms=700.0, transient_ms=200.0)
    found = currents(population, 2, like=shown)
    np.testing.assert_array_equal(found.V_mV.astype(np.float32), shown.V_mV[2])
    np.testing.assert_allclose(found.time_ms, shown.time_ms)
    np.testing.assert_array_equal(found.spike_times_ms, shown.spike_times_ms[2])
    assert found.label == ("1", 2)


def test_around_a_spike_they_are_those_of_a_general_solver(neuron: NeuronModel) -> None:
    population = middle(neuron)
    g = population.g[0]
    spike = simulate(population, transient_ms=0.0, record="spikes").spike_times_ms[0][1]
    crossings, solution = solve_declared(neuron, g, spike + 25.0, dense=True)
    of_state = declared_currents(neuron, g)
    nodes, weights = np.polynomial.legendre.leggauss(5)
    worst = []
    for accuracy in ("standard", "exact"):
        dt = time_step_ms(neuron, accuracy)
        begin = np.floor(spike) - 3.0
        found = currents(population, duration_ms=spike + 10.0, transient_ms=begin, accuracy=accuracy)
        if not len(found.spike_times_ms):  # spikes of the leech are as wide as that
            found = currents(population, duration_ms=spike + 20.0, transient_ms=begin, accuracy=accuracy)
        # the mean from one step before each sample to one after it; the spike may come a little earlier
        same = found.spike_times_ms[np.argmin(np.abs(found.spike_times_ms - spike))]
        at = found.time_ms + crossings[1] - same
        t = np.add.outer(at, dt * nodes).ravel()
        assert t[-1] <= solution.t[-1]
        states = solution.sol(t).T.reshape(len(at), len(nodes), -1)
        wanted = np.array([0.5 * weights @ [of_state(y) for y in each] for each in states])
        worst.append((np.abs(found.I.T - wanted) / np.abs(wanted).max(axis=0)).max())
        if neuron.calcium is not None:
            np.testing.assert_allclose(found.Ca_uM, states[:, 2, 1], rtol=2e-3)
    # second order in the step
    assert worst[0] < 0.1
    assert worst[1] < worst[0] / 3.0


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
    with pytest.raises(SimulationError, match="this simulation had other noise"):
        currents(population, like=noisy)
    with pytest.raises(SimulationError, match="cannot be simulated"):
        currents(-population.g, neuron="stg", duration_ms=50.0, transient_ms=10.0)
