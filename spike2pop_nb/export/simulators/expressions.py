"""From a declared function of voltage to an expression that any language can print.

A declaration holds Python callables. Each is called once with a symbol that stands for the voltage and
records what is done with it: arithmetic, NumPy's functions, comparisons and ``np.where``. A function that
does something else with its argument, such as look it up in a spline, becomes a piecewise polynomial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.functions import VoltageFunction

__all__ = ["TOLERANCE", "VOLTAGE", "Expression", "Printer", "evaluate", "express", "render"]

#: Largest relative error of an expression against the declared function.
TOLERANCE = 1e-9
V_MIN_MV, V_MAX_MV = -130.0, 110.0
_DEGREE = 9
_SMALLEST_MV = 1e-5
_INFIX = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.true_divide: "/",
    np.less: "<",
    np.less_equal: "<=",
    np.greater: ">",
    np.greater_equal: ">=",
}
_FUNCTIONS = {np.exp: "exp", np.log: "log", np.sqrt: "sqrt"}
_UFUNCS: dict[str, Callable[..., Any]] = {
    symbol: ufunc for ufunc, symbol in (_INFIX | _FUNCTIONS).items()
} | {
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "pow": np.power,
}


@dataclass(frozen=True, eq=False)
class Expression(np.lib.mixins.NDArrayOperatorsMixin):
    """A number (``operation`` is empty), the voltage (``"V"``), or an operation on other expressions."""

    operation: str
    operands: tuple[Expression, ...] = ()
    value: float = 0.0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        a = tuple(_expression(value) for value in inputs)
        one = _number(1.0)
        if ufunc in _INFIX:
            return _infix(_INFIX[ufunc], *a)
        if ufunc in _FUNCTIONS:
            return Expression(_FUNCTIONS[ufunc], a)
        if ufunc in (np.power, np.float_power):
            return Expression("pow", a)
        if ufunc in (np.bitwise_and, np.logical_and):
            return Expression("and", a)
        if ufunc in (np.bitwise_or, np.logical_or):
            return Expression("or", a)
        if ufunc in (np.invert, np.logical_not):
            return Expression("not", a)
        if ufunc is np.negative:
            return _infix("*", _number(-1.0), a[0])
        if ufunc is np.positive:
            return a[0]
        if ufunc is np.square:
            return _infix("*", a[0], a[0])
        if ufunc is np.reciprocal:
            return _infix("/", one, a[0])
        if ufunc is np.expm1:
            return _infix("-", Expression("exp", a), one)
        if ufunc is np.tanh:
            return _infix("-", one, _infix("/", _number(2.0), np.exp(2.0 * a[0]) + 1.0))
        return NotImplemented

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function is np.where and len(arguments) == 3 and not options:
            return Expression("where", tuple(_expression(value) for value in arguments))
        return NotImplemented

    def __bool__(self) -> NoReturn:
        raise TypeError("a branch on the voltage cannot be recorded")


def _number(value: float) -> Expression:
    return Expression("", value=value)


def _expression(value: Any) -> Expression:
    return value if isinstance(value, Expression) else _number(float(value))


def _infix(symbol: str, a: Expression, b: Expression) -> Expression:
    known = [None if x.operation else x.value for x in (a, b)]
    if not a.operation and not b.operation and symbol in "+-*/":
        return _number(float(_UFUNCS[symbol](a.value, b.value)))
    if symbol == "*" and 0.0 in known:
        return _number(0.0)
    if (symbol == "*" and known[0] == 1.0) or (symbol == "+" and known[0] == 0.0):
        return b
    if (symbol in "*/" and known[1] == 1.0) or (symbol in "+-" and known[1] == 0.0):
        return a
    return Expression(symbol, (a, b))


VOLTAGE = Expression("V")


def evaluate(expression: Expression, V: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the values of an expression at voltages in mV."""
    V = np.asarray(V, dtype=float)
    if expression.operation == "V":
        return V
    if not expression.operation:
        return np.full(V.shape, expression.value)
    operands = [evaluate(operand, V) for operand in expression.operands]
    if expression.operation == "where":
        return np.where(*operands)
    with np.errstate(over="ignore"):
        return np.asarray(_UFUNCS[expression.operation](*operands))


@lru_cache(maxsize=1024)
def express(function: VoltageFunction) -> Expression:
    """Return a declared function of voltage as an expression, equal to it within `TOLERANCE`.

    Raises
    ------
    NeuronModelError
        If the function has no such expression.
    """
    grid = np.linspace(V_MIN_MV, V_MAX_MV, 20011)
    wanted = np.asarray(function(grid), dtype=float)
    try:
        found = _expression(function(VOLTAGE))
    except (TypeError, ValueError, AttributeError):
        found = _pieces(function, V_MIN_MV, V_MAX_MV)
    error = np.abs(evaluate(found, grid) - wanted) / np.maximum(np.abs(wanted), 1e-12)
    if not np.all(error <= TOLERANCE):
        worst = grid[int(np.nanargmax(error))]
        raise NeuronModelError(
            f"A function of the neuron cannot be exported: its expression differs from it at {worst:g} mV; "
            "declare it with NumPy's functions and np.where."
        )
    return found


def _pieces(function: VoltageFunction, low: float, high: float) -> Expression:
    """Halve an interval until a polynomial fits on each part; a corner is closed in from both sides."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    at = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    fit = np.polynomial.Chebyshev.fit(at, function(middle + half * at), _DEGREE, domain=[-1, 1])
    tried = np.linspace(-1, 1, 41)
    wanted = np.asarray(function(middle + half * tried), dtype=float)
    fits = np.all(np.abs(fit(tried) - wanted) <= 0.1 * TOLERANCE * np.abs(wanted))
    if not fits and half > _SMALLEST_MV:
        left, right = _pieces(function, low, middle), _pieces(function, middle, high)
        return Expression("where", (_infix("<", VOLTAGE, _number(middle)), left, right))
    x = (VOLTAGE - middle) / half
    total = _number(0.0)
    for coefficient in fit.convert(kind=np.polynomial.Polynomial).coef[::-1]:
        total = total * x + float(coefficient)
    return total


@dataclass(frozen=True)
class Printer:
    """How a language writes what differs between languages.

    Attributes
    ----------
    voltage
        Text for the voltage in mV.
    where
        ``(condition, if true, if false) -> text``.
    words
        Texts of operations whose usual form does not hold, such as ``{"pow": "({0})^({1})"}``.
    """

    voltage: str
    where: Callable[[str, str, str], str]
    words: dict[str, str]


_WORDS = {
    "exp": "exp({0})",
    "log": "log({0})",
    "sqrt": "sqrt({0})",
    "pow": "({0})**({1})",
    "and": "({0} and {1})",
    "or": "({0} or {1})",
    "not": "(not {0})",
}


def render(expression: Expression, printer: Printer) -> str:
    """Return an expression as text; numbers keep all their digits."""
    if expression.operation == "V":
        return printer.voltage
    if not expression.operation:
        text = repr(expression.value)
        return f"({text})" if expression.value < 0 else text
    operands = [render(operand, printer) for operand in expression.operands]
    if expression.operation == "where":
        return printer.where(operands[0], operands[1], operands[2])
    form = printer.words.get(expression.operation) or _WORDS.get(expression.operation)
    if form is not None:
        return form.format(*operands)
    return f"({operands[0]} {expression.operation} {operands[1]})"
