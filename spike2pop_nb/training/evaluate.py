"""Scores of a network on populations it has never seen, beside a baseline and the published figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.mixture import Mixture
from spike2pop_nb.inference.posterior import FEATURES, Posterior
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.training.baseline import trees
from spike2pop_nb.training.batches import Trains, read_trains, split_of
from spike2pop_nb.training.dataset import read_recipe
from spike2pop_nb.training.model_card import model_card

__all__ = ["LEVELS", "evaluate", "score"]

LEVELS = (0.5, 0.8, 0.95)
_DRAWS = 400
Floats = NDArray[np.floating]
_PATTERNS = {"all": (1, 2), "spiking": (1,), "bursting": (2,)}


def evaluate(
    weights: str | Path,
    data_dir: str | Path,
    out_dir: str | Path,
    *,
    most_test: int | None = None,
    most_shards: int | None = None,
    baseline: bool = True,
    baseline_trains: int | None = 100_000,
    baseline_rounds: int = 500,
    device: str = "cpu",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Score a network on the test split of a data set; write ``scores.json`` and ``model_card.md``.

    Parameters
    ----------
    weights, data_dir, out_dir : path
        The network, the shards it was trained on (their test populations were kept apart), and where to
        write.
    most_test : int, optional
        Score at most this many trains, drawn at random.
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
    trains = read_trains(data_dir, most_shards)
    side = split_of(trains.group)
    held = trains.take(side == 2)
    n_silent = int((held.n_spikes < 3).sum())
    test = held.active()
    if not len(test):
        raise TrainingError(f"{data_dir} has no test populations with 3 spikes or more.")
    if most_test is not None and len(test) > most_test:
        test = test.take(np.sort(np.random.default_rng(seed).permutation(len(test))[:most_test]))
    posteriors = predictor.predict([test.train(i) for i in range(len(test))], progress)
    guesses = {}
    if baseline:
        guesses["trees"] = trees(
            trains.take(side == 0).active(), test, baseline_trains, seed, baseline_rounds
        )
    scores = {
        "neuron": loaded.neuron,
        "weights": loaded.metadata,
        "recipe": read_recipe(data_dir).model_dump(),
        "test_trains": len(test),
        "silent_test_trains": n_silent,
        "baseline_trains": min(baseline_trains or 10**9, int((side == 0).sum())) if baseline else 0,
        "bands": score(test, posteriors, guesses, seed),
    }
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    (out / "scores.json").write_text(json.dumps(scores, indent=1, allow_nan=True) + "\n")
    (out / "model_card.md").write_text(model_card(scores, Path(weights).with_name("history.csv")))
    return scores


def score(
    test: Trains, posteriors: list[Posterior], guesses: dict[str, Floats], seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Scores by noise band and firing pattern.

    Parameters
    ----------
    test : Trains
        With 3 spikes or more each.
    posteriors : list of Posterior
        One per train.
    guesses : dict of array (n, 2)
        Point predictions of other methods, to stand beside.

    Returns
    -------
    dict
        For each band ("clean", "noisy", "all") and pattern ("all", "spiking", "bursting"): mean absolute
        errors [g_s, g_u] of mean, median, other methods, the constant median, and the posteriors shuffled
        over trains; the posterior's own standard deviation; negative log likelihood in DIC units; coverage of
        credible regions; pattern accuracy; feature errors in their units.
    """
    rng = np.random.default_rng(seed)
    targets = test.targets.astype(np.float64)
    mean = np.stack([p.mean for p in posteriors])
    points = {"mean": mean, "median": np.stack([p.median for p in posteriors]), **guesses}
    points["constant"] = np.broadcast_to(np.median(targets, axis=0), targets.shape)
    std = np.stack([p.std for p in posteriors])
    rank, log_prob, place = _ranks(posteriors, targets, rng)
    named = np.array([1 if p.most_likely_pattern == "spiking" else 2 for p in posteriors])
    features = np.array([[p.features[f] for f in FEATURES] for p in posteriors])
    feature_error = np.abs(features - test.features)
    bands = {"clean": test.sigma == 0, "noisy": test.sigma > 0, "all": test.sigma >= 0}
    scores: dict[str, dict[str, Any]] = {}
    for band, in_band in bands.items():
        scores[band] = {}
        for pattern, codes in _PATTERNS.items():
            chosen = np.flatnonzero(in_band & np.isin(test.pattern, codes))
            if not chosen.size:
                continue
            error = {
                name: [float(v) for v in np.abs(point[chosen] - targets[chosen]).mean(axis=0)]
                for name, point in points.items()
            }
            mixed = rng.permutation(chosen)
            error["shuffled"] = [float(v) for v in np.abs(mean[mixed] - targets[chosen]).mean(axis=0)]
            histogram = [np.histogram(place[chosen, i], bins=10, range=(0, 1))[0].tolist() for i in range(2)]
            known = np.isfinite(feature_error[chosen])
            totals = np.where(known, feature_error[chosen], 0).sum(axis=0)
            scores[band][pattern] = {
                "trains": int(chosen.size),
                "mae": error,
                "posterior_std": [float(v) for v in std[chosen].mean(axis=0)],
                "nll": float(-log_prob[chosen].mean()),
                "coverage": {str(level): float((rank[chosen] <= level).mean()) for level in LEVELS},
                "rank_histogram": dict(zip(("g_s", "g_u"), histogram, strict=True)),
                "pattern_accuracy": float((named[chosen] == test.pattern[chosen]).mean()),
                "feature_mae": {
                    name: float(totals[i] / known[:, i].sum()) if known[:, i].any() else None
                    for i, name in enumerate(FEATURES)
                },
            }
    return scores


def _ranks(
    posteriors: list[Posterior], targets: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Level of the smallest credible region that reaches each target, its log density, its marginal CDF
    values.

    A calibrated posterior makes the first and the last uniform on (0, 1) over trains.
    """
    rank = np.empty(len(posteriors))
    log_prob = np.empty(len(posteriors))
    place = np.empty((len(posteriors), 2))
    for i, p in enumerate(posteriors):
        mixture = p.mixture
        if mixture is None:
            raise TrainingError("Only trains with 3 spikes or more can be scored.")
        # The border of the box carries no density; a target on it is judged just inside.
        target = mixture.box.from_line(mixture.box.to_line(targets[i]))
        both = mixture.log_prob(np.vstack([target, mixture.sample(_DRAWS, rng)]))
        log_prob[i] = both[0]
        rank[i] = (both[1:] > both[0]).mean()
        place[i] = _cdf(mixture, target)
    return rank, log_prob, place


def _cdf(mixture: Mixture, x: Floats) -> Floats:
    a, b, slope = mixture.scales.T
    first = np.exp(-a)
    spread = np.stack([first, np.hypot(slope * first, np.exp(-b))], axis=1)
    weights = np.exp(mixture.log_weights)[:, None]
    reached: Floats = (weights * ndtr((mixture.box.to_line(x) - mixture.means) / spread)).sum(axis=0)
    return reached
