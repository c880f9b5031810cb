"""Declared functions as expressions: equal to them, short, and in the words of each language."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.special import expit

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.export.simulators.expressions import (
    TOLERANCE,
    VOLTAGE,
    Expression,
    Printer,
    assignments,
    evaluate,
    express,
    render,
)
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.neurons.dopamine import rate_mNa, tau_mNa

V = np.linspace(-120.0, 80.0, 4999)
PYTHON = Printer("V", {"where": "np.where({0}, {1}, {2})", "exp": "np.exp({0})", "and": "({0} & {1})"})


def computed(expression: Expression, at: np.ndarray) -> np.ndarray:
    """Return what the printed statements give."""
    known = {"np": np, "V": at}
    for name, value in assignments(expression, "f"):
        known[name] = eval(render(value, PYTHON), known)
    return np.broadcast_to(known["f"], at.shape)


def test_expressions_are_the_declared_functions(neuron: NeuronModel) -> None:
    gates = [gate for channel in neuron.channels for gate in channel.gates]
    functions = [f for gate in gates for f in (gate.x_inf, gate.tau) if f is not None]
    for channel in neuron.channels:
        functions += channel.scheme.rates.values() if channel.scheme else []
    for function in functions:
        found = express(function)
        np.testing.assert_allclose(evaluate(found, V), function(V), rtol=TOLERANCE)
        np.testing.assert_allclose(computed(found, V), function(V), rtol=TOLERANCE)
        assert sum(len(render(value, PYTHON)) for _name, value in assignments(found, "f")) < 500


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
    ],
)
def test_what_numpy_has_is_recorded(function: object) -> None:
    found = express(function)  # type: ignore[arg-type]
    np.testing.assert_allclose(evaluate(found, V), function(V), rtol=TOLERANCE)  # type: ignore[operator]


def test_a_spline_is_fitted() -> None:
    spline = CubicSpline(np.linspace(-130, 110, 7), [1.0, 2.0, 1.5, 4.0, 3.0, 2.5, 2.0])
    found = express(lambda V: spline(np.asarray(V, float)))
    np.testing.assert_allclose(evaluate(found, V), spline(V), rtol=TOLERANCE)


def test_what_no_expression_follows_is_refused() -> None:
    with pytest.raises(NeuronModelError, match="polynomials do not follow it"):
        express(lambda V: 2.0 + np.sin(1e4 * np.asarray(V, float)))
    with pytest.raises(NeuronModelError, match="terms; declare it more simply"):
        express(_doubled)


def _doubled(V: object) -> object:
    for _ in range(40):
        V = V + V * 1e-3  # type: ignore[operator]
    return V


leaf = st.floats(-9, 9).map(lambda x: Expression("", value=x)) | st.just(VOLTAGE)
trees = st.recursive(
    leaf,
    lambda inner: (
        st.tuples(st.sampled_from("+-*/"), inner, inner).map(lambda t: Expression(t[0], t[1:]))
        | inner.map(lambda e: Expression("*", (Expression("", value=-1.0), e)))
        | st.tuples(inner, inner, inner).map(
            lambda t: Expression("where", (Expression("<", t[:2]), t[1], t[2]))
        )
    ),
    max_leaves=8,
)


@given(trees)
def test_printed_text_means_the_same(expression: Expression) -> None:
    at = np.array([-71.3, -2.0, 0.0, 33.7])
    with np.errstate(all="ignore"):
        wanted = evaluate(expression, at)
        plain = Printer("V", PYTHON.words)
        words = Printer("V", PYTHON.words, negative="0 - {0}")
        for printer in (plain, words):
            try:
                found = eval(render(expression, printer), {"np": np, "V": at})
            except (ZeroDivisionError, OverflowError):
                return  # between two numbers, which arithmetic on a voltage never leaves
            ok = np.isfinite(wanted)
            np.testing.assert_allclose(np.broadcast_to(found, at.shape)[ok], wanted[ok], rtol=1e-6, atol=1e-6)
