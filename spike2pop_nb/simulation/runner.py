"""Run the compiled kernel over blocks of members, in chunks of time between which it can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spike2pop_nb.jit import is_kept, words
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.course import COURSE_MS, Schedule
from spike2pop_nb.simulation.kernel import run_block
from spike2pop_nb.simulation.noise import NOISE_CUTOFF_HZ, filter_sections
from spike2pop_nb.simulation.tiles import Block, Tiles

__all__ = [
    "UNUSABLE",
    "Runner",
    "compiling_words",
    "keeps_compiled",
    "needs_compiling",
    "unusable",
]

FloatArray = npt.NDArray[np.float64]
UNUSABLE = "a conductance is negative or not finite, or there is no leak"
_CHUNK_MS = 250.0
# What is injected anew in every step is computed for so many members and steps at once.
_MOST_INJECTED = 1 << 25


def needs_compiling() -> bool:
    """Return whether the next simulation has to compile the kernel first (some seconds).

    Once a machine, or at each start where `keeps_compiled` says that it cannot be kept.

    Examples
    --------
    >>> from spike2pop_nb.simulation import needs_compiling
    >>> isinstance(needs_compiling(), bool)
    True
    """
    if run_block.signatures:
        return False
    try:
        # The only one who knows whether stored code fits this source is Numba's own, private index.
        return not run_block._cache._cache_file._load_index()
    except (AttributeError, OSError):
        return True


def keeps_compiled() -> bool:
    """Return whether the compiled kernel is kept for the next start.

    Examples
    --------
    >>> from spike2pop_nb.simulation import keeps_compiled
    >>> isinstance(keeps_compiled(), bool)
    True
    """
    return is_kept(run_block)


def compiling_words() -> str:
    """Return what to say before the kernel is compiled.

    Examples
    --------
    >>> from spike2pop_nb.simulation import compiling_words
    >>> isinstance(compiling_words(), str)
    True
    """
    return words(run_block)


def unusable(g: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which members (n,) cannot be simulated with conductances (n, k, n_channels) at k times."""
    return ~(np.all(np.isfinite(g) & (g >= 0), axis=(1, 2)) & np.all(g[..., -1] > 0, axis=1))


class Runner:
    """Everything that blocks share; one call of `run` integrates one block.

    Parameters
    ----------
    neuron, dt
        What is integrated, and the time step in ms.
    start, stop
        Times in ms between which spikes and samples are kept.
    sample_ms
        Time between samples; None for none.
    sigma, seeds : (n,)
        Noise of all members, of which a block takes its own.
    current : (n,)
        Constant current injected in all members in µA/cm²; none by default.
    tiles
        Makes what a block runs in: `Tiles`, on the CPU.
    """

    def __init__(
        self,
        neuron: NeuronModel,
        dt: float,
        start: float,
        stop: float,
        sample_ms: float | None,
        sigma: FloatArray,
        seeds: npt.NDArray[np.uint64],
        noise_cutoff_Hz: float = NOISE_CUTOFF_HZ,
        current: FloatArray | None = None,
        tiles: Callable[..., Tiles] = Tiles,
    ) -> None:
        self.neuron, self.dt, self.start = neuron, dt, start
        self.n_steps, self.sample0 = round(stop / dt), round(start / dt)
        self.sample_every = 0 if sample_ms is None else max(1, round(sample_ms / dt))
        samples = self.n_steps - self.sample0
        self.n_samples = -(-samples // self.sample_every) if self.sample_every else 0
        self.capacity = int(self.n_steps * dt - start) + 16  # spikes that are kept: one a millisecond
        self.sigma, self.seeds = sigma, seeds
        self.current = np.zeros(len(sigma)) if current is None else current
        self.filters = filter_sections(noise_cutoff_Hz, used=bool(sigma.any()))
        self.tiles = tiles

    def time_ms(self) -> FloatArray:
        """Return the times of the samples."""
        steps = self.sample0 + self.sample_every * np.arange(self.n_samples)
        return np.asarray(steps * self.dt, dtype=np.float64)

    def run(
        self,
        g: FloatArray,
        rows: npt.NDArray[np.int64],
        advance: Callable[[int, float], bool] = lambda members, ms: True,
        schedule: Schedule | None = None,
        currents: bool = False,
    ) -> Block:
        """Integrate one block.

        Parameters
        ----------
        g : (n, n_channels)
            Maximal conductances of its members.
        rows : (n,)
            Their places among all.
        advance
            Told (members, ms) after each chunk; it returns whether to go on.
        schedule
            What is done to its members meanwhile.
        currents
            Record currents and calcium as well.
        """
        schedule, neuron, dt, n = schedule or Schedule(), self.neuron, self.dt, len(g)
        E = np.tile(neuron.E_mV, (n, 1))
        tiles = self.tiles(schedule.plan(neuron, dt, 0.0), self, rows, currents)
        for step0, stop0 in pairwise(self._borders(schedule)):
            count, middle = stop0 - step0, 0.5 * (step0 + stop0) * dt
            plan = schedule.plan(neuron, dt, middle)
            waves = schedule.waves(np.asarray((np.arange(step0, stop0) + 0.5) * dt, dtype=np.float64))
            tiles.advance(plan, schedule.levels(middle, g, E), waves, step0, count)
            if not advance(n, count * dt):
                break
        return tiles.block()

    def _borders(self, schedule: Schedule) -> list[int]:
        """Return the steps at which something may change, with the first and the end of all."""

        def step(ms: float) -> int:
            return round(min(max(ms / self.dt, 0.0), self.n_steps))

        waves = schedule.waves(np.zeros(1))
        most = self.n_steps if waves is None else _MOST_INJECTED // len(waves.current)
        chunk = max(1, min(round(_CHUNK_MS / self.dt), most))
        borders = {*range(0, self.n_steps, chunk), self.n_steps}
        borders |= {step(ms) for ms in schedule.jumps_ms()}
        for begin, end in schedule.moving_ms():
            borders |= {*range(step(begin), step(end), max(1, round(COURSE_MS / self.dt))), step(end)}
        return sorted(borders)
