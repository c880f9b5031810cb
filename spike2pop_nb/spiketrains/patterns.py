"""Firing-pattern class and burst features of a spike train.

The class follows the published rule: fewer than 3 spikes are *silent*, CV(ISI) ≤ 0.15 is regular *spiking*,
anything else *bursting*, with bursts split where an interval exceeds (min + max)/2 and the first and last
burst dropped because the recording may have cut them (Brandoit et al. 2026,
doi:10.1371/journal.pcbi.1014337).

That rule, called "published" elsewhere, was made for simulated neurons and calls every irregular train
bursting; `describe_pattern` does not. `features` keeps to the rule and adds one check: the intervals on the
two sides of the split must form two groups. Where they do not, or where too few bursts are left, the features
are NaN and `TrainFeatures.notes` says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from spike2pop_nb.errors import SpikeTrainError

from .train import FloatArray, SpikeTrain

__all__ = [
    "MIN_PAUSE_POSITION",
    "MIN_SEPARATION",
    "REGULAR_CV",
    "SILENT_BELOW",
    "FiringPattern",
    "IsiStatistics",
    "TrainFeatures",
    "classify",
    "features",
    "isi_statistics",
]

SILENT_BELOW: Final = 3
"""A train of fewer spikes than this is silent."""

REGULAR_CV: Final = 0.15
"""Largest coefficient of variation of the intervals of a regular, *spiking* train."""

MIN_SEPARATION: Final = 0.5
"""Smallest gap between short and long intervals, in units of the spread of both groups, that makes bursts."""

MIN_PAUSE_POSITION: Final = 0.2
"""Smallest place of the median long interval between the split (0) and the longest interval (1): a lower one
is the tail of a single group rather than a group of pauses."""

_NAN = float("nan")


class FiringPattern(StrEnum):
    """Firing pattern of a train.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> s2p.classify(train)
    <FiringPattern.BURSTING: 'bursting'>
    """

    SILENT = "silent"
    SPIKING = "spiking"
    BURSTING = "bursting"

    @property
    def code(self) -> int:
        """Class number used in tables: silent 0, spiking 1, bursting 2."""
        return _CODES[self]


_CODES = {pattern: code for code, pattern in enumerate(FiringPattern)}


@dataclass(frozen=True)
class TrainFeatures:
    """What a train's intervals say about its firing pattern.

    Attributes
    ----------
    pattern : FiringPattern
        Class by the published rule.
    rate_hz : float
        Inverse of the mean interval in Hz; 0 for fewer than two spikes.
    cv : float
        Coefficient of variation of the intervals (population standard deviation over mean); NaN for fewer
        than two intervals.
    intra_burst_hz : float
        Mean over bursts of two spikes or more of (spikes − 1)/duration, in Hz.
    inter_burst_hz : float
        Burst rate in Hz: inverse of the mean time from one burst's first spike to the next one's.
    burst_duration_ms : float
        Mean time from a burst's first to its last spike in ms; a burst of one spike counts as 0.
    spikes_per_burst : float
        Mean number of spikes in a burst.
    n_bursts : int
        Number of bursts the features were taken from; 0 where they are NaN.
    notes : tuple of str
        Where the definition is shaky for this train, one sentence each.

    Notes
    -----
    The four burst features are NaN for silent and regular trains.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> found = s2p.features(train)
    >>> round(found.inter_burst_hz, 2), round(found.spikes_per_burst, 1)
    (7.39, 3.0)
    """

    pattern: FiringPattern
    rate_hz: float
    cv: float
    intra_burst_hz: float = _NAN
    inter_burst_hz: float = _NAN
    burst_duration_ms: float = _NAN
    spikes_per_burst: float = _NAN
    n_bursts: int = 0
    notes: tuple[str, ...] = ()


def classify(train: SpikeTrain | ArrayLike) -> FiringPattern:
    """Firing-pattern class of a train by the published rule.

    Parameters
    ----------
    train : SpikeTrain or array_like of float, shape (n,)
        A train, or its sorted spike times in ms.

    Returns
    -------
    FiringPattern
        Silent below 3 spikes, spiking for CV(ISI) ≤ 0.15, otherwise bursting.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> str(s2p.classify(np.arange(0, 1000, 50)))
    'spiking'
    """
    times = _times(train)
    return _pattern(times.size, _cv(np.diff(times)))


def features(train: SpikeTrain | ArrayLike) -> TrainFeatures:
    """Firing-pattern class, rate and burst features of a train.

    Parameters
    ----------
    train : SpikeTrain or array_like of float, shape (n,)
        A train, or its sorted spike times in ms.

    Returns
    -------
    TrainFeatures
        With NaN where a feature is undefined and a note that says why.

    Notes
    -----
    Bursts are split at intervals above (min + max)/2. Then:

    - three bursts or more: the first and the last are dropped; the rest count, and burst periods are taken
      between first spikes of all bursts but the first (whose first spike may be missing);
    - two bursts of at least two spikes each: nothing would be left, so both are used, with a note;
    - two bursts of which one is a single spike: NaN;
    - short and long intervals that do not form two groups: NaN. With q10 and q90 the 10 % and 90 % points of
      a group, the gap (q10 of the long − q90 of the short) over the sum of both groups' (q90 − q10) must
      reach `MIN_SEPARATION`, and the median long interval must reach `MIN_PAUSE_POSITION`. Of Poisson trains
      of 100 spikes or more about 1 in 20 passes, of 30 spikes 1 in 6; bursts with a jitter of 20 % in their
      pauses pass at any length.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> found = s2p.features(train)
    >>> str(found.pattern), round(found.rate_hz, 1), found.n_bursts
    ('bursting', 22.2, 21)
    """
    times = _times(train)
    isi = np.diff(times)
    cv = _cv(isi)
    pattern = _pattern(times.size, cv)
    rate = _rate_hz(train, times)
    if pattern is not FiringPattern.BURSTING:
        return TrainFeatures(pattern, rate, cv)

    short_long = np.sort(isi)
    split = 0.5 * (short_long[0] + short_long[-1])
    if not _two_groups(short_long, split):
        note = (
            f"The intervals vary (CV {cv:.2f}) without falling into short and long ones, so this is an "
            "irregular train or a single burst rather than bursting, and burst features are left undefined."
        )
        return TrainFeatures(pattern, rate, cv, notes=(note,))
    return _burst_features(times, isi > split, pattern, rate, cv)


def _burst_features(
    times: FloatArray, is_pause: np.ndarray, pattern: FiringPattern, rate: float, cv: float
) -> TrainFeatures:
    pauses = np.flatnonzero(is_pause)
    first = np.empty(pauses.size + 1, dtype=np.intp)
    last = np.empty_like(first)
    first[0], first[1:] = 0, pauses + 1
    last[-1], last[:-1] = times.size - 1, pauses
    counts = last - first + 1
    onsets = times[first]
    durations = times[last] - onsets

    notes: list[str] = []
    if first.size >= 3:
        counts, durations, onsets = counts[1:-1], durations[1:-1], onsets[1:]
        if counts.size < 3:
            whole = "burst is" if counts.size == 1 else "bursts are"
            notes.append(
                f"Only {counts.size} whole {whole} left after the first and last are dropped, "
                "so the burst features are uncertain."
            )
    elif counts.min() >= 2:
        notes.append(
            "The train holds two bursts only, so neither could be dropped; "
            "the burst features include both, either of which the recording may have cut."
        )
    else:
        notes.append(
            f"The train holds one pause and {times.size} spikes, too few to say what its bursts are, "
            "so burst features are left undefined."
        )
        return TrainFeatures(pattern, rate, cv, notes=tuple(notes))

    several = counts >= 2
    n_single = int(counts.size - np.count_nonzero(several))
    if n_single:
        notes.append(
            f"{n_single} of {counts.size} bursts hold a single spike; they count in the number of spikes and "
            "with a duration of 0, and have no intra-burst frequency."
        )
    intra = _NAN
    if n_single < counts.size:
        intra = 1000.0 * float(((counts[several] - 1) / durations[several]).mean())
    return TrainFeatures(
        pattern=pattern,
        rate_hz=rate,
        cv=cv,
        intra_burst_hz=intra,
        inter_burst_hz=1000.0 * (onsets.size - 1) / float(onsets[-1] - onsets[0]),
        burst_duration_ms=float(durations.mean()),
        spikes_per_burst=float(counts.mean()),
        n_bursts=int(counts.size),
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class IsiStatistics:
    """Variability of the intervals of a train; NaN where there are too few.

    Attributes
    ----------
    cv : float
        Coefficient of variation.
    cv2 : float
        Local coefficient of variation (Holt et al. 1996).
    lv : float
        Local variation (Shinomoto et al. 2003). For cv2 and lv a Poisson train gives 1, a regular one 0.

    Examples
    --------
    >>> from spike2pop_nb.spiketrains import isi_statistics
    >>> round(isi_statistics([0, 10, 30, 40, 60]).lv, 3)
    0.333
    """

    cv: float
    cv2: float
    lv: float


def isi_statistics(train: SpikeTrain | ArrayLike) -> IsiStatistics:
    """Global and local variability of the intervals, computed by Elephant.

    Parameters
    ----------
    train : SpikeTrain or array_like of float, shape (n,)
        A train, or its sorted spike times in ms.

    Returns
    -------
    IsiStatistics
        All NaN for fewer than three spikes.

    Examples
    --------
    >>> from spike2pop_nb.spiketrains import isi_statistics
    >>> found = isi_statistics([0, 10, 30, 40, 60])
    >>> round(found.cv, 3), round(found.cv2, 3)
    (0.333, 0.667)
    """
    isi = np.diff(_times(train))
    if isi.size < 2:
        return IsiStatistics(_NAN, _NAN, _NAN)
    from elephant import statistics  # over a second to import, and not needed to read a file

    return IsiStatistics(float(statistics.cv(isi)), float(statistics.cv2(isi)), float(statistics.lv(isi)))


def _times(train: SpikeTrain | ArrayLike) -> FloatArray:
    if isinstance(train, SpikeTrain):
        return train.times_ms
    times = np.asarray(train, dtype=np.float64)
    if times.ndim != 1:
        raise SpikeTrainError(f"Spike times have shape {times.shape}; a train is one list of times.")
    return times


def _pattern(n_spikes: int, cv: float) -> FiringPattern:
    if n_spikes < SILENT_BELOW:
        return FiringPattern.SILENT
    return FiringPattern.SPIKING if cv <= REGULAR_CV else FiringPattern.BURSTING


def _cv(isi: FloatArray) -> float:
    return float(isi.std() / isi.mean()) if isi.size >= 2 else _NAN


def _rate_hz(train: SpikeTrain | ArrayLike, times: FloatArray) -> float:
    if isinstance(train, SpikeTrain):
        return train.rate_hz
    return 1000.0 * (times.size - 1) / float(times[-1] - times[0]) if times.size > 1 else 0.0


def _two_groups(isi_sorted: FloatArray, split: float) -> bool:
    """Whether the intervals below and above `split` are two groups (see `features`)."""
    n_short = int(np.searchsorted(isi_sorted, split, side="right"))
    short, long = isi_sorted[:n_short], isi_sorted[n_short:]
    if not long.size:  # only rounding can make all intervals equal to the middle of their range
        return False
    # Order statistics instead of np.quantile, which would cost more than all the rest.
    tenth, last = (short.size - 1) // 10, short.size - 1
    short_low, short_high = short[tenth], short[last - tenth]
    tenth, last = (long.size - 1) // 10, long.size - 1
    long_low, long_high = long[tenth], long[last - tenth]
    spread = (short_high - short_low) + (long_high - long_low)
    pause = long[long.size // 2]
    return bool(
        long_low - short_high >= MIN_SEPARATION * spread
        and pause - split >= MIN_PAUSE_POSITION * (isi_sorted[-1] - split)
    )
