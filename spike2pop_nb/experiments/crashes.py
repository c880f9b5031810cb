"""When and how a member loses its rhythm: silent, depolarisation block, another pattern, or run away."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spike2pop_nb.spiketrains import ActivityPattern, PatternReport, SpikeTrain, describe_pattern

__all__ = ["BLOCKED", "LOST", "PAUSES", "RAN_AWAY", "SILENT", "Crash", "crash_of", "ran_away"]

FloatArray = npt.NDArray[np.float64]
SILENT, BLOCKED, LOST, RAN_AWAY = "silent", "depolarisation block", "lost its pattern", "ran away"
PAUSES = 3.0
_LEAST_SILENCE_MS = 250.0
_LEAST_WINDOW_MS = 500.0
_RUNAWAY_MV = 200.0


class Crash(NamedTuple):
    """How and when a member lost its rhythm; nothing where it did not."""

    how: str = ""
    ms: float = float("nan")


def alike(one: PatternReport, other: PatternReport) -> bool:
    """Return whether two patterns are the same; so are regular and irregular firing where it is uncertain."""
    if one.kind is other.kind:
        return True
    both_tonic = {one.kind, other.kind} == {ActivityPattern.REGULAR, ActivityPattern.IRREGULAR}
    return both_tonic and (one.uncertain or other.uncertain)


def crash_of(
    times_ms: FloatArray,
    found: PatternReport,
    was: PatternReport,
    longest_ms: float,
    window_ms: tuple[float, float],
    onset_ms: float,
    voltage: tuple[FloatArray, npt.NDArray[np.float32]],
    V_th_mV: float,
) -> Crash:
    """Return how and when a member lost the rhythm that it has in the control.

    It has a pattern and a longest interval in the control, and a pattern in the stretch of full effect, whose
    onset may lie before the recording. If it is silent while its voltage (times in ms, mV) stays above the
    threshold, it is in depolarisation block.
    """
    if was.kind is ActivityPattern.SILENT:
        return Crash()
    start, stop = window_ms
    until = times_ms[times_ms <= stop]
    last = max(float(until[-1]) if until.size else start, max(onset_ms, 0.0))
    if found.kind is ActivityPattern.SILENT or stop - last > max(PAUSES * longest_ms, _LEAST_SILENCE_MS):
        time, V = voltage
        tail = V[(time > last + 5.0) & (time <= stop)]
        high = tail.size > 0 and float(np.median(tail)) > V_th_mV
        return Crash(BLOCKED if high else SILENT, last)
    if alike(found, was):
        return Crash()
    if onset_ms <= 0:  # before the recording begins
        return Crash(LOST, start)
    return Crash(LOST, _left(until, was, (onset_ms, stop), max(_LEAST_WINDOW_MS, 4.0 * longest_ms)))


def ran_away(time_ms: FloatArray, V_mV: npt.NDArray[np.float32]) -> Crash:
    """Return when a voltage ran away."""
    away = np.flatnonzero(~(np.abs(V_mV) < _RUNAWAY_MV))
    return Crash(RAN_AWAY, float(time_ms[away[0]]) if away.size else float("nan"))


def _left(times_ms: FloatArray, was: PatternReport, span: tuple[float, float], width_ms: float) -> float:
    """Return the end of the last stretch of a train that still has a pattern; the start if none has."""
    start, stop = span
    for end in np.arange(stop, start + 1e-9, -0.25 * width_ms).tolist():
        begin = end - width_ms
        inside = times_ms[(times_ms >= begin) & (times_ms <= end)]
        if alike(describe_pattern(SpikeTrain("stretch", inside, (begin, end))), was):
            return end
    return start
