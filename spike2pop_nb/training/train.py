"""Training of the network, from shards to weights: resumable, on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.files import make_folder
from spike2pop_nb.inference.mixture import Box
from spike2pop_nb.inference.threads import one_thread
from spike2pop_nb.inference.tokens import TokenScale
from spike2pop_nb.inference.weights import FeatureScale, LoadedNetwork, load_network
from spike2pop_nb.training.batches import (
    Trains,
    checksum,
    log_of_features,
    ordered_batches,
    read_trains,
    split_of,
)
from spike2pop_nb.training.dataset import read_recipe
from spike2pop_nb.training.domain import fit_domain
from spike2pop_nb.training.loop import Run, RunData
from spike2pop_nb.training.options import TrainingOptions

__all__ = ["TrainingOptions", "measured_scales", "train"]


def train(
    data_dir: str | Path | Sequence[str | Path],
    out_dir: str | Path,
    neuron: str,
    *,
    base: str | Path | None = None,
    epochs: int | None = None,
    max_minutes: float | None = None,
    options: TrainingOptions | None = None,
    seed: int = 0,
    device: str = "auto",
    resume: bool = True,
    checkpoint_minutes: float = 2.0,
    most_shards: int | None = None,
    most_trains: int | None = None,
    dic_range: dict[str, tuple[float, float]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Path:
    """Train a network on the shards of a data set, or of several.

    Parameters
    ----------
    data_dir, out_dir : path
        Parquet shards (one folder or several), and where ``<neuron>.safetensors``, ``history.csv`` and
        ``checkpoint.pt`` go.
    neuron : str
        Neuron that the trains come from.
    base : path, optional
        Weights of another neuron's network: then low-rank adapters are trained on it and stored alone. With
        ``options.lora_rank`` 0 all weights are learned from there on, with the base's scales of inputs, after
        its components are split into as many as ``options.network`` asks for.
    epochs, max_minutes : int, float
        Length of the run; give one. The learning rate follows it. With ``epochs`` the same seed gives the
        same weights on the same machine; with ``max_minutes`` the speed of the machine enters.
    resume : bool
        Go on from ``checkpoint.pt`` if there is one.
    most_shards : int, optional
        Read only the first few shards.
    most_trains : int, optional
        Learn from at most this many trains, drawn at random by ``seed``, and validate on a fifth as many.
    dic_range : dict, optional
        Range of the targets; by default the neuron's.
    progress, report, cancel : callables, optional
        Called with (steps done, steps expected); with each epoch's row of the history; and polled between
        steps.

    Returns
    -------
    Path
        The weights with the lowest validation loss.

    Raises
    ------
    TrainingError
        If the data are unfit, the base's components cannot be split evenly, or the checkpoint belongs to
        another run.
    Cancelled
        If ``cancel`` said so; the checkpoint is kept.
    """
    if (epochs is None) == (max_minutes is None):
        raise TrainingError("Say how long to train: either epochs or max_minutes.")
    out = make_folder(Path(out_dir))
    options = options or TrainingOptions()
    # Weights that are learned on expect inputs scaled as they were.
    begun = None if base is None or options.lora_rank else load_network(base)
    if begun is not None:
        _check_components(begun.network.config.n_components, options.network.n_components)
    data = _load(data_dir, neuron, most_shards, most_trains, dic_range, options, seed, begun)
    # Two threads gain a fifth on cores at rest, and lose most of the time where another process has one.
    with one_thread():
        run = Run(data, out, neuron, base, options, seed, _device(device), resume)
        return run.go(epochs, max_minutes, checkpoint_minutes, progress, report, cancel)


_MOST_VALIDATION = 12_000


def _check_components(has: int, wanted: int) -> None:
    if wanted % has:
        raise TrainingError(
            f"n_components={wanted}: the base has {has} components, and more are made by splitting each; "
            f"give {has} or a multiple of it."
        )


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError("This machine has no CUDA device that PyTorch can use; train with device='cpu'.")
    return torch.device(name)


def _load(
    data_dir: str | Path | Sequence[str | Path],
    neuron: str,
    most_shards: int | None,
    most_trains: int | None,
    dic_range: dict[str, tuple[float, float]] | None,
    options: TrainingOptions,
    seed: int,
    begun: LoadedNetwork | None,
) -> RunData:
    if dic_range is None:
        from spike2pop_nb.neurons import get_neuron

        dic_range = dict(get_neuron(neuron).dic_range)
    folders = [data_dir] if isinstance(data_dir, str | Path) else list(data_dir)
    parts = [read_trains(folder, most_shards) for folder in folders]
    recipes = {
        Path(folder).name: {
            "recipe": read_recipe(folder).model_dump(),
            "rows": len(part),
            "sha256": checksum(part),
        }
        for folder, part in zip(folders, parts, strict=True)
    }
    trains = Trains.join(parts).active()
    side = split_of(trains.group)
    fitting, held = trains.take(side == 0), trains.take(side == 1)
    if most_trains is not None:
        rng = np.random.default_rng([seed, 2])
        fitting = fitting.some(most_trains, rng)
        held = held.some(max(most_trains // 5, 200), rng)
    if len(fitting) < 16 or len(held) < 1:
        raise TrainingError(
            f"{data_dir} has {len(trains)} trains with 3 spikes or more: too few to train on."
        )
    scale, feature_scale = (
        measured_scales(fitting, options.longest) if begun is None else (begun.scale, begun.feature_scale)
    )
    domain = fit_domain(fitting, held, scale, seed, steps=options.domain_steps)
    held = held.some(_MOST_VALIDATION, 0)
    return RunData(fitting, held, scale, feature_scale, Box.from_ranges(dic_range), domain, recipes)


def measured_scales(fitting: Trains, longest: int) -> tuple[TokenScale, FeatureScale]:
    """Scales of what the network reads, from a sample of trains, and of the features that it gives."""
    sample = fitting.take(np.random.default_rng(0).permutation(len(fitting))[:20_000])
    batches = list(ordered_batches(sample, len(sample), longest))
    log_features = log_of_features(fitting.features)
    known = np.isfinite(log_features).any(axis=0)
    mean, std = np.zeros(log_features.shape[1]), np.ones(log_features.shape[1])
    mean[known] = np.nanmean(log_features[:, known], axis=0)
    std[known] = np.maximum(np.nanstd(log_features[:, known], axis=0), 1e-3)
    return TokenScale.measure(batches[0].isi_ms, batches[0].lengths), FeatureScale(mean, std)
