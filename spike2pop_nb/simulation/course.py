"""What changes while a simulation runs: conductances along a course, or whatever a schedule says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import INHIBITION_E_MV, Inhibition
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.plan import Plan, make_plan

__all__ = ["COURSE_MS", "Course", "HeldCurrents", "Inhibited", "Levels", "Schedule", "Waves"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
COURSE_MS = 5.0
"""What changes smoothly is brought up to date this often, in ms."""


class Levels(NamedTuple):
    """What holds for members for some time."""

    g: FloatArray
    """(n, n_channels), in mS/cm²."""
    E: FloatArray
    """(n, n_channels), in mV."""
    current: FloatArray
    """Injected, (n,), in µA/cm²."""


class Waves(NamedTuple):
    """What is injected, which may be something else in every step."""

    which: IntArray
    """The waveform that each member gets, (n,)."""
    current: npt.NDArray[np.floating[Any]]
    """(n_waveforms, n_pieces), in µA/cm²."""
    conductance: npt.NDArray[np.floating[Any]] | None
    """The same for an added conductance in mS/cm², whose flow towards its E counts in ``current``."""
    piece: IntArray | None = None
    """Which piece holds in each step, (n_steps,); by default each step has its own."""

    def pieces(self) -> IntArray:
        """Return which piece holds in each step, also where each has its own."""
        return np.arange(self.current.shape[1]) if self.piece is None else self.piece

    def of_each_step(self) -> Waves:
        """Return the same with a piece for each step."""
        if self.piece is None:
            return self
        conductance = None if self.conductance is None else self.conductance[:, self.piece]
        return Waves(self.which, self.current[:, self.piece], conductance)


class Schedule:
    """What is done to members while they are simulated; of itself, nothing.

    All times are in ms from the start of the simulation, its transient included.

    Examples
    --------
    >>> from spike2pop_nb.simulation import Schedule
    >>> Schedule().jumps_ms()
    ()
    """

    def checked(self, n: int, n_channels: int) -> Schedule:
        """Itself, if it fits the members."""
        return self

    def select(self, rows: IntArray) -> Schedule:
        """Return the schedule of some members."""
        return self

    def groups(self, n: int) -> list[IntArray]:
        """Return which of n members can be simulated side by side: those with the same plans."""
        return [np.arange(n)]

    def jumps_ms(self) -> Sequence[float]:
        """Return when something changes at once."""
        return ()

    def moving_ms(self) -> Sequence[tuple[float, float]]:
        """Return the stretches in which levels change smoothly."""
        return ()

    def reached(self, g: FloatArray) -> FloatArray:
        """Return all conductances that members come to, or their extremes, (n, k, n_channels)."""
        return g[:, None]

    def levels(self, ms: float, g: FloatArray, E: FloatArray) -> Levels:
        """Return what holds at a time for members of conductances g and reversal potentials E."""
        return Levels(g, E, np.zeros(len(g)))

    def waves(self, ms: FloatArray) -> Waves | None:
        """Return what is injected at given times, (n_steps,); None for nothing."""
        return None

    def plan(self, neuron: NeuronModel, dt_ms: float, ms: float) -> Plan:
        """Return the tables that hold at a time, the same for all members of a group."""
        return make_plan(neuron, dt_ms)


@dataclass(frozen=True, eq=False)
class Course(Schedule):
    """Maximal conductances over time, linear between given times and constant outside them.

    Attributes
    ----------
    time_ms : (k,)
        Rising, from the start of the simulation, its transient included.
    g : (n, k, n_channels)
        In mS/cm².

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation import Course
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> g = np.stack([population.g, 0.9 * population.g], axis=1)
    >>> Course(np.array([500.0, 1500.0]), g).at(1000.0).shape
    (4, 8)
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

    def select(self, rows: IntArray) -> Course:
        """Return the course of some members."""
        return Course(self.time_ms, self.g[rows])

    def moving_ms(self) -> Sequence[tuple[float, float]]:
        """Return from its first to its last time."""
        return ((float(self.time_ms[0]), float(self.time_ms[-1])),)

    def reached(self, g: FloatArray) -> FloatArray:
        """Return all its conductances."""
        return self.g

    def levels(self, ms: float, g: FloatArray, E: FloatArray) -> Levels:
        """Return its conductances in place of those of the members."""
        return Levels(self.at(ms), E, np.zeros(len(g)))


@dataclass(frozen=True, eq=False)
class HeldCurrents(Schedule):
    """A constant current for each member.

    Attributes
    ----------
    current : (n,)
        In µA/cm²; positive depolarises.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation import HeldCurrents
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> held = HeldCurrents(np.full(4, -10.0))
    >>> run = s2p.simulate(population, duration_ms=900, transient_ms=300, course=held, record="spikes")
    >>> [len(times) for times in run.spike_times_ms]
    [0, 0, 0, 0]
    """

    current: FloatArray

    def select(self, rows: IntArray) -> HeldCurrents:
        """Return the currents of some members."""
        return HeldCurrents(self.current[rows])

    def levels(self, ms: float, g: FloatArray, E: FloatArray) -> Levels:
        """Return the currents."""
        return Levels(g, E, self.current)


@dataclass(frozen=True, eq=False)
class Inhibited(Schedule):
    """What another schedule does, to members that receive a rhythmic inhibition all the while.

    Attributes
    ----------
    inhibition
        Of the members.
    beside
        The other schedule.
    """

    inhibition: Inhibition
    beside: Schedule

    def checked(self, n: int, n_channels: int) -> Inhibited:
        """Itself, if it fits the members.

        Raises
        ------
        SimulationError
            If it does not.
        """
        if len(self.inhibition) != n:
            raise SimulationError(
                f"There is inhibition of {len(self.inhibition)} members, and there are {n}."
            )
        return Inhibited(self.inhibition, self.beside.checked(n, n_channels))

    def select(self, rows: IntArray) -> Inhibited:
        """Return that of some members."""
        return Inhibited(self.inhibition.select(rows), self.beside.select(rows))

    def groups(self, n: int) -> list[IntArray]:
        """Return the groups of the other schedule."""
        return self.beside.groups(n)

    def jumps_ms(self) -> Sequence[float]:
        """Return those of the other schedule: the inhibition is given in every step."""
        return self.beside.jumps_ms()

    def moving_ms(self) -> Sequence[tuple[float, float]]:
        """Return those of the other schedule."""
        return self.beside.moving_ms()

    def reached(self, g: FloatArray) -> FloatArray:
        """Return the conductances of the other schedule."""
        return self.beside.reached(g)

    def levels(self, ms: float, g: FloatArray, E: FloatArray) -> Levels:
        """Return the levels of the other schedule."""
        return self.beside.levels(ms, g, E)

    def waves(self, ms: FloatArray) -> Waves:
        """Return the inhibition, and what the other schedule injects."""
        conductance, piece = self.inhibition.pieces(ms)
        which, current = np.arange(len(conductance)), conductance * np.float32(INHIBITION_E_MV)
        beside = self.beside.waves(ms)
        if beside is None:
            return Waves(which, current, conductance, piece)
        beside = beside.of_each_step()
        current, conductance = current[:, piece] + beside.current[beside.which], conductance[:, piece]
        if beside.conductance is not None:
            conductance = conductance + beside.conductance[beside.which]
        return Waves(which, current, conductance)

    def plan(self, neuron: NeuronModel, dt_ms: float, ms: float) -> Plan:
        """Return the plan of the other schedule."""
        return self.beside.plan(neuron, dt_ms, ms)
