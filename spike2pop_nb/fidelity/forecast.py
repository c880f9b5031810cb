"""How a member would fire, told from those that were simulated near it, before it is simulated itself.

Surrogates that choose among the moves of an evolution save simulations and decide nothing else (Jin 2011,
doi:10.1016/j.swevo.2011.05.001): what is kept, and what passes, is still told by simulating.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Forecast"]

FloatArray = npt.NDArray[np.float64]
_NEAREST = 64  # members that tell of one
_FEWEST, _MOST = 100, 2048  # that are needed, and kept
_RIDGE = 1e-2


class Forecast:
    """A local linear regression of what is measured of members on what they are.

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.fidelity.forecast import Forecast
    >>> x = np.random.default_rng(0).random((200, 3))
    >>> forecast = Forecast()
    >>> forecast.add(x, x @ [[1.0], [2.0], [0.0]])
    >>> forecast.of(np.array([[0.5, 0.5, 0.5]]), x.std(axis=0)).round(2).tolist()
    [[1.5]]
    """

    def __init__(self) -> None:
        self.x = np.zeros((0, 0))
        self.y = np.zeros((0, 0))

    def add(self, x: FloatArray, y: FloatArray) -> None:
        """Add members, (n, d), and what was measured of them, (n, q); the latest ones count."""
        known = [(self.x, self.y)] if len(self.x) else []
        self.x = np.concatenate([*(a for a, _b in known), x])[-_MOST:]
        self.y = np.concatenate([*(b for _a, b in known), y])[-_MOST:]

    @property
    def tells(self) -> bool:
        """Whether enough members are known."""
        return len(self.x) >= _FEWEST

    def best_of(
        self, moves: Sequence[FloatArray], spread: FloatArray, cost: Callable[[FloatArray], FloatArray]
    ) -> FloatArray:
        """Return for each member that of its moves which promises most, (n, d).

        Among moves that promise to pass, the first is taken: chance decides, so that members stay different.

        Parameters
        ----------
        moves
            Of all members, (n, d) each.
        spread : (d,)
            By how much members differ in each of their values.
        cost
            What (n, q) measured is worth; up to 1 where a member would pass.
        """
        if len(moves) == 1:
            return moves[0]
        asked = np.stack(moves)
        found = cost(self.of(asked.reshape(-1, asked.shape[-1]), spread)).reshape(asked.shape[:2])
        good = found <= 1.0
        chosen = np.where(good.any(axis=0), good.argmax(axis=0), found.argmin(axis=0))
        return np.asarray(asked[chosen, np.arange(asked.shape[1])])

    def of(self, x: FloatArray, spread: FloatArray) -> FloatArray:
        """Return what would be measured of members, (n, q).

        Parameters
        ----------
        x : (n, d)
            The members.
        spread : (d,)
            By how much members differ in each of their values, in which distances are counted.
        """
        unit = np.where(spread > 0, spread, 1.0)
        known, asked = self.x / unit, x / unit
        square = (
            (asked**2).sum(axis=1)[:, None]
            + (known**2).sum(axis=1)
            - 2.0 * np.einsum("id,jd->ij", asked, known)
        )
        n = min(_NEAREST, len(known))
        near = np.argpartition(square, n - 1, axis=1)[:, :n]
        far = np.maximum(np.take_along_axis(square, near, axis=1), 0.0)
        weight = 1.0 / (1.0 + far / np.maximum(np.median(far, axis=1, keepdims=True), 1e-12))
        off = known[near] - asked[:, None, :]
        design = np.concatenate([np.ones((*near.shape, 1)), off], axis=2)
        heavy = design * weight[..., None]
        gram = np.einsum("nki,nkj->nij", heavy, design)
        penalty = _RIDGE * weight.sum(axis=1)[:, None, None] * np.eye(design.shape[2])
        penalty[:, 0, 0] = 0.0
        right = np.einsum("nki,nkq->niq", heavy, self.y[near])
        return np.asarray(np.linalg.solve(gram + penalty, right)[:, 0])
