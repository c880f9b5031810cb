"""What is written out for known arguments does what the function does."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from spike2pop_nb.simulation.unrolled import Shaped, written_out

POINTS, SHIFT = 3, 2.0


def product(x, factors, ends):
    """A loop in a loop, whose borders are in tables."""
    total, at = 0.0, 0
    for c in range(ends.shape[0]):
        part = 1.0
        while at < ends[c]:
            part *= x[factors[at]]
            at += 1
        total = total + part
    return total


def later(x, n):
    """Names that are known before and not after what is decided at run time."""
    k, turns = 1, 0
    if x > 0.0:
        k = 5
    for step in range(int(x)):
        for j in range(n):
            turns += j + step
        if step == n:
            k += 1
    return k, turns


def chosen(x, table, flag):
    """Branches, tuples and constants of the module."""
    low, high = table[0]
    half, row = 0.5 * x, POINTS * int(high)
    if flag and table.shape[0] > 1:
        row = row + 1
        low = 3.0 * low
    else:
        row = -1
    return half * low + row + SHIFT


def partly(x, table):
    """Columns that are known beside some that are not."""
    total = 0.0
    for k in range(table.shape[0]):
        if table[k, 0] == 1:
            total = total + x * table[k, 1]
    return total


def source(function: Callable[..., Any]) -> str:
    return inspect.getsource(function)


def test_loops_over_tables_are_unrolled() -> None:
    x, known = np.array([2.0, 3.0, 5.0]), {"factors": np.array([0, 0, 1, 2]), "ends": np.array([2, 2, 4])}
    made = written_out(product, known, {})
    assert made(x) == product(x, **known) == 2 * 2 + 1 + 3 * 5
    assert not {"for", "while", "ends", "factors"} & set(source(made).replace("(", " ").split())


@pytest.mark.parametrize("x", [-1.0, 0.0, 2.0, 7.5])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_what_is_decided_at_run_time_stays(x: float, n: int) -> None:
    assert written_out(later, {"n": n}, {})(x) == later(x, n)


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("rows", [1, 2])
def test_branches_are_chosen(flag: bool, rows: int) -> None:
    known = {"table": np.full((rows, 2), 4.0), "flag": flag}
    made = written_out(chosen, known, {})
    assert made(3.0) == chosen(3.0, **known)
    assert "if" not in source(made)


def test_other_names_can_be_given() -> None:
    known = {"table": np.ones((1, 2)), "flag": False}
    assert written_out(chosen, known, {"SHIFT": 10.0})(0.0) - chosen(0.0, **known) == 8.0


def test_an_array_of_which_some_columns_are_known_is_still_given() -> None:
    table = np.array([[1.0, 2.0], [0.0, 3.0], [1.0, 4.0]])
    made = written_out(partly, {"table": Shaped(table.shape, {0: table[:, 0]})}, {})
    assert made(10.0, table) == partly(10.0, table) == 60.0
    assert made(10.0, 2 * table) == 120.0
    assert "if" not in source(made)


def shadowing(POINTS, n):
    """A name that stands for something else in the module."""
    for k in range(n):
        POINTS = POINTS + k
    return POINTS


def leaving(x, n):
    for k in range(n):
        if x > k:
            break
    return k


def early(x, n):
    if x > n:
        return 1
    return 2


def test_names_of_the_module_are_not_those_of_arguments() -> None:
    assert written_out(shadowing, {"n": 3}, {})(10.0) == 13.0


@pytest.mark.parametrize("function", [leaving, early])
def test_what_is_not_understood_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(NotImplementedError, match=r"line \d+: (Break|Return) cannot be written out"):
        written_out(function, {"n": 3}, {})
