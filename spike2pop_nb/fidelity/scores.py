"""How alike a member and a recording are: firing pattern, rate, intervals, bursts, van Rossum distance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy
from pydantic import BaseModel, ConfigDict, Field

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.fidelity.judged_patterns import judged_features
from spike2pop_nb.fidelity.variability import Variability
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import FiringPattern, SpikeTrain, TrainFeatures, features, van_rossum
from spike2pop_nb.spiketrains.given import as_train

__all__ = [
    "BURST_FEATURES",
    "REFINED_RULE",
    "PassRule",
    "Verdict",
    "aligned",
    "kernel_ms",
    "pass_rule",
    "rule_in_words",
    "scored",
    "van_rossum_ratio",
    "verify",
]

FloatArray = npt.NDArray[np.float64]
BURST_FEATURES = ("intra_burst_hz", "inter_burst_hz", "burst_duration_ms", "spikes_per_burst")
_ERROR_NAMES = {
    "intra_burst_hz": "intra_burst_error",
    "inter_burst_hz": "inter_burst_error",
    "burst_duration_ms": "burst_duration_error",
    "spikes_per_burst": "spikes_per_burst_error",
}
_WORDS = {
    "rate_error": "rate",
    "isi_distance": "intervals",
    "intra_burst_error": "rate within bursts",
    "inter_burst_error": "burst rate",
    "burst_duration_error": "burst duration",
    "spikes_per_burst_error": "spikes per burst",
}
# What a wrong firing pattern, or an error that cannot be computed, counts in units of its tolerance.
_WRONG = 4.0


class PassRule(BaseModel):
    """When a member fires like the recording: same firing pattern, and every error within its tolerance.

    Patterns are those of the published rule; but where it calls a recording bursting that is only irregular,
    what bursts is told by the shape of the intervals, as `describe_pattern` does.

    Attributes
    ----------
    rate
        Largest relative error of the firing rate. For recordings that burst, `edge_error` is added: they may
        have cut their first and last burst, so that two windows on the same bursts differ in rate.
    isi
        Largest distance of the interval distributions: the Wasserstein distance of ln(ISI), so that 0.25
        means intervals that differ by 28 % on average.
    burst
        Largest relative error of each burst feature that is defined for the recording; for those that burst.

    Examples
    --------
    >>> from spike2pop_nb.fidelity import PassRule
    >>> print(PassRule(rate=0.05).describe())
    A member passes if it has the recording's firing pattern, its rate within 5 %, its ln(ISI) distribution
    within 0.25, and, if bursting, each burst feature within 30 % (and its rate within half a burst more,
    since a recording cuts its first and last).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float = Field(default=0.2, gt=0)
    isi: float = Field(default=0.25, gt=0)
    burst: float = Field(default=0.3, gt=0)

    def tolerance(self, error: str, recording: TrainFeatures) -> float:
        """Return the tolerance of a column of :attr:`Verdict.table` for a recording."""
        rate = self.rate + edge_error(recording)
        return {"rate_error": rate, "isi_distance": self.isi}.get(error, self.burst)

    def describe(self) -> str:
        """Say the rule in one sentence."""
        return (
            f"A member passes if it has the recording's firing pattern, its rate within "
            f"{100 * self.rate:.0f} %, its ln(ISI) distribution within {self.isi:g}, and, if bursting, "
            f"each burst feature within {100 * self.burst:.0f} % (and its rate within half a burst more, "
            "since a recording cuts its first and last)."
        )


def edge_error(recording: TrainFeatures) -> float:
    """Return the relative error of a rate by half a burst of those recorded; 0 without bursts."""
    return 0.5 / (recording.n_bursts + 2) if recording.n_bursts else 0.0


REFINED_RULE = PassRule(rate=0.01, burst=0.05)
"""When a refined member passes: rate within 1 %, burst features within 5 %."""


def pass_rule(
    refine: bool = True, rate: float | None = None, isi: float | None = None, burst: float | None = None
) -> PassRule:
    """Return the rule by which members are judged, with tolerances of your own.

    Parameters
    ----------
    refine
        Whether the members are refined: then they are held to `REFINED_RULE`, else to the wider default.
    rate, isi, burst
        Tolerances that replace those of the rule; see `PassRule`.

    Examples
    --------
    >>> pass_rule(rate=0.02)
    PassRule(rate=0.02, isi=0.25, burst=0.05)
    """
    given = {"rate": rate, "isi": isi, "burst": burst}
    rule = REFINED_RULE if refine else PassRule()
    return PassRule(**rule.model_dump() | {name: value for name, value in given.items() if value is not None})


