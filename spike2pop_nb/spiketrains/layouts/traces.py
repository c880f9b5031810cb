"""Is this table a sampled trace: a clock with equal steps, and a measured quantity beside it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.behaviour import has_equal_steps, is_counter, share_increasing
from spike2pop_nb.spiketrains.names import role_of
from spike2pop_nb.spiketrains.table import Column, Table

__all__ = ["Trace", "find_trace"]

_SAMPLED: Final = 2_000


@dataclass(frozen=True)
class Trace:
    """Columns of a trace.

    Attributes
    ----------
    clock : Column
        The times.
    clock_name : str
        Their name.
    columns : list of Column
        The samples.
    names : list of str
        Their names.
    sure : bool
        Whether the samples go up and down and below zero, which spike times do not.
    """

    clock: Column
    clock_name: str
    columns: list[Column]
    names: list[str]
    sure: bool


def find_trace(table: Table) -> Trace | None:
    """The trace that a table looks like; None when it does not.

    Parameters
    ----------
    table : Table
        Columns of equal length.
    """
    if table.ragged or (table.named and any(role_of(c.leaf) in ("id", "trial") for c in table.columns)):
        return None
    numeric = [c for c in table.columns if c.kind == "numbers"]
    named = [c for c in numeric if table.named and role_of(c.leaf) == "time"]
    for clock in [*named, *numeric[:2]]:
        times = np.asarray(clock.values[:_SAMPLED], dtype=float)
        if has_equal_steps(times):
            break
    else:
        return None
    columns = [c for c in numeric if c is not clock]
    # Beside a counter, what grows may well be spike times.
    if is_counter(times) and any(
        share_increasing([np.asarray(c.values, dtype=float)]) > 0.9 for c in columns
    ):
        return None
    if not columns:
        return None
    names = dict(zip(map(id, table.columns), table.names, strict=True))
    samples = [np.asarray(c.values, dtype=float) for c in columns]
    sure = any(bool((column < 0).any()) and share_increasing([column]) < 0.9 for column in samples)
    return Trace(clock, names[id(clock)], columns, [names[id(c)] for c in columns], sure)
