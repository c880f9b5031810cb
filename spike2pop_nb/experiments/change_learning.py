"""Learning from pairs of simulated recordings what they tell about what changed; see `telling`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from spike2pop_nb.experiments.changes import (
    FACTORS,
    SHARES,
    ChangedPairs,
    ChangedTrains,
    hypotheses,
    pair_inputs,
    paired_inputs,
    places_of,
    recorded,
    statistics_of_trains,
)
from spike2pop_nb.inference.perceptron import Layers, best_temperature, fitted, outputs, softmax
from spike2pop_nb.inference.tokens import TokenScale

__all__ = ["LEVELS", "amounts_of", "learned_changes"]

Floats = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.int64]
Asked = tuple[npt.NDArray[Any], ...]
"""Of pairs their inputs, labels, what changed (n, 2), and by how much, from −1 to 1 between the ends."""
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles that are told of by how much something changed."""
_RECORDED = 3  # times that each train is recorded
_HIDDEN, _STEPS, _BATCH, _DECAY, _DROPOUT = 256, 4000, 1024, 0.02, 0.1
_FEWEST = 11  # spikes before, of pairs that calibrate and test it
_AMOUNTS = 0.5  # weight of by how much beside what
_LEVEL, _CALLED = 0.8, 0.93  # share of sets that hold what changed, of unchanged pairs that are called so


