"""From a neuron's declaration to the numbers that the simulation kernel runs on.

Gate functions are tabulated on a fine voltage grid, together with the share ``K = 1 − exp(−dt/tau)`` of the
way to steady state that a gate goes in one step, so that no transcendental function is left in the inner loop
and one compiled kernel serves every declared neuron. Everything that tells one neuron from another is data.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.neurons import Gate, KineticScheme, Nernst, NeuronModel, Pump
from spike2pop_nb.neurons.temperature import nernst_factor, rate_factor
from spike2pop_nb.simulation.lanes import COLUMNS

__all__ = ["Plan", "aligned", "make_plan"]

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
# The voltage can leave the range of the reversal potentials only through injected current.
V_MIN_MV, V_MAX_MV, V_STEP_MV = -130.0, 110.0, 0.1


@dataclass(frozen=True, eq=False)
class Plan:
    """Tables and indices for one neuron and one time step.

    State variables stand in this order: relaxing gates, relaxing gates that calcium opens or closes, gates
    that follow the voltage at once, those of them that follow calcium as well, and of each kinetic scheme its
    free states and then the one that is eliminated. Gates have two columns of the table each: the steady
    state and K, or the steady state and its slope.

    Attributes
    ----------
    table : float32 (n_voltages * 2 * n_columns,)
        On the voltage grid, one voltage after the other: the values of eight columns, the way from them to
        those of the next voltage, the next eight columns …, filled up to whole look-ups.
    n_columns : int
    n_relaxing, n_calcium_gated, n_gates, n_ahead : int
        How many gates of the first and of the second kind there are, of all four, and of all but the last.
    hills : (n_hills, 4)
        Of the second and of the last kind: pool, half activation in µM, power, 1 if calcium closes it.
    schemes : (n_schemes, 3)
        Free states of a scheme, its first state variable, and its first column.
    order : (n_channels,)
        The channels as the kernel takes them: those that feed the first pool, the next, and then the others.
    pools : (n_pools, 7)
        Where its channels end in that order, rest, influx, K, what its pump does at most (tau times the rate,
        in µM), its half, and its current.
    nernst : (n_nernst, 4)
        Channel in that order, pool, and what E is above that at rest: the third number less the fourth times
        ln Ca.
    Ca_initial : (n_pools,)
    ends : (n_channels,), factors
        The c-th of those channels is the product of the state variables up to ``factors[ends[c] − 1]``, in
        which a gate stands as often as its exponent says.
    initial : float32 (n_rows,)
        State variables at the start.
    numbers : (7,)
        V_initial, dt/C, spike threshold, spike reset, and the offset, rows per mV and last position of the
        voltage grid.
    """

    table: Float32Array
    n_columns: int
    n_relaxing: int
    n_calcium_gated: int
    n_gates: int
    n_ahead: int
    hills: FloatArray
    schemes: IntArray
    order: IntArray
    pools: FloatArray
    nernst: FloatArray
    Ca_initial: FloatArray
    ends: IntArray
    factors: IntArray
    initial: Float32Array
    numbers: FloatArray


def aligned(values: npt.ArrayLike) -> Float32Array:
    """Return values as float32 in memory that begins with a cache line, which registers load at once."""
    array = np.asarray(values, dtype=np.float32)
    room = np.empty(array.nbytes + 64, dtype=np.uint8)
    first = -room.ctypes.data % 64
    made = room[first : first + array.nbytes].view(np.float32).reshape(array.shape)
    made[...] = array
    return made


def exponentials(matrices: FloatArray) -> FloatArray:
    """Return the matrix exponential of each of many small matrices, (n, m, m).

    By Taylor series, scaling and squaring, all at once. The general routine of SciPy goes through threaded
    LAPACK calls for each 3 × 3 matrix, which take seconds in all where other processes keep the cores busy.
    """
    largest = float(np.abs(matrices).sum(axis=-1).max(initial=0.0))
    squarings = max(0, int(np.ceil(np.log2(max(largest, 1e-300)))) + 1)
    X = matrices / 2.0**squarings
    total = np.broadcast_to(np.eye(matrices.shape[-1]), matrices.shape).copy()
    term = total.copy()
    for k in range(1, 16):  # rows of X sum to a half at most: 0.5^16 / 16! is far below rounding
        term = np.einsum("nij,njk->nik", term, X) / k
        total += term
    for _ in range(squarings):
        total = np.einsum("nij,njk->nik", total, total)
    return total


@lru_cache(maxsize=16)
def make_plan(neuron: NeuronModel, dt_ms: float, temperature_C: float | None = None) -> Plan:
    """Tabulate a neuron for a time step, at its own temperature or another; cached.

    Rates are those of that temperature. Conductances are the caller's: `NeuronModel.conductance_factors`.

    Raises
    ------
    NeuronModelError
        If the declaration does not say what the neuron is at that temperature.
    """
    faster = partial(rate_factor, neuron, temperature_C=temperature_C)
    V = np.arange(V_MIN_MV, V_MAX_MV + 0.5 * V_STEP_MV, V_STEP_MV)
    V0 = np.array([neuron.V_initial_mV])
    kinds: list[list[Gate]] = [[], [], [], []]
    for gate in itertools.chain(*(channel.gates for channel in neuron.channels)):
        kinds[2 * (gate.tau is None) + (gate.hill is not None)].append(gate)
    columns: list[FloatArray] = []
    initial: list[float] = []
    place: dict[int, int] = {}
    for gate in itertools.chain(*kinds):
        steady = np.asarray(gate.x_inf(V), dtype=float)
        if gate.tau is None:
            columns += [steady, np.gradient(steady, V_STEP_MV)]
        else:
            columns += [steady, -np.expm1(-dt_ms * faster(gate.q10) / np.asarray(gate.tau(V), dtype=float))]
        place[id(gate)] = len(initial)
        initial.append(neuron.gate_at_start(gate))
    schemes: list[tuple[int, int, int]] = []
    for channel in neuron.channels:
        if channel.scheme is not None:
            scheme = channel.scheme
            n, free = len(scheme.free_states), scheme.free_states
            schemes.append((n, len(initial), len(columns)))
            place[id(scheme)] = len(initial) + (
                free.index(scheme.conducting) if scheme.conducting in free else n
            )
            columns += _steps(scheme, V, dt_ms * faster(scheme.q10))
            start = scheme.steady_state(V0)[0]
            if scheme.initial is not None:
                start = np.array([float(np.asarray(scheme.initial[state](V0))[0]) for state in free])
            initial += [*map(float, start), 1.0 - float(start.sum())]
    fed = {neuron.index(name): q for q, pool in enumerate(neuron.pools) for name in pool.channels}
    order = sorted(range(neuron.n_channels), key=lambda c: fed.get(c, len(neuron.pools)))
    factors: list[int] = []
    ends: list[int] = []
    for c in order:
        channel = neuron.channels[c]
        for gate in channel.gates:
            factors += [place[id(gate)]] * gate.exponent
        if channel.scheme is not None:
            factors.append(place[id(channel.scheme)])
        ends.append(len(factors))
    table, n_columns = _rows(columns)
    return Plan(
        table=table,
        n_columns=n_columns,
        n_relaxing=len(kinds[0]),
        n_calcium_gated=len(kinds[1]),
        n_gates=sum(map(len, kinds)),
        n_ahead=sum(map(len, kinds[:3])),
        hills=np.array(
            [
                (neuron.pool_index(gate.hill), gate.hill.half_uM, gate.hill.power, gate.hill.closes)
                for gate in (*kinds[1], *kinds[3])
                if gate.hill is not None
            ],
            dtype=float,
        ).reshape(-1, 4),
        schemes=np.array(schemes, dtype=np.int64).reshape(-1, 3),
        order=np.array(order, dtype=np.int64),
        pools=_pools(neuron, dt_ms, temperature_C),
        nernst=_nernst(neuron, order, temperature_C),
        Ca_initial=np.array([pool.initial_uM for pool in neuron.pools]),
        ends=np.array(ends, dtype=np.int64),
        factors=np.array(factors, dtype=np.int64),
        initial=np.array(initial, dtype=np.float32),
        numbers=np.array(
            [
                neuron.V_initial_mV,
                dt_ms / neuron.capacitance_uF,
                neuron.spike_threshold_mV,
                neuron.spike_reset_mV,
                -V_MIN_MV / V_STEP_MV,
                1.0 / V_STEP_MV,
                V.size - 1,
            ]
        ),
    )


def _pools(neuron: NeuronModel, dt_ms: float, temperature_C: float | None) -> FloatArray:
    rows, end = [], 0
    for pool in neuron.pools:
        faster, end = rate_factor(neuron, pool.q10, temperature_C), end + len(pool.channels)
        # all that removes calcium is faster, and what a current brings in a millisecond stays
        K, influx = -np.expm1(-dt_ms * faster / pool.tau_ms), pool.influx_uM_per_uA / faster
        pump = pool.pump or Pump(0.0, 1.0)
        removed = pool.tau_ms * pump.rate_uM_per_ms
        rows.append((end, pool.rest_uM, influx, K, removed, pump.half_uM, pump.current_uA * faster))
    return np.array(rows, dtype=float).reshape(-1, 7)


def _nernst(neuron: NeuronModel, order: list[int], temperature_C: float | None) -> FloatArray:
    rows = []
    for place, c in enumerate(order):
        if isinstance(E := neuron.channels[c].E_mV, Nernst):
            slope = E.slope_mV * nernst_factor(neuron, temperature_C)
            most = slope * np.log(E.outside_uM) - neuron.E_mV[c]
            rows.append((place, neuron.pool_index(E), most, slope))
    return np.array(rows, dtype=float).reshape(-1, 4)


def _steps(scheme: KineticScheme, V: npt.NDArray[np.floating[Any]], dt_ms: float) -> list[FloatArray]:
    """Return what each free state of a scheme gains in one step from each of them, and from the constant."""
    # Over one step at fixed V the scheme is linear: x ← M x + c, exact for any dt
    # (one exponential of the system augmented by its constant term).
    n = len(scheme.free_states)
    A, b = scheme.linear_system(V)
    augmented = np.zeros((V.size, n + 1, n + 1))
    augmented[:, :n, :n], augmented[:, :n, n] = A * dt_ms, b * dt_ms
    # The change of a step, not its outcome: 32-bit numbers cannot tell 1 from 1 − dt/tau.
    step = exponentials(augmented) - np.eye(n + 1)
    return [np.ascontiguousarray(step[:, i, j]) for i in range(n) for j in range(n + 1)]


def _rows(columns: list[FloatArray]) -> tuple[Float32Array, int]:
    """Return the table of columns as the kernel reads it, and how many columns it has."""
    n_columns = -(-len(columns) // COLUMNS) * COLUMNS
    values = np.zeros((len(columns[0]), n_columns))
    values[:, : len(columns)] = np.stack(columns, axis=1)
    ways = np.diff(values, axis=0, append=values[-1:])
    both = [part.reshape(len(values), -1, COLUMNS) for part in (values, ways)]
    return aligned(np.stack(both, axis=2).ravel()), n_columns
