"""How members are moved in the space of conductances, and what of it is kept."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from spike2pop_nb.fidelity.screening import WIDER
from spike2pop_nb.fidelity.summaries import AIM, Spikes, Summaries

__all__ = ["Moving", "enough_to_refine", "log_g"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

_ROUNDS = 7
_TILE = 16  # members that the simulator takes at once
_LOOKS = 4  # at a member as it is judged
_FIRST_STEP, _TRUST = 0.5, 0.3  # largest step of the population, and of one member, in units of ln y
_SHORTEST = 0.01  # of the largest step: a member that needs shorter ones is given up
_MOST_INFLATION = 3.0
# Rounding to whole spikes takes more variance than the linear estimate says.
_BURST_INFLATION = 1.2
_RIDGE = 1e-4  # added to the variance of ln y
_SPARE = 1.5  # members to move for one that should get there


def log_g(g: FloatArray) -> FloatArray:
    """Return ln ḡ; −inf for an absent channel, which stays absent."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(g))


class Moving:
    """Members on the move: θ = ln ḡ, their spikes and summaries y, and the simulations that they took.

    Parameters
    ----------
    g : (n, n_channels), spikes, y : (n, q)
        Where they are, in mS/cm²; y is measured if not given.
    summaries
        What must match.
    simulate
        Gives the spikes of members from their conductances, (m, n_channels) in mS/cm².
    limit
        Most simulations.
    off : (q,)
        By how much members are judged to differ from what these simulations say.
    """

    def __init__(
        self,
        g: FloatArray,
        spikes: Spikes,
        summaries: Summaries,
        simulate: Callable[[FloatArray], Spikes],
        limit: float = np.inf,
        y: FloatArray | None = None,
        off: FloatArray | None = None,
    ) -> None:
        self.g, self.theta, self.spikes, self.summaries = g.copy(), log_g(g), list(spikes), summaries
        self.y = summaries.measure(spikes) if y is None else y.copy()
        self.simulate, self.limit, self.n_simulated = simulate, limit, 0
        q = self.y.shape[1]
        self.off = np.zeros_like(self.y) if off is None else np.tile(off, (len(g), 1))
        self.J = np.tile(np.eye(q), (len(g), 1, 1))  # of y by steps within the columns of K

    def alike(self) -> BoolArray:
        """Which have the recording's firing pattern."""
        return self.summaries.alike(self.y)

    def within(self) -> BoolArray:
        """Which have it, and what is held."""
        return self.summaries.within(self.y)

    def arrived(self) -> BoolArray:
        """Which fire like the recording."""
        return np.asarray(self.summaries.misfit(self.y) <= 1.0)

    def run(self, theta: FloatArray, rows: Rows) -> tuple[Spikes, FloatArray]:
        """Simulate members elsewhere; return spikes and summaries."""
        spikes = self.simulate(np.exp(theta))
        self.n_simulated += len(theta)
        return spikes, self.summaries.measure(spikes) + self.off[rows]

    def take(
        self, rows: npt.NDArray[np.int64], theta: FloatArray, spikes: Spikes, y: FloatArray, good: BoolArray
    ) -> None:
        """Have the rows where they were moved to, if that is good."""
        moved = rows[good][(theta[good] != self.theta[rows[good]]).any(axis=1)]
        self.theta[rows[good]], self.y[rows[good]] = theta[good], y[good]
        self.g[moved] = np.exp(self.theta[moved])  # others keep every bit
        for k in np.flatnonzero(good):
            self.spikes[rows[k]] = spikes[k]

    def settle_for(self, simulate: Callable[[FloatArray], Spikes], K: FloatArray, enough: int) -> BoolArray:
        """Bring members to the recording by another simulation, of which as few as possible are run.

        By how much the two differ at a member is taken to be the same near by, so that only where it stands,
        and not how it gets there, is simulated both ways. Of each the best is kept that was seen so. None of
        these looks counts as a simulation.

        Returns
        -------
        (n,) bool
            Of which members spikes and summaries are those of the other simulation.
        """
        n = len(self.y)
        seen, new, limit = np.zeros(n, dtype=bool), np.ones(n, dtype=bool), WIDER / AIM
        best_theta, best_y, best_misfit = self.theta.copy(), self.y.copy(), np.full(n, np.inf)
        best_g, best_spikes = self.g.copy(), list(self.spikes)
        for look in range(_LOOKS):
            misfit = self.summaries.misfit(self.y)
            rows = np.flatnonzero(new & (misfit <= limit))
            if not look:  # those nearest say how much the others are off; whole tiles of the simulator
                some = max(_TILE, enough // _TILE * _TILE)
                rows = np.sort(rows[np.argsort(misfit[rows], kind="stable")[:some]])
            elif not len(rows):
                break
            if len(rows):
                spikes = simulate(self.g[rows])
                y = self.summaries.measure(spikes)
                off = np.where(self.summaries.held, 0.0, y - self.y[rows])
                self.off[rows] += np.where(np.isfinite(off), off, 0.0)
                self.y[rows] = y
                misfit = self.summaries.misfit(y)
                better = ~seen[rows] | (misfit < best_misfit[rows])
                seen[rows] = True
                if not look:
                    by = np.median(self.off[rows], axis=0) - self.off[~seen]
                    self.off[~seen] += by
                    self.y[~seen] += by
                for k in np.flatnonzero(better):
                    best_spikes[rows[k]] = spikes[k]
                kept = rows[better]
                best_theta[kept], best_g[kept] = self.theta[kept], self.g[kept]
                best_y[kept], best_misfit[kept] = y[better], misfit[better]
            if look + 1 == _LOOKS or (best_misfit <= 1.0).sum() >= enough:
                break
            before, limit = self.theta.copy(), 1.0
            self.approach(K, enough)
            new = (self.theta != before).any(axis=1) | ~seen
        self.theta[seen], self.g[seen], self.y[seen] = best_theta[seen], best_g[seen], best_y[seen]
        for row in np.flatnonzero(seen):
            self.spikes[row] = best_spikes[row]
        return seen

    def gain(self) -> FloatArray:
        """Return K = cov(θ, y) cov(y)⁻¹ of the members with the recording's firing pattern.

        If enough of them have also what is held, of these: activity jumps between them and the others.
        """
        within = self.within()
        rows = within if enough_to_refine(int(within.sum()), self.summaries) else self.alike()
        d_y = self.y[rows] - self.y[rows].mean(axis=0)
        cov_y = d_y.T @ d_y / len(d_y) + _RIDGE * np.eye(d_y.shape[1])
        return np.asarray(np.linalg.solve(cov_y, d_y.T @ deviation(self.theta[rows]) / len(d_y)).T)

    def step_together(self, K: FloatArray) -> None:
        """Move all with the recording's firing pattern by K (y* − y).

        What y does not explain is spread as much as the step narrows θ. Members that lose the firing pattern
        go half as far, or stay.
        """
        rows = np.flatnonzero(self.alike())
        theta, y = self.theta[rows], self.y[rows]
        d_theta, d_y = deviation(theta), y - y.mean(axis=0)
        explained = d_y @ K.T
        variance = d_theta.var(axis=0)
        varies = variance > 1e-12
        share = np.minimum((explained.var(axis=0)[varies] / variance[varies]).max(initial=0.0), 0.99)
        extra = _BURST_INFLATION if y.shape[1] > 1 else 1.0
        inflation = np.clip(extra / np.sqrt(1.0 - share), 1.0, _MOST_INFLATION)
        step = self.summaries.wanted - y
        step *= np.minimum(1.0, _FIRST_STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-12))
        self.go(rows, step @ K.T + (inflation - 1.0) * (d_theta - explained))

    def go(self, rows: Rows, by: FloatArray) -> None:
        """Move rows by so much, or half of it, as long as they keep the firing pattern, and what is held."""
        start, went = self.theta[rows], np.zeros(len(rows), dtype=bool)
        for share in (1.0, 0.5):
            left = np.flatnonzero(~went)
            if not len(left) or self.n_simulated + len(left) > self.limit:
                break
            moved = start[left] + share * by[left]
            spikes, y = self.run(moved, rows[left])
            good = self.summaries.within(y) | (self.summaries.alike(y) & ~self.within()[rows[left]])
            self.take(rows[left], moved, spikes, y, good)
            went[left[good]] = True

    def bring_in(
        self, inside: Callable[[FloatArray], BoolArray], anchors: FloatArray, wanted: int
    ) -> BoolArray:
        """Move members that are not inside towards the nearest that are, until as many are as wanted.

        Half of the way, and where that is not enough three quarters to whichever is nearest by then.

        Parameters
        ----------
        inside
            Says of summaries which are.
        anchors : (m, n_channels)
            θ of others that are.
        wanted
            Members that should be inside.

        Returns
        -------
        (n,) bool
            Which members were moved.
        """
        before = inside(self.y)
        missing = wanted - int(before.sum())
        near = np.concatenate([self.theta[before], anchors])
        brought = np.zeros(len(self.y), dtype=bool)
        if missing <= 0 or not len(near):
            return brought
        channels = np.isfinite(self.theta).all(axis=0) & np.isfinite(near).all(axis=0)
        unit = np.maximum(np.concatenate([self.theta, near])[:, channels].std(axis=0), 1e-9)
        rows = np.flatnonzero(~before)
        for share in (0.5, 0.75):
            if not len(rows) or missing <= 0:
                break
            apart, nearest = cKDTree(near[:, channels] / unit).query(self.theta[rows][:, channels] / unit)
            order = np.argsort(apart, kind="stable")[: math.ceil(_SPARE * missing)]
            rows, nearest = rows[order], nearest[order]
            if self.n_simulated + len(rows) > self.limit:
                break
            moved = self.theta[rows]
            moved[:, channels] += share * (near[nearest] - moved)[:, channels]
            spikes, y = self.run(moved, rows)
            good = inside(y)
            self.take(rows, moved, spikes, y, good)
            brought[rows[good]] = True
            near = np.concatenate([near, moved[good]])
            rows = rows[~good]
            missing -= int(good.sum())
        return brought

    def approach(self, K: FloatArray, enough: int) -> None:
        """Bring each member alone to the recording, by Broyden's method within the columns of K.

        What is held is not steered. Stops when ``enough`` have arrived.
        """
        misfit = self.summaries.misfit(self.y)
        trust = np.full(len(self.y), _TRUST)
        for _ in range(_ROUNDS):
            going = np.flatnonzero((misfit > 1.0) & np.isfinite(misfit) & (trust > _SHORTEST * _TRUST))
            left = self.limit - self.n_simulated
            if len(going) > left:
                going = np.sort(going[np.argsort(misfit[going], kind="stable")[: int(left)]])
            if not len(going) or (misfit <= 1.0).sum() >= enough:
                break
            steps = _newton(
                self.J[going], self.y[going] - self.summaries.wanted, self.summaries.tolerance, trust[going]
            )
            steps[:, self.summaries.held] = 0.0
            moved = self.theta[going] + steps @ K.T
            spikes, y = self.run(moved, going)
            found = self.summaries.misfit(y)
            for k in np.flatnonzero(np.isfinite(found)):
                row, step = going[k], steps[k]
                if step @ step:
                    self.J[row] += np.outer(y[k] - self.y[row] - self.J[row] @ step, step) / (step @ step)
            better = found < misfit[going]
            self.take(going, moved, spikes, y, better)
            misfit[going[better]] = found[better]
            shorter = np.abs(steps).max(axis=1) / np.where(np.isfinite(found), 2.0, 3.0)
            trust[going[~better]] = shorter[~better]


