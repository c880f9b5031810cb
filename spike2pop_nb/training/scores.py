"""Scores of posteriors against the DICs that made the trains: errors, calibration, patterns, features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.mixture import Mixture
from spike2pop_nb.inference.posterior import FEATURES, Posterior
from spike2pop_nb.training.batches import Trains

__all__ = ["BANDS", "LEVELS", "score", "score_all"]

Floats = NDArray[np.floating]

LEVELS = (0.5, 0.8, 0.95)
BANDS: dict[str, tuple[float, float]] = {
    # σ above the first and up to the second, in µA/cm²
    "clean": (-1.0, 0.0),
    "noisy": (0.0, np.inf),
    "sigma_0_2": (0.0, 2.0),
    "sigma_2_4": (2.0, 4.0),
    "sigma_4_6": (4.0, np.inf),
    "all": (-1.0, np.inf),
}
_ACTIVITY_CODES = {"all": (1, 2), "spiking": (1,), "bursting": (2,)}
_DRAWS = 400
_BINS = 20


def score(
    test: Trains,
    posteriors: list[Posterior],
    guesses: dict[str, Floats],
    seed: int = 0,
    masks: dict[str, NDArray[np.bool_]] | None = None,
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
    masks : dict of array (n,), optional
        Bands to use instead of `BANDS` of noise.

    Returns
    -------
    dict
        For each band and pattern ("all", "spiking", "bursting"): mean absolute errors [g_s, g_u] of mean,
        median, other methods, the constant median, and the posteriors shuffled over trains; what a calibrated
        posterior itself expects the median's error to be; its standard deviation; negative log likelihood in
        DIC units; coverage of credible regions; histograms of marginal ranks; pattern accuracy; feature
        errors in their units; shares flagged as strange and, of those long enough to tell, said to drift.
    """
    rng = np.random.default_rng(seed)
    targets = test.targets.astype(np.float64)
    mean = np.stack([p.mean for p in posteriors])
    points = {"mean": mean, "median": np.stack([p.median for p in posteriors]), **guesses}
    points["constant"] = np.broadcast_to(np.median(targets, axis=0), targets.shape)
    std = np.stack([p.std for p in posteriors])
    judged = [_judge(p, target, rng) for p, target in zip(posteriors, targets, strict=True)]
    rank, log_prob, place, expected = (np.array(values) for values in zip(*judged, strict=True))
    named = np.array([1 if p.most_likely_pattern == "spiking" else 2 for p in posteriors])
    features = np.array([[p.features[f] for f in FEATURES] for p in posteriors])
    feature_error = np.abs(features - test.features)
    flagged = np.array([p.domain is not None and not p.domain.inside for p in posteriors])
    drifts = np.array([np.nan if p.course is None else float(p.course.drifts) for p in posteriors])
    if masks is None:
        masks = {name: (test.sigma > low) & (test.sigma <= high) for name, (low, high) in BANDS.items()}
    scores: dict[str, dict[str, Any]] = {}
    for band, in_band in masks.items():
        for pattern, codes in _ACTIVITY_CODES.items():
            chosen = np.flatnonzero(in_band & np.isin(test.pattern, codes))
            if not chosen.size:
                continue
            error = {name: _pair(np.abs(point[chosen] - targets[chosen])) for name, point in points.items()}
            mixed = rng.permutation(chosen)
            error["shuffled"] = _pair(np.abs(mean[mixed] - targets[chosen]))
            histogram = [
                np.histogram(place[chosen, i], bins=_BINS, range=(0, 1))[0].tolist() for i in range(2)
            ]
            known = np.isfinite(feature_error[chosen])
            totals = np.where(known, feature_error[chosen], 0).sum(axis=0)
            told = drifts[chosen][np.isfinite(drifts[chosen])]
            scores.setdefault(band, {})[pattern] = {
                "trains": int(chosen.size),
                "mae": error,
                "expected_error": _pair(expected[chosen]),
                "posterior_std": _pair(std[chosen]),
                "nll": float(-log_prob[chosen].mean()),
                "coverage": {str(level): float((rank[chosen] <= level).mean()) for level in LEVELS},
                "rank_histogram": dict(zip(("g_s", "g_u"), histogram, strict=True)),
                "pattern_accuracy": float((named[chosen] == test.pattern[chosen]).mean()),
                "feature_mae": {
                    name: float(totals[i] / known[:, i].sum()) if known[:, i].any() else None
                    for i, name in enumerate(FEATURES)
                },
                "flagged": float(flagged[chosen].mean()),
                "drifting": float(told.mean()) if told.size else None,
            }
    return scores


def score_all(
    test: Trains, posteriors: list[Posterior], guesses: dict[str, Floats] | None = None, seed: int = 0
) -> dict[str, Any]:
    """Scores by firing pattern of all trains, whatever their noise; see `score`."""
    return score(test, posteriors, guesses or {}, seed, {"all": np.ones(len(test), dtype=bool)})["all"]


def _pair(values: Floats) -> list[float]:
    return [float(v) for v in values.mean(axis=0)]


def _judge(p: Posterior, target: Floats, rng: np.random.Generator) -> tuple[float, float, Floats, Floats]:
    """Level of the smallest credible region that reaches the target, its log density, its marginal CDF values
    (2,), and the absolute error (2,) that the posterior expects of its median.

    A calibrated posterior makes the first and the third uniform on (0, 1) over trains, and the last equal to
    the true error on average.
    """
    mixture = p.mixture
    if mixture is None:
        raise TrainingError("Only trains with 3 spikes or more can be scored.")
    # The border of the box carries no density; a target on it is judged just inside.
    target = mixture.box.from_line(mixture.box.to_line(target))
    drawn = mixture.sample(_DRAWS, rng)
    both = mixture.log_prob(np.vstack([target, drawn]))
    expected = np.abs(drawn - p.median).mean(axis=0)
    return float((both[1:] > both[0]).mean()), float(both[0]), _cdf(mixture, target), expected


def _cdf(mixture: Mixture, x: Floats) -> Floats:
    a, b, slope = mixture.scales.T
    first = np.exp(-a)
    spread = np.stack([first, np.hypot(slope * first, np.exp(-b))], axis=1)
    weights = np.exp(mixture.log_weights)[:, None]
    reached: Floats = (weights * ndtr((mixture.box.to_line(x) - mixture.means) / spread)).sum(axis=0)
    return reached
