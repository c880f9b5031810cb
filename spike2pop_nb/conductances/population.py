"""Degenerate populations: draw a baseline, then compensate it to the wanted DICs (Fyon et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances.input_conductances import dics
from spike2pop_nb.conductances.member_table import (
    MAX_SIZE,
    checked_members,
    neuron_cells,
    neuron_of,
    said_of,
)
from spike2pop_nb.errors import CompensationError, UnreachableTarget
from spike2pop_nb.neurons import NeuronModel, Range, get_neuron, same_neuron, vary_neuron

__all__ = ["MAX_SIZE", "DICSampler", "Population", "baseline_population", "generate_population", "modulate"]

FloatArray = npt.NDArray[np.float64]
_ROUNDS = 40  # of drawing anew for the members that came out negative


@runtime_checkable
class DICSampler(Protocol):
    """Anything that draws (g_s, g_u), such as a posterior.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> class Fixed:
    ...     def sample(self, n, seed=0):
    ...         return np.tile([4.0, 5.0], (n, 1))
    ...
    >>> len(s2p.generate_population("stg", Fixed(), size=3))
    3
    """

    def sample(self, n: int, seed: int | np.random.Generator = ...) -> npt.NDArray[np.floating]:
        """Draw ``(n, 2)`` values of (g_s, g_u)."""
        ...


@dataclass(frozen=True, eq=False)
class Population:
    """Members of one neuron model, generated to have given DICs.

    Attributes
    ----------
    neuron
        Their declaration, which may be a variation; a name is looked up in the registry.
    table
        One row per member: ``id``, ``member``, ``g_<channel>`` in mS/cm², ``g_s`` and ``g_u`` at V_th.
    made_by
        Options, seed, and counts: asked, tried, and why others were discarded.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> len(population), population.channel_names
    (4, ('Na', 'Kd', 'CaT', 'CaS', 'KCa', 'A', 'H', 'leak'))
    >>> population.to_frame()[["member", "g_s", "g_u"]].round(3).head(2)
       member  g_s  g_u
    0       0  4.0  5.0
    1       1  4.0  5.0
    """

    neuron: NeuronModel
    table: pd.DataFrame
    made_by: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "neuron", get_neuron(self.neuron))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels, leak last."""
        return self.neuron.channel_names

    @property
    def g(self) -> FloatArray:
        """Maximal conductances in mS/cm², shape ``(n, n_channels)``."""
        return np.ascontiguousarray(self.table[list(self.neuron.g_columns)], dtype=float)

    @property
    def labels(self) -> list[tuple[str, int]]:
        """``(id, member)`` of each row."""
        return [(str(i), int(m)) for i, m in zip(self.table["id"], self.table["member"], strict=True)]

    def select(self, rows: Sequence[int] | npt.NDArray[Any]) -> Population:
        """Return some of the members, in the given order."""
        return Population(self.neuron, self.table.iloc[np.asarray(rows)].reset_index(drop=True), self.made_by)

    @classmethod
    def joined(cls, populations: Sequence[Population]) -> Population:
        """Return the members of several populations of one neuron, with what all were made by.

        Raises
        ------
        CompensationError
            If there is no population, or they are of different neurons.
        """
        if not populations:
            raise CompensationError("Populations of one neuron can be joined, not none.")
        neuron = populations[0].neuron
        if not all(same_neuron(neuron, population.neuron) for population in populations):
            found = dict.fromkeys(said_of(population.neuron) for population in populations)
            raise CompensationError(f"Populations of one neuron can be joined, not of {' and '.join(found)}.")
        first = populations[0].made_by
        shared = {
            key: value
            for key, value in first.items()
            if all(other.made_by.get(key) == value for other in populations[1:])
        }
        table = pd.concat([population.table for population in populations], ignore_index=True)
        return cls(neuron, table, shared)

    def to_frame(self) -> pd.DataFrame:
        """Return the table with the columns that say of which neuron the members are.

        These are ``neuron`` (its name), ``V_th_mV``, ``declaration`` (`NeuronModel.declaration`) and, where
        the baseline ranges are other than the registered ones, ``baseline``.
        """
        return self.table.assign(**neuron_cells(self.neuron))

    def to_csv(self, path: str | Path) -> None:
        """Write `to_frame` as CSV."""
        self.to_frame().to_csv(path, index=False)

    def to_parquet(self, path: str | Path) -> None:
        """Write `to_frame` as Parquet."""
        self.to_frame().to_parquet(path, index=False)

    @classmethod
    def from_g(
        cls,
        neuron: str | NeuronModel,
        g: npt.ArrayLike,
        *,
        id: str = "1",
        made_by: Mapping[str, Any] | None = None,
    ) -> Population:
        """Make a population of given conductances, (n, n_channels) in mS/cm²."""
        neuron = get_neuron(neuron)
        values = np.atleast_2d(np.asarray(g, dtype=float))
        table = pd.DataFrame({"id": id, "member": np.arange(len(values))})
        table[list(neuron.g_columns)] = values
        table[["g_s", "g_u"]] = dics(neuron, values)[:, 1:]
        return cls(neuron, table, made_by or {})

    @classmethod
    def from_frame(
        cls, table: pd.DataFrame, neuron: str | NeuronModel | None = None, *, file: str = "The table"
    ) -> Population:
        """Make a population of a table of conductances: ``g_<channel>`` in mS/cm².

        Parameters
        ----------
        table
            With or without ``id`` and ``member``, and the columns of `to_frame` that say of which neuron the
            members are. g_s and g_u are computed anew.
        neuron
            Needed if the table does not say it. Of a name the table may say the variation; a neuron must be
            the one that the table says.
        file
            What messages call the table.

        Raises
        ------
        CompensationError
            If it is no such table, a value is missing or negative (row and value are named), or table and
            caller say different neurons, or neither says one.
        """
        found = neuron_of(table, neuron, file)
        members = checked_members(table, found, file)
        members[["g_s", "g_u"]] = dics(found, members[list(found.g_columns)].to_numpy(float))[:, 1:]
        return cls(found, members, {"read_from": file})

    @classmethod
    def from_csv(cls, path: str | Path, neuron: str | NeuronModel | None = None) -> Population:
        """Read a CSV table of conductances; see `from_frame`.

        Raises
        ------
        CompensationError
            If the file is no such table, or table and caller say different neurons, or neither says one.
        """
        name = Path(path).name
        texts = {"id": str, "neuron": str, "V_th_mV": str, "baseline": str, "declaration": str}
        try:
            # "NA" and its like are ids as any other, and no conductances
            gaps = {column: [""] for column in texts if column != "id"}
            table = pd.read_csv(path, dtype=texts, nrows=MAX_SIZE + 1, keep_default_na=False, na_values=gaps)
        except FileNotFoundError:
            raise CompensationError(f"{name}: there is no such file.") from None
        except (ValueError, OSError, UnicodeDecodeError):
            raise CompensationError(f"{name} is not a CSV table that can be read.") from None
        return cls.from_frame(table, neuron, file=name)

    @classmethod
    def from_parquet(cls, path: str | Path, neuron: str | NeuronModel | None = None) -> Population:
        """Read a Parquet table of conductances; see `from_frame`.

        Raises
        ------
        CompensationError
            As `from_csv`.
        """
        name = Path(path).name
        try:
            table = pd.read_parquet(path)
        except FileNotFoundError:
            raise CompensationError(f"{name}: there is no such file.") from None
        except (ValueError, OSError):
            raise CompensationError(f"{name} is not a Parquet table that can be read.") from None
        return cls.from_frame(table, neuron, file=name)


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
    rng = np.random.default_rng(seed)
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
    if not (isinstance(size, (int, np.integer)) and 1 <= size <= MAX_SIZE):
        raise CompensationError(
            f"The population size must be a whole number from 1 to {MAX_SIZE}, not {size!r}."
        )
    rng = np.random.default_rng(seed)
    fixed: FloatArray | None = None
    if not isinstance(target, DICSampler):
        fixed = np.atleast_2d(np.asarray(target, dtype=float))
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
