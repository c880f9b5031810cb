"""Dynamic input conductances (DICs): the sensitivity matrix, DIC curves and the threshold voltage.

Drion, Franci, Dethier and Sepulchre (2015), doi:10.1523/ENEURO.0031-14.2015. Every gate x contributes
``−(∂V̇/∂x) · (dx_inf/dV)``, split between the fast, slow and ultraslow time scales by where its time constant
lies, on a log scale, between the reference time constants of the neuron. The sum, divided by g_leak, is
linear in the maximal conductances: ``DIC(V) = S(V) · ḡ``. Derivatives come from the declared functions by a
complex step, so that they are exact to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons import Gate, NeuronModel, get_neuron

__all__ = [
    "DIC_NAMES",
    "VoltageTerms",
    "dic_curves",
    "dics",
    "find_threshold",
    "sensitivity",
    "voltage_terms",
]

FloatArray = npt.NDArray[np.float64]
DIC_NAMES = ("g_f", "g_s", "g_u")
"""Names of the fast, slow and ultraslow DIC, in the order of every array of them."""
FAST, SLOW, ULTRASLOW = range(3)
_STEP = 1e-20  # of the complex step: no cancellation, so it may be far below rounding


@dataclass(frozen=True)
class VoltageTerms:
    """What the sensitivity matrix needs at given voltages, free of conductances.

    Attributes
    ----------
    V_mV : (n_V,)
    fixed : (n_V, 3, n_channels)
        Columns of S times g_leak for channels without a calcium-dependent gate (zero for the others).
    hill_power : (n_channels,)
        Exponent p of the calcium-dependent gate, 0 where there is none.
    hill_half_uM : (n_channels,)
        Calcium at half activation.
    by_hill, by_calcium : (n_V, 3, n_channels)
        The column of a calcium-dependent channel is ``h^p · by_hill + p · h^(p−1) · dh/dV · by_calcium``
        with ``h = Ca/(Ca + half)``.
    current, current_slope : (n_V, n_channels)
        Steady current per unit of conductance, and its derivative, for channels that feed calcium.
    """

    V_mV: FloatArray
    fixed: FloatArray
    hill_power: FloatArray
    hill_half_uM: FloatArray
    by_hill: FloatArray
    by_calcium: FloatArray
    current: FloatArray
    current_slope: FloatArray


def _value_and_slope(function: object, V: FloatArray) -> tuple[FloatArray, FloatArray]:
    f = np.asarray(function(V + 1j * _STEP))  # type: ignore[operator]
    return np.ascontiguousarray(f.real), f.imag / _STEP


def _share_below(tau: FloatArray, t1: FloatArray, t2: FloatArray) -> FloatArray:
    """Return w(tau; t1, t2): 1 up to t1, 0 from t2, linear in ln(tau) between (Drion et al. 2015)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        w = (np.log(t2) - np.log(tau)) / (np.log(t2) - np.log(t1))
    return np.where(tau <= t1, 1.0, np.where(tau <= t2, w, 0.0))


def _weights(neuron: NeuronModel, gate: Gate | None, tau: FloatArray, V: FloatArray) -> FloatArray:
    """Return the shares (n_V, 3) of the fast, slow and ultraslow time scales."""
    shares = np.zeros((V.size, 3))
    if gate is not None and gate.time_scale is not None:
        shares[:, ("fast", "slow", "ultraslow").index(gate.time_scale)] = 1.0
        return shares
    fast = _share_below(tau, neuron.tau_fast(V), neuron.tau_slow(V))
    slow = _share_below(tau, neuron.tau_slow(V), neuron.tau_ultraslow(V))
    shares[:, FAST], shares[:, SLOW], shares[:, ULTRASLOW] = fast, slow - fast, 1.0 - slow
    return shares


