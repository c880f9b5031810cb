"""Members that are neuromodulated while they are simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import ModulationPath
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.simulation.course import Course
from spike2pop_nb.simulation.simulated import Simulated
from spike2pop_nb.simulation.simulator import simulate
from spike2pop_nb.spiketrains import PatternReport, SpikeTrain, describe_pattern

__all__ = ["Modulated", "simulate_modulation"]

FloatArray = npt.NDArray[np.float64]


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

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> found = s2p.simulate_modulation(path, before_ms=500, during_ms=500, after_ms=500)
    >>> found.end_ms - found.begin_ms, len(found.after())
    (500.0, 4)
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

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> found = s2p.simulate_modulation(path, before_ms=500, during_ms=500, after_ms=500)
    >>> found.time_ms().round()
    array([3500., 3625., 3750., 3875., 4000.])
    """
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
