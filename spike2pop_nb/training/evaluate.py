"""Scores of a network on populations it has never seen, beside baselines and the published figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.files import make_folder, write_whole
from spike2pop_nb.inference.posterior import PRIORS
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.training import disturbances
from spike2pop_nb.training.baseline import DISTURBED_TREES, TREES, Trees, fit_trees
from spike2pop_nb.training.batches import NO_AUGMENTATION, Trains, read_trains, split_of
from spike2pop_nb.training.card_commands import AS_SHIPPED
from spike2pop_nb.training.dataset import Recipe, read_recipe
from spike2pop_nb.training.failures import draw_failures
from spike2pop_nb.training.model_card import model_card
from spike2pop_nb.training.options import augmentation_of, changes
from spike2pop_nb.training.scores import score, score_all

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

    What ``scores.json`` has of the same weights on the same data is kept, so that a killed run goes on, and
    ablations or a curve can be added later.

    Parameters
    ----------
    weights, data_dir, out_dir : path
        The network, the shards it was trained on (one folder or several; their test populations were kept
        apart), and where to write. The tables of errors and calibration are of test trains of the neuron's
        own recording window; folders of other lengths enter those by length, and of disturbed and strange
        trains.
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
        Whether to fit gradient-boosted trees, on how many training trains at most (None: all), and how many
        rounds at most: once to the trains as simulated, and once to the same disturbed as the network's were.

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
    recipes = [read_recipe(folder) for folder in folders]
    trains, usual = _read(folders, recipes, most_shards)
    side = split_of(trains.group)
    active = trains.n_spikes >= 3
    asked_of = (side == 2) & active & ~trains.drawn
    made, usual_made = trains.take(asked_of), trains.take(asked_of & usual)
    if not len(usual_made):
        raise TrainingError(f"{folders[0]} has no test populations with 3 spikes or more.")
    test = usual_made.some(most_test, seed)
    drawn = trains.take((side == 2) & active & trains.drawn & usual)
    kept = {Path(folder).name: read_trains(folder).active() for folder in held_out}
    rivals = {Path(path).parent.name: Predictor(load_network(path), device) for path in ablations}
    out = make_folder(Path(out_dir))
    drawing = out / f"{loaded.neuron}_failures.svg"

    learned = augmentation_of(loaded.metadata["training"])
    taught = {TREES: NO_AUGMENTATION} if baseline else {}
    if baseline and learned != NO_AUGMENTATION:
        taught[DISTURBED_TREES] = learned
    fitting = (side == 0) & active & ~trains.drawn

    @cache
    def grown() -> dict[str, Trees]:
        chosen = trains.take(fitting)
        return {
            name: fit_trees(chosen, how, baseline_trains, seed, baseline_rounds)
            for name, how in taught.items()
        }

    def guesses(asked: Trains) -> dict[str, Floats]:
        return {name: made.predict(asked) for name, made in grown().items()}

    def scored() -> dict[str, Any]:
        answers = predictor.predict(test.listed(), progress)
        draw_failures(test, answers, drawing)
        held = {
            name: score(
                other,
                predictor.predict(other.listed()),
                guesses(other),
                seed,
                _masks(other, kept),
            )
            for name, other in kept.items()
        }
        n_fitting = int(fitting.sum())
        return {
            "bands": score(test, answers, guesses(test), seed),
            "held_out": held,
            "baselines": list(taught),
            "baseline_trains": min(n_fitting, baseline_trains or n_fitting) if taught else 0,
        }

    sections: dict[str, Callable[[], Any]] = {
        "bands": scored,
        "by_length": lambda: disturbances.by_length(predictor, made, seed=seed),
        "by_seconds": lambda: disturbances.by_seconds(predictor, made, seed=seed),
        "disturbed": lambda: disturbances.disturbed(predictor, made, seed=seed, rivals=grown()),
        "drift": lambda: disturbances.drift(predictor, made, seed=seed),
        "alike": lambda: disturbances.alike(
            predictor, trains.take(active & ~trains.drawn & usual), seed=seed
        ),
        "strange": lambda: (
            disturbances.strange(predictor, made, seed=seed) if loaded.domain is not None else None
        ),
        "drawn": lambda: _drawn(predictor, drawn.some(most_test, seed), seed) if len(drawn) else None,
    }
    asked = {
        "neuron": loaded.neuron,
        "weights": loaded.metadata,
        "recipes": {Path(f).name: read_recipe(f).model_dump() for f in [*folders, *held_out]},
        "data": [Path(folder).name for folder in folders],
        "test_trains": len(test),
        "silent_test_trains": int(((side == 2) & ~active & ~trains.drawn & usual).sum()),
    }
    scores: dict[str, Any] = {**_kept(out / "scores.json", asked, list(taught)), **asked}
    for name, make in sections.items():
        if name not in scores:
            made_now = make()
            scores |= made_now if name == "bands" else {name: made_now}
            _write(out / "scores.json", scores)
    if rivals:
        few = test.some(_MOST_FOR_RIVALS, seed)
        rows = {AS_SHIPPED: predictor, **rivals}
        others = trains.take(asked_of & ~usual)
        scores["ablations"] = {name: _rival(rival, few, others, seed) for name, rival in rows.items()}
    if curve is not None and Path(curve).is_file():
        with Path(curve).open(newline="", encoding="utf-8") as file:
            scores["curve"] = list(csv.DictReader(file))
    _write(out / "scores.json", scores)
    card = model_card(scores, Path(weights).with_name("history.csv"), drawing.name)
    write_whole(out / "model_card.md", card.encode())
    return scores


_MOST_FOR_RIVALS = 4000


def _read(
    folders: Sequence[str | Path], recipes: Sequence[Recipe], most_shards: int | None
) -> tuple[Trains, NDArray[np.bool_]]:
    """All trains, and which are of the neuron's own recording window (all, if none are)."""
    parts = [read_trains(folder, most_shards) for folder in folders]
    own = [recipe.duration_s is None and recipe.longest_s is None for recipe in recipes]
    usual = np.repeat(own if any(own) else [True] * len(own), [len(part) for part in parts])
    return Trains.join(parts), usual


