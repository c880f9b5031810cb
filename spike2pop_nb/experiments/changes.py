"""What can change in a neuron between two recordings, and pairs of recordings to learn that from.

A conductance is multiplied by a factor, a constant current or its noise is shifted. Members of the neuron's
atlas are simulated as they are, twice with other noise, and with one change each; two of these trains of a
member make a pair: nothing, one or two things differ between them. They become recordings as they may be, of
which a perceptron reads the statistics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import Cancelled, ExperimentError
from spike2pop_nb.experiments.protocol import Protocol
from spike2pop_nb.experiments.running import Applied
from spike2pop_nb.inference.atlas import WINDOW_MS
from spike2pop_nb.inference.drive import CURRENT_RANGE, NOISE_RANGE
from spike2pop_nb.inference.tokens import (
    MAX_INTERVALS,
    MIN_SPIKES,
    STATISTICS,
    TokenScale,
    statistics_of_intervals,
)
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.seeds import generator
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
    "course_of",
    "hypotheses",
    "limits",
    "members_as",
    "pair_inputs",
    "paired_inputs",
    "places_of",
    "recorded",
    "simulated_changes",
    "simulated_pairs",
    "simulated_under",
    "statistics_of_trains",
]

FloatArray = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
FACTORS = (0.2, 3.0)
"""By what a conductance may be multiplied."""
SHARES = (0.2, 0.4, 0.4)
"""How probable it is, before anything is seen, that nothing, one or two things changed."""
CURRENT, NOISE = "current", "noise"
_SAME, _CHANGED = 2, 6  # trains of each member as it is, and with something changed
_AT_ONCE = 512
_MAGNIFIED = 20.0  # differences of statistics, in standard deviations
# recordings: how often they are shorter, drift in rate (as `Variability` has it), jitter, lose spikes, have
# false ones, or are kept in steps
_SHORTER, _SHORTEST, _DRIFTS, _DRIFT = 0.5, 0.2, 0.5, 0.03
_JITTERS, _JITTER_MS, _LOSES, _LOST, _ADDS, _ADDED = 0.2, 1.0, 0.15, 0.05, 0.1, 0.03
_SAMPLED, _FINEST_MS = 0.5, 0.01
_SHORTEST_MS = 0.01


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
    """Return members, `members_as` (..., n), with changes (..., n): ln of factors, shifts of the drive."""
    x, changes = np.broadcast_arrays(x, changes)
    g = x[..., :-2] * np.exp(changes[..., :-2])
    drive = x[..., -2:] + changes[..., -2:]
    drive[..., 1] = np.maximum(drive[..., 1], 0.0)
    return np.concatenate([g, drive], axis=-1)


@dataclass(frozen=True, eq=False)
class ChangedTrains:
    """Trains of members, some of them changed."""

    times_ms: list[FloatArray]
    """Spike times of each train, from the start of its window."""
    member: npt.NDArray[np.int64]
    """(n,): which member it is of."""
    candidate: npt.NDArray[np.int64]
    """(n,): what was changed; −1 for nothing."""
    amount: FloatArray
    """(n,): by how much, ln of a factor or a shift."""


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
    x = members_as(atlas.members)[:size]
    rng = generator(seed, 19, error=ExperimentError)
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
    x = members_as(atlas.members)[rows]
    rng = generator(seed, 23, error=ExperimentError)
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


def members_as(members: Any) -> FloatArray:
    """Return conductances, current and noise of members, (n, n_candidates)."""
    return np.column_stack([members.g, members.current, members.noise_sigma]).astype(float)


def simulated_under(
    neuron: NeuronModel,
    x: FloatArray,
    seeds: npt.NDArray[np.uint64],
    window_ms: float,
    known: Protocol,
    cancel: Callable[[], bool] | None = None,
    accuracy: str = "screening",
) -> list[FloatArray]:
    """Return spike times of members over a window, with what is known to be done to them."""
    start = neuron.recording_window_ms[0]
    run = simulate(
        x[:, :-2],
        neuron,
        current=x[:, -2],
        noise_sigma=x[:, -1],
        seed=seeds,
        transient_ms=start,
        duration_ms=start + window_ms,
        accuracy=accuracy,
        record="spikes",
        course=course_of(neuron, known, len(x)),
        cancel=cancel,
    )
    return [
        times[:0] if failed else times for times, failed in zip(run.spike_times_ms, run.failed, strict=True)
    ]


def course_of(neuron: NeuronModel, known: Protocol, n: int) -> Applied | None:
    """Return what is known to be done to n members as the simulator takes it."""
    if not known:
        return None
    at = np.zeros(n, dtype=np.int64), np.arange(n)
    return Applied(neuron, (known,), *at, neuron.recording_window_ms[0], 0)


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
        fired = simulated_under(neuron, x[part], seeds[part], WINDOW_MS, Protocol(), cancel, accuracy)
        times += [one - start for one in fired]
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


def recorded(times_ms: Floats, rng: np.random.Generator, duration_ms: float = WINDOW_MS) -> Floats:
    """Return a train as a recording of it may be.

    It may be shorter, run a little faster or slower (as a cell drifts from one window to another), its spikes
    may be jittered, missed or false, and its times, from 0 to ``duration_ms``, in steps of up to 1 ms.
    """
    draw = rng.random(6)
    length = duration_ms * (1.0 if draw[0] < _SHORTER else math.exp(rng.uniform(math.log(_SHORTEST), 0.0)))
    begin = rng.uniform(0.0, duration_ms - length)
    times = times_ms[(times_ms >= begin) & (times_ms <= begin + length)].astype(np.float64)
    if draw[1] < _DRIFTS:
        times = times * math.exp(_DRIFT * rng.normal())
    if draw[2] < _JITTERS:
        times = times + _JITTER_MS * rng.random() ** 2 * rng.normal(size=len(times))
    if draw[3] < _LOSES:
        times = times[rng.random(len(times)) > _LOST * rng.random()]
    if draw[4] < _ADDS:
        false = begin + length * rng.random(rng.poisson(_ADDED * rng.random() * len(times)))
        times = np.append(times, false)
    if draw[5] < _SAMPLED:
        step = math.exp(rng.uniform(math.log(_FINEST_MS), 0.0))
        times = np.floor(times / step + rng.random()) * step
    times = np.sort(times)
    return times[np.diff(times, prepend=-math.inf) > 0.0]


def statistics_of_trains(trains: Sequence[Floats]) -> tuple[Floats, Bools]:
    """Return `STATISTICS` of trains (n, 55), 0 where silent, and which are silent, (n,)."""
    found = np.zeros((len(trains), len(STATISTICS)), dtype=np.float32)
    silent = np.array([len(times) < MIN_SPIKES for times in trains])
    isi = [np.diff(times[: MAX_INTERVALS + 1]) for times in trains if len(times) >= MIN_SPIKES]
    found[~silent] = statistics_of_intervals([np.maximum(one, _SHORTEST_MS) for one in isi])
    return found, silent


def pair_inputs(
    scale: TokenScale,
    before: Floats,
    after: Floats,
    silent_before: Bools,
    silent_after: Bools,
) -> Floats:
    """Return what the perceptron reads of pairs, from statistics (n, 55) of both recordings."""
    one, other = places_of(scale, before, silent_before), places_of(scale, after, silent_after)
    return paired_inputs(one, other, silent_before, silent_after)


def places_of(scale: TokenScale, statistics: Floats, silent: Bools) -> Floats:
    """Return statistics as a network takes them, and standardised without bounds; 0 where silent."""
    rows = statistics.reshape(-1, statistics.shape[-1])
    free = (rows - scale.statistic_mean) / scale.statistic_std
    found = np.concatenate([scale.standardise(rows), free], axis=1).astype(np.float32)
    found[silent.ravel()] = 0.0
    return found.reshape(*statistics.shape[:-1], -1)


def paired_inputs(one: Floats, other: Floats, silent_before: Bools, silent_after: Bools) -> Floats:
    """Return both as they are, their difference, and that again with small ones magnified."""
    known, n = ~(silent_before | silent_after)[:, None], len(STATISTICS)
    small = np.arcsinh(_MAGNIFIED * (other[:, 2 * n :] - one[:, 2 * n :]))
    one, other = one[:, : 2 * n], other[:, : 2 * n]
    parts = (one, other, (other - one) * known, small * known, silent_after[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)