def enough_to_refine(n_good: int, summaries: Summaries) -> bool:
    """Whether as many members that fire as the recording does can say how to go on."""
    return n_good >= 3 * len(summaries.names) + 5


def deviation(theta: FloatArray) -> FloatArray:
    """Deviation from the mean; 0 for channels that some member lacks, which therefore nobody changes."""
    finite = np.isfinite(theta).all(axis=0)
    out = np.zeros_like(theta)
    out[:, finite] = theta[:, finite] - theta[:, finite].mean(axis=0)
    return out


def _newton(J: FloatArray, residual: FloatArray, tolerance: FloatArray, trust: FloatArray) -> FloatArray:
    """Return steps (n, q) of the damped Newton method, none longer than its member's trust."""
    weighted = J / tolerance[None, :, None]
    H = np.einsum("nij,nik->njk", weighted, weighted)
    damping = 1e-3 * np.trace(H, axis1=1, axis2=2) / H.shape[1]
    H += damping[:, None, None] * np.eye(H.shape[1])
    right = np.einsum("nij,ni->nj", weighted, residual / tolerance)
    steps = -np.linalg.solve(H, right[..., None])[..., 0]
    longest = np.maximum(np.abs(steps).max(axis=1), 1e-12)
    return np.asarray(steps * np.minimum(1.0, trust / longest)[:, None])
