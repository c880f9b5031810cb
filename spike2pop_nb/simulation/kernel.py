"""The compiled loop that integrates any declared neuron, many members at a time.

Members of a block lie side by side in every array (structure of arrays), so that each line below runs over
all of them at once in vector registers. One step of the staggered scheme, second order in dt:

1. every gate goes to its steady state exactly, at the voltage and calcium of now (exponential Euler);
2. the voltage goes to its own steady state exactly, with the gates as they are now;
3. calcium follows with the mean voltage of the step.
"""

from __future__ import annotations

import numba as nb
import numpy as np

__all__ = ["CALCIUM_GATED", "INSTANT", "QUANTILE_BITS", "RELAXING", "SCHEME", "run_block"]

# Constants compiled into the loop live in this file: the cache of compiled code watches no other.
RELAXING, CALCIUM_GATED, INSTANT, SCHEME = range(4)
QUANTILE_BITS = 12
_FRACTION = 2.0 ** -(52 - QUANTILE_BITS)
_MASK = np.uint64((1 << (52 - QUANTILE_BITS)) - 1)
# the SplitMix64 generator (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195)
_GOLDEN, _MIX1, _MIX2 = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)


@nb.njit(inline="always")
def _exp_minus(z):  # type: ignore[no-untyped-def]
    """Return exp(−z) for z ≥ 0 to about 1e-10: a polynomial that vectorises, squared eight times."""
    y = min(z, 44.0) * (-1.0 / 256.0)
    e = 1.0 + y * (
        1.0
        + y * (0.5 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120 + y * (1 / 720 + y * (1 / 5040 + y / 40320))))))
    )
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    return e * e


@nb.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
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
    """
    B = V.size
    n_channels = E.size
    Ca_rest, influx, K_Ca, dt_C = numbers[2], numbers[3], numbers[4], numbers[5]
    threshold, reset = numbers[6], numbers[7]
    offset, per_mV, top = numbers[8], numbers[9], numbers[10]
    row = np.empty(B, np.uint64)
    frac = np.empty(B)
    P = np.empty(B)
    G = np.empty(B)
    total = np.empty(B)
    G_Ca = np.empty(B)
    I_Ca = np.empty(B)
    V_old = V_before.copy()
    new = np.empty((8, B))
    width = np.uint64(n_columns)
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
                    y = b0 * u + w1[b]
                    w1[b] = b1 * u - a1 * y + w2[b]
                    w2[b] = b2 * u - a2 * y
                    current[b] = y
        for b in range(B):
            position = V[b] * per_mV + offset
            if not position > 0.0:  # also where V is not a number, which must not become an index
                position = 0.0
            if position > top:
                position = top
            i = np.int64(position)
            frac[b] = position - i
            row[b] = np.uint64(i) * width
            G[b] = 0.0
            total[b] = current[b]
            G_Ca[b] = 0.0
            I_Ca[b] = 0.0
        for c in range(n_channels):
            g_c = g[c]
            for b in range(B):
                P[b] = g_c[b]
            for f in range(first_factor[c], first_factor[c + 1]):
                col = np.uint64(column[f])
                next_col = col + width
                what = kind[f]
                p = exponent[f]
                if what in (RELAXING, CALCIUM_GATED):
                    xs = x[state[f]]
                    if what == RELAXING:
                        for b in range(B):
                            r = row[b] + col
                            q = row[b] + next_col
                            low = table[r]
                            x_inf = low + frac[b] * (table[q] - low)
                            low = table[r + np.uint64(1)]
                            K = low + frac[b] * (table[q + np.uint64(1)] - low)
                            xs[b] += K * (x_inf - xs[b])
                    else:
                        h = half[f]
                        for b in range(B):
                            r = row[b] + col
                            q = row[b] + next_col
                            low = table[r]
                            x_inf = (low + frac[b] * (table[q] - low)) * (Ca[b] / (Ca[b] + h))
                            low = table[r + np.uint64(1)]
                            K = low + frac[b] * (table[q + np.uint64(1)] - low)
                            xs[b] += K * (x_inf - xs[b])
                    if p == 1:
                        for b in range(B):
                            P[b] *= xs[b]
                    elif p == 3:
                        for b in range(B):
                            P[b] *= xs[b] * xs[b] * xs[b]
                    elif p == 4:
                        for b in range(B):
                            y = xs[b] * xs[b]
                            P[b] *= y * y
                    else:
                        for _ in range(p):
                            for b in range(B):
                                P[b] *= xs[b]
                elif what == INSTANT:
                    for b in range(B):
                        r = row[b] + col
                        low = table[r]
                        # other gates stand half a step ahead of the voltage, and so must this one
                        ahead = frac[b] + 0.5 * (V[b] - V_old[b]) * per_mV
                        y = min(max(low + ahead * (table[row[b] + next_col] - low), 0.0), 1.0)
                        for _ in range(p):
                            P[b] *= y
                else:
                    n = size[f]
                    for i in range(n):
                        for b in range(B):
                            new[i, b] = 0.0
                        for j in range(n + 1):
                            entry = np.uint64(i * (n + 1) + j)
                            for b in range(B):
                                low = table[row[b] + col + entry]
                                a = low + frac[b] * (table[row[b] + next_col + entry] - low)
                                new[i, b] += a * (x[state[f] + j, b] if j < n else 1.0)
                    for i in range(n):
                        for b in range(B):
                            x[state[f] + i, b] = new[i, b]
                    if conducting[f] < n:
                        for b in range(B):
                            P[b] *= new[conducting[f], b]
                    else:
                        for b in range(B):
                            rest = 1.0
                            for i in range(n):
                                rest -= new[i, b]
                            P[b] *= rest
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
            lag = rise * per_G / dt_C
            V_inf[b] = steady
            V[b] = steady + 0.5 * rise - lag + (V[b] - steady + 0.5 * rise + lag) * _exp_minus(G[b] * dt_C)
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
