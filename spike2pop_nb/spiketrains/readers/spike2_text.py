"""Text that Spike2 exports: a block per channel, events one time a line, in s."""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .cells import value_of
from .raw import Source, shown

__all__ = ["is_spike2_text", "spike2_table"]

_EVENTS: Final = re.compile(r"(evt|event|wavemark|marker|textmark|realmark)", re.IGNORECASE)


def is_spike2_text(source: Source) -> bool:
    """Whether the file begins as Spike2's text exports do."""
    return re.match(rb'(?:\xef\xbb\xbf)?\s*"INFORMATION"', source.data[:200]) is not None


def spike2_table(source: Source) -> Table:
    """A train for each channel of events or markers; of markers that have a code, one for each code.

    Raises
    ------
    SpikeTrainError
        When no channel holds events.
    """
    lines = source.data.decode("utf-8-sig", errors="replace").splitlines()
    rows = [next(csv.reader([line], delimiter="\t"), []) for line in lines]
    starts = [k for k, row in enumerate(rows) if len(row) > 1 and row[0] == "CHANNEL"]
    names: list[str] = []
    trains: list[FloatArray] = []
    places: list[int] = []
    left_out: list[str] = []
    for start, end in pairwise([*starts, len(rows)]):
        number = rows[start][1]
        head = [row[0] if row else "" for row in rows[start + 1 : start + 4]]
        title = head[2].strip() if len(head) > 2 and head[2].strip() else f"channel {number}"
        if not head or not _EVENTS.match(head[0]):
            left_out.append(title)
            continue
        first = next((k for k in range(start + 1, end) if rows[k] and _is_time(rows[k][0])), end)
        data = [row for row in rows[first:end] if row and row[0].strip()]
        odd = next(
            (k for k in range(first, end) if rows[k] and rows[k][0].strip() and not _is_time(rows[k][0])),
            None,
        )
        if odd is not None:
            raise source.error(
                f"{shown(rows[odd][:1])} is text where a time of {title!r} should be.", row=odd + 1
            )
        codes = [row[1] if len(row) > 1 and "mark" in head[0].lower() else "" for row in data]
        for code in dict.fromkeys(codes):
            trains.append(
                np.array([value_of(row[0]) for row, own in zip(data, codes, strict=True) if own == code])
            )
            names.append(f"{title}/{code}" if len(set(codes)) > 1 else title)
            places.append(first + 1)
    if not trains:
        raise source.error("this export of Spike2 holds no channel of events, so no spike times.")
    source.check_counts(sum(times.size for times in trains), len(trains))
    where = np.array(places, dtype=np.int64)
    columns = [Column("channel", np.array(names)), Column("times", trains, unit="s", rows=where)]
    table = Table(
        "Spike2 text", columns, roles={"id": "channel", "time": "times"}, reason="a train per channel"
    )
    if left_out:
        table.skipped.append(f"{shown(left_out)}, no channel of events")
    return table


def _is_time(cell: str) -> bool:
    return bool(np.isfinite(value_of(cell)))
