"""Dynamic input conductances (DICs): the sensitivity matrix, DIC curves and the threshold voltage.

Drion, Franci, Dethier and Sepulchre (2015), doi:10.1523/ENEURO.0031-14.2015. Every gate x contributes
``−(∂V̇/∂x) · (dx_inf/dV)``, split between the fast, slow and ultraslow time scales by where its time constant
lies, on a log scale, between the reference time constants of the neuron. What moves with calcium (gates that
it opens or closes, reversal potentials that follow it, the current of a pump) adds the path through
``dCa_inf/dV``, on the time scale on which its pool settles. The sum, divided by g_leak, is
linear in the maximal conductances: ``DIC(V) = S(V) · ḡ``. Derivatives come from the declared functions by a
complex step, so that they are exact to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances.steady_calcium import calcium_part, steady_calcium
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
    """What the sensitivity matrix needs at given voltages, free of conductances and of calcium.

    Attributes
    ----------
    V_mV : (n_V,)
    open, slope : (n_V, n_channels)
        Open fraction of each channel as far as it is a matter of voltage, and its derivative.
    by_gates : (n_V, 3, n_channels)
        That derivative, split between time scales by the gates that it comes from.
    fixed : (n_V, 3, n_channels)
        Columns of S times g_leak for channels that do not follow calcium (zero for the others).
    pool_shares : (n_V, n_pools, 3)
        Time scales on which what acts through each pool counts.
    """

    V_mV: FloatArray
    open: FloatArray
    slope: FloatArray
    by_gates: FloatArray
    fixed: FloatArray
    pool_shares: FloatArray


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
    by_gates, fixed = np.zeros((2, n, 3, n_ch))
    opened, opened_slope = np.zeros((2, n, n_ch))
    for c, channel in enumerate(neuron.channels):
        factors, slopes, shares = [], [], []
        for gate in channel.gates:
            x, dx = _value_and_slope(gate.x_inf, V)
            factors.append(x**gate.exponent)
            slopes.append(gate.exponent * x ** (gate.exponent - 1) * dx)
            tau = np.zeros(n) if gate.tau is None else np.asarray(gate.tau(V), dtype=float)
            shares.append(_weights(neuron, gate, tau, V))
        if channel.scheme is not None:
            x, dx = _value_and_slope(channel.scheme.conducting_inf, V)
            share = np.zeros((n, 3))
            share[:, ("fast", "slow", "ultraslow").index(channel.scheme.time_scale)] = 1.0
            factors.append(x)
            slopes.append(dx)
            shares.append(share)
        opened[:, c] = np.prod(factors, axis=0) if factors else np.ones(n)
        for i, (slope, share) in enumerate(zip(slopes, shares, strict=True)):
            others = np.prod(factors[:i] + factors[i + 1 :], axis=0) if len(factors) > 1 else 1.0
            by_gates[:, :, c] += share * (slope * others)[:, None]
            opened_slope[:, c] += slope * others
        if not channel.follows_calcium:
            fixed[:, :, c] = by_gates[:, :, c] * (V - neuron.E_mV[c])[:, None]
            fixed[:, FAST, c] += opened[:, c]
    pools = [_weights(neuron, None, np.full(n, pool.settling_ms), V) for pool in neuron.pools]
    pool_shares = np.stack(pools, axis=1) if pools else np.zeros((n, 0, 3))
    return VoltageTerms(V, opened, opened_slope, by_gates, fixed, pool_shares)


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
    if neuron.pools:
        V, steady = terms.V_mV, steady_calcium(neuron, g, terms)
        through = steady.slope[..., None] * terms.pool_shares  # what moves with each pool, by time scale
        for c in np.flatnonzero([channel.follows_calcium for channel in neuron.channels]):
            part = calcium_part(neuron, c, steady.Ca)
            drive = V - part.E
            S[..., c] = (part.open * drive)[..., None] * terms.by_gates[..., c]
            S[..., FAST, c] += part.open * terms.open[:, c]
            for q in part.pools:
                moved = terms.open[:, c] * (part.open_slope[q] * drive - part.open * part.E_slope[q])
                S[..., c] += moved[..., None] * through[..., q, :]
        for q, pool in enumerate(neuron.pools):
            if pool.pump is not None and pool.pump.current_uA:
                # no conductance: a column times its conductance is the same whatever that is
                carried = pool.pump.current_uA * pool.pump.slope(steady.Ca[..., q]) / g[..., -1:]
                S[..., -1] += carried[..., None] * through[..., q, :]
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
