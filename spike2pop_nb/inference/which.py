"""Which neuron fires like a recording: all that have an atlas are asked; "none of these" is an answer too.

A small perceptron on interval statistics learns to tell members of the atlases from each other, recorded as
cells are (cut, in times of few decimals, with spikes missing or false), and from trains that no neuron fires.
Where two neurons fire alike, nothing can tell them apart, and both get a share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference.atlas import load_atlas
from spike2pop_nb.inference.perceptron import (
    Layers,
    best_temperature,
    fitted,
    from_tensors,
    keep,
    outputs,
    pieces,
    softmax,
)
from spike2pop_nb.inference.published import sha256_of
from spike2pop_nb.inference.statistics import STATISTICS, interval_statistics
from spike2pop_nb.inference.tokens import MIN_SPIKES, TokenScale, pad_intervals
from spike2pop_nb.inference.weight_files import SHIPPED_ATLASES, find_atlas, list_atlases, own_atlases_folder
from spike2pop_nb.inference.weights import read_tensors
from spike2pop_nb.spiketrains.given import as_trains

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NONE", "Fit", "Fits", "which_neuron"]

Floats = NDArray[np.floating]
NONE = "none of these"
"""Answer for a recording like no neuron's."""
_FILE = "which.safetensors"
_HIDDEN, _STEPS, _BATCH, _DECAY, _DROPOUT = 192, 4000, 512, 0.05, 0.15
_HARDLY, _RATHER = 0.1, 0.4  # shares below which a neuron is not looked for, and above which one is named
_NAMED = 0.05  # share from which one is named in a sentence
_HELD = 0.1  # share of the trains that calibrate it, and share that test it


@dataclass(frozen=True, eq=False)
class Fit:
    """How probably each neuron fired a recording, before which all were as probable.

    Attributes
    ----------
    id : str
        Of the recording.
    shares : dict of str to float
        Probability of each neuron, and of `NONE`; the largest first. Empty for a silent recording.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> s2p.which_neuron([train])[0].best
    'stg'
    """

    id: str
    shares: Mapping[str, float]

    @property
    def best(self) -> str:
        """The most probable neuron, or `NONE`; empty for a silent recording."""
        return next(iter(self.shares), "")

    def other_than(self, neuron: str) -> str | None:
        """Return another neuron that the recording is most like, if it is hardly like this one; else None."""
        share = self.shares.get(neuron, 0.0)
        known = self.best not in ("", NONE, neuron)
        return self.best if known and share < _HARDLY and self.shares[self.best] > _RATHER else None

    def describe(self, called: Callable[[str], str] = str) -> str:
        """Say it in one sentence, with neurons as they are called."""
        if not self.shares:
            return f"Recording {self.id!r} is silent: it says nothing about the neuron."
        told = [
            f"{name if name == NONE else called(name)} {100 * share:.0f} %"
            for name, share in self.shares.items()
            if share >= _NAMED
        ]
        others = sum(share for share in self.shares.values() if share < _NAMED)
        told += [f"others {100 * others:.0f} %"] if others >= 0.005 else []
        text = f"Recording {self.id!r} is most like: {', '.join(told)}."
        if self.best == NONE:
            text += " A search may find members that fire like it all the same."
        return text


class Fits(list[Fit]):
    """The answers to several recordings, in their order.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("da_set.csv"))
    >>> s2p.which_neuron(trains).to_frame()["best"].tolist()[0]
    'da'
    """

    def to_frame(self) -> pd.DataFrame:
        """Table of one row per recording: id, best, and the probability of each neuron."""
        import pandas as pd

        names = sorted({name for fit in self for name in fit.shares} - {NONE})
        rows = [{"id": fit.id, "best": fit.best, **fit.shares} for fit in self]
        return pd.DataFrame(rows, columns=["id", "best", *names, NONE])


def which_neuron(trains: Iterable[Any], *, progress: Callable[[int, int], None] | None = None) -> Fits:
    """Ask of each recording which neuron fires like it, of all that have an atlas.

    Parameters
    ----------
    trains : iterable of SpikeTrain or array (n_spikes,)
        Times in ms, increasing, as `Predictor.predict` takes them. A recording longer than 15 s is read in
        pieces, whose answers are averaged.
    progress : callable, optional
        Called with (steps done, steps in all) where the neurons that are known have changed, so that telling
        them apart is learned anew; that takes about half a minute, once.

    Raises
    ------
    PredictorError
        If fewer than two neurons have an atlas.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("da_set.csv"))
    >>> [fit.best for fit in s2p.which_neuron(trains)]
    ['da', 'da', 'da', 'da', 'da']
    """
    teller = _teller(_known(), progress)
    found = Fits()
    for place, train in enumerate(as_trains(trains)):
        times = np.asarray(getattr(train, "times_ms", train), dtype=np.float64)
        shares = teller.shares(times)
        order: list[int] = np.argsort(-shares, kind="stable").tolist()
        found.append(
            Fit(str(getattr(train, "id", place)), {teller.names[k]: float(shares[k]) for k in order})
        )
    return found


def _known() -> tuple[tuple[str, str], ...]:
    """Return name and digest of the atlas of each neuron that has one."""
    paths = {name: find_atlas(name) for name in list_atlases()}
    found = tuple((name, sha256_of(path)) for name, path in paths.items() if path)
    if len(found) < 2:
        raise PredictorError("To ask which neuron fits, two must have an atlas; `spike2pop atlas` makes one.")
    return found


