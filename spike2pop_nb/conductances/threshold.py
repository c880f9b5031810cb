"""The threshold voltage of a neuron as such: its mean over members, and what a millivolt of it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spike2pop_nb.conductances.generation import baseline_population
from spike2pop_nb.conductances.input_conductances import dics, find_threshold
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.seeds import generator

__all__ = ["Threshold", "mean_threshold", "threshold_sensitivity"]


@dataclass(frozen=True)
class Threshold:
    """Where g_t falls through zero in many members of one neuron.

    Attributes
    ----------
    mean_mV, std_mV
        Over the members that have a threshold; NaN if none has.
    found_share
        Share of members that have one.
    n
        Number of members.

    Examples
    --------
    >>> from spike2pop_nb.conductances import mean_threshold
    >>> mean_threshold("stg", n=100).n
    100
    """

    mean_mV: float
    std_mV: float
    found_share: float
    n: int


def mean_threshold(
    neuron: str | NeuronModel,
    n: int = 2000,
    seed: int | np.random.Generator = 0,
    members: Literal["drawn", "baseline"] = "drawn",
) -> Threshold:
    """Return the mean threshold of members drawn over the conductance ranges, or of the baseline population.

    The declared threshold of the STG neuron is the mean of drawn members (Brandoit et al. 2026,
    doi:10.1371/journal.pcbi.1014337).

    Examples
    --------
    >>> from spike2pop_nb.conductances import mean_threshold
    >>> threshold = mean_threshold("stg", n=200, seed=0)
    >>> -60 < threshold.mean_mV < -40
    True
    """
    neuron = get_neuron(neuron)
    rng = generator(seed, error=CompensationError)
    if members == "baseline":
        g, _ = baseline_population(neuron, n, rng)
    else:
        g = np.stack([rng.uniform(*neuron.conductance_range[c], n) for c in neuron.channel_names], axis=1)
    V_th = find_threshold(neuron, g)
    found = V_th[np.isfinite(V_th)]
    if not len(found):
        return Threshold(np.nan, np.nan, 0.0, n)
    return Threshold(float(found.mean()), float(found.std()), len(found) / n, n)


def threshold_sensitivity(
    neuron: str | NeuronModel, n: int = 200, seed: int | np.random.Generator = 0
) -> tuple[float, float]:
    """Return how much g_s and g_u change per mV of V_th: medians over n baseline members, without sign.

    Examples
    --------
    >>> from spike2pop_nb.conductances import threshold_sensitivity
    >>> per_mV = threshold_sensitivity("stg", n=50)
    >>> [round(change, 1) for change in per_mV]
    [0.9, 1.6]
    """
    neuron = get_neuron(neuron)
    g, _ = baseline_population(neuron, n, seed)
    slope = dics(neuron, g, neuron.V_th_mV + 0.5) - dics(neuron, g, neuron.V_th_mV - 0.5)
    g_s, g_u = np.median(np.abs(slope[:, 1:]), axis=0)
    return float(g_s), float(g_u)
