"""`Predictor`: spike trains in, posteriors out; batched by length, on a CPU or a GPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference import find_weights
from spike2pop_nb.inference.domain import DomainVerdict
from spike2pop_nb.inference.drift import Course, drift_windows, find_course
from spike2pop_nb.inference.mixture import Mixture, moments
from spike2pop_nb.inference.posterior import FEATURES, PATTERNS, PRIORS, Posterior
from spike2pop_nb.inference.statistics import STATISTICS
from spike2pop_nb.inference.tokens import MIN_SPIKES, make_batch, pad_intervals, segments
from spike2pop_nb.inference.weights import LoadedNetwork, load_network

__all__ = ["Predictor", "load_predictor"]

_MOST_TOKENS = 16_384
_MOST_TRAINS = 256
_ALONE = 64
_DOUBT = 0.9
_LOCATION_AND_SPREAD = [STATISTICS.index(name) for name in ("log_mean_isi", "std_log_isi")]
_FEWEST_IN_PIECE = 16
_LONGER = 1.1
_PIECES = (
    "Longer than {most}, which the network reads at once: {n} consecutive pieces were read, and their "
    "posteriors averaged."
)
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
        Weights to use instead of those installed or shipped.
    device : str or torch.device
        Where to compute; weights saved anywhere load anywhere.

    Raises
    ------
    PredictorError
        If there is no such network, or its file is damaged, foreign, or for another neuron.
    """
    name = neuron if isinstance(neuron, str) else getattr(neuron, "name", repr(neuron))
    if path is None:
        found = find_weights()
        if name not in found:
            listed = ", ".join(sorted(found)) or "none"
            raise PredictorError(
                f"There is no network for neuron {name!r}; there are some for: {listed}. "
                f"`spike2pop adapt --neuron {name} --out DIR` makes one."
            )
        path = found[name]
    return Predictor(load_network(path, neuron=name), device)


class _Plan(NamedTuple):
    """Which windows belong to a recording: the pieces that make it up, and those of its course."""

    name: str
    n_spikes: int
    pieces: range
    course: range
    time_s: NDArray[np.floating]


class _Read(NamedTuple):
    """What the network says of each window; arrays over windows."""

    log_weights: NDArray[np.floating]
    means: NDArray[np.floating]
    scales: NDArray[np.floating]
    priors: NDArray[np.floating]
    patterns: NDArray[np.floating]
    features: NDArray[np.floating]
    statistics: NDArray[np.floating]
    domain_score: NDArray[np.floating]
    n_intervals: NDArray[np.integer]


