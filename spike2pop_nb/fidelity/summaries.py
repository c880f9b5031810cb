"""What of a train must match the recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spike2pop_nb.fidelity.judged_patterns import judged_features
from spike2pop_nb.fidelity.scores import PassRule
from spike2pop_nb.spiketrains import FiringPattern, SpikeTrain, TrainFeatures, features

__all__ = ["Summaries"]

FloatArray = npt.NDArray[np.float64]
Spikes = list[FloatArray]

# Members stop at these shares of the tolerances that they are verified with, so that few fall short of them.
AIM = 0.3
_WHOLE = 0.45  # spikes in a burst: a tolerance below it leaves one more or less out


@dataclass(frozen=True, eq=False)
class Summaries:
    """What of a train must match the recording, as logarithms, and how closely.

    Attributes
    ----------
    names
        Features of :class:`~spike2pop_nb.spiketrains.TrainFeatures`.
    pattern
        The recording's firing pattern; trains of another have no summaries.
    wanted : (q,)
        Of the recording.
    tolerance : (q,)
        Within which a member has arrived.
    held : (q,) bool
        What must be right before the others can be steered: spikes per burst if they are so few that one
        more or less is too many, since activity jumps where a burst gains or loses a spike.
    tell
        What tells the features of trains.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import REFINED_RULE, Summaries
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> Summaries.of(train, REFINED_RULE).names
    ('inter_burst_hz', 'intra_burst_hz', 'spikes_per_burst')
    """

    names: tuple[str, ...]
    pattern: FiringPattern
    wanted: FloatArray
    tolerance: FloatArray
    held: npt.NDArray[np.bool_]
    tell: Callable[[FloatArray], TrainFeatures] = field(default=features, repr=False)

    @classmethod
    def of(cls, train: SpikeTrain, rule: PassRule) -> Summaries:
        """Choose what must match: of bursts their rate, the rate within, the spikes; else rate (and CV)."""
        tell = judged_features(train)
        found = tell(train)
        names: tuple[str, ...]
        if found.n_bursts:
            # the rate is the product of burst rate and spikes per burst
            names, limits = ("inter_burst_hz", "spikes_per_burst"), [min(rule.rate, rule.burst)] * 2
            if found.intra_burst_hz > 0:  # bursts of one spike have none
                names, limits = (names[0], "intra_burst_hz", names[1]), [limits[0], rule.burst, limits[1]]
        elif found.pattern is FiringPattern.BURSTING or not _like_a_clock(train, rule):  # irregular
            names, limits = ("rate_hz", "cv"), [rule.rate, rule.burst]
        else:
            names, limits = ("rate_hz",), [rule.rate]
        wanted = np.array([np.log(getattr(found, name)) for name in names])
        tolerance = AIM * np.array(limits)
        held = np.array([name == "spikes_per_burst" for name in names])
        held &= found.spikes_per_burst * rule.burst < _WHOLE  # False for NaN
        tolerance[held] = np.log1p(rule.burst)
        return cls(names, found.pattern, wanted, tolerance, held, tell)

    def measure(self, spikes: Spikes) -> FloatArray:
        """Return the summaries of trains, (n, q); NaN where a train fires otherwise or has none."""
        out = np.full((len(spikes), len(self.names)), np.nan)
        for row, times in enumerate(spikes):
            found = self.tell(times)
            if found.pattern is self.pattern:
                values = np.array([getattr(found, name) for name in self.names])
                if np.all(values > 0):  # False for NaN
                    out[row] = np.log(values)
        return out

    def alike(self, y: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether trains have the recording's firing pattern, (n,)."""
        return np.asarray(np.isfinite(y).all(axis=1))

    def within(self, y: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether trains have it, and what is held, (n,)."""
        close = np.abs(y - self.wanted) <= self.tolerance
        return np.asarray(self.alike(y) & close[:, self.held].all(axis=1))

    def misfit(self, y: FloatArray) -> FloatArray:
        """Return the largest distance from the recording in units of the tolerance, (n,).

        Infinite if not `within`.
        """
        worst: FloatArray = np.abs((y - self.wanted) / self.tolerance).max(axis=1, initial=0.0)
        return np.where(self.within(y), worst, np.inf)


def _like_a_clock(train: SpikeTrain, rule: PassRule) -> bool:
    """Whether intervals that are all alike can be within the tolerance of a recording's."""
    log_isi = np.log(train.isi_ms)
    return float(np.abs(log_isi - np.median(log_isi)).mean()) <= rule.isi
