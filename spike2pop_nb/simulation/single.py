"""What `lanes` does for many members at once, for one: a tile of one lane, in any compiler."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from spike2pop_nb.simulation import kernel, one_by_one
from spike2pop_nb.simulation.lanes import COLUMNS
from spike2pop_nb.simulation.plan import Plan
from spike2pop_nb.simulation.unrolled import Shaped, written_out

__all__ = ["four", "known_of", "single_member", "structure_of"]

_STRUCTURE = (
    *("n_columns", "n_relaxing", "n_calcium_gated", "n_gates", "n_ahead"),
    *("hills", "schemes", "ends", "factors", "order"),
)
_F = np.float32


def load(array, row):  # type: ignore[no-untyped-def]
    return array[row, 0]


def store(array, row, value):  # type: ignore[no-untyped-def]
    array[row, 0] = value


def fill(number):  # type: ignore[no-untyped-def]
    return number


def summed(a, b):  # type: ignore[no-untyped-def]
    return _F(a[0] + b[0])


def lowest(a, b):  # type: ignore[no-untyped-def]
    return a if a < b else b


def highest(a, b):  # type: ignore[no-untyped-def]
    return a if a > b else b


def crossed(a, b, level):  # type: ignore[no-untyped-def]
    return (a >= level) != (b >= level)


def logarithm(a):  # type: ignore[no-untyped-def]
    return _F(math.log(a))


def exponential(a):  # type: ignore[no-untyped-def]
    return _F(math.exp(a))


def four(table, place):  # type: ignore[no-untyped-def]
    """Return four numbers that lie side by side, the first at a multiple of four."""
    return table[place], table[place + 1], table[place + 2], table[place + 3]


def look_up(table, position, n_columns, out, columns):  # type: ignore[no-untyped-def]
    row = np.int32(position)
    share = position - _F(row)
    first = row * (2 * n_columns)
    for column in range(0, columns, 4):
        place = first + 2 * column - column % COLUMNS
        a, b, c, d = four(table, place)
        way_a, way_b, way_c, way_d = four(table, place + COLUMNS)
        store(out, column, a + share * way_a)
        store(out, column + 1, b + share * way_b)
        store(out, column + 2, c + share * way_c)
        store(out, column + 3, d + share * way_d)


def known_of(plan: Plan) -> dict[str, Any]:
    """Return the arguments of `run_block` that are known for a plan, a tile of one lane, and no currents.

    What changes with temperature is not among them.
    """
    n_channels, n_pools = len(plan.order), len(plan.pools)
    pumped = [k for k in (4, 6) if plan.pools[:, k].any()]
    return {
        **{name: getattr(plan, name) for name in _STRUCTURE},
        "g": Shaped((1, n_channels)),
        "pools": Shaped(plan.pools.shape, {k: plan.pools[:, k] for k in (0, 4, 6) if k not in pumped}),
        "nernst": Shaped(plan.nernst.shape, {k: plan.nernst[:, k] for k in (0, 1)}),
        "which": (0,),
        "currents": np.zeros((0, n_channels, 0)),
        "calcium": np.zeros((0, n_pools, 0)),
    }


def structure_of(plan: Plan) -> tuple[Any, ...]:
    """Return what plans have in common for which the same is written out."""
    told: list[Any] = []
    for value in known_of(plan).values():
        told += [value.shape, value.columns] if isinstance(value, Shaped) else [np.asarray(value).tolist()]
    return tuple(map(repr, told))


def single_member(
    plan: Plan, compiled: Callable[[Callable[..., Any]], Any], four: Callable[..., Any] = four
) -> Any:
    """Return `run_block` for one tile of one lane, written out for a plan.

    Parameters
    ----------
    plan
        Whose structure is known.
    compiled
        Decorates every function.
    four
        How four numbers are read.
    """
    names: dict[str, Any] = {"LANES": 1}
    operations: tuple[Any, ...] = (
        *(load, store, fill, summed, lowest, highest, crossed),
        *(logarithm, exponential),
    )
    names |= {operation.__name__: compiled(operation) for operation in operations}
    names["four"] = compiled(four)
    names["look_up"] = compiled(written_out(look_up, {"columns": plan.n_columns}, names))
    parts: tuple[Any, ...] = (
        *(one_by_one.draw_noise, one_by_one.count_spikes),
        *(kernel._approach, kernel._opened),
    )
    for part in parts:
        names[part.py_func.__name__] = compiled(written_out(part.py_func, {}, names))
    return compiled(written_out(kernel.run_block.py_func, known_of(plan), names))
