"""On which side of the membrane a trace was recorded, and which way its spikes point."""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

import numpy as np

from .trace import VoltageTrace
from .train import FloatArray

__all__ = [
    "PHASES_MS",
    "SIGMAS",
    "Polarity",
    "fast_part",
    "larger_phase",
    "sample_noise",
    "side_of",
    "sigma_of",
]

Polarity: TypeAlias = Literal["auto", "up", "down", "both"]

# Quiroga et al. (2004) take 4 σ, which white noise at 20 kHz crosses 40 times a minute; 5 σ, 20 an hour.
SIGMAS: Final = 5.0
"""How many σ of the noise a spike beside a cell is above."""
PHASES_MS: Final = 1.0
"""How long the phases of a spike beside a cell are apart at most."""
# Spikes beside a cell are below this, those inside it above; amplifiers' gains can make the first larger.
_LARGEST_OUTSIDE_MV: Final = 10.0
# A phase of the opposite sign that is this much of the larger one makes a spike biphasic.
_SECOND_PHASE: Final = 0.3
SLOW_HZ: Final = 200.0
# Too few to tell what a trace looks like.
_FEWEST_SAMPLES: Final = 100
_MOST_NOISE_MV: Final = 3.0


def side_of(trace: VoltageTrace, polarity: Polarity) -> tuple[bool, str, str]:
    """Whether a trace is from beside the cell, why, and which way its larger phase points."""
    volts, unit = trace.V_mV, trace.unit
    middle = float(np.median(volts))
    if polarity in ("down", "both"):
        return True, f"since polarity {polarity} was asked for", polarity
    low, high = float(volts.min()), float(volts.max())
    usual = float(np.subtract(*np.percentile(volts, (99.9, 0.1))))
    centred = abs(middle) <= max(3.0 * sigma_of(volts - middle), 0.1 * usual)
    if not centred or volts.size < _FEWEST_SAMPLES:
        return False, f"since it rests at {middle:.3g} {unit}", "up"
    way, second, size = larger_phase(trace, volts - middle)
    if polarity == "up":
        way = "up"
    span = f"since it is centred on 0, from {low:.3g} to {high:.3g} {unit}"
    if unit == "mV" and (size if second is not None else usual) < _LARGEST_OUTSIDE_MV:
        return True, f"{span}, with spikes smaller than any inside a cell", way
    if second is not None and (second >= _SECOND_PHASE or way == "down"):
        return True, f"{span}, and its spikes have two phases or point down", way
    if unit == "mV" and sample_noise(volts) > _MOST_NOISE_MV:
        return True, f"{span}, with more noise than inside a cell", way
    return False, f"since its spikes rise by {high - middle:.3g} {unit} and have one phase", "up"


def larger_phase(trace: VoltageTrace, values: FloatArray) -> tuple[str, float | None, float]:
    """Which way the larger phase of deflections points, the other phase as a share of it, and its size.

    The share is None where nothing stands out of the noise.
    """
    size = np.abs(values)
    level = max(SIGMAS * sigma_of(values), 1e-12)
    far = np.flatnonzero(size >= level)
    if not far.size:
        return ("up" if values.max() > -values.min() else "down"), None, 0.0
    step = trace.step_ms
    reach = max(1, round(PHASES_MS / step))
    starts = far[np.concatenate(([True], np.diff(far) > reach))]
    if starts.size > 500:
        tallest = np.array([size[a : a + 2 * reach].max() for a in starts[:20_000]])
        starts = starts[np.sort(np.argsort(tallest)[-500:])]
    ups, downs = [], []
    for a in starts:
        part = values[max(0, a - reach) : a + 2 * reach + 1]
        around = values[max(0, a - 10 * reach) : a + 10 * reach + 1]
        base = float(np.median(around))
        ups.append(float(part.max()) - base)
        downs.append(base - float(part.min()))
    up, down = float(np.median(ups)), float(np.median(downs))
    # Noise alone reaches a few σ to both sides.
    noise = 3.0 * level / SIGMAS
    smaller, larger = min(up, down), max(up, down)
    second = 0.0 if smaller <= noise else smaller / larger
    return ("up" if up >= down else "down"), second, larger


def fast_part(trace: VoltageTrace) -> FloatArray:
    """The trace without what is slower than 200 Hz; only without its median where its steps forbid that."""
    from scipy.signal import butter, sosfiltfilt

    values = trace.V_mV - float(np.median(trace.V_mV))
    steps = np.diff(trace.times_ms)
    step = trace.step_ms
    nyquist = 500.0 / step
    if nyquist < 4.0 * SLOW_HZ or values.size < 50 or float(np.abs(steps - step).max()) > 0.5 * step:
        return values
    return np.asarray(sosfiltfilt(butter(2, SLOW_HZ / nyquist, "highpass", output="sos"), values))


def sigma_of(values: FloatArray) -> float:
    """σ of the noise around zero, which spikes hardly move."""
    return float(np.median(np.abs(values))) / 0.6745


def sample_noise(values: FloatArray) -> float:
    """σ of the noise from one sample to the next, which slow potentials hardly move."""
    return float(np.median(np.abs(np.diff(values)))) / (0.6745 * math.sqrt(2.0))
