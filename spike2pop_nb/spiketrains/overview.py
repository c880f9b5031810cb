"""A table of recordings: how many spikes, how fast, how regular, which firing pattern."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import pandas as pd

from spike2pop_nb.errors import SpikeTrainError

from .activity import describe_pattern
from .patterns import features
from .train import SpikeTrain

__all__ = ["PatternRule", "overview"]

PatternRule = Literal["honest", "published"]

_COLUMNS = {
    "id": "str",
    "n_spikes": "int64",
    "duration_s": "float64",
    "rate_hz": "float64",
    "cv": "float64",
    "cv2": "float64",
    "lv": "float64",
    "pattern": "str",
    "confidence": "float64",
    "pattern_note": "str",
    "longest_gap_s": "float64",
    "rate_change_ratio": "float64",
}


def overview(trains: Iterable[SpikeTrain], *, rule: PatternRule = "honest") -> pd.DataFrame:
    """Table of spike trains, one row each, in their order.

    Parameters
    ----------
    trains : iterable of SpikeTrain
        The trains.
    rule : {"honest", "published"}, optional
        What names the firing pattern: `describe_pattern`, or the published rule (`features`).

    Returns
    -------
    DataFrame
        ``id``; ``n_spikes``; ``duration_s`` from the first to the last spike; ``rate_hz``; ``cv``, ``cv2``
        and ``lv`` of the intervals; ``pattern`` in words; its ``confidence`` (NaN for the published rule);
        ``pattern_note``, what to beware of, empty for nothing; ``longest_gap_s``, the longest interval;
        ``rate_change_ratio``, rate at the end over rate at the start, NaN where no change is seen.

    Raises
    ------
    SpikeTrainError
        When there is no such rule, or one of the trains is no `SpikeTrain`.
    """
    if rule not in get_args(PatternRule):
        known = " or ".join(repr(name) for name in get_args(PatternRule))
        raise SpikeTrainError(f"There is no pattern rule {rule!r}; it must be {known}.")
    rows = [_row(number, train, rule) for number, train in enumerate(trains, start=1)]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _row(number: int, train: SpikeTrain, rule: PatternRule) -> tuple[object, ...]:
    if not isinstance(train, SpikeTrain):
        raise SpikeTrainError(f"Train {number} is of type {type(train).__name__}; it must be a SpikeTrain.")
    report = describe_pattern(train)
    found = report.measures
    if rule == "published":
        published = features(train)
        pattern, confidence, notes = str(published.pattern), float("nan"), published.notes
    else:
        doubt = (f"Uncertain (confidence {report.confidence:.2f}).",) if report.uncertain else ()
        pattern, confidence, notes = str(report.kind), report.confidence, (*doubt, *report.notes)
    return (
        train.id,
        train.n_spikes,
        train.duration_ms / 1000.0,
        train.rate_hz,
        found.cv,
        found.cv2,
        found.lv,
        pattern,
        confidence,
        " ".join(notes),
        found.longest_ms / 1000.0,
        found.rate_change if found.rate_change != 1.0 else float("nan"),
    )
