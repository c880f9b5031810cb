"""All that calcium can do in a declaration, simulated: against a general-purpose solver, and as published."""

from __future__ import annotations

from dataclasses import replace

import numba as nb
import numpy as np
import pytest
from rich_neuron import RICH

from spike2pop_nb.checking.equations import solve_declared
from spike2pop_nb.checking.known import known_of
from spike2pop_nb.conductances import Population, baseline_population
from spike2pop_nb.experiments import run_experiment, temperature
from spike2pop_nb.neurons import Nernst, get_neuron
from spike2pop_nb.simulation import currents, simulate
from spike2pop_nb.simulation.lanes import LANES, exponential, load, logarithm, store
from spike2pop_nb.simulation.plan import make_plan

PYLORIC = known_of("pyloric")


def test_two_pools_pumps_and_all_gates_are_those_of_a_general_solver() -> None:
    g, _ = baseline_population(RICH, 2, 0)
    duration = 450.0
    for accuracy, most in (("standard", 0.15), ("exact", 0.03)):
        ours = simulate(
            g, RICH, duration_ms=duration, transient_ms=0.0, record="spikes", accuracy=accuracy
        ).spike_times_ms
        for member, times in zip(g, ours, strict=True):
            crossings, _ = solve_declared(RICH, member, duration)
            assert len(times) == len(crossings) >= 2
            assert np.abs(times - crossings).max() < most


def test_what_is_recorded_of_every_pool_is_what_a_general_solver_finds() -> None:
    g, _ = baseline_population(RICH, 1, 0)
    found = currents(g, 0, RICH, duration_ms=300.0, transient_ms=0.0, accuracy="exact", sample_ms=0.5)
    _, solution = solve_declared(RICH, g[0], found.time_ms[-1], found.time_ms)
    # at a spike a shift by a few µs is most of it
    error = np.abs(found.pools / solution.y[1:3] - 1.0)
    assert np.quantile(error, 0.95) < 1e-3
    assert error.max() < 0.03
    np.testing.assert_array_equal(found.Ca_uM, found.pools[0])
    table = found.to_frame()
    assert list(table.columns[:4]) == ["time_ms", "V_mV", "Ca_uM", "deep_uM"]
    np.testing.assert_array_equal(table["I_calcium_pump"], found.pump)
    fine = currents(g, 0, RICH, duration_ms=100.0, transient_ms=20.0, sample_ms=0.02)
    change = RICH.capacitance_uF * np.gradient(fine.V_mV, fine.time_ms)
    error = (fine.I.sum(axis=0) + fine.pump + change)[1:-1]
    assert np.abs(error).max() < 2 * np.spacing(np.float32(64.0)) / 0.02 + 0.01 * fine.pump.max()
    assert np.abs(fine.pump).max() > 0.05


@pytest.mark.parametrize("case", PYLORIC["spike_times"], ids=lambda case: case["name"])
def test_the_pyloric_neuron_fires_as_published(case: dict) -> None:
    neuron = get_neuron("pyloric")
    assert case["V_initial_mV"] == neuron.V_initial_mV
    assert case["Ca_initial_uM"] == neuron.pools[0].initial_uM
    window = {"duration_ms": case["duration_ms"], "transient_ms": case["from_ms"], "record": "spikes"}
    expected = np.array(case["spikes_ms"])
    # this one drifts through doublets: what a step gets wrong adds up over all intervals
    exact = replace(neuron, time_step_ms=0.01) if case["name"].startswith("LP 4") else neuron
    found = simulate([case["conductances"]], exact, accuracy="exact", **window).spike_times_ms[0]
    assert len(found) == len(expected)
    if len(expected):
        assert np.diff(found).mean() == pytest.approx(np.diff(expected).mean(), rel=2e-3)
    standard = simulate([case["conductances"]], neuron, **window).spike_times_ms[0]
    assert abs(len(standard) - len(expected)) <= 2
    if len(expected):
        assert np.diff(standard).mean() == pytest.approx(
            np.diff(expected).mean(), rel=2e-3 if exact is neuron else 0.03
        )


def test_the_calcium_potential_is_that_of_the_reference() -> None:
    E = get_neuron("pyloric").channels[1].E_mV
    assert isinstance(E, Nernst)
    for case in PYLORIC["E_Ca"]:
        assert E.value(case["Ca_uM"]) == pytest.approx(case["E_mV"], rel=1e-9)


def test_warmth_moves_the_nernst_potential() -> None:
    neuron = get_neuron("pyloric")
    cool, warm = make_plan(neuron, 0.02), make_plan(neuron, 0.02, 25.0)
    E = neuron.channels[1].E_mV
    assert isinstance(E, Nernst)
    for plan, factor in ((cool, 1.0), (warm, 298.15 / 283.15)):
        _channel, _pool, most, slope = plan.nernst[0]
        for Ca in (0.05, 5.0):
            now = neuron.E_mV[1] + most - slope * np.log(Ca)
            assert now == pytest.approx(factor * E.value(Ca), rel=1e-12)


def test_a_warm_pyloric_neuron_bursts_faster_as_the_crab_does() -> None:
    """From 7 to 23 °C the pyloric rhythm becomes about four times as fast (Tang et al. 2010: Q10 2.3)."""
    g = [case["conductances"] for case in PYLORIC["spike_times"][:2]]
    period = {}
    for temperature_C in (7.0, 23.0):
        result = run_experiment(Population.from_g("pyloric", g), temperature(temperature_C))
        for member, times in enumerate(list(result.spike_times_ms.values())[-1]):
            intervals = np.diff(times)
            pauses = intervals > 0.5 * intervals.max()
            starts = times[1:][pauses]
            period[temperature_C, member] = np.diff(starts).mean()
    for member in range(2):
        q10 = (period[7.0, member] / period[23.0, member]) ** (1 / 1.6)
        assert 1.8 < q10 < 2.8


@nb.njit
def functions(rows, out):  # type: ignore[no-untyped-def]
    store(out, 0, logarithm(load(rows, 0)))
    store(out, 1, exponential(load(rows, 1)))


def test_logarithms_and_exponentials_are_those_of_every_lane() -> None:
    rng = np.random.default_rng(0)
    for low, high in ((-80.0, 80.0), (-3.0, 3.0), (-1e-3, 1e-3)):
        z = rng.uniform(low, high, (40, LANES)).astype(np.float32)
        for row in z:
            out = np.zeros((2, LANES), np.float32)
            rows = np.stack([np.exp(row.astype(float)).astype(np.float32), row])
            functions(rows, out)
            expected = np.log(rows[0].astype(float))
            np.testing.assert_allclose(out[0], expected, rtol=3e-7, atol=1e-9)
            np.testing.assert_allclose(out[1], np.exp(row.astype(float)), rtol=1e-6)
