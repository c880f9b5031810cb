"""Whether the DICs of a recording change while it lasts: their course over windows, and a test of it.

Windows of equal numbers of spikes are read one by one. If nothing changes, their answers are exchangeable:
any order is as likely as the one that was recorded. Von Neumann's ratio (mean squared step between neighbours
over the variance; Ann. Math. Stat. 1941, doi:10.1214/aoms/1177731677) is small where neighbours resemble each
other more than that, and its distribution under all orders is found by permuting them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_WINDOWS", "Drift", "drift_windows", "find_drift"]

Floats = NDArray[np.floating]

FEWEST_WINDOWS = 6
MOST_WINDOWS = 32
_WINDOW = 24
_SIGNIFICANCE = 0.01
_ORDERS = 2000
_SIZE = 1.0
_VISIBLE = 0.05


@dataclass(frozen=True, eq=False)
class Drift:
    """DICs over the time of one recording.

    Attributes
    ----------
    time_s : array (n,)
        Middle of each window, in the recording's own time.
    mean, std : arrays (n, 2)
        Posterior mean and standard deviation of (g_s, g_u) in each window.
    p_value : float
        How often windows in random order would follow each other as smoothly.
    change : array (2,)
        How far g_s and g_u went: range of their running median of three windows.
    drifts : bool
        Whether ``p_value`` is below 0.01, a change is at least the posterior's standard deviation, and it can
        be seen in the intervals too: their mean or their spread changes by 5 %. A neuron that was started or
        disturbed settles for seconds by far less, which tells the network much but is no drift.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> posterior = s2p.load_predictor("stg").predict([train])[0]
    >>> posterior.course is None  # too short for a course
    True
    """

    time_s: Floats
    mean: Floats
    std: Floats
    p_value: float
    change: Floats
    drifts: bool

    def describe(self) -> str:
        """Say in one sentence how the DICs drift; empty if they do not."""
        if not self.drifts:
            return ""
        first, last = self.mean[:3].mean(axis=0), self.mean[-3:].mean(axis=0)
        g_s, g_u = (
            f"by {change:.1f}, from {begin:.1f} in the first windows to {end:.1f} in the last"
            for change, begin, end in zip(self.change, first, last, strict=True)
        )
        return (
            f"The DICs drift over the recording (p {_p(self.p_value)}): g_s moves {g_s}, and g_u {g_u}. No "
            "single pair of values describes all of it. Give the start and stop (in s) of a steady stretch."
        )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def drift_windows(n_intervals: int, longest: int) -> list[slice]:
    """Windows to read for the course; none where the recording is too short to tell.

    Parameters
    ----------
    longest : int
        Most intervals that are read at once; of a longer window the middle is.
    """
    count = min(n_intervals // _WINDOW, MOST_WINDOWS)
    if count < FEWEST_WINDOWS:
        return []
    edges = np.linspace(0, n_intervals, count + 1).astype(np.int64)
    windows = []
    for first, stop in itertools.pairwise(edges):
        size = min(int(stop - first), longest)
        start = int(first) + (int(stop - first) - size) // 2
        windows.append(slice(start, start + size))
    return windows


def find_drift(time_s: Floats, mean: Floats, std: Floats, intervals: Floats) -> Drift:
    """Test a course for drift; the same input gives the same answer.

    Parameters
    ----------
    time_s, mean, std : arrays (n,), (n, 2), (n, 2)
        See `Drift`; at least `FEWEST_WINDOWS` of them.
    intervals : array (n, k)
        Location and spread of the log intervals in each window.
    """
    # In units of its own width, a DIC that does not move has little say.
    x = mean / np.maximum(np.median(std, axis=0), 1e-9)
    seen = _roughness(x[None])[0]
    rng = np.random.default_rng(0)
    orders = rng.permuted(np.tile(np.arange(len(x)), (_ORDERS, 1)), axis=1)
    p_value = (1 + int((_roughness(x[orders]) <= seen).sum())) / (1 + _ORDERS)
    change = _range(mean)
    large = bool(np.any(change >= _SIZE * np.median(std, axis=0)))
    visible = bool(np.any(_range(intervals) >= _VISIBLE))
    return Drift(time_s, mean, std, p_value, change, p_value < _SIGNIFICANCE and large and visible)


def _range(x: Floats) -> Floats:
    """Range (k,) of the running median of three over the windows of (n, k)."""
    spanned: Floats = np.ptp(np.median(np.stack([x[:-2], x[1:-1], x[2:]]), axis=0), axis=0)
    return spanned


def _roughness(x: Floats) -> Floats:
    """Sum of squared steps (m,) of m orders of a course, (m, n, 2), over both DICs."""
    total: Floats = (np.diff(x, axis=1) ** 2).sum(axis=(1, 2))
    return total
