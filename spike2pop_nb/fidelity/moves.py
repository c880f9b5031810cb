"""How members are moved: differential evolution towards the better ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["moves"]

FloatArray = npt.NDArray[np.float64]
_SCALE, _CROSSOVER, _BETTER = (0.6, 0.2), 0.9, 0.15  # of differential evolution


def moves(
    x: FloatArray,
    cost: FloatArray,
    groups: Sequence[npt.NDArray[np.int64]],
    low: FloatArray,
    most: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Return each member moved by differences of others, and towards a better one, (n, d).

    Parameters
    ----------
    x : (n, d)
        The members.
    cost : (n,)
        What they cost.
    groups
        Rows of those that move by themselves. Members with little noise and the others do: noise is a way to
        come near quickly, from which none leads back.
    low : (d,)
        Least of each value.
    most : (n, d)
        Most of each value, of each member.
    rng
        Where chance comes from.
    """
    n, (mean, spread) = len(x), _SCALE
    scale = np.clip(rng.normal(mean, spread, (n, 1)), 0.1, 1.0)
    better, one, other = np.zeros((3, n), dtype=np.int64)
    for rows in filter(len, groups):
        order = rows[np.argsort(cost[rows], kind="stable")]
        better[rows] = order[rng.integers(max(1, int(_BETTER * len(rows))), size=len(rows))]
        one[rows], other[rows] = rows[rng.integers(len(rows), size=(2, len(rows)))]
    moved = x + scale * (x[better] - x + x[one] - x[other])
    taken = rng.random(moved.shape) < _CROSSOVER
    taken[np.arange(n), rng.integers(moved.shape[1], size=n)] = True
    moved = np.where(taken, moved, x)
    moved = np.where(moved < low, 0.5 * (low + x), moved)
    return np.where(moved > most, 0.5 * (most + x), moved)
