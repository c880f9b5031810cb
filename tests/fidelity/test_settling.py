"""Members are judged on what they settle to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_search import Around, recording_of

from spike2pop_nb.fidelity import REFINED_RULE, find_population, judging, verify
from spike2pop_nb.fidelity.settling import LONGER_MS, still_changes
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain

START, STOP = 3000.0, 6000.0


def changes(isi: np.ndarray, first: float = START + 5.0) -> bool:
    times = first + np.concatenate([[0.0], np.cumsum(isi)])
    return still_changes(times[times < STOP], START, STOP, REFINED_RULE)


@given(period=st.floats(10, 400), burst=st.integers(1, 8), noise=st.floats(0, 0.3), seed=st.integers(0, 1000))
# The same examples each time: 1 in 225 random ones is a false alarm, as `still_changes` says.
@settings(max_examples=200, deadline=None, derandomize=True)
def test_steady_firing_does_not_change_whatever_its_pattern_and_noise(
    period: float, burst: int, noise: float, seed: int
) -> None:
    isi = np.tile([*([6.0] * (burst - 1)), period], 600)
    isi *= np.exp(noise * np.random.default_rng(seed).standard_normal(isi.size))
    assert not changes(isi)


@pytest.mark.parametrize("spikes", [1, 4])
def test_a_drift_within_the_window_is_seen(spikes: int) -> None:
    settling = 1.0 - 0.2 * np.exp(-np.arange(60) / 15.0)
    isi = np.concatenate([[5.0] * (spikes - 1) + [80.0 * by] for by in settling])
    assert changes(isi)
    assert not changes(np.concatenate([[5.0] * (spikes - 1) + [80.0] for _ in settling]))


def test_a_member_that_stops_or_begins_late_changes() -> None:
    assert changes(np.full(10, 60.0))
    assert changes(np.full(100, 60.0), first=START + 900.0)
    assert not changes(np.full(100, 60.0))
    assert not still_changes(np.zeros(0), START, STOP, REFINED_RULE)
    assert not still_changes(np.array([4000.0]), START, STOP, REFINED_RULE)


def settles_at(ms: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every other member stop in the middle of what is recorded, unless its transient is as long."""

    def late(g: np.ndarray, *neuron, **options):  # type: ignore[no-untyped-def]
        found = simulate(g, *neuron, **options)
        middle = 0.5 * (found.transient_ms + found.duration_ms)
        for row, times in enumerate(found.spike_times_ms):
            if found.transient_ms < ms and g[row, 0] * 1e6 % 2 < 1:
                found.spike_times_ms[row] = times[times < middle]
        return found

    monkeypatch.setattr(judging, "simulate", late)


def test_members_that_settle_late_are_judged_after_a_longer_transient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = recording_of("stg", (5.0, 6.0))
    plain = find_population(train, "stg", Around((5.0, 6.0)), size=12, seed=1, refine=False)
    assert plain.n_late == 0
    assert plain.simulated.transient_ms == 3000.0
    settles_at(10_000.0, monkeypatch)
    result = find_population(train, "stg", Around((5.0, 6.0)), size=24, seed=1, budget=80, refine=False)
    assert result.n_late > 0
    assert result.simulated.transient_ms == 3000.0 + LONGER_MS[0]
    assert f"{result.n_late} of them settle only after a longer transient" in result.outcome
    assert result.population is not None
    assert result.population.made_by["kept_late"] == result.n_late
    assert result.n_simulated > result.n_tried
    assert result.n_simulated <= 80
    monkeypatch.undo()
    again = simulate(
        result.population,
        record="spikes",
        duration_ms=result.simulated.duration_ms,
        transient_ms=result.simulated.transient_ms,
    )
    assert (verify(train, again, result.verdict.rule).passed == result.verdict.passed).all()


def test_settled_members_are_kept_before_late_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    settles_at(10_000.0, monkeypatch)
    train = recording_of("stg", (5.0, 6.0))
    result = find_population(train, "stg", Around((5.0, 6.0)), size=6, seed=1, refine=False)
    assert result.n_kept_passed == 6
    assert result.n_late == 0
    assert result.simulated.transient_ms == 3000.0


def test_members_that_never_settle_do_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    settles_at(np.inf, monkeypatch)
    train = recording_of("stg", (5.0, 6.0))
    result = find_population(train, "stg", Around((5.0, 6.0)), size=8, seed=1, refine=False)
    assert result.reasons["unsettled firing"] > 0
    assert result.verdict is not None
    for times in np.array(result.simulated.spike_times_ms, dtype=object)[result.verdict.passed]:
        assert not still_changes(times, 3000.0, result.simulated.duration_ms, REFINED_RULE)


class OnlyThese(judging.Judging):
    def kept(self) -> np.ndarray:
        return np.arange(len(self.g))


def test_a_member_that_falls_silent_after_the_window_does_not_pass() -> None:
    # an STG neuron that fires for 14 s, slower and slower, and then no more
    g = np.array([[7640.92, 151.968, 4.12749, 13.4649, 160.910, 947.039, 0.182621, 0.0120370]])
    seen = simulate(g, "stg", record="spikes")
    train = SpikeTrain("cell", seen.spike_times_ms[0])
    assert verify(train, seen, REFINED_RULE).passed.all()
    search = OnlyThese(train, get_neuron("stg"), 1, "standard", REFINED_RULE, None, None)
    search.g, search.spikes, search.budget = g, seen.spike_times_ms, 10
    search.judge()
    assert search.n_passed == 0
    assert search.n_simulated == 2
    assert dict(search.reasons) == {"silent instead of spiking": 1}
    search = OnlyThese(train, get_neuron("stg"), 1, "standard", REFINED_RULE, None, None)
    search.g, search.spikes = g, seen.spike_times_ms
    search.judge()
    assert dict(search.reasons) == {"unsettled firing": 1}, "no simulation left to wait with"
