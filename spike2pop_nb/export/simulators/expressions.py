"""From a declared function of voltage to a SymPy expression that any language can print.

A declaration holds Python callables. Each is called once with a symbol that stands for the voltage and
records what is done with it: arithmetic, NumPy's functions, comparisons and ``np.where``. Nothing is
simplified, so that what is printed rounds as what was declared. A function that does something else with its
argument, such as look it up in a spline, becomes a piecewise polynomial.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import sympy
from sympy import Add, And, Expr, Float, Function, Mul, Or, Pow, S, Symbol
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.functions import VoltageFunction

__all__ = ["TOLERANCE", "VOLTAGE", "WHERE", "Printer", "assignments", "evaluate", "express"]

#: Largest relative error of an expression against the declared function.
TOLERANCE = 1e-9
VOLTAGE = Symbol("V")
#: Of a condition, of the value where it holds, and of that where it does not; SymPy's own is simplified.
WHERE = Function("where", commutative=True)
V_MIN_MV, V_MAX_MV = -130.0, 110.0
_DEGREE = 9
_SMALLEST_MV = 1e-5
_MOST_PIECES = 200
_MOST_TERMS = 4000


def _number(condition: Any) -> Expr:
    """Return 1 where a condition holds, else 0."""
    return WHERE(condition, Float(1.0), S.Zero)


def _condition(number: Expr) -> Any:
    if not isinstance(number, WHERE) or number != _number(number.args[0]):
        raise TypeError("not a condition")
    return number.args[0]


def _contrary(condition: Any) -> Any:
    """Return what holds where a condition does not; LEMS has no word for "not"."""
    with sympy.evaluate(True):
        return sympy.Not(condition).to_nnf(simplify=False)


def _compare(relation: Any) -> Callable[..., Expr]:
    return lambda a, b: _number(relation(a, b, evaluate=False))


def _join(logic: Any) -> Callable[..., Expr]:
    return lambda *of: _number(logic(*map(_condition, of)))


# of expressions; by name, so that ufuncs of SciPy count as well
_OPERATIONS: dict[str, Callable[..., Expr]] = {
    "add": lambda a, b: a if b == 0 else b if a == 0 else Add(a, b),
    "multiply": lambda a, b: S.Zero if S.Zero in (a, b) else Mul(a, b),
    "divide": lambda a, b: Mul(a, Pow(b, S.NegativeOne)),
    "power": Pow,
    "negative": lambda a: Mul(S.NegativeOne, a),
    "positive": lambda a: a,
    "less": _compare(sympy.Lt),
    "less_equal": _compare(sympy.Le),
    "greater": _compare(sympy.Gt),
    "greater_equal": _compare(sympy.Ge),
    **dict.fromkeys(("bitwise_and", "logical_and"), _join(And)),
    **dict.fromkeys(("bitwise_or", "logical_or"), _join(Or)),
    **dict.fromkeys(("invert", "logical_not"), _join(_contrary)),
    **{name: Function(name) for name in ("exp", "log", "sqrt")},
}
_DERIVED: dict[str, Callable[..., Any]] = {
    "subtract": lambda x, y: x + -y,
    "float_power": np.power,
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
    **dict.fromkeys(("absolute", "fabs"), lambda x: np.where(x < 0.0, -x, x)),
    **dict.fromkeys(("maximum", "fmax"), lambda x, y: np.where(x < y, y, x)),
    **dict.fromkeys(("minimum", "fmin"), lambda x, y: np.where(x > y, y, x)),
}


@dataclass(frozen=True, eq=False)
class _Recorded(np.lib.mixins.NDArrayOperatorsMixin):
    """An expression, and how many terms it has when what is shared is written twice."""

    what: Expr
    terms: int = 1

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        if method == "__call__" and not options and name in _DERIVED:
            return _DERIVED[name](*inputs)
        if method == "__call__" and not options and name in _OPERATIONS:
            return _made(_OPERATIONS[name], *inputs)
        return NotImplemented

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function is np.where and len(arguments) == 3 and not options:
            return _made(lambda a, yes, no: WHERE(_condition(a), yes, no), *arguments)
        if function is np.clip and len(arguments) == 3 and not options:
            return np.minimum(np.maximum(*arguments[:2]), arguments[2])
        return NotImplemented

    def __bool__(self) -> NoReturn:
        raise TypeError("a branch on the voltage cannot be recorded")


def _made(operation: Callable[..., Expr], *inputs: Any) -> _Recorded:
    of = [a if isinstance(a, _Recorded) else _Recorded(Float(float(a)) or S.Zero) for a in inputs]
    if any(a.what.is_Number and not a.what.is_finite for a in of):
        raise ValueError("no finite number")
    with sympy.evaluate(all(a.what.is_Number for a in of)):
        return _Recorded(operation(*(a.what for a in of)), 1 + sum(a.terms for a in of))


@lru_cache(maxsize=1024)
def express(function: VoltageFunction) -> Expr:
    """Return a declared function of voltage as an expression, equal to it within `TOLERANCE`.

    Raises
    ------
    NeuronModelError
        If the function has no such expression.
    """
    grid = np.linspace(V_MIN_MV, V_MAX_MV, 20011)
    with np.errstate(all="ignore"):
        wanted = np.asarray(function(grid), dtype=float)
    with sympy.evaluate(False):
        try:
            found = _made(_OPERATIONS["positive"], function(_Recorded(VOLTAGE)))
        except (TypeError, ValueError, AttributeError):
            found = _pieces(function, V_MIN_MV, V_MAX_MV, [])
    if found.terms > _MOST_TERMS:
        raise NeuronModelError(
            f"written out, it is an expression of over {_MOST_TERMS} terms; declare it more simply."
        )
    try:
        values = evaluate(found.what, grid)
    except (ArithmeticError, NameError, SyntaxError, RecursionError, MemoryError):  # as 1/0, or too deep
        raise NeuronModelError("its expression cannot be computed; declare it more simply.") from None
    error = np.abs(values - wanted) / np.maximum(np.abs(wanted), 1e-12)
    if not np.all(error <= TOLERANCE):
        worst = grid[int(np.argmax(np.where(np.isfinite(error), error, np.inf)))]
        raise NeuronModelError(
            f"its expression differs from it at {worst:g} mV; declare it with NumPy's functions and np.where."
        )
    return found.what


def evaluate(expression: Expr, V: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return what the text of an expression gives at voltages in mV."""
    V = np.asarray(V, dtype=float)
    with np.errstate(all="ignore"):
        found = sympy.lambdify(VOLTAGE, expression, "numpy", printer=Printer())(V)
    return np.broadcast_to(found, V.shape)