def compute_voltage_terms(neuron: NeuronModel, V_mV: FloatArray) -> VoltageTerms:
    """Evaluate every gate of a neuron, and its derivative, at given voltages."""
    V = np.atleast_1d(np.asarray(V_mV, dtype=float))
    n, n_ch = V.size, neuron.n_channels
    fixed, by_hill, by_calcium = np.zeros((3, n, 3, n_ch))
    hill_power, hill_half = np.zeros(n_ch), np.ones(n_ch)
    current, current_slope = np.zeros((2, n, n_ch))
    for c, channel in enumerate(neuron.channels):
        drive = V - channel.E_mV
        factors, slopes, shares = [], [], []
        for gate in channel.gates:
            x, dx = _value_and_slope(gate.x_inf, V)
            factors.append(x**gate.exponent)
            slopes.append(gate.exponent * x ** (gate.exponent - 1) * dx)
            tau = np.zeros(n) if gate.tau is None else np.asarray(gate.tau(V), dtype=float)
            shares.append(_weights(neuron, gate, tau, V))
            if gate.calcium_half_uM is not None:
                hill_power[c], hill_half[c] = gate.exponent, gate.calcium_half_uM
        if channel.scheme is not None:
            x, dx = _value_and_slope(channel.scheme.conducting_inf, V)
            share = np.zeros((n, 3))
            share[:, ("fast", "slow", "ultraslow").index(channel.scheme.time_scale)] = 1.0
            factors.append(x)
            slopes.append(dx)
            shares.append(share)
        everything = np.prod(factors, axis=0) if factors else np.ones(n)
        column = np.zeros((n, 3))
        total_slope = np.zeros(n)
        for i, (slope, share) in enumerate(zip(slopes, shares, strict=True)):
            others = np.prod(factors[:i] + factors[i + 1 :], axis=0) if len(factors) > 1 else 1.0
            column += share * (slope * others * drive)[:, None]
            total_slope += slope * others
        column[:, FAST] += everything
        if hill_power[c]:
            assert neuron.calcium is not None
            pool_tau = np.full(n, neuron.calcium.tau_ms)
            by_hill[:, :, c] = column
            by_calcium[:, :, c] = _weights(neuron, None, pool_tau, V) * (everything * drive)[:, None]
        else:
            fixed[:, :, c] = column
        if neuron.calcium is not None and channel.name in neuron.calcium.channels:
            current[:, c] = everything * drive
            current_slope[:, c] = total_slope * drive + everything
    return VoltageTerms(V, fixed, hill_power, hill_half, by_hill, by_calcium, current, current_slope)


@lru_cache(maxsize=64)
def _terms_at(neuron: NeuronModel, V_mV: float) -> VoltageTerms:
    return compute_voltage_terms(neuron, np.array([V_mV]))


def voltage_terms(neuron: NeuronModel, V_mV: float | None = None) -> VoltageTerms:
    """Return the (cached) voltage terms at one voltage, V_th by default."""
    return _terms_at(neuron, float(neuron.V_th_mV if V_mV is None else V_mV))


def _checked(neuron: NeuronModel, g: npt.ArrayLike) -> FloatArray:
    values = np.asarray(g, dtype=float)
    if values.ndim < 1 or values.shape[-1] != neuron.n_channels:
        raise NeuronModelError(
            f"The {neuron.name} neuron needs {neuron.n_channels} conductances per member "
            f"({', '.join(neuron.channel_names)}), but the array has shape {values.shape}."
        )
    return values


def _sensitivity(neuron: NeuronModel, g: FloatArray, terms: VoltageTerms) -> FloatArray:
    S = np.broadcast_to(terms.fixed, (*g.shape[:-1], *terms.fixed.shape)).copy()
    pool = neuron.calcium
    if pool is not None:
        Ca = pool.rest_uM - pool.influx_uM_per_uA * (g @ terms.current.T)
        dCa = -pool.influx_uM_per_uA * (g @ terms.current_slope.T)
        for c in np.flatnonzero(terms.hill_power):
            p, half = terms.hill_power[c], terms.hill_half_uM[c]
            h = Ca / (Ca + half)
            dh = dCa * half / (Ca + half) ** 2
            S[..., c] = (h**p)[..., None] * terms.by_hill[..., c]
            S[..., c] += (p * h ** (p - 1) * dh)[..., None] * terms.by_calcium[..., c]
    return S / g[..., None, None, -1:]


