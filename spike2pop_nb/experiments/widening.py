"""By which factor bands over members must be wider than the members to hold a cell as often as they say.

The middle 80 % of members is taken as it is, from its median; the factor says how far from there each end
of a band lies. Learnt by ``tests/benchmarks/bench_next.py learn`` from simulated STG cells, each with all of
its feasible experiments; for other neurons the factors are taken to be the same.
"""

from __future__ import annotations

import numpy as np

__all__ = ["LEVELS", "widening"]

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""How probably a band holds the cell."""
_FACTORS = {
    "rate_Hz": (0.29, 0.47, 0.71, 0.91, 1.13, 1.45),
    "cv": (0.12, 0.22, 0.39, 0.69, 0.98, 1.22),
    "burst_period_ms": (0.32, 0.33, 0.44, 0.72, 1.04, 1.14),
    "burst_duration_ms": (0.33, 0.50, 0.64, 0.90, 1.00, 1.35),
    "spikes_per_burst": (0.00, 0.00, 0.09, 1.00, 1.00, 1.00),
    "intra_burst_Hz": (0.21, 0.32, 0.48, 0.67, 0.91, 1.07),
}


def widening(measure: str, band: float) -> float:
    """Return the factor of a measure for a band, linear between `LEVELS`."""
    return float(np.interp(band, LEVELS, _FACTORS[measure]))
