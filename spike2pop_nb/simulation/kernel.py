"""The compiled loop that integrates any declared neuron, many members at a time.

Members of a block lie side by side in every array (structure of arrays), so that each line below runs over
all of them at once in vector registers. One step of the staggered scheme, second order in dt:

1. every gate goes to its steady state exactly, at the voltage and calcium of now (exponential Euler);
2. the voltage goes to its own steady state exactly, with the gates as they are now;
3. calcium follows with the mean voltage of the step.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from spike2pop_nb.jit import jit

__all__ = ["CALCIUM_GATED", "COLUMNS", "INSTANT", "QUANTILE_BITS", "RELAXING", "SCHEME", "run_block"]

# Constants compiled into the loop live in this file: the cache of compiled code watches no other.
RELAXING, CALCIUM_GATED, INSTANT, SCHEME = range(4)
MEMBERS, COLUMNS = 4, 8  # of one table look-up
QUANTILE_BITS = 12
_FRACTION = 2.0 ** -(52 - QUANTILE_BITS)
_MASK = np.uint64((1 << (52 - QUANTILE_BITS)) - 1)
# the SplitMix64 generator (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195)
_GOLDEN, _MIX1, _MIX2 = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)


# Every member stands at its own voltage, so its table rows lie anywhere, and a compiler left alone fetches
# each number by itself. Read row by row instead, eight columns are one load; what has been interpolated is
# then turned around, so that the members lie side by side for everything that follows.
@intrinsic
def look_up(_typing, table, row, frac, width, column, member, out):  # type: ignore[no-untyped-def]
    """Interpolate ``COLUMNS`` columns of the table for ``MEMBERS`` members into ``out[column:, member:]``.

    Parameters
    ----------
    table : float32 (n_rows * width,)
        Rows one after the other.
    row : int64 (B,), frac : float32 (B,)
        Where each member's row begins, and how far it is on its way to the next.
    width, column, member : int64
        Columns in a row, and the first column and member of this tile.
    out : float32 (width, B)
        Contiguous.
    """
    signature = types.void(table, row, frac, width, column, member, out)
    return signature, _emit


def _emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
    def array(i: int) -> Any:
        return context.make_array(signature.args[i])(context, builder, arguments[i])

    i32, i64 = ir.IntType(32), ir.IntType(64)
    loaded = ir.VectorType(ir.FloatType(), COLUMNS)
    stored = ir.VectorType(ir.FloatType(), MEMBERS)
    undefined = ir.Constant(loaded, ir.Undefined)
    table, row, frac, out = (array(i) for i in (0, 1, 2, 6))
    width, column, member = arguments[3:6]
    B = builder.extract_value(out.shape, 1)

    def pick(first: Any, second: Any, *places: int) -> Any:
        mask = ir.Constant(ir.VectorType(i32, len(places)), list(places))
        return builder.shuffle_vector(first, second, mask)

    def plus(value: Any, k: int) -> Any:
        return builder.add(value, ir.Constant(i64, k))

    def values(index: Any) -> Any:
        pointer = builder.bitcast(builder.gep(table.data, [index]), loaded.as_pointer())
        return builder.load(pointer, align=4)

    rows = []
    for k in range(MEMBERS):
        at = plus(member, k)
        index = builder.add(builder.load(builder.gep(row.data, [at])), column)
        share = builder.insert_element(
            undefined, builder.load(builder.gep(frac.data, [at])), ir.Constant(i32, 0)
        )
        share = pick(share, undefined, *([0] * COLUMNS))
        low, high = values(index), values(builder.add(index, width))
        way = builder.fmul(share, builder.fsub(high, low), flags=["contract"])
        rows.append(builder.fadd(low, way, flags=["contract"]))

    a, b, c, d = rows
    for first, places in ((0, (0, 8, 1, 9, 4, 12, 5, 13)), (2, (2, 10, 3, 11, 6, 14, 7, 15))):
        ab, cd = pick(a, b, *places), pick(c, d, *places)
        for k, two in ((0, 0), (1, 2), (4, 4), (5, 6)):
            four = pick(ab, cd, two, two + 1, 8 + two, 9 + two)
            index = builder.add(builder.mul(plus(column, first + k), B), member)
            pointer = builder.bitcast(builder.gep(out.data, [index]), stored.as_pointer())
            builder.store(four, pointer, align=4)
    return context.get_dummy_value()


@nb.njit(inline="always")
def _exp_minus(z):  # type: ignore[no-untyped-def]
    """Return exp(−z) for z ≥ 0 to within 2e-10: a polynomial that vectorises, squared five times."""
    y = min(z, 44.0) * (-1.0 / 32.0)
    y2 = y * y
    e = (1.0 + y) + y2 * ((0.5 + y * (1 / 6)) + y2 * ((1 / 24 + y * (1 / 120)) + y2 * (1 / 720)))
    e *= e
    e *= e
    e *= e
    e *= e
    return e * e


@jit(nogil=True, error_model="numpy", fastmath={"contract"})
def run_block(  # type: ignore[no-untyped-def]
    V,
    V_before,
    V_inf,
    Ca,
    x,
    g,
    table,
    n_columns,
    first_factor,
    kind,
    column,
    exponent,
    state,
    half,
    size,
    conducting,
    E,
    feeds,
    numbers,
    dt,
    step0,
    n_steps,
    start_ms,
    sigma,
    noise_every,
    sections,
    quantiles,
    filters,
    seeds,
    current,
    spikes,
    n_spikes,
    pending,
    sample_every,
    sample0,
    traces,
    currents,
    calcium,
):
    """Advance a block of B members by ``n_steps``; every array but the tables is changed in place.

    Parameters
    ----------
    V, V_before, V_inf, Ca, current, pending : (B,)
        Voltage, that of one step before, the voltage it tends to, calcium, injected noise current, and the
        time of a crossing that has not yet fallen back (or −1).
    x : (n_states, B)
        State variables of gates and schemes.
    g : (n_channels, B)
        Maximal conductances.
    table … numbers
        The fields of :class:`~spike2pop_nb.simulation.plan.Plan`.
    dt, step0, n_steps, start_ms
        Time step in ms, number of steps done before, steps to do, time from which spikes are kept.
    sigma, noise_every, sections, quantiles, filters (4, 2, B), seeds (B,)
        Noise: per member σ in µA/cm² (zero for none), steps per tick of its clock, biquads and their states.
    spikes (B, capacity), n_spikes (B,)
        Spike times in ms from the start of the simulation.
    sample_every, sample0, traces (B, n_samples)
        Voltage is kept every so many steps from step ``sample0`` on; 0 for not at all.
    currents (R, n_channels, n_samples), calcium (R, n_samples)
        Currents in µA/cm² and calcium of the first R members at the same times; R may be 0. What flows at a
        time is the mean of what flowed over the step before and over the step after it, so that all of it
        sums to −C times the central difference of the voltage, and what is injected.
    """
    B = V.size
    n_channels = E.size
    Ca_rest, influx, K_Ca, dt_C = numbers[2], numbers[3], numbers[4], numbers[5]
    threshold, reset = numbers[6], numbers[7]
    offset, per_mV, top = numbers[8], numbers[9], numbers[10]
    C_dt = 1.0 / dt_C
    row = np.empty(B, np.int64)
    frac = np.empty(B, np.float32)
    look = np.empty((n_columns, B), np.float32)
    P = np.empty(B)
    G = np.empty(B)
    total = np.empty(B)
    G_Ca = np.empty(B)
    I_Ca = np.empty(B)
    V_old = V_before.copy()
    new = np.empty((9, B))
    R = currents.shape[0]
    fraction = np.empty((n_channels, R))
    has_noise = False
    for b in range(B):
        has_noise = has_noise or sigma[b] > 0.0
    for step in range(step0, step0 + n_steps):
        if has_noise and step % noise_every == 0:
            for b in range(B):
                seeds[b] += _GOLDEN
                z = seeds[b]
                z = (z ^ (z >> np.uint64(30))) * _MIX1
                z = (z ^ (z >> np.uint64(27))) * _MIX2
                z = (z ^ (z >> np.uint64(31))) >> np.uint64(12)
                k = z >> np.uint64(52 - QUANTILE_BITS)
                f = np.float64(np.int64(z & _MASK)) * _FRACTION
                low = quantiles[k]
                current[b] = sigma[b] * (low + f * (quantiles[k + np.uint64(1)] - low))
            for s in range(4):
                b0, b1, b2, a1, a2 = sections[s]
                w1 = filters[s, 0]
                w2 = filters[s, 1]
                for b in range(B):
                    u = current[b]
                    filtered = b0 * u + w1[b]
                    w1[b] = b1 * u - a1 * filtered + w2[b]
                    w2[b] = b2 * u - a2 * filtered
                    current[b] = filtered
        for b in range(B):
            position = V[b] * per_mV + offset
            if not position > 0.0:  # also where V is not a number, which must not become an index
                position = 0.0
            if position > top:
                position = top
            i = np.int64(np.int32(position))  # by way of 32 bits, since those conversions vectorise
            frac[b] = position - i
            row[b] = i * n_columns
            G[b] = 0.0
            total[b] = current[b]
            G_Ca[b] = 0.0
            I_Ca[b] = 0.0
        for b in range(0, B, MEMBERS):
            for col in range(0, n_columns, COLUMNS):
                look_up(table, row, frac, n_columns, col, b, look)
        for c in range(n_channels):
            g_c = g[c]
            for b in range(B):
                P[b] = g_c[b]
            for f in range(first_factor[c], first_factor[c + 1]):
                col = column[f]
                what = kind[f]
                p = exponent[f]
                if what == RELAXING:
                    y = x[state[f]]
                    x_inf, K = look[col], look[col + 1]
                    for b in range(B):
                        y[b] += K[b] * (x_inf[b] - y[b])
                elif what == CALCIUM_GATED:
                    y = x[state[f]]
                    x_inf, K = look[col], look[col + 1]
                    h = half[f]
                    for b in range(B):
                        y[b] += K[b] * (x_inf[b] * (Ca[b] / (Ca[b] + h)) - y[b])
                elif what == INSTANT:
                    y = new[0]
                    now, slope = look[col], look[col + 1]
                    for b in range(B):
                        # other gates stand half a step ahead of the voltage, and so must this one
                        y[b] = min(max(now[b] + slope[b] * (0.5 * (V[b] - V_old[b])), 0.0), 1.0)
                else:
                    n = size[f]
                    first = state[f]
                    for i in range(n):
                        to = new[i]
                        of, added = x[first + i], look[col + i * (n + 1) + n]
                        for b in range(B):
                            to[b] = of[b] + added[b]
                        for j in range(n):
                            of, share = x[first + j], look[col + i * (n + 1) + j]
                            for b in range(B):
                                to[b] += share[b] * of[b]
                    for b in range(B):
                        new[n, b] = 1.0
                    for i in range(n):
                        of, to = new[i], x[first + i]
                        for b in range(B):
                            to[b] = of[b]
                            new[n, b] -= of[b]
                    y = new[conducting[f]]
                if p == 1:
                    for b in range(B):
                        P[b] *= y[b]
                elif p == 2:
                    for b in range(B):
                        P[b] *= y[b] * y[b]
                elif p == 3:
                    for b in range(B):
                        P[b] *= y[b] * y[b] * y[b]
                elif p == 4:
                    for b in range(B):
                        square = y[b] * y[b]
                        P[b] *= square * square
                else:
                    for _ in range(p):
                        for b in range(B):
                            P[b] *= y[b]
            for b in range(R):
                fraction[c, b] = P[b]
            E_c = E[c]
            if feeds[c] > 0.0:
                for b in range(B):
                    G[b] += P[b]
                    total[b] += P[b] * E_c
                    G_Ca[b] += P[b]
                    I_Ca[b] += P[b] * E_c
            else:
                for b in range(B):
                    G[b] += P[b]
                    total[b] += P[b] * E_c
        for b in range(B):
            V_old[b] = V[b]
            per_G = 1.0 / G[b]
            steady = total[b] * per_G
            # the steady voltage itself moves by `rise` a step: exact for a straight course through its value
            # in the middle of the step, without which the voltage lags where the conductance is large
            rise = steady - V_inf[b] if step > 0 else 0.0
            lag = rise * per_G * C_dt
            V_inf[b] = steady
            V[b] = steady + 0.5 * rise - lag + (V[b] - steady + 0.5 * rise + lag) * _exp_minus(G[b] * dt_C)
        if R > 0:
            # this step is one half of what flows where it begins, and of what flows where it ends
            for end in range(2):
                place = step + end - sample0
                k_sample = place // sample_every
                if place < 0 or place % sample_every != 0 or k_sample >= currents.shape[2]:
                    continue
                share = 0.5 if step + end > 0 else 1.0
                for b in range(R):
                    if end == 0:
                        calcium[b, k_sample] = Ca[b]
                    V_mean = (total[b] - (V[b] - V_old[b]) * C_dt) / G[b]
                    for c in range(n_channels):
                        currents[b, c, k_sample] += share * fraction[c, b] * (V_mean - E[c])
        if influx != 0.0:
            for b in range(B):
                inward = I_Ca[b] - G_Ca[b] * 0.5 * (V[b] + V_old[b])
                Ca[b] += K_Ca * (Ca_rest + influx * inward - Ca[b])
        for b in range(B):
            if V[b] >= threshold:
                if pending[b] < 0.0 and V_old[b] < threshold:
                    pending[b] = (step + (threshold - V_old[b]) / (V[b] - V_old[b])) * dt
            elif pending[b] >= 0.0 and V[b] < reset:
                if pending[b] >= start_ms and n_spikes[b] < spikes.shape[1]:
                    spikes[b, n_spikes[b]] = pending[b]
                    n_spikes[b] += 1
                pending[b] = -1.0
        if sample_every > 0 and step >= sample0 and (step - sample0) % sample_every == 0:
            k_sample = (step - sample0) // sample_every
            if k_sample < traces.shape[1]:
                for b in range(B):
                    traces[b, k_sample] = V_old[b]
    V_before[:] = V_old
