"""What every reader takes: the file, and what the caller fixed."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final, NamedTuple

from spike2pop_nb.errors import SpikeTrainError, WayOut
from spike2pop_nb.spiketrains.limits import MAX_OPENED_SPIKES, MAX_SPIKES, MAX_TRAINS
from spike2pop_nb.spiketrains.train import checked_id

__all__ = ["Options", "Source", "Subtable", "counted", "named", "shown"]


_LONG: Final = re.compile(r"(?<!\w)(['\"])(?:(?!\1).){200,}\1(?!\w)")
"""A name or value in quotes that is too long for a sentence."""


@dataclass(frozen=True)
class Options:
    """What the caller fixed; "auto" and None are for the reader to find out.

    Attributes
    ----------
    unit : str
        "auto", or a unit as `units.canonical_unit` gives it.
    layout : str
        "auto", or the name of a layout.
    id_columns : tuple of str or int, or None
        Columns that together identify a train; empty where no column does.
    time_column : str, int or None
        Column of the times.
    sampling_rate_hz : float or None
        How many samples make a second.
    sheets : tuple of str or None
        Sheets of a workbook that hold the recordings.
    """

    unit: str = "auto"
    layout: str = "auto"
    id_columns: tuple[str | int, ...] | None = None
    time_column: str | int | None = None
    sampling_rate_hz: float | None = None
    sheets: tuple[str, ...] | None = None


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
    part : str
        The part that is read, where there are several: "sheet 'Cell 1'".
    """

    name: str
    data: bytes
    path: Path | None = None
    part: str = ""

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

    def error(self, message: str, *ways_out: WayOut, row: int | None = None) -> SpikeTrainError:
        """An error whose sentence names the file and, where known, the row."""
        place = f"{self.name}, {self.part}" if self.part else self.name
        place = place if row is None else f"{place}, row {row}"
        return SpikeTrainError(f"{place}: {_LONG.sub(_cut_in_quotes, message)}", *ways_out)

    def id(self, value: object, *, row: int | None = None) -> str:
        """`value` as an id, with an error that names the row."""
        try:
            return checked_id(value)
        except SpikeTrainError as error:
            text = str(error)
            raise self.error(text[0].lower() + text[1:], row=row) from None

    @property
    def most_spikes(self) -> int:
        """How many spikes are read: more of what is opened where it lies on disk."""
        path = self.path
        opened = path is not None and (path.is_dir() or path.stat().st_size > len(self.data))
        return MAX_OPENED_SPIKES if opened else MAX_SPIKES

    def check_counts(self, n_spikes: int, n_trains: int = 0) -> None:
        """Refuse as soon as a running count passes its limit."""
        if n_spikes > MAX_SPIKES and n_spikes > self.most_spikes:
            most = self.most_spikes
            raise self.error(f"the file holds more than {most:,} spikes; split it into smaller files.")
        if n_trains > MAX_TRAINS:
            raise self.error(f"the file holds more than {MAX_TRAINS:,} trains; split it into smaller files.")


class Subtable(NamedTuple):
    """A table within a file, as text.

    Attributes
    ----------
    name, text : str
        Its name, and its cells.
    kind : {"table", "few", "words"}
        Whether a column of it has five numbers or more, or it has fewer numbers, or none.
    what : {"sheet", "block"}
        A sheet of a workbook, or one of several tables in a text.
    """

    name: str
    text: str
    kind: str
    what: str = "sheet"


def named(texts: Iterable[str], known: Container[str]) -> list[str]:
    """Names that a caller gave, each on its own or several parted by commas."""
    return [
        name
        for text in texts
        for name in ([text] if text in known else [part.strip() for part in text.split(",")])
    ]


def counted(n: int, noun: str) -> str:
    """A number and its noun: "1 line", "2 lines"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def shown(names: Sequence[object], most: int = 6) -> str:
    """Names in quotes, cut after `most`."""
    text = ", ".join(repr(_cut(str(name).strip())) for name in names[:most])
    return text + (f" and {len(names) - most} more" if len(names) > most else "")


def _cut_in_quotes(found: re.Match[str]) -> str:
    return f"{found[0][:60]}…{found[1]}"


def _cut(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
