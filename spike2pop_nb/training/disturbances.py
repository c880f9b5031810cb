"""How a network fares on recordings as they are: short, long, disturbed, strange, drifting, alike."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from spike2pop_nb.inference.drift import drift_windows
from spike2pop_nb.inference.posterior import Posterior
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.tokens import MAX_INTERVALS
from spike2pop_nb.spiketrains import SpikeTrain
from spike2pop_nb.training.baseline import Trees
from spike2pop_nb.training.batches import NO_AUGMENTATION, Augmentation, Trains, epoch_batches, split_of
from spike2pop_nb.training.domain import STRANGE, strange_trains
from spike2pop_nb.training.scores import score_all

__all__ = [
    "DISTURBED",
    "MISSING",
    "SAMPLED",
    "alike",
    "by_length",
    "by_seconds",
    "disturbed",
    "drift",
    "strange",
    "whole_trains",
]

Floats = NDArray[np.floating]

MISSING = "5 % of spikes missing"
SAMPLED = "times in steps of 0.1 ms"
LENGTHS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
DISTURBED: dict[str, Augmentation] = {
    "as simulated": NO_AUGMENTATION,
    MISSING: replace(NO_AUGMENTATION, drop=1.0, drop_share=0.1),
    "2.5 % false spikes": replace(NO_AUGMENTATION, add=1.0, add_share=0.05),
    "1 ms of jitter at most": replace(NO_AUGMENTATION, jitter=1.0, jitter_ms=1.0),
    **{
        f"times in steps of {step:g} ms": replace(
            NO_AUGMENTATION, sample=1.0, finest_ms=step, coarsest_ms=step
        )
        for step in (0.01, 0.1, 1.0)
    },
    "begun later, in steps of 0.05 ms": replace(
        NO_AUGMENTATION, late=1.0, sample=1.0, finest_ms=0.05, coarsest_ms=0.05
    ),
}
"""Shares are means: each train's own is uniform up to twice that."""
_FEWEST_GROUPS = 10
SECONDS = (0, 2, 4, 8, 16, 32, 64, 128)


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("trains", "coverage", "expected_error", "nll", "flagged")} | {
        "mae": row["mae"]["median"]
    }


def _asked(
    predictor: Predictor,
    trains: Trains,
    times: list[Floats],
    seed: int,
    rivals: Mapping[str, Trees] | None = None,
) -> dict[str, Any]:
    """Scores of the answers to ``times``, which belong to ``trains``, the share flagged as strange, and the
    errors of others, asked about ``trains`` as they are.
    """
    guesses = {name: other.predict(trains) for name, other in (rivals or {}).items()}
    found = score_all(trains, predictor.predict(times), guesses, seed)["all"]
    return _short(found) | {"rivals": {name: found["mae"][name] for name in guesses}}


def by_length(predictor: Predictor, trains: Trains, most: int = 1500, seed: int = 0) -> dict[str, Any]:
    """Scores of windows of a given number of intervals, from the middle of the trains that have as many."""
    rng = np.random.default_rng(seed)
    rows: dict[str, Any] = {}
    for n in LENGTHS:
        long = np.flatnonzero(trains.n_spikes > n)
        if long.size < 50:
            continue
        chosen = trains.take(np.sort(rng.permutation(long)[:most]))
        first = (chosen.n_spikes - 1 - n) // 2
        cut = [chosen.train(i)[first[i] : first[i] + n + 1] for i in range(len(chosen))]
        rows[str(n)] = _asked(predictor, chosen, cut, seed)
    return rows


def whole_trains(predictor: Predictor, trains: Trains, most: int, seed: int = 0) -> dict[str, Any] | None:
    """Scores of whole trains, as they are; None if there are none."""
    if not len(trains):
        return None
    chosen = trains.some(most, seed)
    return _asked(predictor, chosen, chosen.listed(), seed)


