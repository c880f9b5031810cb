"""What the reader returns: the trains of one file, and a report of how the file was understood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args, overload

from spike2pop_nb.errors import SpikeTrainError

from .activity import describe_pattern
from .patterns import features
from .train import SpikeTrain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CAUTION", "ReadReport", "Recordings"]

PatternRule: TypeAlias = Literal["honest", "published"]

CAUTION: Final = "Please check: "
"""Begins a sentence about what looks odd."""

_COLUMNS = {
    "id": "str",
    "n_spikes": "int64",
    "duration_s": "float64",
    "rate_hz": "float64",
    "cv": "float64",
    "cv2": "float64",
    "lv": "float64",
    "pattern": "str",
    "confidence": "float64",
    "pattern_note": "str",
    "longest_gap_s": "float64",
    "rate_change_ratio": "float64",
}


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
    sheets : tuple of str
        Of a workbook: its sheets with numbers, which can be given as ``sheets``.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> recordings = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> print(recordings.report.describe())
    stg_set.csv (CSV): 5 trains, 301 spikes.
    Layout: a list of times per row, in column 'spiking_times_ms'.
    Columns: id from 'ID', time from 'spiking_times_ms'.
    Key: ID, by name.
    Unit: ms, as the column name 'spiking_times_ms' says.
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
    sheets: tuple[str, ...] = ()

    def describe(self) -> str:
        """The report in plain text, one sentence a line (escape it before it goes into a page)."""
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
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.describe()


class Recordings(Sequence[SpikeTrain]):
    """The spike trains of one file, in the file's order, with a report.

    Parameters
    ----------
    trains : sequence of SpikeTrain
        The trains; their ids are unique.
    report : ReadReport, optional
        How the file was understood; trains made in Python need none.

    Raises
    ------
    SpikeTrainError
        When one of the trains is no `SpikeTrain`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> recordings = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> recordings.ids, recordings.by_id("3").n_spikes
    (['1', '2', '3', '4', '5'], 67)
    >>> recordings["3"] is recordings[2]
    True
    >>> recordings.to_frame()[["id", "n_spikes", "pattern"]].head(2)
      id  n_spikes        pattern
    0  1        33  regular tonic
    1  2        48       bursting
    """

    def __init__(self, trains: Iterable[SpikeTrain], report: ReadReport | None = None) -> None:
        self._trains = tuple(trains)
        for number, train in enumerate(self._trains, start=1):
            if not isinstance(train, SpikeTrain):
                raise SpikeTrainError(
                    f"Train {number} is of type {type(train).__name__}; it must be a SpikeTrain."
                )
        if report is None:
            n_spikes = sum(train.n_spikes for train in self._trains)
            known = "SpikeTrain", "single", "trains as they were given", "ms", "ms, as in every SpikeTrain"
            report = ReadReport("recordings", *known, len(self._trains), n_spikes)
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
    def __getitem__(self, index: int | str) -> SpikeTrain: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[SpikeTrain]: ...

    def __getitem__(self, index: int | str | slice) -> SpikeTrain | Sequence[SpikeTrain]:
        """Trains by their place, or one by its id."""
        return self.by_id(index) if isinstance(index, str) else self._trains[index]

    def __len__(self) -> int:
        return len(self._trains)

    def __iter__(self) -> Iterator[SpikeTrain]:
        return iter(self._trains)

    def describe(self) -> str:
        """How the file was understood, one sentence a line; see `ReadReport.describe`."""
        return self.report.describe()

    def to_frame(self, *, rule: PatternRule = "honest") -> pd.DataFrame:
        """Table of the trains, one row each, in their order.

        Parameters
        ----------
        rule : {"honest", "published"}, optional
            What names the firing pattern: `describe_pattern`, or the published rule (`features`).

        Returns
        -------
        DataFrame
            ``id``; ``n_spikes``; ``duration_s`` from the first to the last spike; ``rate_hz``; ``cv``,
            ``cv2`` and ``lv`` of the intervals; ``pattern`` in words; its ``confidence`` (NaN for the
            published rule); ``pattern_note``, what to beware of, empty for nothing; ``longest_gap_s``, the
            longest interval; ``rate_change_ratio``, rate at the end over rate at the start, NaN where no
            change is seen.

        Raises
        ------
        SpikeTrainError
            When there is no such rule.
        """
        import pandas as pd

        if rule not in get_args(PatternRule):
            known = " or ".join(repr(name) for name in get_args(PatternRule))
            raise SpikeTrainError(f"There is no pattern rule {rule!r}; it must be {known}.")
        rows = [_row(train, rule) for train in self]
        return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)

    def __repr__(self) -> str:
        return f"Recordings({len(self)} trains from {self.report.filename!r})"


def _row(train: SpikeTrain, rule: PatternRule) -> tuple[object, ...]:
    report = describe_pattern(train)
    found = report.measures
    if rule == "published":
        published = features(train)
        pattern, confidence, notes = str(published.pattern), float("nan"), published.notes
    else:
        doubt = (f"Uncertain (confidence {report.confidence:.2f}).",) if report.uncertain else ()
        pattern, confidence, notes = str(report.kind), report.confidence, (*doubt, *report.notes)
    return (
        train.id,
        train.n_spikes,
        train.duration_ms / 1000.0,
        train.rate_hz,
        found.cv,
        found.cv2,
        found.lv,
        pattern,
        confidence,
        " ".join(notes),
        found.longest_ms / 1000.0,
        found.rate_change if found.rate_change != 1.0 else float("nan"),
    )
