"""What two recordings of a cell tell about what changed: a small perceptron that learned from pairs.

It reads the interval statistics of both recordings and gives a probability to each explanation: nothing, one
candidate, or two of them; and quantiles of by how much each candidate changed, if it did. It learned from
pairs of simulated trains, recorded as cells are, that it is asked about none of; what it says is calibrated
on others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import Cancelled, ExperimentError, PredictorError
from spike2pop_nb.experiments.change_learning import LEVELS, amounts_of, learned_changes
from spike2pop_nb.experiments.changes import (
    candidates,
    hypotheses,
    limits,
    pair_inputs,
    simulated_changes,
    simulated_pairs,
    statistics_of_trains,
)
from spike2pop_nb.experiments.comparison import CHANGED, SURE, UNCHANGED, UNTOLD
from spike2pop_nb.inference import weight_files
from spike2pop_nb.inference.atlas import load_atlas
from spike2pop_nb.inference.perceptron import Layers, from_tensors, keep, outputs, pieces, softmax
from spike2pop_nb.inference.tokens import MIN_SPIKES, TokenScale
from spike2pop_nb.inference.weights import read_tensors
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.seeds import generator

__all__ = ["LEVELS", "Teller", "Told", "load_teller", "make_teller"]

Floats = npt.NDArray[np.floating[Any]]
FloatArray = npt.NDArray[np.float64]
_ENDING = ".changes.safetensors"
_A_BIT = 1e-9
_HELD, _ASKED = 0.1, 3000  # share of members that calibrate and test, and pairs of them


class Told(NamedTuple):
    """What is told of one pair."""

    shares: FloatArray
    """(n_hypotheses,): probability of each of `hypotheses`."""
    amounts: FloatArray
    """(n_candidates, 5): quantiles `LEVELS` of each change, if it is one; ln of a factor, or a shift."""


@dataclass(frozen=True, eq=False)
class Teller:
    """The perceptron of one neuron."""

    names: tuple[str, ...]
    """Candidates."""
    scale: TokenScale
    layers: Layers
    limits: Floats
    """(n_candidates, 2): least and most change of each."""
    about: Mapping[str, Any]
    """``temperature`` and ``widening`` by which it was calibrated; ``unchanged``, the least probability of no
    change at which a pair is called so; ``mass``, up to which explanations are taken into the 80 % set; what
    it scored on pairs that it did not learn from."""

    def told(self, before_ms: Floats, after_ms: Floats, by: Floats | None = None) -> Told:
        """Ask about two recordings, spike times in ms.

        Parameters
        ----------
        before_ms, after_ms
            The recordings.
        by : (1, 55), optional
            By how much something that is known changes the statistics of the first.
        """
        (before, heard_before), (after, heard_after) = (_statistics(times) for times in (before_ms, after_ms))
        silent = ~np.array([[heard_before], [heard_after]])
        before = before if by is None else before + by
        y = outputs(self.layers, pair_inputs(self.scale, before, after, *silent))[0]
        n = len(self.hypotheses)
        quantiles = y[n:].reshape(len(self.names), len(LEVELS))
        return Told(
            np.asarray(softmax(y[:n], float(self.about["temperature"])), np.float64),
            np.asarray(amounts_of(quantiles, float(self.about["widening"]), self.limits), np.float64),
        )

    def moved(self, from_ms: Floats, to_ms: Floats) -> Floats | None:
        """Return by how much statistics differ between two trains, (1, 55); None where one is silent."""
        (one, heard), (other, heard_other) = (_statistics(times) for times in (from_ms, to_ms))
        return other - one if heard and heard_other else None

    def named(self, shares: FloatArray) -> dict[tuple[str, ...], float]:
        """Return the probability of each explanation, the most probable first."""
        order = np.argsort(-shares, kind="stable")
        return {tuple(self.names[k] for k in self.hypotheses[h]): float(shares[h]) for h in order}

    def alike(self, shares: Mapping[tuple[str, ...], float]) -> tuple[tuple[str, ...], ...]:
        """Return the 80 % set of explanations, the most probable first; at least one."""
        above = np.cumsum([0.0, *shares.values()])[:-1]
        mass = float(self.about["mass"])
        return tuple(one for one, before in zip(shares, above, strict=True) if before < mass or not before)

    def verdict(self, shares: Mapping[tuple[str, ...], float], least: float | None = None) -> str:
        """Say whether nothing changed, something that can be named, or what cannot be told.

        Nothing did if that is as probable as ``least``; by default that of nine in ten unchanged pairs.
        """
        if shares[()] >= (float(self.about["unchanged"]) if least is None else least):
            return UNCHANGED
        most = max(sum(share for one, share in shares.items() if name in one) for name in self.names)
        return CHANGED if most >= SURE else UNTOLD

    @property
    def hypotheses(self) -> list[tuple[int, ...]]:
        """What may have changed, as indices of ``names``."""
        return hypotheses(len(self.names))


def _statistics(times_ms: Floats) -> tuple[Floats, bool]:
    """Return `STATISTICS` (1, 55) of a recording, averaged over the pieces of a long one; if it fires."""
    times = np.asarray(times_ms, dtype=np.float64)
    if len(times) < MIN_SPIKES:
        return statistics_of_trains([times])[0], False
    return statistics_of_trains(pieces(times) or [times])[0].mean(axis=0, keepdims=True), True


def load_teller(
    neuron: str | NeuronModel,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Teller:
    """Return what tells changes of a neuron; what is not there yet is learned, in minutes."""
    model = get_neuron(neuron)
    for folder in (weight_files.own_atlases_folder(), weight_files.SHIPPED_ATLASES):
        path = folder / f"{model.name}{_ENDING}"
        if path.is_file():
            try:
                found = _read(path, path.stat().st_mtime_ns)
            except PredictorError:  # damaged, or of another version: it is learned again
                continue
            if found.about["declaration"] == model.declaration:
                return found
    return make_teller(model, progress=progress, cancel=cancel)


def make_teller(
    neuron: str | NeuronModel,
    path: Path | None = None,
    *,
    size: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Teller:
    """Simulate pairs of members of a neuron's atlas, and learn from them what they tell.

    Parameters
    ----------
    neuron
        A neuron that has an atlas, or its name.
    path
        Where it is written; by default where `load_teller` finds it.
    size
        Members that are learned from; nine in ten of the atlas by default, the others calibrate and test.
    progress, cancel
        Called with (done, total, words); polled often, and nothing is written then.

    Raises
    ------
    PredictorError
        If the neuron has no atlas.
    Cancelled
        If ``cancel`` said so.
    """
    model = get_neuron(neuron)
    atlas = load_atlas(model)
    names, ends = candidates(model), limits(model)

    def say(done: float, words: str) -> None:
        if cancel is not None and cancel():
            raise Cancelled("Learning what changes tell was cancelled.")
        if progress is not None:
            progress(round(100 * done), 100, f"{words} (once for the {model.name} neuron)")

    n = len(atlas.members.g)
    most = n - max(1, round(_HELD * n))
    trains = simulated_changes(
        atlas,
        model,
        size=most if size is None else min(size, most),
        seed=seed,
        progress=lambda done, total: say(0.7 * done / total, "Simulating members before and after changes"),
        cancel=cancel,
    )
    others = generator(seed, 29, error=ExperimentError).integers(
        most, n, _ASKED if size is None else 2 * size
    )
    layers, learned = learned_changes(
        trains,
        simulated_pairs(atlas, model, others, seed=seed, accuracy="standard", cancel=cancel),
        atlas.scale,
        ends,
        seed=seed,
        say=lambda done: say(0.7 + 0.3 * done, "Learning what recordings tell of changes"),
    )
    about = {"declaration": model.declaration, "names": names, "seed": seed, **learned}
    made = Teller(names, atlas.scale, layers, ends, about)
    keep(
        weight_files.own_atlases_folder() / f"{model.name}{_ENDING}" if path is None else path,
        made.layers,
        made.scale,
        about,
        dtype=np.float16,
        beside={"limits": np.asarray(ends, np.float64)},
    )
    return made


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Teller:
    tensors, about = read_tensors(path)
    try:
        layers, scale = from_tensors(tensors)
        return Teller(tuple(about["names"]), scale, layers, tensors["limits"].double().numpy(), about)
    except (KeyError, TypeError, ValueError) as error:
        raise PredictorError(f"{path.name} tells no changes that this version can read: {error}.") from None