def rule_in_words(
    tolerance: str | None,
    refine: bool = True,
    rate: float | None = None,
    isi: float | None = None,
    burst: float | None = None,
) -> PassRule | Literal["own"] | None:
    """Return the rule that a user names; None leaves it to each recording.

    Parameters
    ----------
    tolerance
        ``"own"`` for the recording's own variability, or a share of rate and burst features such as ``"1%"``.
    refine, rate, isi, burst
        As in `pass_rule`.

    Raises
    ------
    SpikeTrainError
        If it is neither, or ``"own"`` beside tolerances by number.

    Examples
    --------
    >>> from spike2pop_nb.fidelity import rule_in_words
    >>> rule_in_words("20%")
    PassRule(rate=0.2, isi=0.25, burst=0.2)
    """
    given = [value for value in (rate, isi, burst) if value is not None]
    if tolerance is None:
        return pass_rule(refine, rate, isi, burst) if given or not refine else None
    text = tolerance.strip().lower()
    if text == "own" and not given:
        return "own"
    try:
        share = float(text.removesuffix("%").replace(",", ".")) / 100.0
    except ValueError:
        share = math.nan
    if not (text.endswith("%") and 0.0 < share <= 10.0):
        numbers = " (and no tolerance by number beside “own”)" if given else ""
        raise SpikeTrainError(
            f"The tolerance is “own” or a percentage such as 1% or 20%{numbers}, not {tolerance[:40]!r}."
        )
    return pass_rule(refine, share if rate is None else rate, isi, share if burst is None else burst)


