"""Fitting the test for strange recordings: simulated trains of the neuron against others it never fires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from spike2pop_nb.inference.domain import Domain
from spike2pop_nb.inference.tokens import MAX_INTERVALS, MIN_SPIKES, TokenScale, statistics_of_intervals
from spike2pop_nb.training.baseline import statistics_of
from spike2pop_nb.training.batches import NO_AUGMENTATION, Augmentation, Trains, epoch_batches

__all__ = ["STRANGE", "fit_domain", "strange_trains"]

Floats = NDArray[np.floating]

_HIDDEN = 64
_STEPS = 2500
_BATCH = 512
_MOST = 100_000
_SHORTEST_MS = 0.01
_EXAMPLES = 192
_LENGTHS = (8, 16, 32, 64, 128, 256, 512, 1024)
_SPANS = (6.0,)
"""Borders of the bands of time, in median recordings. What is long and slow, or long and fast, is rare among
others of as many intervals; more borders would hide the rates that the neuron cannot reach.
"""
_FEWEST = 120
"""Populations among the recordings of a band, for it to be calibrated by itself."""
_LEVELS = 201
_CALIBRATION_SHARE = 0.2
_DISTURBED = Augmentation(crop=0.5, jitter=0.1, drop=0.3, add=0.3, settle=0.05)


def _intervals(times: Floats) -> Floats:
    isi = np.diff(np.sort(times))
    return isi[isi > 0]


def _poisson(own: Floats, _other: Floats, rng: np.random.Generator) -> Floats:
    """Poisson, with a dead time of up to a tenth of the mean interval."""
    dead = rng.uniform(0, 0.1)
    return own.mean() * (dead + (1 - dead) * rng.exponential(size=own.size))


def _renewal(own: Floats, _other: Floats, rng: np.random.Generator) -> Floats:
    """Independent gamma or log-normal intervals of any irregularity."""
    cv = rng.uniform(0.25, 1.5)
    if rng.random() < 0.5:
        return own.mean() * rng.gamma(cv**-2, cv**2, own.size)
    spread = np.sqrt(np.log1p(cv**2))
    return own.mean() * np.exp(spread * rng.standard_normal(own.size) - spread**2 / 2)


def _modulated(own: Floats, _other: Floats, rng: np.random.Generator) -> Floats:
    """Random intervals whose rate wanders by a factor of up to ten."""
    walk = np.cumsum(rng.standard_normal(own.size)) / np.sqrt(own.size)
    cv = rng.uniform(0.1, 1.0)
    return own.mean() * np.exp(rng.uniform(0.5, 1.2) * walk) * rng.gamma(cv**-2, cv**2, own.size)


def _shuffled(own: Floats, _other: Floats, rng: np.random.Generator) -> Floats:
    """The same intervals in another order."""
    return rng.permutation(own)


def _merged(own: Floats, other: Floats, rng: np.random.Generator) -> Floats:
    """Two units in one."""
    one = np.concatenate([[0.0], np.cumsum(own)])
    two = rng.uniform(0, own.mean()) + np.concatenate([[0.0], np.cumsum(other)])
    both = np.concatenate([one, two])
    return _intervals(both[both <= min(one[-1], two[-1]) + 1e-9])


def _stretched(own: Floats, _other: Floats, rng: np.random.Generator) -> Floats:
    """Time runs two to eight times as fast or slowly."""
    return own * np.exp(rng.choice([-1, 1]) * rng.uniform(np.log(2), np.log(8)))


def _random_bursts(own: Floats, _other: Floats, rng: np.random.Generator) -> Floats:
    """Bursts of random sizes, intervals and distances."""
    n = own.size
    size = 1 + rng.exponential(rng.uniform(1, 12))
    gap = rng.random(n) < 1 / size
    ratio = np.exp(rng.uniform(np.log(3), np.log(60)))
    short = np.exp(rng.uniform(0, 0.7) * rng.standard_normal(n))
    long = ratio * np.exp(rng.uniform(0.2, 0.9) * rng.standard_normal(n))
    isi = np.where(gap, long, short)
    return isi * own.mean() / isi.mean()


STRANGE: dict[str, Callable[[Floats, Floats, np.random.Generator], Floats]] = {
    "Poisson": _poisson,
    "renewal": _renewal,
    "wandering rate": _modulated,
    "shuffled": _shuffled,
    "merged units": _merged,
    "stretched": _stretched,
    "random bursts": _random_bursts,
}
"""Kinds of trains that no neuron of ours fires; each makes intervals from those of two simulated trains."""


def strange_trains(kind: str, isi_ms: Sequence[Floats], rng: np.random.Generator) -> list[Floats]:
    """Make intervals of strange trains from intervals of simulated ones; too short ones are left out.

    Parameters
    ----------
    kind : str
        One of `STRANGE`.
    """
    make = STRANGE[kind]
    usable = [isi for isi in isi_ms if isi.size >= MIN_SPIKES - 1]
    if kind == "shuffled":
        # A regular train, shuffled, is itself, and an irregular one is another of its kind.
        usable = [isi for isi in usable if _bursts_clearly(isi)]
    made = (make(isi, usable[rng.integers(len(usable))], rng) for isi in usable)
    return [isi[:MAX_INTERVALS] for isi in made if isi.size >= MIN_SPIKES - 1]


def _bursts_clearly(isi: Floats) -> bool:
    """Whether intervals fall into short and long ones, with three long ones and two short ones to each."""
    log = np.log(isi)
    long = log > 0.5 * (log.min() + log.max())
    n_long = int(long.sum())
    if n_long < 3 or isi.size - n_long < 2 * n_long:
        return False
    return bool(log[long].min() - log[~long].max() > 0.7)


def _rows_of_all_lengths(span_ms: Floats, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows drawn half evenly and half so that each doubling of the length counts as much: few recordings of a
    data set are long, and they are not to be taken for strange.
    """
    n = len(span_ms)
    doublings = np.log2(np.maximum(span_ms / np.median(span_ms), 1))
    _, band, count = np.unique(np.round(doublings), return_inverse=True, return_counts=True)
    if len(count) == 1:
        return np.sort(rng.permutation(n)[:most])
    share = 0.5 / n + 0.5 / (len(count) * count[band])
    return np.sort(rng.choice(n, min(n, most), p=share / share.sum()))


