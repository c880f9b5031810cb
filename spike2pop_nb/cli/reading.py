"""How a file of recordings is to be read: the options that all commands share which take one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_type_hints

import typer

from spike2pop_nb.cli.voltage import HowToDetect, read_voltage_file
from spike2pop_nb.errors import SpikeTrainError

if TYPE_CHECKING:
    from spike2pop_nb.spiketrains import Detected, Recordings, SpikeTrain

__all__ = ["AS_IT_SAYS", "HowToRead", "reads_recordings"]

_Layout = Literal["auto", "list", "long", "columns", "rows", "single", "trials"]


@dataclass(frozen=True)
class HowToRead(HowToDetect):
    """What the options of reading say; each field is an option, its help the text beside it."""

    unit: Annotated[
        str,
        typer.Option(
            help="Unit of the times: h, min, s, ms, us, ns, samples, or a multiple such as '0.1 ms'; "
            "auto takes what the file says."
        ),
    ] = "auto"
    layout: Annotated[
        _Layout, typer.Option(help="A list per row, a row per spike, a column or line per train, …")
    ] = "auto"
    id_columns: Annotated[
        list[str] | None,
        typer.Option(help="Columns that together identify a train, such as channel,unit; or none."),
    ] = None
    time_column: Annotated[str | None, typer.Option(help="Column or array of the times.")] = None
    sheets: Annotated[
        list[str] | None,
        typer.Option(help="Sheets of a workbook to read; by default all that hold spike times. Repeatable."),
    ] = None
    sampling_rate_hz: Annotated[
        float | None, typer.Option(help="Rate at which times in samples were counted.")
    ] = None
    start_s: Annotated[float | None, typer.Option(help="Use the recordings from this time on, in s.")] = None
    stop_s: Annotated[float | None, typer.Option(help="Use the recordings up to this time, in s.")] = None
    recordings: Annotated[
        list[str] | None, typer.Option(help="Ids of the recordings to use; all by default. Repeatable.")
    ] = None

    def read(self, file: Path) -> Recordings:
        """Read recordings and say how they were understood."""
        return _said(self._voltage(file)[0] if self.voltage else self._spike_trains(file))

    def read_one(self, file: Path) -> SpikeTrain:
        """Read the one recording of a file, or the one that is named.

        Raises
        ------
        SpikeTrainError
            If there are several.
        """
        found = self.read(file)
        if len(found) != 1:
            raise SpikeTrainError(
                f"{file.name} holds {len(found)} recordings; name the one that is meant with --recordings."
            )
        return found[0]

    def detect(self, file: Path) -> list[Detected]:
        """Detect the spikes of voltages, and say how; each trace comes with its spikes."""
        recordings, found = self._voltage(file)
        _said(recordings)
        return found

    def _voltage(self, file: Path) -> tuple[Recordings, list[Detected]]:
        for name in ("layout", "id_columns", "time_column", "sheets"):
            if getattr(self, name) != getattr(AS_IT_SAYS, name):
                raise SpikeTrainError(f"--{name.replace('_', '-')} is for spike times, not for --voltage.")
        return read_voltage_file(
            file,
            self,
            time_unit=self.unit,
            sampling_rate_hz=self.sampling_rate_hz,
            start_s=self.start_s,
            stop_s=self.stop_s,
            recordings=self.recordings,
        )

    def _spike_trains(self, file: Path) -> Recordings:
        from spike2pop_nb.spiketrains import read_spike_trains

        self.check_unused()
        of_voltage = {field.name for field in fields(HowToDetect)}
        options: dict[str, Any] = {k: v for k, v in asdict(self).items() if k not in of_voltage}
        if self.id_columns is not None:
            names = [name.strip() for text in self.id_columns for name in text.split(",")]
            options["id_columns"] = [] if names == ["none"] else names
        return read_spike_trains(file, **options)

    def asked(self) -> dict[str, Any]:
        """The options that were given, for the summary of results."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) != f.default}


def _said(recordings: Recordings) -> Recordings:
    """Recordings, of which it is said how they were understood."""
    for line in recordings.report.describe().splitlines():
        typer.echo(line, err=True)
    return recordings


AS_IT_SAYS: Final = HowToRead()
"""Nothing fixed: a file is read as it says itself."""


def reads_recordings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `HowToRead`, which it gets as its parameter ``how``."""
    own = inspect.signature(command).parameters
    hints = get_type_hints(command, include_extras=True)
    options = get_type_hints(HowToRead, include_extras=True)

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        how = HowToRead(**{name: given.pop(name) for name in options})
        command(**given, how=how)

    shown = [own[name].replace(annotation=hints[name]) for name in own if name != "how"]
    shown += [
        inspect.Parameter(
            f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=options[f.name]
        )
        for f in fields(HowToRead)
    ]
    shown.sort(key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    named = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in shown]
    with_options.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in named}
    return with_options
