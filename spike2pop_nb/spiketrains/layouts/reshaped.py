"""Tables that are written otherwise: a quantity or channel per line, or trains one after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.behaviour import is_whole
from spike2pop_nb.spiketrains.names import role_of
from spike2pop_nb.spiketrains.readers.cells import is_number, value_of
from spike2pop_nb.spiketrains.readers.raw import counted
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

__all__ = ["is_lines", "label_at", "quantities_upright", "upright", "with_lists"]

_MOST_QUANTITIES = 20


def with_lists(table: Table) -> Table:
    """The table with a list per train, where the numbers of one array fall back just where another says.

    The other holds where trains begin or end (``spike_times_index`` of NWB, ``row_splits``), or how many
    spikes each has.
    """
    numbers = [c for c in table.columns if c.kind == "numbers"]
    for times in numbers:
        values = times.numbers
        falls = np.flatnonzero(values[1:] < values[:-1]) + 1
        if not falls.size or not np.isfinite(values).all():
            continue
        for index in (c for c in numbers if c is not times):
            # Rows of a table that happen to add up part the times nowhere else.
            fits = (
                ends
                for ends in _ends(index.numbers, values.size)
                if np.isin(falls, ends).all() and 2 * falls.size >= np.unique(ends).size - 1
            )
            ends = next(fits, None)
            if ends is None:
                continue
            lists = np.split(values, ends[:-1])
            columns = [replace(times, values=lists) if c is times else c for c in table.columns]
            said = [*table.repairs, f"{times.name!r} was parted into trains where {index.name!r} says"]
            kept: list[Column] = [c for c in columns if c is not index]
            return replace(table, columns=kept, repairs=said)
    return table


def _ends(index: FloatArray, size: int) -> Iterator[NDArray[np.int64]]:
    """Where each train may end, as numbers may be counts, ends or starts."""
    if not 2 <= index.size < size or not is_whole(index) or not np.isfinite(index).all() or (index < 0).any():
        return
    whole = index.astype(np.int64)
    if int(whole.sum()) == size:
        yield np.cumsum(whole)
    if (np.diff(whole) < 0).any():
        return
    if whole[-1] == size:
        yield whole[1:] if whole[0] == 0 else whole
    elif whole[0] == 0 and whole[-1] < size:
        yield np.append(whole[1:], size)


def is_lines(table: Table) -> bool:
    """Whether the lines of a text are equally long, and long, as channels are."""
    sizes = {len(row) for c in table.columns if isinstance(c.values, list) for row in c.values}
    return len(table.columns) == len(sizes) == 1 and min(sizes) >= 1000


def quantities_upright(table: Table) -> Table:
    """The table, turned where its lines are quantities: their names first, one of them of the times.

    ``unit, 1, 2, 1`` above ``time_ms, 12.5, 14.1, 20.3``, say.
    """
    first = table.columns[0] if table.columns else Column("", [])
    n = len(first)
    if table.named or first.kind != "text" or not 2 <= n <= _MOST_QUANTITIES or len(table.columns) < 2:
        return table
    names = [str(name).strip().rstrip(":=") for name in first.values]
    roles = [role_of(name) for name in names]
    if "time" not in roles or not set(roles) & {"id", "trial", "attribute", "interval", "counter"}:
        return table
    last = table.columns[-1]
    assert first.rows is not None
    if isinstance(last.values, list):
        lines: list[FloatArray | np.ndarray] = list(last.values)
        cells: list[NDArray[np.object_] | None] = [None] * n
    else:
        if any(c.cells is None for c in table.columns):
            return table
        found = [[str(c.cells[k]) for c in table.columns[1:] if c.cells is not None] for k in range(n)]
        cells = [np.array(line, dtype=object) for line in found]
        lines = [
            np.array([value_of(cell) for cell in line]) if all(map(is_number, line)) else np.array(line)
            for line in found
        ]
    if len({line.size for line in lines}) > 1 or lines[0].size < 3:
        return table
    columns = [
        Column(name, line, rows=np.full(line.size, int(first.rows[k])), cells=cells[k])
        for k, (name, line) in enumerate(zip(names, lines, strict=True))
    ]
    said = [*table.repairs, "the table was turned, since its quantities stand in lines"]
    return replace(table, columns=columns, named=True, ragged=False, repairs=said)


def upright(table: Table, said: list[str]) -> Table:
    """The table, turned where it is a text with a channel per line."""
    n = len(table.columns[0]) if table.columns else 0
    numbers = [c for c in table.columns if c.kind == "numbers" and c.wrong is None and len(c) == n]
    is_wide = len(numbers) >= 20 * n and len(numbers) >= len(table.columns) - 1
    if not n or not is_wide or table.columns[0].rows is None:
        return table
    labels = table.columns[0] if table.columns[0].kind == "text" else None
    lines = np.stack([c.numbers for c in numbers], axis=1)
    names = [f"channel {k + 1}" if labels is None else label_at(labels, k) for k in range(n)]
    said.append(f"{counted(n, 'channel')} of {lines.shape[1]:,} samples were taken from the lines")
    columns = [Column(name, line) for name, line in zip(names, lines, strict=True)]
    return replace(table, columns=columns, named=labels is not None)


def label_at(column: Column, row: int) -> str:
    if column.cells is not None:
        return str(column.cells[row]).strip()
    value = column.values[row]
    return f"{float(value):g}" if column.kind == "numbers" else str(value)
