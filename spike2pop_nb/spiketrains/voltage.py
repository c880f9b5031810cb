"""Voltage traces: reading them, suggesting a threshold, and detecting the spikes in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError

from .limits import MAX_SAMPLES
from .loading import load
from .readers.formats import read_signals
from .readers.raw import Source, counted, shown
from .readers.voltage_file import RawTrace, traces_from_signals, traces_from_text
from .recordings import ReadReport, Recordings
from .trace import VoltageTrace, VoltageTraces
from .train import FloatArray, Provenance, SpikeTrain
from .units import shown_unit

__all__ = [
    "VoltageTrace",
    "VoltageTraces",
    "detect_recordings",
    "detect_spikes",
    "read_voltage",
    "suggest_threshold_mV",
]

VoltageUnit: TypeAlias = Literal["auto", "V", "mV", "uV"]
TimeUnit: TypeAlias = Literal["auto", "s", "ms", "us"]

_TO_MV: Final = {"V": 1000.0, "mV": 1.0, "uV": 0.001}
# Smaller deflections are synaptic potentials or noise rather than spikes of a cell recorded from inside.
_SMALLEST_SPIKE_MV: Final = 5.0
# Spikes stand apart from synaptic potentials when none lie between them and a third of their size.
_APART: Final = 3.0


def read_voltage(
    source: str | Path | bytes | bytearray | memoryview | BinaryIO,
    *,
    filename: str | None = None,
    unit: VoltageUnit = "auto",
    time_unit: TimeUnit = "auto",
) -> VoltageTraces:
    """Read the voltage traces of a file.

    Tables (CSV, TXT) with a column of times and one or more of voltage; ABF, AxoGraph, WinWCP, WinEDR,
    Spike2, NIX and the other formats of neo with signals of voltage, a trace per channel and sweep; NWB files
    with acquired series in volts.

    Parameters
    ----------
    source : str, Path, bytes or binary file
        A path, the contents of a file, or an open file. Up to 50 MB (on disk 4 GB where the format is not
        text) and 20 million samples over all traces.
    filename : str, optional
        Name to use in messages when `source` has none of its own.
    unit : {"auto", "V", "mV", "uV"}
        Unit of the voltage in a table. "auto" takes it from a column name such as ``V_mV``, otherwise from
        the largest value: V up to 1, mV up to 1000, else µV; `VoltageTrace.unit_reason` says which.
    time_unit : {"auto", "s", "ms", "us"}
        Unit of the times in a table. "auto" takes it from the column name, otherwise from the step: s below
        0.002, ms below 5, else µs.

    Returns
    -------
    list of VoltageTrace
        In the file's order; its ``skipped`` says what was left out.

    Raises
    ------
    SpikeTrainError
        With one sentence that names the file and, where it can, the row and the value.
    """
    for value, choices in ((unit, VoltageUnit), (time_unit, TimeUnit)):
        if value not in get_args(choices):
            known = ", ".join(repr(choice) for choice in get_args(choices))
            raise SpikeTrainError(f"The unit {value!r} is unknown; choose one of {known}.")
    loaded = load(source, filename)
    if loaded.path is not None and loaded.path.is_dir():
        raise loaded.error("this is a folder; give a file with a trace of voltage.")
    if not loaded.data:
        raise loaded.error("the file is empty; it must hold a trace of voltage.")
    try:
        found, skipped, format_ = _raw(loaded)
    except MemoryError:
        raise loaded.error("the file needs more memory than there is; split it into smaller files.") from None
    if not found:
        raise loaded.error("the file holds no trace of voltage.")
    if sum(trace.samples.size for trace in found) > MAX_SAMPLES:
        raise loaded.error(f"the file holds more than {MAX_SAMPLES:,} samples; split it into smaller files.")
    traces = [_converted(raw, format_, unit, time_unit, loaded) for raw in found]
    return VoltageTraces(traces, tuple(skipped))


def suggest_threshold_mV(trace: VoltageTrace) -> float:
    """Threshold half-way between the level that the voltage falls back to between spikes and their peaks.

    Parameters
    ----------
    trace : VoltageTrace
        A trace with at least one spike.

    Returns
    -------
    float
        In mV.

    Raises
    ------
    SpikeTrainError
        When no peak stands out by 5 mV or more.

    Notes
    -----
    Peaks are local maxima of a prominence of at least 5 mV. Where their prominences, sorted, leave a gap of a
    factor of three or more, those above the widest gap are the spikes and the rest synaptic potentials. The
    threshold is the mean of two medians over the spikes: of their heights, and of the levels that they rise
    from (height less prominence). Medians keep a few artefacts from moving it, and in a burst the level is
    that of the plateau, which the threshold must stay above.
    """
    from scipy.signal import find_peaks

    peaks, found = find_peaks(trace.V_mV, prominence=_SMALLEST_SPIKE_MV)
    if not peaks.size:
        raise SpikeTrainError(
            f"No peak of the trace {trace.id!r} stands out by {_SMALLEST_SPIKE_MV:g} mV or more, so there is "
            "no spike to set a threshold by; check the unit of its voltage, or give a threshold."
        )
    prominence = found["prominences"]
    ordered = np.sort(prominence)
    ratios = ordered / np.concatenate(([_SMALLEST_SPIKE_MV], ordered[:-1]))
    widest = int(np.argmax(ratios))
    spikes = prominence >= (ordered[widest] if ratios[widest] >= _APART else ordered[0])
    height = trace.V_mV[peaks[spikes]]
    return 0.5 * float(np.median(height) + np.median(height - prominence[spikes]))


def detect_spikes(
    trace: VoltageTrace,
    threshold_mV: float,
    reset_mV: float | None = None,
    *,
    min_interval_ms: float = 1.0,
) -> SpikeTrain:
    """Spikes of a trace: upward crossings of a threshold.

    Parameters
    ----------
    trace : VoltageTrace
        The trace.
    threshold_mV : float
        A spike is where the voltage rises to it; the time is interpolated linearly between samples.
    reset_mV : float, optional
        The voltage must have been at or below this since the last spike, which keeps noise at the threshold
        from counting twice. By default below the threshold by a tenth of what the highest voltage is above.
    min_interval_ms : float
        A crossing sooner than this after the last spike is not counted.

    Returns
    -------
    SpikeTrain
        Of the trace's id; its window is the time from the first to the last sample.

    Raises
    ------
    SpikeTrainError
        When the threshold or the reset is not finite, or the reset is above the threshold.
    """
    volts, times = trace.V_mV, trace.times_ms
    if reset_mV is None:
        reset_mV = threshold_mV - 0.1 * max(float(volts.max()) - threshold_mV, 0.0)
    if not (np.isfinite([threshold_mV, reset_mV]).all() and reset_mV <= threshold_mV):
        raise SpikeTrainError(
            f"The threshold is {threshold_mV} mV and the reset {reset_mV} mV; both must be finite, and the "
            "reset not above the threshold."
        )
    if not min_interval_ms >= 0:
        raise SpikeTrainError(f"The shortest interval is {min_interval_ms} ms; it must be zero or more.")
    first = _crossings(volts, threshold_mV, reset_mV)
    rise = volts[first] - volts[first - 1]
    fraction = (threshold_mV - volts[first - 1]) / rise
    crossings = times[first - 1] + fraction * (times[first] - times[first - 1])
    kept: list[float] = []
    for time in crossings.tolist():
        if not kept or (time - kept[-1] >= min_interval_ms and time > kept[-1]):
            kept.append(time)
    origin = trace.provenance or Provenance("a trace")
    place = f"{origin.location or trace.id}, rising through {threshold_mV:g} mV"
    provenance = Provenance(origin.source, origin.format, place, origin.unit)
    return SpikeTrain(trace.id, np.array(kept), (float(times[0]), float(times[-1])), provenance)


def detect_recordings(traces: Sequence[VoltageTrace], threshold_mV: float | None = None) -> Recordings:
    """Spike trains of several traces, with a report, as `read_spike_trains` gives them.

    Parameters
    ----------
    traces : sequence of VoltageTrace
        What `read_voltage` returned.
    threshold_mV : float, optional
        For all traces. By default each has the one that `suggest_threshold_mV` gives; a trace without a spike
        to suggest it by becomes a silent train.

    Returns
    -------
    Recordings
        A train per trace. Ids that are taken are numbered.

    Raises
    ------
    SpikeTrainError
        When there are no traces, or the threshold is not finite.
    """
    if not traces:
        raise SpikeTrainError("There is no trace of voltage; at least one is needed to detect spikes in.")
    trains: list[SpikeTrain] = []
    thresholds: list[float] = []
    silent: list[str] = []
    taken: dict[str, int] = {}
    for trace in traces:
        level = threshold_mV
        if level is None:
            try:
                level = suggest_threshold_mV(trace)
            except SpikeTrainError:
                level = float(trace.V_mV.max()) + _SMALLEST_SPIKE_MV
                silent.append(trace.id)
            else:
                thresholds.append(level)
        train = detect_spikes(trace, level)
        taken[trace.id] = taken.get(trace.id, 0) + 1
        if taken[trace.id] > 1:
            train = replace(train, id=f"{trace.id} ({taken[trace.id]})")
        trains.append(train)
    cautions = []
    if threshold_mV is None and thresholds:
        low, high = min(thresholds), max(thresholds)
        span = f"{low:.3g} mV" if low == high else f"{low:.3g} to {high:.3g} mV"
        cautions.append(f"spikes detected where the voltage rises through {span}, as the traces suggest")
    if silent:
        cautions.append(
            f"{counted(len(silent), 'trace')} without a peak of {_SMALLEST_SPIKE_MV:g} mV, {shown(silent)}, "
            "kept as silent"
        )
    origin = traces[0].provenance or Provenance("a trace")
    report = ReadReport(
        filename=origin.source,
        format=origin.format or "voltage",
        layout="voltage",
        layout_reason="a trace of voltage per train",
        unit=origin.unit,
        unit_reason=traces[0].unit_reason or "mV and ms",
        n_trains=len(trains),
        n_spikes=sum(train.n_spikes for train in trains),
        skipped=tuple(getattr(traces, "skipped", ())),
        cautions=tuple(cautions),
    )
    return Recordings(trains, report)


def _crossings(volts: FloatArray, threshold: float, reset: float) -> NDArray[np.intp]:
    """Indices of the samples that first reach the threshold after one at or below the reset."""
    high = volts >= threshold
    marks = np.flatnonzero(high | (volts <= reset) if reset < threshold else np.ones_like(high))
    up = high[marks]
    turned = marks[1:][up[1:] & ~up[:-1]]
    # A trace that starts between reset and threshold is below the threshold, and so ready for a spike.
    if marks.size and up[0] and marks[0] > 0:
        turned = np.concatenate((marks[:1], turned))
    return turned


def _raw(loaded: Source) -> tuple[list[RawTrace], list[str], str]:
    """Traces as they stand in the file, what was left out, and the format."""
    table = read_signals(loaded)
    if table is None:
        return *traces_from_text(loaded), "text"
    return traces_from_signals(table), table.skipped, table.format


def _converted(
    raw: RawTrace, format_: str, unit: VoltageUnit, time_unit: TimeUnit, source: Source
) -> VoltageTrace:
    reasons = [raw.reason] if raw.reason else []
    chosen_time: str | None = raw.time_unit
    chosen: str | None = raw.unit
    if not raw.reason:  # a table, whose units the caller may choose
        step = float(np.median(np.diff(raw.times))) if raw.times.size > 1 else 1.0
        largest = float(np.nanmax(np.abs(raw.samples), initial=0.0))
        chosen_time, why_time = _choice(time_unit, raw.time_unit, _time_unit(step), f"the step of {step:.4g}")
        # In a name such as soma_V, the V may as well be the quantity; no cell is at 10 V.
        named = None if raw.unit == "V" and largest > 10.0 else raw.unit
        chosen, why = _choice(unit, named, _voltage_unit(largest), f"the largest value of {largest:.4g}")
        reasons = [f"voltage in {'µV' if chosen == 'uV' else chosen}, {why}"]
        reasons.append(f"times in {shown_unit(chosen_time)}, {why_time}")
    assert chosen is not None
    assert chosen_time is not None
    scale = {"s": 1000.0, "ms": 1.0, "us": 0.001}[chosen_time]
    try:
        return VoltageTrace(
            source.id(raw.id),
            raw.times * scale,
            raw.samples * _TO_MV[chosen],
            "; ".join(reasons),
            Provenance(source.name, format_, raw.location, chosen_time),
        )
    except SpikeTrainError as error:
        text = str(error)
        raise (error if text.startswith(source.name) else source.error(text[0].lower() + text[1:])) from None


def _choice(asked: str, named: str | None, judged: str, by: str) -> tuple[str, str]:
    if asked != "auto":
        return asked, "as asked for"
    return (named, "as the column name says") if named is not None else (judged, f"assumed from {by}")


def _time_unit(step: float) -> str:
    # Traces are sampled at 500 Hz to 200 kHz: a step of 0.005 to 2 ms.
    return "s" if step < 0.002 else "ms" if step < 5.0 else "us"


def _voltage_unit(largest: float) -> str:
    return "V" if largest <= 1.0 else "mV" if largest <= 1000.0 else "uV"
