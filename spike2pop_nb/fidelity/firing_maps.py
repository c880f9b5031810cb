"""How the members of a neuron fire over the (g_s, g_u) plane, by simulating them there.

DICs alone do not say how a member fires. An atlas does: the same baseline members are compensated to every
node of a grid, simulated, and their firing patterns told by `describe_pattern`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances import PlaneMap, baseline_population, modulate, plane_grid
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import ActivityPattern, describe_pattern

__all__ = ["ACTIVITY_PATTERNS", "PatternMap", "pattern_map"]

FloatArray = npt.NDArray[np.float64]
ACTIVITY_PATTERNS: tuple[ActivityPattern, ...] = tuple(ActivityPattern)
"""Firing patterns in the order of `PatternMap.shares`."""
MAX_GRID, MAX_MEMBERS = 81, 64
_COARSEST = 5  # intervals a side of the first picture
_AT_ONCE = 256
_KEPT = 12
_UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class PatternMap(PlaneMap):
    """Firing patterns and rates over the plane; beside what every `PlaneMap` has:

    Attributes
    ----------
    shares : (n_u, n_s, 4)
        Of the members that get there, the share of each of `ACTIVITY_PATTERNS`; NaN where there are none.
    rate_hz : (n_u, n_s)
        Their median firing rate, spikes over observed time; NaN where there are none.
    members, seed, observed_ms
        Baseline members tried at each node, their seed, and how long each was watched.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> found = s2p.pattern_map("stg", ("CaS", "H"), n_grid=3, members=1)
    >>> found.shares.shape
    (3, 3, 4)
    """

    shares: FloatArray
    rate_hz: FloatArray
    members: int
    seed: int
    observed_ms: float

    @property
    def pattern(self) -> npt.NDArray[np.int64]:
        """Place in `ACTIVITY_PATTERNS` of the most frequent at each node, (n_u, n_s); −1 where unknown."""
        known = np.isfinite(self.shares[..., 0])
        return np.where(known, np.argmax(np.nan_to_num(self.shares, nan=-1.0), axis=-1), _UNKNOWN)

    def to_frame(self) -> pd.DataFrame:
        """Return a table, one row per node: the most frequent pattern, the rate, the share of each pattern.

        Where no member gets there the pattern is missing, the rate and the shares are NaN.
        """
        names = np.array([*map(str, ACTIVITY_PATTERNS), None], dtype=object)
        table = super().to_frame().assign(pattern=names[self.pattern.ravel()], rate_hz=self.rate_hz.ravel())
        for k, kind in enumerate(ACTIVITY_PATTERNS):
            table[f"share_{str(kind).replace(' ', '_')}"] = self.shares[..., k].ravel()
        return table

    def describe(self, points: npt.ArrayLike | None = None, where: str = "this recording's DICs") -> str:
        """Say in one sentence how members fire over the plane, or at points (n, 2), which ``where`` names."""
        shares = self.shares.reshape(-1, len(ACTIVITY_PATTERNS))
        place = "over the plane"
        if points is not None:
            shares, place = self.shares[self.nearest(points)], f"at {where}"
        shares = shares[np.isfinite(shares[:, 0])]
        if not len(shares):
            return f"Compensating {self.choice} brings no member {place}."
        mean = shares.mean(axis=0)
        order = np.argsort(-mean, kind="stable")
        words = ", ".join(f"{ACTIVITY_PATTERNS[k]} {100 * mean[k]:.0f} %" for k in order if mean[k] > 0)
        return f"Members that get there by compensating {self.choice} fire, {place}: {words}."


@dataclass
class _Nodes:
    """What is known so far of one choice on its finest grid."""

    members: FloatArray
    valid: FloatArray
    shares: FloatArray
    rate: FloatArray
    done: npt.NDArray[np.bool_]
    lock: threading.Lock = field(default_factory=threading.Lock)


_kept: OrderedDict[tuple[object, ...], _Nodes] = OrderedDict()
_kept_lock = threading.Lock()


def pattern_map(
    neuron: str | NeuronModel,
    compensate: Sequence[str],
    *,
    n_grid: int = 21,
    members: int = 4,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    coarse: Callable[[PatternMap], None] | None = None,
) -> PatternMap:
    """Map firing patterns over the plane, coarsely first and then finer.

    What was simulated is kept in memory, also where it was cancelled, and not simulated again.

    Parameters
    ----------
    neuron
        A neuron or its name; also a variation with another V_th or other baseline ranges.
    compensate
        The two conductances that are solved for.
    n_grid
        Nodes per side of the map. With 5·2ᵏ + 1 nodes, the coarsest map has 6.
    members
        Baseline members at each node.
    seed
        The same seed gives the same map.
    workers
        Threads; all cores by default. Results do not depend on it.
    progress
        Called with (done, total) nodes of the map.
    cancel
        Polled while simulating; return True to stop.
    coarse
        Called with each coarser map, on a grid of its own, once it is ready.

    Raises
    ------
    CompensationError
        If the choice is not two channels that can set g_s and g_u, or a number is not possible.
    Cancelled
        If ``cancel`` asked for it.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> found = s2p.pattern_map("stg", ("CaS", "H"), n_grid=3, members=1)
    >>> found.to_frame()[["g_s", "g_u", "pattern"]].shape
    (9, 3)
    """
    model = get_neuron(neuron)
    pair, g_s, g_u = plane_grid(model, compensate, n_grid, least=3, most=MAX_GRID)
    if not 1 <= members <= MAX_MEMBERS:
        raise CompensationError(f"1 to {MAX_MEMBERS} members can be simulated at each node, not {members}.")
    nodes = _nodes(model, pair, n_grid, members, seed)
    strides = [s for s in (8, 4, 2, 1) if (n_grid - 1) % s == 0 and (n_grid - 1) // s >= _COARSEST] or [1]
    start, stop = model.recording_window_ms

    def made(stride: int) -> PatternMap:
        with nodes.lock:
            _fill(nodes, model, pair, g_s, g_u, stride, workers, progress, cancel)
        part = np.s_[::stride, ::stride]
        return PatternMap(
            neuron=model,
            compensate=pair,
            g_s=g_s[::stride],
            g_u=g_u[::stride],
            valid_fraction=nodes.valid[part].copy(),
            shares=nodes.shares[part].copy(),
            rate_hz=nodes.rate[part].copy(),
            members=members,
            seed=seed,
            observed_ms=stop - start,
        )

    for stride in strides[:-1]:
        found = made(stride)
        if coarse is not None:
            coarse(found)
    return made(strides[-1])


def _nodes(model: NeuronModel, pair: tuple[str, ...], n_grid: int, members: int, seed: int) -> _Nodes:
    key = (model, pair, n_grid, members, seed)
    with _kept_lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    base, _ = baseline_population(model, members, seed)
    modulate(model, base, model.baseline.g_s, model.baseline.g_u, pair)  # refuses what cannot be solved
    shape = (n_grid, n_grid)
    made = _Nodes(
        members=base,
        valid=np.zeros(shape),
        shares=np.full((*shape, len(ACTIVITY_PATTERNS)), np.nan),
        rate=np.full(shape, np.nan),
        done=np.zeros(shape, dtype=bool),
    )
    with _kept_lock:
        made = _kept.setdefault(key, made)
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return made


def _fill(
    nodes: _Nodes,
    model: NeuronModel,
    pair: tuple[str, ...],
    g_s: FloatArray,
    g_u: FloatArray,
    stride: int,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
    cancel: Callable[[], bool] | None,
) -> None:
    """Simulate the nodes of one grid that are not known yet."""
    wanted = np.zeros(nodes.done.shape, dtype=bool)
    wanted[::stride, ::stride] = True
    todo = np.argwhere(wanted & ~nodes.done)
    n = len(nodes.members)
    start, stop = model.recording_window_ms
    each = max(1, _AT_ONCE // n)
    for first in range(0, len(todo), each):
        at = todo[first : first + each]
        g = np.tile(nodes.members, (len(at), 1))
        to_s, to_u = np.repeat(g_s[at[:, 1]], n), np.repeat(g_u[at[:, 0]], n)
        solved, _converged, valid = modulate(model, g, to_s, to_u, pair)
        rows = np.flatnonzero(valid)
        kinds, rates = np.full(len(g), _UNKNOWN), np.full(len(g), np.nan)
        if len(rows):
            simulated = simulate(
                solved[rows],
                model,
                duration_ms=stop,
                transient_ms=start,
                record="spikes",
                workers=workers,
                cancel=cancel,
            )
            for k, row in enumerate(rows):
                if not simulated.failed[k]:
                    train = simulated.train(k)
                    kinds[row] = ACTIVITY_PATTERNS.index(describe_pattern(train).kind)
                    rates[row] = 1000.0 * train.n_spikes / (stop - start)
        for k, (j, i) in enumerate(at):
            mine = slice(k * n, (k + 1) * n)
            told = kinds[mine][kinds[mine] >= 0]
            nodes.valid[j, i] = valid[mine].mean()
            if len(told):
                nodes.shares[j, i] = np.bincount(told, minlength=len(ACTIVITY_PATTERNS)) / len(told)
                nodes.rate[j, i] = np.nanmedian(rates[mine])
            nodes.done[j, i] = True
        if progress is not None:
            progress(int(nodes.done.sum()), nodes.done.size)
