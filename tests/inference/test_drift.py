"""A course that moves is called a drift; one that only scatters is not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spike2pop_nb.inference.drift import FEWEST_WINDOWS, drift_windows, find_drift


def _course(mean: np.ndarray, std: float = 1.0) -> object:
    return find_drift(np.arange(len(mean), dtype=float), mean, np.full(mean.shape, std), mean / 10)


def test_windows_cover_the_recording() -> None:
    assert drift_windows(100, 2048) == []
    windows = drift_windows(1000, 2048)
    assert len(windows) >= FEWEST_WINDOWS
    assert windows[0].start == 0
    assert windows[-1].stop == 1000
    long = drift_windows(10**6, 2048)
    assert len(long) == 32
    assert all(window.stop - window.start == 2048 for window in long)
    assert all(a.stop <= b.start for a, b in itertools.pairwise(long))


@pytest.mark.parametrize("n", [8, 20, 48])
def test_a_ramp_and_a_jump_are_found(n: int) -> None:
    rng = np.random.default_rng(0)
    scatter = 0.3 * rng.standard_normal((n, 2))
    ramp = np.stack([np.linspace(-4, 4, n), np.full(n, 5.0)], axis=1) + scatter
    jump = np.where(np.arange(n)[:, None] < n // 2, [-3.0, 5.0], [3.0, 8.0]) + scatter
    for mean in (ramp, jump):
        found = find_drift(np.arange(n) * 1.0, mean, np.ones((n, 2)), mean / 10)
        assert found.drifts
        assert "drift" in found.describe()


def test_steady_recordings_seldom_drift() -> None:
    rng = np.random.default_rng(1)
    calls = [_course(rng.standard_normal((20, 2))) for _ in range(200)]
    assert np.mean([c.p_value < 0.05 for c in calls]) < 0.11  # type: ignore[attr-defined]
    assert np.mean([c.drifts for c in calls]) < 0.03  # type: ignore[attr-defined]


def test_the_sentence_tells_how_far_the_dics_went_though_they_came_back() -> None:
    there = np.concatenate([np.linspace(-4, 2, 20), np.linspace(2, -4, 20)])
    found = _course(np.stack([there, np.full(40, 5.0)], axis=1))
    assert "g_s moves by 5.7, from -3.7 in the first windows to -3.7 in the last" in found.describe()  # type: ignore[attr-defined]
    assert "g_u by 0.0, from 5.0" in found.describe()  # type: ignore[attr-defined]


def test_a_tiny_drift_is_none() -> None:
    """What is far smaller than the answer's width is not worth a word, however smooth."""
    mean = np.stack([np.linspace(0, 0.2, 30), np.full(30, 5.0)], axis=1)
    found = find_drift(np.arange(30.0), mean, np.ones((30, 2)), mean)
    assert found.p_value < 0.01
    assert not found.drifts
    assert found.describe() == ""


def test_a_neuron_that_settles_does_not_drift() -> None:
    """The network reads parts in ten thousand of a noise-free train; nobody would call that a drift."""
    mean = np.stack([np.linspace(-4, 4, 30), np.full(30, 5.0)], axis=1)
    intervals = np.stack([3 + np.linspace(0, 3e-4, 30), np.full(30, 1e-4)], axis=1)
    assert not find_drift(np.arange(30.0), mean, np.ones((30, 2)), intervals).drifts


def test_the_same_course_gives_the_same_answer() -> None:
    mean = np.random.default_rng(2).standard_normal((12, 2))
    a, b = (find_drift(np.arange(12.0), mean, np.ones((12, 2)), mean) for _ in range(2))
    assert a.p_value == b.p_value
