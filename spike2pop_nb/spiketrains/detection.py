"""Spikes of a voltage trace: from which side of the membrane it is, a threshold, and the crossings of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError, WayOut

from .sides import PHASES_MS, SIGMAS, Polarity, fast_part, larger_phase, sample_noise, side_of, sigma_of
from .trace import VoltageTrace
from .train import FloatArray, Provenance, SpikeTrain

__all__ = [
    "SMALLEST_SPIKE_MV",
    "Detection",
    "Found",
    "NoSpikes",
    "Polarity",
    "choose_detection",
    "detect_spikes",
    "find_spikes",
    "gap_ms",
    "size_unknown",
    "suggest_threshold_mV",
    "train_of",
]


SMALLEST_SPIKE_MV: Final = 5.0
"""Smaller deflections are synaptic potentials or noise rather than spikes of a cell recorded from inside."""
# Spikes stand apart from synaptic potentials when none lie between them and a third of their size.
_APART: Final = 3.0
# Peaks of a recording from inside stand out from the noise of single samples by so many of its σ.
_ABOVE_NOISE: Final = 10.0
_DEAD_MS: Final = {"up": 1.0, "down": 1.0, "both": 2.0}
# Steps over so many usual ones, and so long, are gaps rather than the steps of an adaptive integrator.
_GAP_STEPS, _GAP_MS = 20.0, 5.0


class NoSpikes(SpikeTrainError):
    """Nothing in a trace stands out, so no threshold can be set by it."""


@dataclass(frozen=True)
class Detection:
    """How the spikes of a trace are found.

    Attributes
    ----------
    outside : bool
        Whether the trace is taken for one from beside the cell (extracellular).
    side_reason : str
        Why, in words.
    polarity : {"up", "down", "both"}
        Which way spikes cross the threshold.
    threshold, reset : float
        The level that makes a spike, and the one that the trace must come back to before the next.
    centre : float
        Median of the trace.
    reason : str
        Where the threshold comes from, in words.
    slow_removed : bool
        Whether what is slower than 200 Hz is taken out before.
    n_peaks : int or None
        How many peaks the threshold was suggested by.
    """

    outside: bool
    side_reason: str
    polarity: Literal["up", "down", "both"]
    threshold: float
    reset: float
    centre: float
    reason: str
    slow_removed: bool = False
    n_peaks: int | None = None


@dataclass(frozen=True)
class Found:
    """Spikes of a trace: times in ms, and how far each peak is from the centre, in the trace's unit."""

    times_ms: FloatArray
    heights: FloatArray
    gaps_ms: FloatArray


def suggest_threshold_mV(trace: VoltageTrace) -> float:
    """Threshold that the trace itself suggests.

    Parameters
    ----------
    trace : VoltageTrace
        A trace with at least one spike.

    Returns
    -------
    float
        In mV; negative where the spikes of a recording from beside the cell point down.

    Raises
    ------
    SpikeTrainError
        When no peak of a recording from inside stands out by 5 mV or more, or the trace's unit is not known.

    Notes
    -----
    Inside a cell it lies half-way between the level that the voltage falls back to between spikes and their
    peaks. Peaks are local maxima of a prominence of at least 5 mV and ten σ of the noise. Where their
    prominences, sorted, leave a gap of a factor of three or more, those above the widest gap are the spikes
    and the rest synaptic potentials. The threshold is the mean of two medians over the spikes: of their
    heights, and of the levels that they rise from (height less prominence). Medians keep a few artefacts from
    moving it, and in a burst the level is that of the plateau, which the threshold must stay above.

    Beside a cell it is five σ of the noise, from the median of the absolute values over 0.6745, which spikes
    hardly move (Quiroga et al. 2004), on the side to which the larger phase of the spikes points.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.spiketrains import VoltageTrace
    >>> from spike2pop_nb.spiketrains import suggest_threshold_mV
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> -60 < suggest_threshold_mV(trace) < 40
    True
    """
    return choose_detection(trace).threshold


