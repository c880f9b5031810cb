"""NeuroExplorer's NEX5 files as tables: spikes and events, laid out as Nex Technologies state."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.limits import MAX_TRAINS
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .builder import texts
from .raw import Source, counted, shown

__all__ = ["NEX5_MAGIC", "nex5_table"]

NEX5_MAGIC: Final = b"NEX5"
_HEADER: Final = struct.Struct("<4si256sdqiQq56x")  # magic, version, comment, Hz, start, n, metadata, end
_VARIABLE: Final = struct.Struct("<ii64sQQi152x")  # kind, version, name, where, how many, 1 for 64 bits
_SPIKES, _EVENTS = 0, 1


def nex5_table(source: Source) -> Table:
    """The spike trains of a NEX5 file, in s; where it has none, its events.

    Raises
    ------
    SpikeTrainError
        When the file is damaged or cut short, or holds neither.
    """
    data: Any = source.data
    if source.path is not None:
        data = np.memmap(Path(source.path), np.uint8, "r")
    if len(data) < _HEADER.size:
        raise source.error("the NEX5 file is cut short.")
    _, _, _, frequency, begin, n_variables, _, end = _HEADER.unpack(bytes(data[: _HEADER.size]))
    if not 1 <= frequency <= 1e10:
        raise source.error(f"the NEX5 file is damaged: it gives {frequency:g} Hz as the rate of its clock.")
    if not 0 <= n_variables <= 10 * MAX_TRAINS:
        raise source.error(f"the NEX5 file is damaged: it says that it has {n_variables:,} variables.")
    found: dict[int, dict[str, FloatArray]] = {_SPIKES: {}, _EVENTS: {}}
    other: list[str] = []
    n_spikes = 0
    for k in range(n_variables):
        at = _HEADER.size + k * _VARIABLE.size
        if len(data) < at + _VARIABLE.size:
            raise source.error("the NEX5 file is cut short: there are fewer variables than it says.")
        kind, _, raw_name, offset, count, wide = _VARIABLE.unpack(bytes(data[at : at + _VARIABLE.size]))
        name = raw_name.split(b"\0")[0].decode("utf-8", errors="replace").strip() or f"variable {k + 1}"
        if kind not in found:
            other.append(name)
            continue
        width = 8 if wide else 4
        if count * width > max(len(data) - offset, 0):
            raise source.error(f"{shown([name])} is cut short: it has fewer times than the file says.")
        n_spikes += count if kind == _SPIKES else 0
        source.check_counts(n_spikes)
        ticks = np.frombuffer(bytes(data[offset : offset + count * width]), f"<i{width}")
        same = sum(known.split(" (")[0] == name for known in found[kind])
        found[kind][f"{name} ({same + 1})" if name in found[kind] else name] = ticks / frequency
    trains = found[_SPIKES] or found[_EVENTS]
    if not trains:
        raise source.error("the NEX5 file holds no spike trains and no events.")
    skipped = []
    if found[_SPIKES] and found[_EVENTS]:
        skipped.append(f"{counted(len(found[_EVENTS]), 'event')}, {shown(list(found[_EVENTS]))}")
    if other:
        skipped.append(f"{counted(len(other), 'variable')} of other kinds, {shown(other)}")
    columns = [Column("spike trains", list(trains.values()), "s"), Column("unit", texts(list(trains)))]
    roles = {"time": "spike trains", "id": "unit"}
    window = _window(begin / frequency, end / frequency, list(trains.values()))
    if window is not None:
        columns.append(Column("window", window, "s"))
        roles["window"] = "window"
    what = "spike" if found[_SPIKES] else "event"
    reason = f"a train per {what} variable"
    return Table("NeuroExplorer", columns, roles=roles, reason=reason, skipped=skipped)


def _window(begin: float, end: float, trains: list[FloatArray]) -> NDArray[np.float64] | None:
    """The time that the header gives; None where it gives none."""
    return np.tile([begin, end], (len(trains), 1)) if begin < end else None
