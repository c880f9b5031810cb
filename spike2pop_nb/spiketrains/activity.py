"""Firing pattern told from local measures: silent, regular tonic, irregular tonic or bursting.

The published rule (patterns.py) calls every train of CV > 0.15 bursting. Here a train is bursting only if its
intervals form two groups that alternate; what is left is told apart by how unlike neighbouring intervals are,
so that a drifting rate or a missed spike makes no tonic neuron irregular. README.md says how often this is
right and how the limits were chosen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, cast

from numpy.typing import ArrayLike

from spike2pop_nb.errors import SpikeTrainError

from .intervals import IntervalMeasures, measure_intervals
from .patterns import REGULAR_CV, SILENT_BELOW
from .train import FloatArray, SpikeTrain

__all__ = ["CERTAIN", "REGULAR_LOCAL_CV", "ActivityPattern", "PatternReport", "describe_pattern"]

REGULAR_LOCAL_CV: Final = 0.3
"""Largest local CV of a regular train. A convention: strong noise (5 µA/cm²) leaves 98 % of the tonic STG
neurons below it."""

CERTAIN: Final = 0.8
"""Confidence below which a report calls itself uncertain."""

_MIN_RATIO: Final = 2.8
_MIN_STEP: Final = 2.0
_MIN_IN_BURSTS: Final = 0.5
_FEW_PAUSES: Final = 2
_MIN_IN_FEW_PAUSES: Final = 0.15
# Standard error of the logarithm of `local_cv`, times the root of the number of pairs; of gamma intervals.
_LOCAL_CV_ERROR: Final = 1.13
# One burst: the spikes fill at most a third of the observed time and are few.
_EPISODE_SHARE: Final = 1 / 3
_EPISODE_SPIKES: Final = 30
_EPISODE_GAP: Final = 5.0
_EPISODE_CONFIDENCE: Final = 0.6
_SHORT_TRAIN: Final = 20
_NOTED_RATE_CHANGE: Final = 1.25


class ActivityPattern(StrEnum):
    """Firing pattern in the words of the field.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> s2p.describe_pattern(train).kind
    <ActivityPattern.BURSTING: 'bursting'>
    """

    SILENT = "silent"
    REGULAR = "regular tonic"
    IRREGULAR = "irregular tonic"
    BURSTING = "bursting"


@dataclass(frozen=True)
class PatternReport:
    """What a train's firing pattern is, how sure that is, and why.

    Attributes
    ----------
    kind : ActivityPattern
        The pattern.
    confidence : float
        From 0 to 1: about the share of trains like this one for which `kind` is right; below 0.6, a guess.
    reasons : tuple of str
        Why, one sentence each.
    notes : tuple of str
        What to beware of, one sentence each.
    measures : IntervalMeasures
        The numbers behind it.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> print(s2p.describe_pattern(trains[0]).describe())
    Regular tonic (confidence 1.00). Neighbouring intervals vary with a local CV of 0.00, within the limit of
    0.3 for a regular train.
    """

    kind: ActivityPattern
    confidence: float
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()
    measures: IntervalMeasures = field(default_factory=IntervalMeasures)

    @property
    def uncertain(self) -> bool:
        """Whether the confidence is below `CERTAIN`."""
        return self.confidence < CERTAIN

    def describe(self) -> str:
        """Say the pattern, how sure it is, why, and what to beware of."""
        words = f"uncertain, perhaps {self.kind}" if self.uncertain else str(self.kind)
        return f"{words[0].upper()}{words[1:]} (confidence {self.confidence:.2f}). " + " ".join(
            (*self.reasons, *self.notes)
        )

    def __str__(self) -> str:
        return self.describe()


def describe_pattern(
    train: SpikeTrain | ArrayLike, *, regular_local_cv: float = REGULAR_LOCAL_CV
) -> PatternReport:
    """Firing pattern of a train, with its confidence and the reasons.

    Parameters
    ----------
    train : SpikeTrain or array_like of float, shape (n,)
        A train, or its sorted spike times in ms. Only a `SpikeTrain` with a window can be found to hold a
        single burst: without the silence around it, a burst looks like a short tonic train.
    regular_local_cv : float, optional
        Local CV up to which a tonic train is regular.

    Returns
    -------
    PatternReport

    Raises
    ------
    SpikeTrainError
        When the times are not one strictly increasing list, or `regular_local_cv` is not a positive number.

    Notes
    -----
    Fewer than 3 spikes are silent. A train is bursting if all of these hold, and `confidence` falls with the
    one that holds by the least:

    - two groups of intervals explain the train better than one;
    - pauses are at least 2.8 times longer than the other intervals (a missed spike doubles one), and begin or
      end within one interval (at least a factor of 2), which no smooth change of the rate does;
    - at least half of the spikes have a neighbour within a burst: occasional doublets are no bursting;
    - there are bursts on both sides of a pause, and three pauses or more unless they take 15 % of the time.

    Otherwise it is tonic, regular up to `regular_local_cv`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> report = s2p.describe_pattern(train)
    >>> str(report.kind), round(report.confidence, 2)
    ('bursting', 1.0)
    """
    if not (math.isfinite(regular_local_cv) and regular_local_cv > 0):
        raise SpikeTrainError(
            f"The largest local CV of a regular train is {regular_local_cv}; it must be a positive number."
        )
    checked = train if isinstance(train, SpikeTrain) else SpikeTrain("train", cast(FloatArray, train))
    times, n_spikes, window = checked.times_ms, checked.n_spikes, checked.window_ms
    measures = measure_intervals(checked.isi_ms)
    if n_spikes < SILENT_BELOW:
        return _silent(n_spikes, measures)

    weakest, score = _weakest_condition(measures)
    bursting = 1.0 / (1.0 + math.exp(-max(min(score, 50.0), -50.0)))
    notes = _notes(measures, n_spikes)
    if score > 0:
        reason, more = _burst_reason(measures)
        confidence = _shrunk(bursting, n_spikes)
        return PatternReport(ActivityPattern.BURSTING, confidence, (reason,), (*more, *notes), measures)
    if window is not None and _one_episode(times[0], times[-1], window, n_spikes, measures):
        reason = (
            f"All {n_spikes} spikes lie within {_ms(times[-1] - times[0])} of an observed "
            f"{_ms(window[1] - window[0])}: one burst, or a short stretch of firing."
        )
        return PatternReport(ActivityPattern.BURSTING, _EPISODE_CONFIDENCE, (reason,), notes, measures)

    off = math.log(max(measures.local_cv, 1e-6) / regular_local_cv)
    spread = _LOCAL_CV_ERROR / math.sqrt(n_spikes - 2)
    regular = 0.5 * math.erfc(off / spread / math.sqrt(2.0))
    kind = ActivityPattern.REGULAR if off <= 0 else ActivityPattern.IRREGULAR
    confidence = (1.0 - bursting) * max(regular, 1.0 - regular)
    side = "within" if off <= 0 else "above"
    reasons = (
        f"Neighbouring intervals vary with a local CV of {measures.local_cv:.2f}, {side} the limit of "
        f"{regular_local_cv:g} for a regular train.",
        *_why_no_bursts(measures, weakest),
    )
    return PatternReport(kind, _shrunk(confidence, n_spikes), reasons, notes, measures)


def _weakest_condition(found: IntervalMeasures) -> tuple[str, float]:
    """Condition of bursting that holds by the least, and by how much: about the logarithm of the odds."""
    if not found.n_pauses:
        return "groups", -math.inf
    scores = {
        "groups": found.evidence_nats,
        "ratio": math.log(found.pause_ratio / _MIN_RATIO) / 0.1,
        "step": math.log(found.step / _MIN_STEP) / 0.1,
        "close": (found.in_bursts - _MIN_IN_BURSTS) / 0.05,
        "return": 5.0 * (found.n_bursts - 1.5),
    }
    if found.n_pauses <= _FEW_PAUSES:
        scores["time"] = (found.in_pauses - _MIN_IN_FEW_PAUSES) / 0.03
    weakest = min(scores, key=scores.__getitem__)
    return weakest, scores[weakest]


def _shrunk(confidence: float, n_spikes: int) -> float:
    """Confidence drawn towards a guess among three kinds where the spikes are few."""
    known = 1.0 - math.exp(-n_spikes / 6.0)
    return 1.0 / 3.0 + (confidence - 1.0 / 3.0) * known


def _silent(n_spikes: int, measures: IntervalMeasures) -> PatternReport:
    if n_spikes == 0:
        return PatternReport(ActivityPattern.SILENT, 1.0, ("The train holds no spike.",), (), measures)
    spikes = "1 spike" if n_spikes == 1 else f"{n_spikes} spikes"
    reason = f"The train holds {spikes}; fewer than {SILENT_BELOW} count as silent."
    note = "A neuron that fires now and then looks the same in a short recording."
    return PatternReport(ActivityPattern.SILENT, 0.7, (reason,), (note,), measures)


def _one_episode(
    first: float, last: float, window: tuple[float, float], n_spikes: int, measures: IntervalMeasures
) -> bool:
    silence = max(first - window[0], window[1] - last)
    return (
        n_spikes <= _EPISODE_SPIKES
        and last - first <= _EPISODE_SHARE * (window[1] - window[0])
        and silence >= _EPISODE_GAP * measures.longest_ms
    )


def _burst_reason(found: IntervalMeasures) -> tuple[str, tuple[str, ...]]:
    groups = found.n_pauses + 1
    pauses = "1 pause" if found.n_pauses == 1 else f"{found.n_pauses} pauses"
    reason = (
        f"Bursts are separated by {pauses} of typically {_ms(found.pause_ms)}, {found.pause_ratio:.1f} times "
        f"the other intervals ({_ms(found.short_ms)})."
    )
    notes = []
    if groups <= _FEW_PAUSES + 1:
        notes.append(f"The recording holds {groups} bursts only.")
    if found.n_single:
        hold = "holds" if found.n_single == 1 else "hold"
        notes.append(f"{found.n_single} of {groups} bursts {hold} a single spike.")
    return reason, tuple(notes)


def _why_no_bursts(found: IntervalMeasures, weakest: str) -> tuple[str, ...]:
    """One sentence for a train that the published rule calls bursting."""
    if found.cv <= REGULAR_CV or not found.n_pauses:
        return ()
    if found.n_pauses <= _FEW_PAUSES and found.in_pauses <= _MIN_IN_FEW_PAUSES:
        weakest = "time"
    because = {
        "groups": "its intervals form one group, not short ones and pauses",
        "ratio": f"its longer intervals are only {found.pause_ratio:.1f} times the others, "
        "as where spikes were missed",
        "step": "its rate changes smoothly",
        "close": f"only {100 * found.in_bursts:.0f} % of its spikes lie close together",
        "return": "its rate changes only once",
        "time": f"its gaps are few and take only {100 * found.in_pauses:.0f} % of the time",
    }[weakest]
    return (f"Although its overall CV is {found.cv:.2f}, it is not bursting: {because}.",)


def _ms(value: float) -> str:
    return f"{float(f'{value:.3g}'):g} ms"


def _notes(found: IntervalMeasures, n_spikes: int) -> tuple[str, ...]:
    notes = []
    factor = max(found.rate_change, 1.0 / found.rate_change)
    if factor >= _NOTED_RATE_CHANGE:
        way = "rises" if found.rate_change > 1 else "falls"
        notes.append(f"The rate {way} by a factor of {factor:.1f} from start to end.")
    if n_spikes < _SHORT_TRAIN:
        notes.append(f"{n_spikes} spikes are few to tell a pattern by.")
    return tuple(notes)
