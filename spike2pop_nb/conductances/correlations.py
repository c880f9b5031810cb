"""How the conductances of a population go together."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # its parts are imported as they are used: those here are slow to import

from spike2pop_nb.conductances.population import Population

__all__ = ["pair_correlations"]


def pair_correlations(
    population: Population, rows: npt.ArrayLike | None = None, *, by_leak: bool = False
) -> pd.DataFrame:
    """Return the correlations of every pair of maximal conductances over the members.

    Members are drawn such that all their conductances scale with the leak (Fyon et al. 2024,
    doi:10.1093/pnasnexus/pgae415): that part of the correlations is built in, not found; ``by_leak``
    removes it.

    Parameters
    ----------
    population
        Members.
    rows : (n,) int or bool, optional
        Which of them count; all by default.
    by_leak
        Divide the conductances of each member by its leak, which is then left out of the pairs.

    Returns
    -------
    DataFrame
        One row per pair, in the order of the declaration: ``a``, ``b`` (channels), ``pearson``, ``spearman``,
        ``p_spearman`` (two-sided, of no monotonic relation) and ``significant``: whether that is below 0.05
        over the number of pairs (Bonferroni). NaN where there are under 4 members or a conductance does not
        vary.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=20, seed=1)
    >>> table = s2p.pair_correlations(population)
    >>> len(table), table.columns[:4].tolist()
    (28, ['a', 'b', 'pearson', 'spearman'])
    """
    g = population.g if rows is None else population.g[np.asarray(rows)]
    if by_leak:
        g = g[:, :-1] / g[:, -1:]
    names = population.channel_names[: g.shape[1]]
    varies = np.ptp(g, axis=0) > 1e-9 * np.abs(g).max(axis=0, initial=0.0) if len(g) else np.zeros(len(names))
    pairs = list(combinations(range(len(names)), 2))
    found = []
    for i, j in pairs:
        pearson = spearman = p = np.nan
        if len(g) >= 4 and varies[i] and varies[j]:
            pearson = float(scipy.stats.pearsonr(g[:, i], g[:, j]).statistic)
            ranked = scipy.stats.spearmanr(g[:, i], g[:, j])
            spearman, p = float(ranked.statistic), float(ranked.pvalue)
        found.append((names[i], names[j], pearson, spearman, p, bool(p * len(pairs) < 0.05)))
    return pd.DataFrame(found, columns=["a", "b", "pearson", "spearman", "p_spearman", "significant"])
