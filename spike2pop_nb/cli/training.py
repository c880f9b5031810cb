"""Commands that make networks: data, training, adapting, scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spike2pop_nb.cli.common import DeviceOption, NeuronOption, SeedOption, check_places, progress_bar

__all__ = ["adapt", "atlas", "dataset", "evaluate", "train"]


def atlas(
    neuron: NeuronOption,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write.", show_default="where every command finds it"),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option("--card", help="Markdown file to write: how well it tells members that it never saw."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=64,
            help="Members to simulate; fewer with a time step under 0.01 ms.",
            show_default="24576",
        ),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
) -> None:
    """Make the atlas of a neuron, in minutes: DICs, current and noise are then predicted for it, too."""
    from spike2pop_nb.files import write_whole
    from spike2pop_nb.training.atlas import make_atlas

    check_places(card)
    with progress_bar(1, "") as update:
        path = make_atlas(neuron, out, size=size, seed=seed, device=device, progress=update)
    typer.echo(f"Atlas written to {path}.")
    if card is not None:
        from spike2pop_nb.training.atlas_card import atlas_card, atlas_scores

        with progress_bar(1, "") as update:
            scores = atlas_scores(neuron, path, progress=update)
        write_whole(card, atlas_card(scores).encode())
        typer.echo(f"Card written to {card}.")


def dataset(
    out: Annotated[Path, typer.Option("--out", help="Folder for the shards.", show_default=False)],
    neuron: NeuronOption = "stg",
    trains: Annotated[int, typer.Option(help="Rows to make.")] = 200_000,
    members: Annotated[int, typer.Option(help="Members that share one (g_s, g_u).")] = 4,
    monte_carlo_share: Annotated[
        float, typer.Option(help="Share drawn over the ranges of conductances instead of compensated.")
    ] = 0.0,
    noisy_share: Annotated[float, typer.Option(help="Share of members with injected noise.")] = 0.5,
    sigma_min: Annotated[float, typer.Option(help="Smallest σ of that noise, µA/cm².")] = 0.0,
    sigma_max: Annotated[float, typer.Option(help="Largest σ of that noise, µA/cm².")] = 6.0,
    duration_s: Annotated[
        float | None, typer.Option(help="Length of the recordings; the neuron's own window by default.")
    ] = None,
    longest_s: Annotated[
        float | None,
        typer.Option(
            help="Longest recordings: each file's length is then drawn from --duration-s up to this."
        ),
    ] = None,
    accuracy: Annotated[str, typer.Option(help="Of the simulation: standard or exact.")] = "standard",
    shard_size: Annotated[int, typer.Option(help="Rows a file.")] = 4096,
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
    workers: Annotated[int | None, typer.Option(help="Processes on this machine.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler to use instead.")] = None,
) -> None:
    """Make training data: sample DICs, generate, simulate, label; resumes where it was stopped."""
    from spike2pop_nb.files import ready
    from spike2pop_nb.training.dataset import make_dataset

    recipe = {
        "neuron": neuron,
        "n_trains": trains,
        "members_per_target": members,
        "monte_carlo_share": monte_carlo_share,
        "noisy_share": noisy_share,
        "sigma_min": sigma_min,
        "sigma_max": sigma_max,
        "duration_s": duration_s,
        "longest_s": longest_s,
        "accuracy": accuracy,
        "device": device,
        "seed": seed,
        "shard_size": shard_size,
    }
    with ready(out), progress_bar(trains, " trains") as update:
        rows = make_dataset(recipe, out, scheduler=scheduler, workers=workers, progress=update)
    typer.echo(f"{rows} rows in {out}.")


def train(
    data: Annotated[list[Path], typer.Argument(help="Folders made by `spike2pop dataset`.")],
    out: Annotated[
        Path, typer.Option("--out", help="Folder for weights and checkpoints.", show_default=False)
    ],
    neuron: NeuronOption = "stg",
    base: Annotated[
        Path | None, typer.Option(help="Weights of another neuron's network to adapt (LoRA).")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Length of the run in epochs.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Length of the run in minutes.")] = None,
    shards: Annotated[
        int | None, typer.Option(help="Learn from the first few shards of each folder.")
    ] = None,
    seed: SeedOption = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew instead of resuming.")] = False,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A number of the training to change, such as n_components=1, latent=0, crop=0, feature=0, "
            "or lora_rank=0 (with --base: learn all weights from there on, instead of adapters, after "
            "splitting the base's components into n_components).",
        ),
    ] = None,
) -> None:
    """Train a network; resumes from its checkpoint."""
    from spike2pop_nb.files import ready
    from spike2pop_nb.training.options import TrainingOptions
    from spike2pop_nb.training.train import train as run_training

    if epochs is None and minutes is None:
        epochs = 20

    def report(row: dict[str, Any]) -> None:
        shown = (
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in row.items()
        )
        typer.echo(", ".join(shown))

    with ready(out), progress_bar(1, " steps") as update:
        weights = run_training(
            data,
            out,
            neuron,
            base=base,
            epochs=epochs,
            max_minutes=minutes,
            options=TrainingOptions().changed(change or []),
            seed=seed,
            device=device,
            resume=not fresh,
            most_shards=shards,
            progress=update,
            report=report,
        )
    typer.echo(f"Weights written to {weights}.")


def adapt(
    out: Annotated[
        Path, typer.Option("--out", help="Folder for data, weights and scores.", show_default=False)
    ],
    neuron: NeuronOption = "da",
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Folder of training data; made where none is given.")
    ] = None,
    trains: Annotated[int, typer.Option(help="Trains to make where no data are given.")] = 120_000,
    base: Annotated[
        Path | None, typer.Option(help="Network to adapt; the shipped STG one by default.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Length of the run in epochs.")] = 20,
    curve: Annotated[
        bool, typer.Option("--curve", help="Also compare with training from scratch on 1k, 10k, 100k trains.")
    ] = False,
    curve_steps: Annotated[int, typer.Option(help="Steps of each run of that comparison, about.")] = 3000,
    install: Annotated[
        bool, typer.Option(help="Make the network the one that predict, run and app use for this neuron.")
    ] = True,
    seed: SeedOption = 0,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine.")] = None,
) -> None:
    """Adapt the STG network to another declared neuron: data, low-rank adapters, scores; resumes."""
    from spike2pop_nb.files import ready
    from spike2pop_nb.inference.weights import install_weights
    from spike2pop_nb.training.adapt import CURVE
    from spike2pop_nb.training.adapt import adapt as run_adaptation

    with ready(out), progress_bar(1, " trains or steps") as update:
        weights = run_adaptation(
            neuron,
            out,
            data=data or (),
            trains=trains,
            base=base,
            epochs=epochs,
            curve=CURVE if curve else (),
            curve_steps=curve_steps,
            seed=seed,
            workers=workers,
            progress=update,
            report=lambda sentence: typer.echo(sentence, err=True),
        )
    if install:
        typer.echo(f"Installed as {install_weights(weights, neuron)}.")
    else:
        typer.echo(f"Weights written to {weights}.")


def evaluate(
    weights: Annotated[Path, typer.Argument(help="Weights made by `spike2pop train`.")],
    data: Annotated[
        list[Path],
        typer.Option(
            "--data", help="Folder that it was trained on; its test side is used.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the scores.", show_default=False)],
    held_out: Annotated[
        list[Path] | None, typer.Option(help="Folder that it was never trained on; all of it is used.")
    ] = None,
    ablation: Annotated[
        list[Path] | None, typer.Option(help="Weights of another network on the same data to stand beside.")
    ] = None,
    curve: Annotated[
        Path | None, typer.Option(help="curve.csv that `spike2pop adapt --curve` left, for the card.")
    ] = None,
    baseline: Annotated[bool, typer.Option(help="Fit gradient-boosted trees beside it.")] = True,
) -> None:
    """Score a network on populations it never saw; writes scores.json and model_card.md."""
    from spike2pop_nb.files import ready
    from spike2pop_nb.training.evaluate import evaluate as run_evaluation

    with ready(out), progress_bar(1, " windows") as update:
        run_evaluation(
            weights,
            data,
            out,
            held_out=held_out or (),
            ablations=ablation or (),
            curve=curve,
            baseline=baseline,
            progress=update,
        )
    typer.echo((out / "model_card.md").read_text(encoding="utf-8"))
