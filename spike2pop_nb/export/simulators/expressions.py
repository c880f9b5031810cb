"""From a declared function of voltage to an expression that any language can print.

A declaration holds Python callables. Each is called once with a symbol that stands for the voltage and
records what is done with it: arithmetic, NumPy's functions, comparisons and ``np.where``. A function that
does something else with its argument, such as look it up in a spline, becomes a piecewise polynomial.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.functions import VoltageFunction

__all__ = ["TOLERANCE", "VOLTAGE", "Expression", "Printer", "assignments", "evaluate", "express", "render"]

#: Largest relative error of an expression against the declared function.
TOLERANCE = 1e-9
V_MIN_MV, V_MAX_MV = -130.0, 110.0
_DEGREE = 9
_SMALLEST_MV = 1e-5
_MOST_PIECES = 200
_MOST_NODES = 4000
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
_TRUTHS = ("<", "<=", ">", ">=", "and", "or", "not")
# by name, so that those of SciPy count as well
_DERIVED: dict[str, Callable[..., Any]] = {
    "negative": lambda x: -1.0 * x,
    "positive": lambda x: x,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    "expm1": lambda x: np.exp(x) - 1.0,
    "exp2": lambda x: np.exp(math.log(2.0) * x),
    "log1p": lambda x: np.log(1.0 + x),
    "log10": lambda x: np.log(x) / math.log(10.0),
    "log2": lambda x: np.log(x) / math.log(2.0),
    "sinh": lambda x: 0.5 * (np.exp(x) - np.exp(-x)),
    "cosh": lambda x: 0.5 * (np.exp(x) + np.exp(-x)),
    "tanh": lambda x: 1.0 - 2.0 / (np.exp(2.0 * x) + 1.0),
    "expit": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "absolute": lambda x: np.where(x < 0.0, -x, x),
    "fabs": lambda x: np.where(x < 0.0, -x, x),
    "maximum": lambda x, y: np.where(x < y, y, x),
    "fmax": lambda x, y: np.where(x < y, y, x),
    "minimum": lambda x, y: np.where(x > y, y, x),
    "fmin": lambda x, y: np.where(x > y, y, x),
}


@dataclass(frozen=True, eq=False)
class Expression(np.lib.mixins.NDArrayOperatorsMixin):
    """A number (``operation`` is empty), the voltage, a variable, or an operation on other expressions."""

    operation: str
    operands: tuple[Expression, ...] = ()
    value: float = 0.0
    name: str = ""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        a = tuple(_expression(value) for value in inputs)
        if ufunc in _INFIX:
            return _infix(_INFIX[ufunc], *map(_number_of, a))
        if ufunc in _FUNCTIONS:
            return Expression(_FUNCTIONS[ufunc], (_number_of(a[0]),))
        if ufunc in (np.power, np.float_power):
            return _power(*map(_number_of, a))
        if ufunc in (np.bitwise_and, np.logical_and):
            return Expression("and", a)
        if ufunc in (np.bitwise_or, np.logical_or):
            return Expression("or", a)
        if ufunc in (np.invert, np.logical_not):
            return Expression("not", a)
        if ufunc.__name__ in _DERIVED:
            return _DERIVED[ufunc.__name__](*map(_number_of, a))
        return NotImplemented

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function is np.where and len(arguments) == 3 and not options:
            condition, yes, no = (_expression(value) for value in arguments)
            if condition.operation in _TRUTHS:
                return Expression("where", (condition, _number_of(yes), _number_of(no)))
        if function is np.clip and len(arguments) == 3 and not options:
            return np.minimum(np.maximum(*arguments[:2]), arguments[2])
        return NotImplemented

    def __bool__(self) -> NoReturn:
        raise TypeError("a branch on the voltage cannot be recorded")


def _number(value: float) -> Expression:
    return Expression("", value=value)


def _expression(value: Any) -> Expression:
    return value if isinstance(value, Expression) else _number(float(value))


def _number_of(value: Expression) -> Expression:
    """Return a condition as 1 or 0, and all else as it is."""
    if value.operation in _TRUTHS:
        return Expression("where", (value, _number(1.0), _number(0.0)))
    return value


def _infix(symbol: str, a: Expression, b: Expression) -> Expression:
    known = [None if x.operation else x.value for x in (a, b)]
    if None not in known and symbol in "+-*/" and not (symbol == "/" and known[1] == 0.0):
        return _number(float(_UFUNCS[symbol](a.value, b.value)))
    if symbol == "*" and 0.0 in known:
        return _number(0.0)
    if (symbol == "*" and known[0] == 1.0) or (symbol == "+" and known[0] == 0.0):
        return b
    if (symbol in "*/" and known[1] == 1.0) or (symbol in "+-" and known[1] == 0.0):
        return a
    if symbol in "+-" and (opposite := _opposite(b)) is not None:
        return Expression("-" if symbol == "+" else "+", (a, opposite))
    return Expression(symbol, (a, b))


def _opposite(a: Expression) -> Expression | None:
    """Return what is to be subtracted where an expression with a negative number in front is added."""
    if not a.operation and a.value < 0:
        return _number(-a.value)
    if a.operation in ("*", "/") and (of := _opposite(a.operands[0])) is not None:
        return _infix(a.operation, of, a.operands[1])
    return None


def _power(a: Expression, b: Expression) -> Expression:
    if not b.operation and b.value == 1.0:
        return a
    return Expression("pow", (a, b))


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
        condition, one, other = operands
        return np.where(condition, one, other)
    with np.errstate(all="ignore"):
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
    with np.errstate(all="ignore"):
        wanted = np.asarray(function(grid), dtype=float)
    try:
        found = _expression(function(VOLTAGE))
    except (TypeError, ValueError, AttributeError):
        found = _Pieces(function).fit(V_MIN_MV, V_MAX_MV)
    if _nodes(found) > _MOST_NODES:
        raise NeuronModelError(
            f"written out, it is an expression of over {_MOST_NODES} terms; declare it more simply."
        )
    error = np.abs(evaluate(found, grid) - wanted) / np.maximum(np.abs(wanted), 1e-12)
    if not np.all(error <= TOLERANCE):
        worst = grid[int(np.argmax(np.where(np.isfinite(error), error, np.inf)))]
        raise NeuronModelError(
            f"its expression differs from it at {worst:g} mV; declare it with NumPy's functions and np.where."
        )
    return found


def _nodes(expression: Expression) -> int:
    """Return how many terms an expression has when written out, where what is shared is written twice."""
    counts: dict[int, int] = {}
    waiting = [expression]
    while waiting:
        now = waiting[-1]
        missing = [operand for operand in now.operands if id(operand) not in counts]
        if missing:
            waiting += missing
        else:
            counts[id(now)] = 1 + sum(counts[id(operand)] for operand in now.operands)
            waiting.pop()
    return counts[id(expression)]


class _Pieces:
    """A piecewise polynomial of a function that cannot be recorded."""

    def __init__(self, function: VoltageFunction) -> None:
        self.function = function
        self.made = 0

    def fit(self, low: float, high: float) -> Expression:
        """Halve an interval until a polynomial fits each part; a corner is closed in from both sides."""
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        at = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
        with np.errstate(all="ignore"):
            fit = np.polynomial.Chebyshev.fit(at, self.function(middle + half * at), _DEGREE, domain=[-1, 1])
            tried = np.linspace(-1, 1, 41)
            wanted = np.asarray(self.function(middle + half * tried), dtype=float)
            fits = np.all(np.abs(fit(tried) - wanted) <= 0.1 * TOLERANCE * np.abs(wanted))
        if not fits and half > _SMALLEST_MV:
            left, right = self.fit(low, middle), self.fit(middle, high)
            return Expression("where", (_infix("<", VOLTAGE, _number(middle)), left, right))
        self.made += 1
        if self.made > _MOST_PIECES:
            raise NeuronModelError(
                f"{_MOST_PIECES} polynomials do not follow it; declare it with NumPy's functions."
            )
        x = (VOLTAGE - middle) / half
        total = _number(0.0)
        for coefficient in fit.convert(kind=np.polynomial.Polynomial).coef[::-1]:
            total = total * x + float(coefficient)
        return total


def assignments(expression: Expression, name: str) -> list[tuple[str, Expression]]:
    """Split an expression at its conditions, for languages where a condition is a statement.

    Returns
    -------
    list of (variable, expression)
        In the order in which they are to be computed, the last being ``name``; those before are called
        ``name_1``, ``name_2``... A ``where`` stands only at the top of an expression, and what is used
        several times is computed once.
    """
    steps: list[tuple[str, Expression]] = []
    known: dict[int, Expression] = {}

    def split(now: Expression, top: bool) -> Expression:
        if id(now) in known:
            return known[id(now)]
        if not now.operands:
            return now
        operands = tuple(split(operand, False) for operand in now.operands)
        made = Expression(now.operation, operands, now.value, now.name)
        if now.operation == "where" and not top:
            steps.append((f"{name}_{len(steps) + 1}", made))
            made = Expression("name", name=steps[-1][0])
        known[id(now)] = made
        return made

    last = split(expression, True)
    return [*steps, (name, last)]


@dataclass(frozen=True)
class Printer:
    """How a language writes what differs between languages.

    Attributes
    ----------
    voltage
        Text for the voltage in mV.
    words
        Texts of operations whose usual form does not hold, such as ``{"pow": "{0}^{1}"}``; of an infix
        operation, the sign alone.
    negative
        Text of the opposite of something.
    """

    voltage: str
    words: dict[str, str]
    negative: str = "-{0}"


_WORDS = {
    "exp": "exp({0})",
    "log": "log({0})",
    "sqrt": "sqrt({0})",
    "pow": "{0}**{1}",
    "and": "({0} and {1})",
    "or": "({0} or {1})",
    "not": "(not {0})",
    "where": "where({0}, {1}, {2})",
}
_BINDS = {"<": 0, "<=": 0, ">": 0, ">=": 0, "+": 1, "-": 1, "*": 2, "/": 2}


def render(expression: Expression, printer: Printer) -> str:
    """Return an expression as text; numbers keep all their digits, and parentheses stand where needed."""
    return _render(expression, printer, -1, True)


def _render(expression: Expression, printer: Printer, around: float, first: bool) -> str:
    """Render what stands next to an operator that binds so tightly; a sign may stand ``first`` only."""
    operation = expression.operation
    if operation == "V":
        return printer.voltage
    if operation == "name":
        return expression.name
    if not operation:
        if expression.value >= 0:
            return repr(expression.value)
        text = printer.negative.format(repr(-expression.value))
        return text if first else f"({text})"
    if operation in _BINDS:
        a, b = expression.operands
        if operation == "*" and not a.operation and a.value == -1.0:
            text = printer.negative.format(_render(b, printer, 2.5, False))
            return text if first else f"({text})"
        binds = _BINDS[operation]
        grouped = binds < around
        left = _render(a, printer, binds, first or grouped)
        right = _render(b, printer, binds + (0.0 if operation in "+*" else 0.5), False)
        text = f"{left} {printer.words.get(operation, operation)} {right}"
        return f"({text})" if grouped else text
    alone = operation in ("exp", "log", "sqrt", "where")
    operands = [_render(operand, printer, -1 if alone else 3, alone) for operand in expression.operands]
    return (printer.words.get(operation) or _WORDS[operation]).format(*operands)
