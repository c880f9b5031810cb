"""`Predictor`: spike trains in, posteriors out; on a CPU or a GPU.

What is predicted of a recording does not depend on the others, to the last bit; see `blocks`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from spike2pop_nb.errors import PredictorError
from spike2pop_nb.inference.blocks import Blocks, Read
from spike2pop_nb.inference.domain import DomainVerdict
from spike2pop_nb.inference.drift import Drift, drift_windows, find_drift
from spike2pop_nb.inference.drive import CURRENT_RANGE, NOISE_RANGE, check_current, in_range, told
from spike2pop_nb.inference.mixture import Mixture, moments
from spike2pop_nb.inference.posterior import FEATURES, PATTERNS, PRIORS, Posterior, Posteriors
from spike2pop_nb.inference.statistics import STATISTICS
from spike2pop_nb.inference.threads import one_thread
from spike2pop_nb.inference.tokens import MIN_SPIKES, segments
from spike2pop_nb.inference.weight_files import find_network, list_predictors
from spike2pop_nb.inference.weights import LoadedNetwork, load_network
from spike2pop_nb.spiketrains.given import as_trains

__all__ = ["Predictor", "load_predictor"]

_DOUBT = 0.9
_LOCATION_AND_SPREAD = [STATISTICS.index(name) for name in ("log_mean_isi", "std_log_isi")]
_FEWEST_IN_PIECE = 16
_LONGER = 1.1
_PIECES = (
    "Longer than {most}, which the network reads at once: {n} consecutive pieces were read, and their "
    "posteriors averaged."
)
_SILENT = "The recording has under 3 spikes: silent, so no DICs are predicted."
_GIVEN = "These are the DICs given a known current of {current:g} µA/cm²."
_TOO_FAR = (
    "The known current of {current:g} µA/cm² is not between {low:g} and {high:g}, from which the network "
    "learned, so that it took the current to be unknown."
)
_KNOWS_OF_NONE = (
    "The {neuron} network knows of no current, so that the known {current:g} µA/cm² had no say in its DICs."
)


class _Recording(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def times_ms(self) -> NDArray[np.floating]: ...


def load_predictor(
    neuron: Any,
    path: str | Path | None = None,
    device: str | torch.device = "cpu",
    *,
    current: float | None = None,
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
    current : float, optional
        Constant current of the recordings in µA/cm², where it is known. The larger networks learned from
        neurons without one; where it is another, the network of the neuron's atlas is asked.

    Raises
    ------
    PredictorError
        If there is no such network, or its file is damaged, foreign, or for another neuron.
    CompensationError
        If the current is no number, or one that no cell is given.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> s2p.load_predictor("stg").priors
    ('compensated', 'drawn')
    """
    name = neuron if isinstance(neuron, str) else getattr(neuron, "name", repr(neuron))
    if path is None:
        path = find_network(name, current)
        if path is None:
            listed = ", ".join(list_predictors()) or "none"
            raise PredictorError(
                f"There is no network for neuron {name!r}; there are some for: {listed}. "
                f"`spike2pop atlas --neuron {name}` makes a small one in minutes, `spike2pop adapt --neuron "
                f"{name} --out DIR` a larger one in hours, and load_predictor({name!r}, path=FILE) takes one "
                "from a file."
            )
    return Predictor(load_network(path, neuron=name), device, current)


class _Plan(NamedTuple):
    """Which windows belong to a recording: the pieces that make it up, and those of its course."""

    name: str
    n_spikes: int
    pieces: range
    course: range
    time_s: NDArray[np.floating]
    edges_s: NDArray[np.floating]
    """When the pieces begin and end, (n, 2)."""


