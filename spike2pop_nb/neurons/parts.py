"""What a neuron is made of: gates, kinetic schemes, channels, and how members are drawn.

Units everywhere: V in mV, t in ms, maximal conductances in mS/cm², currents in µA/cm², [Ca] in µM,
capacitance in µF/cm².
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from spike2pop_nb.neurons.calcium import LATER, Hill, Nernst
from spike2pop_nb.neurons.functions import VoltageFunction

__all__ = [
    "V_MAX_MV",
    "V_MIN_MV",
    "Baseline",
    "Channel",
    "Gamma",
    "Gate",
    "KineticScheme",
    "Modulation",
    "Range",
    "TimeScale",
]

FloatArray = npt.NDArray[np.float64]
TimeScale = Literal["fast", "slow", "ultraslow"]
V_MIN_MV, V_MAX_MV = -120.0, 80.0
"""Voltages at which a declaration is checked and compared."""


@dataclass(frozen=True)
class Gate:
    """One gating variable x, relaxing to ``x_inf(V)`` with time constant ``tau(V)``.

    Attributes
    ----------
    name
        Letter of the gate, e.g. ``"m"``.
    x_inf
        Steady state, function of V in mV. Must be analytic (it is differentiated by a complex step).
    tau
        Time constant in ms, function of V. ``None`` for a gate that follows V at once.
    exponent
        Power with which the gate enters its conductance (1 to 7).
    calcium_half_uM
        If given, the steady state is ``x_inf(V) · Ca / (Ca + calcium_half_uM)``: a `Hill` of power 1.
    time_scale
        If given, the whole gate counts on that time scale in the DICs, whatever its time constant.
    q10
        How many times faster the gate moves at 10 °C more; None where that is not stated.
    calcium
        If given, the steady state is ``x_inf(V) · h(Ca)``: it is opened or closed by calcium as well.

    Examples
    --------
    >>> from spike2pop_nb.neurons import Gate, sigmoid
    >>> m = Gate("m", sigmoid(0, 1, -5.29, 25.5), tau=sigmoid(2.64, -2.52, -25, 120), exponent=3)
    >>> round(float(m.x_inf(-25.5)), 3)
    0.5
    """

    name: str
    x_inf: VoltageFunction
    tau: VoltageFunction | None
    exponent: int = 1
    calcium_half_uM: float | None = None
    time_scale: TimeScale | None = None
    q10: float | None = None
    calcium: Hill | None = field(default=None, metadata=LATER)

    @property
    def hill(self) -> Hill | None:
        """How calcium acts on the gate, whichever way that was declared."""
        return self.calcium if self.calcium_half_uM is None else Hill(self.calcium_half_uM)


@dataclass(frozen=True)
class KineticScheme:
    """A channel that moves between states at voltage-dependent rates; one state conducts.

    Attributes
    ----------
    states
        Names of all states. The first is eliminated, since the fractions sum to one.
    rates
        ``{(from, to): rate}``, rates in 1/ms, analytic functions of V in mV.
    conducting
        The state that conducts.
    time_scale
        Time scale on which the scheme counts in the DICs.
    initial
        ``{state: function of V}``: the fractions at the start of a simulation, if not the steady state.
    q10
        How many times faster all rates are at 10 °C more; None where that is not stated.

    Examples
    --------
    >>> from spike2pop_nb.neurons import KineticScheme, constant
    >>> scheme = KineticScheme(
    ...     states=("closed", "open"),
    ...     rates={("closed", "open"): constant(1.0), ("open", "closed"): constant(3.0)},
    ...     conducting="open",
    ...     time_scale="slow",
    ... )
    >>> round(float(scheme.conducting_inf(-50.0)), 3)
    0.25
    """

    states: tuple[str, ...]
    rates: Mapping[tuple[str, str], VoltageFunction]
    conducting: str
    time_scale: TimeScale
    initial: Mapping[str, VoltageFunction] | None = None
    q10: float | None = None

    @property
    def free_states(self) -> tuple[str, ...]:
        """States that are integrated: all but the first."""
        return self.states[1:]

    def linear_system(self, V: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return ``A (…, n, n)`` and ``b (…, n)`` of ``dx/dt = A(V) x + b(V)`` over the free states."""
        V = np.asarray(V)
        free = self.free_states
        index = {state: i for i, state in enumerate(free)}
        dtype = np.result_type(V.dtype, np.float64)
        A = np.zeros((*V.shape, len(free), len(free)), dtype)
        b = np.zeros((*V.shape, len(free)), dtype)
        for (source, target), rate in self.rates.items():
            k = rate(V)
            for state, sign in ((source, -1.0), (target, 1.0)):
                if state not in index:
                    continue
                i = index[state]
                if source in index:
                    A[..., i, index[source]] += sign * k
                else:  # the eliminated state holds 1 − Σ of the others
                    b[..., i] += sign * k
                    A[..., i, :] -= (sign * k)[..., None]
        return A, b

    def steady_state(self, V: Any) -> npt.NDArray[Any]:
        """Return the steady fractions ``(…, n)`` of the free states."""
        A, b = self.linear_system(V)
        return np.linalg.solve(A, -b[..., None])[..., 0]

    def conducting_inf(self, V: Any) -> npt.NDArray[Any]:
        """Return the steady conducting fraction at V."""
        steady = self.steady_state(V)
        if self.conducting == self.states[0]:
            return 1.0 - steady.sum(axis=-1)
        return steady[..., self.free_states.index(self.conducting)]