def detect_spikes(
    trace: VoltageTrace,
    threshold_mV: float | None = None,
    reset_mV: float | None = None,
    *,
    polarity: Polarity = "auto",
    min_interval_ms: float | None = None,
) -> SpikeTrain:
    """Spikes of a trace: crossings of a threshold.

    Parameters
    ----------
    trace : VoltageTrace
        The trace.
    threshold_mV : float, optional
        A spike is where the voltage crosses it. In the trace's own unit where that is not mV; by default what
        `suggest_threshold_mV` gives.
    reset_mV : float, optional
        The voltage must have come back to this since the last spike, which keeps noise at the threshold from
        counting twice. By default below the threshold by a tenth of what the highest voltage is above it;
        beside a cell half-way from the threshold to the median.
    polarity : {"auto", "up", "down", "both"}
        Which way spikes cross the threshold; "both" takes it on both sides of the median and counts the two
        phases of a spike once. By default up inside a cell, and beside it as the larger phase points, or to
        the side of the median where the threshold is. "down" and "both" take the trace for one from beside a
        cell.
    min_interval_ms : float, optional
        A crossing sooner than this after the last spike is not counted. By default 1 ms; 2 ms for "both".

    Returns
    -------
    SpikeTrain
        Of the trace's id; its window is the time from the first to the last sample. Inside a cell a spike's
        time is its crossing, interpolated linearly between samples; beside it that of its peak.

    Raises
    ------
    SpikeTrainError
        When the threshold or the reset is not finite, or the reset is beyond the threshold; or when none is
        given and the trace suggests none.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.spiketrains import VoltageTrace
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> s2p.detect_spikes(trace).times_ms[:3].round(1)
    array([ 49.2, 149.2, 249.2])
    """
    detection = choose_detection(trace, threshold_mV, reset_mV, polarity)
    return train_of(trace, detection, find_spikes(trace, detection, min_interval_ms))


def train_of(trace: VoltageTrace, detection: Detection, found: Found) -> SpikeTrain:
    """The spikes of a trace as a train that says where they come from."""
    origin = trace.provenance or Provenance("a trace")
    way = {"up": "rising through", "down": "falling through", "both": "beyond"}[detection.polarity]
    place = f"{origin.location or trace.id}, {way} {detection.threshold:g} {trace.unit}"
    units = f" ({trace.unit_reason})" if trace.unit_reason else ""
    reading = f"those of spikes in a voltage, {place}{units}"
    provenance = Provenance(origin.source, origin.format, place, origin.unit, reading)
    window = float(trace.times_ms[0]), float(trace.times_ms[-1])
    return SpikeTrain(trace.id, found.times_ms, window, provenance)


def choose_detection(
    trace: VoltageTrace,
    threshold: float | None = None,
    reset: float | None = None,
    polarity: Polarity = "auto",
) -> Detection:
    """How the spikes of a trace are to be found, from what is given and what the trace looks like."""
    if polarity not in get_args(Polarity):
        known = ", ".join(repr(choice) for choice in get_args(Polarity))
        raise SpikeTrainError(f"The polarity {polarity!r} is unknown; choose one of {known}.")
    if threshold is None and trace.unit != "mV":
        raise size_unknown(trace)
    if reset is not None and threshold is None:
        raise SpikeTrainError(
            f"A reset of {reset:g} is given without a threshold; give both, or the threshold alone."
        )
    outside, reason, way = side_of(trace, polarity)
    if outside:
        return _outside(trace, threshold, reset, way, reason, polarity)
    n_peaks = None
    why = "as asked for"
    if threshold is None:
        threshold, n_peaks = _half_way(trace)
        why = "half-way up the spikes"
    centre = float(np.median(trace.V_mV))
    if reset is None:
        reset = threshold - 0.1 * max(float(trace.V_mV.max()) - threshold, 0.0)
    _check(threshold, reset, "up", trace)
    return Detection(False, reason, "up", threshold, reset, centre, why, n_peaks=n_peaks)


def size_unknown(trace: VoltageTrace) -> SpikeTrainError:
    """Why a trace in a unit of unknown size needs its levels."""
    where = f" of {trace.provenance.source}" if trace.provenance is not None else ""
    return SpikeTrainError(
        f"The trace {trace.id!r}{where} is in {trace.unit}, whose size in mV is not known.",
        WayOut("give the threshold and the reset in the same", ("threshold_mV", "reset_mV")),
        WayOut("give the unit of the voltage", ("voltage_unit",)),
    )


