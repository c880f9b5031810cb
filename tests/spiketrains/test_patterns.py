"""Firing-pattern class and burst features."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spike2pop_nb.data import example_path
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import (
    FiringPattern,
    SpikeTrain,
    classify,
    features,
    isi_statistics,
    read_spike_trains,
)

BURST_FEATURES = ("intra_burst_hz", "inter_burst_hz", "burst_duration_ms", "spikes_per_burst")


def bursts(n_bursts: int, n_spikes: int = 4, isi_ms: float = 10.0, period_ms: float = 150.0) -> np.ndarray:
    return (period_ms * np.arange(n_bursts)[:, None] + isi_ms * np.arange(n_spikes)).ravel()


def undefined(found: object) -> bool:
    return all(np.isnan(getattr(found, name)) for name in BURST_FEATURES)


@pytest.mark.parametrize(
    ("times", "pattern"),
    [
        ([], "silent"),
        ([1], "silent"),
        ([1, 2], "silent"),
        ([1, 2, 3], "spiking"),
        ([0, 85, 200], "bursting"),  # CV exactly 0.15
        ([0, 100, 200, 230], "bursting"),
    ],
)
def test_published_rule(times: list[float], pattern: str) -> None:
    if times == [0, 85, 200]:  # mean 100, standard deviation 15: the limit itself is regular
        pattern = "spiking" if np.std([85, 115]) / 100 <= 0.15 else pattern
    assert classify(times) == pattern
    assert features(times).pattern == pattern
    assert classify(SpikeTrain("a", times)) == pattern


def test_codes_follow_the_tables() -> None:
    assert [pattern.code for pattern in FiringPattern] == [0, 1, 2]
    assert [str(pattern) for pattern in FiringPattern] == ["silent", "spiking", "bursting"]


def test_burst_features_of_a_clear_burster() -> None:
    found = features(bursts(7))
    assert found.pattern is FiringPattern.BURSTING
    assert found.n_bursts == 5
    assert found.notes == ()
    assert found.intra_burst_hz == pytest.approx(100)
    assert found.inter_burst_hz == pytest.approx(1000 / 150)
    assert found.burst_duration_ms == pytest.approx(30)
    assert found.spikes_per_burst == 4


def test_first_and_last_burst_are_dropped() -> None:
    cut = bursts(6)[2:-3]  # the first burst has lost two spikes, the last three
    assert features(cut).spikes_per_burst == 4
    assert features(cut).inter_burst_hz == pytest.approx(1000 / 150)


def test_regular_and_silent_trains_have_no_burst_features() -> None:
    regular = features(np.arange(0, 1000, 50.0))
    assert (regular.rate_hz, regular.cv) == (20, 0)
    assert undefined(regular)
    assert regular.notes == ()
    silent = features(SpikeTrain("a", [5.0]))
    assert silent.rate_hz == 0
    assert np.isnan(silent.cv)
    assert undefined(silent)


def test_irregular_train_says_so() -> None:
    rng = np.random.default_rng(3)
    found = features(np.cumsum(rng.gamma(4, 20, 200)))
    assert found.pattern is FiringPattern.BURSTING
    assert undefined(found)
    assert "irregular" in found.notes[0]


@pytest.mark.parametrize("n_spikes", [100, 250, 1000])
def test_few_poisson_trains_pass_for_bursting(n_spikes: int) -> None:
    rng = np.random.default_rng(4)
    passed = [features(np.cumsum(rng.exponential(50, n_spikes))).n_bursts > 0 for _ in range(200)]
    assert np.mean(passed) < 0.12


@pytest.mark.parametrize("n_spikes", [30, 250, 1000])
def test_jittered_bursts_keep_their_features(n_spikes: int) -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        pauses = rng.normal(110, 8, n_spikes)
        isi = np.where(np.arange(n_spikes) % 5 == 4, pauses, rng.uniform(8, 15, n_spikes))
        assert features(np.cumsum(isi)).spikes_per_burst == pytest.approx(5, abs=0.2)


def test_one_burst_says_so() -> None:
    found = features(np.cumsum([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20.0]))
    assert found.pattern is FiringPattern.BURSTING
    assert undefined(found)
    assert found.notes


def test_two_bursts_are_both_used_with_a_note() -> None:
    found = features(bursts(2))
    assert found.n_bursts == 2
    assert found.spikes_per_burst == 4
    assert found.inter_burst_hz == pytest.approx(1000 / 150)
    assert "two bursts only" in found.notes[0]


def test_a_single_pause_is_no_burst() -> None:
    found = features([0, 10, 100.0])
    assert undefined(found)
    assert "too few" in found.notes[0]


def test_few_whole_bursts_are_noted() -> None:
    assert "Only 1 whole burst is left" in features(bursts(3)).notes[0]
    assert "Only 2 whole bursts are left" in features(bursts(4)).notes[0]
    assert features(bursts(5)).notes == ()


def test_single_spike_bursts_are_noted() -> None:
    isi = np.tile([10, 10, 100, 100.0], 6)  # triplets, each followed by a lone spike
    found = features(np.cumsum(isi))
    assert "hold a single spike" in found.notes[-1]
    assert found.intra_burst_hz == pytest.approx(100)
    assert 1 < found.spikes_per_burst < 3


def test_only_single_spike_bursts_left() -> None:
    found = features(np.cumsum([0, 10, 100, 100, 100, 10.0]))
    assert found.spikes_per_burst == 1
    assert found.burst_duration_ms == 0
    assert np.isnan(found.intra_burst_hz)


def test_example_recordings() -> None:
    found = [features(train) for train in read_spike_trains(example_path("stg_set.csv"))]
    assert [str(f.pattern) for f in found] == ["spiking", "bursting", "bursting", "bursting", "bursting"]
    assert [f.spikes_per_burst for f in found[1:]] == [2, 3, 5, 2]
    assert found[0].rate_hz == pytest.approx(10.787, abs=1e-3)


def test_two_cycles_are_few_and_that_is_said() -> None:
    times = read_spike_trains(example_path("hard_set.csv")).by_id("follower").times_ms
    for cycles in (2, 3):
        found = features(times[times < 480 * cycles])
        assert found.spikes_per_burst == 7
        assert found.notes


INTERVALS = st.lists(st.integers(1, 5000), min_size=0, max_size=60)


@given(INTERVALS, st.integers(-(10**6), 10**6))
def test_features_do_not_depend_on_the_origin(isi: list[int], shift: int) -> None:
    times = np.cumsum([0, *isi]).astype(float)
    one, other = features(times), features(times + shift)
    assert one.pattern == other.pattern
    assert one.notes == other.notes
    for name in ("rate_hz", "cv", *BURST_FEATURES):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12)


@given(INTERVALS, st.sampled_from([0.25, 2.0, 8.0]))
def test_features_scale_with_time(isi: list[int], factor: float) -> None:
    times = np.cumsum([0, *isi]).astype(float)
    one, other = features(times), features(times * factor)
    assert one.pattern == other.pattern
    np.testing.assert_allclose(other.rate_hz * factor, one.rate_hz)
    np.testing.assert_allclose(other.burst_duration_ms, one.burst_duration_ms * factor)
    np.testing.assert_allclose(other.spikes_per_burst, one.spikes_per_burst)


@given(INTERVALS)
def test_features_are_in_range(isi: list[int]) -> None:
    times = np.cumsum([0, *isi]).astype(float)
    found = features(times)
    assert found.rate_hz >= 0
    if found.n_bursts:
        assert 1 <= found.spikes_per_burst <= times.size
        assert 0 <= found.burst_duration_ms <= times[-1]
        assert found.inter_burst_hz > 0
    else:
        assert undefined(found)
    if not np.isnan(found.intra_burst_hz):
        assert found.intra_burst_hz > found.inter_burst_hz


def test_features_are_fast() -> None:
    times = np.cumsum(np.tile([10, 11, 12, 10, 150.0], 50))
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(200):
            features(times)
        best = min(best, (time.perf_counter() - start) / 200)
    assert best < 400e-6  # about 50 µs on an idle core


def test_isi_statistics() -> None:
    rng = np.random.default_rng(1)
    poisson = isi_statistics(np.cumsum(rng.exponential(20, 20_000)))
    for value in (poisson.cv, poisson.cv2, poisson.lv):
        assert value == pytest.approx(1, abs=0.05)
    regular = isi_statistics(SpikeTrain("a", np.arange(10.0)))
    assert (regular.cv, regular.cv2, regular.lv) == (0, 0, 0)
    assert np.isnan(isi_statistics([1.0, 2.0]).lv)


def test_two_dimensional_times_are_refused() -> None:
    with pytest.raises(SpikeTrainError, match="shape"):
        features(np.zeros((2, 3)))


def test_elephant_is_not_imported_for_reading() -> None:
    code = "import sys, spike2pop_nb.spiketrains; print('elephant' in sys.modules, 'neo' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]