@dataclass(frozen=True)
class Channel:
    """A current ``I = g · ∏ gates^exponent · (V − E)``; without gates and scheme it is a leak.

    Attributes
    ----------
    name
        Name of the channel.
    E_mV
        Reversal potential, or the `Nernst` potential of a calcium pool.
    gates, scheme
        What opens it: gates or a kinetic scheme.
    q10
        How many times larger its conductance is at 10 °C more; None where that is not stated.

    Examples
    --------
    >>> from spike2pop_nb.neurons import Channel, Gate, constant, sigmoid
    >>> M = Channel("M", E_mV=-90.0, gates=(Gate("z", sigmoid(0, 1, -5, 39), tau=constant(75.0)),))
    >>> leak = Channel("leak", E_mV=-50.0)
    >>> M.name, len(M.gates), leak.gates
    ('M', 1, ())
    """

    name: str
    E_mV: float | Nernst
    gates: tuple[Gate, ...] = ()
    scheme: KineticScheme | None = None
    q10: float | None = None

    @property
    def follows_calcium(self) -> bool:
        """Whether its gates or its reversal potential depend on calcium."""
        return isinstance(self.E_mV, Nernst) or any(gate.hill is not None for gate in self.gates)


@dataclass(frozen=True)
class Range:
    """A uniform distribution of a maximal conductance, in mS/cm².

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.neurons import Range
    >>> Range(30, 40).mean, Range(30, 40).draw(np.random.default_rng(0), 2).round(1)
    (35.0, array([36.4, 32.7]))
    """

    low: float
    high: float

    def draw(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Draw values, shape ``(size,)``."""
        return rng.uniform(self.low, self.high, size)

    @property
    def mean(self) -> float:
        """Mean in mS/cm²."""
        return 0.5 * (self.low + self.high)


@dataclass(frozen=True)
class Gamma(Range):
    """The Gamma distribution with the mean and variance of the uniform one on the same range.

    ``k = 3 (a + b)² / (b − a)²``, ``θ = (b − a)² / (6 (a + b))`` (Fyon et al. 2024).

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.neurons import Gamma
    >>> Gamma(0.045, 0.055).draw(np.random.default_rng(0), 3).round(3)
    array([0.05 , 0.052, 0.048])
    """

    def draw(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Draw values, shape ``(size,)``."""
        a, b = self.low, self.high
        return rng.gamma(3.0 * (a + b) ** 2 / (b - a) ** 2, (b - a) ** 2 / (6.0 * (a + b)), size)


@dataclass(frozen=True)
class Baseline:
    """How a degenerate baseline population is drawn (Fyon et al. 2024).

    Attributes
    ----------
    free
        Distribution of each conductance that is drawn; the leak among them. A plain number fixes it.
        The drawn conductances scale with g_leak / mean(g_leak).
    compensated
        The conductances solved for, so that the DICs at V_th equal ``g_f``, ``g_s``, ``g_u``.
    g_f, g_s, g_u
        DICs of the baseline at V_th (dimensionless).

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> baseline = s2p.get_neuron("stg").baseline
    >>> baseline.compensated, baseline.g_s
    (('Na', 'A', 'H'), 4.0)
    """

    free: Mapping[str, Range | float]
    compensated: tuple[str, str, str]
    g_f: float
    g_s: float
    g_u: float


@dataclass(frozen=True)
class Modulation:
    """Which two conductances to compensate in a part of the (g_s, g_u) plane.

    Attributes
    ----------
    compensate
        Names of the two channels.
    where
        ``(g_s, g_u) -> bool``, on numbers or arrays; everywhere by default.

    Examples
    --------
    >>> from spike2pop_nb.neurons import Modulation
    >>> Modulation(("A", "M")).compensate
    ('A', 'M')
    """

    compensate: tuple[str, str]
    where: Callable[[Any, Any], Any] | None = None
