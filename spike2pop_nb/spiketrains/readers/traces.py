"""Is this table a sampled trace: a clock with equal steps, and a measured quantity beside it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.train import FloatArray

from .columns import is_id_name, is_time_name, share_increasing
from .numbers import is_number
from .text import Text

__all__ = ["Trace", "find_trace"]

_MIN_ROWS: Final = 10
# A clock printed with few digits has steps that differ by one of its last digit.
_ROUNDING: Final = 0.51


@dataclass(frozen=True)
class Trace:
    """Columns of a trace.

    Attributes
    ----------
    clock : int
        The column of times.
    clock_name : str
        Its name.
    columns : list of int
        The columns of samples.
    names : list of str
        Their names.
    sure : bool
        Whether the samples go up and down and below zero, which spike times do not.
    """

    clock: int
    clock_name: str
    columns: list[int]
    names: list[str]
    sure: bool


def find_trace(text: Text, *, any_steps: bool = False) -> Trace | None:
    """The trace that the first rows of a table look like; None when they do not.

    Parameters
    ----------
    text : Text
        The table.
    any_steps : bool
        Whether a column named as times may have unequal steps, as from an adaptive integrator.
    """
    if text.header is not None and any(is_id_name(name) for name in text.header):
        return None
    numeric = [k for k in text.sampled if _numeric(text, k)]
    named = [k for k in numeric if text.header is not None and is_time_name(text.names[k])]
    for clock in [*named, *numeric[:2]]:
        times = _floats(text, clock)
        if _has_equal_steps(times) or (any_steps and clock in named and (np.diff(times) > 0).all()):
            break
    else:
        return None
    columns = [k for k in numeric if k != clock]
    if not columns:
        return None
    samples = [_floats(text, k) for k in columns]
    sure = any((column < 0).any() and share_increasing([column]) < 0.9 for column in samples)
    return Trace(clock, text.names[clock], columns, [text.names[k] for k in columns], sure)


def _has_equal_steps(times: FloatArray) -> bool:
    if times.size < _MIN_ROWS:
        return False
    steps = np.diff(times)
    step = float(steps.mean())
    straight = times[0] + step * np.arange(times.size)
    return step > 0 and bool((steps > 0).all()) and float(np.abs(times - straight).max()) <= _ROUNDING * step


def _numeric(text: Text, index: int) -> bool:
    cells = text.column(index)
    return bool(cells) and 2 * sum(is_number(cell) for cell in cells) >= len(cells)


def _floats(text: Text, index: int) -> FloatArray:
    return np.array([float(cell.replace(",", ".")) for cell in text.column(index) if is_number(cell)])
