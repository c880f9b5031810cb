"""How different the members of a population are, and whether a refined one is still as different."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.fidelity.distinct import distinct, least_distance
from spike2pop_nb.neurons import NeuronModel, same_neuron

__all__ = ["Diversity", "beyond_range", "diversity"]

FloatArray = npt.NDArray[np.float64]
_SAME = 1e-9  # relative spread below which a conductance does not vary


@dataclass(frozen=True, eq=False)
class Diversity:
    """Spread of a population's conductances.

    Attributes
    ----------
    n, n_distinct
        Members, and different ones among them (see `spike2pop_nb.fidelity.distinct`). Members are not
        weighted, so the second is the effective sample size, or its upper bound if some of them were made by
        crossing others.
    dimensions
        In how many independent directions the members differ: participation ratio of the eigenvalues of the
        correlation matrix of conductances, from 1 (all along one line) to the number of channels.
    table
        One row per channel: channel, mean and std in mS/cm², cv; with a population to compare with,
        std_unrefined and spread (std over std_unrefined).
    correlations
        Pearson correlations between the channels' conductances; NaN for one that does not vary.
    least_distance
        Distance of the nearest two members: the largest difference of ln ḡ over the channels.
    dimensions_unrefined, correlations_unrefined
        The same of the population compared with; None without one.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import diversity
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> diversity(population).n_distinct
    4
    """

    n: int
    n_distinct: int
    dimensions: float
    table: pd.DataFrame
    correlations: pd.DataFrame
    least_distance: float
    dimensions_unrefined: float | None = None
    correlations_unrefined: pd.DataFrame | None = None

    @property
    def effective_sample_size(self) -> int:
        """Members that count: the different ones."""
        return self.n_distinct

    @property
    def least_spread(self) -> float:
        """Smallest spread of a channel against the unrefined population; NaN without one."""
        return float(self.table["spread"].min()) if "spread" in self.table else float("nan")

    def describe(self) -> str:
        """Say in one sentence how different the members are."""
        text = (
            f"{self.n_distinct} different sets of conductances among {self.n} members, varying in "
            f"{self.dimensions:.1f} independent directions; the nearest two differ by "
            f"{100 * np.expm1(self.least_distance):.2g} % in some conductance"
        )
        if "spread" not in self.table or self.table["spread"].isna().all():
            return text + "."
        least = self.table.iloc[int(self.table["spread"].argmin())]
        return (
            text
            + f" (unrefined: {self.dimensions_unrefined:.1f}); the spread of each conductance is at least "
            f"{100 * least['spread']:.0f} % of the unrefined population's ({least['channel']})."
        )


def diversity(population: Population, unrefined: Population | None = None) -> Diversity:
    """Measure how different members are.

    Parameters
    ----------
    population
        At least two members.
    unrefined
        A population of the same neuron to compare with, such as the starts of refinement.

    Raises
    ------
    CompensationError
        If a population has fewer than two members, or the two are of different neurons.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import diversity
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> print(diversity(population).describe())
    4 different sets of conductances among 4 members, varying in 2.0 independent directions; the nearest two
    differ by 27 % in some conductance.
    """
    for one in (population, unrefined):
        if one is not None and len(one) < 2:
            raise CompensationError(
                f"The diversity of a population needs two members or more, not {len(one)}."
            )
    if unrefined is not None and not same_neuron(unrefined.neuron, population.neuron):
        raise CompensationError(
            f"A population of the {population.neuron.name} neuron cannot be compared with one of the "
            f"{unrefined.neuron.name} neuron."
        )
    names = list(population.channel_names)
    g = population.g
    table = pd.DataFrame({"channel": names, "mean": g.mean(axis=0), "std": g.std(axis=0, ddof=1)})
    table["cv"] = table["std"] / table["mean"].where(table["mean"] > 0)
    others = None
    if unrefined is not None:
        table["std_unrefined"] = unrefined.g.std(axis=0, ddof=1)
        varied = table["std_unrefined"] > _SAME * table["mean"].abs()
        table["spread"] = (table["std"] / table["std_unrefined"]).where(varied)
        others = _correlations(unrefined.g, names)
    own = _correlations(g, names)
    return Diversity(
        len(g),
        int(distinct(g).sum()),
        _dimensions(own),
        table,
        own,
        least_distance(g),
        None if others is None else _dimensions(others),
        others,
    )


def beyond_range(neuron: NeuronModel, g: FloatArray) -> dict[str, int]:
    """Return {channel: members} of those with more of it than the range declared for the neuron allows."""
    ranges = neuron.conductance_range
    high = np.array([ranges.get(name, (0.0, np.inf))[1] for name in neuron.channel_names])
    counts = (g > high).sum(axis=0)
    return {name: int(n) for name, n in zip(neuron.channel_names, counts, strict=True) if n}


def _correlations(g: FloatArray, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(g, columns=names).corr()


def _dimensions(correlations: pd.DataFrame) -> float:
    varied = correlations.index[np.isfinite(np.diagonal(correlations))]
    values = np.linalg.eigvalsh(correlations.loc[varied, varied])
    return float(values.sum() ** 2 / (values**2).sum()) if len(values) else 0.0
