"""The commands at the end of a model card: they make the data, the weights and the card again."""

from __future__ import annotations

from typing import Any

from spike2pop_nb.training.options import changes

__all__ = ["AS_SHIPPED", "commands", "runs_of", "sets_of"]

AS_SHIPPED = "as shipped"
"""The row of the scored network itself among its ablations."""


def _dataset_command(name: str, recipe: dict[str, Any]) -> str:
    length = "".join(
        f"--{name.replace('_', '-')} {recipe[name]:g} "
        for name in ("duration_s", "longest_s")
        if recipe.get(name)
    )
    for option, usual in (("accuracy", "standard"), ("device", "cpu")):
        if recipe.get(option, usual) != usual:
            length += f"--{option} {recipe[option]} "
    neuron, varied = recipe["neuron"], ""
    if not isinstance(neuron, str):
        varied = f"  # but with V_th at {neuron['V_th_mV']:g} mV and baseline {neuron['baseline']}"
        neuron = neuron["name"]
    return (
        f"spike2pop dataset --neuron {neuron} --trains {recipe['n_trains']} "
        f"--members {recipe['members_per_target']} "
        f"--monte-carlo-share {recipe['monte_carlo_share']:g} --noisy-share {recipe['noisy_share']:g} "
        f"--sigma-min {recipe['sigma_min']:g} --sigma-max {recipe['sigma_max']:g} {length}"
        f"--seed {recipe['seed']} --shard-size {recipe['shard_size']} --out data/{name}{varied}"
    )


def _train_commands(neuron: str, weights: dict[str, Any], out: str) -> list[str]:
    """The command that made ``weights``, after those of the runs before it, which are numbered from 1."""
    training = weights["training"]
    length = next(
        f"--{name} {training[f'asked_{name}']:g}"
        for name in ("epochs", "minutes")
        if training.get(f"asked_{name}") is not None
    )
    start = training.get("start") or weights.get("base")
    before: list[str] = []
    begun = ""
    if start and "training" in start and start["neuron"] == neuron:
        first = f"runs/{neuron}_{1 + sum(run['neuron'] == neuron for run in _runs_before(start))}"
        before = _train_commands(neuron, start, first)
        begun = f" --base {first}/{neuron}.safetensors"
    elif start:
        begun = f" --base runs/{start['neuron']}/{start['neuron']}.safetensors"
    changed = "".join(f" --set {text}" for text in changes(training, weights["config"]))
    folders = " ".join(f"data/{name}" for name in weights.get("recipes") or {})
    run = f"spike2pop train {folders} --neuron {neuron}{begun} {length} --seed {training['seed']}{changed}"
    return [*before, f"{run} --out {out}"]


def _runs_before(weights: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs that ``weights`` were begun from, the last one first, as the header of weights keeps them."""
    start = weights["training"].get("start")
    return [start, *_runs_before(start)] if start and "training" in start else []


def runs_of(weights: dict[str, Any]) -> list[dict[str, Any]]:
    """The run that made ``weights`` and those before it, the last one first, of which the data are known."""
    return [run for run in (weights, *_runs_before(weights)) if run.get("recipes")]


def sets_of(weights: dict[str, Any]) -> dict[str, Any]:
    """The data sets that any of these runs learned from: recipe, rows and checksum by name."""
    return {name: row for run in reversed(runs_of(weights)) for name, row in run["recipes"].items()}


def commands(scores: dict[str, Any]) -> list[str]:
    """Commands that make the data, the weights and their scores."""
    weights, neuron = scores["weights"], scores["neuron"]
    out = f"runs/{neuron}"
    used = " ".join(f"--data data/{name}" for name in scores["data"])
    kept = "".join(f" --held-out data/{name}" for name in scores["held_out"])
    names = [name for name in scores.get("ablations", {}) if name != AS_SHIPPED]
    others = "".join(f" --ablation runs/{name}/{neuron}.safetensors" for name in names)
    others += f" --curve {out}_adapters/curve.csv" if scores.get("curve") else ""
    recipes = {name: row["recipe"] for name, row in sets_of(weights).items()} | scores["recipes"]
    return [
        *(_dataset_command(name, recipe) for name, recipe in recipes.items()),
        *_train_commands(neuron, weights, out),
        f"spike2pop evaluate {out}/{neuron}.safetensors {used}{kept}{others} --out {out}/scores",
    ]
