"""When and how a member loses its rhythm: silent, depolarisation block, another pattern, or run away."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spike2pop_nb.spiketrains import ActivityPattern, SpikeTrain, describe_pattern

__all__ = ["BLOCKED", "LOST", "RAN_AWAY", "SILENT", "Crash", "crash_of", "hidden"]

FloatArray = npt.NDArray[np.float64]
SILENT, BLOCKED, LOST, RAN_AWAY = "silent", "depolarisation block", "lost its pattern", "ran away"
_PAUSES = 3.0
_LEAST_SILENCE_MS = 250.0
_LEAST_WINDOW_MS = 500.0
_RUNAWAY_MV = 200.0


class Crash(NamedTuple):
    """How and when a member lost its rhythm; nothing where it did not."""

    how: str = ""
    ms: float = float("nan")


def crash_of(
    train: SpikeTrain,
    control: SpikeTrain,
    time_ms: FloatArray,
    V_mV: npt.NDArray[np.float32],
    V_th_mV: float,
    failed: bool,
) -> Crash:
    """Return how and when a member lost the rhythm that it has in the control.

    Parameters
    ----------
    train, control
        Its spikes in full effect, and in the control.
    time_ms, V_mV : (n_samples,)
        Its voltage.
    V_th_mV
        A member that is silent while its voltage stays above the threshold is in depolarisation block.
    failed
        Whether its voltage ran away.
    """
    if failed:
        away = np.flatnonzero(~(np.abs(V_mV) < _RUNAWAY_MV))
        return Crash(RAN_AWAY, float(time_ms[away[0]]) if away.size else float("nan"))
    was = describe_pattern(control).kind
    if was is ActivityPattern.SILENT:
        return Crash()
    start, stop = train.window_ms or (0.0, 0.0)
    longest = float(control.isi_ms.max())
    last = float(train.times_ms[-1]) if train.n_spikes else start
    kind = describe_pattern(train).kind
    if kind is ActivityPattern.SILENT or stop - last > max(_PAUSES * longest, _LEAST_SILENCE_MS):
        tail = V_mV[(time_ms > last + 5.0) & (time_ms <= stop)]
        high = tail.size > 0 and float(np.median(tail)) > V_th_mV
        return Crash(BLOCKED if high else SILENT, last)
    if kind is was:
        return Crash()
    return Crash(LOST, _left(train, was, max(_LEAST_WINDOW_MS, 4.0 * longest)))


def _left(train: SpikeTrain, was: ActivityPattern, width_ms: float) -> float:
    """Return the end of the last stretch of a train that still has a pattern; its start if none has."""
    start, stop = train.window_ms or (0.0, 0.0)
    last = start
    for begin in np.arange(start, stop - width_ms + 1e-9, 0.25 * width_ms):
        end = begin + width_ms
        inside = train.times_ms[(train.times_ms >= begin) & (train.times_ms <= end)]
        if describe_pattern(SpikeTrain("stretch", inside, (begin, end))).kind is was:
            last = end
    return float(last)


def hidden(V_mV: npt.NDArray[np.float32], failed: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return voltages (n, k, n_samples) without those of members that failed, which are none."""
    return np.where(failed[..., None], np.float32(np.nan), V_mV)
