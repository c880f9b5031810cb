"""The ``.t`` files of MClust as tables: a text header, then times as whole numbers, high bytes first."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.table import Column, Table

from .builder import floats
from .raw import Source

__all__ = ["MCLUST_SUFFIXES", "is_mclust", "mclust_table"]

MCLUST_SUFFIXES: Final = frozenset({".t", "._t", ".t32", ".t64", "._t32", "._t64"})
_BEGIN: Final = b"%%BEGINHEADER"
_END: Final = re.compile(rb"^%%ENDHEADER[ \t]*\r?\n", re.MULTILINE)
_LINE: Final = re.compile(r"^%?\s*([A-Za-z][\w .()/-]{0,80}?)\s*[:=]\s*(.{1,200}?)\s*$")
_HEADER_BYTES: Final = 100_000


def is_mclust(source: Source) -> bool:
    """Whether the file begins as one of MClust does; other programs write the same header, above text."""
    return source.suffix in MCLUST_SUFFIXES and (
        source.data.startswith(_BEGIN) or b"\0" in source.data[:_HEADER_BYTES]
    )


def mclust_table(source: Source) -> Table:
    """The one train of a ``.t`` file, in steps of 0.1 ms.

    Raises
    ------
    SpikeTrainError
        When it is cut short or its header has no end.
    """
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
    column = Column("t", [times], "0.1 ms", integers=True)
    return Table(
        "MClust",
        [column],
        facts,
        comments,
        roles={"time": "t"},
        reason="one train per file",
    )
