"""What a neuron's firing tells of its conductances, current and noise: learned once, from a prior.

Members are drawn from the prior and fire for 15 s; a `SplineFlow` learns the density of their values
given the interval statistics of how they fire, cut and in steps of time as recordings are. It says where a
posterior lies, and in which summary recordings differ; simulations decide (see `sample_posterior`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import Cancelled, PredictorError
from spike2pop_nb.fidelity.prior import MemberPrior
from spike2pop_nb.inference import weight_files
from spike2pop_nb.inference.atlas import WINDOW_MS
from spike2pop_nb.inference.threads import one_thread
from spike2pop_nb.inference.tokens import MAX_INTERVALS, TokenScale, statistics_of_intervals
from spike2pop_nb.neurons import NeuronModel, get_neuron

if TYPE_CHECKING:
    from torch import Tensor

    from spike2pop_nb.inference.spline_flow import SplineFlow

__all__ = [
    "FEWEST_SPIKES",
    "SIZE",
    "LearnedPosterior",
    "is_learned",
    "load_posterior",
    "make_posterior",
    "recorded",
]

FloatArray = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating[Any]]
Progress = Callable[[int, int, str], None]
SIZE = 49_152
"""Members of the prior that are simulated for it."""
FEWEST_SPIKES = 6
"""A recording of fewer tells too little to draw a posterior."""
_ENDING = ".posterior.safetensors"
_AT_ONCE, _CHUNK = 2048, 1024
_SHORTER, _SHORTEST = 0.5, 0.2  # share of trains that are cut, and to what share of their length at most
_STEPPED, _FINEST_MS = 0.5, 0.01  # share of trains whose times are in steps, from this to 1 ms
_SHORTEST_MS = 0.01
_COPIES = 3  # of each train, cut in other ways
_EPOCHS, _BATCH, _RATE, _DECAY = 16, 512, 2e-3, 1e-3  # epochs over all copies
_HELD = 0.05  # share of members that it does not learn from
_FEWEST_FIRING = 0.02


@dataclass(frozen=True, eq=False)
class LearnedPosterior:
    """A density over members given how they fire.

    Attributes
    ----------
    prior
        From which it learned.
    scale
        What standardises statistics.
    flow
        The density.
    about
        How it was made, and how much it tells of members that it did not learn from.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> learned = s2p.fidelity.load_posterior("stg")
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> learned.summaries([train.times_ms]).shape
    (1, 12)
    """

    prior: MemberPrior
    scale: TokenScale
    flow: SplineFlow
    about: Mapping[str, Any]

    def summaries(self, trains_ms: Sequence[Floats]) -> FloatArray:
        """Return what is told apart of trains, (n, k); NaN of those of too few spikes."""
        found = np.full((len(trains_ms), self.flow.shape.summary), np.nan)
        heard = [row for row, times in enumerate(trains_ms) if len(times) >= FEWEST_SPIKES]
        if heard:
            raw = statistics_of([trains_ms[row] for row in heard])
            found[heard] = self._asked(lambda x: self.flow.summary(x), self.scale.standardise(raw))[0]
        return found

    def ranked(self, summaries: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the conditional distribution functions of members (n, d) and ln of their density (n,)."""
        v, log_density = self._asked(self.flow.ranked, summaries, u)
        return v, log_density

    def drawn(self, summaries: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the members (n, d) of given distribution functions (n, d), and ln of their density (n,)."""
        u, log_density = self._asked(self.flow.drawn, summaries, v)
        return u, log_density

    @staticmethod
    def _asked(of: Callable[..., Any], *arrays: Floats) -> list[FloatArray]:
        """Ask the network, some rows after others and on one thread: answers must not depend on it."""
        import torch

        parts = []
        with one_thread(), torch.no_grad():
            for first in range(0, len(arrays[0]), _CHUNK):
                some = [torch.from_numpy(np.asarray(x[first : first + _CHUNK], np.float32)) for x in arrays]
                answer = of(*some)
                parts.append(answer if isinstance(answer, tuple) else (answer,))
        return [np.concatenate([x.double().numpy() for x in each]) for each in zip(*parts, strict=True)]


def statistics_of(trains_ms: Sequence[Floats]) -> Floats:
    """Return `STATISTICS` of trains of 3 spikes or more, (n, 55)."""
    return statistics_of_intervals(
        [np.maximum(np.diff(times[: MAX_INTERVALS + 1]), _SHORTEST_MS) for times in trains_ms]
    )


def recorded(times_ms: Floats, rng: np.random.Generator, duration_ms: float = WINDOW_MS) -> FloatArray:
    """Return a train as it may be recorded: cut in one half of the cases, in steps of time in another.

    Parameters
    ----------
    times_ms
        Spike times from 0 to ``duration_ms``.
    rng
        Where chance comes from.
    """
    draw = rng.random(4)
    length = duration_ms * (1.0 if draw[0] < _SHORTER else _SHORTEST ** draw[1])
    begin = rng.uniform(0.0, duration_ms - length)
    times = np.asarray(times_ms[(times_ms >= begin) & (times_ms <= begin + length)], np.float64)
    if draw[2] < _STEPPED:
        times = in_steps(times, _FINEST_MS ** draw[3])
    return times


def in_steps(times_ms: FloatArray, step_ms: float) -> FloatArray:
    """Return spike times as they are when they are kept in steps; of two in one step only the first."""
    return np.unique(np.floor(times_ms / step_ms) * step_ms)


def load_posterior(
    neuron: str | NeuronModel,
    *,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> LearnedPosterior:
    """Return what was learned of a neuron; what is not there yet is learned, which takes minutes, once.

    Parameters
    ----------
    neuron
        A neuron or its name.
    progress, cancel
        As `make_posterior` has them.

    Raises
    ------
    PredictorError
        If almost no member fires.
    Cancelled
        If ``cancel`` said so.

    Examples
    --------
    >>> from spike2pop_nb.fidelity import load_posterior
    >>> load_posterior("stg").prior.names[-2:]
    ('I', 'σ')
    """
    model = get_neuron(neuron)
    prior, found = MemberPrior(model), _found(model)
    if found is None:
        return make_posterior(model, progress=progress, cancel=cancel)
    return LearnedPosterior(prior, *found)


def is_learned(neuron: NeuronModel) -> bool:
    """Whether `load_posterior` finds what is known of a neuron, so that it need not be learned first."""
    return _found(neuron) is not None


def _found(neuron: NeuronModel) -> tuple[TokenScale, SplineFlow, dict[str, Any]] | None:
    for folder in (weight_files.own_atlases_folder(), weight_files.SHIPPED_ATLASES):
        path = folder / f"{neuron.name}{_ENDING}"
        if path.is_file():
            found = _read(path, path.stat().st_mtime_ns)
            if found[2]["declaration"] == neuron.declaration:
                return found
    return None


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> tuple[TokenScale, SplineFlow, dict[str, Any]]:
    from spike2pop_nb.inference.spline_flow import SplineFlow
    from spike2pop_nb.inference.weights import read_tensors

    tensors, about = read_tensors(path)
    try:
        parts = {name.removeprefix("flow."): value for name, value in tensors.items()}
        return TokenScale.from_arrays(tensors), SplineFlow.from_tensors(about["shape"], parts), about
    except (KeyError, TypeError, ValueError) as error:
        raise PredictorError(f"{path.name} tells no posterior that this version can read: {error}.") from None


def make_posterior(
    neuron: str | NeuronModel,
    path: Path | None = None,
    *,
    size: int = SIZE,
    epochs: int = _EPOCHS,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> LearnedPosterior:
    """Simulate members of the prior, and learn what their firing tells of them.

    Parameters
    ----------
    neuron
        A neuron or its name.
    path
        Where it is written; by default where `load_posterior` finds it.
    size
        Members that are simulated.
    epochs
        How often all of them are learned from, each cut in several ways.
    seed
        Of all that is drawn.
    progress
        Called with (done, total, words).
    cancel
        Polled often; nothing is written then.

    Raises
    ------
    PredictorError
        If almost no member fires.
    Cancelled
        If ``cancel`` said so.
    """
    model = get_neuron(neuron)
    prior = MemberPrior(model)

    def say(done: float, words: str) -> None:
        if cancel is not None and cancel():
            raise Cancelled("Learning what firing tells was cancelled.")
        if progress is not None:
            progress(round(100 * done), 100, f"{words} (once for the {model.name} neuron)")

    u, trains = _drawn(
        prior, size, seed, lambda done: say(0.6 * done, "Simulating members of the prior"), cancel
    )
    made = learned(
        prior,
        u,
        trains,
        size,
        epochs=epochs,
        seed=seed,
        say=lambda done: say(0.6 + 0.4 * done, "Learning what firing tells of conductances"),
    )
    keep(made, weight_files.own_atlases_folder() / f"{model.name}{_ENDING}" if path is None else path)
    return made


def keep(made: LearnedPosterior, path: Path) -> None:
    """Write it; where that is not possible, it is learned again next time."""
    import torch

    from spike2pop_nb.inference.weights import keep_tensors

    tensors = {f"flow.{name}": value for name, value in made.flow.tensors().items()}
    tensors |= {name: torch.from_numpy(values) for name, values in made.scale.arrays().items()}
    keep_tensors(path, tensors, made.about)


def _drawn(
    prior: MemberPrior,
    size: int,
    seed: int,
    say: Callable[[float], None],
    cancel: Callable[[], bool] | None,
) -> tuple[FloatArray, list[Floats]]:
    """Draw members from the prior; return those that fire, (n, d), and their spike times from 0."""
    rows: list[FloatArray] = []
    trains: list[Floats] = []
    for first in range(0, size, _AT_ONCE):
        say(first / size)
        rng = np.random.default_rng([seed, first])
        u = rng.random((min(_AT_ONCE, size - first), len(prior.names)))
        seeds = rng.integers(0, 2**63, len(u), dtype=np.uint64)
        fired = prior.fired(u, seeds, WINDOW_MS, accuracy="screening", cancel=cancel)
        for row, times in zip(u, fired, strict=True):
            if len(times) >= FEWEST_SPIKES:
                rows.append(row)
                trains.append(times)
    if len(rows) < max(_FEWEST_FIRING * size, 64):
        raise PredictorError(
            f"Only {len(rows)} of {size} {prior.neuron.name} neurons with conductances anywhere in their "
            "ranges fire, too few to learn from; declare other ranges."
        )
    return np.asarray(rows, np.float64), trains


def learned(
    prior: MemberPrior,
    u: FloatArray,
    trains_ms: Sequence[Floats],
    size: int,
    *,
    epochs: int = _EPOCHS,
    seed: int = 0,
    say: Callable[[float], None] = lambda done: None,
) -> LearnedPosterior:
    """Learn from the quantiles (n, d) of members that fire, and their spike times from 0 to 15 s."""
    import torch

    from spike2pop_nb.inference.spline_flow import FlowShape, SplineFlow

    statistics, rows = [], []
    for copy in range(_COPIES):
        say(0.3 * copy / _COPIES)
        rng = np.random.default_rng([seed, 1, copy])
        seen = [recorded(times, rng) for times in trains_ms]
        heard = [row for row, times in enumerate(seen) if len(times) >= FEWEST_SPIKES]
        statistics.append(statistics_of([seen[row] for row in heard]))
        rows.append(np.array(heard))
    raw, row = np.concatenate(statistics), np.concatenate(rows)
    scale = TokenScale.of_statistics(raw)
    x, y = torch.from_numpy(scale.standardise(raw)), torch.from_numpy(u[row].astype(np.float32))
    held = torch.from_numpy(row >= (1.0 - _HELD) * len(u))
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        flow = SplineFlow(FlowShape(x.shape[1], y.shape[1]))
        _fit(flow, x[~held], y[~held], epochs, lambda done: say(0.3 + 0.7 * done))
        # what is kept is what is used
        flow = SplineFlow.from_tensors(flow.shape._asdict(), flow.tensors())
        told, ranks = _tested(flow, x[held], y[held])
    about = {
        "declaration": prior.neuron.declaration,
        "shape": dict(flow.shape._asdict()),
        "size": size,
        "seed": seed,
        "epochs": epochs,
        "share_firing": len(u) / size,
        "window_ms": WINDOW_MS,
        "tested": {"trains": int(held.sum()), "nats": told, "rank_sd": ranks},
    }
    return LearnedPosterior(prior, scale, flow, about)


def _fit(flow: SplineFlow, x: Tensor, y: Tensor, epochs: int, say: Callable[[float], None]) -> None:
    import torch

    steps = max(1, len(x) // _BATCH)
    optimizer = torch.optim.AdamW(flow.parameters(), _RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=epochs * steps)
    flow.train()
    for epoch in range(epochs):
        order = torch.randperm(len(x))
        for step in range(steps):
            if step % 20 == 0:
                say((epoch + step / steps) / epochs)
            some = order[step * _BATCH : (step + 1) * _BATCH]
            loss = -flow.ranked(flow.summary(x[some]), y[some])[1].mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
            optimizer.step()
            schedule.step()
    flow.eval()


def _tested(flow: SplineFlow, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Return by how many nats members are more probable than by the prior, and the SD of their ranks."""
    import torch

    with torch.no_grad():
        v, log_density = flow.ranked(flow.summary(x), y)
    return float(log_density.mean()), float(v.std()) * math.sqrt(12.0)
