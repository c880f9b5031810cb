"""Synthetic recordings from inside a cell and from beside one, with the times of their spikes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 20_000.0


def spike_times_s(duration_s: float, rate_hz: float = 10.0, seed: int = 0) -> NDArray[np.float64]:
    """Spikes of a neuron that fires somewhat regularly, none closer than 4 ms."""
    rng = np.random.default_rng(seed)
    times = 0.05 + np.cumsum(0.004 + rng.gamma(4.0, 1 / rate_hz / 4, int(3 * rate_hz * duration_s)))
    return times[times < duration_s - 0.05]


def beside(
    spikes_s: NDArray[np.float64],
    duration_s: float,
    *,
    peak_mV: float = -0.15,
    noise_mV: float = 0.015,
    second_phase: float = 0.5,
    rate_hz: float = RATE_HZ,
    seed: int = 0,
) -> NDArray[np.float64]:
    """An extracellular trace in mV: spikes of two phases, the first of them the peak, on noise."""
    trace = np.random.default_rng(seed).normal(0, noise_mV, round(duration_s * rate_hz))
    t_ms = np.arange(-1.5, 2.0, 1000 / rate_hz)
    shape = np.exp(-0.5 * (t_ms / 0.12) ** 2) - second_phase * np.exp(-0.5 * ((t_ms - 0.45) / 0.2) ** 2)
    before = int(np.argmin(np.abs(t_ms)))
    for time in spikes_s:
        start = round(time * rate_hz) - before
        trace[start : start + shape.size] += peak_mV * shape
    return trace


def inside(
    spikes_s: NDArray[np.float64],
    duration_s: float,
    *,
    noise_mV: float = 0.3,
    rate_hz: float = RATE_HZ,
    seed: int = 0,
) -> NDArray[np.float64]:
    """An intracellular trace in mV: spikes of 90 mV and what follows them, on noise around −60 mV."""
    trace = -60 + np.random.default_rng(seed).normal(0, noise_mV, round(duration_s * rate_hz))
    t_ms = np.arange(-5.0, 40.0, 1000 / rate_hz)
    shape = 90 * np.exp(-0.5 * (t_ms / 0.4) ** 2) - 8 * np.where(t_ms > 0, t_ms / 3 * np.exp(1 - t_ms / 3), 0)
    before = int(np.argmin(np.abs(t_ms)))
    for time in spikes_s:
        start = round(time * rate_hz) - before
        end = min(start + shape.size, trace.size)
        trace[start:end] += shape[: end - start]
    return trace


def same_spikes(found_ms: NDArray[np.float64], spikes_s: NDArray[np.float64], within_ms: float = 0.5) -> bool:
    """Whether just these spikes were found, each within half a millisecond or what a flank takes."""
    return found_ms.size == spikes_s.size and bool(
        np.abs(found_ms - 1000 * spikes_s).max(initial=0) < within_ms
    )
