"""From the arrays, texts and numbers of a file to a `Table`: what is kept as what, and what is left out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.limits import MAX_CELLS, MAX_UNPACKED_BYTES
from spike2pop_nb.spiketrains.table import Column, Facts, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .raw import Source, shown

__all__ = [
    "NO_NUMBERS",
    "PICKLE",
    "Signal",
    "TableBuilder",
    "floats",
    "is_of_signals",
    "is_vector",
    "table_of_signals",
    "text_of",
    "texts",
]

NO_NUMBERS: Final = "which holds no real numbers"
PICKLE: Final = "which holds Python objects (a pickle), which are never loaded"
_MAX_TEXT: Final = 1000
_MAX_COLUMNS: Final = 100_000
_MAX_FACTS: Final = 20_000


class TableBuilder:
    """Collects the columns of a `Table` of a format."""

    def __init__(self, format_: str, source: Source) -> None:
        self.format, self.source = format_, source
        self.columns: list[Column] = []
        self.facts: Facts = {}
        self._skipped: dict[str, list[str]] = {}
        self._n_cells = 0

    def array(self, name: str, values: NDArray[Any], unit: str = "") -> None:
        """Keep an array of any type: as a column, as a fact when it is a single value, or as left out.

        An array of n values in one row or column of a matrix is a column of n numbers. Named fields become
        columns of their own. A single number of an array that has dimensions is both, column and fact.
        """
        if values.dtype.names:
            for field in values.dtype.names:
                self.array(f"{name}/{field}" if name else field, values[field], unit)
        elif values.dtype.hasobject:
            self.skip(name, PICKLE)
        elif values.dtype.kind in "US":
            self._text_array(name, values)
        elif values.dtype.kind in "iufm":
            if values.dtype.kind == "m" and not unit:
                count_of, step = np.datetime_data(values.dtype)[::-1]
                unit = step if count_of == 1 else f"{count_of} {step}" if step != "generic" else ""
            self._number_array(name, values, unit)
        else:
            self.skip(name, NO_NUMBERS)

    def _text_array(self, name: str, values: NDArray[Any]) -> None:
        if values.size == 1:
            self.fact(name, texts(values.ravel())[0].item())
        elif is_vector(values):
            self.text(name, values.ravel())
        else:
            self.skip(name, NO_NUMBERS)

    def _number_array(self, name: str, values: NDArray[Any], unit: str) -> None:
        if values.size == 1:
            self.fact(name, float(floats(values.ravel())[0]))
        if values.ndim == 0:
            return
        if values.ndim > 2 and not is_vector(values):
            self.skip(name, f"which has {values.ndim} dimensions")
        elif self.room(name, values.size):
            shaped = values.ravel() if is_vector(values) else values
            self.columns.append(Column(name, floats(shaped), unit, integers=values.dtype.kind in "iu"))

    def text(self, name: str, values: Sequence[Any] | NDArray[Any]) -> None:
        """Keep a column of text."""
        if self.room(name, len(values)):
            words = texts(values)
            if words.nbytes > MAX_UNPACKED_BYTES:
                self.skip(name, "whose texts are too long")
            else:
                self.columns.append(Column(name, words))

    def lists(
        self, name: str, rows: Sequence[NDArray[Any]], unit: str = "", *, integers: bool = False
    ) -> None:
        """Keep a column with an array of numbers per row."""
        if self.room(name, sum(row.size for row in rows) + len(rows)):
            self.columns.append(Column(name, [floats(row.ravel()) for row in rows], unit, integers=integers))

    def fact(self, name: str, value: float | str) -> None:
        """Keep a single number or text; of several of one name the first."""
        if len(self.facts) < _MAX_FACTS:
            self.facts.setdefault(name, value[:_MAX_TEXT] if isinstance(value, str) else float(value))

    def room(self, name: str, size: int) -> bool:
        """Whether a column of `size` values can still be taken; otherwise it is noted as left out."""
        if len(self.columns) >= _MAX_COLUMNS:
            raise self.source.error(f"the file holds more than {_MAX_COLUMNS:,} arrays; split it.")
        if self._n_cells + size > MAX_CELLS:
            self.skip(name, f"whose {size:,} entries are more than is read")
            return False
        self._n_cells += size
        return True

    def skip(self, name: str, why: str) -> None:
        """Note that something was left out; `why` is a clause such as "which holds no numbers"."""
        self._skipped.setdefault(why, []).append(name)

    @property
    def skipped(self) -> list[str]:
        """What was left out, in words."""
        return [
            f"{shown(names) if any(names) else 'the array'}, {why}" for why, names in self._skipped.items()
        ]

    def table(self, what: str, **more: Any) -> Table:
        """The finished table of `what`, in words, with further fields; refused without a single column."""
        if not self.columns:
            found = "; ".join(self.skipped)
            if not found and self.facts:
                raise self.source.error(f"none of {shown(list(self.facts))} is an array of spike times.")
            raise self.source.error(
                f"{what} holds nothing that could be spike times" + (f" ({found})." if found else ".")
            )
        return Table(self.format, self.columns, self.facts, skipped=self.skipped, **more)


class Signal(NamedTuple):
    """A sampled signal, or a channel of one: a row of `table_of_signals`.

    Its samples are in `unit`; where it has no times in s, its start in s and its rate in Hz say them. Sweeps
    share their `channel`; `own` is the unit in the file, and `reason` says how the units are fixed.
    """

    samples: FloatArray
    times: FloatArray
    name: str
    channel: str
    place: str
    unit: str
    own: str
    reason: str
    start: float
    rate: float


_OF_SIGNALS: Final = ("signals", "timestamps", *Signal._fields[2:])


def is_of_signals(table: Table) -> bool:
    """Whether a table is one of `table_of_signals`, and not a file whose columns are called alike."""
    return tuple(column.name for column in table.columns) == _OF_SIGNALS


def table_of_signals(format_: str, signals: Sequence[Signal], unit: str, skipped: list[str]) -> Table:
    """A table with a row per signal and its columns in the order of `Signal`, which are lists first."""
    columns = [
        Column("signals", [signal.samples for signal in signals], unit),
        Column("timestamps", [signal.times for signal in signals], "s"),
    ]
    for word in ("name", "channel", "place", "unit", "own", "reason"):
        columns.append(Column(word, texts([getattr(signal, word) for signal in signals])))
    for number, of in (("start", "s"), ("rate", "Hz")):
        values = np.array([getattr(signal, number) for signal in signals], dtype=np.float64)
        columns.append(Column(number, values, of))
    return Table(format_, columns, skipped=skipped)


def is_vector(values: NDArray[Any]) -> bool:
    """Whether an array has one dimension only that is longer than 1, or none."""
    return values.ndim == 1 or values.size == max(values.shape, default=1) or not values.size


def floats(values: NDArray[Any]) -> FloatArray:
    """Numbers as float64, contiguous; time differences in their own unit, NaT as NaN."""
    if values.dtype.kind == "m":
        missing = np.isnat(values)
        numbers = values.astype(np.int64).astype(np.float64)
        numbers[missing] = math.nan
        return numbers
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(values, dtype=np.float64)


def texts(values: Iterable[Any]) -> NDArray[np.str_]:
    """Text of any kind as an array of str: bytes are taken for UTF-8, and each is cut at 1000 characters."""
    return np.array([text_of(value) for value in values], dtype=np.str_).reshape(-1)


def text_of(value: Any) -> str:
    """One text, without the NUL that fixed lengths are filled up with."""
    text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
    return text.rstrip("\0")[:_MAX_TEXT]
