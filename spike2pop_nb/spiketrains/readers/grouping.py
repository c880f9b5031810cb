"""Spikes of all units in one array, parted by unit without a sort of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "grouped"]

BLOCK: Final = 1 << 20
"""How many spikes are taken at a time."""


def grouped(
    values: NDArray[Any], labels: NDArray[Any], wanted: Sequence[int], n_labels: int
) -> list[NDArray[np.float64]]:
    """The values of each wanted label, in the order of the file.

    Parameters
    ----------
    values : ndarray, shape (n,)
        May lie on disk (a memory map); it is read block by block, twice.
    labels : ndarray of int, shape (n,)
        From 0 to `n_labels` − 1, likewise.
    wanted : sequence of int
        Labels to keep.
    n_labels : int
        How many there are.

    Returns
    -------
    list of ndarray of float
        One per entry of `wanted`: parts of one array that holds no more than what is wanted.
    """
    counts = np.zeros(n_labels + 1, dtype=np.int64)
    for start in range(0, labels.size, BLOCK):
        counts += np.bincount(labels[start : start + BLOCK].astype(np.int64), minlength=n_labels + 1)
    # What is not wanted goes by the number that follows the last wanted one, and is cut off.
    place = np.full(n_labels + 1, len(wanted), dtype=np.min_scalar_type(len(wanted)))
    place[list(wanted)] = np.arange(len(wanted))
    ends = np.cumsum(counts[list(wanted)]) if len(wanted) else np.zeros(0, dtype=np.int64)
    filled = np.concatenate([[0], ends])
    result = np.empty(int(filled[-1]), dtype=np.float64)
    for start in range(0, labels.size, BLOCK):
        places = place[labels[start : start + BLOCK].astype(np.int64)]
        order = np.argsort(places, kind="stable")  # of small integers: linear in time
        per_place = np.bincount(places, minlength=len(wanted) + 1)[: len(wanted)]
        n_kept = int(per_place.sum())
        firsts = np.cumsum(per_place) - per_place
        targets = np.repeat(filled[:-1] - firsts, per_place) + np.arange(n_kept)
        result[targets] = values[start : start + BLOCK][order[:n_kept]]
        filled[:-1] += per_place
    return np.split(result, ends[:-1]) if len(wanted) else []
