"""Training data in memory, and its batches: trains cropped, jittered, thinned and padded on the fly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.posterior import FEATURES
from spike2pop_nb.inference.tokens import MAX_INTERVALS, MIN_SPIKES

__all__ = [
    "NO_AUGMENTATION",
    "Augmentation",
    "Batch",
    "Trains",
    "checksum",
    "epoch_batches",
    "log_of_features",
    "ordered_batches",
    "read_trains",
    "split_of",
]

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

_SHARES = (94, 97, 100)
_PER_TRAIN = ("targets", "features", "pattern", "sigma", "group", "drawn", "id", "current")


@dataclass(frozen=True, eq=False)
class Trains:
    """Many trains as one ragged array.

    Attributes
    ----------
    times_ms : float64 (total spikes,)
        Train i is ``times_ms[offsets[i]:offsets[i + 1]]``, first spike at 0.
    targets : float32 (n, 2)
        g_s, g_u.
    features : float32 (n, 5)
        nan where undefined.
    pattern : int8 (n,)
        0 silent, 1 spiking, 2 bursting.
    sigma : float32 (n,)
        Injected noise in µA/cm².
    group : int64 (n,)
        Population; members share their targets.
    drawn : bool (n,)
        Whether the conductances were drawn over their ranges, not made by compensation.
    id : int64 (n,)
        Number in its data set.
    current : float32 (n,)
        Injected constant current in µA/cm².
    """

    times_ms: Floats
    offsets: NDArray[np.int64]
    targets: Floats
    features: Floats
    pattern: NDArray[np.int8]
    sigma: Floats
    group: NDArray[np.int64]
    drawn: NDArray[np.bool_]
    id: NDArray[np.int64]
    current: Floats

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def n_spikes(self) -> NDArray[np.int64]:
        """Spikes of each train (n,)."""
        return np.diff(self.offsets)

    @property
    def span_ms(self) -> Floats:
        """Time from the first spike of each train to its last (n,), where each has one."""
        span: Floats = self.times_ms[self.offsets[1:] - 1] - self.times_ms[self.offsets[:-1]]
        return span

    def train(self, i: int) -> Floats:
        """Spike times of train ``i`` in ms."""
        return self.times_ms[self.offsets[i] : self.offsets[i + 1]]

    def listed(self) -> list[Floats]:
        """Spike times of every train in ms."""
        return [self.train(i) for i in range(len(self))]

    def some(self, most: int | None, seed: int | np.random.Generator) -> Trains:
        """At most so many of the trains, drawn at random, in order; None for all."""
        return self.take(np.sort(np.random.default_rng(seed).permutation(len(self))[:most]))

    def take(self, rows: NDArray[np.bool_] | Ints) -> Trains:
        """The trains at ``rows`` (a mask or indices), in that order."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        counts = self.n_spikes[rows]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        index = np.repeat(self.offsets[rows] - offsets[:-1], counts) + np.arange(offsets[-1])
        return Trains(
            self.times_ms[index],
            offsets,
            *(getattr(self, name)[rows] for name in _PER_TRAIN),
        )

    @classmethod
    def join(cls, parts: Sequence[Trains]) -> Trains:
        """All trains of several data sets, in order."""
        ends = np.cumsum([part.offsets[-1] for part in parts])
        offsets = [part.offsets[1:] + start for part, start in zip(parts, [0, *ends[:-1]], strict=True)]
        return cls(
            np.concatenate([part.times_ms for part in parts]),
            np.concatenate([[0], *offsets]),
            *(np.concatenate([getattr(part, name) for part in parts]) for name in _PER_TRAIN),
        )

    def active(self) -> Trains:
        """Those with enough spikes to be read."""
        return self.take(self.n_spikes >= MIN_SPIKES)


def checksum(trains: Trains) -> str:
    """SHA-256 of the spike times (as float32), their numbers and the targets, in order."""
    digest = hashlib.sha256()
    for values in (trains.times_ms.astype(np.float32), trains.n_spikes, trains.targets):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def split_of(group: NDArray[np.int64]) -> NDArray[np.int8]:
    """Side of each population: 0 train (94 %), 1 validation (3 %), 2 test (3 %), by a hash of its number.

    All members of a population share their targets, so they stay on one side; the hash (splitmix64) keeps
    every population where it was when more data are made.
    """
    with np.errstate(over="ignore"):
        z = group.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return np.searchsorted(_SHARES, (z % np.uint64(100)).astype(np.int64), side="right").astype(np.int8)


def log_of_features(features: Floats) -> Floats:
    """Logs of features (n, 5), nan where undefined; a burst of one spike, of 0 ms, counts as 0.05 ms."""
    logs: Floats = np.log(np.maximum(features, 0.05))
    return logs


