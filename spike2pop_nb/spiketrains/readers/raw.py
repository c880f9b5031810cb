"""What every format reader takes and returns, before units, sorting and checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.limits import MAX_SPIKES, MAX_TRAINS
from spike2pop_nb.spiketrains.train import FloatArray, checked_id
from spike2pop_nb.spiketrains.units import Unit

__all__ = ["Options", "RawRecording", "RawTrain", "Source", "counted", "shown"]


@dataclass(frozen=True)
class Options:
    """What the caller fixed; "auto" and None are for the reader to find out."""

    unit: str = "auto"
    layout: str = "auto"
    id_column: str | int | None = None
    time_column: str | int | None = None


@dataclass(frozen=True)
class Source:
    """A file's name and bytes, and errors that name it.

    Attributes
    ----------
    name : str
        Name for messages.
    data : bytes
        The contents; of a folder nothing, and of a file that is opened rather than loaded only the start.
    path : Path or None
        Where the file or folder lies on disk; None when only its bytes are known.
    """

    name: str
    data: bytes
    path: Path | None = None

    @property
    def suffix(self) -> str:
        """Ending of the file name in small letters, with its dot."""
        return PurePath(self.name).suffix.lower()

    @property
    def stem(self) -> str:
        """File name without folder and suffix: the id of a train that has no other."""
        return PurePath(self.name).stem or "train"

    def contents(self) -> bytes:
        """All bytes, also of a file of which only the start is in `data`."""
        return self.data if self.path is None else self.path.read_bytes()

    def error(self, message: str, *, row: int | None = None) -> SpikeTrainError:
        """An error whose sentence names the file and, where known, the row."""
        place = self.name if row is None else f"{self.name}, row {row}"
        return SpikeTrainError(f"{place}: {message}")

    def id(self, value: object, *, row: int | None = None) -> str:
        """`value` as an id, with an error that names the row."""
        try:
            return checked_id(value)
        except SpikeTrainError as error:
            text = str(error)
            raise self.error(text[0].lower() + text[1:], row=row) from None

    def check_counts(self, n_spikes: int, n_trains: int = 0) -> None:
        """Refuse as soon as a running count passes its limit."""
        if n_spikes > MAX_SPIKES:
            raise self.error(f"the file holds more than {MAX_SPIKES:,} spikes; split it into smaller files.")
        if n_trains > MAX_TRAINS:
            raise self.error(f"the file holds more than {MAX_TRAINS:,} trains; split it into smaller files.")


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


@dataclass
class RawRecording:
    """Everything a format reader found.

    `candidates` are the columns or arrays that could be chosen as ids or times; `fixed_unit` is set where the
    format itself fixes the unit, so that there is nothing to choose.
    """

    format: str
    layout: str
    layout_reason: str
    trains: list[RawTrain]
    columns: dict[str, str] = field(default_factory=dict)
    unit: Unit | None = None
    unit_reason: str = ""
    fixed_unit: bool = False
    candidates: tuple[str, ...] = ()
    repairs: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)

    def note_counts(
        self,
        commas: int,
        blanks: int = 0,
        blank: tuple[str, str] = ("", ""),
        empty: int = 0,
        comments: int = 0,
    ) -> None:
        """Note decimal commas, blanks inside (a noun and where they stood), blank lines and comment lines."""
        if commas:
            self.repairs.append(f"{counted(commas, 'number')} with a decimal comma")
        if blanks:
            self.skipped.append(f"{counted(blanks, blank[0])} {blank[1]}")
        if empty:
            self.skipped.append(counted(empty, "blank line"))
        if comments:
            self.skipped.append(counted(comments, "comment line"))


def counted(n: int, noun: str) -> str:
    """A number and its noun: "1 line", "2 lines"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def shown(names: Sequence[object], most: int = 6) -> str:
    """Names in quotes, cut after `most`."""
    text = ", ".join(repr(_cut(str(name).strip())) for name in names[:most])
    return text + (f" and {len(names) - most} more" if len(names) > most else "")


def _cut(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
