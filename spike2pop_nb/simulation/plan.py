"""From a neuron's declaration to the numbers that the simulation kernel runs on.

Gate functions are tabulated on a fine voltage grid, together with the share ``K = 1 − exp(−dt/tau)`` of the
way to steady state that a gate goes in one step, so that no transcendental function is left in the inner loop
and one compiled kernel serves every declared neuron. Everything that tells one neuron from another is data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.kernel import CALCIUM_GATED, COLUMNS, INSTANT, RELAXING, SCHEME

__all__ = ["Plan", "make_plan"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
# The voltage can leave the range of the reversal potentials only through injected current.
V_MIN_MV, V_MAX_MV, V_STEP_MV = -130.0, 110.0, 0.1


@dataclass(frozen=True)
class Plan:
    """Tables and indices for one neuron and one time step.

    Attributes
    ----------
    table : float32 (n_rows * n_columns,)
        Values on the voltage grid, one row a voltage, filled up to whole look-ups.
    n_columns : int
    first_factor : (n_channels + 1,)
        Channel c is the product of the factors ``first_factor[c] … first_factor[c + 1] − 1``.
    kind, column, exponent, state, half, size, conducting : (n_factors,)
        What a factor is (relaxing gate, calcium-gated, instantaneous, kinetic scheme), where its table
        columns and its state variables begin, its exponent, its calcium half activation, its number of
        state variables, and which of them conducts.
    E, feeds : (n_channels,)
        Reversal potentials in mV, and 1 for channels that carry calcium.
    initial : (n_states,)
        State variables at the start.
    numbers : (11,)
        V_initial, Ca_initial, Ca_rest, influx, K_Ca, dt/C, spike threshold, spike reset, and the offset,
        rows per mV and last position of the voltage grid.
    """

    table: npt.NDArray[np.float32]
    n_columns: int
    first_factor: IntArray
    kind: IntArray
    column: IntArray
    exponent: IntArray
    state: IntArray
    half: FloatArray
    size: IntArray
    conducting: IntArray
    E: FloatArray
    feeds: FloatArray
    initial: FloatArray
    numbers: FloatArray


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
def make_plan(neuron: NeuronModel, dt_ms: float) -> Plan:
    """Tabulate a neuron for a time step; cached."""
    V = np.arange(V_MIN_MV, V_MAX_MV + 0.5 * V_STEP_MV, V_STEP_MV)
    V0 = np.array([neuron.V_initial_mV])
    columns: list[FloatArray] = []
    initial: list[float] = []
    rows: list[tuple[int, int, int, int, float, int, int]] = []
    first = [0]
    pool = neuron.calcium
    Ca0 = pool.initial_uM if pool else 0.0
    for channel in neuron.channels:
        for gate in channel.gates:
            steady = np.asarray(gate.x_inf(V), dtype=float)
            half = gate.calcium_half_uM or 0.0
            if gate.tau is None:
                rows.append((INSTANT, len(columns), gate.exponent, 0, 0.0, 0, 0))
                columns += [steady, np.gradient(steady, V_STEP_MV)]
                continue
            kind = CALCIUM_GATED if half else RELAXING
            rows.append((kind, len(columns), gate.exponent, len(initial), half, 1, 0))
            columns += [steady, -np.expm1(-dt_ms / np.asarray(gate.tau(V), dtype=float))]
            at_start = float(np.asarray(gate.x_inf(V0))[0])
            initial.append(at_start * (Ca0 / (Ca0 + half) if half else 1.0))
        if channel.scheme is not None:
            scheme = channel.scheme
            n = len(scheme.free_states)
            # Over one step at fixed V the scheme is linear: x ← M x + c, exact for any dt
            # (one exponential of the system augmented by its constant term).
            A, b = scheme.linear_system(V)
            augmented = np.zeros((V.size, n + 1, n + 1))
            augmented[:, :n, :n], augmented[:, :n, n] = A * dt_ms, b * dt_ms
            # The change of a step, not its outcome: 32-bit numbers cannot tell 1 from 1 − dt/tau.
            step = exponentials(augmented) - np.eye(n + 1)
            free = scheme.free_states
            conducting = free.index(scheme.conducting) if scheme.conducting in free else n
            rows.append((SCHEME, len(columns), 1, len(initial), 0.0, n, conducting))
            for i in range(n):
                columns += [np.ascontiguousarray(step[:, i, j]) for j in range(n + 1)]
            start = scheme.steady_state(V0)[0]
            if scheme.initial is not None:
                start = np.array([float(np.asarray(scheme.initial[state](V0))[0]) for state in free])
            initial += [float(value) for value in start]
        first.append(len(rows))
    table = np.zeros((V.size, -(-len(columns) // COLUMNS) * COLUMNS), dtype=np.float32)
    table[:, : len(columns)] = np.stack(columns, axis=1)
    kind_, column, exponent, state, half_, size, conducting_ = (
        np.array(values) for values in zip(*rows, strict=True)
    )
    feeds = np.array([float(bool(pool and c.name in pool.channels)) for c in neuron.channels])
    return Plan(
        table=table.ravel(),
        n_columns=table.shape[1],
        first_factor=np.array(first, dtype=np.int64),
        kind=kind_.astype(np.int64),
        column=column.astype(np.int64),
        exponent=exponent.astype(np.int64),
        state=state.astype(np.int64),
        half=half_.astype(np.float64),
        size=size.astype(np.int64),
        conducting=conducting_.astype(np.int64),
        E=neuron.E_mV,
        feeds=feeds,
        initial=np.array(initial),
        numbers=np.array(
            [
                neuron.V_initial_mV,
                Ca0,
                pool.rest_uM if pool else 0.0,
                pool.influx_uM_per_uA if pool else 0.0,
                -np.expm1(-dt_ms / pool.tau_ms) if pool else 0.0,
                dt_ms / neuron.capacitance_uF,
                neuron.spike_threshold_mV,
                neuron.spike_reset_mV,
                -V_MIN_MV / V_STEP_MV,
                1.0 / V_STEP_MV,
                (V_MAX_MV - V_MIN_MV) / V_STEP_MV - 1e-6,
            ]
        ),
    )
