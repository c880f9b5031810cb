"""What the kernel does for the members of a tile one by one, beside the steps that they take together.

Noise is drawn at each tick of its clock, a spike is timed where a member crosses a level, and currents are
recorded where they are asked for.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from spike2pop_nb.simulation.lanes import LANES

__all__ = ["QUANTILE_BITS", "SPLITMIX64", "count_spikes", "draw_noise", "record_currents"]

QUANTILE_BITS = 12
_FRACTION = 2.0 ** -(52 - QUANTILE_BITS)
_MASK = np.uint64((1 << (52 - QUANTILE_BITS)) - 1)
SPLITMIX64 = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""Of the generator of Steele, Lea & Flood (2014, doi:10.1145/2660193.2660195)."""
_GOLDEN, _MIX1, _MIX2 = (np.uint64(number) for number in SPLITMIX64)


@nb.njit
def draw_noise(current, sigma, seeds, sections, quantiles, filters):  # type: ignore[no-untyped-def]
    """Draw the next noise current of a tile and filter it."""
    for b in range(LANES):
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
        for b in range(LANES):
            u = current[b]
            filtered = b0 * u + w1[b]
            w1[b] = b1 * u - a1 * filtered + w2[b]
            w2[b] = b2 * u - a2 * filtered
            current[b] = filtered


@nb.njit
def count_spikes(now, before, first, step, dt, start_ms, threshold, reset, pending, spikes, n_spikes):  # type: ignore[no-untyped-def]
    """Look for spikes of a tile in a step in which some member crossed a level."""
    for b in range(LANES):
        m = first + b
        if now[b] >= threshold:
            if pending[m] < 0.0 and before[b] < threshold:
                share = (np.float64(threshold) - before[b]) / (np.float64(now[b]) - before[b])
                pending[m] = (step + share) * dt
        elif pending[m] >= 0.0 and now[b] < reset:
            if pending[m] >= start_ms and n_spikes[m] < spikes.shape[1]:
                spikes[m, n_spikes[m]] = pending[m]
                n_spikes[m] += 1
            pending[m] = -1.0


@nb.njit
def record_currents(  # type: ignore[no-untyped-def]
    open_,
    E,
    rise,
    Ca,
    injected,
    added,
    n,
    first,
    step,
    sample_every,
    sample0,
    C_dt,
    order,
    currents,
    calcium,
):
    """Add what flows in a step to the samples of the times where it begins and ends, half to each."""
    for end in range(2):
        place = step + end - sample0
        k = place // sample_every
        if place < 0 or place % sample_every != 0 or k >= currents.shape[2]:
            continue
        share = 0.5 if step + end > 0 else 1.0
        for b in range(n):
            if end == 0:
                for q in range(calcium.shape[1]):
                    calcium[first + b, q, k] = Ca[q, b]
            G, total = np.float64(added[b]), np.float64(injected[b])
            for c in range(order.size):
                G += open_[c, b]
                total += np.float64(open_[c, b]) * E[c, b]
            V_mean = (total - rise[b] * C_dt) / G
            for c in range(order.size):
                currents[first + b, order[c], k] += share * open_[c, b] * (V_mean - E[c, b])
