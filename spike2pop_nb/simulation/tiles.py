"""The members of a block, side by side in tiles: what the kernel needs, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spike2pop_nb.simulation.course import Levels, Waves
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
from spike2pop_nb.simulation.noise import NOISE_CLOCK_MS, gaussian_quantiles
from spike2pop_nb.simulation.plan import Plan, aligned

__all__ = ["Block", "Tiles"]

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
# With positive conductances the voltage stays between the reversal potentials but for injected current;
# this far outside, the member has run away.
_RUNAWAY_MV = 200.0
_BLOCK = 128


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
    V_mV: Float32Array
    I: FloatArray  # noqa: E741
    Ca_uM: FloatArray


class Settings(Protocol):
    """How all blocks are run: what `Runner` holds."""

    dt: float
    start: float
    n_steps: int
    sample0: int
    sample_every: int
    n_samples: int
    capacity: int
    sigma: FloatArray
    seeds: npt.NDArray[np.uint64]
    current: FloatArray
    filters: FloatArray


class Tiles:
    """The members of one block.

    Parameters
    ----------
    plan
        That of the start.
    how
        How all blocks are run.
    rows : (n,)
        The places of its members among all.
    currents
        Record currents and calcium as well.
    lanes
        Members of a tile.
    """

    def __init__(
        self, plan: Plan, how: Settings, rows: IntArray, currents: bool = False, lanes: int = LANES
    ) -> None:
        self.how, self.n, self.lanes = how, len(rows), lanes
        # Whole tiles only: members are added to fill the last, and thrown away.
        T = -(-self.n // lanes)
        B = T * lanes
        self.fill = np.minimum(np.arange(B), self.n - 1)
        n_pools, n_channels = len(plan.pools), len(plan.order)
        self.state = aligned(np.zeros((T, state_rows(n_pools), lanes)))
        self.state[:, [V_NOW, V_BEFORE]] = plan.numbers[0]
        for row in (CA_NOW, CA_BEFORE):
            self.state[:, row::POOL] = plan.Ca_initial[:, None]
        self.x = self.tiled(np.tile(plan.initial, (self.n, 1)))
        self.lost = aligned(np.zeros_like(self.x))
        self.pending = np.full(B, -1.0)
        self.n_spikes: Any = np.zeros(B, dtype=np.int64)
        self.scratch = aligned(np.zeros((scratch_rows(plan.n_columns, n_channels, n_pools), LANES)))
        self.spikes = self.room(B, how.capacity, np.float64)
        self.traces = self.room(B, how.n_samples, np.float32)
        recorded = self.n if currents else 0
        self.I = np.zeros((recorded, n_channels, how.n_samples))
        self.calcium = np.zeros((recorded, n_pools, how.n_samples))
        self.sigma, self.seeds, self.held = (
            values[rows][self.fill].reshape(T, lanes) for values in (how.sigma, how.seeds, how.current)
        )
        self.filters, self.quantiles = how.filters, gaussian_quantiles()
        self.current, self.biquads = np.zeros((T, lanes)), np.zeros((T, 4, 2, lanes))
        self.failed = np.zeros(B, dtype=bool)

    @staticmethod
    def shares(how: Settings, n: int, workers: int) -> tuple[int, int]:
        """Return how many threads work on n members, and how many members each takes at once."""
        width = min(_BLOCK, -(-n // (workers * LANES)) * LANES) if n else _BLOCK
        return workers, width

    def room(self, rows: int, columns: int, kind: Any) -> Any:
        """Return room for what is kept of every member."""
        return np.zeros((rows, columns), dtype=kind)

    def tiled(self, values: npt.ArrayLike) -> Float32Array:
        """Return values (n, k) of the members as (T, k, lanes)."""
        # a member that cannot be simulated runs away, which is said in the end
        with np.errstate(over="ignore"):
            each = np.asarray(values, dtype=np.float32)[self.fill]
        return aligned(each.reshape(-1, self.lanes, each.shape[1]).transpose(0, 2, 1))

    def given(self, levels: Levels) -> FloatArray:
        """Return what is injected all the time, (T, lanes)."""
        return np.asarray(levels.current[self.fill].reshape(self.held.shape) + self.held, dtype=np.float64)

    def advance(self, plan: Plan, levels: Levels, waves: Waves | None, step0: int, count: int) -> None:
        """Advance all members by some steps."""
        run_block(
            self.state,
            self.x,
            self.lost,
            self.tiled(levels.g[:, plan.order]),
            self.tiled(levels.E[:, plan.order]),
            self.scratch,
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
            *self.drawn(step0, count),
            self.given(levels),
            *_in_tiles(waves, self.fill),
            *self.kept(),
            self.I,
            self.calcium,
        )
        self.check(self.state[:, V_NOW].ravel())

    def drawn(self, step0: int, count: int) -> tuple[Any, ...]:
        """Return the arguments of the kernel that tell time and noise."""
        how, every = self.how, round(NOISE_CLOCK_MS / self.how.dt)
        noise = (self.sigma, every, self.filters, self.quantiles, self.biquads, self.seeds, self.current)
        return (how.dt, step0, count, how.start, *noise)

    def kept(self) -> tuple[Any, ...]:
        """Return the arguments of the kernel in which spikes and voltages are kept."""
        return (
            self.spikes,
            self.n_spikes,
            self.pending,
            self.how.sample_every,
            self.how.sample0,
            self.traces,
        )

    def check(self, V: Float32Array) -> None:
        """Note which members ran away."""
        self.failed |= ~(np.abs(V) < _RUNAWAY_MV)

    def block(self) -> Block:
        """Return what its members gave."""
        full = self.n_spikes == self.how.capacity  # no neuron, but noise without a low pass can
        failures = [
            "the voltage ran away"
            if self.failed[lane]
            else "more than a spike a millisecond"
            if full[lane]
            else ""
            for lane in range(self.n)
        ]
        kept = [self.spikes[lane, : self.n_spikes[lane]].copy() for lane in range(self.n)]
        return Block(kept, failures, self.traces[: self.n], self.I, self.calcium)


def _in_tiles(waves: Waves | None, fill: IntArray) -> tuple[IntArray, IntArray, Float32Array, Float32Array]:
    """Return which waveforms each tile gets, and their pieces, currents and conductances, for the kernel."""
    none = np.zeros((1, 0, LANES), dtype=np.float32)
    if waves is None:
        return np.zeros(len(fill) // LANES, dtype=np.int64), np.zeros(0, dtype=np.int64), none, none
    piece = waves.pieces()
    # tiles whose members all get the same share one
    kinds, which = np.unique(waves.which[fill].reshape(-1, LANES), axis=0, return_inverse=True)
    injected = aligned(waves.current[kinds].transpose(0, 2, 1))
    if waves.conductance is None:
        return which.ravel(), piece, injected, np.zeros((len(kinds), 0, LANES), dtype=np.float32)
    return which.ravel(), piece, injected, aligned(waves.conductance[kinds].transpose(0, 2, 1))