def by_seconds(predictor: Predictor, trains: Trains, most: int = 1500, seed: int = 0) -> dict[str, Any]:
    """Scores of whole trains by the time from their first spike to their last."""
    seconds = 1e-3 * trains.span_ms
    rows: dict[str, Any] = {}
    for least, most_s in itertools.pairwise(SECONDS):
        within = np.flatnonzero((seconds >= least) & (seconds < most_s))
        if within.size >= 50:
            rows[f"{least} to {most_s}"] = whole_trains(predictor, trains.take(within), most, seed)
    return rows


def disturbed(
    predictor: Predictor,
    trains: Trains,
    most: int = 3000,
    seed: int = 0,
    kinds: Sequence[str] = tuple(DISTURBED),
    rivals: Mapping[str, Trees] | None = None,
) -> dict[str, Any]:
    """Scores, and share flagged as strange, of trains with spikes missing, added or moved; the errors of
    others on the same.
    """
    chosen = trains.some(most, seed)
    rows = {}
    for name in kinds:
        moved = _applied(chosen, DISTURBED[name], seed)
        rows[name] = _asked(predictor, moved, moved.listed(), seed, rivals)
    return rows


def strange(predictor: Predictor, trains: Trains, most: int = 3000, seed: int = 0) -> dict[str, Any]:
    """How well the test for strange recordings tells each kind from held-out trains of the neuron."""
    chosen = trains.some(most, seed)
    inside = predictor.predict(chosen.listed())
    own = _oddness(inside)
    noise = {"all": chosen.sigma >= 0, "no noise": chosen.sigma == 0, "noise": chosen.sigma > 0}
    isi = [np.diff(times).astype(np.float64) for times in chosen.listed()]
    # Another seed than training's: the same makers, other trains.
    rng = np.random.default_rng([seed, 9])
    rows = {}
    for kind in STRANGE:
        made = strange_trains(kind, isi, rng)
        if not made:
            continue
        posteriors = predictor.predict(
            [
                SpikeTrain(str(place), np.concatenate([[0.0], np.cumsum(np.maximum(i, 0.01))]))
                for place, i in enumerate(made)
            ]
        )
        odd = _oddness(posteriors)
        auroc = mannwhitneyu(odd, own).statistic / (odd.size * own.size)
        rows[kind] = {"trains": len(made), "auroc": float(auroc), "flagged": _flagged(posteriors)}
    return {
        "kinds": rows,
        "false_alarms": {
            name: _flagged([p for p, in_band in zip(inside, mask, strict=True) if in_band])
            for name, mask in noise.items()
            if mask.any()
        },
    }


