"""How many bits an answer says about something else, estimated from members.

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

import numpy as np

from spike2pop_nb.experiments.observed import FAILED, Answers, FloatArray, IntArray
from spike2pop_nb.experiments.recording_noise import RecordingNoise, Shown

__all__ = ["about_members", "about_target", "shown_under"]

_WIDTHS = (0.1, 0.2, 0.4, 0.8)  # SDs of the target
_REPEATS, _SHUFFLES = 4, 8
_BY_ALL, _LEAST_ALIKE = 0.02, 1e-3
_SAME, _TINY = 1e-9, 1e-300


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
    rng = np.random.default_rng([seed, 1])
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
    noise = shown.sd * np.random.default_rng(seed).standard_normal((len(rows), len(shown.sd)))
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
