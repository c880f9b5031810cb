"""The van Rossum distance."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import SpikeTrain, van_rossum


def by_quadrature(one: np.ndarray, other: np.ndarray, tau: float) -> float:
    """The definition, on a fine grid: 2/τ ∫ (f − g)² dt, so that one spike against none gives 1."""
    step = 0.01
    t = np.arange(-5, 2000, step)

    def trace(times: np.ndarray) -> np.ndarray:
        lag = t[:, None] - times
        return np.where(lag >= 0, np.exp(-np.clip(lag, 0, None) / tau), 0).sum(1)

    return float(np.sqrt(2 / tau * np.sum((trace(one) - trace(other)) ** 2) * step))


def test_agrees_with_the_definition() -> None:
    rng = np.random.default_rng(0)
    reference = np.sort(rng.uniform(0, 500, 12))
    trains = [np.sort(rng.uniform(0, 500, n)) for n in (1, 5, 12)]
    found = van_rossum(reference, trains, 30.0)
    expected = [by_quadrature(reference, train, 30.0) for train in trains]
    np.testing.assert_allclose(found, expected, rtol=2e-3)


def test_empty_and_identical_trains() -> None:
    train = SpikeTrain("a", [10.0, 20, 300])
    found = van_rossum(train, [train, SpikeTrain("b", []), [10.0, 20, 300], []], 50.0)
    assert found[0] == found[2] == pytest.approx(0, abs=1e-6)
    assert found[1] == found[3] > 1
    np.testing.assert_allclose(van_rossum([], [[], [4.0]], 50.0), [0, 1])
    assert van_rossum([1.0], [], 5.0).shape == (0,)


def test_blocks_do_not_change_the_result() -> None:
    rng = np.random.default_rng(1)
    trains = [np.sort(rng.uniform(0, 1000, 20)) for _ in range(19)]
    together = van_rossum(trains[0], trains, 40.0)
    alone = [van_rossum(trains[0], [train], 40.0)[0] for train in trains]
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("tau", [0, -1, np.nan, np.inf])
def test_time_constant_must_be_positive(tau: float) -> None:
    with pytest.raises(SpikeTrainError, match="time constant"):
        van_rossum([1.0], [[2.0]], tau)
