"""How the spikes of a recorded voltage are to be found: the options of all commands that take recordings."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from spike2pop_nb.errors import SpikeTrainError

if TYPE_CHECKING:
    from spike2pop_nb.spiketrains import Detected, Recordings

__all__ = ["HowToDetect", "levels_of", "read_voltage_file"]


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


def read_voltage_file(file: Path, how: HowToDetect, **reading: Any) -> tuple[Recordings, list[Detected]]:
    """The spikes of a file of voltages, as the options say, and how they were found in each trace.

    Parameters
    ----------
    file : Path
        The file.
    how : HowToDetect
        The options of voltage.
    **reading
        Options of reading that voltages share, as `read_voltage` takes them: ``time_unit``,
        ``sampling_rate_hz``, ``start_s``, ``stop_s``, ``recordings``.

    Raises
    ------
    SpikeTrainError
        When a level is no number, and as `read_voltage` and `detect_recordings`.
    """
    from spike2pop_nb.spiketrains import detect_traces, read_voltage
    from spike2pop_nb.spiketrains.detected import recordings_of

    thresholds = levels_of(how.threshold_mV, "--threshold-mv")
    resets = levels_of(how.reset_mV, "--reset-mv")
    channels = None
    if how.channels is not None:
        channels = [name.strip() for text in how.channels for name in text.split(",") if name.strip()]
    traces = read_voltage(file, unit=how.voltage_unit, channels=channels, **reading)
    found = detect_traces(traces, thresholds, resets, polarity=how.polarity)
    return recordings_of(found, traces), found


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
