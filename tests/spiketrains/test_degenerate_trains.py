"""Trains with next to nothing in them are described with finite numbers or NaN, and without a warning."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spike2pop_nb.spiketrains import (
    Recordings,
    SpikeTrain,
    describe_pattern,
    features,
    isi_statistics,
    van_rossum,
)
from spike2pop_nb.spiketrains.intervals import measure_intervals

intervals = st.floats(1e-3, 1e6)
few = st.lists(intervals, max_size=3)
equal = st.tuples(intervals, st.integers(1, 40)).map(lambda of: [of[0]] * of[1])
nearly_equal = st.tuples(intervals, st.lists(st.floats(-1e-12, 1e-12), min_size=1, max_size=40)).map(
    lambda of: [of[0] * (1 + by) for by in of[1]]
)
in_bursts = st.tuples(
    st.floats(1, 20), st.floats(30, 5000), st.lists(st.integers(1, 5), min_size=1, max_size=8)
).map(lambda of: [isi for n in of[2] for isi in [*[of[0]] * (n - 1), of[1]]])
one_burst = st.tuples(st.floats(1, 20), st.integers(1, 30)).map(lambda of: [of[0]] * of[1] + [of[0] * 50])
lone_spikes = [0.15, 0.15, 2.0, 2.0, 0.15, 0.15]
trains = st.one_of(few, equal, nearly_equal, in_bursts, one_burst, st.lists(intervals, max_size=60))


@contextmanager
def without_warnings() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(divide="raise", over="raise", invalid="raise"):
        warnings.simplefilter("error")
        yield


def times_of(isi: list[float]) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(isi)]) + 1.0


def finite_or_nan(found: object) -> None:
    for one in fields(found):  # type: ignore[arg-type]
        value = getattr(found, one.name)
        if isinstance(value, float):
            assert math.isfinite(value) or math.isnan(value), one.name


@given(trains)
@example(lone_spikes)
@example([100.0] * 14 + [2000.0, 2000.0] + [100.0] * 14)
@settings(max_examples=300, deadline=None)
def test_a_train_is_described_in_finite_numbers(isi: list[float]) -> None:
    times = times_of(isi)
    if (np.diff(times) <= 0).any():
        return
    with without_warnings():
        finite_or_nan(features(times))
        finite_or_nan(measure_intervals(np.diff(times)))
        report = describe_pattern(SpikeTrain("cell", times, window_ms=(0.0, times[-1] + 1.0)))
        assert 0 <= report.confidence <= 1
        assert str(report)
        table = Recordings([SpikeTrain("cell", times)]).to_frame()
    numbers = table.select_dtypes("number").to_numpy(float)
    assert not np.isinf(numbers).any()


@given(trains)
@settings(max_examples=60, deadline=None)
def test_local_variability_and_distances_are_finite_too(isi: list[float]) -> None:
    times = times_of(isi)
    if (np.diff(times) <= 0).any():
        return
    import elephant.spike_train_dissimilarity  # noqa: F401  its import may warn of others

    with without_warnings():
        finite_or_nan(isi_statistics(times))
        tau_ms = float(np.diff(times).max(initial=1.0))
        distances = van_rossum(times, [times, times[:1], times[:0]], tau_ms)
    assert np.isfinite(distances).all()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_no_spike_and_one_and_two_are_silent(n: int) -> None:
    with without_warnings():
        times = 10.0 * np.arange(n)
        assert features(times).pattern == "silent"
        assert describe_pattern(times).kind == "silent"
        assert Recordings([SpikeTrain("cell", times)]).to_frame()["pattern"].tolist() == ["silent"]


def test_bursts_of_one_spike_have_no_rate_within_them() -> None:
    found = features(times_of([100.0] * 14 + [2000.0, 2000.0] + [100.0] * 14))
    assert found.n_bursts == 1
    assert found.spikes_per_burst == 1
    assert found.burst_duration_ms == 0
    assert math.isnan(found.intra_burst_hz)
    assert any("single spike" in note for note in found.notes)
