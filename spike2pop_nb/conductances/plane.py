"""What all maps of a choice of compensated conductances over the (g_s, g_u) plane have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel

__all__ = ["PlaneMap", "plane_grid"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlaneMap:
    """A map over the plane, for one choice of compensated conductances.

    Attributes
    ----------
    neuron, compensate
        The choice.
    g_s : (n_s,), g_u : (n_u,)
        Grid over the neuron's range of targets.
    valid_fraction : (n_u, n_s)
        Share of baseline members that get there with no negative conductance.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> s2p.reachability("stg", ("CaS", "H"), 5).valid_fraction.shape
    (5, 5)
    """

    neuron: NeuronModel
    compensate: tuple[str, str]
    g_s: FloatArray
    g_u: FloatArray
    valid_fraction: FloatArray

    @property
    def choice(self) -> str:
        """The two conductances in words."""
        return " and ".join(self.compensate)

    def nearest(self, points: npt.ArrayLike) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the index (row, column) of the nodes nearest to points (n, 2) of (g_s, g_u)."""
        xy = np.atleast_2d(np.asarray(points, dtype=float))
        column = np.abs(xy[:, :1] - self.g_s).argmin(axis=1)
        return np.abs(xy[:, 1:] - self.g_u).argmin(axis=1), column

    def to_frame(self) -> pd.DataFrame:
        """Return a table, one row per node."""
        g_s, g_u = np.meshgrid(self.g_s, self.g_u)
        return pd.DataFrame(
            {"g_s": g_s.ravel(), "g_u": g_u.ravel(), "valid_fraction": self.valid_fraction.ravel()}
        )


def plane_grid(
    neuron: NeuronModel, compensate: Sequence[str], n_grid: int, *, least: int, most: int
) -> tuple[tuple[str, str], FloatArray, FloatArray]:
    """Return the two conductances of a map, and its nodes along g_s and g_u.

    Raises
    ------
    CompensationError
        If there are not two conductances, or not ``least`` to ``most`` nodes a side.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.conductances import plane_grid
    >>> pair, g_s, g_u = plane_grid(s2p.get_neuron("stg"), ("CaS", "H"), 5, least=2, most=9)
    >>> pair, len(g_s)
    (('CaS', 'H'), 5)
    """
    names = tuple(compensate)
    if len(names) != 2:
        raise CompensationError(f"A map over the plane takes two conductances, not {len(names)}.")
    if not least <= n_grid <= most:
        raise CompensationError(f"The grid must have {least} to {most} nodes a side, not {n_grid}.")
    g_s, g_u = (np.linspace(*neuron.dic_range[name], n_grid) for name in ("g_s", "g_u"))
    return (names[0], names[1]), g_s, g_u
