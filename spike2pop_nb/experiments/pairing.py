"""Members that fire like a recording, and what has to change in each for it to fire like another.

For each explanation that a comparison gives, each member is simulated over a line of changes (or a grid, of
two at once) with the same noise, then nearer to the best. Kept is the smallest change with which it fires
within the variability of the other recording, or else the one with which it comes nearest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances import Population, dics
from spike2pop_nb.experiments.changes import (
    applied,
    candidates,
    course_of,
    limits,
    members_as,
    simulated_under,
)
from spike2pop_nb.experiments.protocol import Protocol
from spike2pop_nb.fidelity import Variability
from spike2pop_nb.simulation import Simulated, simulate
from spike2pop_nb.simulation.noise import noise_seeds

__all__ = ["Pairs", "Target", "paired", "seeds_of", "with_voltages"]

FloatArray = npt.NDArray[np.float64]
_GRID, _ROUNDS = 9, 2  # changes on a line, and how often the best is looked at more closely
_GRID_OF_TWO = 5
_MOST, _MOST_OF_TWO = 4, 2  # explanations that are tried
_FEW = 0.25  # share of members that one change brings there, below which two at once are tried
_OTHER_KIND, _SILENT = 100.0, 300.0  # distance of who fires otherwise, or not at all
_PATH = 21


@dataclass(frozen=True)
class Target:
    """A recording that members are compared with; a silent one has no variability, and silence is like it."""

    own: Variability | None

    def distances(self, trains_ms: Sequence[FloatArray]) -> FloatArray:
        """Return how far trains of spike times in ms are from it, (n,); up to 1 within its variability."""
        if self.own is None:
            return np.array([0.0 if len(times) < 3 else _OTHER_KIND + len(times) for times in trains_ms])
        found = self.own.distances(trains_ms)
        for row in np.flatnonzero(~np.isfinite(found)).tolist():
            far = self.own.apart(trains_ms[row])
            found[row] = _OTHER_KIND + 20.0 * far if math.isfinite(far) else _SILENT - len(trains_ms[row])
        return found


@dataclass(frozen=True, eq=False)
class Pairs:
    """Members before and after, row by row the same.

    Attributes
    ----------
    before, after
        The members; those after with the change, beyond what was known to change.
    table
        A row for each member: ``member``, ``explanation``, ``distance_before`` and ``distance_after`` from
        the recordings in units of their variability, ``fires_alike`` (both up to 1), and the change of each
        candidate: a factor for conductances, a shift in µA/cm² for the drive.
    reached
        Share of members that each explanation that was tried brings within the variability of the recording
        after.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> pairs = s2p.compare_recordings(trains[2], trains[3], "stg", size=4, seed=1).pairs
    >>> len(pairs.before) == len(pairs.after) == len(pairs.table)
    True
    """

    before: Population
    after: Population
    table: pd.DataFrame
    reached: dict[tuple[str, ...], float]

    def paths(self, n: int = _PATH) -> FloatArray:
        """Return the way of each member through the DIC plane, (n_members, n, 2) of g_s and g_u."""
        g, to = self.before.g[:, None], self.after.g[:, None]
        along = np.linspace(0.0, 1.0, n)[None, :, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            way = np.where(g > 0, g * (to / np.where(g > 0, g, 1.0)) ** along, 0.0)
        return np.asarray(dics(self.before.neuron, way)[..., 1:])


def seeds_of(members: Population) -> npt.NDArray[np.uint64]:
    """Return the seed of the noise of each member, its own where it has one."""
    own = members.noise_seeds
    return noise_seeds(0, len(members)) if own is None else own


def with_voltages(members: Population, known: Protocol, duration_ms: float) -> Simulated:
    """Simulate members with what is known to be done to them, and keep their voltages."""
    start = members.neuron.recording_window_ms[0]
    return simulate(
        members,
        transient_ms=start,
        # from their first spike on there is as much
        duration_ms=start + 2.0 * duration_ms,
        sample_ms=0.5,
        course=course_of(members.neuron, known, len(members)),
    )


def paired(
    start: Population,
    off_before: FloatArray,
    target: Target,
    window_ms: float,
    explanations: Sequence[tuple[int, ...]],
    amounts: FloatArray,
    known: Protocol,
    *,
    id: str,
    say: Callable[[str], None],
    cancel: Callable[[], bool] | None = None,
) -> Pairs:
    """Change members so that they fire like another recording.

    Parameters
    ----------
    start
        Members that fire like the recording before.
    off_before : (n,)
        How far each is from it.
    target, window_ms
        The recording after, and how much of a member is compared with it.
    explanations
        What may have changed, the most probable first; indices of `candidates`.
    amounts : (n_candidates, k)
        Quantiles of by how much, where two at once are tried.
    known
        What is known to have changed, done to all.
    id
        Of the recording after.
    say, cancel
        Called with words; polled.

    Raises
    ------
    Cancelled
        If ``cancel`` said so.
    """
    neuron, x = start.neuron, members_as(start)
    n, n_candidates = x.shape
    seeds = seeds_of(start)
    names, ends = candidates(neuron), limits(neuron)
    unit = np.max(np.abs(ends), axis=1)

    def distances(changes: FloatArray) -> FloatArray:
        """Of changes (n, k, n_candidates), from the target, (n, k)."""
        k = changes.shape[1]
        moved = applied(x[:, None], changes).reshape(n * k, n_candidates)
        spikes = simulated_under(neuron, moved, np.repeat(seeds, k), window_ms, known, cancel)
        return target.distances(spikes).reshape(n, k)

    def tried(which: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
        """Return the best change of each member, (n, n_candidates), and its distance."""
        grid, step = _grid(which, ends, amounts, n_candidates)
        found = np.repeat(grid[None], n, axis=0)
        off = distances(found)
        for _ in range(_ROUNDS if which else 0):
            step = step / 2.0
            best = found[np.arange(n), _best(off, found, unit)]
            ways = [sign * step[None] * np.eye(n_candidates)[k] for k in which for sign in (-1, 1)]
            near = np.stack([best + way for way in ways], axis=1)
            near = np.clip(near, ends[:, 0], ends[:, 1])
            off = np.concatenate([off, distances(near)], axis=1)
            found = np.concatenate([found, near], axis=1)
        best_at = _best(off, found, unit)
        return found[np.arange(n), best_at], off[np.arange(n), best_at]

    singles = [one for one in explanations if len(one) < 2][:_MOST]
    twos = [one for one in explanations if len(one) == 2][:_MOST_OF_TWO]
    results: dict[tuple[int, ...], tuple[FloatArray, FloatArray]] = {}
    for which in (*singles, *twos):
        if len(which) == 2 and any((off <= 1.0).mean() >= _FEW for _change, off in results.values()):
            break
        say(f"Changing {' and '.join(names[k] for k in which) or 'nothing'} in {n} members")
        results[which] = tried(which)
    tried_ones = list(results)
    off = np.stack([results[which][1] for which in tried_ones], axis=1)
    # the most probable explanation that brings a member there, or else the one that brings it nearest
    there = off <= 1.0
    choice = np.where(there.any(axis=1), there.argmax(axis=1), off.argmin(axis=1))
    change = np.stack([results[tried_ones[c]][0][row] for row, c in enumerate(choice)])
    moved, rows = applied(x, change), np.arange(n)
    table = pd.DataFrame(
        {
            "member": [member for _id, member in start.labels],
            "explanation": [" and ".join(names[k] for k in tried_ones[c]) or "nothing" for c in choice],
            "distance_before": off_before,
            "distance_after": off[rows, choice],
            "fires_alike": (off_before <= 1.0) & (off[rows, choice] <= 1.0),
        }
    )
    for k, name in enumerate(names):
        table[f"change_{name}"] = np.exp(change[:, k]) if k < neuron.n_channels else moved[:, k] - x[:, k]
    after = Population.from_g(
        neuron,
        moved[:, :-2],
        id=id,
        made_by={"changed_from": start.labels[0][0] if len(start) else ""},
        current=moved[:, -2],
        noise_sigma=moved[:, -1],
        noise_seeds=seeds,
    )
    reached = {
        tuple(names[k] for k in which): float((results[which][1] <= 1.0).mean()) for which in tried_ones
    }
    return Pairs(start, after, table, reached)


def _best(off: FloatArray, changes: FloatArray, unit: FloatArray) -> npt.NDArray[np.int64]:
    """Return of each member the smallest change that is near enough, or else the nearest, (n,)."""
    size = np.abs(changes / unit).sum(axis=2)
    within = np.where(off <= 1.0, size, np.inf)
    return np.where(np.isfinite(within).any(axis=1), within.argmin(axis=1), off.argmin(axis=1))


def _grid(
    which: tuple[int, ...], ends: FloatArray, amounts: FloatArray, n_candidates: int
) -> tuple[FloatArray, FloatArray]:
    """Return changes to begin with, (k, n_candidates), and the step between them, (n_candidates,)."""
    step = np.zeros(n_candidates)
    if not which:
        return np.zeros((1, n_candidates)), step
    if len(which) == 1:
        (k,) = which
        values = [np.linspace(ends[k, 0], ends[k, 1], _GRID)]
    else:
        values = [np.quantile(amounts[k], np.linspace(0.0, 1.0, _GRID_OF_TWO)) for k in which]
    for k, line in zip(which, values, strict=True):
        step[k] = np.ptp(line) / (len(line) - 1)
    meshes = np.meshgrid(*values, indexing="ij")
    grid = np.zeros((meshes[0].size, n_candidates))
    for k, mesh in zip(which, meshes, strict=True):
        grid[:, k] = mesh.ravel()
    return grid, step
