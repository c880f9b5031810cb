"""What is measured of a train: of its typical interval, or of its typical burst cycle."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.fidelity import measures


def regular_bursts(n: int = 9, spikes: int = 5) -> np.ndarray:
    isi = np.tile([*[20.0] * (spikes - 1), 600.0], n)
    return np.r_[0.0, np.cumsum(isi)]


def named(times_ms: np.ndarray, bursting: bool) -> dict[str, float]:
    found = measures.measure(measures.cut(times_ms, bursting), bursting)
    return dict(zip(measures.names(bursting), found, strict=False))


def test_bursts_are_measured() -> None:
    found = named(regular_bursts(), True)
    assert np.exp(found["burst period"]) == pytest.approx(680)
    assert np.exp(found["burst duration"]) == pytest.approx(80)
    assert np.exp(found["spikes per burst"]) == pytest.approx(5)
    assert np.exp(found["interval within bursts"]) == pytest.approx(20)
    assert found["robust CV of burst periods"] == found["robust CV of spikes per burst"] == 0


def test_a_missing_burst_and_a_stray_spike_leave_the_typical_cycle_alone() -> None:
    times = regular_bursts()
    missing = np.delete(times, np.arange(15, 20))
    stray = np.sort(np.append(times, times[20] - 300.0))
    for odd in (missing, stray):
        found = named(odd, True)
        assert np.exp(found["burst period"]) == pytest.approx(680, rel=0.02)
        assert np.exp(found["burst duration"]) == pytest.approx(80, rel=0.1)
        assert found["robust CV of burst periods"] < 0.05


def test_a_missed_spike_leaves_the_robust_cv_alone_and_normal_intervals_give_the_plain_one() -> None:
    rng = np.random.default_rng(1)
    isi = rng.normal(100, 10, 4000)
    found = named(np.cumsum(isi), False)
    assert np.exp(found["rate"]) == pytest.approx(10, rel=0.01)
    assert found["robust CV"] == pytest.approx(0.1, rel=0.05)
    assert found["robust CV2"] == pytest.approx(0.2 / np.sqrt(np.pi), rel=0.05)
    short = isi[:60]
    missed = np.delete(np.cumsum(short), 30)
    assert np.diff(missed).std() / np.diff(missed).mean() > 1.3 * short.std() / short.mean()
    assert named(missed, False)["robust CV"] == pytest.approx(
        named(np.cumsum(short), False)["robust CV"], rel=0.1
    )


def test_many_windows_are_measured_as_each_by_itself() -> None:
    rng = np.random.default_rng(2)
    for bursting, times in ((False, np.cumsum(rng.gamma(4, 25, 60))), (True, regular_bursts(12) ** 1.02)):
        parts = measures.cut(times, bursting)
        chosen = rng.integers(len(parts), size=(5, 7))
        together = measures.measure_columns(measures.columns(parts, bursting)[..., chosen], bursting)
        for row, found in zip(chosen, together, strict=True):
            assert found == pytest.approx(measures.measure([parts[i] for i in row], bursting))


def test_trains_too_short_have_no_parts() -> None:
    assert measures.cut(np.array([1.0]), False) == measures.cut(np.array([1.0]), True) == []