def drift(predictor: Predictor, trains: Trains, most: int = 500, seed: int = 0) -> dict[str, Any] | None:
    """Share of steady trains called drifting, and of trains spliced from two neurons of different DICs."""
    enough = [bool(drift_windows(int(n) // 2, MAX_INTERVALS)) for n in trains.n_spikes]
    chosen = trains.take(np.array(enough)).some(most, seed)
    if len(chosen) < 20:
        return None
    steady = predictor.predict(chosen.listed())
    other = np.random.default_rng(seed).permutation(len(chosen))
    spliced, apart = [], []
    for i, j in enumerate(other):
        one, two = chosen.train(i), chosen.train(j)
        one, two = one[: len(one) // 2], two[len(two) // 2 :]
        isi = np.concatenate([np.diff(one), np.diff(two)])
        spliced.append(np.concatenate([[0.0], np.cumsum(isi, dtype=np.float64)]))
        apart.append(np.abs(chosen.targets[i] - chosen.targets[j]).max())
    found = np.array([p.course is not None and p.course.drifts for p in predictor.predict(spliced)])
    far = np.array(apart) > 5
    return {
        "trains": len(chosen),
        "steady_called_drifting": float(np.mean([p.course is not None and p.course.drifts for p in steady])),
        "jumps_over_5_found": float(found[far].mean()) if far.any() else None,
    }


def alike(
    predictor: Predictor,
    trains: Trains,
    tolerance: float = 1e-3,
    size: int = 12,
    seed: int = 0,
    fewest: int = 30,
    *,
    unseen: bool = False,
) -> dict[str, Any] | None:
    """How far the DICs of neurons lie apart that fire the same regular train.

    Trains without noise are put in groups of ``size``, from as many populations, in which every interval of
    every train is within ``tolerance`` of all others. The median of a group's own targets errs least on them,
    so that its error is one that no estimator blind to smaller differences can be expected to go below.

    Parameters
    ----------
    trains : Trains
        Of populations on all sides of the split; the network is asked about those it was not trained on.
    fewest : int
        Fewest such trains to ask about. With under ten groups there is nothing to say: None.
    unseen : bool
        Whether the network was trained on none of them, on whatever side.
    """
    quiet = trains.take((trains.sigma == 0) & (trains.n_spikes > 3))
    _, one_each = np.unique(quiet.targets, axis=0, return_index=True)
    # In random order: equal trains must not be grouped by their targets.
    quiet = quiet.take(np.random.default_rng(seed).permutation(one_each))
    regular = quiet.take(quiet.pattern == 1)
    if not len(regular):
        return None
    within = np.delete(np.diff(regular.times_ms), regular.offsets[1:-1] - 1)
    starts = regular.offsets[:-1] - np.arange(len(regular))
    log_isi = np.log(np.maximum(within.astype(np.float64), 1e-3))
    least, most = np.minimum.reduceat(log_isi, starts), np.maximum.reduceat(log_isi, starts)
    order = np.flatnonzero(most - least < tolerance)
    order = order[np.argsort(least[order], kind="stable")]
    groups, at = [], 0
    while at + size <= order.size:
        group = order[at : at + size]
        if most[group].max() - least[group[0]] < tolerance:
            groups.append(group)
            at += size
        else:
            at += 1
    if len(groups) < _FEWEST_GROUPS:
        return None
    targets = regular.targets[np.array(groups)]
    hindsight = np.abs(targets - np.median(targets, axis=1, keepdims=True)).mean(axis=(0, 1))
    members = np.concatenate(groups)
    asked = regular.take(members[unseen | (split_of(regular.group[members]) == 2)])
    found: dict[str, Any] = {
        "populations": len(quiet),
        "trains": members.size,
        "size": size,
        "tolerance": tolerance,
        "hindsight": [float(v) for v in hindsight],
    }
    if len(asked) >= fewest:
        answers = predictor.predict(asked.listed())
        found["network"] = _short(score_all(asked, answers, seed=seed)["all"])
    return found


def _applied(trains: Trains, how: Augmentation, seed: int) -> Trains:
    """The trains disturbed, in another order, without those that are left with under 3 spikes."""
    times, rows = [], []
    for batch in epoch_batches(trains, 512, how, (seed, 7)):
        for row, isi, n in zip(batch.rows, batch.isi_ms, batch.lengths, strict=True):
            if n >= 2:
                kept = np.maximum(isi[:n].astype(np.float64), 1e-3)
                times.append(np.concatenate([[0.0], np.cumsum(kept)]))
                rows.append(row)
    ends = np.cumsum([train.size for train in times])
    return replace(
        trains.take(np.array(rows)),
        times_ms=np.concatenate(times),
        offsets=np.concatenate([[0], ends]),
    )


def _flagged(posteriors: list[Posterior]) -> float:
    return float(np.mean([p.domain is not None and not p.domain.inside for p in posteriors]))


def _oddness(posteriors: list[Posterior]) -> Floats:
    """Higher is stranger; equal shares are told apart by the score."""
    known = [p.domain for p in posteriors if p.domain is not None]
    return np.array([-d.p_value + 1e-6 * np.tanh(d.score / 50) for d in known])
