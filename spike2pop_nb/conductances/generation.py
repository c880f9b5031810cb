"""Generate populations: draw a baseline, then compensate it to the wanted DICs (Fyon et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances.member_table import MAX_SIZE
from spike2pop_nb.conductances.population import DICSampler, FloatArray, Population
from spike2pop_nb.errors import CompensationError, UnreachableTarget, check_whole
from spike2pop_nb.neurons import NeuronModel, Range, get_neuron, vary_neuron
from spike2pop_nb.seeds import generator

__all__ = ["baseline_population", "generate_population", "mean_baseline", "modulate"]

_ROUNDS = 40  # of drawing anew for the members that came out negative


def baseline_population(
    neuron: str | NeuronModel, size: int, seed: int | np.random.Generator
) -> tuple[FloatArray, int]:
    """Draw the tonic baseline population of a neuron.

    Returns
    -------
    (size, n_channels)
        Conductances in mS/cm², none negative.
    int
        How many were drawn in all.

    Raises
    ------
    CompensationError
        If the declared baseline yields almost no valid member.

    Examples
    --------
    >>> from spike2pop_nb.conductances import baseline_population
    >>> g, n_drawn = baseline_population("stg", 4, seed=0)
    >>> g.shape, n_drawn >= 4
    ((4, 8), True)
    """
    from spike2pop_nb.conductances.compensation import compensate  # Numba, which reading a table goes without

    neuron = get_neuron(neuron)
    rng = generator(seed, error=CompensationError)
    recipe = neuron.baseline
    kept: list[FloatArray] = []
    have = drawn = 0
    for _ in range(_ROUNDS):
        n = max(16, int(1.5 * (size - have)))
        g = np.zeros((n, neuron.n_channels))
        leak = recipe.free["leak"]
        assert isinstance(leak, Range)
        g_leak = leak.draw(rng, n)
        for name, spread in recipe.free.items():
            if name != "leak":
                values = spread.draw(rng, n) if isinstance(spread, Range) else float(spread)
                g[:, neuron.index(name)] = values * g_leak / leak.mean
        g[:, -1] = g_leak
        targets = {"g_f": recipe.g_f, "g_s": recipe.g_s, "g_u": recipe.g_u}
        solved = compensate(neuron, g, recipe.compensated, targets)
        drawn += n
        kept.append(solved.g[solved.valid])
        have += len(kept[-1])
        if have >= size:
            return np.concatenate(kept)[:size], drawn
    raise CompensationError(
        f"The baseline of the {neuron.name} neuron gave only {have} valid members out of {drawn} drawn."
    )


def mean_baseline(neuron: str | NeuronModel) -> FloatArray:
    """Return the baseline member whose drawn conductances are the means of what they are drawn from.

    Returns
    -------
    (n_channels,)
        Conductances in mS/cm².

    Raises
    ------
    CompensationError
        If the declared baseline cannot be solved for it without a negative conductance.

    Examples
    --------
    >>> from spike2pop_nb.conductances import mean_baseline
    >>> mean_baseline("stg").shape
    (8,)
    """
    from spike2pop_nb.conductances.compensation import compensate

    neuron = get_neuron(neuron)
    recipe = neuron.baseline
    g = np.zeros((1, neuron.n_channels))
    for name, spread in recipe.free.items():
        g[0, neuron.index(name)] = spread.mean if isinstance(spread, Range) else float(spread)
    solved = compensate(
        neuron, g, recipe.compensated, {"g_f": recipe.g_f, "g_s": recipe.g_s, "g_u": recipe.g_u}
    )
    if not solved.valid[0]:
        raise CompensationError(
            f"The mean of the baseline of the {neuron.name} neuron cannot be solved without a negative "
            "conductance; change its DICs or ranges."
        )
    return np.asarray(solved.g[0])


def modulate(
    neuron: str | NeuronModel,
    g: FloatArray,
    g_s: npt.ArrayLike,
    g_u: npt.ArrayLike,
    compensated: Sequence[str] | None = None,
) -> tuple[FloatArray, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Bring members to (g_s, g_u), each by the given pair or by the one recommended for its own target.

    Returns
    -------
    g : (n, n_channels), converged : (n,) bool, valid : (n,) bool
        ``valid`` members converged and have no negative conductance.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.conductances import baseline_population, modulate
    >>> g, _ = baseline_population("stg", 4, seed=0)
    >>> moved, converged, valid = modulate("stg", g, 4.0, 5.0, ("CaS", "H"))
    >>> converged
    array([ True,  True,  True,  True])
    """
    from spike2pop_nb.conductances.compensation import compensate

    neuron = get_neuron(neuron)
    n = len(g)
    wanted = np.stack(
        [np.broadcast_to(np.asarray(g_s, float), n), np.broadcast_to(np.asarray(g_u, float), n)], axis=1
    )
    if compensated is None:
        which = neuron.modulation_index(wanted[:, 0], wanted[:, 1])
        pairs: list[tuple[str, ...]] = [entry.compensate for entry in neuron.modulation]
    else:
        which, pairs = np.zeros(n, dtype=np.int64), [tuple(compensated)]
    out = g.copy()
    converged, valid = np.zeros((2, n), dtype=bool)
    for i, pair in enumerate(pairs):
        rows = np.flatnonzero(which == i)
        if len(pair) != 2:
            raise CompensationError(
                "Two conductances must be chosen to set g_s and g_u, "
                f"not {len(pair)} ({', '.join(pair) or 'none'})."
            )
        if len(rows):
            result = compensate(neuron, g[rows], pair, {"g_s": wanted[rows, 0], "g_u": wanted[rows, 1]})
            out[rows], converged[rows], valid[rows] = result.g, result.converged, result.valid
    return out, converged, valid


