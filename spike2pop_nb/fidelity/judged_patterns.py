"""Firing patterns as fixed tolerances need them: those of the published rule, unless it is misled.

That rule calls every recording of CV > 0.15 bursting. Members of an irregular one would have to burst then,
and those that fire like it would not pass.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spike2pop_nb.spiketrains import (
    ActivityPattern,
    FiringPattern,
    SpikeTrain,
    TrainFeatures,
    describe_pattern,
    features,
)

__all__ = ["judged_features"]

Train = SpikeTrain | npt.NDArray[np.float64]


def judged_features(recording: SpikeTrain) -> Callable[[Train], TrainFeatures]:
    """Return what tells features of a recording and of members that are compared with it.

    Those are `features`, unless the published rule calls the recording bursting, and its intervals do not
    fall into bursts and pauses (`describe_pattern`): then only what does burst is called so.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.fidelity import judged_features
    >>> irregular = s2p.SpikeTrain("cell", np.cumsum(np.random.default_rng(1).gamma(10.0, 10.0, 100)))
    >>> str(s2p.features(irregular).pattern), str(judged_features(irregular)(irregular).pattern)
    ('bursting', 'spiking')
    """
    return features if _by_intervals(recording).pattern is features(recording).pattern else _by_intervals


def _by_intervals(train: Train) -> TrainFeatures:
    found = features(train)
    if found.pattern is not FiringPattern.BURSTING:
        return found
    if describe_pattern(train).kind is ActivityPattern.BURSTING:
        return found
    return TrainFeatures(FiringPattern.SPIKING, found.rate_hz, found.cv)
