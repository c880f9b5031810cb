"""Scores of a network on populations it has never seen, beside baselines and the published figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.posterior import PRIORS
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.training import stress
from spike2pop_nb.training.baseline import trees
from spike2pop_nb.training.batches import Trains, read_trains, split_of
from spike2pop_nb.training.dataset import read_recipe
from spike2pop_nb.training.failures import draw_failures
from spike2pop_nb.training.model_card import model_card
from spike2pop_nb.training.scores import score

__all__ = ["evaluate"]

Floats = NDArray[np.floating]
Folders = str | Path | Sequence[str | Path]


def evaluate(
    weights: str | Path,
    data_dir: Folders,
    out_dir: str | Path,
    *,
    held_out: Sequence[str | Path] = (),
    ablations: Sequence[str | Path] = (),
    curve: str | Path | None = None,
    most_test: int | None = 20_000,
    most_shards: int | None = None,
    baseline: bool = True,
    baseline_trains: int | None = None,
    baseline_rounds: int = 500,
    device: str = "cpu",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Score a network on the test split of its data; write ``scores.json`` and ``model_card.md``.

    Parameters
    ----------
    weights, data_dir, out_dir : path
        The network, the shards it was trained on (one folder or several; their test populations were kept
        apart), and where to write.
    held_out : sequence of path
        Data sets that it was not trained on at all, scored whole.
    ablations : sequence of path
        Weights of other networks trained on the same data, to stand beside.
    curve : path, optional
        CSV that `adapt` leaves: error against number of trains, for the card.
    most_test : int, optional
        Score at most this many trains of each kind, drawn at random; None for all.
    most_shards : int, optional
        Read only the first few shards, as in training.
    baseline, baseline_trains, baseline_rounds : bool, int, int
        Whether to fit the gradient-boosted trees, on how many training trains at most (None: all), and how
        many rounds at most.

    Returns
    -------
    dict
        What ``scores.json`` holds.

    Raises
    ------
    TrainingError, PredictorError
        If the data or the weights are unfit.
    """
    loaded = load_network(weights)
    predictor = Predictor(loaded, device)
    folders = [data_dir] if isinstance(data_dir, str | Path) else list(data_dir)
    trains = read_trains(folders, most_shards)
    side = split_of(trains.group)
    active = trains.n_spikes >= 3
    n_silent = int(((side == 2) & ~active & ~trains.drawn).sum())
    made = trains.take((side == 2) & active & ~trains.drawn)
    if not len(made):
        raise TrainingError(f"{folders[0]} has no test populations with 3 spikes or more.")
    test = _some(made, most_test, seed)
    others = {Path(folder).name: read_trains(folder).active() for folder in held_out}
    guesses = _trees(
        trains.take((side == 0) & active & ~trains.drawn) if baseline else None,
        {"": test, **others},
        baseline_trains,
        seed,
        baseline_rounds,
    )
    rivals = {Path(path).parent.name: Predictor(load_network(path), device) for path in ablations}
    answers = predictor.predict(_listed(test), progress)
    scores: dict[str, Any] = {
        "neuron": loaded.neuron,
        "weights": loaded.metadata,
        "recipes": {Path(folder).name: read_recipe(folder).model_dump() for folder in [*folders, *held_out]},
        "data": [Path(folder).name for folder in folders],
        "held_out": {},
        "test_trains": len(test),
        "silent_test_trains": n_silent,
        "baseline_trains": int(min(((side == 0) & active & ~trains.drawn).sum(), baseline_trains or 10**9))
        if baseline
        else 0,
        "bands": score(test, answers, guesses.get("", {}), seed),
        "ablations": {
            name: score(test, rival.predict(_listed(test)), {}, seed)["all"] for name, rival in rivals.items()
        },
        "by_length": stress.by_length(predictor, made, seed=seed),
        "disturbed": stress.disturbed(predictor, test, seed=seed),
        "drift": stress.drift(predictor, made, seed=seed),
    }
    if loaded.domain is not None:
        scores["strange"] = stress.strange(predictor, test, seed=seed)
    drawn = trains.take((side == 2) & active & trains.drawn)
    if len(drawn):
        scores["drawn"] = _drawn(predictor, _some(drawn, most_test, seed), seed)
    for name, other in others.items():
        scores["held_out"][name] = score(
            other, predictor.predict(_listed(other)), guesses.get(name, {}), seed, _own_firing(other, others)
        )
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    (out / "scores.json").write_text(json.dumps(scores, indent=1, allow_nan=True) + "\n")
    drawing = out / f"{loaded.neuron}_failures.svg"
    draw_failures(test, answers, drawing)
    if curve is not None and Path(curve).is_file():
        with Path(curve).open(newline="") as file:
            scores["curve"] = list(csv.DictReader(file))
    (out / "model_card.md").write_text(
        model_card(scores, Path(weights).with_name("history.csv"), drawing.name)
    )
    return scores


def _trees(
    fitting: Trains | None, asked: dict[str, Trains], most: int | None, seed: int, rounds: int
) -> dict[str, dict[str, Floats]]:
    if fitting is None:
        return {}
    answers = trees(fitting, Trains.join(list(asked.values())), most, seed, rounds)
    ends = np.cumsum([len(part) for part in asked.values()])[:-1]
    return {name: {"trees": part} for name, part in zip(asked, np.split(answers, ends), strict=True)}


def _drawn(predictor: Predictor, drawn: Trains, seed: int) -> dict[str, Any]:
    """Scores of neurons with drawn conductances, read under each prior, and how well they are recognised."""
    everything = {"all": np.ones(len(drawn), dtype=bool)}
    rows: dict[str, Any] = {}
    for prior in predictor.priors:
        posteriors = predictor.predict(_listed(drawn), prior=prior)
        rows[prior] = score(drawn, posteriors, {}, seed, everything)["all"]
    if PRIORS[1] in predictor.priors:
        rows["recognised"] = float(np.mean([p.p_drawn > 0.5 for p in posteriors]))
    return rows


def _own_firing(trains: Trains, others: dict[str, Trains]) -> dict[str, NDArray[np.bool_]]:
    """All trains, and those of neurons that another held-out set shows to fire without noise too."""
    masks = {"all": np.ones(len(trains), dtype=bool)}
    for other in others.values():
        if other is not trains and not other.sigma.any() and trains.sigma.any():
            same = np.isin(trains.id, other.id)
            if same.any() and not same.all():
                masks["fire without noise too"] = same
    return masks


def _listed(trains: Trains) -> list[Floats]:
    return [trains.train(i) for i in range(len(trains))]


def _some(trains: Trains, most: int | None, seed: int) -> Trains:
    if most is None or len(trains) <= most:
        return trains
    return trains.take(np.sort(np.random.default_rng(seed).permutation(len(trains))[:most]))
