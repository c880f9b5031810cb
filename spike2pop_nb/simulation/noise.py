"""Injected current noise: Gaussian, low-passed by a fourth-order Butterworth filter run twice.

Two forward passes have the power spectrum of the forward-backward filtering of the published data, and can be
run as the simulation goes. The noise lives on a clock of 0.1 ms, whatever the time step.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from spike2pop_nb.errors import SimulationError
from spike2pop_nb.seeds import generator
from spike2pop_nb.simulation.one_by_one import QUANTILE_BITS

__all__ = ["NOISE_CLOCK_MS", "NOISE_CUTOFF_HZ", "filter_sections", "gaussian_quantiles", "noise_seeds"]

NOISE_CLOCK_MS, NOISE_CUTOFF_HZ = 0.1, 1000.0


def filter_sections(cutoff_Hz: float, used: bool = True) -> npt.NDArray[np.float64]:
    """Return the biquads ``(4, 5)`` of both passes: b0, b1, b2, a1, a2; zeros if no noise is to pass.

    Raises
    ------
    SimulationError
        If the cutoff is not between 0 and the Nyquist frequency of the noise clock.
    """
    nyquist = 500.0 / NOISE_CLOCK_MS
    if not 0 < cutoff_Hz < nyquist:
        raise SimulationError(
            f"The noise cutoff must lie between 0 and {nyquist:g} Hz, not {cutoff_Hz:g} Hz."
        )
    return _sections(cutoff_Hz) if used else np.zeros((4, 5))


@lru_cache(maxsize=8)
def _sections(cutoff_Hz: float) -> npt.NDArray[np.float64]:
    from scipy.signal import butter  # over a second to import

    sections = butter(4, cutoff_Hz, fs=1000.0 / NOISE_CLOCK_MS, output="sos")
    return np.ascontiguousarray(np.tile(sections, (2, 1))[:, [0, 1, 2, 4, 5]])


@lru_cache(maxsize=1)
def gaussian_quantiles() -> npt.NDArray[np.float64]:
    """Return quantiles of a Gaussian of unit variance at equally likely points, for table look-up."""
    n = 1 << QUANTILE_BITS
    p = np.arange(n + 1) / n
    p[0], p[-1] = 0.25 / n, 1 - 0.25 / n
    q = ndtri(p)
    # variance of the piecewise linear inverse, so that it can be made one exactly
    variance = np.mean((q[:-1] ** 2 + q[:-1] * q[1:] + q[1:] ** 2) / 3.0)
    return q / np.sqrt(variance)


def noise_seeds(seed: int | np.random.Generator | npt.NDArray[np.uint64], n: int) -> npt.NDArray[np.uint64]:
    """Return one 64-bit seed a member, so that its noise does not depend on its neighbours or workers."""
    if isinstance(seed, np.ndarray):
        return np.broadcast_to(seed.astype(np.uint64), (n,)).copy()
    return generator(seed, error=SimulationError).integers(0, 2**63, size=n, dtype=np.uint64)
