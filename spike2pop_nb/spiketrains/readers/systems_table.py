"""Binary files that neo does not read, as tables: NeuroExplorer's NEX5 and the ``.t`` files of MClust.

NEX5 is laid out as Nex Technologies state; a ``.t`` file has a text header, then whole numbers, high bytes
first.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any, Final

import numpy as np

from spike2pop_nb.spiketrains.limits import MAX_TRAINS
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .builder import floats, texts
from .raw import Source, counted, shown

__all__ = ["MCLUST_SUFFIXES", "NEX5_MAGIC", "is_mclust", "mclust_table", "nex5_table"]

NEX5_MAGIC: Final = b"NEX5"
_HEADER: Final = struct.Struct("<4si256sdqiQq56x")  # magic, version, comment, Hz, start, n, metadata, end
_VARIABLE: Final = struct.Struct("<ii64sQQi152x")  # kind, version, name, where, how many, 1 for 64 bits
_SPIKES, _EVENTS = 0, 1
MCLUST_SUFFIXES: Final = frozenset({".t", "._t", ".t32", ".t64", "._t32", "._t64"})
_BEGIN: Final = b"%%BEGINHEADER"
_END: Final = re.compile(rb"^%%ENDHEADER[ \t]*\r?\n", re.MULTILINE)
_LINE: Final = re.compile(r"^%?\s*([A-Za-z][\w .()/-]{0,80}?)\s*[:=]\s*(.{1,200}?)\s*$")
_HEADER_BYTES: Final = 100_000


def nex5_table(source: Source) -> Table:
    """The spike trains of a NEX5 file, in s; where it has none, its events."""
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
    columns = {
        "time": Column("spike trains", list(trains.values()), "s"),
        "id": Column("unit", texts(list(trains))),
    }
    window = begin / frequency, end / frequency
    if window[0] < window[1]:
        columns["window"] = Column("window", np.tile(window, (len(trains), 1)), "s")
    what = "spike" if found[_SPIKES] else "event"
    return Table.of_roles("NeuroExplorer", columns, reason=f"a train per {what} variable", skipped=skipped)


def is_mclust(source: Source) -> bool:
    """Whether the file begins as one of MClust does; other programs write the same header, above text."""
    return source.suffix in MCLUST_SUFFIXES and (
        source.data.startswith(_BEGIN) or b"\0" in source.data[:_HEADER_BYTES]
    )


def mclust_table(source: Source) -> Table:
    """The one train of a ``.t`` file, in steps of 0.1 ms."""
    data, start = source.contents(), 0
    comments: list[str] = []
    facts: dict[str, float | str] = {}
    if data.startswith(_BEGIN):
        end = _END.search(data[:_HEADER_BYTES])
        if end is None:
            raise source.error("the header of this MClust file has no end; '%%ENDHEADER' must close it.")
        start = end.end()
        header = data[len(_BEGIN) : end.start()].decode("utf-8", errors="replace")
        comments = [line.strip(" %\t\r") for line in header.split("\n")][:200]
        comments = [line for line in comments if line]
        for line in comments:
            if (match := _LINE.match(line)) is not None:
                facts.setdefault(match[1], match[2])
    wide = source.suffix.endswith("64")
    width = 8 if wide else 4
    if (len(data) - start) % width:
        raise source.error(f"the MClust file is cut short: its times take {width} bytes each.")
    times = floats(np.frombuffer(data, f">u{width}", offset=start))
    if times.size and (np.diff(times) < 0).any():
        raise source.error(
            f"the times of this MClust file do not increase when read as whole numbers of {8 * width} bits; "
            f"the ending {'.t' if wide else '.t64'} says that they have {96 - 8 * width}."
        )
    source.check_counts(times.size, 1)
    columns = {"time": Column("t", [times], "0.1 ms", integers=True)}
    return Table.of_roles("MClust", columns, facts=facts, comments=comments, reason="one train per file")
