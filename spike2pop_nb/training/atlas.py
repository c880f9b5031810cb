"""An atlas of a neuron: members of all DICs, currents and noise, how they fire, and what is learned of that.

It takes minutes where a network takes hours, and serves what a network does not: what current and noise a
recording needs, members to begin a search with, and which neuron fits.
"""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from spike2pop_nb.errors import Cancelled, TrainingError
from spike2pop_nb.files import check_place, made_folder
from spike2pop_nb.inference.atlas import WINDOW_MS, Members, Seen, save_atlas
from spike2pop_nb.inference.domain import Domain
from spike2pop_nb.inference.drive import CURRENT_RANGE, DRIVE_BOX, N_TOLD, NOISE_RANGE
from spike2pop_nb.inference.mixture import Box
from spike2pop_nb.inference.network import NetworkConfig
from spike2pop_nb.inference.posterior import FEATURES
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.threads import one_thread
from spike2pop_nb.inference.tokens import (
    CHANNELS,
    MAX_INTERVALS,
    MIN_SPIKES,
    N_STATISTICS,
    statistics_of_intervals,
)
from spike2pop_nb.inference.weight_files import own_atlases_folder
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import features
from spike2pop_nb.training.baseline import statistics_of
from spike2pop_nb.training.batches import Augmentation, Trains, epoch_batches, split_of
from spike2pop_nb.training.dataset import Recipe, sample_members
from spike2pop_nb.training.domain import STRANGE, fit_domain, strange_trains
from spike2pop_nb.training.loop import Run, RunData
from spike2pop_nb.training.options import TrainingOptions
from spike2pop_nb.training.scores import score_all
from spike2pop_nb.training.train import measured_scales

__all__ = ["SIZE", "Made", "default_size", "make_atlas", "simulated_members", "trains_of"]

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int, str], None]
SIZE = 24_576
"""Members that are simulated for an atlas; beside them half as many without current and noise."""
_PLAIN_STEP_MS = 0.01  # time step from which on so many are simulated; with a shorter one, fewer
_UNDRIVEN_SEED = 1_000_000
_AT_ONCE = 2048
_EPOCHS = 40
_KEPT, _SEEN, _STRANGE = 8000, 6000, 2000  # members that are stored with it, and what tells neurons apart
_SHORTEST_MS = 0.01
_AWAY = 0.5  # share of members whose current is anywhere in its range; that of others is near none
_NEAR_NONE = 1.0  # µA/cm², standard deviation of the currents of the others
_SHAPE = NetworkConfig(
    n_channels=len(CHANNELS),
    n_statistics=N_STATISTICS,
    latent=0,
    decoder_width=128,
    n_decoder_blocks=2,
    n_components=8,
)
_AS_RECORDED = Augmentation(crop=0.5, jitter=0.05, drop=0.1, add=0.06, sample=0.5, settle=0.05)
_OPTIONS = TrainingOptions(network=_SHAPE, augmentation=_AS_RECORDED, batch_size=128, domain_steps=1500)
_OF_DICS = replace(_OPTIONS, network=replace(_SHAPE, n_told=N_TOLD))


class Made(NamedTuple):
    """Members, whether or not they fire, and their spike times in ms from the start of the window."""

    g: FloatArray
    drive: FloatArray  # (n, 2): current and noise
    dics: FloatArray
    drawn: NDArray[np.bool_]
    times_ms: list[FloatArray]


def default_size(neuron: str | NeuronModel) -> int:
    """Return how many members are simulated for an atlas, so that it takes minutes with short steps, too.

    Examples
    --------
    >>> from spike2pop_nb.training.atlas import default_size
    >>> default_size("stg"), default_size("ca1")
    (24576, 12288)
    """
    share = min(1.0, math.sqrt(get_neuron(neuron).time_step_ms / _PLAIN_STEP_MS))
    return int(share * SIZE) // _AT_ONCE * _AT_ONCE


