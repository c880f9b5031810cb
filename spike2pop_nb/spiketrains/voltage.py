"""Voltage traces: reading them in every format; their spikes are found by `detection` and `detected`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from spike2pop_nb.errors import SpikeTrainError, WayOut, printable

from .detected import detect_recordings
from .detection import detect_spikes, suggest_threshold_mV
from .layouts.signals import RawTrace, Signals, signals_of_format, signals_of_table
from .limits import MAX_SAMPLES
from .reader import load, parse_file
from .readers.builder import is_of_signals
from .readers.formats import is_hdf5, read_signals
from .readers.raw import Source, counted, shown
from .readers.signal_objects import table_from_signal
from .signal_units import SignalUnit, judged_unit
from .stretch import Stretch
from .table import Table
from .trace import VoltageTrace, VoltageTraces
from .train import Provenance, unique_ids
from .units import check_rate, checked_unit, shown_unit, to_ms

__all__ = [
    "VoltageTrace",
    "VoltageTraces",
    "VoltageUnit",
    "detect_recordings",
    "detect_spikes",
    "read_voltage",
    "suggest_threshold_mV",
]

VoltageUnit: TypeAlias = Literal["auto", "V", "mV", "uV", "nV"]

_Judged: TypeAlias = "dict[str, tuple[SignalUnit, str] | None]"

_TO_MV: Final = {"V": 1000.0, "mV": 1.0, "uV": 0.001, "nV": 1e-6}
_UNNAMED: Final = "units of the file"


def read_voltage(
    source: object,
    *,
    filename: str | None = None,
    unit: VoltageUnit = "auto",
    time_unit: str = "auto",
    sampling_rate_hz: float | None = None,
    channels: str | int | Sequence[str | int] | None = None,
    start_s: float | None = None,
    stop_s: float | None = None,
    recordings: str | Sequence[str] | None = None,
) -> VoltageTraces:
    """Read the voltage traces of a file.

    Tables (CSV, TXT, Excel) with a column per trace, with or without one of times, also sweeps one below
    another; NPY, NPZ, MAT and HDF5 with arrays of one or more channels; ABF, AxoGraph, WinWCP, WinEDR,
    Spike2, NIX and the other formats of neo, a trace per channel and sweep; NWB files with acquired series.

    Parameters
    ----------
    source : str, Path, bytes, binary file, or an object of a library
        A path, the contents of a file, or an open file. Up to 50 MB (on disk 4 GB where the format is not
        text) and 20 million samples over all traces. AnalogSignals, Segments and Blocks of neo, quantities,
        DataFrames with the times as index or column, arrays and dictionaries are taken too.
    filename : str, optional
        Name to use in messages when `source` has none of its own.
    unit : {"auto", "V", "mV", "uV", "nV"}
        Unit of the voltage. "auto" takes what the file, a column name such as ``V_mV`` or a comment says,
        otherwise what the values suggest, where a name says that they are a voltage or they are those of a
        neuron that rests and spikes; `VoltageTrace.unit_reason` says which. A trace in another unit, or in
        one that is not understood, keeps it in `VoltageTrace.unit`. What is asked for is used in any case.
    time_unit : str
        Unit of a column of times: "h", "min", "s", "ms", "us", "ns", or a multiple such as "0.1 ms". "auto"
        takes it from the column name, otherwise from the step: s below 0.002, ms below 5, else µs.
    sampling_rate_hz : float, optional
        Rate of traces without times. By default what the file says, such as ``fs = 20 kHz``.
    channels : str, int or sequence of them, optional
        Names, or numbers from 0, of the channels to read. By default all that are a voltage; a current is
        read only when it is named.
    start_s, stop_s : float, optional
        The stretch to read, in s on the recording's own clock.
    recordings : str or sequence of str, optional
        Ids of the traces to read; all by default.

    Returns
    -------
    list of VoltageTrace
        In the file's order; its ``skipped``, ``repairs`` and ``cautions`` say what was left out, put right
        and looks odd.

    Raises
    ------
    SpikeTrainError
        With one sentence that names the file and, where it can, the row and the value.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> traces = s2p.read_voltage(b"time_ms,Vm_mV\\n0,-60\\n0.1,-59\\n0.2,30\\n0.3,-60\\n")
    >>> traces[0].V_mV
    array([-60., -59.,  30., -60.])
    """
    if unit not in get_args(VoltageUnit):
        known = ", ".join(repr(choice) for choice in get_args(VoltageUnit))
        raise SpikeTrainError(f"The unit {unit!r} is unknown; choose one of {known}.")
    clock = checked_unit(time_unit)
    check_rate(sampling_rate_hz)
    stretch = Stretch.checked(recordings, start_s, stop_s)
    loaded, signals, format_ = _signals(source, filename, sampling_rate_hz, clock)
    try:
        judged = _judge(signals.traces)
        raws = _chosen(signals, channels, judged, loaded)
        if sum(raw.samples.size for raw in raws) > MAX_SAMPLES:
            raise loaded.error(
                f"the file holds more than {MAX_SAMPLES:,} samples; split it into smaller files."
            )
        raws = stretch.chosen(raws, loaded, signals.skipped)
        traces = [_converted(raw, format_, unit, clock, judged, stretch, signals, loaded) for raw in raws]
    except MemoryError:
        raise loaded.error("the file needs more memory than is available; split it.") from None
    found = [trace for trace in traces if trace is not None]
    if not found:
        raise loaded.error(f"no trace has samples {stretch}; choose another stretch of the recording.")
    rates = {float(f"{1000.0 / trace.step_ms:.4g}") for trace in found}
    if sampling_rate_hz is not None and any(abs(rate / sampling_rate_hz - 1.0) > 0.01 for rate in rates):
        signals.cautions.append(
            f"the sampling rate of {sampling_rate_hz:g} Hz is not used, since the file has times, at "
            f"{' and '.join(f'{rate:g}' for rate in sorted(rates))} Hz"
        )
    return VoltageTraces(
        found, *(tuple(dict.fromkeys(t)) for t in (signals.skipped, signals.repairs, signals.cautions))
    )


def _signals(
    source: object, filename: str | None, rate_hz: float | None, time_unit: str
) -> tuple[Source, Signals, str]:
    """Traces as they stand in the file, and the format."""
    path = isinstance(source, str | bytes | bytearray | memoryview)
    table = None if path or hasattr(source, "read") else table_from_signal(source)
    if table is not None:
        loaded = Source(printable(filename or f"the {type(source).__name__}"), b"")
    else:
        loaded = load(source, filename)
        if loaded.path is not None and loaded.path.is_dir():
            raise loaded.error("this is a folder; give a file with a voltage trace.")
        if not loaded.data:
            raise loaded.error("the file is empty; it must hold a voltage trace.")
        table = _parsed(loaded, source, filename)
    if is_of_signals(table):
        return loaded, _with_unique_ids(signals_of_format(table)), table.format
    if not table.columns:
        raise loaded.error("the file holds no voltage trace.")
    found = signals_of_table(table, loaded, rate_hz, time_unit)
    return loaded, _with_unique_ids(found), "text" if table.format == "table" else table.format


def _with_unique_ids(signals: Signals) -> Signals:
    ids = [raw.id for raw in signals.traces]
    new = unique_ids(ids)
    taken = sorted({name for name, other in zip(ids, new, strict=True) if name != other})
    if taken:
        signals.traces = [replace(raw, id=name) for raw, name in zip(signals.traces, new, strict=True)]
        signals.repairs.append(f"traces with an id that was taken, {shown(taken)}, now numbered")
    return signals


def _parsed(loaded: Source, source: object, filename: str | None) -> Table:
    given = loaded.data if hasattr(source, "read") else source
    try:
        table = read_signals(loaded)
    except SpikeTrainError as error:
        # HDF5 that is neither NWB nor NIX, MATLAB 7.3 for one, may hold arrays of samples.
        if not is_hdf5(loaded) or loaded.suffix in (".nwb", ".nix"):
            raise
        try:
            return parse_file(given, filename or loaded.name)[1]
        except SpikeTrainError:
            raise error from None
    return parse_file(given, filename or loaded.name)[1] if table is None else table


def _chosen(
    signals: Signals,
    channels: str | int | Sequence[str | int] | None,
    judged: _Judged,
    source: Source,
) -> list[RawTrace]:
    """The traces of the channels that are asked for, or of all that are or may be a voltage."""
    raws = signals.traces
    names = list(dict.fromkeys(raw.channel for raw in raws))
    if channels is not None:
        wanted = [channels] if isinstance(channels, str | int) else list(channels)
        if not wanted:
            raise source.error("no channel is named; name at least one, or leave the choice out for all.")
        picked = [_channel(name, names, raws, source) for name in wanted]
        rest = [name for name in names if name not in picked]
        if rest:
            signals.skipped.append(f"{counted(len(rest), 'channel')} not asked for, {shown(rest)}")
        return [raw for name in dict.fromkeys(picked) for raw in raws if raw.channel == name]
    if not raws:
        raise source.error("the file holds no voltage trace.")
    triggers = [raw for raw in raws if raw.quantity != "current" and _has_two_levels(raw)]
    if len(triggers) < len(raws):
        raws = [raw for raw in raws if not any(raw is trigger for trigger in triggers)]
        _leave_out(triggers, "with two levels only, like a trigger", signals)
    known = [raw for raw in raws if raw.quantity == "voltage"]
    silent = [raw for raw in raws if raw.quantity == "" and raw.unit is None]
    # Of what has no name that says, those are taken that look like a neuron's voltage, if any do.
    known += [raw for raw in silent if judged[raw.channel] is not None]
    kept = known or silent or [raw for raw in raws if raw.quantity == "odd"]
    if not kept:
        found = ", ".join(
            f"{raw.channel!r}"
            + (f" ({raw.unit.name})" if raw.unit else " (a current, by its name)" if raw.quantity else "")
            for raw in {raw.channel: raw for raw in raws[:6]}.values()
        )
        raise source.error(
            f"no voltage trace found, only {found}.",
            WayOut(
                "name the channel, and a threshold in its unit, if its spikes are wanted nevertheless",
                ("channels", "threshold_mV"),
            ),
            WayOut("give a file with its voltage"),
        )
    ids, unsaid = {id(raw) for raw in kept}, {id(raw) for raw in silent}
    lost = [raw for raw in raws if id(raw) not in ids]
    _leave_out([raw for raw in lost if id(raw) not in unsaid], "of another quantity", signals)
    _leave_out([raw for raw in lost if id(raw) in unsaid], "not known to be a voltage", signals)
    return [raw for raw in raws if id(raw) in ids]


def _leave_out(raws: list[RawTrace], why: str, signals: Signals) -> None:
    names = list(dict.fromkeys(raw.channel for raw in raws))
    if names:
        signals.skipped.append(f"{counted(len(names), 'column')} {why}, {shown(names)}")


def _has_two_levels(raw: RawTrace) -> bool:
    if np.isnan(raw.samples).all():  # also where there are none
        return False
    low, high = np.nanmin(raw.samples), np.nanmax(raw.samples)
    return bool(low < high and ((raw.samples == low) | (raw.samples == high)).all())


def _channel(name: str | int, names: list[str], raws: list[RawTrace], source: Source) -> str:
    """The channel of that name, or number from 0."""
    text = str(name).strip()
    if not isinstance(name, int):
        for known in names:
            if known == text:
                return known
        for raw in raws:
            if raw.id == text:
                return raw.channel
        for known in names:
            if known.casefold() == text.casefold():
                return known
    if text.isascii() and text.isdecimal() and int(text[:6]) < len(names):
        return names[int(text[:6])]
    raise source.error(f"there is no channel {text!r}; the file has {shown(names, 8)}.")


def _judge(raws: Sequence[RawTrace]) -> _Judged:
    """The unit that the values of each channel suggest, over all its sweeps; None where they do not tell."""
    by_channel: dict[str, list[RawTrace]] = {}
    for raw in raws:
        by_channel.setdefault(raw.channel, []).append(raw)
    judged: _Judged = {}
    for channel, parts in by_channel.items():
        first = parts[0]
        samples = np.concatenate([raw.samples for raw in parts]) if len(parts) > 1 else first.samples
        finite = samples[np.isfinite(samples)]
        told = first.quantity not in ("", "voltage") or not finite.size
        judged[channel] = None if told else judged_unit(finite, is_voltage=first.quantity == "voltage")
    return judged


def _converted(
    raw: RawTrace,
    format_: str,
    unit: str,
    time_unit: str,
    judged: _Judged,
    stretch: Stretch,
    signals: Signals,
    source: Source,
) -> VoltageTrace | None:
    """The trace in ms and mV (or its own unit), cut to the stretch; None where none of it is in that."""
    clock, why_clock = _clock(raw, time_unit)
    if clock == "samples":
        if raw.clock.rate_hz is None:
            raise source.error(
                "times in samples need their rate.",
                WayOut("give the sampling rate in Hz, such as 20000", ("sampling_rate_hz",)),
            )
        clock = "s"
    times = to_ms(raw.times, clock)
    samples = raw.samples
    if stretch.is_part:
        low, high = stretch.edges_ms
        inside = (times >= low) & (times < high)
        times, samples = times[inside], samples[inside]
        if times.size < 2:
            signals.skipped.append(f"the trace {raw.id!r}, which has no samples {stretch}")
            return None
        signals.skipped.append(f"everything outside the stretch {stretch}")
    name, scale, why = _scale(raw, unit, judged[raw.channel], signals)
    with np.errstate(invalid="ignore"):  # what is not finite is refused in a moment
        samples = samples * scale
    try:
        return VoltageTrace(
            source.id(raw.id),
            times,
            samples,
            f"{why}; {why_clock}",
            Provenance(source.name, format_, raw.location, clock),
            name,
        )
    except SpikeTrainError as error:
        text = error.sentence
        named = text.startswith(source.name)
        raise (error if named else source.error(text[0].lower() + text[1:], *error.ways_out)) from None


def _clock(raw: RawTrace, asked: str) -> tuple[str, str]:
    """Unit of the times, and how it is known."""
    if raw.clock.rate_hz is not None:
        return "s", f"times {raw.clock.reason}" if raw.clock.reason else f"times at {raw.clock.rate_hz:g} Hz"
    if asked != "auto":
        return asked, f"times in {shown_unit(asked)}, as asked for"
    if raw.clock.unit is not None:
        how = f", {raw.clock.reason}" if raw.clock.reason else ""
        return raw.clock.unit, f"times in {shown_unit(raw.clock.unit)}{how}"
    step = float(np.median(np.diff(raw.times))) if raw.times.size > 1 else 1.0
    # Traces are sampled at 500 Hz to 200 kHz: a step of 0.005 to 2 ms.
    unit = "s" if step < 0.002 else "ms" if step < 5.0 else "us"
    return unit, f"times in {shown_unit(unit)}, assumed from the step of {step:.4g}"


def _scale(
    raw: RawTrace, asked: str, judged: tuple[SignalUnit, str] | None, signals: Signals
) -> tuple[str, float, str]:
    """Unit of the trace as it is kept, what to multiply its samples by, and how that is known."""
    stated = raw.unit
    # In a name such as soma_V, the V may as well be the quantity; no cell is at 10 V.
    if stated is not None and stated.name == "V" and judged is not None and judged[0].name != "V":
        largest = float(np.nanmax(np.abs(raw.samples), initial=0.0))
        stated = stated if largest <= 10.0 or not raw.reason.startswith("as the") else None
    if asked != "auto":
        own = raw.own or stated
        if own is not None and own.name != asked:
            signals.cautions.append(
                f"{_shown(asked)} was asked for and is used, though {raw.channel!r} is in {_shown(own.name)} "
                f"({raw.reason})"
            )
        converted = stated.mV / raw.own.mV if stated is not None and raw.own is not None else 1.0
        return "mV", _TO_MV[asked] * converted, f"voltage in {_shown(asked)}, as asked for"
    if stated is not None and stated.quantity == "voltage":
        return "mV", stated.mV, f"voltage in {_shown(stated.name)}, {raw.reason}"
    if stated is not None:
        return stated.name, 1.0, f"in {stated.name}, {raw.reason}, which is no unit of voltage"
    if judged is None:
        return _UNNAMED, 1.0, "in a unit that nothing in the file says and the values do not tell"
    return "mV", judged[0].mV, f"voltage in {_shown(judged[0].name)}, {judged[1]}"


def _shown(unit: str) -> str:
    return unit.replace("uV", "µV")
