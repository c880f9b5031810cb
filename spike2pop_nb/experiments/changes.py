"""What can change in a neuron between two recordings, and simulated pairs of recordings to learn that from.

A conductance is multiplied by a factor, a constant current or its noise is shifted. Members of the neuron's
atlas are simulated as they are, twice with other noise, and with one change each; two of these trains of a
member make a pair: nothing, one or two things differ between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import Cancelled
from spike2pop_nb.inference.atlas import WINDOW_MS
from spike2pop_nb.inference.drive import CURRENT_RANGE, NOISE_RANGE
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import simulate

if TYPE_CHECKING:
    from spike2pop_nb.inference.atlas import Atlas

__all__ = [
    "CURRENT",
    "FACTORS",
    "NOISE",
    "SHARES",
    "ChangedPairs",
    "ChangedTrains",
    "applied",
    "candidates",
    "hypotheses",
    "limits",
    "simulated_changes",
    "simulated_pairs",
]

FloatArray = npt.NDArray[np.float64]
FACTORS = (0.2, 3.0)
"""By what a conductance may be multiplied."""
SHARES = (0.2, 0.4, 0.4)
"""How probable it is, before anything is seen, that nothing, one or two things changed."""
CURRENT, NOISE = "current", "noise"
_SAME, _CHANGED = 2, 6  # trains of each member as it is, and with something changed
_AT_ONCE = 512


def candidates(neuron: NeuronModel) -> tuple[str, ...]:
    """Return what can change: each channel, the constant current, the noise."""
    return (*neuron.channel_names, CURRENT, NOISE)


def hypotheses(n: int) -> list[tuple[int, ...]]:
    """Return what may have changed of n candidates: nothing, one, or two of them."""
    return [(), *((k,) for k in range(n)), *combinations(range(n), 2)]


def limits(neuron: NeuronModel) -> FloatArray:
    """Return the least and most of each change, (n, 2): ln of factors, and shifts in µA/cm²."""
    low, high = CURRENT_RANGE
    factors = [np.log(FACTORS)] * neuron.n_channels
    return np.array([*factors, (low - high, high - low), (-NOISE_RANGE[1], NOISE_RANGE[1])])


def applied(x: FloatArray, changes: FloatArray) -> FloatArray:
    """Return members with changes.

    Parameters
    ----------
    x : (..., n)
        Conductances, current and noise.
    changes : (..., n)
        ln of factors, and shifts of current and noise; 0 for what stays.
    """
    x, changes = np.broadcast_arrays(x, changes)
    g = x[..., :-2] * np.exp(changes[..., :-2])
    drive = x[..., -2:] + changes[..., -2:]
    drive[..., 1] = np.maximum(drive[..., 1], 0.0)
    return np.concatenate([g, drive], axis=-1)


@dataclass(frozen=True, eq=False)
class ChangedTrains:
    """Trains of members, some of them changed.

    Attributes
    ----------
    times_ms
        Spike times of each train, from the start of its window.
    member, candidate : (n,)
        Which member it is of, and what was changed; −1 for nothing.
    amount : (n,)
        By how much: ln of a factor, or a shift.
    """

    times_ms: list[FloatArray]
    member: npt.NDArray[np.int64]
    candidate: npt.NDArray[np.int64]
    amount: FloatArray


class ChangedPairs(NamedTuple):
    """Pairs of trains of members, between which nothing, one or two things changed."""

    before_ms: list[FloatArray]
    after_ms: list[FloatArray]
    changes: FloatArray
    """(n, n_candidates): ln of factors, and shifts; 0 for what stayed."""


def simulated_changes(
    atlas: Atlas,
    neuron: NeuronModel,
    *,
    size: int | None = None,
    seed: int = 0,
    accuracy: str = "screening",
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> ChangedTrains:
    """Simulate members of an atlas as they are and changed.

    Raises
    ------
    Cancelled
        If ``cancel`` said so.
    """
    known = atlas.members
    x = np.column_stack([known.g, known.current, known.noise_sigma]).astype(float)[:size]
    rng = np.random.default_rng([seed, 19])
    n, n_candidates = x.shape
    each = _SAME + min(_CHANGED, n_candidates)
    member = np.repeat(np.arange(n), each)
    candidate = np.full((n, each), -1)
    candidate[:, _SAME:] = np.argsort(rng.random(x.shape), axis=1)[:, : each - _SAME]
    candidate = candidate.ravel()
    amount = _drawn(x[member], candidate, rng)
    changes = np.zeros((len(member), n_candidates))
    rows = np.flatnonzero(candidate >= 0)
    changes[rows, candidate[rows]] = amount[rows]
    changed = applied(x[member], changes)
    times = _fired(changed, neuron, rng, accuracy, progress, cancel)
    return ChangedTrains(times, member, candidate, amount)


def simulated_pairs(
    atlas: Atlas,
    neuron: NeuronModel,
    rows: npt.NDArray[np.int64],
    *,
    seed: int = 0,
    accuracy: str = "screening",
    cancel: Callable[[], bool] | None = None,
) -> ChangedPairs:
    """Simulate members of an atlas, at rows (n,), before and after nothing, one or two things changed.

    Raises
    ------
    Cancelled
        If ``cancel`` said so.
    """
    known = atlas.members
    x = np.column_stack([known.g, known.current, known.noise_sigma]).astype(float)[rows]
    rng = np.random.default_rng([seed, 23])
    n_changed = rng.choice(len(SHARES), size=len(x), p=SHARES)
    which = np.argsort(rng.random(x.shape), axis=1)
    changes = np.zeros_like(x)
    for place in range(len(SHARES) - 1):
        candidate = np.where(n_changed > place, which[:, place], -1)
        there = np.flatnonzero(candidate >= 0)
        changes[there, candidate[there]] = _drawn(x, candidate, rng)[there]
    both = np.concatenate([x, applied(x, changes)])
    times = _fired(both, neuron, rng, accuracy, None, cancel)
    return ChangedPairs(times[: len(x)], times[len(x) :], changes)


def _fired(
    x: FloatArray,
    neuron: NeuronModel,
    rng: np.random.Generator,
    accuracy: str,
    progress: Callable[[int, int], None] | None,
    cancel: Callable[[], bool] | None,
) -> list[FloatArray]:
    """Simulate members, each with noise of its own; return spike times from the start of the window."""
    seeds = rng.integers(0, 2**63, size=len(x), dtype=np.uint64)
    start = neuron.recording_window_ms[0]
    times: list[FloatArray] = []
    for first in range(0, len(x), _AT_ONCE):
        if progress is not None:
            progress(first, len(x))
        part = slice(first, first + _AT_ONCE)
        run = simulate(
            x[part, :-2],
            neuron,
            current=x[part, -2],
            noise_sigma=x[part, -1],
            seed=seeds[part],
            transient_ms=start,
            duration_ms=start + WINDOW_MS,
            accuracy=accuracy,
            record="spikes",
            cancel=cancel,
        )
        times += [
            np.zeros(0) if failed else found - start
            for found, failed in zip(run.spike_times_ms, run.failed, strict=True)
        ]
        if cancel is not None and cancel():
            raise Cancelled("Learning what changes tell was cancelled.")
    return times


def _drawn(x: FloatArray, candidate: npt.NDArray[np.int64], rng: np.random.Generator) -> FloatArray:
    """Draw by how much each candidate changes: factors anywhere in their logarithm, drive as in an atlas."""
    n = len(x)
    low, high = CURRENT_RANGE
    amount = rng.uniform(np.log(FACTORS[0]), np.log(FACTORS[1]), n)
    amount = np.where(candidate == x.shape[1] - 2, rng.uniform(low, high, n) - x[:, -2], amount)
    noise = NOISE_RANGE[1] * rng.random(n) ** 2
    amount = np.where(candidate == x.shape[1] - 1, noise - x[:, -1], amount)
    return np.where(candidate < 0, 0.0, amount)