def read_trains(folder: str | Path | Sequence[str | Path], most_shards: int | None = None) -> Trains:
    """Read the Parquet shards of a data set, or of several.

    Raises
    ------
    TrainingError
        If there are none, or one cannot be read or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(folder, str | Path):
        return Trains.join([read_trains(one, most_shards) for one in folder])
    paths = sorted(Path(folder).glob("*.parquet"))[:most_shards]
    if not paths:
        raise TrainingError(f"No Parquet shards in {folder}.")
    columns = ["id", "g_s", "g_u", "sigma", "pattern", "group", "monte_carlo", "spike_times_ms", *FEATURES]
    times, counts, scalars = [], [], []
    for path in paths:
        try:
            table = pq.ParquetFile(path).read(columns=columns)
        except (OSError, KeyError, pa.ArrowException) as error:
            raise TrainingError(f"{path.name} is not a shard of training data: {error}.") from None
        missing = [c for c in columns if c not in table.column_names]
        if missing:
            raise TrainingError(f"{path.name} lacks the column {missing[0]!r}.")
        listed = table["spike_times_ms"].combine_chunks()
        listed = listed.chunk(0) if isinstance(listed, pa.ChunkedArray) else listed
        times.append(np.asarray(listed.flatten(), dtype=np.float64))
        counts.append(np.asarray(listed.value_lengths(), dtype=np.int64))
        scalars.append({c: table[c].to_numpy() for c in columns if c != "spike_times_ms"})
    column = {c: np.concatenate([s[c] for s in scalars]) for c in scalars[0]}
    return Trains(
        np.concatenate(times),
        np.concatenate([[0], np.cumsum(np.concatenate(counts))]),
        np.stack([column["g_s"], column["g_u"]], axis=1).astype(np.float32),
        np.stack([column[f] for f in FEATURES], axis=1).astype(np.float32),
        column["pattern"].astype(np.int8),
        column["sigma"].astype(np.float32),
        column["group"].astype(np.int64),
        column["monte_carlo"].astype(bool),
        column["id"].astype(np.int64),
        np.zeros(len(column["id"]), dtype=np.float32),
    )


@dataclass(frozen=True)
class Augmentation:
    """How often, and how much, a training train is disturbed as recordings are.

    Attributes
    ----------
    crop : float
        Probability of a random window, its length uniform in its logarithm, from `FEWEST` intervals to all.
    late : float
        Probability of a window that starts anywhere in the first half and ends with the train: a recording
        does not begin just after the neuron did.
    jitter, jitter_ms : float
        Probability of moving every spike by a normal step, and the largest standard deviation; it is drawn
        with small ones favoured, because 2 ms wipes out the intervals of a fast burst.
    drop, drop_share : float
        Probability of losing spikes, and the largest share lost.
    add, add_share : float
        Probability of false spikes, and their largest share.
    sample, finest_ms, coarsest_ms : float
        Probability of moving every spike to a grid, as sampling does and files with few decimals, and its
        range of steps, uniform in their logarithm.
    settle : float
        Probability, for a train that is all but periodic, of shrinking its departures from the mean interval
        by a random factor: a simulation still settles from its start, by an amount that tells its DICs, and a
        recording of a settled neuron must get an answer without that.
    """

    crop: float = 0.25
    late: float = 0.25
    jitter: float = 0.05
    jitter_ms: float = 2.0
    drop: float = 0.05
    drop_share: float = 0.1
    add: float = 0.03
    add_share: float = 0.05
    sample: float = 0.35
    finest_ms: float = 0.001
    coarsest_ms: float = 1.0
    settle: float = 0.02


NO_AUGMENTATION = Augmentation(crop=0, late=0, jitter=0, drop=0, add=0, sample=0, settle=0)
_ALMOST_PERIODIC = 0.02
FEWEST = 4
"""Intervals of the shortest random window."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of a `Trains` and their padded intervals (n, L) in ms, with lengths (n,)."""

    rows: Ints
    isi_ms: Floats
    lengths: NDArray[np.int64]


