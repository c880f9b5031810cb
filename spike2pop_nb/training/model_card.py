"""The model card: a network's scores as Markdown, beside the baseline and the published figures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

__all__ = ["PUBLISHED", "model_card"]

PUBLISHED: dict[str, list[tuple[str, str, str, tuple[float, float]]]] = {
    # (noise band, pattern, source, mean absolute error of g_s and g_u)
    "stg": [
        ("clean", "all", "published", (2.85, 1.75)),
        ("clean", "spiking", "published", (4.65, 2.30)),
        ("clean", "bursting", "published", (0.81, 1.14)),
        ("clean", "all", "published weights, remeasured", (3.12, 1.69)),
        ("clean", "spiking", "published weights, remeasured", (4.86, 2.05)),
        ("clean", "bursting", "published weights, remeasured", (0.95, 1.25)),
        ("noisy", "all", "published weights, remeasured", (2.73, 2.61)),
        ("noisy", "spiking", "published weights, remeasured", (4.41, 3.29)),
        ("noisy", "bursting", "published weights, remeasured", (1.68, 2.18)),
    ],
    "da": [
        ("clean", "all", "published", (2.41, 1.10)),
        ("clean", "spiking", "published", (2.62, 1.18)),
        ("clean", "bursting", "published", (1.27, 0.67)),
        ("clean", "all", "published weights, remeasured", (1.94, 1.10)),
        ("clean", "spiking", "published weights, remeasured", (2.16, 1.08)),
        ("clean", "bursting", "published weights, remeasured", (0.45, 1.26)),
        ("noisy", "all", "published weights, remeasured", (4.00, 6.03)),
        ("noisy", "spiking", "published weights, remeasured", (3.88, 7.13)),
        ("noisy", "bursting", "published weights, remeasured", (4.03, 5.74)),
    ],
}
_BANDS = {"clean": "no injected noise", "noisy": "injected noise", "all": "both"}
_METHODS = {
    "mean": "network, posterior mean",
    "median": "network, posterior median",
    "trees": "gradient-boosted trees",
    "shuffled": "network, recordings shuffled",
    "constant": "always the median target",
}
_UNITS = {
    "rate_hz": "Hz",
    "intra_burst_hz": "Hz",
    "inter_burst_hz": "Hz",
    "burst_duration_ms": "ms",
    "spikes_per_burst": "spikes",
}


def model_card(scores: dict[str, Any], history: Path | None = None) -> str:
    """Markdown from what `evaluate` returns, and the run's ``history.csv`` if it is there."""
    neuron, weights = scores["neuron"], scores["weights"]
    data, training = weights.get("data", {}), weights.get("training", {})
    kind = (
        "low-rank adapters on the frozen network of another neuron"
        if weights.get("base")
        else "whole network"
    )
    lines = [
        f"# Network for neuron `{neuron}`",
        "",
        f"A distribution over (g_s, g_u) from spike times; {kind}. "
        f"Trained for {training.get('epoch')} epochs ({training.get('steps')} steps, "
        f"{training.get('minutes')} min on {training.get('device')}, seed {training.get('seed')}) "
        f"on {data.get('trains')} simulated trains, "
        f"{100 * data.get('share_noisy', 0):.0f} % with injected noise, "
        f"{100 * data.get('share_bursting', 0):.0f} % bursting.",
        "",
        f"Scored on {scores['test_trains']} trains of populations that were kept apart"
        f" ({scores['silent_test_trains']} more had under 3 spikes and are called silent by rule). "
        f"The trees saw {scores['baseline_trains']} trains of the same training data. "
        "Published figures come from other test trains; they stand here for orientation.",
        "",
        "## Mean absolute error, g_s / g_u",
        "",
        "| trains | pattern | method | g_s | g_u |",
        "|---|---|---|---|---|",
    ]
    for band, patterns in scores["bands"].items():
        for pattern, row in patterns.items():
            for method, words in _METHODS.items():
                if method in row["mae"]:
                    g_s, g_u = row["mae"][method]
                    lines.append(f"| {_BANDS[band]} | {pattern} | {words} | {g_s:.2f} | {g_u:.2f} |")
            for b, p, source, (g_s, g_u) in PUBLISHED.get(neuron, []):
                if (b, p) == (band, pattern):
                    lines.append(f"| {_BANDS[band]} | {pattern} | {source} | {g_s:.2f} | {g_u:.2f} |")
    lines += _behind(scores["bands"])
    lines += [
        "",
        "## Width and calibration",
        "",
        "Share of targets inside the 50, 80 and 95 % highest-density regions; mean posterior standard "
        "deviation; negative log likelihood per train (DIC units).",
        "",
        "| trains | pattern | n | 50 % | 80 % | 95 % | std g_s | std g_u | NLL | pattern right |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for band, patterns in scores["bands"].items():
        for pattern, row in patterns.items():
            covered = " | ".join(f"{100 * v:.1f}" for v in row["coverage"].values())
            std = " | ".join(f"{v:.2f}" for v in row["posterior_std"])
            lines.append(
                f"| {_BANDS[band]} | {pattern} | {row['trains']} | {covered} | {std} | {row['nll']:.2f} "
                f"| {row['pattern_accuracy']:.4f} |"
            )
    lines += ["", "## Features, mean absolute error", "", "| trains | " + " | ".join(_UNITS) + " |"]
    lines.append("|---|" + "---|" * len(_UNITS))
    for band, patterns in scores["bands"].items():
        values = patterns.get("all", {}).get("feature_mae", {})
        shown = [f"{values[f]:.3g} {u}" if values.get(f) is not None else "–" for f, u in _UNITS.items()]
        lines.append(f"| {_BANDS[band]} | " + " | ".join(shown) + " |")
    lines += _curve(history) + _commands(scores)
    versions = ", ".join(f"{k} {v}" for k, v in weights.get("versions", {}).items())
    return "\n".join([*lines, "", f"Made with {versions}.", ""])


def _behind(bands: dict[str, Any]) -> list[str]:
    """Say where the trees are better than the network's best point."""
    worse = [
        f"{_BANDS[band]}, {pattern}, {dic}"
        for band, patterns in bands.items()
        for pattern, row in patterns.items()
        for i, dic in enumerate(("g_s", "g_u"))
        if "trees" in row["mae"] and round(row["mae"]["trees"][i], 2) < round(row["mae"]["median"][i], 2)
    ]
    if not worse:
        return []
    return ["", f"The trees' error is smaller than the posterior median's for: {'; '.join(worse)}."]


def _commands(scores: dict[str, Any]) -> list[str]:
    """The commands that make the data, the weights and this card again."""
    recipe, weights, neuron = scores["recipe"], scores["weights"], scores["neuron"]
    training = weights["training"]
    length = next(
        f"--{name} {training[f'asked_{name}']:g}"
        for name in ("epochs", "minutes")
        if training.get(f"asked_{name}") is not None
    )
    base = weights.get("base")
    adapted = f" --base runs/{base['neuron']}/{base['neuron']}.safetensors" if base else ""
    return [
        "",
        "## Made by",
        "",
        "```bash",
        f"spike2pop dataset --neuron {neuron} --trains {recipe['n_trains']} "
        f"--members {recipe['members_per_target']} "
        f"--monte-carlo-share {recipe['monte_carlo_share']:g} --noisy-share {recipe['noisy_share']:g} "
        f"--sigma-max {recipe['sigma_max']:g} --seed {recipe['seed']} --shard-size {recipe['shard_size']} "
        f"--out data/{neuron}",
        f"spike2pop train data/{neuron} --neuron {neuron}{adapted} {length} --seed {training['seed']} "
        f"--out runs/{neuron}",
        f"spike2pop evaluate runs/{neuron}/{neuron}.safetensors --data data/{neuron} "
        f"--out runs/{neuron}/scores",
        "```",
    ]


def _curve(history: Path | None, rows_shown: int = 12) -> list[str]:
    if history is None or not history.is_file():
        return []
    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    step = max(1, -(-len(rows) // rows_shown))
    kept = [*rows[::step], *([rows[-1]] if (len(rows) - 1) % step else [])]
    names = ("epoch", "minutes", "train_nll", "val_nll", "val_mae_g_s", "val_mae_g_u")
    lines = ["", "## Training curve", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return lines + ["| " + " | ".join(row.get(n, "") for n in names) + " |" for row in kept]
