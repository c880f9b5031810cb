"""Tables that hold something else than spikes: sampled traces, intervals, bursts, bins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from spike2pop_nb.errors import SpikeTrainError, WayOut
from spike2pop_nb.spiketrains.behaviour import (
    has_equal_steps,
    is_binary,
    is_counter,
    is_whole,
    looks_like_intervals,
    looks_like_samples,
    share_increasing,
)
from spike2pop_nb.spiketrains.names import role_of, words_of
from spike2pop_nb.spiketrains.readers.raw import Source, shown
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .reading import key_codes

__all__ = [
    "Trace",
    "counts_spikes",
    "find_trace",
    "of_bursts",
    "refuse_binned",
    "refuse_bins",
    "refuse_bursts",
    "refuse_samples",
    "refuse_unordered",
    "trace_error",
]

_SAMPLED: Final = 2_000
_FEWEST_BINS: Final = 30
_VOLTAGE: Final = frozenset(["v", "vm", "mv", "uv", "volt", "voltage", "potential", "membrane"])
_COUNTS_SPIKES: Final = re.compile(
    r"\(\s*spikes?\s*\)|\b(?:n|no|num|number|nr|#|count|size)[\s_.]*(?:of[\s_.]*)?spikes?\b|"
    r"\bspikes?[\s_.]*(?:in|per|/)[\s_.]*(?:the[\s_.]*)?burst|\bspike[\s_.]*counts?\b",
    re.IGNORECASE,
)


class Trace(NamedTuple):
    """A clock, samples beside it, and whether these go up and down and below zero, as no spike times do."""

    clock: Column
    columns: list[Column]
    sure: bool


def find_trace(table: Table) -> Trace | None:
    """The sampled trace that a table of equally long columns looks like; None when it does not."""
    if table.ragged or (table.named and any(role_of(c.leaf) in ("id", "trial") for c in table.columns)):
        return None
    numeric = [c for c in table.columns if c.kind == "numbers"]
    named = [c for c in numeric if table.named and role_of(c.leaf) == "time"]
    for clock in [*named, *numeric[:2]]:
        times = clock.numbers[:_SAMPLED]
        if has_equal_steps(times):
            break
    else:
        return None
    columns = [c for c in numeric if c is not clock]
    # Beside a counter, what grows may well be spike times.
    if is_counter(times) and any(share_increasing([c.numbers]) > 0.9 for c in columns):
        return None
    if not columns:
        return None
    sure = any(bool((c.numbers < 0).any()) and share_increasing([c.numbers]) < 0.9 for c in columns)
    return Trace(clock, columns, sure)


def trace_error(trace: Trace, table: Table, source: Source) -> SpikeTrainError:
    """The refusal of a sampled trace."""
    names = [table.name_of(column) for column in trace.columns]
    if all(is_binary(c.numbers[np.isfinite(c.numbers)]) for c in trace.columns):
        return _counts_in_bins(names, source)
    return source.error(
        f"the column {table.name_of(trace.clock)!r} has equal steps and {shown(names)} beside it, like a "
        "sampled trace.",
        WayOut("read it as a voltage", ("voltage",)),
        WayOut("name the time column if these are spike times", ("time_column",)),
    )


def refuse_unordered(values: FloatArray, what: str, source: Source, rather: str = "") -> None:
    """Refuse numbers in no order, which may be intervals or samples of a trace."""
    if looks_like_intervals(values):
        raise source.error(
            f"{what} are unordered and clustered, like inter-spike intervals{rather}.",
            WayOut("give their cumulative sum"),
            WayOut("choose the layout 'single' if they are times", ("layout",)),
        )
    if looks_like_samples(values):
        raise source.error(
            f"{what} go up and down without order, like samples of a trace{rather}.",
            WayOut("read it as a voltage", ("voltage",)),
            WayOut("choose the layout 'single' if they are times", ("layout",)),
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
        counts = column.numbers
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
        raise _counts_in_bins([key.name for key in keys], source)


def _counts_in_bins(names: Sequence[str], source: Source) -> SpikeTrainError:
    return source.error(
        f"the times have equal steps and {shown(names)} beside them, like counts in bins.",
        WayOut("give the times of the spikes"),
        WayOut("name the time column if these are some", ("time_column",)),
    )
