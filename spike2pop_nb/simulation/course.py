"""Conductances that change while a simulation runs, and the neuromodulation of members that uses them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import ModulationPath
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.spiketrains import PatternReport, SpikeTrain, describe_pattern

if TYPE_CHECKING:
    from spike2pop_nb.simulation.simulator import Simulated

__all__ = ["COURSE_MS", "Course", "Modulated", "simulate_modulation"]

FloatArray = npt.NDArray[np.float64]
COURSE_MS = 5.0
"""Changing conductances are brought up to date this often, in ms."""


@dataclass(frozen=True, eq=False)
class Course:
    """Maximal conductances over time, linear between given times and constant outside them.

    Attributes
    ----------
    time_ms : (k,)
        Rising, from the start of the simulation, its transient included.
    g : (n, k, n_channels)
        In mS/cm².
    """

    time_ms: FloatArray
    g: FloatArray

    def checked(self, n: int, n_channels: int) -> Course:
        """Itself, if it fits the members.

        Raises
        ------
        SimulationError
            If it does not, or a time or conductance cannot be.
        """
        time, g = np.asarray(self.time_ms, dtype=float), np.asarray(self.g, dtype=float)
        if time.ndim != 1 or not time.size or not np.all(np.isfinite(time)) or not np.all(np.diff(time) > 0):
            raise SimulationError("The times of changing conductances must be finite and rise.")
        if g.shape != (n, time.size, n_channels):
            raise SimulationError(
                f"Changing conductances must have shape ({n}, {time.size}, {n_channels}): members, times, "
                f"channels; not {g.shape}."
            )
        return Course(time, g)

    def at(self, ms: float) -> FloatArray:
        """Return the conductances of all members at one time, (n, n_channels)."""
        time = self.time_ms
        right = int(np.clip(np.searchsorted(time, ms), 1, max(1, time.size - 1)))
        if time.size == 1 or ms <= time[0]:
            return self.g[:, 0]
        if ms >= time[-1]:
            return self.g[:, -1]
        way = (ms - time[right - 1]) / (time[right] - time[right - 1])
        return self.g[:, right - 1] + way * (self.g[:, right] - self.g[:, right - 1])

    def select(self, rows: npt.NDArray[np.int64]) -> Course:
        """Return the course of some members."""
        return Course(self.time_ms, self.g[rows])


@dataclass(frozen=True, eq=False)
class Modulated:
    """Members that were neuromodulated while they were simulated.

    Attributes
    ----------
    path
        Their ways through the plane.
    simulated
        Spikes and voltages over the whole time.
    begin_ms, end_ms
        When modulation begins and ends, from the start of the simulation.
    """

    path: ModulationPath
    simulated: Simulated
    begin_ms: float
    end_ms: float

    def step_at(self, ms: npt.ArrayLike) -> FloatArray:
        """Return how far modulation has come at given times, in steps of the path."""
        way = (np.asarray(ms, dtype=float) - self.begin_ms) / (self.end_ms - self.begin_ms)
        return np.clip(way, 0.0, 1.0) * self.path.steps

    def time_ms(self) -> FloatArray:
        """Return when each step of the path is reached, (steps + 1,)."""
        return np.linspace(self.begin_ms, self.end_ms, self.path.steps + 1)

    def _part(self, row: int, start: float, stop: float) -> SpikeTrain:
        times = self.simulated.spike_times_ms[row]
        inside = times[(times >= start) & (times <= stop)]
        return SpikeTrain(id=str(row), times_ms=inside, window_ms=(start, stop))

    def before(self) -> list[PatternReport]:
        """Return the firing pattern of each member before modulation begins."""
        start = self.simulated.transient_ms
        return [describe_pattern(self._part(row, start, self.begin_ms)) for row in range(len(self.path))]

    def after(self) -> list[PatternReport]:
        """Return the firing pattern of each member after modulation has ended."""
        stop = self.simulated.duration_ms
        return [describe_pattern(self._part(row, self.end_ms, stop)) for row in range(len(self.path))]


def simulate_modulation(
    path: ModulationPath,
    *,
    before_ms: float | None = None,
    during_ms: float | None = None,
    after_ms: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    **options: Any,
) -> Modulated:
    """Simulate members while they move along their paths: one continuous run, in which conductances change.

    Parameters
    ----------
    path
        What `modulation_path` gave. A member that cannot go on keeps the conductances it had come to.
    before_ms, during_ms, after_ms
        How long the members stay as they are, move, and stay where they arrived; each as long as the neuron's
        recording window by default. All after its transient, which is left out.
    progress, cancel, options
        As in `simulate`; among the options are ``accuracy``, ``record``, ``noise_sigma``, ``seed``.

    Raises
    ------
    SimulationError
        If a length is not positive.
    Cancelled
        If ``cancel`` asked for it.
    """
    from spike2pop_nb.simulation.simulator import simulate

    transient, stop = path.neuron.recording_window_ms
    named = (("before_ms", before_ms), ("during_ms", during_ms), ("after_ms", after_ms))
    lengths = [stop - transient if length is None else float(length) for _name, length in named]
    for (name, _), length in zip(named, lengths, strict=True):
        if not (np.isfinite(length) and length > 0):
            raise SimulationError(f"{name} must be longer than 0 ms, not {length:g} ms.")
    begin = transient + lengths[0]
    end = begin + lengths[1]
    simulated = simulate(
        path.at(0),
        duration_ms=end + lengths[2],
        transient_ms=transient,
        course=Course(np.linspace(begin, end, path.steps + 1), path.g),
        progress=progress,
        cancel=cancel,
        **options,
    )
    return Modulated(path, simulated, begin, end)
