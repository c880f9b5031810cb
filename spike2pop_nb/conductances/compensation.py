"""Iterative compensation: solve some conductances so that a member has the wanted DICs.

Fyon et al. (2024), doi:10.1093/pnasnexus/pgae415, made iterative by Brandoit et al. (2026). Where a solved
conductance feeds calcium, the sensitivity matrix depends on the answer. The published scheme puts the answer
back and solves again, a fixed number of times; here Newton's method on the same equations stops at a stated
residual, and the published scheme remains for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances.input_conductances import (
    DIC_NAMES,
    VoltageTerms,
    dics,
    sensitivity,
    voltage_terms,
)
from spike2pop_nb.errors import CompensationError, NeuronModelError
from spike2pop_nb.jit import jit
from spike2pop_nb.neurons import Nernst, NeuronModel, get_neuron

__all__ = ["Compensated", "compensate"]

FloatArray = npt.NDArray[np.float64]
MAX_ROUNDS = 60
# A choice whose columns of S differ in direction by less than this cannot be solved in floating point.
SINGULAR_CONDITION = 1e10
_DIFFERENCE = 1e-6  # over a conductance, by which it is changed to see what follows


@dataclass(frozen=True)
class Compensated:
    """Members after compensation.

    Attributes
    ----------
    g : (n, n_channels)
        Maximal conductances in mS/cm²; may be negative where the target is out of reach.
    residual : (n,)
        Largest distance from the wanted DICs, in DIC units.
    converged : (n,) bool
        Whether the residual is within the tolerance.
    rounds : (n,) int
        Number of solves used.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.conductances import baseline_population
    >>> g, _ = baseline_population("stg", 4, seed=0)
    >>> solved = s2p.compensate("stg", g, ("CaS", "H"), {"g_s": 4.0, "g_u": 5.0})
    >>> solved.converged, bool(solved.residual.max() < 1e-6)
    (array([ True,  True,  True,  True]), True)
    """

    g: FloatArray
    residual: FloatArray
    converged: npt.NDArray[np.bool_]
    rounds: npt.NDArray[np.int64]

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Members that converged to finite conductances, none of them negative."""
        return self.converged & np.all(np.isfinite(self.g) & (self.g >= 0), axis=1)


@jit(error_model="numpy")
def _solve(A: FloatArray, b: FloatArray, n: int) -> None:
    """Solve A x = b in place (x in b) by elimination with row pivots; n is 1 to 3."""
    for i in range(n):
        p = i
        for r in range(i + 1, n):
            if abs(A[r, i]) > abs(A[p, i]):
                p = r
        if p != i:
            for c in range(n):
                A[i, c], A[p, c] = A[p, c], A[i, c]
            b[i], b[p] = b[p], b[i]
        for r in range(i + 1, n):
            f = A[r, i] / A[i, i]
            for c in range(i + 1, n):
                A[r, c] -= f * A[i, c]
            b[r] -= f * b[i]
    for i in range(n - 1, -1, -1):
        for c in range(i + 1, n):
            b[i] -= A[i, c] * b[c]
        b[i] /= A[i, i]