def _windows(
    trains: Trains, rows: Ints, how: Augmentation, longest: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First spike and number of intervals of the window read of each row."""
    total = trains.n_spikes[rows] - 1
    size = total.copy()
    draw = rng.random(rows.size)
    chosen = (draw < how.crop) & (total > FEWEST)
    span = np.log(total[chosen] / FEWEST)
    size[chosen] = np.rint(FEWEST * np.exp(rng.random(span.size) * span)).astype(np.int64)
    late = (draw >= how.crop) & (draw < how.crop + how.late) & (total > 2 * FEWEST)
    size[late] -= (0.5 * rng.random(int(late.sum())) * total[late]).astype(np.int64)
    first = rng.integers(0, np.maximum(total - np.minimum(size, longest), 0) + 1)
    first[late] = np.maximum(total[late] - size[late], first[late])
    size = np.minimum(size, total - first)
    return trains.offsets[rows] + first, np.minimum(size, longest)


def _disturb(times: Floats, size: NDArray[np.int64], how: Augmentation, rng: np.random.Generator) -> None:
    """Jitter, thin, pollute and sample in place: times (n, L + 1), infinite where padded; ``size`` in
    intervals.
    """
    n, width = times.shape
    present = np.isfinite(times)
    draw = rng.random((4, n))
    moved = np.flatnonzero(draw[0] < how.jitter)
    if moved.size:
        step = how.jitter_ms * rng.random(moved.size) ** 2
        times[moved] += rng.standard_normal((moved.size, width)) * step[:, None]
    thinned = np.flatnonzero(draw[1] < how.drop)
    if thinned.size:
        lost = rng.random((thinned.size, width)) < how.drop_share * rng.random((thinned.size, 1))
        keep_enough = (present[thinned] & ~lost).sum(axis=1) >= MIN_SPIKES
        times[thinned] = np.where(lost & keep_enough[:, None], np.inf, times[thinned])
    polluted = np.flatnonzero(draw[2] < how.add)
    if polluted.size:
        extra = max(1, int(how.add_share * width))
        span = np.where(np.isfinite(times[polluted]), times[polluted], 0).max(axis=1)
        false = rng.random((polluted.size, extra)) * span[:, None]
        wanted = how.add_share * rng.random(polluted.size) * (size[polluted] + 1)
        false[rng.random(false.shape) >= (wanted / extra)[:, None]] = np.inf
        joined = np.sort(np.concatenate([times[polluted], false], axis=1), axis=1)
        times[polluted] = joined[:, :width]
    changed = np.union1d(np.union1d(moved, thinned), polluted)
    times[changed] = np.sort(times[changed], axis=1)
    size[changed] = np.isfinite(times[changed]).sum(axis=1) - 1
    sampled = np.flatnonzero(draw[3] < how.sample)
    if sampled.size:
        finest, coarsest = np.log([how.finest_ms, how.coarsest_ms])
        grid = np.exp(rng.uniform(finest, coarsest, (sampled.size, 1)))
        # The clock does not start with the first spike.
        phase = rng.random((sampled.size, 1))
        times[sampled] = (np.floor(times[sampled] / grid + phase) - phase) * grid


def _settle(
    isi: Floats, size: NDArray[np.int64], present: NDArray[np.bool_], share: float, rng: np.random.Generator
) -> None:
    """Bring a share of the almost periodic rows of padded intervals (n, L) nearer to their mean, in place."""
    mean = isi.sum(axis=1) / size
    largest = np.abs(np.where(present, isi - mean[:, None], 0)).max(axis=1)
    rows = np.flatnonzero((largest < _ALMOST_PERIODIC * mean) & (rng.random(size.size) < share))
    factor = rng.random((rows.size, 1)) ** 2
    near = mean[rows, None] + factor * (isi[rows] - mean[rows, None])
    isi[rows] = np.where(present[rows], near, 0)


def _assemble(
    trains: Trains,
    rows: Ints,
    first: Ints,
    size: NDArray[np.int64],
    how: Augmentation,
    rng: np.random.Generator,
) -> Batch:
    place = np.arange(int(size.max()) + 1)
    index = np.minimum(first[:, None] + place, trains.times_ms.size - 1)
    times = np.where(place <= size[:, None], trains.times_ms[index], np.inf)
    if how != NO_AUGMENTATION:
        _disturb(times, size, how, rng)
    longest = int(size.max())
    present = place[:longest] < size[:, None]
    isi = np.zeros((rows.size, longest), dtype=np.float32)
    np.subtract(times[:, 1 : longest + 1], times[:, :longest], out=isi, where=present)
    if how.settle > 0:
        _settle(isi, size, present, how.settle, rng)
    return Batch(rows, isi, size)


def epoch_batches(
    trains: Trains,
    batch_size: int,
    how: Augmentation,
    seed: tuple[int, ...],
    longest: int = MAX_INTERVALS,
    start: int = 0,
) -> Iterator[Batch]:
    """Every train once, in random batches of similar lengths; the same for the same ``seed``.

    Parameters
    ----------
    seed : tuple of int
        Run seed and epoch.
    start : int
        Batches to skip, for a run that resumes within an epoch.
    """
    rng = np.random.default_rng([*seed, 0])
    order = rng.permutation(len(trains))
    first, size = _windows(trains, order, how, longest, rng)
    # A little noise on the length keeps trains of one exact length from always meeting.
    by_length = np.argsort(size * rng.uniform(0.95, 1.05, size.size), kind="stable")
    batches = [by_length[i : i + batch_size] for i in range(0, by_length.size, batch_size)]
    for number, b in enumerate(rng.permutation(len(batches))):
        if number >= start:
            pick = batches[b]
            own = np.random.default_rng([*seed, 1, number])
            yield _assemble(trains, order[pick], first[pick], size[pick].copy(), how, own)


def ordered_batches(trains: Trains, batch_size: int = 512, longest: int = MAX_INTERVALS) -> Iterator[Batch]:
    """Every train once, undisturbed, sorted by length; of those longer than ``longest``, the middle."""
    total = trains.n_spikes - 1
    size = np.minimum(total, longest)
    first = trains.offsets[:-1] + (total - size) // 2
    order = np.argsort(size, kind="stable")
    rng = np.random.default_rng(0)
    for i in range(0, order.size, batch_size):
        pick = order[i : i + batch_size]
        yield _assemble(trains, pick, first[pick], size[pick].copy(), NO_AUGMENTATION, rng)