class Predictor:
    """A loaded network, ready to `predict`.

    Attributes
    ----------
    neuron : str
        The neuron it was trained for.
    priors : tuple of str
        The priors it can answer under.
    metadata : dict
        How the network was trained and how it scored.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> predictor = s2p.load_predictor("stg")
    >>> [posterior.most_likely_pattern for posterior in predictor.predict(trains)]
    ['spiking', 'bursting', 'bursting', 'bursting', 'bursting']
    """

    def __init__(
        self, loaded: LoadedNetwork, device: str | torch.device = "cpu", current: float | None = None
    ) -> None:
        check_current(current)
        self.neuron = loaded.neuron
        self.metadata = loaded.metadata
        # A density that no train taught says nothing.
        drawn = loaded.metadata.get("data", {}).get("share_drawn", 0.0)
        taught = dict(zip(PRIORS, (drawn < 1, drawn > 0), strict=True))
        self.priors = tuple(name for name in PRIORS if taught[name])
        self.box = loaded.box
        self._longest_s = float(loaded.metadata.get("data", {}).get("longest_s", math.inf))
        self._loaded = loaded
        self._blocks = Blocks(loaded, device)
        self._told_of = loaded.network.config.n_told > 0
        self._current = current if self._told_of and current is not None and in_range(current) else None
        self._remark = self._on_current(current)

    def __repr__(self) -> str:
        size = sum(p.numel() for p in self._loaded.network.parameters())
        return f"Predictor(neuron={self.neuron!r}, parameters={size})"

    def predict(
        self,
        trains: Iterable[_Recording | ArrayLike],
        progress: Callable[[int, int], None] | None = None,
        *,
        prior: str = PRIORS[0],
        drive: ArrayLike | None = None,
    ) -> Posteriors:
        """One posterior per train, in order.

        A train of more intervals than the network reads at once, or longer than those it learned from, is
        read in consecutive pieces that together are all of it; the posterior is their equal-weight mixture.
        Pieces of one neuron's recording are not independent evidence, so their densities are averaged, never
        multiplied: the answer can only be as narrow as its pieces agree on.

        Parameters
        ----------
        trains : iterable of SpikeTrain or array (n_spikes,)
            Times in ms, increasing. Arrays get their place, "0", "1", …, as id. Trains of neo, pynapple,
            quantities and pandas are taken in their own unit.
        progress : callable, optional
            Called with (windows done, windows in all) after each batch.
        prior : "compensated", "drawn" or "both"
            The prior over the neuron's conductances: those of the compensated populations generated here,
            which the search for a population needs; conductances anywhere in their declared ranges; or
            both, weighted by how well the recording fits each.
        drive : array (n_trains, 2), optional
            Constant current and noise of each train in µA/cm², nan where unknown, for a network that can be
            told of them; by default the known current that it was loaded with.

        Raises
        ------
        PredictorError
            If the times of a train are not finite and increasing, the network does not know the prior, or it
            cannot be told what is known.
        """
        self._check(prior)
        named = [_named(train, place) for place, train in enumerate(as_trains(trains))]
        known = self._known(len(named), drive)
        windows: list[NDArray[np.floating]] = []
        of: list[int] = []
        plans: list[_Plan] = []
        for place, (name, times) in enumerate(named):
            isi = np.diff(times)
            parts = self._pieces(times)
            course = drift_windows(isi.size, self._loaded.max_intervals)
            first = len(windows)
            windows += [isi[part] for part in [*parts, *course]]
            of += [place] * (len(windows) - first)
            middle = [first + len(parts), len(windows)]
            when = [0.5e-3 * (times[part.start] + times[part.stop]) for part in course]
            edges = 1e-3 * times[[[part.start, part.stop] for part in parts]] if parts else np.empty((0, 2))
            own, beside = range(first, middle[0]), range(*middle)
            plans.append(_Plan(name, times.size, own, beside, np.array(when), edges))
        with _turn, one_thread():
            read = self._blocks.read(windows, known[of], progress)
        return Posteriors(self._posterior(plan, read, prior) for plan in plans)

    def _check(self, prior: str) -> None:
        known = (*self.priors, *(["both"] if len(self.priors) > 1 else []))
        if prior not in known:
            raise PredictorError(
                f"The {self.neuron} network knows the prior {' or '.join(map(repr, known))}, not {prior!r}."
            )

    def _known(self, n: int, drive: ArrayLike | None) -> NDArray[np.floating]:
        """What is known beside n trains, as the network is told it."""
        if drive is None:
            usual = np.nan if self._current is None else self._current
            return told(np.full(n, usual), np.full(n, np.nan))
        given = np.asarray(drive, dtype=np.float64)
        low, high = np.array([CURRENT_RANGE, NOISE_RANGE]).T
        if not self._told_of and np.isfinite(given).any():
            raise PredictorError(f"The {self.neuron} network cannot be told of a current and noise.")
        if given.shape != (n, 2) or ((given < low) | (given > high)).any():
            raise PredictorError(
                f"Current and noise are told as a table of {n} rows and two columns, from {low[0]:g} to "
                f"{high[0]:g} and from {low[1]:g} to {high[1]:g} µA/cm², nan where unknown.".replace("-", "−")
            )
        return told(*given.T)

    def _on_current(self, current: float | None) -> str:
        """Say what a known current has to do with the DICs."""
        # the larger networks learned from neurons without one
        if current is None or (current == 0 and not self._told_of and "atlas" not in self.metadata):
            return ""
        words = (_GIVEN if in_range(current) else _TOO_FAR) if self._told_of else _KNOWS_OF_NONE
        low, high = CURRENT_RANGE
        return words.format(neuron=self.neuron, current=current, low=low, high=high).replace("-", "−")

    def _most(self) -> str:
        longest = f" or {self._longest_s:.3g} s" if math.isfinite(self._longest_s) else ""
        return f"{self._loaded.max_intervals} intervals{longest}"

    def _pieces(self, times: NDArray[np.float64]) -> list[slice]:
        n = times.size - 1
        if times.size < MIN_SPIKES:
            return []
        fewest = math.ceil(1e-3 * (times[-1] - times[0]) / (_LONGER * self._longest_s))
        return segments(n, self._loaded.max_intervals, max(1, min(fewest, n // _FEWEST_IN_PIECE)))

    def _mixture(self, read: Read, i: int, prior: str) -> Mixture:
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

    def _posterior(self, plan: _Plan, read: Read | None, prior: str) -> Posterior:
        if not plan.pieces or read is None:
            silent = dict(zip(PATTERNS, (1.0, 0.0, 0.0), strict=True))
            nothing = dict.fromkeys(FEATURES, float("nan"))
            return Posterior(
                plan.name,
                self.neuron,
                None,
                silent,
                nothing,
                plan.n_spikes,
                0,
                (_SILENT,),
                prior,
                network=self._loaded.origin,
            )
        own = list(plan.pieces)
        parts = [self._mixture(read, i, prior) for i in own]
        mixture = parts[0] if len(parts) == 1 else Mixture.pool(parts)
        probabilities = read.patterns[own].mean(axis=0)
        scale = self._loaded.feature_scale
        values = np.exp(read.features[own].mean(axis=0) * scale.std + scale.mean)
        if probabilities[0] >= probabilities[1]:
            values[1:] = np.nan
        domain = self._judge(plan, read)
        course = self._course(plan, read, prior)
        p_drawn = float(read.priors[own, 1].mean()) if len(self.priors) > 1 else float("nan")
        remarks = [_PIECES.format(most=self._most(), n=len(own))] if len(own) > 1 else []
        remarks += [self._remark] if self._remark else []
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
            self._loaded.origin,
            current=self._current,
        )

    def _judge(self, plan: _Plan, read: Read) -> DomainVerdict | None:
        """Judge the middle piece by strangeness, of two the less strange: what most pieces show counts."""
        domain = self._loaded.domain
        if domain is None:
            return None
        own = list(plan.pieces)
        chosen = int(np.argsort(read.domain_score[own])[(len(own) - 1) // 2])
        i = own[chosen]
        start, stop = plan.edges_s[chosen]
        return domain.judge(
            float(read.domain_score[i]),
            int(read.n_intervals[i]),
            read.statistics[i],
            self._loaded.scale,
            f"from {round(start, 1):g} to {round(stop, 1):g} s " if len(own) > 1 else "",
        )

    def _course(self, plan: _Plan, read: Read, prior: str) -> Drift | None:
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
        return find_drift(plan.time_s, mean, np.sqrt(np.diagonal(cov, axis1=1, axis2=2)), intervals)


_turn = threading.Lock()
"""One prediction at a time, since the number of threads is one setting for all of them."""


def _named(train: Any, place: int) -> tuple[str, NDArray[np.float64]]:
    name = str(getattr(train, "id", place))
    try:
        if np.iscomplexobj(train):
            raise TypeError
        times = np.asarray(getattr(train, "times_ms", train), dtype=np.float64)
    except (TypeError, ValueError):
        raise PredictorError(f"Recording {name!r} is not a list of spike times in ms.") from None
    if times.ndim != 1:
        raise PredictorError(f"Recording {name!r} has {times.ndim} dimensions; spike times in ms have one.")
    if not np.isfinite(times).all() or np.any(np.diff(times) <= 0):
        raise PredictorError(f"Recording {name!r} must have finite spike times in increasing order.")
    return name, times
