"""Simulating a population: what comes back, what it does not depend on, and what happens when it fails."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spike2pop_nb.conductances import Population, baseline_population, generate_population
from spike2pop_nb.errors import Cancelled, SimulationError
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import MAX_DURATION_MS, needs_compiling, simulate, time_step_ms

SHORT: dict[str, Any] = {"duration_ms": 600.0, "transient_ms": 100.0}


@pytest.fixture
def members(neuron: NeuronModel) -> np.ndarray:
    """Members that differ and fire, many of them in bursts."""
    target = [low + 0.2 * (high - low) for low, high in (neuron.dic_range["g_s"], neuron.dic_range["g_u"])]
    return generate_population(neuron, target, 70, seed=0).g


def same(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_result_does_not_depend_on_workers_or_block_width(neuron: NeuronModel, members: np.ndarray) -> None:
    runs = [simulate(members, neuron, **SHORT, workers=workers) for workers in (1, 2, 3, 9)]
    for run in runs[1:]:
        assert same(run.spike_times_ms, runs[0].spike_times_ms)
        assert np.array_equal(run.V_mV, runs[0].V_mV)
    assert sum(len(t) for t in runs[0].spike_times_ms) > 10


def test_result_does_not_depend_on_order_or_neighbours(neuron: NeuronModel, members: np.ndarray) -> None:
    whole = simulate(members, neuron, **SHORT)
    order = np.random.default_rng(0).permutation(len(members))
    mixed = simulate(members[order], neuron, **SHORT)
    assert same(mixed.spike_times_ms, [whole.spike_times_ms[i] for i in order])
    for row in (0, 33, 69):
        alone = simulate(members[row], neuron, **SHORT)
        assert np.array_equal(alone.V_mV[0], whole.V_mV[row])
        assert np.array_equal(alone.spike_times_ms[0], whole.spike_times_ms[row])


def test_spikes_alone_are_the_spikes_with_traces(neuron: NeuronModel, members: np.ndarray) -> None:
    traces = simulate(members[:9], neuron, **SHORT, record="traces")
    spikes = simulate(members[:9], neuron, **SHORT, record="spikes")
    assert same(traces.spike_times_ms, spikes.spike_times_ms)
    assert spikes.V_mV.shape == (9, 0)
    assert spikes.time_ms.shape == (0,)


@pytest.mark.parametrize("sample_ms", [0.02, 0.1, 1.0])
def test_traces_are_aligned_with_spikes(neuron: NeuronModel, members: np.ndarray, sample_ms: float) -> None:
    out = simulate(members[:8], neuron, **SHORT, sample_ms=sample_ms)
    n = round(500.0 / sample_ms)
    np.testing.assert_allclose(out.time_ms, 100.0 + sample_ms * np.arange(n), atol=1e-9)
    assert out.V_mV.shape == (8, n)
    finest = simulate(members[:8], neuron, **SHORT, sample_ms=0.02)
    every = round(sample_ms / 0.02)
    assert np.array_equal(out.V_mV, finest.V_mV[:, ::every])
    for V, times in zip(finest.V_mV, finest.spike_times_ms, strict=True):
        level = neuron.spike_threshold_mV
        up = np.flatnonzero((V[:-1] < level) & (V[1:] >= level))
        crossings = finest.time_ms[up] + 0.02 * (level - V[up]) / (V[up + 1] - V[up])
        np.testing.assert_allclose(times, crossings[: len(times)], atol=1e-3)
        assert len(times) >= len(crossings) - 1
    assert sum(len(times) for times in finest.spike_times_ms) > 4


def test_spikes_are_crossings_that_fall_back(neuron: NeuronModel, members: np.ndarray) -> None:
    out = simulate(members[:8], neuron, **SHORT, sample_ms=0.02)
    for V, times in zip(out.V_mV, out.spike_times_ms, strict=True):
        expected, pending = [], None
        for i in range(1, len(V)):
            if pending is None and V[i - 1] < neuron.spike_threshold_mV <= V[i]:
                pending = out.time_ms[i]
            elif pending is not None and V[i] < neuron.spike_reset_mV:
                expected.append(pending)
                pending = None
        assert len(times) == len(expected)
        np.testing.assert_allclose(times, expected, atol=0.021)
        assert np.all(np.diff(times) > 0)


def test_transient_is_only_left_out(neuron: NeuronModel, members: np.ndarray) -> None:
    whole = simulate(members[:5], neuron, duration_ms=600.0, transient_ms=0.0)
    late = simulate(members[:5], neuron, duration_ms=600.0, transient_ms=250.0)
    assert same(late.spike_times_ms, [t[t >= 250.0] for t in whole.spike_times_ms])
    assert np.array_equal(late.V_mV, whole.V_mV[:, whole.time_ms >= 250.0 - 1e-9])


def test_starts_at_the_declared_voltage(neuron: NeuronModel, members: np.ndarray) -> None:
    out = simulate(members[:3], neuron, duration_ms=5.0, transient_ms=0.0)
    assert out.time_ms[0] == 0.0
    np.testing.assert_allclose(out.V_mV[:, 0], neuron.V_initial_mV)


def test_times_default_to_the_neuron(neuron: NeuronModel) -> None:
    silent = np.zeros(neuron.n_channels)
    silent[-1] = 0.01
    start, stop = neuron.recording_window_ms
    whole = simulate(silent, neuron, record="spikes")
    assert (whole.transient_ms, whole.duration_ms) == (start, stop)
    more = simulate(silent, neuron, duration_ms=10.0, record="spikes")  # that much after the transient
    assert (more.transient_ms, more.duration_ms) == (start, start + 10.0)
    both = simulate(silent, neuron, duration_ms=10.0, transient_ms=4.0, record="spikes")
    assert (both.transient_ms, both.duration_ms) == (4.0, 10.0)
    assert len(whole.spike_times_ms[0]) == 0


def test_population_brings_its_neuron_and_names(neuron: NeuronModel, members: np.ndarray) -> None:
    population = Population.from_g(neuron, members[:3], id="cell")
    out = simulate(population, **SHORT)
    assert out.neuron is neuron
    assert out.labels == [("cell", 0), ("cell", 1), ("cell", 2)]
    train = out.trains()[2]
    assert train.id == "cell/2"
    assert train.window_ms == (100.0, 600.0)
    assert np.array_equal(train.times_ms, out.spike_times_ms[2])
    frame = out.to_frame()
    assert list(frame.columns) == ["id", "member", "time_ms"]
    assert len(frame) == sum(len(t) for t in out.spike_times_ms)
    assert np.array_equal(frame.loc[frame["member"] == 1, "time_ms"], out.spike_times_ms[1])


def test_selection_keeps_what_belongs_together(neuron: NeuronModel, members: np.ndarray) -> None:
    g = members[:5].copy()
    g[3, 0] = -1.0
    out = simulate(g, neuron, **SHORT)
    some = out.select([3, 1])
    assert len(some) == 2
    assert some.failed.tolist() == [True, False]
    assert list(some.reasons) == [0]
    assert some.labels == [out.labels[3], out.labels[1]]
    assert np.array_equal(some.V_mV[1], out.V_mV[1])
    assert np.array_equal(some.spike_times_ms[1], out.spike_times_ms[1])
    assert len(out.to_frame()) == sum(len(t) for t in out.spike_times_ms)


def test_bad_members_fail_with_a_reason_and_others_go_on(neuron: NeuronModel, members: np.ndarray) -> None:
    g = members[:8].copy()
    g[1, 0] = -0.1
    g[2, 1] = np.nan
    g[4, -1] = 0.0
    g[5, 0] = np.inf
    g[6, :] = 1e308  # finite, but their sum is not
    out = simulate(g, neuron, **SHORT)
    assert out.failed.tolist() == [False, True, True, False, True, True, True, False]
    assert list(out.reasons) == [1, 2, 4, 5, 6]
    assert out.reasons[1] == "a conductance is negative or not finite, or there is no leak"
    assert out.reasons[6] == "the voltage ran away"
    assert all(len(out.spike_times_ms[row]) == 0 for row in out.reasons)
    assert not np.isfinite(out.V_mV[[1, 2, 4, 5]]).any()
    sound = np.flatnonzero(~out.failed)
    clean = simulate(members[sound], neuron, **SHORT)
    assert same(clean.spike_times_ms, [out.spike_times_ms[row] for row in sound])
    assert np.array_equal(clean.V_mV, out.V_mV[sound])


def test_all_members_may_fail(neuron: NeuronModel) -> None:
    out = simulate(np.full((3, neuron.n_channels), -1.0), neuron, **SHORT)
    assert out.failed.all()
    assert len(out.reasons) == 3


def test_a_spike_a_millisecond_is_no_neuron(neuron: NeuronModel) -> None:
    """Noise that is hardly filtered can cross the threshold more often than there is room for spikes."""
    g = np.zeros((2, neuron.n_channels))
    g[:, -1] = 100.0
    sigma = 130.0 * (neuron.spike_threshold_mV - neuron.E_mV[-1])
    out = simulate(
        g, neuron, duration_ms=400.0, transient_ms=0.0, noise_sigma=[sigma, 0.0], noise_cutoff_Hz=4000.0
    )
    assert out.failed.tolist() == [True, False]
    assert out.reasons == {0: "more than a spike a millisecond"}


def test_progress_reaches_its_end(neuron: NeuronModel, members: np.ndarray) -> None:
    seen: list[tuple[int, int]] = []
    simulate(
        members,
        neuron,
        duration_ms=600.46,
        transient_ms=0.0,
        record="spikes",
        progress=lambda done, total: seen.append((done, total)),
    )
    done = [d for d, _ in seen]
    assert {total for _, total in seen} == {round(70 * 600.46)}
    assert done == sorted(done)
    assert len(seen) >= 3
    assert seen[-1][0] == seen[-1][1]


def test_cancel_stops_between_chunks(neuron: NeuronModel, members: np.ndarray) -> None:
    calls = [0]
    lock = threading.Lock()

    def cancel() -> bool:
        with lock:
            calls[0] += 1
            return calls[0] > 2

    with pytest.raises(Cancelled, match="cancelled"):
        simulate(members, neuron, duration_ms=100_000.0, record="spikes", cancel=cancel)
    assert calls[0] < 30


def test_an_error_in_progress_is_not_swallowed(neuron: NeuronModel, members: np.ndarray) -> None:
    def progress(done: int, total: int) -> None:
        raise RuntimeError("the page has gone")

    with pytest.raises(RuntimeError, match="the page has gone"):
        simulate(members[:2], neuron, **SHORT, progress=progress)


BAD_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"accuracy": "perfect"}, "accuracy must be one of standard, exact, screening, not 'perfect'"),
    ({"record": "everything"}, "record must be 'spikes' or 'traces', not 'everything'"),
    ({"duration_ms": 0.0}, "must last longer than its transient"),
    ({"duration_ms": -5.0, "transient_ms": 0.0}, "must last longer than its transient"),
    ({"duration_ms": 100.0, "transient_ms": 100.0}, "must last longer than its transient"),
    ({"duration_ms": 100.0, "transient_ms": -1.0}, "must last longer than its transient"),
    ({"duration_ms": np.nan}, "must last longer"),
    ({"duration_ms": 2 * MAX_DURATION_MS}, "at most 3.6e.06 ms"),
    ({"sample_ms": 0.001}, "sample_ms must be at least the time step of STEP ms, not 0.001"),
    ({"sample_ms": np.nan}, "sample_ms must be at least"),
    ({"sample_ms": np.inf}, "sample_ms must be at least"),
    ({"duration_ms": MAX_DURATION_MS, "transient_ms": 0.0, "sample_ms": 0.02}, "record spikes only"),
    ({"noise_cutoff_Hz": 9000.0}, "noise cutoff must lie between"),
]


@pytest.mark.parametrize(("settings", "message"), BAD_SETTINGS)
def test_bad_settings_are_refused(neuron: NeuronModel, settings: dict[str, Any], message: str) -> None:
    g, _ = baseline_population(neuron, 2, 0)
    message = message.replace("STEP", f"{neuron.time_step_ms:g}")
    with pytest.raises(SimulationError, match=message) as caught:
        simulate(g, neuron, **settings)
    assert "\n" not in str(caught.value)


def test_arrays_need_a_neuron_and_the_right_shape(neuron: NeuronModel) -> None:
    with pytest.raises(SimulationError, match="Name the neuron"):
        simulate(np.ones((2, neuron.n_channels)))
    with pytest.raises(SimulationError, match=f"needs rows of {neuron.n_channels} conductances, not shape"):
        simulate(np.ones((2, neuron.n_channels - 1)), neuron)
    with pytest.raises(SimulationError, match="needs rows of"):
        simulate([], neuron)


def test_compiled_code_is_found_by_the_next_process() -> None:
    simulate([[0.01] * 8], "stg", duration_ms=1.0, transient_ms=0.0)
    assert not needs_compiling()
    code = (
        "from spike2pop_nb.simulation import needs_compiling, simulate\n"
        "from spike2pop_nb.simulation.kernel import run_block\n"
        "assert not needs_compiling()\n"
        "simulate([[0.01] * 8], 'stg', duration_ms=1.0, transient_ms=0.0)\n"
        "assert sum(run_block.stats.cache_hits.values()) == 1\n"
        "assert not run_block.stats.cache_misses\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("declared", "screening"), [(0.02, 0.05), (0.01, 0.025), (0.005, 0.0125), (0.025, 0.05), (0.1, 0.1)]
)
def test_the_step_of_screening_is_longer_and_the_clock_of_the_noise_ticks_with_it(
    declared: float, screening: float
) -> None:
    neuron = replace(get_neuron("stg"), time_step_ms=declared)
    assert time_step_ms(neuron, "screening") == pytest.approx(screening)
