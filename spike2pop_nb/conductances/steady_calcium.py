"""Steady calcium at held voltages, and what moves with it: the paths of DICs that lead through calcium.

Where what feeds a pool does not follow calcium itself, its steady state is a sum over currents. Otherwise it
is where what flows in and what is removed are equal, ``R(Ca) = 0``, which Newton's method finds on ln Ca.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spike2pop_nb.neurons import Nernst, NeuronModel

if TYPE_CHECKING:
    from spike2pop_nb.conductances.input_conductances import VoltageTerms

__all__ = ["CalciumPart", "SteadyCalcium", "calcium_part", "steady_calcium"]

FloatArray = npt.NDArray[np.float64]
# Of Newton's method, in ln Ca; who gets too far or needs too long has no steady state.
_MOST_ROUNDS, _MOST_STEP, _SETTLED, _FAR = 60, 2.0, 1e-12, 30.0


@dataclass(frozen=True)
class CalciumPart:
    """What calcium makes of a channel, at the calcium given.

    Attributes
    ----------
    open : (...)
        Factor of its open fraction.
    E : (...)
        Reversal potential in mV.
    open_slope, E_slope
        Their derivatives by each pool of ``pools``, per µM.
    """

    open: FloatArray
    E: FloatArray
    open_slope: dict[int, FloatArray]
    E_slope: dict[int, FloatArray]

    @property
    def pools(self) -> list[int]:
        """The pools that the channel follows."""
        return list(self.open_slope)


@dataclass(frozen=True)
class SteadyCalcium:
    """Steady calcium of each pool in µM, (..., n_V, n_pools), and its derivative by voltage."""

    Ca: FloatArray
    slope: FloatArray


def calcium_part(neuron: NeuronModel, c: int, Ca: FloatArray) -> CalciumPart:
    """Return what calcium (..., n_pools) makes of the c-th channel."""
    channel = neuron.channels[c]
    zero = np.zeros(Ca.shape[:-1])
    factors: list[tuple[int, FloatArray, FloatArray]] = []
    for gate in channel.gates:
        if (hill := gate.hill) is not None:
            q = neuron.pool_index(hill)
            h, n = hill.value(Ca[..., q]), gate.exponent
            factors.append((q, h**n, n * h ** (n - 1) * hill.slope(Ca[..., q])))
    opened, E = zero + 1.0, zero + neuron.E_mV[c]
    open_slope = {q: zero for q, _value, _slope in factors}
    for i, (q, value, slope) in enumerate(factors):
        for other in factors[:i] + factors[i + 1 :]:
            slope = slope * other[1]
        opened, open_slope[q] = opened * value, open_slope[q] + slope
    E_slope = dict.fromkeys(open_slope, zero)
    if isinstance(reversal := channel.E_mV, Nernst):
        q = neuron.pool_index(reversal)
        E, E_slope[q] = reversal.value(Ca[..., q]), reversal.slope(Ca[..., q])
        open_slope.setdefault(q, zero)
    return CalciumPart(opened, E, open_slope, E_slope)


def steady_calcium(neuron: NeuronModel, g: FloatArray, terms: VoltageTerms) -> SteadyCalcium:
    """Return the steady calcium of members g (..., n_channels) at the voltages of ``terms``.

    Not a number where there is none.
    """
    pools = neuron.pools
    fed = [[neuron.index(name) for name in pool.channels] for pool in pools]
    feedback = any(neuron.channels[c].follows_calcium for feeding in fed for c in feeding)
    if not feedback and all(pool.pump is None for pool in pools):
        current = terms.open * (terms.V_mV[:, None] - neuron.E_mV)
        current_slope = terms.slope * (terms.V_mV[:, None] - neuron.E_mV) + terms.open
        sums = [
            np.stack([each[:, feeding] @ g[..., feeding, None] for feeding in fed], axis=-1)[..., 0, :]
            for each in (current, current_slope)
        ]
        influx = np.array([pool.influx_uM_per_uA for pool in pools])
        return SteadyCalcium(np.array([pool.rest_uM for pool in pools]) - influx * sums[0], -influx * sums[1])
    members = g.reshape(-1, g.shape[-1])
    u = np.zeros((len(members), terms.V_mV.size, len(pools)))
    u += np.log([max(pool.rest_uM, 1e-3) for pool in pools])
    going = np.arange(len(members))
    with np.errstate(all="ignore"):
        for _round in range(_MOST_ROUNDS):
            Ca = np.exp(u[going])
            R, J, _by_V = _balance(neuron, fed, members[going], terms, Ca)
            step = _solved(J * Ca[..., None, :], -R)
            u[going] += np.clip(step, -_MOST_STEP, _MOST_STEP)
            # who has settled stays, so that nobody's answer depends on who else is there
            settled = (np.abs(step) <= _SETTLED).all(axis=(1, 2))
            going = going[~settled & (np.abs(u[going]) < _FAR).all(axis=(1, 2))]
            if not going.size:
                break
        u[going] = np.nan
        Ca = np.exp(np.where(np.abs(u) < _FAR, u, np.nan))
        _R, J, by_V = _balance(neuron, fed, members, terms, Ca)
        slope = _solved(J, -by_V)
    shape = (*g.shape[:-1], *u.shape[1:])
    return SteadyCalcium(Ca.reshape(shape), slope.reshape(shape))


def _balance(
    neuron: NeuronModel, fed: list[list[int]], g: FloatArray, terms: VoltageTerms, Ca: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what each pool has above its steady state, and its derivatives by every pool and by voltage."""
    R = Ca - np.array([pool.rest_uM for pool in neuron.pools])
    J, by_V = np.zeros((*R.shape, R.shape[-1])), np.zeros_like(R)
    for q, (pool, feeding) in enumerate(zip(neuron.pools, fed, strict=True)):
        J[..., q, q] = 1.0
        for c in feeding:
            part, opened = calcium_part(neuron, c, Ca), terms.open[:, c]
            each, drive = pool.influx_uM_per_uA * g[..., c, None], terms.V_mV - part.E
            R[..., q] += each * opened * part.open * drive
            by_V[..., q] += each * part.open * (terms.slope[:, c] * drive + opened)
            for s in part.pools:
                J[..., q, s] += each * opened * (part.open_slope[s] * drive - part.open * part.E_slope[s])
        if (pump := pool.pump) is not None:
            R[..., q] += pool.tau_ms * pump.rate_uM_per_ms * pump.share(Ca[..., q])
            J[..., q, q] += pool.tau_ms * pump.rate_uM_per_ms * pump.slope(Ca[..., q])
    return R, J, by_V


def _solved(A: FloatArray, b: FloatArray) -> FloatArray:
    """Return x of ``A x = b`` for many small systems, by elimination; singular ones give no numbers.

    NumPy's own refuses all of them for one that is singular.
    """
    A, b = A.copy(), b.copy()
    n = b.shape[-1]
    for i in range(n):
        for r in range(n):
            if r != i:
                f = A[..., r, i] / A[..., i, i]
                A[..., r, :] -= f[..., None] * A[..., i, :]
                b[..., r] -= f * b[..., i]
    return b / np.einsum("...ii->...i", A)
