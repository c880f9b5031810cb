"""What a layout makes of a table: trains as they stand in the file, and how they were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.behaviour import codes_of, kept_before_padding, paddings
from spike2pop_nb.spiketrains.readers.cells import no_time
from spike2pop_nb.spiketrains.readers.raw import Source, counted, shown
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

__all__ = [
    "RawTrain",
    "Reading",
    "beside",
    "check_keys",
    "key_codes",
    "label_of",
    "times_of",
    "trains_by_key",
    "without_padding",
]


@dataclass
class RawTrain:
    """Times of one train as they stand in the file: unsorted, in the file's unit, as is the window."""

    id: str
    times: FloatArray
    location: str
    rows: NDArray[np.int64] | None = None
    window: tuple[float, float] | None = None
    labels: dict[str, str] = field(default_factory=dict)

    def place(self, index: int) -> str:
        """Where in the file spike `index` stands."""
        if self.rows is None:
            return f"{self.location}, value {index + 1}"
        row = f"row {self.rows[index]}"
        return row if self.location.startswith("row") else f"{row}, {self.location}"

    def keep(self, which: NDArray[np.bool_] | slice) -> None:
        """Leave out all but some of the times."""
        self.times = self.times[which]
        self.rows = self.rows[which] if self.rows is not None else None


@dataclass
class Reading:
    """Trains of a table under one layout.

    Attributes
    ----------
    layout, reason : str
        The layout, and in words how the table is read.
    trains : list of RawTrain
        As they stand in the file.
    times : list of Column
        The columns that the times come from, which may name their unit.
    columns : dict of str to str
        Role to the name of the column taken for it, for the report.
    key : str
        In words: what tells the trains apart, and how that is known.
    repairs, skipped, cautions : list of str
        For the report.
    """

    layout: str
    reason: str
    trains: list[RawTrain]
    times: list[Column]
    columns: dict[str, str] = field(default_factory=dict)
    key: str = ""
    repairs: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)


def times_of(column: Column, source: Source) -> FloatArray:
    """The numbers of a column that is taken for times; refused where one is none or they cannot be told."""
    where = f"column {column.name!r}" if column.name else "one time per line"
    if column.kind != "numbers":
        raise source.error(f"{where} holds {column.kind}, where spike times should be.")
    if column.wrong is not None:
        row, cell = column.wrong
        raise source.error(no_time(cell, where), row=row)
    if column.doubt:
        raise source.error(f"{column.doubt} ({where}).")
    return column.numbers


def beside(table: Table, time: Column) -> list[Column]:
    """The columns with a number or text for each entry of another."""
    return [
        c for c in table.columns if c is not time and len(c) == len(time) and c.kind in ("numbers", "text")
    ]


def label_of(column: Column, index: int) -> object:
    """The entry of a column as an id: as it stands in a text file, otherwise its value."""
    if column.cells is not None:
        return column.cells[index]
    value = column.values[index]
    return value.item() if isinstance(value, np.generic) else value


def trains_by_key(
    keys: Sequence[Column],
    times: FloatArray,
    place: str,
    source: Source,
    rows: NDArray[np.int64] | None = None,
) -> list[RawTrain]:
    """Trains from keys and times of equal length, NaN for none, in the order in which the keys first appear.

    The times stand at `place`, in words, in `rows`, which are counted from 1 by default.

    Raises
    ------
    SpikeTrainError
        When a key that was asked for has no entry for each time, or an entry is no id.
    """
    check_keys(keys, times.size, "time", place, source)
    codes = key_codes(keys, times.size)
    n_trains = int(codes.max()) + 1 if codes.size else 0
    source.check_counts(int((~np.isnan(times)).sum()), n_trains)
    order = np.argsort(codes, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(codes, minlength=n_trains))[:-1]) if n_trains else []
    if rows is None:
        rows = np.arange(1, times.size + 1, dtype=np.int64)
    trains = []
    for where in groups:
        first = int(where[0])
        parts = [str(source.id(label_of(key, first), row=int(rows[first]))) for key in keys]
        trains.append(
            RawTrain(source.id("/".join(parts), row=int(rows[first])), times[where], place, rows[where])
        )
    return trains


def check_keys(keys: Sequence[Column], n: int, what: str, place: str, source: Source) -> None:
    """Refuse keys, which the caller may have named, that have no entry for each time or list of times."""
    for key in keys:
        if key.kind not in ("numbers", "text") or len(key) != n:
            raise source.error(
                f"{shown([key.name])} has no id for each of the {counted(n, what)} of {place}.",
                WayOut("name what has one entry for each", ("id_columns",)),
            )


def key_codes(keys: Sequence[Column], n: int) -> NDArray[np.int64]:
    """A number for each different combination of keys, in the order of their first appearance."""
    codes = np.zeros(n, dtype=np.int64)
    for key in keys:
        own = codes_of(key.labels)
        codes = codes_of(codes * (int(own.max(initial=0)) + 1) + own)
    return codes


def without_padding(trains: list[RawTrain], reading_skipped: list[str]) -> None:
    """Cut in place what fills up the ends of ragged trains, and say so."""
    padding = paddings([train.times for train in trains])
    n_nan = n_cut = 0
    for train in trains:
        first = train.times[:2]
        if train.times.size > 3 and (first == first[0]).all() and first[0] in (0.0, -1.0):
            start = int(np.argmax(train.times != first[0]))  # filled up at the front
            n_cut += start
            padding |= {float(first[0])}
            train.keep(slice(start, None))
        kept = kept_before_padding(train.times, padding)
        cut = train.times[kept:]
        n_nan += int(np.isnan(cut).sum())
        n_cut += int((~np.isnan(cut)).sum())
        if cut.size:
            train.keep(slice(kept))
    if n_nan:
        reading_skipped.append(f"{n_nan:,} NaN of padding at the ends of trains")
    if n_cut:
        values = " and ".join(f"{value:g}" for value in sorted(padding))
        reading_skipped.append(f"{counted(n_cut, 'value')} of padding at the ends of trains ({values})")