def make_atlas(
    neuron: str | NeuronModel,
    path: str | Path | None = None,
    *,
    size: int | None = None,
    seed: int = 0,
    epochs: int = _EPOCHS,
    device: str = "cpu",
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Path:
    """Make the atlas of a neuron.

    Half of the members are made by compensation, with DICs anywhere in the neuron's range of DICs, the others
    have conductances anywhere in their declared ranges. Each has a constant current and noise of its own, and
    fires for 15 s. Two small networks learn from how they fire: one tells DICs, the other current and noise.
    The first also learns from half as many neurons, all made by compensation, that receive neither.

    Parameters
    ----------
    neuron
        A neuron or its name.
    path
        File to write; by default where `load_atlas` and `load_predictor` find it.
    size
        Members to simulate; by default :data:`SIZE`, and fewer with a time step under 0.01 ms, whose members
        take longer.
    epochs
        How often each is learned from, disturbed anew.
    device
        Where members are simulated, ``"cpu"`` or ``"cuda"``; see :func:`simulate`.
    progress
        Called with (done, total, words).
    cancel
        Polled often; nothing is written then.

    Returns
    -------
    Path

    Raises
    ------
    TrainingError
        If almost no member fires.
    Spike2PopError
        If the file cannot be written, which is tried before anything is computed.
    Cancelled
        If ``cancel`` said so.
    """
    model = get_neuron(neuron)
    target = own_atlases_folder() / f"{model.name}.safetensors" if path is None else Path(path)
    with made_folder(target.parent):
        check_place(target)
        members = default_size(model) if size is None else size
        _make(model, target, members, seed, epochs, device, progress, cancel)
    return target


def _make(
    model: NeuronModel,
    target: Path,
    size: int,
    seed: int,
    epochs: int,
    device: str,
    progress: Progress | None,
    cancel: Callable[[], bool] | None,
) -> None:
    say = _Told(progress, size)
    made = simulated_members(model, size, seed, device=device, say=say, cancel=cancel)
    trains = trains_of(made.times_ms, made.dics, made.drive, made.drawn)
    if len(trains) < size // 50 or len(trains) < 64:
        raise TrainingError(
            f"Only {len(trains)} of {size} {model.name} neurons with currents from {CURRENT_RANGE[0]:g} to "
            f"{CURRENT_RANGE[1]:g} µA/cm² fire, too few to learn from; declare other ranges of conductances."
        )
    # Without noise the step of the simulation shows in how regularly a neuron fires
    alone = simulated_members(
        model,
        size // 2,
        seed + _UNDRIVEN_SEED,
        driven=False,
        accuracy="standard",
        device=device,
        say=lambda done, words: say(size + 2 * done, words),
        cancel=cancel,
    )
    undriven = trains_of(alone.times_ms, alone.dics, alone.drive, alone.drawn)
    box = Box.from_ranges(dict(model.dic_range))
    side, side_undriven = split_of(trains.group), split_of(undriven.group)
    with one_thread():
        data = _run_data(trains, side, box, seed)
    by_drive = replace(
        trains, targets=made.drive[trains.id].astype(np.float32), drawn=np.zeros_like(trains.drawn)
    )
    of_dics = data._replace(
        train=Trains.join([data.train, undriven.take(side_undriven == 0)]),
        validation=Trains.join([data.validation, undriven.take(side_undriven == 1)]),
    )
    of_drive = data._replace(
        train=by_drive.take(side == 0), validation=by_drive.take(side == 1), box=DRIVE_BOX
    )
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for name, options, chosen in (("dics", _OF_DICS, of_dics), ("drive", _OPTIONS, of_drive)):
            out = Path(folder) / name
            out.mkdir()
            runs.append(Run(chosen, out, model.name, None, options, seed, torch.device("cpu"), resume=False))
        files = _learned(runs, epochs, say.learning, cancel)
        test = side == 2
        made_to_test, undriven_to_test = trains.take(test & ~trains.drawn), undriven.take(side_undriven == 2)
        tested = {
            "dics": _tested(files[0], made_to_test, box),
            "dics_given_current": _tested(files[0], made_to_test, box, known=[True, False]),
            "dics_given_current_and_noise": _tested(files[0], made_to_test, box, known=[True, True]),
            "dics_without_drive": _tested(files[0], undriven_to_test, box, known=[True, True]),
            "drive": _tested(files[1], by_drive.take(test), DRIVE_BOX),
        }
        members, seen = _tables(made, trains.take(side == 0), seed)
        about = {
            "declaration": model.declaration,
            "size": size,
            "seed": seed,
            "device": device,
            "share_firing": len(trains) / size,
            "window_ms": WINDOW_MS,
            "tested": tested,
        }
        save_atlas(target, files[0], files[1], members, seen, about)


def _learned(
    runs: Sequence[Run],
    epochs: int,
    told: Callable[[int, int], None],
    cancel: Callable[[], bool] | None,
) -> list[Path]:
    """Let two networks learn beside each other, each on one core; the progress is that of the first."""
    ended = threading.Event()

    def stop() -> bool:
        return ended.is_set() or (cancel is not None and cancel())

    first, other = runs
    with one_thread(), ThreadPoolExecutor(1) as pool:
        beside = pool.submit(other.go, epochs, None, 1e9, None, None, stop)
        try:
            return [first.go(epochs, None, 1e9, told, None, stop), beside.result()]
        finally:
            ended.set()


class _Told:
    """Progress over simulating with and without current and noise, which take about as long, and learning."""

    def __init__(self, progress: Progress | None, size: int) -> None:
        self.progress, self.size, self.total = progress, size, 5 * size

    def __call__(self, done: float, words: str) -> None:
        if self.progress is not None:
            self.progress(min(round(done), self.total), self.total, words)

    def learning(self, step: int, steps: int) -> None:
        self(
            self.size * (2 + 3 * step / max(steps, 1)),
            "Learning what firing tells of DICs, current and noise",
        )


def _drawn_members(
    neuron: NeuronModel, n: int, seed: int, driven: bool
) -> tuple[pd.DataFrame, FloatArray, np.random.Generator]:
    """Draw members as those of an atlas: a table of them, current and noise (n, 2), and what draws on."""
    recipe = Recipe(
        neuron=neuron,
        n_trains=n,
        members_per_target=1,
        monte_carlo_share=0.5 if driven and neuron.conductance_range else 0.0,
        noisy_share=0.0,
        seed=seed,
    )
    table, rng = sample_members(recipe, 0)
    low, high = CURRENT_RANGE
    current = np.where(
        rng.random(n) < _AWAY, rng.uniform(low, high, n), rng.normal(0.0, _NEAR_NONE, n).clip(low, high)
    )
    # little noise makes more difference than much
    sigma = NOISE_RANGE[1] * rng.random(n) ** 2
    return table, driven * np.column_stack([current, sigma]), rng


def simulated_members(
    neuron: NeuronModel,
    size: int,
    seed: int,
    *,
    driven: bool = True,
    accuracy: str = "screening",
    device: str = "cpu",
    say: Callable[[float, str], None] = lambda _done, _words: None,
    cancel: Callable[[], bool] | None = None,
) -> Made:
    """Draw members as those of an atlas, or without current and noise if not ``driven``; simulate them."""
    parts: list[Made] = []
    start = neuron.recording_window_ms[0]
    for first in range(0, size, _AT_ONCE):
        say(first, f"Simulating {size} {neuron.name} neurons")
        table, drive, rng = _drawn_members(neuron, min(_AT_ONCE, size - first), seed + first, driven)
        g = table[list(neuron.g_columns)].to_numpy(float)
        current, sigma = drive.T
        run = simulate(
            g,
            neuron,
            current=current,
            noise_sigma=sigma,
            seed=rng,
            transient_ms=start,
            duration_ms=start + WINDOW_MS,
            accuracy=accuracy,
            record="spikes",
            device=device,
            cancel=cancel,
        )
        times = [times - start for times in run.spike_times_ms]
        for row in np.flatnonzero(run.failed):
            times[row] = np.zeros(0)
        dics, drawn = table[["g_s", "g_u"]].to_numpy(float), table["monte_carlo"].to_numpy(bool)
        parts.append(Made(g, drive, dics, drawn, times))
        if cancel is not None and cancel():
            raise Cancelled("The atlas was not made.")
    g, drive, dics, drawn = (np.concatenate(arrays) for arrays in zip(*(p[:4] for p in parts), strict=True))
    return Made(g, drive, dics, drawn, [times for part in parts for times in part.times_ms])


def trains_of(
    times_ms: Sequence[FloatArray], dics: FloatArray, drive: FloatArray, drawn: NDArray[np.bool_]
) -> Trains:
    """Return the trains of members, from the start of the window, as training data; without silent ones."""
    rows = np.array([row for row, times in enumerate(times_ms) if len(times) >= MIN_SPIKES], dtype=np.int64)
    times = [times_ms[row] - times_ms[row][0] for row in rows]
    described = [features(one) for one in times]
    return Trains(
        np.concatenate([*times, np.zeros(0)]),
        np.concatenate([[0], np.cumsum([len(one) for one in times])]).astype(np.int64),
        dics[rows].astype(np.float32),
        np.array([[getattr(one, name) for name in FEATURES] for one in described], dtype=np.float32).reshape(
            -1, len(FEATURES)
        ),
        np.array([one.pattern.code for one in described], dtype=np.int8),
        drive[rows, 1].astype(np.float32),
        rows,
        drawn[rows],
        rows,
        drive[rows, 0].astype(np.float32),
    )


def _tables(made: Made, trains: Trains, seed: int) -> tuple[Members, Seen]:
    kept = trains.take(np.arange(min(_KEPT, len(trains))))
    current, sigma = made.drive[kept.id].T
    members = Members(made.g[kept.id], current, sigma, made.dics[kept.id], statistics_of(kept))
    some = trains.some(_SEEN, seed)
    recorded = [
        np.maximum(isi[:n].astype(np.float64), _SHORTEST_MS)
        for batch in epoch_batches(some, 1024, _AS_RECORDED, (seed, 3))
        for isi, n in zip(batch.isi_ms, batch.lengths, strict=True)
    ]
    rng = np.random.default_rng([seed, 4])
    strange: list[NDArray[np.floating]] = []
    for kind in STRANGE:
        chosen = rng.permutation(len(recorded))[: _STRANGE // len(STRANGE)]
        strange += strange_trains(kind, [recorded[i] for i in chosen], rng)
    return members, Seen(statistics_of_intervals(recorded), statistics_of_intervals(strange))


def _run_data(trains: Trains, side: NDArray[np.int8], box: Box, seed: int) -> RunData:
    fitting, held = trains.take(side == 0), trains.take(side == 1)
    scale, feature_scale = measured_scales(fitting, MAX_INTERVALS)
    domain: Domain = fit_domain(fitting, held, scale, seed, steps=_OPTIONS.domain_steps)
    return RunData(fitting, held, scale, feature_scale, box, domain, {})


def _tested(file: Path, test: Trains, box: Box, known: Sequence[bool] = (False, False)) -> dict[str, Any]:
    """Scores on members that the network did not learn from, with or without their current and noise."""
    if not len(test):
        return {}
    drive = np.where(known, np.column_stack([test.current, test.sigma]), np.nan)
    answers = Predictor(load_network(file)).predict(test.listed(), drive=drive)
    found = score_all(test, answers)["all"]
    return {
        "trains": len(test),
        "mae": found["mae"]["median"],
        "mae_constant": found["mae"]["constant"],
        "coverage": found["coverage"],
        "range": [float(v) for v in box.high - box.low],
    }
