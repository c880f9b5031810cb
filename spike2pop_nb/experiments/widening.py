"""By which factor bands over members must be wider than the members to hold a cell as often as they say.

The middle 80 % of members is taken as it is, from its median; the factor says how far from there each end
of a band lies. Learnt by ``tests/benchmarks/bench_next.py learn`` from 68 simulated STG cells, each with all
of its feasible experiments; for other neurons the factors are taken to be the same.
"""

from __future__ import annotations

import numpy as np

__all__ = ["LEVELS", "widening"]

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""How probably a band holds the cell."""
_FACTORS = {
    "rate_Hz": (0.26, 0.38, 0.57, 0.82, 1.00, 1.19),
    "cv": (0.06, 0.15, 0.30, 0.57, 0.93, 1.08),
    "burst_period_ms": (0.33, 0.39, 0.57, 0.84, 0.96, 1.23),
    "burst_duration_ms": (0.31, 0.47, 0.67, 0.86, 1.03, 1.25),
    "spikes_per_burst": (0.00, 0.06, 0.79, 1.00, 1.00, 1.00),
    "intra_burst_Hz": (0.28, 0.37, 0.54, 0.77, 0.99, 1.26),
}


def widening(measure: str, band: float) -> float:
    """Return the factor of a measure for a band, linear between `LEVELS`."""
    return float(np.interp(band, LEVELS, _FACTORS[measure]))