def find_spikes(trace: VoltageTrace, detection: Detection, min_interval_ms: float | None = None) -> Found:
    """Times and heights of the spikes."""
    dead = _DEAD_MS[detection.polarity] if min_interval_ms is None else min_interval_ms
    if not dead >= 0:
        raise SpikeTrainError(f"The shortest interval is {dead} ms; it must be zero or more.")
    times = trace.times_ms
    centre = 0.0 if detection.slow_removed else detection.centre
    values = fast_part(trace) if detection.slow_removed else trace.V_mV
    threshold, reset = detection.threshold - centre, detection.reset - centre
    values = values - centre
    main = values
    if detection.polarity == "both":
        # Timed at the phase that is larger as a rule, so that intervals do not jump from phase to phase.
        main = values if larger_phase(trace, values)[0] == "up" else -values
        values, threshold, reset = np.abs(values), abs(threshold), abs(reset)
    elif detection.polarity == "down":
        values, threshold, reset = -values, -threshold, -reset
    first = _crossings(values, threshold, reset)
    steps = times[first] - times[first - 1]
    gap = gap_ms(trace)
    first, steps = first[steps <= gap], steps[steps <= gap]  # what happened in a gap is not known
    rise = values[first] - values[first - 1]
    crossings = times[first - 1] + (threshold - values[first - 1]) / rise * steps
    kept: list[int] = []
    last = -math.inf
    for k, time in enumerate(crossings.tolist()):
        if time - last >= dead and time > last:
            kept.append(k)
            last = time
    first, crossings = first[kept], crossings[kept]
    ends = np.searchsorted(times, crossings + max(PHASES_MS, dead if detection.outside else 0.0))
    peaks = np.array(
        [a + int(values[a : max(b, a + 1)].argmax()) for a, b in zip(first, ends, strict=True)], int
    )
    if detection.polarity == "both":
        for k, (a, b) in enumerate(zip(first, ends, strict=True)):
            at = a + int(main[a : max(b, a + 1)].argmax())
            if main[at] >= 0.5 * values[peaks[k]]:
                peaks[k] = at
    where = np.unique(times[peaks]) if detection.outside else crossings
    steps = np.diff(times)
    return Found(where, values[peaks], steps[steps > gap])


def gap_ms(trace: VoltageTrace) -> float:
    """Longest step in ms that is no gap."""
    return max(_GAP_STEPS * trace.step_ms, _GAP_MS)


def _check(threshold: float, reset: float, way: str, trace: VoltageTrace) -> None:
    beyond = reset > threshold if way == "up" else reset < threshold if way == "down" else False
    if not np.isfinite([threshold, reset]).all() or beyond:
        side = "above" if way == "up" else "below"
        raise SpikeTrainError(
            f"The threshold is {threshold} {trace.unit} and the reset {reset} {trace.unit}; both must be "
            f"finite, and the reset not {side} the threshold."
        )


def _half_way(trace: VoltageTrace) -> tuple[float, int]:
    """Threshold of a recording from inside a cell, and the number of peaks that it stands for."""
    from scipy.signal import find_peaks

    smallest = max(SMALLEST_SPIKE_MV, _ABOVE_NOISE * sample_noise(trace.V_mV))
    peaks, found = find_peaks(trace.V_mV, prominence=smallest)
    if not peaks.size:
        raise NoSpikes(
            f"No peak of the trace {trace.id!r} stands out by {smallest:.3g} mV or more, so there is no "
            "spike to set a threshold by.",
            WayOut("check the unit of its voltage", ("voltage_unit",)),
            WayOut("give a threshold", ("threshold_mV",)),
        )
    prominence = found["prominences"]
    ordered = np.sort(prominence)
    ratios = ordered / np.concatenate(([smallest], ordered[:-1]))
    widest = int(np.argmax(ratios))
    spikes = prominence >= (ordered[widest] if ratios[widest] >= _APART else ordered[0])
    height = trace.V_mV[peaks[spikes]]
    level = 0.5 * float(np.median(height) + np.median(height - prominence[spikes]))
    return level, int(spikes.sum())


def _outside(
    trace: VoltageTrace,
    threshold: float | None,
    reset: float | None,
    way: str,
    reason: str,
    polarity: Polarity,
) -> Detection:
    """Threshold and reset of a recording from beside a cell."""
    centre = float(np.median(trace.V_mV))
    slow, why = False, "as asked for"
    if threshold is None:
        fast = fast_part(trace)
        rest = trace.V_mV - centre
        slow = sigma_of(rest - fast) > sigma_of(fast)
        values = fast if slow else rest
        if polarity == "auto":
            way = larger_phase(trace, values)[0]
        level = SIGMAS * sigma_of(values)
        if not level > 0:  # over half of the samples are equal
            level = 0.5 * float(np.abs(values).max())
            if not level > 0:
                raise NoSpikes(f"The trace {trace.id!r} does not change, so there is no spike in it.")
        centre = 0.0 if slow else centre
        threshold = centre + (-level if way == "down" else level)
        why = f"{SIGMAS:g} σ of its noise"
    elif polarity == "auto":
        way = "down" if threshold < centre else "up"
    if reset is None:
        reset = centre + 0.5 * (threshold - centre)
    chosen: Literal["up", "down", "both"] = "both" if way == "both" else "down" if way == "down" else "up"
    _check(threshold, reset, chosen, trace)
    if chosen == "both" and abs(reset - centre) > abs(threshold - centre):
        raise SpikeTrainError(
            f"The reset of {reset:g} {trace.unit} is farther from the median than the threshold of "
            f"{threshold:g}; it must be nearer."
        )
    return Detection(True, reason, chosen, threshold, reset, centre, why, slow)


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
