"""Keeping refined members as different as generated ones: which are kept, and how they are moved apart.

Refinement narrows the conductances that the recording's activity depends on. Members that all fire like the
recording lie on one surface in the space of conductances; the differences between them run along it. To have
a conductance vary as it did before, members are moved apart along these differences, as little as it takes,
and each is brought back to the recording by the same feedback as before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

__all__ = ["choose_spread", "spread_ratio", "spread_step"]

FloatArray = npt.NDArray[np.float64]
_CANDIDATES, _MOST_EXCHANGED = 8, 50
_MOST_FACTOR = 1.35  # by which differences along one direction are stretched at once
_SHORT = 20.0  # price of spread that is not reached, against that of variance added


def spread_ratio(g: FloatArray, unrefined: FloatArray) -> FloatArray:
    """Return the standard deviation of each conductance over that of unrefined ones; NaN for one fixed there.

    Shape (n_channels,).
    """
    before = unrefined.std(axis=0, ddof=1)
    varied = before > 1e-9 * np.abs(unrefined).mean(axis=0)
    ratio = np.full(g.shape[1], np.nan)
    ratio[varied] = g.std(axis=0, ddof=1)[varied] / before[varied]
    return ratio


def choose_spread(g: FloatArray, n: int, unrefined: FloatArray, goal: float) -> npt.NDArray[np.int64]:
    """Return rows of n members, the first ones but for what it takes to spread them.

    As long as some conductance varies less than ``goal`` of what it does over unrefined members, one member
    kept is exchanged for one that is not, such that the least spread grows most.
    """
    kept = np.arange(min(n, len(g)))
    left = np.arange(len(kept), len(g))
    if len(kept) < 2:
        return kept
    for _ in range(_MOST_EXCHANGED):
        ratio = spread_ratio(g[kept], unrefined)
        if not len(left) or np.isnan(ratio).all() or (least := np.nanmin(ratio)) >= goal:
            break
        channel = int(np.nanargmin(ratio))
        distance = np.abs(g[:, channel] - g[kept, channel].mean())
        leaving = np.argsort(distance[kept], kind="stable")[:_CANDIDATES]
        coming = np.argsort(-distance[left], kind="stable")[:_CANDIDATES]
        best: tuple[float, int, int] = (float(least), -1, -1)
        for i in leaving:
            for j in coming:
                trial = kept.copy()
                trial[i] = left[j]
                found = float(np.nanmin(spread_ratio(g[trial], unrefined)))
                if found > best[0]:
                    best = (found, int(i), int(j))
        if best[1] < 0:
            break
        kept[best[1]], left[best[2]] = left[best[2]], kept[best[1]]
    return np.sort(kept)


def spread_step(theta: FloatArray, ratio: FloatArray, most: float = _MOST_FACTOR) -> FloatArray:
    """Return moves (n, n_channels) that take members apart along their own differences.

    Along each principal direction of the members, in units of the spread wanted, differences are stretched by
    a factor between 1 and ``most``, so that the variance added is least: a linear programme in the squares of
    these factors.

    Parameters
    ----------
    theta : (n, n_channels)
        ln ḡ.
    ratio : (n_channels,)
        Spread of each conductance over that wanted; NaN for those that need not vary.
    """
    by = np.zeros_like(theta)
    varied = np.isfinite(theta).all(axis=0) & (np.nan_to_num(ratio) > 1e-3)
    if not varied.any():
        return by
    d = theta[:, varied] - theta[:, varied].mean(axis=0)
    unit, p = d.std(axis=0, ddof=1) / ratio[varied], int(varied.sum())
    values, vectors = np.linalg.eigh(np.cov(d / unit, rowvar=False).reshape(p, p))
    adds = vectors**2 * np.maximum(values, 0.0)  # variance of each channel along each direction
    # unknown: squared factor − 1 of each direction, and the variance that each channel still lacks
    found = linprog(
        np.concatenate([adds.sum(axis=0), np.full(p, _SHORT)]),
        A_ub=-np.hstack([adds, np.eye(p)]),
        b_ub=adds.sum(axis=1) - 1.0,
        bounds=[(0.0, most**2 - 1.0)] * p + [(0.0, None)] * p,
    )
    if found.success:
        longer = vectors * (np.sqrt(1.0 + np.maximum(found.x[:p], 0.0)) - 1.0)
        by[:, varied] = (d / unit @ longer @ vectors.T) * unit
    return by
