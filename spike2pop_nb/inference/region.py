"""The smallest region of the plane that holds a share of a posterior."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.inference.mixture import Mixture

__all__ = ["CredibleRegion"]

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class CredibleRegion:
    """The smallest set of (g_s, g_u) that holds ``level`` of a posterior, and a grid to draw it on.

    Attributes
    ----------
    level : float
        Probability inside.
    threshold : float
        Log density at the border of the set.
    g_s, g_u : arrays (n,), (m,)
        Grid coordinates.
    log_density : array (m, n)
        Log density on the grid, per squared DIC unit.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> posterior = s2p.load_predictor("stg").predict([train])[0]
    >>> region = posterior.credible_region(0.95)
    >>> bool(region.contains(posterior.mean))
    True
    """

    level: float
    threshold: float
    g_s: Floats
    g_u: Floats
    log_density: Floats
    _mixture: Mixture = field(repr=False)

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Grid points (m, n) in the set."""
        return self.log_density >= self.threshold

    def contains(self, x: Floats) -> NDArray[np.bool_]:
        """Whether points (…, 2) lie in the set."""
        return np.asarray(self._mixture.log_prob(x) >= self.threshold)