@dataclass(frozen=True, eq=False)
class Verdict:
    """Scores of the members of one population against one recording.

    Attributes
    ----------
    recording
        What the recording is: class, rate, burst features.
    table
        One row per member: id, member, score (1 = alike, 0.5 = at the tolerance), passed, pattern, rate_hz,
        rate_error, isi_distance, the errors of burst features, van_rossum, reasons (why it fell).
    rule
        The pass rule.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> verdict = s2p.verify(train, s2p.simulate(population))
    >>> verdict.passed.shape, 0 <= verdict.acceptance <= 1
    ((4,), True)
    """

    recording: TrainFeatures
    table: pd.DataFrame
    rule: PassRule | Variability

    @property
    def passed(self) -> npt.NDArray[np.bool_]:
        """Which members pass, shape (n,)."""
        return self.table["passed"].to_numpy(bool)

    @property
    def acceptance(self) -> float:
        """Share of members that pass; NaN for none."""
        return float(self.passed.mean()) if len(self.table) else float("nan")

    @property
    def best(self) -> int:
        """Row of the member with the highest score among those that passed, or among all if none did.

        Raises
        ------
        SpikeTrainError
            If there are no members.
        """
        if not len(self.table):
            raise SpikeTrainError("There are no members to choose the best from.")
        score = np.where(self.passed, 1.0, 0.0) + self.table["score"].to_numpy(float)
        return int(np.argmax(score))

    def select(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Verdict:
        """Return some of the members."""
        return Verdict(self.recording, self.table.iloc[np.asarray(rows)].reset_index(drop=True), self.rule)


def aligned(times_ms: FloatArray, length_ms: float | None = None) -> FloatArray:
    """Return spike times with the first spike at 0, up to a length if one is given."""
    shifted = times_ms - times_ms[0] if len(times_ms) else times_ms
    return shifted if length_ms is None else shifted[shifted <= length_ms]


def kernel_ms(train: SpikeTrain) -> float:
    """Return the time constant of the van Rossum kernel: (min ISI + max ISI)/2 of the recording, in ms."""
    return 0.5 * float(train.isi_ms.min() + train.isi_ms.max())


def verify(
    train: SpikeTrain,
    simulated: Simulated,
    rule: PassRule | Variability | None = None,
    *,
    with_van_rossum: bool = True,
) -> Verdict:
    """Score each simulated member against the recording.

    The score is ``2 ** −mean(error / tolerance)`` over all errors that count, a wrong firing pattern counting
    four tolerances. The van Rossum distance (van Rossum 2001, doi:10.1162/089976601300014321) compares the
    trains with their first spikes aligned over the time that both were observed, and is divided by that of a
    silent member, so that 0 is the same train and 1 as far as no spikes at all; it is reported and not part
    of the pass rule, since a small error of the period alone soon makes it large.

    Parameters
    ----------
    train
        The recording: a `SpikeTrain`, times in ms, or a train of neo, pynapple or quantities in its own unit.
    simulated
        Members.
    rule
        Tolerances; the default :class:`PassRule` if none. By a recording's own `Variability` the score is
        2 ** −distance, and the table has the ``distance`` and what it is made of besides.
    with_van_rossum
        Whether to compute that distance (the slow part).

    Returns
    -------
    Verdict

    Raises
    ------
    SpikeTrainError
        If the recording is silent (under 3 spikes), so that there is nothing to compare with.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> verdict = s2p.verify(train, s2p.simulate(population))
    >>> verdict.table.columns[:5].tolist()
    ['id', 'member', 'score', 'passed', 'pattern']
    """
    rule = rule or PassRule()
    train = as_train(train)
    if train.n_spikes < 3:
        raise SpikeTrainError(
            f"Recording {train.id!r} is silent ({train.n_spikes} spikes, under 3): no member can be compared."
        )
    tell = features if isinstance(rule, Variability) else judged_features(train)
    recording = tell(train)

    def score(times: FloatArray) -> dict[str, object]:
        if isinstance(rule, Variability):
            return rule.judge(times)
        return _score(recording, train, times, rule, tell(times))

    rows = [
        _failed(simulated.reasons[i]) if i in simulated.reasons else score(times)
        for i, times in enumerate(simulated.spike_times_ms)
    ]
    _found, table = scored(train, simulated, pd.DataFrame(rows), with_van_rossum)
    return Verdict(recording, table, rule)


def scored(
    train: SpikeTrain, simulated: Simulated, judged: pd.DataFrame, with_van_rossum: bool = True
) -> tuple[TrainFeatures, pd.DataFrame]:
    """Return what a recording is, and the table of a `Verdict` of members that were judged by any rule."""
    wanted = features(train)
    columns = ["id", "member", "score", "passed", "pattern", "rate_hz", "rate_error", "isi_distance"]
    columns += [*_ERROR_NAMES.values(), "van_rossum", "reasons"]
    names = pd.DataFrame(simulated.labels, columns=["id", "member"])
    table = pd.concat([names, judged], axis=1).reindex(
        columns=[*columns, *judged.columns.difference(columns)]
    )
    if with_van_rossum and len(table):
        observed = simulated.duration_ms - simulated.transient_ms
        length = min(train.duration_ms, observed)
        reference = aligned(train.times_ms, length)
        others = [aligned(times, length) for times in simulated.spike_times_ms]
        distances = van_rossum(reference, [np.zeros(0), *others], kernel_ms(train))
        table["van_rossum"] = distances[1:] / distances[0]
    return wanted, table


def _failed(why: str) -> dict[str, object]:
    """Return the row of a member that could not be simulated."""
    return {"score": 0.0, "passed": False, "pattern": "failed", "rate_hz": np.nan, "reasons": why}


def _score(
    wanted: TrainFeatures, train: SpikeTrain, times: FloatArray, rule: PassRule, found: TrainFeatures
) -> dict[str, object]:
    """Compare one member with the recording."""
    errors: dict[str, float] = {}
    reasons = []
    if found.pattern is not wanted.pattern:
        reasons.append(f"{found.pattern} instead of {wanted.pattern}")
    errors["rate_error"] = abs(found.rate_hz / wanted.rate_hz - 1.0)
    errors["isi_distance"] = (
        float(scipy.stats.wasserstein_distance(np.log(np.diff(times)), np.log(train.isi_ms)))
        if len(times) > 1
        else np.nan
    )
    if wanted.pattern is FiringPattern.BURSTING and wanted.n_bursts:
        for name, column in _ERROR_NAMES.items():
            if np.isfinite(getattr(wanted, name)):
                errors[column] = _relative(getattr(found, name), getattr(wanted, name))
    excess = []
    for name, error in errors.items():
        tolerance = rule.tolerance(name, wanted)
        excess.append(error / tolerance if np.isfinite(error) else _WRONG)
        if not error <= tolerance and not (reasons and not np.isfinite(error)):
            by = f" off by {100 * error:.0f} %" if np.isfinite(error) else " undefined"
            reasons.append(_WORDS[name] + by)
    excess.append(0.0 if found.pattern is wanted.pattern else _WRONG)
    return {
        "score": float(2.0 ** -np.mean(excess)),
        "passed": not reasons,
        "pattern": str(found.pattern),
        "rate_hz": found.rate_hz,
        "reasons": "; ".join(reasons),
        **errors,
    }


def _relative(found: float, wanted: float) -> float:
    """Relative error; of nothing where there is to be nothing, as the duration of single spikes, it is 0."""
    if wanted == 0.0:
        return 0.0 if found == 0.0 else float("nan")
    return abs(found / wanted - 1.0)


def van_rossum_ratio(
    train: SpikeTrain, members: Sequence[FloatArray], siblings: Sequence[FloatArray]
) -> float:
    """Return the published fidelity R_VR.

    Mean van Rossum distance from the recording to the members, over the mean distance to its true siblings
    (members made with the recording's own DICs); first spikes aligned. 1 is as good as knowing the DICs.

    Raises
    ------
    SpikeTrainError
        If there are no members or no siblings, or the recording is silent.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import van_rossum_ratio
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> van_rossum_ratio(train, [train.times_ms + 5.0], [train.times_ms[1:]]) < 1
    True
    """
    if not members or not siblings or train.n_spikes < 3:
        raise SpikeTrainError("R_VR needs a recording of at least 3 spikes, members, and siblings.")
    trains = [aligned(np.asarray(times)) for times in (*members, *siblings)]
    distances = van_rossum(aligned(train.times_ms), trains, kernel_ms(train))
    return float(distances[: len(members)].mean() / distances[len(members) :].mean())
