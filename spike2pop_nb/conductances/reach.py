"""Which part of the (g_s, g_u) plane a choice of compensated conductances can reach.

The heuristic for choosing what to compensate (Brandoit et al. 2026): the members stay non-negative, and the
system that is solved stays well conditioned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances.compensation import compensate
from spike2pop_nb.conductances.generation import baseline_population
from spike2pop_nb.conductances.input_conductances import sensitivity
from spike2pop_nb.conductances.plane import PlaneMap, plane_grid
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = ["Reachability", "reachability", "solvable_pairs"]

FloatArray = npt.NDArray[np.float64]
_MEMBERS = 32
MAX_GRID = 201


@dataclass(frozen=True, eq=False)
class Reachability(PlaneMap):
    """What a choice reaches; beside what every `PlaneMap` has:

    Attributes
    ----------
    condition : (n_u, n_s)
        Condition number of the solved system, its columns scaled to length one (1 is best).
    residual : (n_u, n_s)
        Median over members of the largest distance from the wanted DICs, in DIC units; infinite where no
        solution is finite.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> reach = s2p.reachability("stg", ("CaS", "H"), 5)
    >>> print(reach.describe())
    Compensating CaS and H reaches 80 % of the plane (median condition number 1.1).
    """

    condition: FloatArray
    residual: FloatArray

    def at(self, points: npt.ArrayLike) -> FloatArray:
        """Return the valid fraction at the grid nodes nearest to points (n, 2) of (g_s, g_u)."""
        return self.valid_fraction[self.nearest(points)]

    def to_frame(self) -> pd.DataFrame:
        """Return a table, one row per node, with all that is mapped."""
        return super().to_frame().assign(condition=self.condition.ravel(), residual=self.residual.ravel())

    @property
    def share(self) -> float:
        """Share of the grid that at least half of the members reach."""
        return float(np.mean(self.valid_fraction >= 0.5))

    def describe(self, points: npt.ArrayLike | None = None, where: str = "this recording's DICs") -> str:
        """Say in one sentence what the choice reaches, and at points (n, 2) if any, which ``where`` names."""
        condition = float(np.median(self.condition))
        text = (
            f"Compensating {self.choice} reaches {100 * self.share:.0f} % of the plane "
            f"(median condition number {f'{condition:.1f}' if np.isfinite(condition) else 'infinite'})"
        )
        if points is None:
            return text + "."
        return text + f", and {100 * float(self.at(points).mean()):.0f} % of members at {where}."


@lru_cache(maxsize=64)
def _reachability(neuron: NeuronModel, compensated: tuple[str, ...], n_grid: int) -> Reachability:
    pair, s_axis, u_axis = plane_grid(neuron, compensated, n_grid, least=2, most=MAX_GRID)
    base, _ = baseline_population(neuron, _MEMBERS, 0)
    n = n_grid * n_grid
    g_s, g_u = np.tile(s_axis, n_grid), np.repeat(u_axis, n_grid)
    members = np.tile(base, (n, 1))
    targets = {"g_s": np.repeat(g_s, _MEMBERS), "g_u": np.repeat(g_u, _MEMBERS)}
    solved = compensate(neuron, members, pair, targets)
    fraction = solved.valid.reshape(n, _MEMBERS).mean(axis=1)
    residual = np.where(np.isfinite(solved.residual), solved.residual, np.inf)
    # the system of the first member at each node is typical, and a matrix of each member would be slow
    index = [neuron.index(name) for name in pair]
    with np.errstate(all="ignore"):  # what was not solved may be beyond all bounds
        S = sensitivity(neuron, solved.g[::_MEMBERS])[:, 1:, index]
        scaled = S / np.linalg.norm(S, axis=1, keepdims=True)
    finite = np.isfinite(scaled).all(axis=(1, 2))
    condition = np.full(n, np.inf)
    condition[finite] = np.linalg.cond(scaled[finite])
    return Reachability(
        neuron,
        pair,
        s_axis,
        u_axis,
        fraction.reshape(n_grid, n_grid),
        condition.reshape(n_grid, n_grid),
        np.median(residual.reshape(n, _MEMBERS), axis=1).reshape(n_grid, n_grid),
    )


def reachability(neuron: str | NeuronModel, compensate: Sequence[str], n_grid: int = 41) -> Reachability:
    """Map what compensating two conductances reaches over the neuron's (g_s, g_u) plane; cached.

    Raises
    ------
    CompensationError
        If the choice is not two different channels that can set g_s and g_u, or the grid is too small.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> reach = s2p.reachability("stg", ("CaS", "H"), 5)
    >>> reach.at([(4.0, 5.0)]).round(2)
    array([1.])
    """
    return _reachability(get_neuron(neuron), tuple(compensate), int(n_grid))


def solvable_pairs(neuron: str | NeuronModel) -> list[tuple[str, str]]:
    """Return every pair of channels (leak apart) that can set g_s and g_u at the threshold.

    Examples
    --------
    >>> from spike2pop_nb.conductances import solvable_pairs
    >>> ("CaS", "H") in solvable_pairs("stg")
    True
    """
    return list(_solvable_pairs(get_neuron(neuron)))


@lru_cache(maxsize=64)
def _solvable_pairs(neuron: NeuronModel) -> tuple[tuple[str, str], ...]:
    base, _ = baseline_population(neuron, 1, 0)
    targets = {"g_s": neuron.baseline.g_s, "g_u": neuron.baseline.g_u}
    pairs = []
    for pair in combinations(neuron.channel_names[:-1], 2):
        try:
            compensate(neuron, base, pair, targets)
        except CompensationError:
            continue
        pairs.append(pair)
    return tuple(pairs)