def _pieces(function: VoltageFunction, low: float, high: float, made: list[float]) -> _Recorded:
    """Halve an interval until a polynomial fits each part; a corner is closed in from both sides."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    at = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    with np.errstate(all="ignore"):
        fit = np.polynomial.Chebyshev.fit(at, function(middle + half * at), _DEGREE, domain=[-1, 1])
        tried = np.linspace(-1, 1, 41)
        wanted = np.asarray(function(middle + half * tried), dtype=float)
        fits = np.all(np.abs(fit(tried) - wanted) <= 0.1 * TOLERANCE * np.abs(wanted))
    V: Any = _Recorded(VOLTAGE)
    if not fits and half > _SMALLEST_MV:
        parts = [_pieces(function, *ends, made) for ends in ((low, middle), (middle, high))]
        return np.where(middle > V, *parts)  # type: ignore[return-value]
    made.append(middle)
    if len(made) > _MOST_PIECES:
        raise NeuronModelError(
            f"{_MOST_PIECES} polynomials do not follow it; declare it with NumPy's functions."
        )
    x, total = (V - middle) / half, 0.0
    for coefficient in fit.convert(kind=np.polynomial.Polynomial).coef[::-1]:
        total = total * x + float(coefficient)
    return total  # type: ignore[return-value]


def assignments(expression: Expr, name: str, voltage: str = "V") -> list[tuple[str, Expr]]:
    """Split an expression at its conditions, for languages where a condition is a statement.

    Returns
    -------
    list of (variable, expression)
        In the order in which they are to be computed, the last being ``name``; those before are called
        ``name_1``, ``name_2``... A `WHERE` stands only at the top of an expression, and one that is used
        several times is computed once.
    """
    steps: dict[Expr, Symbol] = {}
    with sympy.evaluate(False):
        last = expression.xreplace({VOLTAGE: Symbol(voltage)}).replace(
            WHERE,
            lambda *of: steps.setdefault(WHERE(*of), Symbol(f"{name}_{len(steps) + 1}")),
            simultaneous=False,
        )
    if isinstance(expression, WHERE):
        last, _variable = steps.popitem()
    return [*((variable.name, value) for value, variable in steps.items()), (name, last)]


class Printer(StrPrinter):
    """Expressions as text in NumPy's words; numbers keep all their digits, and operations their order."""

    logic = ("&", "|")

    def _print_Float(self, e: Expr) -> str:
        return repr(float(e))

    _print_Zero = _print_Float

    def _print_Add(self, e: Add, order: Any = None) -> str:
        left, right = map(self._print, e.args)
        right = f"({right})" if e.args[1].is_Add else right
        return f"{left} - {right[1:]}" if right.startswith("-") else f"{left} + {right}"

    def _print_Mul(self, e: Mul) -> str:
        a, b = e.args
        if a is S.NegativeOne:
            text = self.parenthesize(b, PRECEDENCE["Mul"], strict=True)
            return f"-({text})" if text.startswith("-") else f"-{text}"
        left = self._print(a) if a.is_Mul or a.is_Number else self.parenthesize(a, PRECEDENCE["Mul"])
        sign, b = ("/", b.base) if b.is_Pow and b.exp is S.NegativeOne else ("*", b)
        return f"{left} {sign} {self.parenthesize(b, PRECEDENCE['Mul'])}"

    def _print_And(self, e: And | Or) -> str:
        return f" {self.logic[isinstance(e, Or)]} ".join(f"({self._print(a)})" for a in e.args)

    _print_Or = _print_And
