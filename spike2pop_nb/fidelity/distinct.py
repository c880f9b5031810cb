"""How far apart members are, and which of them count as different.

The distance of two members is the largest difference of ln ḡ over the channels: 0.01 where no conductance
differs by more than 1 %. Members are different from `LEAST_DISTANCE` on. The nearest two of 16 members made
independently of each other are 0.05 apart or more, of 256 they are 0.04 apart (STG) or 0.013 (DA): so hardly
any is lost, and what is nearer was made of another.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

__all__ = ["LEAST_DISTANCE", "distinct", "least_distance", "near_pairs"]

FloatArray = npt.NDArray[np.float64]

LEAST_DISTANCE = 0.01
"""Largest difference of ln ḡ over the channels below which two members count as one."""

_ABSENT = -1e6  # instead of ln 0: as far from every other as is needed, and no distance from itself


def near_pairs(g: FloatArray, least: float = LEAST_DISTANCE) -> npt.NDArray[np.int64]:
    """Return the pairs (m, 2) of members (n, n_channels) nearer than ``least``; the earlier comes first."""
    pairs = cKDTree(_places(g)).query_pairs(np.nextafter(least, 0.0), p=np.inf, output_type="ndarray")
    return np.asarray(np.sort(pairs, axis=1), dtype=np.int64)


def distinct(g: FloatArray, least: float = LEAST_DISTANCE) -> npt.NDArray[np.bool_]:
    """Return which members (n, n_channels) are different from all that come before and are different too."""
    kept = np.ones(len(g), dtype=bool)
    pairs = near_pairs(g, least) if len(g) > 1 else np.zeros((0, 2), dtype=np.int64)
    for earlier, later in pairs[np.lexsort(pairs.T[::-1])]:
        if kept[earlier]:
            kept[later] = False
    return kept


def least_distance(g: FloatArray) -> float:
    """Return the distance of the nearest two members (n, n_channels); NaN for fewer than two.

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.fidelity import least_distance
    >>> round(least_distance(np.array([[1.0, 2.0], [1.1, 2.0], [3.0, 2.0]])), 3)
    0.095
    """
    if len(g) < 2:
        return float("nan")
    places = _places(g)
    return float(cKDTree(places).query(places, k=2, p=np.inf)[0][:, 1].min())


def _places(g: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(g), _ABSENT)
