"""Firing pattern from local measures: how often it is right, and what it says."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pattern_bench import bench, gamma, regular

from spike2pop_nb.data import example_path
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import (
    ActivityPattern,
    SpikeTrain,
    classify,
    describe_pattern,
    isi_statistics,
    read_spike_trains,
)

REGULAR, BURSTING = ActivityPattern.REGULAR, ActivityPattern.BURSTING


def times_of(isi: list[float] | np.ndarray) -> np.ndarray:
    return np.cumsum(np.concatenate([[0.0], isi]))


def test_names_trains_of_twenty_spikes_rightly() -> None:
    found = [(name, report.kind is case.truth) for name, case, _, report in bench(25, seed=11)]
    assert np.mean([right for _, right in found]) >= 0.95
    for kind in {name for name, _ in found}:
        assert np.mean([right for name, right in found if name == kind]) >= 0.75, kind


def test_confidence_is_the_share_of_right_answers() -> None:
    found = [
        (report.confidence, report.kind is case.truth)
        for fewest, most in ((5, 9), (10, 19), (20, 200))
        for _, case, _, report in bench(12, fewest, most, seed=12)
    ]
    confidence, right = (np.array(column) for column in zip(*found, strict=True))
    for low, high in ((0.6, 0.8), (0.8, 0.9), (0.9, 1.01)):
        band = (confidence >= low) & (confidence < high)
        assert right[band].mean() == pytest.approx(confidence[band].mean(), abs=0.1)
    assert right[confidence >= 0.8].mean() >= 0.95


@pytest.mark.parametrize("n_spikes", [20, 100, 1000])
def test_poisson_is_irregular_and_never_confidently_bursting(n_spikes: int) -> None:
    rng = np.random.default_rng(4)
    reports = [describe_pattern(times_of(rng.exponential(50, n_spikes))) for _ in range(200)]
    assert np.mean([report.kind is ActivityPattern.IRREGULAR for report in reports]) >= 0.97
    assert not any(report.kind is BURSTING and not report.uncertain for report in reports)


def test_example_recordings_of_simulated_neurons() -> None:
    stg = [describe_pattern(train) for train in read_spike_trains(example_path("stg_set.csv"))]
    assert [report.kind for report in stg] == [REGULAR, *[BURSTING] * 4]
    for train in read_spike_trains(example_path("da_set.csv")):
        published = classify(train)
        assert (describe_pattern(train).kind is BURSTING) == (published == "bursting")


def test_two_cycles_of_a_slow_rhythm_are_bursts_and_few() -> None:
    times = read_spike_trains(example_path("hard_set.csv")).by_id("follower").times_ms
    for cycles in (2, 3):
        report = describe_pattern(times[times < 480 * cycles])
        assert report.kind is BURSTING
        assert f"{cycles} bursts only" in report.notes[0]


def test_noise_makes_a_tonic_train_irregular_by_degrees() -> None:
    rng = np.random.default_rng(5)
    for cv, kind in ((0.2, REGULAR), (0.5, ActivityPattern.IRREGULAR)):
        times = times_of(gamma(rng, 200, cv))
        assert classify(times) == "bursting"
        report = describe_pattern(times)
        assert report.kind is kind
        assert "it is not bursting" in report.reasons[1]
        assert describe_pattern(times, regular_local_cv=1.0).kind is REGULAR


def test_reasons_name_what_speaks_against_bursts() -> None:
    rng, even = np.random.default_rng(3), np.full(60, 50.0)
    missing = times_of(gamma(rng, 200, 0.05))[rng.random(201) > 0.08]
    assert "spikes were missed" in describe_pattern(missing).reasons[1]
    swing = 50 * 3 ** np.tanh(2 * np.sin(np.arange(400) / 10))
    assert "changes smoothly" in describe_pattern(times_of(swing)).reasons[1]
    gap = even.copy()
    gap[20] = 300
    assert "9 % of the time" in describe_pattern(times_of(gap)).reasons[1]


def test_notes_tell_of_drift_and_of_bursts_of_one_spike() -> None:
    drift = describe_pattern(times_of(100 * 2 ** np.linspace(1, -1, 80)))
    assert drift.kind is REGULAR
    assert drift.notes == ("The rate rises by a factor of 4.0 from start to end.",)
    single = describe_pattern(times_of(np.tile([10, 10, 100, 100.0], 8)))
    assert single.kind is BURSTING
    assert any("hold a single spike" in note for note in single.notes)


def test_one_burst_is_told_by_the_silence_around_it() -> None:
    times = times_of([10, 11, 12, 14, 17.0]) + 1000
    assert describe_pattern(SpikeTrain("a", times)).kind is not BURSTING
    found = describe_pattern(SpikeTrain("a", times, window_ms=(0, 3000)))
    assert found.kind is BURSTING
    assert found.uncertain
    assert "one burst" in found.reasons[0]


@pytest.mark.parametrize(("n_spikes", "uncertain"), [(0, False), (1, True), (2, True)])
def test_silent(n_spikes: int, uncertain: bool) -> None:
    report = describe_pattern(np.arange(n_spikes, dtype=float))
    assert report.kind is ActivityPattern.SILENT
    assert report.uncertain is uncertain


def test_five_spikes_are_uncertain() -> None:
    rng = np.random.default_rng(6)
    for _ in range(50):
        report = describe_pattern(times_of(regular(rng, 4)))
        assert report.uncertain
        assert "few" in report.notes[-1]


def test_measures_are_those_of_the_library() -> None:
    rng = np.random.default_rng(7)
    times = times_of(rng.gamma(2, 20, 300))
    found, library = describe_pattern(times).measures, isi_statistics(times)
    for name in ("cv", "cv2", "lv"):
        assert getattr(found, name) == pytest.approx(getattr(library, name), rel=1e-10)


INTERVALS = st.lists(st.integers(1, 5000), min_size=0, max_size=60)


@given(INTERVALS, st.sampled_from([0.25, 2.0, 8.0]), st.integers(-(10**6), 10**6))
def test_pattern_depends_on_neither_origin_nor_unit(isi: list[int], factor: float, shift: int) -> None:
    times = times_of(np.array(isi, dtype=float))
    one, other = describe_pattern(times), describe_pattern(factor * (times + shift))
    assert 0 <= one.confidence <= 1
    assert one.reasons
    assert other.confidence == pytest.approx(one.confidence, abs=1e-6)
    if one.confidence > 0.55:  # at 1/2 rounding decides
        assert other.kind is one.kind


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=40))
def test_any_intervals_get_finite_measures(isi: list[float]) -> None:
    found = describe_pattern(times_of(np.array(isi)))
    assert np.isfinite(found.confidence)
    assert np.isfinite(found.measures.local_cv)
    assert np.isfinite(found.measures.evidence_nats)


@pytest.mark.parametrize("times", [[[1.0, 2.0]], [2.0, 1.0], [1.0, 1.0], [0.0, np.nan], ["a"]])
def test_bad_times_are_refused(times: list[object]) -> None:
    with pytest.raises(SpikeTrainError, match="train"):
        describe_pattern(times)


def test_bad_limit_is_refused() -> None:
    with pytest.raises(SpikeTrainError, match="is -1; it must be a positive number"):
        describe_pattern([1.0, 2.0], regular_local_cv=-1)


def test_two_hundred_spikes_take_under_a_millisecond() -> None:
    rng = np.random.default_rng(8)
    train = SpikeTrain("a", times_of(rng.gamma(4, 20, 200)))
    best = np.inf
    for _ in range(10):
        start = time.process_time()
        for _ in range(50):
            describe_pattern(train)
        best = min(best, (time.process_time() - start) / 50)
    assert best < 1e-3  # about 0.25 ms on a core that other work shares


def test_two_million_spikes() -> None:
    rng = np.random.default_rng(9)
    isi = np.where(np.arange(2_000_000) % 6 == 5, rng.gamma(10, 12, 2_000_000), rng.gamma(10, 1, 2_000_000))
    report = describe_pattern(times_of(isi))
    assert report.kind is BURSTING
    assert report.measures.n_bursts == pytest.approx(2_000_000 / 6, rel=0.01)
