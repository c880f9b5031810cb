"""Spike trains to a CSV that the reader reads back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from spike2pop_nb.errors import SpikeTrainError

from .train import SpikeTrain

__all__ = ["write_spike_times"]


def write_spike_times(trains: Iterable[SpikeTrain], path: str | Path) -> None:
    """Write trains as a CSV with a row per spike: ``id,time_ms``.

    Parameters
    ----------
    trains : iterable of SpikeTrain
        Trains with different ids.
    path : str or Path
        File to write; an existing one is replaced.

    Raises
    ------
    SpikeTrainError
        When there is no train, two trains have the same id, or the file cannot be written.

    Notes
    -----
    Times are written with all their digits, so that reading the file gives the same numbers. A train without
    spikes is one row with an id and no time.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> file = Path(mkdtemp()) / "spikes.csv"
    >>> s2p.write_spike_times(trains, file)
    >>> s2p.read_spike_trains(file).ids
    ['1', '2', '3', '4', '5']
    """
    kept = list(trains)
    if not kept:
        raise SpikeTrainError(f"There are no trains to write to {Path(path).name}.")
    ids = [train.id for train in kept]
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise SpikeTrainError(f"Two trains have the id {twice!r}; ids must differ.")
    nothing = np.array([np.nan])
    times = [train.times_ms if train.n_spikes else nothing for train in kept]
    table = pd.DataFrame(
        {
            "id": np.repeat(np.array(ids, dtype=object), [part.size for part in times]),
            "time_ms": np.concatenate(times),
        }
    )
    try:
        table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
    except OSError as error:
        raise SpikeTrainError(f"{path} cannot be written: {error.strerror or error}.") from None
