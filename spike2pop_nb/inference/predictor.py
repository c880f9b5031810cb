"""`Predictor`: spike trains in, posteriors out; batched by length, on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference.mixture import Mixture
from spike2pop_nb.inference.posterior import FEATURES, PATTERNS, Posterior
from spike2pop_nb.inference.tokens import MIN_SPIKES, make_batch, pad_intervals, window_starts
from spike2pop_nb.inference.weights import WEIGHTS_FOLDER, LoadedNetwork, load_network

__all__ = ["Predictor", "load_predictor"]

_MOST_TOKENS = 16_384
_MOST_TRAINS = 256
_ALONE = 64
_SILENT = "The recording has under 3 spikes: silent, so no DICs are predicted."


class _Recording(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def times_ms(self) -> NDArray[np.floating]: ...


def load_predictor(
    neuron: Any, path: str | Path | None = None, device: str | torch.device = "cpu"
) -> Predictor:
    """Load the network of a neuron.

    Parameters
    ----------
    neuron : str or NeuronModel
        Name of the neuron, such as ``"stg"``.
    path : path, optional
        Weights to use instead of the shipped ones.
    device : str or torch.device
        Where to compute; weights saved anywhere load anywhere.

    Raises
    ------
    PredictorError
        If there is no such network, or its file is damaged, foreign, or for another neuron.
    """
    name = neuron if isinstance(neuron, str) else getattr(neuron, "name", repr(neuron))
    if path is None:
        shipped = sorted(p.stem for p in WEIGHTS_FOLDER.glob("*.safetensors"))
        if name not in shipped:
            listed = ", ".join(shipped) or "none"
            raise PredictorError(f"No network is shipped for neuron {name!r}; shipped: {listed}.")
        path = WEIGHTS_FOLDER / f"{name}.safetensors"
    return Predictor(load_network(path, neuron=name), device)


class Predictor:
    """A loaded network; `predict` is its one verb.

    Attributes
    ----------
    neuron : str
        The neuron it answers for.
    metadata : dict
        How the network was trained and how it scored.
    """

    def __init__(self, loaded: LoadedNetwork, device: str | torch.device = "cpu") -> None:
        self.neuron = loaded.neuron
        self.metadata = loaded.metadata
        self.box = loaded.box
        self._loaded = loaded
        self._device = torch.device(device)
        self._network = loaded.network.to(self._device)

    def __repr__(self) -> str:
        size = sum(p.numel() for p in self._network.parameters())
        return f"Predictor(neuron={self.neuron!r}, parameters={size})"

    def predict(
        self, trains: Iterable[_Recording | ArrayLike], progress: Callable[[int, int], None] | None = None
    ) -> list[Posterior]:
        """One posterior per train, in order.

        A train longer than the network's window is read in several windows spread evenly over it; the
        posterior is their equal-weight mixture. Windows of one neuron are not independent evidence, so their
        densities are averaged, never multiplied: the answer can only be as narrow as its windows agree on.

        Parameters
        ----------
        trains : iterable of SpikeTrain or array (n_spikes,)
            Times in ms, increasing. Arrays get their place, "0", "1", …, as id.
        progress : callable, optional
            Called with (windows done, windows in all) after each batch.

        Raises
        ------
        PredictorError
            If the times of a train are not finite and increasing.
        """
        named = [_named(train, place) for place, train in enumerate(_listed(trains))]
        windows: list[NDArray[np.floating]] = []
        owner: list[list[int]] = []
        for _, times in named:
            isi = np.diff(times)
            own = []
            if times.size >= MIN_SPIKES:
                for start in window_starts(isi.size, self._loaded.max_intervals):
                    own.append(len(windows))
                    windows.append(isi[start : start + self._loaded.max_intervals])
            owner.append(own)
        with _few_threads(len(windows)):
            raw = self._run(windows, progress)
        return [
            self._posterior(name, times.size, own, raw)
            for (name, times), own in zip(named, owner, strict=True)
        ]

    @torch.inference_mode()
    def _run(
        self, windows: Sequence[NDArray[np.floating]], progress: Callable[[int, int], None] | None
    ) -> list[NDArray[np.floating]]:
        """Arrays over windows: log weights, means, scales, pattern probabilities, log features."""
        sizes = np.array([w.size for w in windows], dtype=np.int64)
        order = np.argsort(sizes, kind="stable")
        parts: list[list[NDArray[np.floating]]] = []
        done = 0
        while done < order.size:
            # Sorted by length, a batch is as wide as its last train.
            count = min(_MOST_TRAINS, order.size - done)
            count = max(1, min(count, int(_MOST_TOKENS // sizes[order[done + count - 1]])))
            chosen = order[done : done + count]
            isi, lengths = pad_intervals([windows[i] for i in chosen])
            patch = self._loaded.network.config.patch
            batch = make_batch(isi, lengths, self._loaded.scale, patch)
            even = int(lengths.min()) > batch.tokens.shape[1] - patch
            out = self._network(
                torch.from_numpy(batch.tokens).to(self._device),
                None if even else torch.from_numpy(lengths).to(self._device),
                torch.from_numpy(batch.statistics).to(self._device),
            )
            parts.append(
                [t.double().cpu().numpy() for t in (*out[:3], out.pattern_logits.softmax(-1), out.features)]
            )
            done += count
            if progress is not None:
                progress(done, order.size)
        if not parts:
            return []
        back = np.argsort(order, kind="stable")
        return [np.concatenate(arrays)[back] for arrays in zip(*parts, strict=True)]

    def _posterior(
        self, name: str, n_spikes: int, own: list[int], raw: list[NDArray[np.floating]]
    ) -> Posterior:
        if not own:
            silent = dict(zip(PATTERNS, (1.0, 0.0, 0.0), strict=True))
            nothing = dict.fromkeys(FEATURES, float("nan"))
            return Posterior(name, self.neuron, None, silent, nothing, n_spikes, 0, (_SILENT,))
        log_weights, means, scales, patterns, features = raw
        parts = [Mixture(log_weights[i], means[i], scales[i], self.box) for i in own]
        mixture = parts[0] if len(parts) == 1 else Mixture.pool(parts)
        probabilities = patterns[own].mean(axis=0)
        scale = self._loaded.feature_scale
        values = np.exp(features[own].mean(axis=0) * scale.std + scale.mean)
        if probabilities[0] >= probabilities[1]:
            values[1:] = np.nan
        notes: tuple[str, ...] = ()
        if len(own) > 1:
            notes = (
                f"Longer than the network's window of {self._loaded.max_intervals} intervals: "
                f"{len(own)} windows spread over the recording were read and their posteriors averaged.",
            )
        return Posterior(
            name,
            self.neuron,
            mixture,
            dict(zip(PATTERNS, (0.0, *map(float, probabilities)), strict=True)),
            dict(zip(FEATURES, map(float, values), strict=True)),
            n_spikes,
            len(own),
            notes,
        )


@contextmanager
def _few_threads(n_windows: int) -> Iterator[None]:
    """One thread for small work: several would wait for each other, for long where cores are busy."""
    before = torch.get_num_threads()
    if before == 1 or n_windows > _ALONE:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _listed(trains: Iterable[_Recording | ArrayLike]) -> list[_Recording | ArrayLike]:
    if hasattr(trains, "times_ms"):
        return [cast(_Recording, trains)]
    listed = list(trains)
    if listed and all(isinstance(t, int | float | np.number) for t in listed):
        return [cast(ArrayLike, np.asarray(listed))]
    return listed


def _named(train: Any, place: int) -> tuple[str, NDArray[np.float64]]:
    name = str(getattr(train, "id", place))
    try:
        times = np.asarray(getattr(train, "times_ms", train), dtype=np.float64)
    except (TypeError, ValueError):
        raise PredictorError(f"Recording {name!r} is not a list of spike times in ms.") from None
    if times.ndim != 1:
        raise PredictorError(f"Recording {name!r} has {times.ndim} dimensions; spike times in ms have one.")
    if not np.isfinite(times).all() or np.any(np.diff(times) <= 0):
        raise PredictorError(f"Recording {name!r} must have finite spike times in increasing order.")
    return name, times
