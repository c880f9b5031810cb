"""The table of `Recordings.to_frame`: how many spikes, how fast, how regular, which firing pattern."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import pandas as pd

from spike2pop_nb.errors import SpikeTrainError

from .activity import describe_pattern
from .patterns import features
from .train import SpikeTrain

__all__ = ["PatternRule", "train_table"]

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


def train_table(trains: Iterable[SpikeTrain], rule: PatternRule) -> pd.DataFrame:
    """Table of spike trains, one row each, in their order; see `Recordings.to_frame`."""
    if rule not in get_args(PatternRule):
        known = " or ".join(repr(name) for name in get_args(PatternRule))
        raise SpikeTrainError(f"There is no pattern rule {rule!r}; it must be {known}.")
    rows = [_row(train, rule) for train in trains]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _row(train: SpikeTrain, rule: PatternRule) -> tuple[object, ...]:
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