def _inside(
    trains: Trains, how: Augmentation, most: int, seed: int
) -> tuple[list[Floats], NDArray[np.int64]]:
    """Intervals of recordings of all lengths, and the population of each."""
    chosen = trains.take(_rows_of_all_lengths(trains.span_ms, most, np.random.default_rng(seed)))
    found: list[Floats] = []
    rows = []
    for batch in epoch_batches(chosen, 1024, how, (seed, 0)):
        # Two spikes may fall on one step of a grid.
        isi_ms = np.maximum(batch.isi_ms.astype(np.float64), _SHORTEST_MS)
        found += [isi[:n] for isi, n in zip(isi_ms, batch.lengths, strict=True)]
        rows.append(batch.rows)
    return found, chosen.group[np.concatenate(rows)]


def fit_domain(
    fitting: Trains,
    held: Trains,
    scale: TokenScale,
    seed: int = 0,
    steps: int = _STEPS,
) -> Domain:
    """Fit the perceptron on ``fitting``, and its calibration on ``held`` and some populations of ``fitting``.

    Few recordings of a data set are long, and those held out are too few to calibrate each length. So small a
    perceptron does not know trains by heart: those that it learned from are flagged as often as others.

    Parameters
    ----------
    fitting, held : Trains
        Simulated trains with 3 spikes or more.
    """
    rng = np.random.default_rng([seed, 1])
    inside, _ = _inside(fitting, _DISTURBED, _MOST, seed)
    part = max(len(inside) // len(STRANGE), 1)
    outside: list[Floats] = []
    for kind in STRANGE:
        source = [inside[i] for i in rng.permutation(len(inside))[:part]]
        outside += strange_trains(kind, source, rng)
    raw = statistics_of_intervals([*inside, *outside])
    x = torch.from_numpy(scale.standardise(raw))
    y = torch.from_numpy((np.arange(len(raw)) >= len(inside)).astype(np.float32))
    weights = _fit(x, y, steps, seed)
    example = rng.permutation(len(inside))[:_EXAMPLES]
    least, most = np.quantile(statistics_of(held), [0.001, 0.999], axis=0).astype(np.float32)
    domain = Domain(
        **dict(zip(Domain.names()[:6], weights, strict=True)),
        span_edges_ms=(np.array(_SPANS) * np.median(fitting.span_ms)).astype(np.float32),
        length_edges=np.array(_LENGTHS, dtype=np.float32),
        quantiles=np.zeros((len(_SPANS) + 1, len(_LENGTHS) + 1, _LEVELS), dtype=np.float32),
        examples=raw[example],
        least=least,
        most=most,
    )
    some = _some_groups(fitting.group, _CALIBRATION_SHARE, np.random.default_rng([seed, 2]))
    _calibrate(domain, Trains.join([fitting.take(some), held]), scale, seed)
    return domain


def _some_groups(group: NDArray[np.int64], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which rows belong to a random share of the populations."""
    names, place = np.unique(group, return_inverse=True)
    chosen: NDArray[np.bool_] = (rng.permutation(len(names)) < int(share * len(names)))[place]
    return chosen


def _fit(x: torch.Tensor, y: torch.Tensor, steps: int, seed: int) -> list[Floats]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = nn.Sequential(
            nn.Linear(x.shape[1], _HIDDEN),
            nn.Tanh(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.Tanh(),
            nn.Linear(_HIDDEN, 1),
        )
        optimizer = torch.optim.AdamW(layers.parameters(), lr=3e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        weight = (1 - y.mean()) / y.mean().clamp(min=1e-3)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(steps):
            rows = torch.randint(len(x), (_BATCH,), generator=generator)
            loss = F.binary_cross_entropy_with_logits(layers(x[rows])[:, 0], y[rows], pos_weight=weight)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    return [p.detach().numpy() for p in layers.parameters()]


def _calibrate(domain: Domain, trains: Trains, scale: TokenScale, seed: int) -> None:
    """Fill in the scores of ``trains`` by time and length: whole, in random windows and begun later, half of
    either in times of few decimals, and disturbed.
    """
    windows = (replace(NO_AUGMENTATION, **{name: 1.0}, sample=0.5) for name in ("crop", "late"))
    how = (NO_AUGMENTATION, *windows, _DISTURBED)
    parts = [_inside(trains, each, _MOST, seed + i) for i, each in enumerate(how)]
    isi = [isi for part, _ in parts for isi in part]
    group = np.concatenate([of for _, of in parts])
    score = domain.score(scale.standardise(statistics_of_intervals(isi)))
    time, length = domain.bands([i.size for i in isi], [i.sum() for i in isi])
    levels = np.linspace(0, 1, _LEVELS)

    def quantiles(rows: NDArray[np.bool_], otherwise: Floats) -> Floats:
        return np.quantile(score[rows], levels) if len(np.unique(group[rows])) >= _FEWEST else otherwise

    for k in range(len(_LENGTHS) + 1):
        # A band of few populations borrows from all.
        of_any_time = quantiles(length == k, np.quantile(score, levels))
        for j in range(len(_SPANS) + 1):
            own = quantiles((length == k) & (time == j), of_any_time)
            # Strange is what is so among those of its time and among those of any.
            domain.quantiles[j, k] = np.maximum(own, of_any_time)