@jit(error_model="numpy")
def _compensate(
    g: FloatArray,
    start: FloatArray,
    target: FloatArray,
    rows: npt.NDArray[np.int64],
    solved: npt.NDArray[np.int64],
    gated: npt.NDArray[np.int64],
    fixed: FloatArray,
    by_hill: FloatArray,
    by_calcium: FloatArray,
    power: FloatArray,
    half: FloatArray,
    current: FloatArray,
    slope: FloatArray,
    rest: float,
    influx: float,
    tol: float,
    max_rounds: int,
    newton: bool,
    residual: FloatArray,
    rounds: npt.NDArray[np.int64],
) -> None:
    """Compensate every member of g in place: solve ``S' g − target g_leak = 0`` with S' = S g_leak."""
    n, n_ch = g.shape
    k = solved.size
    leak = n_ch - 1
    S = np.empty((k, n_ch))
    dS_dCa = np.empty((k, n_ch))  # derivatives of the calcium-dependent columns
    dS_ddCa = np.empty((k, n_ch))
    A = np.empty((3, 3))
    b = np.empty(3)
    for m in range(n):
        for i in range(k):
            g[m, solved[i]] = start[m, i]
        done = 0
        while True:
            Ca, dCa = rest, 0.0
            for c in range(n_ch):
                Ca -= influx * current[c] * g[m, c]
                dCa -= influx * slope[c] * g[m, c]
            for r in range(k):
                for c in range(n_ch):
                    S[r, c] = fixed[rows[r], c]
            for q in gated:
                p, K = power[q], half[q]
                h = Ca / (Ca + K)
                h1 = K / (Ca + K) ** 2  # dh/dCa
                h2 = -2.0 * h1 / (Ca + K)
                hp1 = h ** (p - 1.0)
                hp2 = h ** (p - 2.0) if p > 1.0 else 0.0
                for r in range(k):
                    U, W = by_hill[rows[r], q], by_calcium[rows[r], q]
                    S[r, q] = h * hp1 * U + p * hp1 * h1 * dCa * W
                    dS_dCa[r, q] = p * hp1 * h1 * U + p * dCa * W * ((p - 1.0) * hp2 * h1 * h1 + hp1 * h2)
                    dS_ddCa[r, q] = p * hp1 * h1 * W
            worst = 0.0
            for r in range(k):
                F = -target[m, r] * g[m, leak]
                for c in range(n_ch):
                    F += S[r, c] * g[m, c]
                b[r] = -F
                worst = max(worst, abs(F / g[m, leak]))
                if not np.isfinite(F):
                    worst = np.inf
            residual[m], rounds[m] = worst, done
            # the published scheme runs its stated number of rounds, whatever the residual
            if done >= max_rounds or worst == np.inf or (newton and done > 0 and worst <= tol):
                break
            for r in range(k):
                for i in range(k):
                    c = solved[i]
                    A[r, i] = S[r, c]
                    if c == leak:
                        A[r, i] -= target[m, r]
                    # the first rounds are plain solves: they bring a poor start near the answer
                    if newton and done >= 2:
                        for q in gated:
                            A[r, i] -= (
                                influx * g[m, q] * (dS_dCa[r, q] * current[c] + dS_ddCa[r, q] * slope[c])
                            )
            _solve(A, b, k)
            for i in range(k):
                g[m, solved[i]] += b[i]
            done += 1


def _simple_calcium(neuron: NeuronModel, terms: VoltageTerms) -> tuple[Any, ...] | None:
    """Return what `_compensate` needs to know of a neuron; None where its calcium does what that cannot.

    It can do one pool, whose channels do not follow calcium themselves, and which acts on one gate a channel.
    """
    hills = [[gate for gate in channel.gates if gate.hill is not None] for channel in neuron.channels]
    fed = [name for pool in neuron.pools for name in pool.channels]
    if (
        len(neuron.pools) > 1
        or any(pool.pump is not None for pool in neuron.pools)
        or any(isinstance(channel.E_mV, Nernst) for channel in neuron.channels)
        or any(hills[neuron.index(name)] for name in fed)
        or any(len(each) > 1 for each in hills)
        or any(gate.hill.power != 1.0 or gate.hill.closes for each in hills for gate in each if gate.hill)
    ):
        return None
    n = neuron.n_channels
    power, half, (current, slope) = np.zeros(n), np.ones(n), np.zeros((2, n))
    by_hill, by_calcium = np.zeros((2, 3, n))
    drive, opened = terms.V_mV[0] - neuron.E_mV, terms.open[0]
    for c, each in enumerate(hills):
        for gate in each:
            assert gate.hill is not None
            power[c], half[c] = gate.exponent, gate.hill.half_uM
            by_hill[:, c] = terms.by_gates[0, :, c] * drive[c]
            by_hill[0, c] += opened[c]
            by_calcium[:, c] = terms.pool_shares[0, 0] * opened[c] * drive[c]
    feeding = [neuron.index(name) for name in fed]
    current[feeding] = (opened * drive)[feeding]
    slope[feeding] = (terms.slope[0] * drive + opened)[feeding]
    pool = neuron.pools[0] if neuron.pools else None
    gated = np.flatnonzero(power).astype(np.int64)
    calcium = (pool.rest_uM, pool.influx_uM_per_uA) if pool else (0.0, 0.0)
    return gated, terms.fixed[0], by_hill, by_calcium, power, half, current, slope, *calcium


