"""Which constant current and noise a neuron needs to fire like a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spike2pop_nb.errors import CompensationError, three_digits
from spike2pop_nb.inference.domain import called
from spike2pop_nb.inference.mixture import Box, Mixture

__all__ = [
    "CURRENT_RANGE",
    "DRIVE_BOX",
    "INHIBITION_RANGE",
    "INHIBITION_SHARE_RANGE",
    "MOST_CURRENT",
    "NOISE_RANGE",
    "N_TOLD",
    "Drive",
    "check_current",
    "in_range",
    "told",
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
N_TOLD = 2
"""Current and noise: what networks of atlases can be told beside a train."""
_FAR = 3.0  # standard deviations


def check_current(current: Any) -> None:
    """Refuse a known current that is no number, or one that no cell is given.

    Raises
    ------
    CompensationError
        It says so.

    Examples
    --------
    >>> from spike2pop_nb.inference.drive import check_current
    >>> check_current(0.5)
    """
    if current is None:
        return
    number = isinstance(current, (int, float, np.integer, np.floating)) and not isinstance(current, bool)
    if not (number and abs(current) <= MOST_CURRENT):
        raise CompensationError(
            f"The known current must be a number from −{MOST_CURRENT:g} to {MOST_CURRENT:g} µA/cm², not "
            f"{current!r}."
        )


def in_range(current: float) -> bool:
    """Return whether members of atlases are given such a current, so that a network can be told of it."""
    return CURRENT_RANGE[0] <= current <= CURRENT_RANGE[1]


def told(current: ArrayLike, noise_sigma: ArrayLike) -> Floats:
    """Write currents and noise (n,) in µA/cm², nan where unknown, as networks are told them.

    Returns
    -------
    array (n, 4), float32
        Both from −1 to 1 within their ranges, little noise with more room; then whether each is known. Noise
        counts only where the current is known, too.
    """
    drive = np.column_stack([np.asarray(current, float), np.sqrt(np.asarray(noise_sigma, float))])
    low, high = np.array([CURRENT_RANGE, np.sqrt(NOISE_RANGE)]).T
    known = np.isfinite(drive) & np.isfinite(drive[:, :1])
    written = np.where(known, 2 * (drive - low) / (high - low) - 1, 0.0)
    return np.concatenate([written, known], axis=1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Drive:
    """Which constant current and noise a neuron needs to fire like a recording, with their widths.

    Attributes
    ----------
    id, neuron : str
        Of the recording, and of the neuron.
    mixture : Mixture or None
        Density over (current, noise) in µA/cm², whatever is known; None if the recording is silent.
    known : float or None
        Current in µA/cm² if it is known; then it is that, and the noise is what is told given it.

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
    known: float | None = None

    @cached_property
    def _moments(self) -> tuple[Floats, Floats]:
        if self.mixture is None:
            return np.full(2, np.nan), np.full((2, 2), np.nan)
        if self.known is None or not in_range(self.known):
            return self.mixture.moments()
        return self.mixture.given_first(self.known).moments()

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
        """Say it in a sentence or two; empty for a silent recording."""
        if self.mixture is None:
            return ""
        (mean, _), cov = self.mixture.moments()
        width = math.sqrt(cov[0, 0])
        current = f"a constant current of {mean:.1f} ± {width:.1f} µA/cm²".replace("-", "−")
        noise = f"noise of {self.noise_sigma:.1f} ± {self.std[1]:.1f} µA/cm²"
        if self.known is None or not in_range(self.known):
            return f"To fire so, the {called(self.neuron)} neuron would need {current} and {noise}."
        words = (
            f"To fire so with the known current of {three_digits(self.known)} µA/cm², the "
            f"{called(self.neuron)} neuron would need {noise}."
        ).replace("-", "−")
        if abs(self.known - mean) > _FAR * width:
            words += f" It is not likely to fire so with that; it would with {current}."
        return words
