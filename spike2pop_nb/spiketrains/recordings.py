"""What the reader returns: the trains of one file, and a report of how the file was understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, overload

from spike2pop_nb.errors import SpikeTrainError

from .train import SpikeTrain

__all__ = ["CAUTION", "ReadReport", "Recordings"]

CAUTION: Final = "Please check: "
"""Begins a sentence about what looks odd."""


@dataclass(frozen=True)
class ReadReport:
    """How a file was understood and what was changed on the way.

    Attributes
    ----------
    filename : str
        Name of the file.
    format : str
        "CSV", "TXT", "NPY", "NPZ", "MAT", "NWB", "Phy", "SpikeInterface" or what neo calls the format.
    layout : str
        "list" (a list of times per row), "long" (a row per spike), "columns" (a column per train), "rows" (a
        row or line per train), "single" (one train), "arrays" (an array per train) or "units" (a train per
        unit of a recording system or spike sorter), or "voltage" (spikes detected in a trace each).
    layout_reason : str
        The layout in words.
    columns : dict of str to str
        Role ("id", "member", "time", "ignored") to the name of the column or array that was taken for it.
    unit : str
        Unit of the times in the file: "s", "ms", "us", "samples", or another such as "0.1 ms".
    unit_reason : str
        How the unit was decided, in words.
    unit_assumed : bool
        Whether the unit is only what the intervals suggest; then the first caution says so.
    sampling_rate_hz : float or None
        With the unit "samples".
    key : str
        What tells the trains apart, and how that is known, in words; "" for a single train.
    n_trains, n_spikes : int
        What was read.
    repairs : tuple of str
        Harmless faults that were put right, with counts.
    skipped : tuple of str
        What was left out, with counts and why.
    cautions : tuple of str
        What looks odd and was left as it is.
    candidates : tuple of str
        Columns or arrays of the file that can be given as ``time_column`` or ``id_column`` instead; empty
        where the format leaves nothing to choose.
    labels : dict of str to dict of str to str
        What the file says about a train, by its id: for example its group or quality.
    """

    filename: str
    format: str
    layout: str
    layout_reason: str
    unit: str
    unit_reason: str
    n_trains: int
    n_spikes: int
    columns: dict[str, str] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    unit_assumed: bool = False
    sampling_rate_hz: float | None = None
    key: str = ""
    labels: dict[str, dict[str, str]] = field(default_factory=dict)

    def sentences(self) -> list[str]:
        """The report as sentences, in plain text (escape them before they go into a page)."""
        trains = "1 train" if self.n_trains == 1 else f"{self.n_trains} trains"
        spikes = "1 spike" if self.n_spikes == 1 else f"{self.n_spikes} spikes"
        lines = [f"{self.filename} ({self.format}): {trains}, {spikes}.", f"Layout: {self.layout_reason}."]
        if self.columns:
            roles = ", ".join(f"{role} from {name!r}" for role, name in self.columns.items())
            lines.append(f"Columns: {roles}.")
        if self.key:
            lines.append(f"Key: {self.key}.")
        lines.append(f"Unit: {self.unit_reason}.")
        lines += [f"Repaired: {text}." for text in self.repairs]
        lines += [f"Skipped: {text}." for text in self.skipped]
        lines += [f"{CAUTION}{text}." for text in self.cautions]
        return lines

    def __str__(self) -> str:
        return "\n".join(self.sentences())


class Recordings(Sequence[SpikeTrain]):
    """The spike trains of one file, in the file's order, with a report.

    Parameters
    ----------
    trains : sequence of SpikeTrain
        The trains; their ids are unique.
    report : ReadReport
        How the file was understood.

    Examples
    --------
    >>> recordings = read_spike_trains(example_path("stg_set.csv"))  # doctest: +SKIP
    >>> recordings[0].id, recordings.by_id("3").n_spikes  # doctest: +SKIP
    ('1', 20)
    """

    def __init__(self, trains: Sequence[SpikeTrain], report: ReadReport) -> None:
        self._trains = tuple(trains)
        self._by_id = {train.id: train for train in self._trains}
        self.report = report

    @property
    def ids(self) -> list[str]:
        """Ids of the trains in order."""
        return [train.id for train in self._trains]

    def by_id(self, train_id: str) -> SpikeTrain:
        """The train of that id.

        Raises
        ------
        SpikeTrainError
            When no train has it.
        """
        try:
            return self._by_id[str(train_id)]
        except KeyError:
            known = ", ".join(repr(name) for name in self.ids[:8]) + (", …" if len(self) > 8 else "")
            raise SpikeTrainError(
                f"{self.report.filename} has no train with the id {str(train_id)!r}; it has {known}."
            ) from None

    @overload
    def __getitem__(self, index: int) -> SpikeTrain: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[SpikeTrain]: ...

    def __getitem__(self, index: int | slice) -> SpikeTrain | Sequence[SpikeTrain]:
        return self._trains[index]

    def __len__(self) -> int:
        return len(self._trains)

    def __iter__(self) -> Iterator[SpikeTrain]:
        return iter(self._trains)

    def __repr__(self) -> str:
        return f"Recordings({len(self)} trains from {self.report.filename!r})"
