"""Refinement: change members, each as little as it takes, until they fire like the recording.

Members that share the recording's DICs differ from it by several per cent in rate, as its true siblings do.
Here the loop is closed by simulation. Each member starts from its own draw and is brought to the recording's
summary statistics, so that members stay as different as they were: this is randomised maximum likelihood
(Oliver, He & Reynolds 1996; Chen & Oliver 2013, doi:10.1007/s10596-013-9351-5) without observation noise.

1. The population itself says how conductances go with the summaries: with θ = ln ḡ and y the summaries,
   K = cov(θ, y) cov(y)⁻¹. One step θ + K (y* − y) brings all members near the recording. What of θ the
   summaries do not explain is spread a little at the same time, to make up for the variance that the step
   takes away (covariance inflation, Anderson & Anderson 1999).
2. Each member goes on alone within the columns of K, by Broyden's method from the identity: no derivative is
   simulated, and a member that fires otherwise after a step goes back and takes a shorter one.
3. If too few arrive, half of the next starts are crosses of three members that already fire as the recording
   does, a + γ (b − c) in ln ḡ (differential evolution, ter Braak 2006, doi:10.1007/s11222-006-8769-1).

Nothing is resampled and none is copied. Members from draws of their own are independent of each other,
crosses not of those they were made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spike2pop_nb.fidelity.scores import PassRule
from spike2pop_nb.spiketrains import FiringPattern, SpikeTrain, TrainFeatures, features

__all__ = ["Refined", "Summaries", "cross_members", "enough_to_refine", "refine_members"]

FloatArray = npt.NDArray[np.float64]
Spikes = list[FloatArray]

# Members stop at these shares of the tolerances that they are verified with, so that few fall short of them.
_AIM = 0.3
_ROUNDS = 7
_FIRST_STEP, _TRUST = 0.5, 0.3  # largest step of the population, and of one member, in units of ln y
_SHORTEST = 0.01  # of the largest step: a member that needs shorter ones is given up
_MOST_INFLATION = 3.0
# Rounding to whole spikes takes more variance than the linear estimate says.
_BURST_INFLATION = 1.2
_RIDGE = 1e-4  # added to the variance of ln y
_CROSSING = 0.7  # γ


@dataclass(frozen=True, eq=False)
class Summaries:
    """What of a train must match the recording, as logarithms, and how closely.

    Attributes
    ----------
    names
        Features of :class:`~spike2pop_nb.spiketrains.TrainFeatures`.
    pattern
        The recording's firing pattern; trains of another have no summaries.
    wanted : (q,)
        Of the recording.
    tolerance : (q,)
        Within which a member has arrived.
    """

    names: tuple[str, ...]
    pattern: FiringPattern
    wanted: FloatArray
    tolerance: FloatArray

    @classmethod
    def of(cls, train: SpikeTrain, rule: PassRule) -> Summaries:
        """Choose what must match: of bursts their rate, the rate within, the spikes; else rate (and CV)."""
        found = features(train)
        names: tuple[str, ...]
        if found.n_bursts:
            names = ("inter_burst_hz", "intra_burst_hz", "spikes_per_burst")
            # the rate is the product of burst rate and spikes per burst
            limits = [min(rule.rate, rule.burst), rule.burst, min(rule.rate, rule.burst)]
        elif found.pattern is FiringPattern.BURSTING:  # irregular
            names, limits = ("rate_hz", "cv"), [rule.rate, rule.burst]
        else:
            names, limits = ("rate_hz",), [rule.rate]
        wanted = np.array([np.log(getattr(found, name)) for name in names])
        return cls(names, found.pattern, wanted, _AIM * np.array(limits))

    def measure(self, spikes: Spikes) -> FloatArray:
        """Return the summaries of trains, (n, q); NaN where a train fires otherwise or has none."""
        out = np.full((len(spikes), len(self.names)), np.nan)
        for row, times in enumerate(spikes):
            found: TrainFeatures = features(times)
            if found.pattern is self.pattern:
                values = np.array([getattr(found, name) for name in self.names])
                if np.all(values > 0):  # False for NaN
                    out[row] = np.log(values)
        return out

    def misfit(self, y: FloatArray) -> FloatArray:
        """Return the largest distance from the recording in units of the tolerance, (n,); inf for NaN."""
        worst: FloatArray = np.abs((y - self.wanted) / self.tolerance).max(axis=1, initial=0.0)
        return np.nan_to_num(worst, nan=np.inf, posinf=np.inf)


@dataclass(frozen=True, eq=False)
class Refined:
    """Members after refinement.

    Attributes
    ----------
    g : (n, n_channels)
        Conductances in mS/cm².
    spike_times_ms
        Spikes of each.
    y : (n, q)
        Summaries of those.
    origin : (n,) int
        Row that each started from.
    arrived : (n,) bool
        Whether it came within the aim.
    n_simulated : int
        Simulations of one member that this took.
    """

    g: FloatArray
    spike_times_ms: list[FloatArray]
    y: FloatArray
    origin: npt.NDArray[np.int64]
    arrived: npt.NDArray[np.bool_]
    n_simulated: int


def enough_to_refine(n_good: int, summaries: Summaries) -> bool:
    """Whether as many members that fire as the recording does can say how to go on."""
    return n_good >= 3 * len(summaries.names) + 5


def cross_members(g: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """Return n crosses (n, n_channels), each of three different members of g; none if those are too few."""
    if len(g) < 3 or not n:
        return np.zeros((0, g.shape[1]))
    a, b, c = rng.permuted(np.tile(np.arange(len(g)), (n, 1)), axis=1)[:, :3].T
    # an absent channel stays absent: 0 · (0/0) is no difference
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(g[b] / g[c], nan=1.0, posinf=1.0)
    ratio[ratio == 0] = 1.0
    return np.asarray(g[a] * ratio**_CROSSING)


def refine_members(
    g: FloatArray,
    spikes: Spikes,
    summaries: Summaries,
    simulate: Callable[[FloatArray], Spikes],
    *,
    y: FloatArray | None = None,
    enough: int | None = None,
    most_simulations: int | None = None,
) -> Refined:
    """Bring members to the recording's summaries.

    Parameters
    ----------
    g : (n, n_channels)
        Members to start from, in mS/cm², none negative.
    spikes
        Spike times in ms of each.
    summaries
        What must match.
    simulate
        Gives the spikes of members, as ``spikes`` were obtained.
    y : (n, q)
        Summaries of ``spikes``, if they were measured.
    enough
        Stop when as many have arrived; all by default.
    most_simulations
        Start no round that could exceed this.

    Returns
    -------
    Refined
        One row for each start with the recording's firing pattern, in their order; the others cannot be
        refined, and have none. Without enough of them (see `enough_to_refine`) nothing is changed.
    """
    y = summaries.measure(spikes) if y is None else y
    origin = np.flatnonzero(np.isfinite(y).all(axis=1))
    theta, y = _log(g[origin]), y[origin]
    times = [spikes[row] for row in origin]
    if not enough_to_refine(len(origin), summaries):
        return Refined(g[origin], times, y, origin, summaries.misfit(y) <= 1.0, 0)
    enough = len(origin) if enough is None else enough
    limit = np.inf if most_simulations is None else most_simulations
    K = _gain(theta, y)
    n_simulated = 0
    if limit >= len(origin):
        moved = _first_step(theta, y, K, summaries)
        found = simulate(np.exp(moved))
        n_simulated += len(origin)
        theta, y, times = _keep_better(theta, y, times, moved, found, summaries)
    misfit = summaries.misfit(y)
    J = np.tile(np.eye(y.shape[1]), (len(y), 1, 1))
    trust = np.full(len(y), _TRUST)
    for _ in range(_ROUNDS):
        going = np.flatnonzero((misfit > 1.0) & (trust > _SHORTEST * _TRUST))
        if not len(going) or (misfit <= 1.0).sum() >= enough or n_simulated + len(going) > limit:
            break
        steps = _newton(J[going], y[going] - summaries.wanted, summaries.tolerance, trust[going])
        moved = theta[going] + steps @ K.T
        found = simulate(np.exp(moved))
        n_simulated += len(going)
        y_new = summaries.measure(found)
        misfit_new = summaries.misfit(y_new)
        for k, row in enumerate(going):
            step = steps[k]
            if np.isfinite(misfit_new[k]):
                J[row] += np.outer(y_new[k] - y[row] - J[row] @ step, step) / (step @ step)
            if misfit_new[k] < misfit[row]:
                theta[row], y[row], misfit[row], times[row] = moved[k], y_new[k], misfit_new[k], found[k]
            else:
                trust[row] = np.abs(step).max() / (2.0 if np.isfinite(misfit_new[k]) else 3.0)
    return Refined(np.exp(theta), times, y, origin, misfit <= 1.0, n_simulated)


def _log(g: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.log(g)  # −inf for an absent channel, which stays absent


def _deviation(theta: FloatArray) -> FloatArray:
    """Deviation from the mean; 0 for channels that some member lacks, which therefore nobody changes."""
    finite = np.isfinite(theta).all(axis=0)
    out = np.zeros_like(theta)
    out[:, finite] = theta[:, finite] - theta[:, finite].mean(axis=0)
    return out


def _gain(theta: FloatArray, y: FloatArray) -> FloatArray:
    """Return K = cov(θ, y) cov(y)⁻¹, shape (n_channels, q)."""
    d_y = y - y.mean(axis=0)
    cov_y = d_y.T @ d_y / len(y) + _RIDGE * np.eye(y.shape[1])
    return np.asarray(np.linalg.solve(cov_y, d_y.T @ _deviation(theta) / len(y)).T)


def _first_step(theta: FloatArray, y: FloatArray, K: FloatArray, summaries: Summaries) -> FloatArray:
    """Return θ + K (y* − y), with what y does not explain of θ spread as much as the step narrows θ."""
    d_theta, d_y = _deviation(theta), y - y.mean(axis=0)
    explained = d_y @ K.T
    variance = d_theta.var(axis=0)
    varies = variance > 1e-12
    share = np.minimum((explained.var(axis=0)[varies] / variance[varies]).max(initial=0.0), 0.99)
    extra = _BURST_INFLATION if len(summaries.names) > 1 else 1.0
    inflation = np.clip(extra / np.sqrt(1.0 - share), 1.0, _MOST_INFLATION)
    step = summaries.wanted - y
    step *= np.minimum(1.0, _FIRST_STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-12))
    return np.asarray(theta + step @ K.T + (inflation - 1.0) * (d_theta - explained))


def _keep_better(
    theta: FloatArray,
    y: FloatArray,
    times: list[FloatArray],
    moved: FloatArray,
    found: Spikes,
    summaries: Summaries,
) -> tuple[FloatArray, FloatArray, list[FloatArray]]:
    """Take the moved members, but for those that no longer fire as the recording does."""
    y_new = summaries.measure(found)
    good = np.isfinite(y_new.sum(axis=1))
    theta, y = np.where(good[:, None], moved, theta), np.where(good[:, None], y_new, y)
    return theta, y, [found[i] if good[i] else times[i] for i in range(len(times))]


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