def sensitivity(neuron: str | NeuronModel, g: npt.ArrayLike, V_mV: npt.ArrayLike | None = None) -> FloatArray:
    """Return the sensitivity matrix S of each member, so that ``DIC = S @ g``.

    Parameters
    ----------
    neuron
        A neuron or its name.
    g : (..., n_channels)
        Maximal conductances in mS/cm², leak last.
    V_mV : float or (n_V,), optional
        Voltages; V_th by default.

    Returns
    -------
    (..., 3, n_channels), or (..., n_V, 3, n_channels) if V_mV is an array
        Rows are g_f, g_s, g_u; unit 1/(mS/cm²), since DICs are divided by g_leak.

    Raises
    ------
    NeuronModelError
        If the number of conductances is not that of the neuron.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.conductances import sensitivity
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> sensitivity("stg", population.g).shape  # members, timescales, channels
    (4, 3, 8)
    """
    neuron = get_neuron(neuron)
    values = _checked(neuron, g)
    if V_mV is None or np.ndim(V_mV) == 0:
        terms = voltage_terms(neuron, None if V_mV is None else float(np.asarray(V_mV)))
        return _sensitivity(neuron, values, terms)[..., 0, :, :]
    return _sensitivity(neuron, values, compute_voltage_terms(neuron, np.asarray(V_mV, dtype=float)))


def dics(neuron: str | NeuronModel, g: npt.ArrayLike, V_mV: npt.ArrayLike | None = None) -> FloatArray:
    """Return g_f, g_s, g_u (last axis) of each member, dimensionless; see :func:`sensitivity`.

    Parameters
    ----------
    neuron, g, V_mV
        As in :func:`sensitivity`.

    Returns
    -------
    (..., 3), or (..., n_V, 3) if V_mV is an array

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> s2p.dics("stg", population.g[:2])[:, 1:].round(3)  # g_s and g_u at V_th
    array([[4., 5.],
           [4., 5.]])
    """
    S = sensitivity(neuron, g, V_mV)
    values = np.asarray(g, dtype=float)
    if V_mV is not None and np.ndim(V_mV):
        values = values[..., None, :]
    return np.einsum("...ij,...j->...i", S, values)


def dic_curves(
    neuron: str | NeuronModel, g: npt.ArrayLike, V_mV: npt.ArrayLike | None = None
) -> dict[str, FloatArray]:
    """Return the DICs over voltage, ``{"V_mV", "g_f", "g_s", "g_u", "g_t"}``, curves of shape (..., n_V).

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> curves = s2p.dic_curves("stg", population.g)
    >>> sorted(curves)
    ['V_mV', 'g_f', 'g_s', 'g_t', 'g_u']
    """
    V = np.arange(-75.0, -24.75, 0.25) if V_mV is None else np.asarray(V_mV, dtype=float)
    curves = dics(neuron, g, V)
    named = {name: curves[..., i] for i, name in enumerate(DIC_NAMES)}
    return {"V_mV": V, **named, "g_t": curves.sum(axis=-1)}


def find_threshold(
    neuron: str | NeuronModel, g: npt.ArrayLike, V_range_mV: tuple[float, float] = (-80.0, -20.0)
) -> FloatArray:
    """Return V_th of each member in mV: where ``g_t = g_f + g_s + g_u`` first falls through zero from above.

    NaN where it does not within the range. Resolved on a grid of 0.1 mV and interpolated linearly.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.conductances import find_threshold
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> find_threshold("stg", population.g).shape
    (4,)
    """
    V = np.arange(V_range_mV[0], V_range_mV[1] + 0.05, 0.1)
    g_t = dic_curves(neuron, g, V)["g_t"]
    falls = (g_t[..., :-1] > 0) & (g_t[..., 1:] <= 0)
    first = np.argmax(falls, axis=-1)
    above = np.take_along_axis(g_t, first[..., None], -1)[..., 0]
    below = np.take_along_axis(g_t, first[..., None] + 1, -1)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = V[first] + 0.1 * above / (above - below)
    return np.where(falls.any(axis=-1), crossing, np.nan)
