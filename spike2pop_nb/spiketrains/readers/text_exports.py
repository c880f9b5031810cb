"""Text of Spike2 (a block per channel, events one time a line, in s) and of Igor Pro (named waves)."""

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

__all__ = ["igor_table", "is_igor_text", "is_spike2_text", "spike2_table"]

_EVENTS: Final = re.compile(r"(evt|event|wavemark|marker|textmark|realmark)", re.IGNORECASE)
_WAVES: Final = re.compile(r"\s*WAVES(?P<kind>(?:/[\w=(),]+)*)\s+(?P<names>.+)", re.IGNORECASE)
_SCALE: Final = re.compile(
    r"\s*X\s+SetScale.*?\"(?P<unit>[^\"]*)\"\s*,\s*'?(?P<wave>[^';\s]+)", re.IGNORECASE
)


def is_spike2_text(source: Source) -> bool:
    """Whether the file begins as Spike2's text exports do."""
    return re.match(rb'(?:\xef\xbb\xbf)?\s*"INFORMATION"', source.data[:200]) is not None


def spike2_table(source: Source) -> Table:
    """A train for each channel of events or markers; of markers that have a code, one for each code."""
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
    columns = {
        "id": Column("channel", np.array(names)),
        "time": Column("times", trains, unit="s", rows=where),
    }
    skipped = [f"{shown(left_out)}, no channel of events"] if left_out else []
    return Table.of_roles("Spike2 text", columns, reason="a train per channel", skipped=skipped)


def _is_time(cell: str) -> bool:
    return bool(np.isfinite(value_of(cell)))


def is_igor_text(source: Source) -> bool:
    """Whether the file begins as Igor's text files do."""
    return re.match(rb"(?:\xef\xbb\xbf)?\s*IGOR\s*[\r\n]", source.data[:40]) is not None


def igor_table(source: Source) -> Table:
    """Parse a text file of Igor: an array per wave, its unit as ``SetScale d`` says."""
    lines = source.data.decode("utf-8-sig", errors="replace").splitlines()
    columns: list[Column] = []
    units: dict[str, str] = {}
    left: list[str] = []
    at = 1
    while at < len(lines):
        waves = _WAVES.fullmatch(lines[at])
        scale = _SCALE.match(lines[at])
        if scale and "setscale d" in lines[at].lower().replace("/", " "):
            units[scale["wave"]] = scale["unit"]
        at += 1
        if waves is None:
            continue
        names = [
            name.strip(" '") for name in re.split(r"[,\t ]+", waves["names"].strip()) if name.strip(" '")
        ]
        end = next((k for k in range(at, len(lines)) if lines[k].strip().upper() == "END"), None)
        if end is None or lines[at].strip().upper() != "BEGIN":
            raise source.error(f"the wave {shown(names[:1])} is not closed by END.", row=at)
        if "/T" in waves["kind"].upper().split("=")[0]:  # words
            left += names
            at = end + 1
            continue
        rows = []
        for k in range(at + 1, end):
            cells = lines[k].split()
            values = [value_of(cell) for cell in cells]
            numbers = [v for v, cell in zip(values, cells, strict=True) if cell.lower() != "nan"]
            if len(cells) != len(names) or not np.isfinite(numbers).all():
                raise source.error(f"{shown([lines[k]])} is not a row of {len(names)} numbers.", row=k + 1)
            rows.append(values)
        source.check_counts(len(rows) * len(names), len(columns) + len(names))
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
        columns += [Column(name, table[:, k].copy()) for k, name in enumerate(names)]
        at = end + 1
    if not columns:
        raise source.error("this text file of Igor holds no waves, so no spike times.")
    for column in columns:
        column.unit = units.get(column.name, "")
    skipped = [f"{shown(left)}, waves of text"] if left else []
    return Table("Igor text", columns, skipped=skipped)
