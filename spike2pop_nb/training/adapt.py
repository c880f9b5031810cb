"""A network for any declared neuron, by low-rank adapters on the frozen network of another.

And what adapting buys: the error against the number of training trains, beside training from scratch.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.weights import WEIGHTS_FOLDER, load_network, own_base
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.training.batches import read_trains, split_of
from spike2pop_nb.training.checkpoint import write_rows
from spike2pop_nb.training.dataset import Recipe, make_dataset
from spike2pop_nb.training.evaluate import evaluate
from spike2pop_nb.training.options import TrainingOptions
from spike2pop_nb.training.scores import score_all
from spike2pop_nb.training.train import train

__all__ = ["CURVE", "adapt", "learning_curve"]

CURVE = (1_000, 10_000, 100_000)
_MOST_TEST = 4000
_LONGEST = 5.0
_SHARD = 512
Report = Callable[[str], None]


def adapt(
    neuron: str,
    out_dir: str | Path,
    *,
    data: Sequence[str | Path] = (),
    trains: int = 120_000,
    base: str | Path | None = None,
    epochs: int = 20,
    curve: Sequence[int] = (),
    curve_steps: int = 3000,
    options: TrainingOptions | None = None,
    seed: int = 0,
    workers: int | None = None,
    baseline: bool = True,
    dic_range: dict[str, tuple[float, float]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    report: Report | None = None,
) -> Path:
    """Make data if none are given, train adapters, score them, and write weights and model card.

    Parameters
    ----------
    neuron : str
        Name of any registered neuron.
    out_dir : path
        Where data, weights, checkpoints and scores go; started again, it goes on where it stopped.
    data : sequence of path
        Data sets of this neuron; without any, one of ``trains`` rows is made, and one of a quarter as many
        recordings up to five times as long; a quarter of each with drawn conductances.
    base : path, optional
        Network to adapt; the shipped one of ``stg`` by default.
    curve : sequence of int
        Numbers of training trains at which adapting is compared with training from scratch.
    curve_steps : int
        Steps of each of those runs, about.
    report : callable, optional
        Called with a sentence after each step.

    Returns
    -------
    Path
        The adapters; a base that is not shipped is copied beside them.

    Raises
    ------
    TrainingError, PredictorError
        If data cannot be made, or do not fit.
    """
    out = Path(out_dir)
    say = report or (lambda _text: None)
    base = WEIGHTS_FOLDER / "stg.safetensors" if base is None else Path(base)
    if load_network(base).metadata.get("base"):
        raise TrainingError(f"{base} holds adapters itself; adapt the whole network they were made for.")
    folders: list[str | Path] = list(data)
    if not folders:
        for recipe in _recipes(neuron, trains, seed):
            folder = out / "data" / (neuron if recipe.longest_s is None else f"{neuron}_lengths")
            rows = make_dataset(recipe, folder, workers=workers, progress=progress)
            say(f"{rows} trains in {folder}.")
            folders.append(folder)
    weights = train(
        folders,
        out,
        neuron,
        base=base,
        epochs=epochs,
        options=options,
        seed=seed,
        dic_range=dic_range,
        progress=progress,
    )
    if base.parent != WEIGHTS_FOLDER:
        shutil.copyfile(base, own_base(weights))
    say(f"Adapters of {weights.stat().st_size / 1e6:.2f} MB in {weights}.")
    if curve:
        rows_of_curve = learning_curve(
            neuron, folders, out / "curve", base, curve, curve_steps, options, seed, dic_range, report
        )
        if rows_of_curve:
            write_rows(out / "curve.csv", rows_of_curve)
    evaluate(weights, folders, out / "scores", baseline=baseline, seed=seed, curve=out / "curve.csv")
    say(f"Scores and model card in {out / 'scores'}.")
    return weights


def _recipes(neuron: str, trains: int, seed: int) -> list[Recipe]:
    """Data of the neuron's own recording window, and a quarter as many trains up to `_LONGEST` times as long:
    one window alone teaches to read a neuron that has just been started, for just that long. A quarter of
    each is drawn, if the neuron declares ranges to draw from.
    """
    model = get_neuron(neuron)
    start, stop = model.recording_window_ms
    window_s = 1e-3 * (stop - start)
    own = Recipe(
        neuron=neuron,
        n_trains=trains,
        monte_carlo_share=0.25 if model.conductance_range else 0.0,
        seed=seed,
    )
    lengths = own.model_copy(
        update={
            "n_trains": max(trains // 4, 1),
            "duration_s": window_s,
            "longest_s": _LONGEST * window_s,
            "seed": seed + 1,
            "shard_size": _SHARD,
        }
    )
    return [own, lengths]


def learning_curve(
    neuron: str,
    data: Sequence[str | Path],
    out: Path,
    base: str | Path,
    sizes: Sequence[int] = CURVE,
    steps: int = 3000,
    options: TrainingOptions | None = None,
    seed: int = 0,
    dic_range: dict[str, tuple[float, float]] | None = None,
    report: Report | None = None,
) -> list[dict[str, Any]]:
    """Scores of adapters and of networks from scratch, each trained on the same few trains.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of trains; those that ``data`` do not have are left out.
    steps : int
        Length of each run, about: whole epochs, 100 at most.

    Returns
    -------
    list of dict
        One per way and number of trains: ``way``, ``trains``, ``epochs``, ``steps``, ``mae_g_s``, ``mae_g_u``
        (posterior median, test trains made by compensation), ``nll``.
    """
    everything = read_trains(data)
    kept = everything.take((split_of(everything.group) == 2) & (everything.n_spikes >= 3) & ~everything.drawn)
    test = kept.some(_MOST_TEST, seed)
    available = int(((split_of(everything.group) == 0) & (everything.n_spikes >= 3)).sum())
    rows = []
    for size in sizes:
        if size > available:
            continue
        shape = options or TrainingOptions()
        shape = replace(shape, batch_size=int(np.clip(size // 16, 16, shape.batch_size)))
        epochs = int(np.clip(round(steps * shape.batch_size / size), 1, 100))
        for way, start in (("adapters", base), ("from scratch", None)):
            weights = train(
                data,
                out / f"{way.replace(' ', '_')}_{size}",
                neuron,
                base=start,
                epochs=epochs,
                options=shape,
                seed=seed,
                most_trains=size,
                dic_range=dic_range,
            )
            answers = Predictor(load_network(weights, Path(base).parent)).predict(test.listed())
            found = score_all(test, answers, seed=seed)["all"]
            g_s, g_u = found["mae"]["median"]
            row = {
                "way": way,
                "trains": size,
                "epochs": epochs,
                "steps": epochs * -(-size // shape.batch_size),
            }
            rows.append(row | {"mae_g_s": g_s, "mae_g_u": g_u, "nll": found["nll"]})
            if report is not None:
                report(f"{way}, {size} trains: {g_s:.2f} / {g_u:.2f}")
    return rows