def _write(path: Path, scores: dict[str, Any]) -> None:
    write_whole(path, f"{json.dumps(scores, indent=1, allow_nan=True)}\n".encode())


def _kept(path: Path, asked: dict[str, Any], baselines: list[str]) -> dict[str, Any]:
    """Scores in ``path``, if they are of the same weights on the same data, beside those baselines."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        same = all(json.dumps(found[key]) == json.dumps(value) for key, value in asked.items())
    except (OSError, ValueError, KeyError):
        return {}
    return found if same and set(baselines) <= set(found.get("baselines", [])) else {}


def _drawn(predictor: Predictor, drawn: Trains, seed: int) -> dict[str, Any]:
    """Scores of neurons with drawn conductances, read under each prior, and how well they are recognised."""
    rows: dict[str, Any] = {}
    for prior in predictor.priors:
        posteriors = predictor.predict(drawn.listed(), prior=prior)
        rows[prior] = score_all(drawn, posteriors, seed=seed)
    if PRIORS[1] in predictor.priors:
        rows["recognised"] = float(np.mean([p.p_drawn > 0.5 for p in posteriors]))
    return rows


def _rival(predictor: Predictor, test: Trains, others: Trains, seed: int) -> dict[str, Any]:
    """Scores of another network, on the test trains as they are and disturbed and on ``others``, of other
    lengths, and how it was trained.
    """
    found = score(test, predictor.predict(test.listed()), {}, seed)["all"]
    training = predictor.metadata["training"]
    run = {
        "trains": predictor.metadata["data"]["trains"],
        "steps": training["steps"],
        "changes": changes(training, predictor.metadata["config"]),
    }
    half = _MOST_FOR_RIVALS // 2
    hurt = disturbances.disturbed(predictor, test, half, seed, (disturbances.MISSING, disturbances.SAMPLED))
    longer = disturbances.whole_trains(predictor, others, half, seed)
    return {**found, "run": run, "disturbed": hurt, "other_lengths": longer}


def _masks(trains: Trains, others: dict[str, Trains]) -> dict[str, NDArray[np.bool_]] | None:
    """All trains, and those of neurons that another held-out set shows to fire without noise too; None, for
    the usual bands of noise, if some have noise and some have none.
    """
    if trains.sigma.any() and not trains.sigma.all():
        return None
    masks = {"all": np.ones(len(trains), dtype=bool)}
    for other in others.values():
        if other is not trains and not other.sigma.any() and trains.sigma.any():
            same = np.isin(trains.id, other.id)
            if same.any() and not same.all():
                masks["fire without noise too"] = same
    return masks