class Predictor:
    """A loaded network; `predict` is its one verb.

    Attributes
    ----------
    neuron : str
        The neuron it answers for.
    priors : tuple of str
        The priors it can answer under.
    metadata : dict
        How the network was trained and how it scored.
    """

    def __init__(self, loaded: LoadedNetwork, device: str | torch.device = "cpu") -> None:
        self.neuron = loaded.neuron
        self.metadata = loaded.metadata
        # A density that no train taught says nothing.
        drawn = loaded.metadata.get("data", {}).get("share_drawn", 0.0)
        taught = dict(zip(PRIORS, (drawn < 1, drawn > 0), strict=True))
        self.priors = tuple(name for name in PRIORS if taught[name])
        self.box = loaded.box
        self._longest_s = float(loaded.metadata.get("data", {}).get("longest_s", math.inf))
        self._loaded = loaded
        self._device = torch.device(device)
        self._network = loaded.network.to(self._device).fuse()

    def __repr__(self) -> str:
        size = sum(p.numel() for p in self._network.parameters())
        return f"Predictor(neuron={self.neuron!r}, parameters={size})"

    def predict(
        self,
        trains: Iterable[_Recording | ArrayLike],
        progress: Callable[[int, int], None] | None = None,
        *,
        prior: str = PRIORS[0],
    ) -> list[Posterior]:
        """One posterior per train, in order.

        A train of more intervals than the network reads at once, or longer than those it learned from, is
        read in consecutive pieces that together are all of it; the posterior is their equal-weight mixture.
        Pieces of one neuron's recording are not independent evidence, so their densities are averaged, never
        multiplied: the answer can only be as narrow as its pieces agree on.

        Parameters
        ----------
        trains : iterable of SpikeTrain or array (n_spikes,)
            Times in ms, increasing. Arrays get their place, "0", "1", …, as id.
        progress : callable, optional
            Called with (windows done, windows in all) after each batch.
        prior : "compensated", "drawn" or "both"
            What the neuron is taken to be made like: as this package makes populations, which is what a
            population that is to fire like the recording must have; with conductances anywhere in their
            declared ranges; or either, weighed by what the recording looks like.

        Raises
        ------
        PredictorError
            If the times of a train are not finite and increasing, or the network does not know the prior.
        """
        self._check(prior)
        named = [_named(train, place) for place, train in enumerate(_listed(trains))]
        windows: list[NDArray[np.floating]] = []
        plans: list[_Plan] = []
        for name, times in named:
            isi = np.diff(times)
            parts = self._pieces(times)
            course = drift_windows(isi.size, self._loaded.max_intervals)
            first = len(windows)
            windows += [isi[part] for part in [*parts, *course]]
            middle = [first + len(parts), len(windows)]
            when = [0.5e-3 * (times[part.start] + times[part.stop]) for part in course]
            plans.append(_Plan(name, times.size, range(first, middle[0]), range(*middle), np.array(when)))
        with _few_threads(len(windows)):
            read = self._run(windows, progress)
        return [self._posterior(plan, read, prior) for plan in plans]

    def _check(self, prior: str) -> None:
        known = (*self.priors, *(["both"] if len(self.priors) > 1 else []))
        if prior not in known:
            raise PredictorError(
                f"The {self.neuron} network knows the prior {' or '.join(map(repr, known))}, not {prior!r}."
            )

    def _most(self) -> str:
        longest = f" or {self._longest_s:.3g} s" if math.isfinite(self._longest_s) else ""
        return f"{self._loaded.max_intervals} intervals{longest}"

    def _pieces(self, times: NDArray[np.float64]) -> list[slice]:
        n = times.size - 1
        if times.size < MIN_SPIKES:
            return []
        fewest = math.ceil(1e-3 * (times[-1] - times[0]) / (_LONGER * self._longest_s))
        return segments(n, self._loaded.max_intervals, max(1, min(fewest, n // _FEWEST_IN_PIECE)))

    @torch.inference_mode()
    def _run(
        self, windows: Sequence[NDArray[np.floating]], progress: Callable[[int, int], None] | None
    ) -> _Read | None:
        sizes = np.array([w.size for w in windows], dtype=np.int64)
        order = np.argsort(sizes, kind="stable")
        parts: list[list[NDArray[np.floating]]] = []
        config = self._loaded.network.config
        domain = self._loaded.domain
        done = 0
        while done < order.size:
            # Sorted by length, a batch is as wide as its last train.
            count = min(_MOST_TRAINS, order.size - done)
            count = max(1, min(count, int(_MOST_TOKENS // sizes[order[done + count - 1]])))
            chosen = order[done : done + count]
            isi, lengths = pad_intervals([windows[i] for i in chosen])
            batch = make_batch(isi, lengths, self._loaded.scale, config.patch, config.most_tokens)
            even = int(batch.lengths.min()) > batch.tokens.shape[1] - config.patch
            out = self._network(
                torch.from_numpy(batch.tokens).to(self._device),
                None if even else torch.from_numpy(batch.lengths).to(self._device),
                torch.from_numpy(batch.statistics).to(self._device),
            )
            made = (
                *(t.cpu().numpy() for t in out[:3]),
                out.prior_logits.softmax(-1).cpu().numpy(),
                out.pattern_logits.softmax(-1).cpu().numpy(),
                out.features.cpu().numpy(),
                batch.raw_statistics,
                np.zeros(count) if domain is None else domain.score(batch.statistics),
                lengths,
            )
            parts.append(list(made))
            done += count
            if progress is not None:
                progress(done, order.size)
        if not parts:
            return None
        back = np.argsort(order, kind="stable")
        return _Read(*(np.concatenate(arrays)[back] for arrays in zip(*parts, strict=True)))

    def _mixture(self, read: _Read, i: int, prior: str) -> Mixture:
        own = [
            Mixture(
                read.log_weights[i, p].astype(np.float64),
                read.means[i, p].astype(np.float64),
                read.scales[i, p].astype(np.float64),
                self.box,
            )
            for p, name in enumerate(PRIORS)
            if prior in (name, "both")
        ]
        return own[0] if len(own) == 1 else Mixture.pool(own, read.priors[i].astype(np.float64))

    def _posterior(self, plan: _Plan, read: _Read | None, prior: str) -> Posterior:
        if not plan.pieces or read is None:
            silent = dict(zip(PATTERNS, (1.0, 0.0, 0.0), strict=True))
            nothing = dict.fromkeys(FEATURES, float("nan"))
            return Posterior(
                plan.name, self.neuron, None, silent, nothing, plan.n_spikes, 0, (_SILENT,), prior
            )
        own = list(plan.pieces)
        parts = [self._mixture(read, i, prior) for i in own]
        mixture = parts[0] if len(parts) == 1 else Mixture.pool(parts)
        probabilities = read.patterns[own].mean(axis=0)
        scale = self._loaded.feature_scale
        values = np.exp(read.features[own].mean(axis=0) * scale.std + scale.mean)
        if probabilities[0] >= probabilities[1]:
            values[1:] = np.nan
        domain = self._judge(read, own)
        course = self._course(plan, read, prior)
        p_drawn = float(read.priors[own, 1].mean()) if len(self.priors) > 1 else float("nan")
        remarks = [_PIECES.format(most=self._most(), n=len(own))] if len(own) > 1 else []
        rival = None
        if prior == PRIORS[0] and p_drawn > _DOUBT:
            rival = Mixture.pool([self._mixture(read, i, PRIORS[1]) for i in own])
        return Posterior(
            plan.name,
            self.neuron,
            mixture,
            dict(zip(PATTERNS, (0.0, *map(float, probabilities)), strict=True)),
            dict(zip(FEATURES, map(float, values), strict=True)),
            plan.n_spikes,
            len(own),
            tuple(remarks),
            prior,
            p_drawn,
            domain,
            course,
            rival,
        )

    def _judge(self, read: _Read, own: list[int]) -> DomainVerdict | None:
        """Judge the middle piece by strangeness, of two the less strange: what most pieces show counts."""
        domain = self._loaded.domain
        if domain is None:
            return None
        i = own[int(np.argsort(read.domain_score[own])[(len(own) - 1) // 2])]
        return domain.judge(
            float(read.domain_score[i]), int(read.n_intervals[i]), read.statistics[i], self._loaded.scale
        )

    def _course(self, plan: _Plan, read: _Read, prior: str) -> Course | None:
        if not plan.course:
            return None
        mixtures = [self._mixture(read, i, prior) for i in plan.course]
        mean, cov = moments(
            np.stack([m.log_weights for m in mixtures]),
            np.stack([m.means for m in mixtures]),
            np.stack([m.scales for m in mixtures]),
            self.box,
        )
        intervals = read.statistics[plan.course.start : plan.course.stop, _LOCATION_AND_SPREAD]
        return find_course(plan.time_s, mean, np.sqrt(np.diagonal(cov, axis1=1, axis2=2)), intervals)


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
