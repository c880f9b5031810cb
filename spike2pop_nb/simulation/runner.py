"""Run the compiled kernel over blocks of members, in chunks of time between which it can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spike2pop_nb.jit import is_kept, words
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.course import COURSE_MS, Schedule, Waves
from spike2pop_nb.simulation.kernel import (
    CA_BEFORE,
    CA_NOW,
    POOL,
    V_BEFORE,
    V_NOW,
    run_block,
    scratch_rows,
    state_rows,
)
from spike2pop_nb.simulation.lanes import LANES
from spike2pop_nb.simulation.noise import NOISE_CLOCK_MS, NOISE_CUTOFF_HZ, filter_sections, gaussian_quantiles
from spike2pop_nb.simulation.plan import aligned

__all__ = [
    "UNUSABLE",
    "Block",
    "Runner",
    "compiling_words",
    "keeps_compiled",
    "needs_compiling",
    "unusable",
]

FloatArray = npt.NDArray[np.float64]
UNUSABLE = "a conductance is negative or not finite, or there is no leak"
_CHUNK_MS = 250.0
# With positive conductances the voltage stays between the reversal potentials but for injected current;
# this far outside, the member has run away.
_RUNAWAY_MV = 200.0


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


@dataclass(frozen=True, eq=False)
class Block:
    """What some members gave.

    Attributes
    ----------
    spike_times_ms
        One array a member, from the start of the simulation.
    failures
        Why each member failed; empty if it did not.
    V_mV : (n, n_samples)
        Voltages.
    I : (n, n_channels, n_samples), Ca_uM : (n, n_pools, n_samples)
        Currents and calcium; n is 0 unless they were asked for.
    """

    spike_times_ms: list[FloatArray]
    failures: list[str]
    V_mV: npt.NDArray[np.float32]
    I: FloatArray  # noqa: E741
    Ca_uM: FloatArray


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
    ) -> None:
        self.neuron, self.dt, self.start = neuron, dt, start
        self.n_steps, self.sample0 = round(stop / dt), round(start / dt)
        self.sample_every = 0 if sample_ms is None else max(1, round(sample_ms / dt))
        samples = self.n_steps - self.sample0
        self.n_samples = -(-samples // self.sample_every) if self.sample_every else 0
        self.sigma, self.seeds = sigma, seeds
        self.current = np.zeros(len(sigma)) if current is None else current
        self.filters = filter_sections(noise_cutoff_Hz)

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
        plan = schedule.plan(neuron, dt, 0.0)
        # Whole tiles only: members are added to fill the last, and thrown away.
        T = -(-n // LANES)
        B = T * LANES
        fill = np.minimum(np.arange(B), n - 1)

        def tiles(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
            """Values (n, k) of the members as (T, k, LANES)."""
            with np.errstate(
                over="ignore"
            ):  # a member that cannot be simulated runs away, which is said below
                each = np.asarray(values, dtype=np.float32)[fill]
            return aligned(each.reshape(T, LANES, -1).transpose(0, 2, 1))

        n_pools = len(plan.pools)
        state = aligned(np.zeros((T, state_rows(n_pools), LANES)))
        state[:, [V_NOW, V_BEFORE]] = plan.numbers[0]
        for row in (CA_NOW, CA_BEFORE):
            state[:, row::POOL] = plan.Ca_initial[:, None]
        x = tiles(np.tile(plan.initial, (n, 1)))
        lost = aligned(np.zeros_like(x))
        E = np.tile(neuron.E_mV, (n, 1))
        scratch = aligned(np.zeros((scratch_rows(plan.n_columns, len(plan.order), n_pools), LANES)))
        pending, n_spikes = np.full(B, -1.0), np.zeros(B, dtype=np.int64)
        spikes = np.empty((B, int(self.n_steps * dt - self.start) + 16))
        traces = np.zeros((B, self.n_samples), dtype=np.float32)
        recorded = n if currents else 0
        I = np.zeros((recorded, len(plan.order), self.n_samples))  # noqa: E741
        calcium = np.zeros((recorded, n_pools, self.n_samples))
        sigma, seeds = (values[rows][fill].reshape(T, LANES) for values in (self.sigma, self.seeds))
        current, biquads = np.zeros((T, LANES)), np.zeros((T, 4, 2, LANES))
        failed = np.zeros(B, dtype=bool)
        for step0, stop0 in pairwise(self._borders(schedule)):
            count, middle = stop0 - step0, 0.5 * (step0 + stop0) * dt
            plan = schedule.plan(neuron, dt, middle)
            levels = schedule.levels(middle, g, E)
            given = (levels.current + self.current[rows])[fill].reshape(T, LANES).astype(float)
            waves = schedule.waves(np.asarray((np.arange(step0, stop0) + 0.5) * dt, dtype=np.float64))
            run_block(
                state,
                x,
                lost,
                tiles(levels.g[:, plan.order]),
                tiles(levels.E[:, plan.order]),
                scratch,
                plan.table,
                plan.n_columns,
                plan.n_relaxing,
                plan.n_calcium_gated,
                plan.n_gates,
                plan.n_ahead,
                plan.hills,
                plan.schemes,
                plan.pools,
                plan.nernst,
                plan.ends,
                plan.factors,
                plan.order,
                plan.numbers,
                dt,
                step0,
                count,
                self.start,
                sigma,
                round(NOISE_CLOCK_MS / dt),
                self.filters,
                gaussian_quantiles(),
                biquads,
                seeds,
                current,
                given,
                *_in_tiles(waves, fill),
                spikes,
                n_spikes,
                pending,
                self.sample_every,
                self.sample0,
                traces,
                I,
                calcium,
            )
            failed |= ~(np.abs(state[:, V_NOW].ravel()) < _RUNAWAY_MV)
            if not advance(n, count * dt):
                break
        full = n_spikes == spikes.shape[1]  # one a millisecond: no neuron, but noise without a low pass can
        failures = [
            "the voltage ran away"
            if failed[lane]
            else "more than a spike a millisecond"
            if full[lane]
            else ""
            for lane in range(n)
        ]
        kept = [spikes[lane, : n_spikes[lane]].copy() for lane in range(n)]
        return Block(kept, failures, traces[:n], I, calcium)

    def _borders(self, schedule: Schedule) -> list[int]:
        """Return the steps at which something may change, with the first and the end of all."""

        def step(ms: float) -> int:
            return round(min(max(ms / self.dt, 0.0), self.n_steps))

        borders = {*range(0, self.n_steps, max(1, round(_CHUNK_MS / self.dt))), self.n_steps}
        borders |= {step(ms) for ms in schedule.jumps_ms()}
        for begin, end in schedule.moving_ms():
            borders |= {*range(step(begin), step(end), max(1, round(COURSE_MS / self.dt))), step(end)}
        return sorted(borders)


def _in_tiles(
    waves: Waves | None, fill: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return which waveforms each tile gets, and their currents and conductances as the kernel takes them."""
    none = np.zeros((1, 0, LANES), dtype=np.float32)
    if waves is None:
        return np.zeros(len(fill) // LANES, dtype=np.int64), none, none
    # tiles whose members all get the same share one
    kinds, which = np.unique(waves.which[fill].reshape(-1, LANES), axis=0, return_inverse=True)
    injected = aligned(waves.current[kinds].transpose(0, 2, 1))
    if waves.conductance is None:
        return which.ravel(), injected, np.zeros((len(kinds), 0, LANES), dtype=np.float32)
    return which.ravel(), injected, aligned(waves.conductance[kinds].transpose(0, 2, 1))
