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

__all__ = ["VoltageFunction", "bridge", "constant", "product", "sigmoid"]

VoltageFunction = Callable[[Any], Any]


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
