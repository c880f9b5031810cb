"""Neuromodulation: each member of a population moves from its DICs to others, along its own path.

Fyon et al. (2024), doi:10.1093/pnasnexus/pgae415: all conductances of a member stay but two, which are solved
for anew at each step of the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances.generation import modulate
from spike2pop_nb.conductances.input_conductances import dics
from spike2pop_nb.conductances.member_table import DRIVE_COLUMNS
from spike2pop_nb.conductances.population import Population
from spike2pop_nb.conductances.reach import solvable_pairs
from spike2pop_nb.errors import CompensationError, UnreachableTarget
from spike2pop_nb.neurons import NeuronModel

__all__ = ["MAX_STEPS", "ModulationPath", "modulation_path", "widest_modulation"]

FloatArray = npt.NDArray[np.float64]
MAX_STEPS = 1000
_TOLD = 2  # members whose reasons are given one by one


@dataclass(frozen=True, eq=False)
class ModulationPath:
    """Members on their way from one (g_s, g_u) to another, in equal steps.

    Attributes
    ----------
    neuron
        The declaration with which DICs are read.
    labels
        ``(id, member)`` of each member.
    compensate
        The two conductances that move; all others of a member stay.
    to
        The target (g_s, g_u).
    g : (n, steps + 1, n_channels)
        Maximal conductances in mS/cm². A member that cannot go on stays where it was.
    dics : (n, steps + 1, 2)
        (g_s, g_u) of `g` at V_th.
    lost_at : (n,) int
        First step that a member could not reach; −1 for those that arrive.
    reasons
        ``{row: why it could not go on}``, one sentence each.
    drive
        Columns of the members' table that say what is injected in them.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> path.arrived, path.g.shape
    (array([ True,  True,  True,  True]), (4, 5, 8))
    """

    neuron: NeuronModel
    labels: list[tuple[str, int]]
    compensate: tuple[str, str]
    to: tuple[float, float]
    g: FloatArray
    dics: FloatArray
    lost_at: npt.NDArray[np.int64]
    reasons: dict[int, str]
    drive: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.g)

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.g.shape[1] - 1

    @property
    def arrived(self) -> npt.NDArray[np.bool_]:
        """Members that reach the end, shape (n,)."""
        return self.lost_at < 0

    def at(self, step: int) -> Population:
        """Return the members as they are after a step; 0 is the start.

        Raises
        ------
        CompensationError
            If there is no such step.
        """
        if not 0 <= step <= self.steps:
            raise CompensationError(f"The path has the steps 0 to {self.steps}, not {step}.")
        population = Population.from_g(self.neuron, self.g[:, step])
        table = population.table.assign(
            id=[name for name, _ in self.labels], member=[member for _, member in self.labels], **self.drive
        )
        made_by = {"modulated_to": list(self.to), "compensated": list(self.compensate), "step": step}
        return Population(self.neuron, table, made_by)

    def describe(self) -> str:
        """Say in a few sentences who arrives, and who does not and why; of many, the first and a count."""
        text = (
            f"{int(self.arrived.sum())} of {len(self)} members get to g_s {self.to[0]:.2f}, "
            f"g_u {self.to[1]:.2f} by moving {' and '.join(self.compensate)}."
        )
        told = list(self.reasons.values())[:_TOLD]
        others = len(self.reasons) - len(told)
        more = (
            f"So it is with {others} more, from step {self.lost_at[~self.arrived].min()} on."
            if others
            else ""
        )
        return " ".join(filter(None, [text, *told, more]))


def modulation_path(
    population: Population,
    to: Sequence[float],
    *,
    steps: int = 40,
    compensate: Sequence[str] | None = None,
) -> ModulationPath:
    """Move each member from its own (g_s, g_u) to another, straight through the plane.

    Parameters
    ----------
    population
        Members to start from.
    to
        The target ``(g_s, g_u)``.
    steps
        Number of equal steps.
    compensate
        The two conductances that move; by default the pair that the published rule picks for the end.

    Returns
    -------
    ModulationPath

    Raises
    ------
    CompensationError
        If the end is not finite, the number of steps is not possible, or the choice cannot be solved.
    UnreachableTarget
        If no member can take the first step.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> print(path.describe())
    4 of 4 members get to g_s 0.00, g_u 5.00 by moving A and H.
    """
    model = population.neuron
    if not len(population):
        raise CompensationError("There is no member to modulate.")
    end = _checked_end(to)
    if not (isinstance(steps, (int, np.integer)) and 1 <= steps <= MAX_STEPS):
        raise CompensationError(f"The number of steps must be from 1 to {MAX_STEPS}, not {steps!r}.")
    pair = tuple(compensate) if compensate is not None else model.recommend(*end)
    g0 = population.g
    n = len(g0)
    start = dics(model, g0)[:, 1:]
    g = np.repeat(g0[:, None], steps + 1, axis=1)
    lost_at = np.full(n, -1, dtype=np.int64)
    reasons = {}
    going = np.arange(n)
    for step in range(1, steps + 1):
        wanted = start[going] + (end - start[going]) * (step / steps)
        # from where each member stands, so that a member whose target does not move does not move either
        new, converged, valid = modulate(model, g[going, step - 1], wanted[:, 0], wanted[:, 1], pair)
        for k in np.flatnonzero(~valid):
            row = int(going[k])
            lost_at[row] = step
            reasons[row] = _reason(
                model, population.labels[row][1], pair, new[k], converged[k], wanted[k], step, steps
            )
        going = going[valid]
        g[going, step:] = new[valid][:, None]
        if not len(going):
            break
    if np.all(lost_at == 1):
        raise UnreachableTarget(
            f"Moving {' and '.join(pair)} of the {model.name} neuron takes no member towards g_s {end[0]:g}, "
            f"g_u {end[1]:g}; choose other conductances or another end."
        )
    return ModulationPath(
        neuron=model,
        labels=population.labels,
        compensate=(pair[0], pair[1]),
        to=(float(end[0]), float(end[1])),
        g=g,
        dics=dics(model, g)[..., 1:],
        lost_at=lost_at,
        reasons=dict(sorted(reasons.items())),
        drive={
            column: population.table[column].to_numpy()
            for column in DRIVE_COLUMNS
            if column in population.table
        },
    )


def widest_modulation(
    population: Population,
    to: Sequence[float],
    *,
    steps: int = 40,
    first: Iterable[tuple[str, str]] = (),
) -> ModulationPath:
    """Move the members by the two conductances that take most of them to the end.

    Parameters
    ----------
    population, to, steps
        As in `modulation_path`.
    first
        Choices to prefer where others take no more. The published rule's for the end follows them, then all
        others of the neuron.

    Raises
    ------
    CompensationError
        As `modulation_path`.
    UnreachableTarget
        If no choice takes any member a step towards the end.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.conductances import widest_modulation
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> widest_modulation(population, (0.0, 5.0)).compensate
    ('A', 'H')
    """
    neuron, end = population.neuron, _checked_end(to)
    best: ModulationPath | None = None
    tried: set[frozenset[str]] = set()
    for pair in (*first, None, *solvable_pairs(neuron)):
        names = frozenset(pair if pair is not None else neuron.recommend(*end))
        if names in tried:
            continue
        tried.add(names)
        try:
            path = modulation_path(population, to, steps=steps, compensate=pair)
        except UnreachableTarget:
            continue
        if best is None or path.arrived.sum() > best.arrived.sum():
            best = path
        if best.arrived.all():
            return best
    if best is None:
        raise UnreachableTarget(
            f"No two conductances of the {neuron.name} neuron take a member towards g_s {to[0]:g}, "
            f"g_u {to[1]:g}; choose another end."
        )
    return best


def _checked_end(to: Sequence[float]) -> FloatArray:
    end = np.asarray(to, dtype=float)
    if end.shape != (2,) or not np.all(np.isfinite(end)):
        raise CompensationError("The end of the path must be one finite pair (g_s, g_u).")
    return end


def _reason(
    neuron: NeuronModel,
    member: int,
    pair: tuple[str, ...],
    g: FloatArray,
    converged: bool,
    wanted: FloatArray,
    step: int,
    steps: int,
) -> str:
    where = (
        f"Member {member} cannot go on at step {step} of {steps} (g_s {wanted[0]:.2f}, g_u {wanted[1]:.2f})"
    )
    if not converged:
        return f"{where}: no solution was found there."
    negative = [name for name in pair if not g[neuron.index(name)] >= 0]
    return f"{where}: g_{' and g_'.join(negative)} would have to be negative."
