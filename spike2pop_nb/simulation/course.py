"""Conductances that change while a simulation runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import SimulationError

__all__ = ["COURSE_MS", "Course"]

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

    def select(self, rows: npt.NDArray[np.int64]) -> Course:
        """Return the course of some members."""
        return Course(self.time_ms, self.g[rows])
