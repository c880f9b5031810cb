"""Building blocks of a neuron declaration: functions of voltage that accept arrays, real or complex.

Complex arguments matter: derivatives of steady states are taken by a complex step, so a declaration must use
functions that are analytic, such as those of numpy. What these blocks return can be pickled, if what it is
made of can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "VoltageFunction",
    "bridge",
    "constant",
    "exponential",
    "from_rates",
    "linoid",
    "product",
    "sigmoid",
]

VoltageFunction = Callable[[Any], Any]
_NEAR = 1e-6  # x² up to which x / (exp(x) − 1) is taken from its series, whose next term is x⁴ / 720


@dataclass(frozen=True)
class _Sigmoid:
    A: float
    B: float
    C: float
    D: float

    def __call__(self, V: Any) -> Any:
        return self.A + self.B / (1.0 + np.exp((V + self.D) / self.C))


@dataclass(frozen=True)
class _Product:
    functions: tuple[VoltageFunction, ...]

    def __call__(self, V: Any) -> Any:
        value = self.functions[0](V)
        for function in self.functions[1:]:
            value = value * function(V)
        return value


@dataclass(frozen=True)
class _Constant:
    value: float

    def __call__(self, V: Any) -> Any:
        return self.value + 0.0 * V


@dataclass(frozen=True)
class _Exponential:
    B: float
    C: float
    D: float

    def __call__(self, V: Any) -> Any:
        return self.B * np.exp((V + self.D) / self.C)


@dataclass(frozen=True)
class _Linoid:
    B: float
    C: float
    D: float

    def __call__(self, V: Any) -> Any:
        u = (V + self.D) / self.C
        near = u * u < _NEAR
        apart = np.where(near, 1.0, u)  # never 0/0, also where both branches are computed
        return self.B * np.where(near, 1.0 - u * (0.5 - u / 12.0), apart / np.expm1(apart))


@dataclass(frozen=True)
class _Steady:
    opening: VoltageFunction
    closing: VoltageFunction

    def __call__(self, V: Any) -> Any:
        return 1.0 / (1.0 + self.closing(V) / self.opening(V))


@dataclass(frozen=True)
class _Relaxation:
    opening: VoltageFunction
    closing: VoltageFunction

    def __call__(self, V: Any) -> Any:
        return 1.0 / (self.opening(V) + self.closing(V))


@dataclass(frozen=True)
class _Bridge:
    function: VoltageFunction
    start_mV: float
    stop_mV: float
    cubic: tuple[float, float, float, float]

    def __call__(self, V: Any) -> Any:
        start_mV, stop_mV, (c3, c2, c1, c0) = self.start_mV, self.stop_mV, self.cubic
        inside = (V > start_mV) & (V < stop_mV)  # noqa: SIM300
        x = V - start_mV
        cubic = c0 + x * (c1 + x * (c2 + x * c3))
        return np.where(inside, cubic, self.function(np.where(inside, start_mV, V)))


def sigmoid(A: float, B: float, C: float, D: float) -> VoltageFunction:
    """Return ``s(V) = A + B / (1 + exp((V + D) / C))`` with V, C and D in mV.

    This is the form in which Liu et al. (1998) and Qian et al. (2014) print steady states and time constants.

    Examples
    --------
    >>> from spike2pop_nb.neurons import sigmoid
    >>> activation = sigmoid(0, 1, -5, 40)  # half open at -40 mV, opening with voltage
    >>> [round(float(activation(V)), 3) for V in (-60.0, -40.0, -20.0)]
    [0.018, 0.5, 0.982]
    """
    return _Sigmoid(A, B, C, D)


def exponential(B: float, C: float, D: float) -> VoltageFunction:
    """Return ``B · exp((V + D) / C)`` with V, C and D in mV: a rate, in the unit of B.

    Examples
    --------
    >>> from spike2pop_nb.neurons import exponential
    >>> round(float(exponential(0.128, -18, 38)(-56.0)), 3)  # 0.128 exp((17 − v) / 18), v = V + 55
    0.348
    """
    return _Exponential(B, C, D)


def linoid(B: float, C: float, D: float) -> VoltageFunction:
    """Return ``B · u / (exp(u) − 1)``, ``u = (V + D) / C``, with V, C and D in mV: a rate, in the unit of B.

    A rate printed as ``A (V₀ − V) / (exp((V₀ − V) / k) − 1)`` is ``linoid(A · k, -k, -V₀)``. Where u passes
    through zero it is B, and smooth.

    Examples
    --------
    >>> from spike2pop_nb.neurons import linoid
    >>> rate = linoid(0.32 * 4, -4, 42)  # 0.32 (13 − v) / (exp((13 − v) / 4) − 1), v = V + 55
    >>> [round(float(rate(V)), 3) for V in (-60.0, -42.0)]
    [0.065, 1.28]
    """
    return _Linoid(B, C, D)


def from_rates(opening: VoltageFunction, closing: VoltageFunction) -> tuple[VoltageFunction, VoltageFunction]:
    """Return steady state and time constant of a gate from its rates α and β: α / (α + β) and 1 / (α + β).

    Examples
    --------
    >>> from spike2pop_nb.neurons import Gate, exponential, from_rates, sigmoid
    >>> h = Gate("h", *from_rates(exponential(0.128, -18, 38), sigmoid(0, 4, -5, 15)))
    >>> round(float(h.x_inf(-56.0)), 3), round(float(h.tau(-56.0)), 2)
    (0.997, 2.87)
    """
    return _Steady(opening, closing), _Relaxation(opening, closing)


def product(*functions: VoltageFunction) -> VoltageFunction:
    """Return the product of functions of voltage.

    Examples
    --------
    >>> from spike2pop_nb.neurons import constant, product, sigmoid
    >>> round(float(product(constant(2.0), sigmoid(0, 1, -5, 40))(-40.0)), 3)
    1.0
    """
    return _Product(functions)


def constant(value: float) -> VoltageFunction:
    """Return the function that has the same value at every voltage.

    Examples
    --------
    >>> from spike2pop_nb.neurons import constant
    >>> float(constant(75.0)(-60.0))
    75.0
    """
    return _Constant(value)


def bridge(function: VoltageFunction, start_mV: float, stop_mV: float) -> VoltageFunction:
    """Replace a function on a short interval by the cubic that joins it with its slope at both ends.

    Printed rate functions may have a removable singularity, or (through rounded constants) a true pole next
    to a zero, on a stretch of a fraction of a millivolt. Outside the interval the function is left as it is.
    For real voltages only (time constants and rates, not steady states).

    Examples
    --------
    >>> from spike2pop_nb.neurons import bridge, sigmoid
    >>> smooth = bridge(sigmoid(0, 1, -5, 40), start_mV=-45.0, stop_mV=-35.0)
    >>> round(float(smooth(-40.0)), 2)
    0.5
    """
    ends = np.array([start_mV, stop_mV])
    width = stop_mV - start_mV
    outward = np.array([-1e-4 * width, 1e-4 * width])
    values = function(ends)
    slopes = (function(ends + outward) - values) / outward
    # The cubic by Hermite, written out: scipy.interpolate takes longer to import than all neurons to declare.
    chord = (values[1] - values[0]) / width
    bend = (slopes[0] + slopes[1] - 2 * chord) / width
    cubic = (bend / width, (chord - slopes[0]) / width - bend, slopes[0], values[0])
    return _Bridge(
        function, start_mV, stop_mV, (float(cubic[0]), float(cubic[1]), float(cubic[2]), float(cubic[3]))
    )
