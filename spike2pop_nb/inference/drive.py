"""Which constant current and noise a neuron needs to fire like a recording."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.inference.mixture import Box, Mixture

__all__ = [
    "CURRENT_RANGE",
    "DRIVE_BOX",
    "INHIBITION_RANGE",
    "INHIBITION_SHARE_RANGE",
    "MOST_CURRENT",
    "NOISE_RANGE",
    "Drive",
]

Floats = NDArray[np.floating]
CURRENT_RANGE, NOISE_RANGE = (-3.0, 8.0), (0.0, 12.0)
"""Constant currents and standard deviations of noise that members are given, in µA/cm²."""
MOST_CURRENT = 100.0
"""Either way, in µA/cm², of a constant current that is known."""
INHIBITION_RANGE = (0.0, 0.2)
"""Rhythmic inhibition that members are given where they follow a rhythm, in mS/cm²."""
INHIBITION_SHARE_RANGE = (0.1, 0.9)
"""Share of each period in which they are inhibited."""
DRIVE_BOX = Box(*np.array([CURRENT_RANGE, NOISE_RANGE]).T)


@dataclass(frozen=True, eq=False)
class Drive:
    """Which constant current and noise a neuron needs to fire like a recording, with their widths.

    Attributes
    ----------
    id, neuron : str
        Of the recording, and of the neuron.
    mixture : Mixture or None
        Density over (current, noise) in µA/cm²; None if the recording is silent.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> drive = s2p.inference.load_atlas("stg").drive([train])[0]
    >>> drive.noise_sigma < 1.0
    True
    """

    id: str
    neuron: str
    mixture: Mixture | None

    @cached_property
    def _moments(self) -> tuple[Floats, Floats]:
        if self.mixture is None:
            return np.full(2, np.nan), np.full((2, 2), np.nan)
        return self.mixture.moments()

    @property
    def current(self) -> float:
        """Posterior mean of the constant current, µA/cm²."""
        return float(self._moments[0][0])

    @property
    def noise_sigma(self) -> float:
        """Posterior mean of the noise's standard deviation, µA/cm²."""
        return float(self._moments[0][1])

    @property
    def std(self) -> Floats:
        """Posterior standard deviations (2,) of current and noise."""
        return np.sqrt(np.diagonal(self._moments[1]))

    def describe(self) -> str:
        """Say it in one sentence; empty for a silent recording."""
        if self.mixture is None:
            return ""
        current = f"{self.current:.1f}".replace("-", "−")
        return (
            f"To fire so, the {self.neuron} neuron would need a constant current of {current} ± "
            f"{self.std[0]:.1f} µA/cm² and noise of {self.noise_sigma:.1f} ± {self.std[1]:.1f} µA/cm²."
        )
