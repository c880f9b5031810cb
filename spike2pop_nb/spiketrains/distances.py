"""Distances between spike trains, from a library."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from spike2pop_nb.errors import SpikeTrainError

from .train import FloatArray, SpikeTrain

__all__ = ["van_rossum"]

# The library fills the matrix of all pairs: in blocks the work stays linear in the number of trains, and
# eight at a time share its fixed cost.
_BLOCK = 8


def van_rossum(
    reference_times_ms: SpikeTrain | ArrayLike, trains: Sequence[SpikeTrain | ArrayLike], tau_ms: float
) -> FloatArray:
    """Van Rossum distance from a reference train to each of several trains.

    Parameters
    ----------
    reference_times_ms : SpikeTrain or array_like of float, shape (m,)
        The reference train, or its sorted spike times in ms.
    trains : sequence of SpikeTrain or array_like
        The trains to compare, or their sorted spike times in ms. Times are taken as they are: shift them
        first where, say, first spikes should coincide.
    tau_ms : float
        Time constant of the exponential kernel in ms, positive.

    Returns
    -------
    ndarray of float64, shape (len(trains),)
        Distances in the normalisation of Elephant: 1 between an empty train and a train of one spike
        (√2 times that of van Rossum 2001, doi:10.1162/089976601300014321).

    Raises
    ------
    SpikeTrainError
        When `tau_ms` is not a positive number.

    Examples
    --------
    >>> from spike2pop_nb.spiketrains import van_rossum
    >>> van_rossum([10, 20, 30], [[10, 20, 30], [12, 22, 32]], tau_ms=10.0).round(2)
    array([0.  , 1.01])
    """
    if not (np.isfinite(tau_ms) and tau_ms > 0):
        raise SpikeTrainError(f"The van Rossum time constant is {tau_ms} ms; it must be a positive number.")
    # Imported here: over a second, and only needed to compare trains.
    import quantities as pq
    from elephant.spike_train_dissimilarity import van_rossum_distance

    # Only times over the time constant count. The unit that Elephant checks fastest, by half, is the second.
    unit = pq.s
    reference = _plain(reference_times_ms) * unit
    tau = tau_ms * unit
    distances = np.empty(len(trains))
    with warnings.catch_warnings():
        # Identical trains give tiny negative squares, which Elephant sets to zero with a warning.
        warnings.filterwarnings("ignore", "van_rossum_distance: very small negative", RuntimeWarning)
        for start in range(0, len(trains), _BLOCK):
            block = [_plain(train) * unit for train in trains[start : start + _BLOCK]]
            matrix = van_rossum_distance([reference, *block], tau, sort=False)
            distances[start : start + len(block)] = matrix[0, 1:]
    return distances


def _plain(train: SpikeTrain | ArrayLike) -> FloatArray:
    return train.times_ms if isinstance(train, SpikeTrain) else np.asarray(train, dtype=np.float64)
