"""Rows of a table that are bursts or bins rather than spikes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from spike2pop_nb.errors import SpikeTrainError, WayOut
from spike2pop_nb.spiketrains.behaviour import has_equal_steps, is_binary, is_whole
from spike2pop_nb.spiketrains.names import role_of, words_of
from spike2pop_nb.spiketrains.readers.raw import Source, shown
from spike2pop_nb.spiketrains.table import Column
from spike2pop_nb.spiketrains.train import FloatArray

from .reading import key_codes, values_of

__all__ = [
    "counts_in_bins",
    "counts_spikes",
    "of_bursts",
    "refuse_binned",
    "refuse_bins",
    "refuse_bursts",
    "refuse_samples",
]

_FEWEST_BINS: Final = 30
_VOLTAGE: Final = frozenset(["v", "vm", "mv", "uv", "volt", "voltage", "potential", "membrane"])
_COUNTS_SPIKES: Final = re.compile(
    r"\(\s*spikes?\s*\)|\b(?:n|no|num|number|nr|#|count|size)[\s_.]*(?:of[\s_.]*)?spikes?\b|"
    r"\bspikes?[\s_.]*(?:in|per|/)[\s_.]*(?:the[\s_.]*)?burst|\bspike[\s_.]*counts?\b",
    re.IGNORECASE,
)


def counts_spikes(column: Column) -> bool:
    """Whether a column is called as a count of spikes is."""
    return column.kind == "numbers" and bool(_COUNTS_SPIKES.search(column.leaf))


def of_bursts(column: Column) -> bool:
    """Whether a column is called as a time of bursts is."""
    return "burst" in words_of(column.leaf)


def refuse_bursts(columns: Sequence[Column], source: Source) -> None:
    """A column that counts spikes stands beside bursts, or bins, and not beside spikes."""
    for column in columns:
        if not counts_spikes(column):
            continue
        counts = values_of(column)
        if is_whole(counts) and np.nanmedian(counts) > 1:
            raise source.error(
                f"the column {column.name!r} counts spikes, so its rows are bursts or bins, not spikes.",
                WayOut("give the times of the spikes"),
                WayOut("name the time column if each row is a spike", ("time_column",)),
            )


def refuse_samples(columns: Sequence[Column], times: FloatArray, source: Source) -> None:
    """A voltage beside times of which most lie one step apart: the samples above a threshold, not spikes."""
    steps = np.diff(times[np.isfinite(times)])
    named = [column.name for column in columns if _VOLTAGE & set(words_of(column.leaf))]
    keyed = any(role_of(column.leaf) in ("id", "trial") for column in columns)
    if not named or keyed or steps.size < 10 or (steps <= 0).any():
        return
    if float(np.mean(steps < 1.01 * steps.min())) > 0.5:
        raise source.error(
            f"most times lie one equal step apart with {shown(named)} beside them, so they are samples of a "
            "trace rather than spikes.",
            WayOut("keep one row of each spike"),
            WayOut("name the time column if each is a spike", ("time_column",)),
        )


def refuse_binned(values: FloatArray, what: str, source: Source) -> None:
    """Refuse numbers that are only 0 and 1, or 0 and another."""
    if is_binary(values):
        two = " and ".join(f"{value:g}" for value in np.unique(values))
        raise source.error(f"{what} only {two}, like binned spikes; spike times are needed.")


def refuse_bins(keys: Sequence[Column], times: FloatArray, source: Source) -> None:
    """Rows at equal steps of time hold counts; spikes of several trains do not come like that."""
    if not keys or times.size < _FEWEST_BINS or not has_equal_steps(times):
        return
    if int(key_codes(keys, times.size).max(initial=0)) > 0:
        raise counts_in_bins([key.name for key in keys], source)


def counts_in_bins(names: Sequence[str], source: Source) -> SpikeTrainError:
    """The refusal of counts beside times of equal steps."""
    return source.error(
        f"the times have equal steps and {shown(names)} beside them, like counts in bins.",
        WayOut("give the times of the spikes"),
        WayOut("name the time column if these are some", ("time_column",)),
    )
