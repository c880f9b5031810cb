"""Members drawn from a posterior, and what they say: intervals, correlations, and how well they are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import three_digits
from spike2pop_nb.fidelity.prior import MemberPrior
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["LEVELS", "DrawnPosterior", "effective"]

FloatArray = npt.NDArray[np.float64]
LEVELS = (50, 80, 95)
"""Intervals that hold so many per cent of the posterior, with as much on either side."""
_FEW = 100.0  # effective sample size below which intervals are rough
_MOST = 0.3  # share of members that fire within the recording's variability again, below which it was luck
_UNTRUSTED = "This posterior is not to be trusted."
_TOLD = 0.8  # share of the prior's interval below which a recording tells something of a value


def effective(weights: FloatArray) -> float:
    """Return the effective sample size of weights (n,), after Kish.

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.fidelity.drawn_posterior import effective
    >>> effective(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


@dataclass(frozen=True, eq=False)
class DrawnPosterior:
    """Members drawn from the posterior over conductances, current and noise, given a recording.

    Attributes
    ----------
    recording
        What it is given.
    prior
        What was taken to be known before.
    population
        The members, with drive, and with weights that are all but equal.
    spike_times_ms
        What each fires from 0 to ``length_ms``, with the noise of its seed.
    length_ms
        How much of each was compared with the recording.
    n_effective
        Effective sample size: so many independent members would say as much.
    tolerance
        How far from the recording members fired at most, in units of its own variability: 1, or more if
        hardly any fired within that.
    n_simulated
        Simulations of a member in all.
    within
        Share of the members that fire within the recording's own variability again, with other noise.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> found = s2p.sample_posterior(train, "stg", size=8, budget=1024, seed=1)
    >>> found.neuron.name, found.values.shape[1]
    ('stg', 10)
    """

    recording: SpikeTrain
    prior: MemberPrior
    population: Population
    spike_times_ms: list[FloatArray]
    length_ms: float
    n_effective: float
    tolerance: float
    n_simulated: int
    within: float

    def __len__(self) -> int:
        return len(self.population)

    @property
    def neuron(self) -> NeuronModel:
        """Of which the members are."""
        return self.prior.neuron

    @property
    def values(self) -> FloatArray:
        """Conductances in mS/cm², current and σ of the noise in µA/cm², (n, d)."""
        return np.ascontiguousarray(self.population.table[list(self.prior.columns)], dtype=float)

    @property
    def weights(self) -> FloatArray:
        """Of the members, (n,), together 1."""
        return self.population.weights

    def quantile(self, q: float) -> FloatArray:
        """Return a quantile of each value, (d,)."""
        return _quantiles(self.values, self.weights, [q])[0]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per conductance, current and noise: value, unit, median, mean, sd, intervals, told.

        Columns such as ``low_80`` and ``high_80`` hold intervals; ``told`` is by how much the 80 % interval
        is narrower than that of the prior, from 0 (nothing is told) to 1.
        """
        values, weights = self.values, self.weights
        mean = weights @ values
        low, high = np.array([[0.1] * values.shape[1], [0.9] * values.shape[1]])
        before = np.diff(self.prior.values(np.array([low, high])), axis=0)[0]
        table = pd.DataFrame(
            {
                "value": self.prior.names,
                "unit": self.prior.units,
                "median": self.quantile(0.5),
                "mean": mean,
                "sd": np.sqrt(weights @ (values - mean) ** 2),
            }
        )
        for level in LEVELS:
            ends = _quantiles(values, weights, [0.5 - level / 200, 0.5 + level / 200])
            table[f"low_{level}"], table[f"high_{level}"] = ends
        table["told"] = np.clip(1.0 - (table["high_80"] - table["low_80"]) / before, 0.0, 1.0)
        return table

    def correlations(self) -> pd.DataFrame:
        """Return the rank correlations of all values, (d, d)."""
        ranks = scipy.stats.rankdata(self.values, axis=0)
        off = ranks - self.weights @ ranks
        cov = (off * self.weights[:, None]).T @ off
        sd = np.sqrt(np.maximum(np.diag(cov), 1e-30))
        return pd.DataFrame(cov / np.outer(sd, sd), self.prior.names, self.prior.names)

    @property
    def trusted(self) -> bool:
        """Whether enough members that are simulated again fire like the recording again."""
        return self.within >= _MOST and self.tolerance <= 1.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What to be wary of, in sentences."""
        found = []
        if self.tolerance > 1.0:
            found.append(
                f"Members up to {self.tolerance:.2g} times as far from the recording as it is from itself "
                "were kept, as hardly any was nearer: this neuron may not fire like it, or a larger budget "
                "is needed."
            )
        elif self.within < _MOST:
            found.append(
                f"Only {100 * self.within:.0f} % of the members fire within the recording's own variability "
                "when they are simulated again: that they did owes much to luck, and this neuron varies more "
                "than the recording."
            )
        if self.n_effective < _FEW:
            found.append(
                f"An effective sample size of {self.n_effective:.0f} is small: intervals are rough. A larger "
                "budget gives more."
            )
        return tuple(found)

    def describe(self) -> str:
        """Say how it was found, what it tells, and what it is no answer to."""
        table = self.to_frame()
        told = table.sort_values("told", ascending=False)
        some = [
            f"{row.value} {_said(row.low_80)} to {_said(row.high_80)} {row.unit}".rstrip()
            for row in told[told["told"] > 1.0 - _TOLD].itertuples()
        ]
        text = (
            f"{len(self)} members drawn from the posterior of recording {self.recording.id!r}, worth "
            f"{self.n_effective:.0f} independent ones, from {self.n_simulated} simulations of "
            f"{self.length_ms / 1000:.3g} s. "
        )
        if self.tolerance <= 1.0:
            text += (
                "Each fired within the recording's own variability, and "
                f"{100 * self.within:.0f} % do so again with other noise. "
            )
        text += self.prior.describe()
        if some:
            text += f" With 80 % probability: {', '.join(some)}."
        untold = told.loc[told["told"] <= 1.0 - _TOLD, "value"].tolist()
        if untold:
            text += f" The recording tells next to nothing of {', '.join(untold)}."
        if not self.trusted:
            return " ".join([_UNTRUSTED, *self.notes, text])
        return " ".join([text, *self.notes])


def _said(value: Any) -> str:
    return three_digits(value).replace("-", "−")


def _quantiles(values: FloatArray, weights: FloatArray, levels: list[float]) -> FloatArray:
    """Return weighted quantiles, (levels, d)."""
    order = np.argsort(values, axis=0, kind="stable")
    found = []
    for column, rows in zip(values.T, order.T, strict=True):
        w = weights[rows]
        found.append(np.interp(levels, np.cumsum(w) - 0.5 * w, column[rows]))
    return np.array(found).T
