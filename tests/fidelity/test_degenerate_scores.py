"""Recordings with next to nothing in them are scored, and searched for, like others."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_scores import simulated
from test_search import Around

from spike2pop_nb.fidelity import REFINED_RULE, PassRule, Summaries, find_population, verify
from spike2pop_nb.spiketrains import SpikeTrain, features

intervals = st.floats(1.0, 900.0)
burst_of = st.tuples(
    st.floats(1, 20), st.floats(60, 300), st.lists(st.integers(1, 4), min_size=2, max_size=8)
)
trains = st.one_of(
    st.lists(intervals, max_size=3),
    st.tuples(intervals, st.integers(1, 40)).map(lambda of: [of[0]] * of[1]),
    burst_of.map(lambda of: [isi for n in of[2] for isi in [*[of[0]] * (n - 1), of[1]]]),
    st.lists(intervals, max_size=12),
).map(lambda isi: np.concatenate([[0.0], np.cumsum(isi)]))
LONE = np.concatenate([100.0 * np.arange(15), [3400.0], 5400.0 + 100.0 * np.arange(15)])


@given(trains, trains)
@example(LONE, 0.5 * LONE)
@example(LONE, np.arange(30) * 100.0)
@settings(max_examples=150, deadline=None)
def test_any_train_is_scored_against_any_other(recorded: np.ndarray, fired: np.ndarray) -> None:
    if len(recorded) < 3:
        return
    train = SpikeTrain("cell", recorded)
    with warnings.catch_warnings(), np.errstate(divide="raise", over="raise", invalid="raise"):
        warnings.simplefilter("error")
        table = verify(
            train, simulated(fired, recorded, np.zeros(0)), PassRule(), with_van_rossum=False
        ).table
        summaries = Summaries.of(train, REFINED_RULE)
        y = summaries.measure([recorded, fired])
        misfit = summaries.misfit(y)
    assert table["score"].between(0, 1).all()
    assert not np.isinf(table.filter(like="error").to_numpy(float)).any()
    assert table["score"][1] > 1 - 1e-6, "the recording is like itself"
    assert table["passed"][1]
    assert not table["passed"][2]
    assert np.isfinite(summaries.wanted).all()
    assert misfit[0] < 1e-6


def test_van_rossum_distances_of_lone_spikes_are_numbers() -> None:
    for times in (LONE, LONE[:3], LONE[13:16]):
        table = verify(SpikeTrain("cell", times), simulated(times, times[:1], times[:0])).table
        assert np.isfinite(table["van_rossum"]).all()


def test_a_recording_of_lone_spikes_gets_an_answer() -> None:
    train = SpikeTrain("lone", LONE)
    assert np.isnan(features(train).intra_burst_hz)
    for refine in (True, False):
        result = find_population(train, "da", Around((-3.0, 5.0)), size=4, budget=40, seed=1, refine=refine)
        assert result.usable
        assert not result.failure
        assert result.verdict is not None
        assert np.isnan(result.verdict.table["intra_burst_error"]).all()
