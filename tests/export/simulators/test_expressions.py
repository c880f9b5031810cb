"""Declared functions as expressions: equal to them, short, and in the words of each language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.special import expit
from sympy import Expr

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.export.simulators.expressions import (
    TOLERANCE,
    VOLTAGE,
    Printer,
    _Recorded,
    assignments,
    evaluate,
    express,
)
from spike2pop_nb.export.simulators.lems import _cases, _text
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.neurons.dopamine import rate_mNa, tau_mNa

V = np.linspace(-120.0, 80.0, 4999)
NUMPY = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "where": np.where}
text = Printer().doprint


def computed(expression: Expr, at: np.ndarray) -> np.ndarray:
    """Return what the printed statements give."""
    known = {**NUMPY, "V": at}
    for name, value in assignments(expression, "f"):
        known[name] = eval(text(value), known)
    return np.broadcast_to(known["f"], at.shape)


def computed_in_lems(expression: Expr, at: np.ndarray) -> np.ndarray:
    """Return what the cases in the words of LEMS give."""
    known = {**NUMPY, "V": at, "true": True}
    words = {".lt.": "<", ".leq.": "<=", ".gt.": ">", ".geq.": ">=", ".and.": "&"}

    def value(written: str) -> np.ndarray:
        assert not re.search(r"(^|[(*/+-] ?)-", written), "LEMS has no sign of what is negative"
        for word, sign in {**words, "^": "**", "ln(": "log("}.items():
            written = written.replace(word, sign)
        return np.broadcast_to(eval(written, known), at.shape)

    cases = [(value(_text(when)), value(_text(what))) for when, what in _cases(expression)]
    return np.select([when for when, _what in cases], [what for _when, what in cases])


def test_expressions_are_the_declared_functions(neuron: NeuronModel) -> None:
    gates = [gate for channel in neuron.channels for gate in channel.gates]
    functions = [f for gate in gates for f in (gate.x_inf, gate.tau) if f is not None]
    for channel in neuron.channels:
        functions += channel.scheme.rates.values() if channel.scheme else []
    for function in functions:
        found = express(function)
        np.testing.assert_allclose(evaluate(found, V), function(V), rtol=TOLERANCE)
        np.testing.assert_allclose(computed(found, V), function(V), rtol=TOLERANCE)
        np.testing.assert_allclose(computed_in_lems(found, V), function(V), rtol=TOLERANCE)
        assert sum(len(text(value)) for _name, value in assignments(found, "f")) < 500


def test_a_repaired_pole_is_a_condition() -> None:
    at = np.linspace(-39.5, -38.0, 5001)
    np.testing.assert_allclose(evaluate(express(rate_mNa), at), rate_mNa(at), rtol=1e-12)
    np.testing.assert_allclose(computed(express(tau_mNa), at), tau_mNa(at), rtol=1e-12)
    steps = assignments(express(tau_mNa), "tau")
    assert [name for name, _value in steps] == ["tau_1", "tau_2", "tau"]


@pytest.mark.parametrize(
    "function",
    [
        lambda V: np.where((V > -40.0) & (V < 0.0), V * V, 1.0 + np.exp(V / 50.0)),
        lambda V: np.where((V < -100.0) | ~(V < 50.0), 2.0, np.tanh(V / 30.0) + 2.0),
        lambda V: 1.0 + np.clip(np.abs(V), 2.0, 50.0) * (V > -40.0),
        lambda V: np.maximum(1.0, V) + expit(V / 10.0) + np.cosh(V / 50.0) + np.log1p(V**2),
        lambda V: 2.0 - (3.0 - V / (4.0 * (5.0 - (-V) / 7.0) ** 2)),
        lambda V: np.where(~((np.abs(V) < 5.0) & (V > 2.0)), np.where(V < -50.0, 1.0, 3.0), V),
    ],
)
def test_what_numpy_has_is_recorded(function: object) -> None:
    found = express(function)  # type: ignore[arg-type]
    for values in (evaluate, computed, computed_in_lems):
        np.testing.assert_allclose(values(found, V), function(V), rtol=TOLERANCE)  # type: ignore[operator]


def test_a_spline_is_fitted() -> None:
    spline = CubicSpline(np.linspace(-130, 110, 7), [1.0, 2.0, 1.5, 4.0, 3.0, 2.5, 2.0])
    found = express(lambda V: spline(np.asarray(V, float)))
    np.testing.assert_allclose(evaluate(found, V), spline(V), rtol=TOLERANCE)


def test_what_no_expression_follows_is_refused() -> None:
    with pytest.raises(NeuronModelError, match="polynomials do not follow it"):
        express(lambda V: 2.0 + np.sin(1e4 * np.asarray(V, float)))
    with pytest.raises(NeuronModelError, match="terms; declare it more simply"):
        express(_doubled)
    with pytest.raises(NeuronModelError, match="cannot be computed; declare it more simply"):
        express(_deep)
    assert not express(lambda V: np.where(V < 500.0, V, np.nan)).has(sympy.nan)


def _doubled(V: object) -> object:
    for _ in range(40):
        V = V + V * 1e-3  # type: ignore[operator]
    return V


def _deep(V: object) -> object:
    for _ in range(300):
        V = 1.0 / (V + 500.0)  # type: ignore[operator]
    return V


def test_a_long_sum_is_no_deep_one() -> None:
    found = express(lambda V: sum((V**2 + k for k in range(1, 300)), 0.0))
    np.testing.assert_allclose(evaluate(found, V), 299 * V**2 + 299 * 150, rtol=1e-12)


leaf = st.floats(-9, 9).map(lambda x: lambda _V: np.float64(x)) | st.just(lambda V: V)
trees = st.recursive(
    leaf,
    lambda inner: (
        st.tuples(st.sampled_from((np.add, np.subtract, np.multiply, np.divide)), inner, inner).map(
            lambda t: lambda V: t[0](t[1](V), t[2](V))
        )
        | inner.map(lambda f: lambda V: np.negative(f(V)))
        | st.tuples(inner, inner, inner).map(
            lambda t: lambda V: np.where(np.less(t[0](V), V), t[1](V), t[2](V))
        )
    ),
    max_leaves=8,
)


@given(trees)
def test_printed_text_means_the_same(tree: Callable[[Any], Any]) -> None:
    at = np.array([-71.3, -2.0, 0.0, 33.7])
    try:
        with np.errstate(all="raise"):
            wanted = np.add(at, tree(at))
    except FloatingPointError:
        return  # such as 1/0, which no declaration may give
    expression = np.add(_Recorded(VOLTAGE), tree(_Recorded(VOLTAGE))).what  # type: ignore[attr-defined]
    for values in (evaluate, computed, computed_in_lems):
        try:
            with np.errstate(all="ignore"):
                found = values(expression, at)
        except (ZeroDivisionError, NameError):
            return  # 1/0 of two numbers, where a condition does not hold
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