def amounts_of(quantiles: Floats, widening: float, ends: Floats) -> Floats:
    """Return quantiles in the order of their levels, in units of the changes, from those that were learned.

    Parameters
    ----------
    quantiles : (..., n_candidates, 5)
        From −1 to 1 between the ends of each.
    widening
        Of their distances from the median.
    ends : (n_candidates, 2)
        Least and most.
    """
    rising = np.sort(quantiles, axis=-1)
    median = rising[..., len(LEVELS) // 2, None]
    wide = np.clip(median + widening * (rising - median), -1.0, 1.0)
    low, high = ends[:, :1], ends[:, 1:]
    return np.asarray(low + 0.5 * (wide + 1.0) * (high - low))


class _Pairs:
    """Pairs of the trains of each member, and how often each counts."""

    def __init__(self, trains: ChangedTrains, n_candidates: int) -> None:
        each = int(np.sum(trains.member == trains.member[0]))
        n = len(trains.member) // each
        candidate, amount = trains.candidate.reshape(n, each), trains.amount.reshape(n, each)
        ordered = np.array([(i, j) for i in range(each) for j in range(each) if i != j]).T
        self.member = np.repeat(np.arange(n), ordered.shape[1])
        i, j = np.tile(ordered, n)
        self.before, self.after = self.member * each + i, self.member * each + j
        # undoing the change of the one, and making that of the other
        self.one, self.other = candidate[self.member, i], candidate[self.member, j]
        self.by_one, self.by_other = -amount[self.member, i], amount[self.member, j]
        index = {one: h for h, one in enumerate(hypotheses(n_candidates))}
        table = np.zeros((n_candidates + 1, n_candidates + 1), dtype=np.int64)
        for a in range(-1, n_candidates):
            for b in range(-1, n_candidates):
                table[a, b] = index[tuple(sorted({k for k in (a, b) if k >= 0}))]
        self.label = table[self.one, self.other]
        self.weight = self._weights(n_candidates)

    def _weights(self, n_candidates: int) -> Floats:
        """What nothing, one and two changes count together is fixed; undone and made changes count alike."""
        low, high = np.log(FACTORS)
        of_channel = self.one < n_candidates - 2
        impossible = (self.one >= 0) & of_channel & ((self.by_one < low) | (self.by_one > high))
        n_changed = (self.one >= 0).astype(int) + (self.other >= 0)
        made = (self.one < 0) & (self.other >= 0)
        # factors that cannot be undone are met only as they are made
        once = made & (self.other < n_candidates - 2) & (np.abs(self.by_other) > min(-low, high))
        weight = np.where((n_changed == 1) & ~once, 0.5, 1.0)
        weight[impossible] = 0.0
        for k, share in enumerate(SHARES):
            these = n_changed == k
            weight[these] *= share / max(float(weight[these].sum()), 1e-12)
        return weight


def _table_of(
    trains: ChangedTrains, scale: TokenScale, seed: int, say: Callable[[float], None]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return places and silence of each train, recorded several times: (times recorded, n_trains, ...)."""
    parts = []
    for copy in range(_RECORDED):
        rng = np.random.default_rng([seed, copy])
        seen = []
        for row, times in enumerate(trains.times_ms):
            if row % 4096 == 0:
                say((copy + row / len(trains.times_ms)) / _RECORDED)
            seen.append(recorded(times, rng))
        statistics, silent = statistics_of_trains(seen)
        parts.append((places_of(scale, statistics, silent), silent))
    places, silents = zip(*parts, strict=True)
    return np.stack(places), np.stack(silents)


class _Draws:
    """Batches of pairs, each recording as it was recorded one of several times."""

    def __init__(self, pairs: _Pairs, places: Floats, silent: npt.NDArray[np.bool_], ends: Floats) -> None:
        self.pairs, self.places, self.silent, self.ends = pairs, places, silent, ends
        self.rows = np.flatnonzero(pairs.weight > 0)
        self.summed = np.cumsum(pairs.weight[self.rows])

    def draw(self, n: int, rng: np.random.Generator) -> Asked:
        """Draw about n pairs."""
        pairs, places, silent = self.pairs, self.places, self.silent
        at = np.searchsorted(self.summed, rng.random(n) * self.summed[-1])
        rows = self.rows[np.minimum(at, len(self.rows) - 1)]
        b, a = rng.integers(0, len(silent), (2, n))
        heard = ~silent[b, pairs.before[rows]]
        rows, b, a = rows[heard], b[heard], a[heard]
        before, after = pairs.before[rows], pairs.after[rows]
        x = paired_inputs(places[b, before], places[a, after], silent[b, before], silent[a, after])
        what = np.stack([pairs.one[rows], pairs.other[rows]], axis=1)
        by = np.stack([pairs.by_one[rows], pairs.by_other[rows]], axis=1)
        # the same thing undone and made anew changed by both
        twice = (what[:, 0] == what[:, 1]) & (what[:, 0] >= 0)
        by[twice, 1] += by[twice, 0]
        what[twice, 0] = -1
        return x, pairs.label[rows], what, _in_units(what, by, self.ends)


def _in_units(what: Rows, by: Floats, ends: Floats) -> Floats:
    """Return by how much something changed from −1 to 1 between its ends, (n, 2); 0 where nothing did."""
    low, high = ends[what].transpose(2, 0, 1)
    unit = np.where(what >= 0, 2.0 * (by - low) / (high - low) - 1.0, 0.0)
    return np.clip(unit, -1.0, 1.0).astype(np.float32)


def _asked(pairs: ChangedPairs, scale: TokenScale, ends: Floats, seed: int) -> Asked:
    """Return of pairs, recorded once, what `_Draws` draws; without those of too few spikes before."""
    rng = np.random.default_rng([seed, 11])
    before, after = ([recorded(times, rng) for times in each] for each in pairs[:2])
    rows = [row for row, times in enumerate(before) if len(times) >= _FEWEST]
    (b, silent_b), (a, silent_a) = (
        statistics_of_trains([each[row] for row in rows]) for each in (before, after)
    )
    index = {one: h for h, one in enumerate(hypotheses(len(ends)))}
    label = np.zeros(len(rows), dtype=np.int64)
    what, by = np.full((len(rows), 2), -1), np.zeros((len(rows), 2))
    for place, row in enumerate(rows):
        changed = tuple(np.flatnonzero(pairs.changes[row]).tolist())
        label[place] = index[changed]
        what[place, : len(changed)] = changed
        by[place, : len(changed)] = pairs.changes[row, list(changed)]
    return pair_inputs(scale, b, a, silent_b, silent_a), label, what, _in_units(what, by, ends)


def learned_changes(
    trains: ChangedTrains,
    pairs: ChangedPairs,
    scale: TokenScale,
    ends: Floats,
    *,
    seed: int,
    say: Callable[[float], None],
) -> tuple[Layers, dict[str, Any]]:
    """Learn from the trains of members what pairs of them tell.

    Parameters
    ----------
    trains
        Of members, as they are and changed; as many of each.
    pairs
        Of other members: half of them calibrate it, the others test it.
    scale
        What standardises statistics.
    ends : (n_candidates, 2)
        Least and most change of each.
    say
        Called often with the share that is done; may raise to stop.

    Returns
    -------
    layers, dict
        Weights and biases, and how they were calibrated and tested.
    """
    n_candidates = len(ends)
    n_hypotheses = len(hypotheses(n_candidates))
    places, silent = _table_of(trains, scale, seed, lambda done: say(0.2 * done))
    fitting = _Draws(_Pairs(trains, n_candidates), places, silent, ends)
    rng = np.random.default_rng([seed, 7])
    levels = torch.tensor(LEVELS)

    def loss(network: Callable[[Tensor], Tensor]) -> Tensor:
        x, label, what, by = map(torch.from_numpy, fitting.draw(_BATCH, rng))
        y = network(x)
        told = y[:, n_hypotheses:].reshape(-1, n_candidates, len(LEVELS))
        rows, columns = torch.nonzero(what >= 0, as_tuple=True)
        off = by[rows, columns, None] - told[rows, what[rows, columns]]
        amounts = torch.maximum(
            levels * off, (levels - 1.0) * off
        ).mean()  # the quantile loss of what changed
        return F.cross_entropy(y[:, :n_hypotheses], label) + _AMOUNTS * amounts

    layers = fitted(
        loss,
        (fitting.draw(2, rng)[0].shape[1], _HIDDEN, _HIDDEN, n_hypotheses + n_candidates * len(LEVELS)),
        steps=_STEPS,
        decay=_DECAY,
        dropout=_DROPOUT,
        seed=seed,
        say=lambda step: say(0.2 + 0.8 * step / _STEPS),
        dtype=torch.float16,
    )
    asked = _asked(pairs, scale, ends, seed)
    about = _calibrated(layers, tuple(one[::2] for one in asked), n_candidates)
    about["tested"] = _tested(layers, tuple(one[1::2] for one in asked), n_candidates, about)
    about["members"] = len(np.unique(trains.member))
    return layers, about


def _mass_before(shares: Floats, label: Rows) -> Floats:
    """Return the probability of all explanations that are more probable than the true one."""
    rows = np.arange(len(label))
    order = np.argsort(-shares, axis=1, kind="stable")
    place = np.argsort(order, axis=1)[rows, label]
    above = np.cumsum(np.take_along_axis(shares, order, axis=1), axis=1)
    return np.where(place > 0, above[rows, np.maximum(place - 1, 0)], 0.0)


def _calibrated(layers: Layers, asked: Asked, n_candidates: int) -> dict[str, Any]:
    x, label, what, by = asked
    y, n = outputs(layers, x), len(hypotheses(n_candidates))
    temperature = best_temperature(y[:, :n], label)
    shares = softmax(y[:, :n], temperature)
    told = np.sort(y[:, n:].reshape(-1, n_candidates, len(LEVELS)), axis=-1)
    rows, places = np.nonzero(what >= 0)
    found, true = told[rows, what[rows, places]], by[rows, places]
    middle = found[:, len(LEVELS) // 2]
    side = np.where(true > middle, found[:, -1] - middle, middle - found[:, 0])
    # sets are those of conductances: nothing, one and two of them as often as they are to be expected
    whole = (what < n_candidates - 2).all(axis=1)
    n_changed = (what >= 0).sum(axis=1)
    weight = np.array(SHARES)[n_changed] / np.maximum(
        np.bincount(n_changed[whole], minlength=3)[n_changed], 1
    )
    return {
        "temperature": temperature,
        "mass": _weighted_quantile(_mass_before(shares, label)[whole], weight[whole], _LEVEL),
        "unchanged": float(np.quantile(shares[label == 0, 0], 1.0 - _CALLED)),
        "widening": float(np.quantile(np.abs(true - middle) / np.maximum(side, 1e-6), _LEVEL)),
    }


def _weighted_quantile(values: Floats, weights: Floats, level: float) -> float:
    order = np.argsort(values, kind="stable")
    summed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(summed, level * summed[-1]).clip(0, len(values) - 1)])


def _tested(layers: Layers, asked: Asked, n_candidates: int, about: dict[str, Any]) -> dict[str, float]:
    """Scores on pairs of members that it did not learn from; ranks are of pairs in which channels changed."""
    x, label, what, by = asked
    y, every = outputs(layers, x), hypotheses(n_candidates)
    shares = softmax(y[:, : len(every)], about["temperature"])
    holds = np.array([[k in one for k in range(n_candidates)] for one in every], dtype=float)
    order = np.argsort(-(shares @ holds), axis=1, kind="stable")
    true = np.zeros((len(label), n_candidates + 1), dtype=bool)
    np.put_along_axis(true, what, True, axis=1)  # −1, for nothing, is the last
    channels = (label > 0) & ~true[:, n_candidates - 2 : n_candidates].any(axis=1)
    ranked = np.take_along_axis(true, order, axis=1)[channels]
    called = shares[:, 0] >= about["unchanged"]
    low, _middle, high = (
        amounts_of(
            y[:, len(every) :].reshape(-1, n_candidates, len(LEVELS)),
            about["widening"],
            np.tile([-1.0, 1.0], (n_candidates, 1)),
        )[..., k]
        for k in (0, 2, -1)
    )
    rows, places = np.nonzero(what >= 0)
    k, amount = what[rows, places], by[rows, places]
    return {
        "pairs": len(label),
        "first": float(ranked[:, 0].mean()),
        "among_three": float(ranked[:, :3].any(axis=1).mean()),
        "in_set": float((_mass_before(shares, label) < about["mass"]).mean()),
        "unchanged_called": float(called[label == 0].mean()),
        "changed_called_unchanged": float(called[label > 0].mean()),
        "amount_in_interval": float(((amount >= low[rows, k]) & (amount <= high[rows, k])).mean()),
    }