@dataclass(frozen=True, eq=False)
class _Teller:
    """The perceptron: statistics in, shares out."""

    names: tuple[str, ...]
    scale: TokenScale
    layers: Layers
    temperature: float
    about: Mapping[str, Any]

    def logits(self, statistics: Floats) -> Floats:
        return outputs(self.layers, self.scale.standardise(statistics))

    def shares(self, times_ms: Floats) -> Floats:
        """Return the share of each name; none for a silent recording."""
        if len(times_ms) < MIN_SPIKES:
            return np.zeros(0)
        # one by one: what is told of a piece must not depend on the others
        each = [
            self.logits(interval_statistics(*pad_intervals([np.diff(part)])))[0] for part in pieces(times_ms)
        ]
        return np.mean(
            [softmax(row, self.temperature) for row in each or [np.zeros(len(self.names))]], axis=0
        )


@lru_cache(maxsize=4)
def _remembered(known: tuple[tuple[str, str], ...]) -> list[_Teller]:
    """A place for the teller of these atlases, read from a file if there is one."""
    for folder in (own_atlases_folder(), SHIPPED_ATLASES):
        path = folder / _FILE
        if path.is_file():
            try:
                tensors, about = read_tensors(path)
            except PredictorError:  # damaged, or of another version: it is learned again
                continue
            if tuple(map(tuple, about.get("known", ()))) == known:
                return [_from_tensors(tensors, about)]
    return []


def _teller(known: tuple[tuple[str, str], ...], progress: Callable[[int, int], None] | None) -> _Teller:
    there = _remembered(known)
    if not there:
        there.append(_learned(known, progress))
        _keep(there[0], own_atlases_folder() / _FILE)
    return there[0]


def _learned(
    known: tuple[tuple[str, str], ...], progress: Callable[[int, int], None] | None, seed: int = 0
) -> _Teller:
    names = (*(name for name, _digest in known), NONE)
    seen = [load_atlas(name).seen for name, _digest in known]
    tables = [one.recorded for one in seen]
    tables.append(np.concatenate([one.strange for one in seen]))
    rng = np.random.default_rng(seed)
    # as many of each, so that none is likelier before a recording is seen
    n = min(map(len, tables))
    chosen = [table[rng.permutation(len(table))[:n]] for table in tables]
    raw = np.concatenate(chosen).astype(np.float32)
    label = np.repeat(np.arange(len(names)), n)
    scale = TokenScale.of_statistics(raw)
    part = np.concatenate([rng.permutation(n) for _name in names]) / n
    held, test = part < _HELD, part >= 1 - _HELD
    x, y = torch.from_numpy(scale.standardise(raw)), torch.from_numpy(label)
    layers = _fitted(x[~held & ~test], y[~held & ~test], len(names), progress, seed)
    teller = _Teller(names, scale, layers, 1.0, {})
    temperature = best_temperature(teller.logits(raw[held]), label[held])
    shares = softmax(teller.logits(raw[test]), temperature)
    n_intervals = np.exp(raw[test, STATISTICS.index("log_n")])
    tested = _tested(shares, label[test], names, n_intervals)
    return _Teller(names, scale, layers, temperature, {"known": known, **tested})


def _fitted(
    x: Tensor, y: Tensor, n_names: int, progress: Callable[[int, int], None] | None, seed: int
) -> Layers:
    def loss(network: Callable[[Tensor], Tensor]) -> Tensor:
        rows = torch.randint(len(x), (_BATCH,))
        return F.cross_entropy(network(x[rows]), y[rows])

    def say(step: int) -> None:
        if progress is not None:
            progress(step, _STEPS)

    sizes = (x.shape[1], _HIDDEN, _HIDDEN, n_names)
    return fitted(loss, sizes, steps=_STEPS, decay=_DECAY, dropout=_DROPOUT, seed=seed, say=say)


def _tested(
    shares: Floats, label: NDArray[np.int64], names: Sequence[str], n_intervals: Floats
) -> dict[str, Any]:
    """Scores on trains that it did not learn from: share right, of each name too, and how honest it is."""
    right = shares.argmax(axis=1) == label
    of_two = (np.argsort(-shares, axis=1)[:, :2] == label[:, None]).any(axis=1)
    sure = shares.max(axis=1)
    band = np.minimum((10 * sure).astype(int), 9)
    error = sum(
        abs(right[band == k].mean() - sure[band == k].mean()) * (band == k).mean() for k in np.unique(band)
    )
    return {
        "trains": len(label),
        "right": float(right.mean()),
        "right_of_two": float(of_two.mean()),
        "right_and_of_two_by_intervals": {
            what: [float(one[which].mean()) for one in (right, of_two)]
            for what, which in (("under 10", n_intervals < 9.5), ("160 or more", n_intervals > 159.5))
        },
        "right_where_90_%": float(right[sure >= 0.9].mean()),
        "calibration_error": float(error),
        "right_of": {name: float(right[label == k].mean()) for k, name in enumerate(names)},
        "told_for": {
            name: {
                other: float((shares.argmax(axis=1)[label == k] == j).mean()) for j, other in enumerate(names)
            }
            for k, name in enumerate(names)
        },
    }


def _keep(teller: _Teller, path: Path) -> None:
    about = {"names": teller.names, "temperature": teller.temperature, **teller.about}
    keep(path, teller.layers, teller.scale, about)


def _from_tensors(tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> _Teller:
    layers, scale = from_tensors(tensors)
    return _Teller(tuple(about["names"]), scale, layers, float(about["temperature"]), dict(about))
