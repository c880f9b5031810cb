"""How a file is to be read, and spikes found in voltages: the options of all that take recordings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from spike2pop_nb.errors import SpikeTrainError

if TYPE_CHECKING:
    from spike2pop_nb.spiketrains import Detected, Recordings, SpikeTrain

__all__ = ["HowToDetect", "HowToRead", "levels_of"]

_Layout = Literal["auto", "list", "long", "columns", "rows", "single", "trials"]


@dataclass(frozen=True)
class HowToDetect:
    """What the options of voltage say; each field is an option, its help the text beside it."""

    voltage: Annotated[
        bool, typer.Option("--voltage", help="The file holds voltage traces; detect the spikes in them.")
    ] = False
    channels: Annotated[
        list[str] | None,
        typer.Option(help="With --voltage: channels to read, by name or number from 0, such as Vm1,Vm2."),
    ] = None
    voltage_unit: Annotated[
        Literal["auto", "V", "mV", "uV", "nV"],
        typer.Option(help="With --voltage: its unit; auto takes what the file says."),
    ] = "auto"
    threshold_mV: Annotated[
        list[str] | None,
        typer.Option(
            "--threshold-mv",
            help="With --voltage: where spikes cross, in mV (or the unit of the file, if another); for all, "
            "or ID=VALUE. Repeatable; suggested by each trace by default.",
        ),
    ] = None
    reset_mV: Annotated[
        list[str] | None,
        typer.Option(
            "--reset-mv",
            help="With --voltage: the level to come back to before the next spike; as --threshold-mv.",
        ),
    ] = None
    polarity: Annotated[
        Literal["auto", "up", "down", "both"],
        typer.Option(help="With --voltage: which way spikes cross; both for either phase beside a cell."),
    ] = "auto"

    def check_unused(self) -> None:
        """Refuse options of voltage without ``--voltage``.

        Raises
        ------
        SpikeTrainError
            Naming the first of them.
        """
        for field in fields(HowToDetect):
            if not self.voltage and getattr(self, field.name) != field.default:
                option = field.name.lower().replace("_", "-")
                raise SpikeTrainError(f"--{option} is for voltages; add --voltage, or leave it out.")


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
        for name in self.asked():
            if name in ("layout", "id_columns", "time_column", "sheets"):
                raise SpikeTrainError(f"--{name.replace('_', '-')} is for spike times, not for --voltage.")
        from spike2pop_nb.spiketrains import detect_traces, read_voltage
        from spike2pop_nb.spiketrains.detected import recordings_of

        thresholds = levels_of(self.threshold_mV, "--threshold-mv")
        resets = levels_of(self.reset_mV, "--reset-mv")
        channels = None
        if self.channels is not None:
            channels = [name.strip() for text in self.channels for name in text.split(",") if name.strip()]
        traces = read_voltage(
            file,
            unit=self.voltage_unit,
            channels=channels,
            time_unit=self.unit,
            sampling_rate_hz=self.sampling_rate_hz,
            start_s=self.start_s,
            stop_s=self.stop_s,
            recordings=self.recordings,
        )
        found = detect_traces(traces, thresholds, resets, polarity=self.polarity)
        return recordings_of(found, traces), found

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


def levels_of(texts: list[str] | None, option: str) -> list[float] | dict[str, float] | None:
    """Levels that are written as VALUE (for all, or several for one trace each) or ID=VALUE.

    Raises
    ------
    SpikeTrainError
        When a value is no number, or values for one trace each are mixed with ids.
    """
    if texts is None:
        return None
    plain: list[float] = []
    named: dict[str, float] = {}
    for text in texts:
        for part in text.split(","):
            name, mark, value = part.rpartition("=")
            try:
                level = float(value)
            except ValueError:
                raise SpikeTrainError(
                    f"{option} {part.strip()}: write a number in mV, or ID=VALUE, such as Vm=-20."
                ) from None
            if mark:
                named[name.strip()] = level
            else:
                plain.append(level)
    if not named:
        return plain
    if len(plain) > 1:
        raise SpikeTrainError(
            f"{option}: give one value for all, one for each trace, or ID=VALUE; of values without an id "
            "only one can stand beside those with one."
        )
    return named | ({"*": plain[0]} if plain else {})
