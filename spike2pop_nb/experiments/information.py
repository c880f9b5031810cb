"""How probable an answer is for each member, and how many bits it says about something else.

The same members are recorded twice, in other stretches of time and with other noise: by how much a measure
differs then is what a single recording cannot tell, and so is how often a member fires in another way. To
that comes what no simulation shows, how cells drift (`Measure.least`). An answer may also be one that no
member gives, so that every member has at least the probability of a broad guess.

An answer y of a member m is drawn with the noise of a recording; p(y | m) is known. What it says about which
member the cell is, is the mean of log₂ p(y | m) / Σ w p(y | m), as `narrow` weighs them: at most log₂ of the
effective number of members. What it says about a target t, numbers or a label of each member, is how much
better an answer is foretold by the members of alike targets than by all:

    mean of log₂ p(y | t_m) − log₂ p(y),    p(y | t) ∝ Σ_j≠m  w_j K(t − t_j) p(y | j)

The member itself is left out, so that few members do not look as if they said much, and K is as wide as
foretells best. What is left of bias is what the same gives where targets are shuffled; it is taken away.
Against answers of which the information is known, this was compared with the nearest-neighbour estimator of
scikit-learn (``bench_next.py known``): it errs by less, and takes answers and targets of several numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.observed import FAILED, MEASURES, Answers, FloatArray, IntArray, told_by
from spike2pop_nb.seeds import generator

if TYPE_CHECKING:
    from spike2pop_nb.experiments.targets import Target

__all__ = [
    "RecordingNoise",
    "Shown",
    "about_members",
    "about_target",
    "ranked_bits",
    "recording_noise",
    "shown_under",
]

_LEAST = np.array([measure.least for measure in MEASURES.values()])
_KINDS = (0, 1, 2)
_BROAD = 2.0  # SDs of the members that a guess is wide
_WIDE = 1.0  # SD of a measure that none of the members has
_WIDTHS = (0.1, 0.2, 0.4, 0.8)  # SDs of the target
_REPEATS, _SHUFFLES = 4, 8
_BY_ALL, _LEAST_ALIKE = 0.02, 1e-3
_SAME, _TINY = 1e-9, 1e-300


@dataclass(frozen=True, eq=False)
class RecordingNoise:
    """What a recording cannot tell, by condition."""

    sd: FloatArray
    """(k, q): SD of each of the `MEASURES` from one recording to another of the same cell."""
    slips: FloatArray
    """(k,): how probable an answer is that says nothing of the cell."""


def recording_noise(first: Answers, second: Answers) -> RecordingNoise:
    """Return the noise of recordings that two recordings of the same members show."""
    judged = (first.kinds != FAILED) & (second.kinds != FAILED)
    same = judged & (first.kinds == second.kinds)
    apart = np.where(same[..., None], first.values - second.values, np.nan)
    n = np.isfinite(apart).sum(axis=0)
    variance = np.nansum(apart**2, axis=0) / np.maximum(2 * n, 1)
    pairs = judged.sum(axis=0)
    slips = (pairs - same.sum(axis=0) + 0.5) / (pairs + 1.0)
    return RecordingNoise(np.hypot(np.sqrt(variance), _LEAST), np.minimum(slips, 0.5))


@dataclass(frozen=True, eq=False)
class Shown:
    """What members show under one condition, as in `Answers`, with the noise of a recording of it."""

    kinds: IntArray  # (n,)
    values: FloatArray  # (n, q)
    weights: FloatArray  # (n,): how probable each member is, together 1
    sd: FloatArray  # (q,)
    slips: float

    def smoothed(self) -> Shown:
        """Return the same, with noise as wide as so few members stand apart (Silverman's rule).

        Members are a sample of those that could be, and each stands for what lies about it; taken as they
        are, one of them would soon have all of the weight by chance.
        """
        sd = self.sd.copy()
        for kind in _KINDS:
            alike = self.kinds == kind
            weights = self.weights[alike]
            if not weights.sum() > 0:
                continue
            n, q = weights.sum() ** 2 / float((weights**2).sum()), len(told_by(kind))
            width = (4.0 / ((q + 2) * n)) ** (1.0 / (q + 4))
            for at in told_by(kind):
                if np.isfinite(self.values[alike, at]).any():
                    sd[at] = np.hypot(sd[at], width * self._usual(alike, at)[1])
        return replace(self, sd=sd)

    def density(self, kind: IntArray, values: FloatArray) -> FloatArray:
        """Return how probable answers (r,), (r, q) are for each member, (r, n), times what r sets."""
        found = np.zeros((len(kind), len(self.kinds)))
        for each in np.unique(kind):
            rows = kind == each
            found[rows] = self._of_kind(int(each), values[rows])
        return found

    def _of_kind(self, kind: int, values: FloatArray) -> FloatArray:
        """Return the densities of answers of one kind, the largest of each about 1."""
        alike = self.kinds == kind
        logs = np.full((len(values), len(self.kinds)), -np.inf)
        logs[:, alike] = 0.0
        guess = np.full(len(values), -np.log(len(_KINDS)))
        for at in told_by(kind):
            middle, spread = self._usual(alike, at)
            own, sd = self.values[alike, at], np.full(alike.sum(), self.sd[at])
            missing = np.isnan(own)
            own, sd = np.where(missing, middle, own), np.where(missing, np.hypot(sd, spread), sd)
            told = np.isfinite(values[:, at])
            y = np.where(told, values[:, at], 0.0)[:, None]
            logs[:, alike] += np.where(told[:, None], -0.5 * ((y - own) / sd) ** 2 - np.log(sd), 0.0)
            broad = np.hypot(_BROAD * spread, self.sd[at])
            off = (y[:, 0] - middle) / broad
            guess += np.where(told, -0.5 * off**2 - np.log(broad), 0.0)
        top = np.maximum(logs.max(axis=1, initial=-np.inf), guess)[:, None]
        return np.asarray((1.0 - self.slips) * np.exp(logs - top) + self.slips * np.exp(guess[:, None] - top))

    def _usual(self, alike: npt.NDArray[np.bool_], at: int) -> tuple[float, float]:
        """Return mean and SD of a measure over the members that fire alike and have it."""
        has = alike & np.isfinite(self.values[:, at])
        weights, values = self.weights[has], self.values[has, at]
        if not weights.sum() > 0:
            return 0.0, _WIDE
        middle = float(np.average(values, weights=weights))
        return middle, float(np.sqrt(np.average((values - middle) ** 2, weights=weights)))

    def misfit(self, kind: int, values: FloatArray) -> FloatArray:
        """Return how many SD the measure that is off by the most is off, by member, (n,).

        Infinite for members that fire otherwise.
        """
        worst = np.where(self.kinds == kind, 0.0, np.inf)
        for at in told_by(kind):
            if np.isfinite(values[at]):
                off = np.abs(self.values[:, at] - values[at]) / self.sd[at]
                worst = np.maximum(worst, np.nan_to_num(off, nan=0.0))
        return worst


def ranked_bits(
    answers: Answers,
    noise: RecordingNoise,
    weights: FloatArray,
    places: Sequence[int],
    target: Target,
    numbers: FloatArray,
    labels: IntArray | None = None,
    seed: int = 0,
) -> FloatArray:
    """Return how many bits the answers under each of some conditions tell about a target."""
    every = [shown_under(answers, noise, weights, place) for place in places]
    if target.kind == "conductances":
        return np.array([about_members(shown, seed) for shown in every])
    return np.array([about_target(shown, numbers, labels, seed) for shown in every])


def shown_under(answers: Answers, noise: RecordingNoise, weights: FloatArray, at: int) -> Shown:
    """Return what members show under one condition."""
    kinds, values = answers.at(at)
    return Shown(kinds, values, weights, noise.sd[at], float(noise.slips[at]))


def about_members(shown: Shown, seed: int = 0) -> float:
    """Return how many bits an answer says about which member the cell is: what narrowing will give."""
    shown = shown.smoothed()
    drawn = _drawn(shown, seed)
    if drawn is None:
        return 0.0
    rows, density = drawn
    whole = density @ shown.weights
    told = np.log2(density[np.arange(len(rows)), rows] / whole)
    return max(0.0, (1.0 - shown.slips) * float(np.average(told, weights=shown.weights[rows])))


def about_target(shown: Shown, target: FloatArray, labels: IntArray | None = None, seed: int = 0) -> float:
    """Return how many bits an answer says about a target, (n, d) with no column for a mere label, (n,)."""
    drawn = _drawn(shown, seed)
    if drawn is None or len(shown.kinds) < 3:
        return 0.0
    rows, density = drawn
    n = len(shown.kinds)
    density = density.reshape(_REPEATS, -1, n)
    who = rows[: density.shape[1]]
    kernels = _kernels(target)
    if labels is not None:
        kernels = [kernel * (labels[:, None] == labels[None, :]) for kernel in kernels]
    rng = generator(seed, 1, error=ExperimentError)
    orders = [np.arange(n), *(rng.permutation(n) for _ in range(_SHUFFLES))]
    best = [
        max(_foretold(density, who, kernel[np.ix_(order, order)], shown.weights) for kernel in kernels)
        for order in orders
    ]
    return max(0.0, (1.0 - shown.slips) * (best[0] - float(np.mean(best[1:]))))


def _drawn(shown: Shown, seed: int) -> tuple[IntArray, FloatArray] | None:
    """Draw answers of all members that have one, some of each: whose (r,), and their densities (r, n)."""
    who = np.flatnonzero((shown.kinds != FAILED) & (shown.weights > 0))
    if len(who) < 2:
        return None
    rows = np.tile(who, _REPEATS)
    noise = shown.sd * generator(seed, error=ExperimentError).standard_normal((len(rows), len(shown.sd)))
    return rows, shown.density(shown.kinds[rows], shown.values[rows] + noise)


def _kernels(target: FloatArray) -> list[FloatArray]:
    """Return how alike targets are, (n, n), with kernels of several widths."""
    columns = target - target.mean(axis=0)
    if columns.size:
        _, scale, axes = np.linalg.svd(columns, full_matrices=False)
        kept = scale > _SAME * max(float(scale[0]), _SAME)
        columns = (columns @ axes[kept].T) / (scale[kept] / np.sqrt(len(target)))
    if not columns.size:
        return [np.ones((len(target), len(target)))]
    apart = ((columns[:, None] - columns[None, :]) ** 2).sum(axis=-1)
    return [np.exp(-0.5 * apart / width**2) for width in _WIDTHS]


def _foretold(density: FloatArray, who: IntArray, kernel: FloatArray, weights: FloatArray) -> float:
    """Return by how many bits members of alike targets foretell answers (s, r, n) better than all do."""
    others = np.where(np.arange(len(weights)) == who[:, None], 0.0, weights)
    others /= others.sum(axis=1, keepdims=True)
    alike = others * kernel[who]
    # a member whose target is like that of no other is foretold by all
    alike += _BY_ALL * others * np.maximum(alike.sum(axis=1, keepdims=True), _LEAST_ALIKE)
    alike /= alike.sum(axis=1, keepdims=True)
    by_all, by_alike = (np.einsum("srn,rn->sr", density, part) for part in (others, alike))
    told = np.log2(np.maximum(by_alike, _TINY) / np.maximum(by_all, _TINY)).mean(axis=0)
    return float(np.average(told, weights=weights[who]))