def generate_population(
    neuron: str | NeuronModel,
    target: DICSampler | Sequence[float] | npt.ArrayLike,
    size: int = 16,
    compensate: Sequence[str] | None = None,
    *,
    seed: int | np.random.Generator = 1,
    id: str | None = None,
    V_mV: float | None = None,
    baseline: Mapping[str, tuple[float, float]] | None = None,
) -> Population:
    """Generate a degenerate population with the wanted DICs at V_th.

    Parameters
    ----------
    neuron
        A neuron or its name.
    target
        A posterior (each member gets its own draw), one pair ``(g_s, g_u)``, or ``(size, 2)`` values.
    size
        Number of members wanted.
    compensate
        The two conductances that are solved for; by default the pair recommended for each member's target.
    seed
        The same seed gives the same population.
    id
        Name of the recording; that of the posterior, or ``"1"``, by default.
    V_mV
        Voltage at which DICs are read; the neuron's V_th by default.
    baseline
        ``{channel: (low, high)}`` in mS/cm²: other ranges to draw from than the declared ones.

    Returns
    -------
    Population
        ``size`` members with no negative conductance. ``made_by`` says how many were tried.

    Raises
    ------
    CompensationError
        If the size or the choice is not possible.
    UnreachableTarget
        If the choice cannot reach the target.
    NeuronModelError
        If the voltage or a baseline range is impossible.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=2, compensate=("CaS", "H"), seed=1)
    >>> population.table[["g_s", "g_u"]].round(3)
       g_s  g_u
    0  4.0  5.0
    1  4.0  5.0
    """
    neuron = vary_neuron(neuron, V_th_mV=V_mV, baseline=baseline)
    check_whole("population size", size, 1, MAX_SIZE, CompensationError)
    rng = generator(seed, error=CompensationError)
    fixed: FloatArray | None = None
    if not isinstance(target, DICSampler):
        try:
            fixed = np.atleast_2d(np.asarray(target, dtype=float))
        except (TypeError, ValueError):
            fixed = np.zeros((0, 0))
        if fixed.shape not in ((1, 2), (size, 2)) or not np.all(np.isfinite(fixed)):
            raise CompensationError(
                f"The target must be one finite pair (g_s, g_u), or one for each of the {size} members."
            )
    each = fixed is not None and len(fixed) == size and size > 1
    g = np.zeros((size, neuron.n_channels))
    missing = np.arange(size)
    tried = negative = unsolved = 0
    for _ in range(_ROUNDS):
        n = len(missing)
        wanted = _draw_targets(neuron, target, fixed, missing if each else None, n, rng)
        base, _drawn = baseline_population(neuron, n, rng)
        solved, converged, valid = modulate(neuron, base, wanted[:, 0], wanted[:, 1], compensate)
        g[missing[valid]] = solved[valid]
        tried += n
        unsolved += int((~converged).sum())
        negative += int((converged & ~valid).sum())
        missing = missing[~valid]
        if not len(missing):
            break
    if len(missing):
        chosen = " and ".join(compensate) if compensate else "the recommended conductances"
        raise UnreachableTarget(
            f"Compensating {chosen} of the {neuron.name} neuron does not reach this target: of {tried} "
            f"members tried, {negative} got a negative conductance and {unsolved} did not converge; "
            "choose other conductances or another target."
        )
    made_by: dict[str, Any] = {
        "neuron": neuron.name,
        "compensated": list(compensate) if compensate else "recommended",
        "size": int(size),
        "seed": int(seed) if isinstance(seed, (int, np.integer)) else None,
        "tried": tried,
        "negative": negative,
        "not_converged": unsolved,
    }
    if V_mV is not None:
        made_by["V_th_mV"] = neuron.V_th_mV
    if baseline:
        made_by["baseline"] = {name: [float(low), float(high)] for name, (low, high) in baseline.items()}
    name = id if id is not None else str(getattr(target, "id", "1"))
    return Population.from_g(neuron, g, id=name, made_by=made_by)


def _draw_targets(
    neuron: NeuronModel,
    target: Any,
    fixed: FloatArray | None,
    rows: npt.NDArray[np.int64] | None,
    n: int,
    rng: np.random.Generator,
) -> FloatArray:
    if fixed is not None:
        return np.broadcast_to(fixed, (n, 2)) if rows is None else fixed[rows]
    return np.asarray(target.sample(n, rng), dtype=float)
