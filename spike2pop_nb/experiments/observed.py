"""What a recording shows of a cell: how it fires, and a few numbers of that, each on a scale of its own.

Rates, periods, durations and counts are compared by their logarithms, spreads as they are. The numbers are
those by which members are judged (`spike2pop_nb.fidelity.measures`): typical values, which a stray spike or
a burst that the recording cuts leaves alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spike2pop_nb.experiments.experiment import Experiment
from spike2pop_nb.fidelity import measures
from spike2pop_nb.spiketrains import ActivityPattern, SpikeTrain, describe_pattern

__all__ = [
    "KINDS_OF_FIRING",
    "MEASURES",
    "Answers",
    "Measure",
    "in_units",
    "observe",
    "observe_train",
    "told_by",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Measure:
    """A number that a recording shows."""

    title: str
    unit: str
    logarithm: bool
    """Whether values are compared by their logarithms."""
    bursts: bool
    """Whether only cells that burst have it."""
    least: float
    """SD below which a recording cannot tell it: how cells drift from one window to the next, and how much a
    spike more or less in a burst is; of logarithms a share."""


MEASURES = {
    "rate_Hz": Measure("firing rate", "Hz", True, False, 0.04),
    "cv": Measure("CV of intervals", "", False, False, 0.04),
    "burst_period_ms": Measure("burst period", "ms", True, True, 0.04),
    "burst_duration_ms": Measure("burst duration", "ms", True, True, 0.07),
    "spikes_per_burst": Measure("spikes per burst", "", True, True, 0.07),
    "intra_burst_Hz": Measure("rate within bursts", "Hz", True, True, 0.06),
}
"""What is read off a recording, by the names of columns."""
KINDS_OF_FIRING = ("silent", "tonic", "bursting", "failed")
"""How a cell fires; a member whose voltage ran away has failed."""
SILENT, TONIC, BURSTING, FAILED = range(4)
_FEWEST_CYCLES = 2
_LEAST_CV = 1e-3


def told_by(kind: int) -> list[int]:
    """Return the places of the measures that tell cells apart which fire in this way."""
    if kind == TONIC:
        return [0, 1]
    # the rate is the product of the rate of bursts and the spikes in each
    return [2, 3, 4, 5] if kind == BURSTING else []


@dataclass(frozen=True, eq=False)
class Answers:
    """What members, or a cell, show under each condition."""

    kinds: IntArray
    """(n, k): places in `KINDS_OF_FIRING`."""
    values: FloatArray
    """(n, k, q): the `MEASURES`, those that are logarithms as such; NaN where there is none."""

    def at(self, condition: int) -> tuple[IntArray, FloatArray]:
        """Return kinds, (n,), and values, (n, q), under one condition."""
        return self.kinds[:, condition], self.values[:, condition]


def observe(experiment: Experiment) -> Answers:
    """Return what the members of an experiment show, each while everything is in full effect."""
    n, k = len(experiment), len(experiment.conditions)
    kinds, values = np.zeros((n, k), dtype=np.int64), np.full((n, k, len(MEASURES)), np.nan)
    failed, begin, end = (experiment.data[name].values for name in ("failed", "from_ms", "to_ms"))
    patterns = experiment.data["pattern"].values  # silent also stands for what fell silent in the end
    for at, name in enumerate(experiment.conditions):
        window = (float(begin[at]), float(end[at]))
        for member, times in enumerate(experiment.spike_times_ms[name]):
            if failed[member, at]:
                kinds[member, at] = FAILED
            else:
                known = str(patterns[member, at])
                known = "" if known == ActivityPattern.SILENT else known
                kinds[member, at], values[member, at] = observe_train(times, window, known)
    return Answers(kinds, values)


def observe_train(
    times_ms: FloatArray, window_ms: tuple[float, float], pattern: str = ""
) -> tuple[int, FloatArray]:
    """Return how a train fires within a window, and its measures, (q,); its pattern may be known."""
    times = times_ms[(times_ms >= window_ms[0]) & (times_ms <= window_ms[1])]
    values = np.full(len(MEASURES), np.nan)
    kind = pattern or describe_pattern(SpikeTrain("answer", times, window_ms)).kind
    if kind == ActivityPattern.SILENT:
        return SILENT, values
    isi = np.diff(times)
    values[0] = np.log(1000.0 * len(times) / (window_ms[1] - window_ms[0]))
    if kind != ActivityPattern.BURSTING:
        if isi.size >= 2:
            rate, cv, *_ = measures.measure(list(isi[:, None]), False)
            values[:2] = rate, max(float(cv), _LEAST_CV)
        return TONIC, values
    cycles = measures.cut(times, True)
    if len(cycles) >= _FEWEST_CYCLES:
        period, duration, count, within, *_ = measures.measure(cycles, True)
        values[0] = np.log(1000.0) + count - period
        values[1] = float(isi.std() / isi.mean())
        values[2:] = period, duration, count, np.log(1000.0) - within
    return BURSTING, values


def in_units(values: FloatArray) -> FloatArray:
    """Return measures (..., q) in their units instead of as logarithms."""
    logs = np.array([measure.logarithm for measure in MEASURES.values()])
    return np.where(logs, np.exp(np.where(logs, values, 0.0)), values)
