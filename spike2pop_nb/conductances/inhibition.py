"""Rhythmic inhibition: what cells receive that follow a rhythm, and burst on the rebound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.errors import CompensationError

__all__ = ["INHIBITION_COLUMNS", "INHIBITION_E_MV", "Inhibition"]

FloatArray = npt.NDArray[np.float64]
INHIBITION_COLUMNS = ("inhibition_mS_cm2", "inhibition_period_ms", "inhibition_share")
INHIBITION_E_MV = -80.0
"""Where it reverses, as the slow, cholinergic inhibition in the stomatogastric ganglion does, which potassium
carries (Prinz, Bucher and Marder 2004, doi:10.1038/nn1352)."""


@dataclass(frozen=True, eq=False)
class Inhibition:
    """A conductance that members receive again and again, at the beginning of each period.

    The first period begins with the simulation. The conductance reverses at −80 mV.

    Attributes
    ----------
    conductance : (n,)
        While it is on, in mS/cm²; 0 for a member without.
    period_ms : (n,)
        From one beginning to the next.
    share : (n,)
        Of each period in which it is on, 0 to 1.

    Raises
    ------
    CompensationError
        If they do not belong to the same members, or one cannot be.

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.conductances import Inhibition
    >>> inhibition = Inhibition.of([0.1, 0.2], 1000.0, [0.5, 0.25])
    >>> inhibition.at(np.array([100.0, 400.0, 1100.0])).round(1).tolist()
    [[0.1, 0.1, 0.1], [0.2, 0.0, 0.2]]
    """

    conductance: FloatArray
    period_ms: FloatArray
    share: FloatArray

    @classmethod
    def of(cls, conductance: npt.ArrayLike, period_ms: npt.ArrayLike, share: npt.ArrayLike) -> Inhibition:
        """Make it from numbers, each for all members or for each."""
        try:
            given = np.broadcast_arrays(
                *(np.atleast_1d(np.asarray(x, float)) for x in (conductance, period_ms, share))
            )
        except ValueError:
            raise CompensationError(
                "The conductance, period and share of an inhibition must be of the same members."
            ) from None
        return cls(*(np.array(values) for values in given))

    def __post_init__(self) -> None:
        on = self.conductance > 0
        good = np.isfinite(self.conductance) & (self.conductance >= 0)
        good &= ~on | (np.isfinite(self.period_ms) & (self.period_ms > 0))
        good &= ~on | ((self.share > 0) & (self.share <= 1))
        if not good.all():
            row = int(np.flatnonzero(~good)[0])
            raise CompensationError(
                f"The inhibition in row {row} is {self.conductance[row]:g} mS/cm² for a share of "
                f"{self.share[row]:g} of {self.period_ms[row]:g} ms; it needs a conductance of zero or more, "
                "a period of more than 0 ms and a share from 0 to 1."
            )

    def __len__(self) -> int:
        return len(self.conductance)

    def select(self, rows: npt.NDArray[np.int64]) -> Inhibition:
        """Return that of some members."""
        return Inhibition(self.conductance[rows], self.period_ms[rows], self.share[rows])

    def repeated(self, times: int) -> Inhibition:
        """Return that of all members, so many times one after the other."""
        return self.select(np.tile(np.arange(len(self)), times))

    def at(self, ms: FloatArray) -> npt.NDArray[np.float32]:
        """Return the conductance of each member at some times, (n, n_times) in mS/cm²."""
        conductance, piece = self.pieces(ms)
        return conductance[:, piece]

    def pieces(self, ms: FloatArray) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return what members receive at some times, once for all times at which it is the same.

        Returns
        -------
        conductance : (n, n_pieces)
            In mS/cm².
        piece : (n_times,)
            Which of them holds at each time.
        """
        one = len(self) and bool((self.period_ms == self.period_ms[0]).all())
        period_ms = self.period_ms[:1] if one else self.period_ms
        phase = np.mod(ms / np.where(period_ms > 0, period_ms, 1.0)[:, None], 1.0)
        if one:  # it is told by how many of the shares are over
            shares, place = np.unique(self.share, return_inverse=True)
            over, piece = np.unique(np.searchsorted(shares, phase[0], side="right"), return_inverse=True)
            on = place[:, None] >= over
        else:
            on, piece = phase < self.share[:, None], np.arange(len(ms))
        return np.where(on, self.conductance.astype(np.float32)[:, None], np.float32(0.0)), piece

    def columns(self) -> Mapping[str, FloatArray]:
        """Return the columns of a table of members that hold it."""
        return dict(zip(INHIBITION_COLUMNS, (self.conductance, self.period_ms, self.share), strict=True))

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> Inhibition | None:
        """Return that of members in a table; None if no member has one."""
        if any(column not in table for column in INHIBITION_COLUMNS):
            return None
        values: list[Any] = [table[column].fillna(0.0).to_numpy(float) for column in INHIBITION_COLUMNS]
        return cls(*values) if values[0].any() else None
