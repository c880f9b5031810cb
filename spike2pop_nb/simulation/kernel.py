"""The compiled loop that integrates any declared neuron, a tile of members at a time.

A tile of `LANES` members goes through all its steps by itself, side by side in vector registers, and what it
needs stays in the first-level cache. One step of the staggered scheme, second order in dt:

1. every gate goes to its steady state exactly, at the voltage and calcium of now (exponential Euler);
2. the voltage goes to its own steady state exactly, with the gates as they are now;
3. calcium follows with the mean voltage of the step.

Numbers have 32 bits, twice as many to a register. What moves by less in a step than such a number can tell
(slow gates, a slow ramp of the voltage) would stand still, so what rounding took is kept beside it and given
back in the next step (Kahan 1965, doi:10.1145/363707.363723): intervals agree with 64 bits to about 1e-7.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from spike2pop_nb.jit import jit
from spike2pop_nb.neurons.checks import MAX_FREE_STATES
from spike2pop_nb.simulation import lanes, noise_lanes, one_by_one
from spike2pop_nb.simulation.lanes import (
    LANES,
    crossed,
    exponential,
    fill,
    highest,
    load,
    logarithm,
    look_up,
    lowest,
    store,
)
from spike2pop_nb.simulation.noise_lanes import draw_noise, summed
from spike2pop_nb.simulation.one_by_one import count_spikes, record_currents

__all__ = [
    "CA_BEFORE",
    "CA_NOW",
    "POOL",
    "V_BEFORE",
    "V_NOW",
    "run_block",
    "scratch_rows",
    "state_rows",
]

# What is compiled into the loop stands here, in `lanes` and in `one_by_one`: the cache of compiled code
# watches no other file.
V_NOW, V_LOST, V_STEADY, V_BEFORE, CA_NOW, CA_LOST, CA_BEFORE = range(7)
POOL = 3
"""Rows of the state for each calcium pool, of which the first begins at `CA_NOW`."""
_F = np.float32
_LEAST_CA = _F(1e-9)  # µM, of which a logarithm is taken


def state_rows(n_pools: int) -> int:
    """Return how many rows the state of a tile has: what is no gate."""
    return CA_NOW + POOL * n_pools


def scratch_rows(n_columns: int, n_channels: int, n_pools: int) -> int:
    """Return how many rows of room `run_block` needs to work in."""
    return n_columns + MAX_FREE_STATES + 5 + 2 * n_channels + 4 * n_pools


@nb.njit(inline="always")
def _approach(z):  # type: ignore[no-untyped-def]
    """Return 1 − exp(−z) for z ≥ 0 to within rounding, also where it is small: a polynomial, doubled."""
    one, two = fill(_F(1)), fill(_F(2))
    y = lowest(z, fill(_F(44))) * fill(_F(1 / 32))
    u = fill(_F(1 / 24)) - y * fill(_F(1 / 120))
    u = y * (one - y * (fill(_F(1 / 2)) - y * (fill(_F(1 / 6)) - y * u)))
    u = u * (two - u)
    u = u * (two - u)
    u = u * (two - u)
    u = u * (two - u)
    return u * (two - u)


@nb.njit(inline="always")
def _opened(Ca, half, power, closes):  # type: ignore[no-untyped-def]
    """Return the share of a gate that calcium leaves open."""
    if power == 1.0:
        x = Ca / (Ca + fill(_F(half)))
    else:
        ratio = logarithm(highest(Ca, fill(_LEAST_CA)) * fill(_F(1.0 / half))) * fill(_F(-power))
        x = fill(_F(1)) / (fill(_F(1)) + exponential(lowest(highest(ratio, fill(_F(-80))), fill(_F(80)))))
    if closes > 0.0:
        x = fill(_F(1)) - x
    return x


@jit(nogil=True, error_model="numpy", fastmath={"contract"}, also=(lanes, noise_lanes, one_by_one))
def run_block(  # type: ignore[no-untyped-def]
    state,
    x,
    lost,
    g,
    E,
    scratch,
    table,
    n_columns,
    n_relaxing,
    n_calcium_gated,
    n_gates,
    n_ahead,
    hills,
    schemes,
    pools,
    nernst,
    ends,
    factors,
    order,
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
    held,
    which,
    piece,
    injected,
    added,
    spikes,
    n_spikes,
    pending,
    sample_every,
    sample0,
    traces,
    currents,
    calcium,
):
    """Advance a block of T tiles by ``n_steps``; every array but the tables is changed in place.

    Parameters
    ----------
    state : float32 (T, state_rows, LANES)
        Voltage and what rounding took from it, the voltage it tends to, and that of one step before; of each
        pool calcium, what rounding took from it, and that of one step before.
    x, lost : float32 (T, n_rows, LANES)
        State variables of gates and schemes, and what rounding took from them.
    g, E : float32 (T, n_channels, LANES)
        Maximal conductances and reversal potentials, in the order of the plan; those that follow a pool as
        they are at its rest.
    scratch : float32 (scratch_rows, LANES)
        Room to work in.
    table … numbers
        The fields of :class:`~spike2pop_nb.simulation.plan.Plan`.
    dt, step0, n_steps, start_ms
        Time step in ms, number of steps done before, steps to do, time from which spikes are kept.
    sigma (T, LANES), noise_every, sections, quantiles, filters (T, 4, 2, LANES), seeds, current (T, LANES)
        Noise: per member σ in µA/cm² (zero for none), steps per tick of its clock, biquads and their states,
        and the current of now.
    held (T, LANES)
        Current in µA/cm² that is injected all the time.
    which (T,), piece (n_steps,), injected, added : float32 (W, n_pieces, LANES)
        Of each tile the one of W waveforms that it gets, and of each step the piece of it: the current in
        µA/cm² and the conductance in mS/cm² in the middle of the step. What flows through that conductance
        towards its reversal potential counts as injected. Without pieces there is none.
    spikes (T · LANES, capacity), n_spikes, pending (T · LANES,)
        Spike times in ms from the start of the simulation, and the time of a crossing that has not yet fallen
        back (or −1).
    sample_every, sample0, traces (T · LANES, n_samples)
        Voltage is kept every so many steps from step ``sample0`` on; 0 for not at all.
    currents (R, n_channels, n_samples), calcium (R, n_pools, n_samples)
        Currents in µA/cm² and calcium of the first R members at the same times; R may be 0. What flows at a
        time is the mean of what flowed over the step before and over the step after it, so that all of it
        sums to −C times the central difference of the voltage, and what is injected.
    """
    T, n_channels = g.shape[0], g.shape[1]
    n_clocked, n_schemes = n_relaxing + n_calcium_gated, schemes.shape[0]
    zero, one, a_half = fill(_F(0)), fill(_F(1)), fill(_F(0.5))
    n_pools, n_nernst = pools.shape[0], nernst.shape[0]
    dt_C, C_dt = fill(_F(numbers[1])), fill(_F(1.0 / numbers[1]))
    threshold, reset = _F(numbers[2]), _F(numbers[3])
    spike_level, reset_level = fill(threshold), fill(reset)
    offset, per_mV, top = fill(_F(numbers[4])), fill(_F(numbers[5])), fill(_F(numbers[6]))
    row_new, row_now = n_columns, n_columns + MAX_FREE_STATES
    row_before, row_rise, row_drive, row_added = row_now + 1, row_now + 2, row_now + 3, row_now + 4
    row_open = row_now + 5
    waving, conducting = injected.shape[1] > 0, added.shape[1] > 0
    row_E = row_open + n_channels
    # of each pool: calcium in the middle of the step, its logarithm, and G and I up to its last channel
    row_pool = row_E + n_channels
    ahead = n_ahead < n_gates or n_nernst > 0
    for q in range(n_pools):
        ahead = ahead or pools[q, 4] > 0.0 or pools[q, 6] != 0.0
    for t in range(T):
        s, x_t, lost_t, g_t, E_t = state[t], x[t], lost[t], g[t], E[t]
        injected_t, added_t = injected[which[t]], added[which[t]]
        first = LANES * t
        recorded = min(max(currents.shape[0] - first, 0), LANES)
        noisy = False
        for b in range(LANES):
            noisy = noisy or sigma[t, b] > 0.0
            scratch[row_added, b] = 0.0
        drive = summed(current[t], held[t])
        V, V_lost, V_steady, V_before = load(s, V_NOW), load(s, V_LOST), load(s, V_STEADY), load(s, V_BEFORE)
        for c in range(n_channels):
            store(scratch, row_E + c, load(E_t, c))
        k_sample, next_sample = 0, -1
        if sample_every > 0:
            k_sample = max(0, -((sample0 - step0) // sample_every))
            next_sample = sample0 + k_sample * sample_every
        next_tick = step0 + (-step0) % noise_every
        for step in range(step0, step0 + n_steps):
            if noisy and step == next_tick:
                draw_noise(current[t], sigma[t], seeds[t], sections, quantiles, filters[t])
                drive = summed(current[t], held[t])
                next_tick += noise_every
            if step == next_sample and k_sample < traces.shape[1]:
                store(scratch, row_now, V)
                for b in range(LANES):
                    traces[first + b, k_sample] = scratch[row_now, b]
                k_sample += 1
                next_sample += sample_every
            # also where V is not a number, the position is one: the first
            look_up(table, lowest(highest(V * per_mV + offset, zero), top), n_columns, scratch)
            for k in range(n_relaxing):
                y = load(x_t, k)
                change = load(scratch, 2 * k + 1) * (load(scratch, 2 * k) - y) - load(lost_t, k)
                to = y + change
                store(lost_t, k, (to - y) - change)
                store(x_t, k, to)
            for k in range(n_relaxing, n_clocked):
                y = load(x_t, k)
                pool, half, power, closes = hills[k - n_relaxing]
                Ca = load(s, CA_NOW + POOL * int(pool))
                x_inf = load(scratch, 2 * k) * _opened(Ca, half, power, closes)
                change = load(scratch, 2 * k + 1) * (x_inf - y) - load(lost_t, k)
                to = y + change
                store(lost_t, k, (to - y) - change)
                store(x_t, k, to)
            if ahead:
                for q in range(n_pools):
                    Ca = load(s, CA_NOW + POOL * q)
                    middle = Ca + a_half * (Ca - load(s, CA_BEFORE + POOL * q))
                    middle = highest(middle, fill(_LEAST_CA))
                    store(scratch, row_pool + 4 * q, middle)
                    if n_nernst > 0:
                        store(scratch, row_pool + 4 * q + 1, logarithm(middle))
                for k in range(n_nernst):
                    c, pool = int(nernst[k, 0]), int(nernst[k, 1])
                    most, slope = fill(_F(nernst[k, 2])), fill(_F(nernst[k, 3]))
                    E_now = most - slope * load(scratch, row_pool + 4 * pool + 1)
                    store(scratch, row_E + c, load(E_t, c) + E_now)
            for k in range(n_clocked, n_gates):
                # other gates stand half a step ahead of the voltage, and so must these that follow at once
                y = load(scratch, 2 * k) + load(scratch, 2 * k + 1) * (a_half * (V - V_before))
                y = lowest(highest(y, zero), one)
                if k >= n_ahead:
                    pool, half, power, closes = hills[n_calcium_gated + k - n_ahead]
                    y = y * _opened(load(scratch, row_pool + 4 * int(pool)), half, power, closes)
                store(x_t, k, y)
            for k in range(n_schemes):
                n, row, column = schemes[k, 0], schemes[k, 1], schemes[k, 2]
                rest = one
                for i in range(n):
                    change = load(scratch, column + i * (n + 1) + n)
                    for j in range(n):
                        change = change + load(scratch, column + i * (n + 1) + j) * load(x_t, row + j)
                    y = load(x_t, row + i)
                    change = change - load(lost_t, row + i)
                    to = y + change
                    store(lost_t, row + i, (to - y) - change)
                    store(scratch, row_new + i, to)
                    rest = rest - to
                for i in range(n):
                    store(x_t, row + i, load(scratch, row_new + i))
                store(x_t, row + n, rest)
            G, total = zero, zero
            at, q = 0, 0
            for c in range(n_channels):
                P = load(g_t, c)
                end = ends[c]
                while at < end:
                    P = P * load(x_t, factors[at])
                    at += 1
                if recorded > 0:
                    store(scratch, row_open + c, P)
                G = G + P
                total = total + P * load(scratch, row_E + c)
                if q < n_pools and c + 1 == pools[q, 0]:
                    store(scratch, row_pool + 4 * q + 2, G)
                    store(scratch, row_pool + 4 * q + 3, total)
                    q += 1
            given = drive
            if waving:
                given = given + load(injected_t, piece[step - step0])
            if conducting:
                G = G + load(added_t, piece[step - step0])
            for q in range(n_pools):
                if pools[q, 6] != 0.0:
                    middle = load(scratch, row_pool + 4 * q)
                    given = given - fill(_F(pools[q, 6])) * (middle / (middle + fill(_F(pools[q, 5]))))
            total = total + given
            # The steady voltage itself moves by `rise` a step: exact for a straight course through its value
            # in the middle of the step, without which the voltage lags where the conductance is large.
            per_G = one / G
            steady = total * per_G
            rise = zero
            if step > 0:
                rise = steady - V_steady
            V_steady = steady
            share = _approach(G * dt_C)
            lag = rise * (per_G * C_dt)
            change = share * (((steady - V) + V_lost) - a_half * rise - lag) + rise - V_lost
            V_before = V
            V = V_before + change
            V_lost = (V - V_before) - change
            if recorded > 0:
                store(scratch, row_rise, change)
                store(scratch, row_drive, given)
                if conducting:
                    store(scratch, row_added, load(added_t, piece[step - step0]))
                record_currents(
                    scratch[row_open:],
                    scratch[row_E:],
                    scratch[row_rise],
                    s[CA_NOW::POOL],
                    scratch[row_drive],
                    scratch[row_added],
                    recorded,
                    first,
                    step,
                    sample_every,
                    sample0,
                    1.0 / numbers[1],
                    order,
                    currents,
                    calcium,
                )
            for q in range(n_pools):
                row, mean = CA_NOW + POOL * q, a_half * (V + V_before)
                G_Ca, I_Ca = load(scratch, row_pool + 4 * q + 2), load(scratch, row_pool + 4 * q + 3)
                if q > 0:
                    G_Ca = G_Ca - load(scratch, row_pool + 4 * q - 2)
                    I_Ca = I_Ca - load(scratch, row_pool + 4 * q - 1)
                Ca, Ca_lost = load(s, row), load(s, row + 1)
                gained = fill(_F(pools[q, 2])) * (I_Ca - G_Ca * mean)
                if pools[q, 4] > 0.0:
                    middle = load(scratch, row_pool + 4 * q)
                    gained = gained - fill(_F(pools[q, 4])) * (middle / (middle + fill(_F(pools[q, 5]))))
                change = fill(_F(pools[q, 3])) * ((fill(_F(pools[q, 1])) - Ca) + gained) - Ca_lost
                to = Ca + change
                store(s, row, to)
                store(s, row + 1, (to - Ca) - change)
                store(s, row + 2, Ca)
            if crossed(V, V_before, spike_level) or crossed(V, V_before, reset_level):
                store(scratch, row_now, V)
                store(scratch, row_before, V_before)
                count_spikes(
                    scratch[row_now],
                    scratch[row_before],
                    first,
                    step,
                    dt,
                    start_ms,
                    threshold,
                    reset,
                    pending,
                    spikes,
                    n_spikes,
                )
        store(s, V_NOW, V)
        store(s, V_LOST, V_lost)
        store(s, V_STEADY, V_steady)
        store(s, V_BEFORE, V_before)