@jit(error_model="numpy")
def _solve_each(A: FloatArray, b: FloatArray) -> None:
    """Solve many systems in place (x in b)."""
    for m in range(b.shape[0]):
        _solve(A[m], b[m], b.shape[1])


def _compensate_any(
    neuron: NeuronModel,
    g: FloatArray,
    target: FloatArray,
    rows: npt.NDArray[np.int64],
    solved: npt.NDArray[np.int64],
    V_mV: float | None,
    tol: float,
    max_rounds: int,
    newton: bool,
    residual: FloatArray,
    rounds: npt.NDArray[np.int64],
) -> None:
    """Do what `_compensate` does for any neuron, with differences in place of derivatives."""

    def system(g: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return S g_leak (n, k, n_channels), and what is too much of each DIC, times g_leak."""
        S = (sensitivity(neuron, g, V_mV) * g[:, None, -1:])[:, rows]
        return S, (S * g[:, None]).sum(axis=-1) - target[left] * g[:, -1:]

    left = np.arange(len(g))  # members that go on
    for done in range(max_rounds + 1):
        if not left.size:
            break
        with np.errstate(all="ignore"):
            now = g[left]
            S, F = system(now)
            worst = np.abs(F / now[:, -1:]).max(axis=1)
            worst[~np.isfinite(F).all(axis=1)] = np.inf
            residual[left], rounds[left] = worst, done
            go = np.isfinite(worst)
            if newton and done > 0:
                go &= worst > tol
            left, now, S, F = left[go], now[go], S[go], F[go]
            A = S[:, :, solved]
            A[:, :, solved == g.shape[1] - 1] -= target[left][..., None]
            if newton and done >= 2:
                for i, c in enumerate(solved):
                    h = _DIFFERENCE * (np.abs(now[:, c]) + now[:, -1])
                    moved = now.copy()
                    moved[:, c] += h
                    A[:, :, i] = (system(moved)[1] - F) / h[:, None]
            b = -F
            _solve_each(np.ascontiguousarray(A), b)
            if done < max_rounds:
                g[np.ix_(left, solved)] = now[:, solved] + b


def _check_choice(
    neuron: NeuronModel, conductances: Sequence[str], targets: Mapping[str, Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    chosen = ", ".join(conductances) or "none"
    if not 1 <= len(conductances) <= 3 or len(set(conductances)) != len(conductances):
        raise CompensationError(
            f"Choose one to three different conductances of the {neuron.name} neuron to compensate, "
            f"not {chosen}."
        )
    if len(targets) != len(conductances):
        raise CompensationError(
            f"As many DICs as conductances must be given: {chosen} against {', '.join(targets) or 'none'}."
        )
    if unknown := [name for name in targets if name not in DIC_NAMES]:
        raise CompensationError(f"A target must be one of g_f, g_s, g_u, not {unknown[0]!r}.")
    try:
        solved = np.array([neuron.index(name) for name in conductances], dtype=np.int64)
    except NeuronModelError as error:
        raise CompensationError(f"Conductances to compensate: {error}") from None
    return solved, np.array([DIC_NAMES.index(name) for name in targets], dtype=np.int64)


def compensate(
    neuron: str | NeuronModel,
    g: npt.ArrayLike,
    conductances: Sequence[str],
    targets: Mapping[str, npt.ArrayLike],
    *,
    tol: float = 1e-6,
    max_rounds: int | None = None,
    method: str = "newton",
    V_mV: float | None = None,
) -> Compensated:
    """Solve the chosen conductances of each member so that its DICs at V_th meet the targets.

    Parameters
    ----------
    neuron
        A neuron or its name.
    g : (n_members, n_channels)
        Members to start from, in mS/cm²; only the chosen conductances change.
    conductances
        One to three channel names.
    targets
        ``{"g_s": value or (n,), "g_u": …}``: as many DICs as conductances.
    tol
        Residual, in DIC units, at which a member has converged.
    max_rounds
        Most solves a member may take; 60 for ``"newton"``, 6 for ``"published"``.
    method
        ``"newton"``, or ``"published"``: put the answer into S and solve again, ``max_rounds`` times in all.
    V_mV
        Voltage at which DICs are read; the neuron's V_th by default.

    Returns
    -------
    Compensated

    Raises
    ------
    CompensationError
        If the choice is not possible: unknown or repeated names, or conductances whose effects on these DICs
        are absent or proportional, so that no unique answer exists.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.conductances import baseline_population
    >>> g, _ = baseline_population("stg", 2, seed=0)
    >>> solved = s2p.compensate("stg", g, ("CaS", "H"), {"g_s": 4.0, "g_u": 5.0})
    >>> s2p.dics("stg", solved.g)[:, 1:].round(3)
    array([[4., 5.],
           [4., 5.]])
    """
    neuron = get_neuron(neuron)
    solved, rows = _check_choice(neuron, conductances, targets)
    if method not in ("newton", "published"):
        raise CompensationError(f"The method must be 'newton' or 'published', not {method!r}.")
    out = np.array(np.atleast_2d(np.asarray(g, dtype=float)), order="C")
    if out.ndim != 2 or out.shape[1] != neuron.n_channels:
        raise CompensationError(
            f"Members must come as rows of {neuron.n_channels} conductances, not in shape {out.shape}."
        )
    n = out.shape[0]
    wanted = np.empty((n, rows.size))
    for i, (name, value) in enumerate(targets.items()):
        array = np.asarray(value, dtype=float)
        if array.ndim > 1 or (array.ndim == 1 and array.size not in (1, n)) or not np.all(np.isfinite(array)):
            raise CompensationError(f"The target {name} must be one finite number, or one per member.")
        wanted[:, i] = array
    terms = voltage_terms(neuron, V_mV)
    start = out[:, solved].copy()
    for i, name in enumerate(conductances):
        guess = neuron.calcium_guess.get(name)
        if guess is not None and "g_s" in targets:
            start[:, i] = guess(wanted[:, list(targets).index("g_s")])
    _refuse_singular(neuron, out, start, solved, rows, conductances, list(targets), V_mV)
    residual, rounds = np.empty(n), np.empty(n, dtype=np.int64)
    newton = method == "newton"
    if max_rounds is None:
        max_rounds = MAX_ROUNDS if newton else 6
    if (simple := _simple_calcium(neuron, terms)) is not None:
        ending = (tol, max_rounds, newton, residual, rounds)
        _compensate(out, start, wanted, rows, solved, *simple, *ending)
    else:
        out[:, solved] = start
        _compensate_any(neuron, out, wanted, rows, solved, V_mV, tol, max_rounds, newton, residual, rounds)
    return Compensated(out, residual, residual <= tol, rounds)


def _refuse_singular(
    neuron: NeuronModel,
    g: FloatArray,
    start: FloatArray,
    solved: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    conductances: Sequence[str],
    names: Sequence[str],
    V_mV: float | None,
) -> None:
    """Refuse a choice that cannot steer these DICs, judged on the first sound member."""
    probes = g.copy()
    probes[:, solved] = start
    sound = np.flatnonzero(np.all(np.isfinite(probes), axis=1) & (probes[:, -1] > 0))
    if not len(sound):
        return
    probe = probes[sound[:1]]
    columns = _columns(neuron, probe, V_mV)[0][:, solved]
    S = columns[rows]
    scale = np.linalg.norm(S, axis=0)
    biggest = np.linalg.norm(columns, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mute = scale < 1e-9 * biggest
        condition = np.inf if mute.any() else np.linalg.cond(S / scale)
    if not condition < SINGULAR_CONDITION:
        raise CompensationError(
            f"Compensating {' and '.join(conductances)} of the {neuron.name} neuron cannot set "
            f"{' and '.join(names)}: their effects on these DICs at the threshold are absent or "
            "proportional; choose other conductances."
        )


def _columns(neuron: NeuronModel, g: FloatArray, V_mV: float | None) -> FloatArray:
    S = sensitivity(neuron, g, V_mV)
    # the leak also divides every DIC, so its column carries minus the DICs themselves
    S[..., -1] -= dics(neuron, g, V_mV) / g[:, -1:]
    return S
