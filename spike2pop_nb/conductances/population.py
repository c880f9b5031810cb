"""Degenerate populations: members with their neuron, as a table and in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances.inhibition import Inhibition
from spike2pop_nb.conductances.input_conductances import dics
from spike2pop_nb.conductances.member_table import (
    CURRENT_COLUMN,
    DRIVE_COLUMNS,
    MAX_SIZE,
    NOISE_COLUMN,
    SEED_COLUMN,
    WEIGHT_COLUMN,
    checked_members,
    neuron_cells,
    neuron_of,
    said_of,
)
from spike2pop_nb.errors import CompensationError, printable
from spike2pop_nb.neurons import NeuronModel, get_neuron, same_neuron

__all__ = ["MAX_SIZE", "DICSampler", "Population"]

FloatArray = npt.NDArray[np.float64]
_PANDAS = tuple(int(part) for part in pd.__version__.split(".")[:2])
_EXACTLY: dict[str, Any] = {"float_precision": "round_trip"} if _PANDAS < (3, 1) else {}
"""To read numbers to the last bit, which pandas does by itself from 3.1 on."""


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
        One row per member: ``id``, ``member``, ``g_<channel>`` in mS/cm², ``g_s`` and ``g_u`` at V_th; of
        members that are driven also ``current_uA_cm2`` and ``noise_sigma_uA_cm2``, a constant current and the
        noise that are injected whenever they are simulated, and ``noise_seed``, that of their noise; of
        members that follow a rhythm ``inhibition_mS_cm2``, ``inhibition_period_ms`` and ``inhibition_share``
        (see `Inhibition`); of a population that an experiment narrowed also ``weight``, how probable each
        member is.
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
    def current(self) -> FloatArray:
        """Constant current injected in each member in µA/cm², shape ``(n,)``; 0 where nothing is said."""
        return self._driven(CURRENT_COLUMN)

    @property
    def noise_sigma(self) -> FloatArray:
        """Noise injected in each member in µA/cm², as `simulate` takes it, shape ``(n,)``."""
        return self._driven(NOISE_COLUMN)

    @property
    def driven(self) -> bool:
        """Whether any member has an injected current, noise, or a rhythmic inhibition."""
        return bool(self.current.any() or self.noise_sigma.any() or self.inhibition is not None)

    @property
    def inhibition(self) -> Inhibition | None:
        """Rhythmic inhibition of the members; None if no member has one."""
        return Inhibition.from_table(self.table)

    @property
    def noise_seeds(self) -> npt.NDArray[np.uint64] | None:
        """Seed of each member's noise, shape ``(n,)``; None where nothing is said."""
        return self.table[SEED_COLUMN].to_numpy(np.uint64) if SEED_COLUMN in self.table else None

    @property
    def weights(self) -> FloatArray:
        """How probable each member is, shape ``(n,)``, together 1; all alike where nothing is said."""
        if WEIGHT_COLUMN not in self.table:
            return np.full(len(self), 1.0 / len(self))
        said = self.table[WEIGHT_COLUMN]  # of members that were joined to others, some may have none
        weights = said.fillna(said.mean()).to_numpy(float)
        return np.asarray(weights / weights.sum())

    def _driven(self, column: str) -> FloatArray:
        if column not in self.table:
            return np.zeros(len(self))
        return self.table[column].fillna(0.0).to_numpy(float)

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
        driven = [column for column in DRIVE_COLUMNS if any(column in each.table for each in populations)]
        tables = [  # who receives nothing is said to, so that seeds remain whole numbers
            each.table.assign(**{column: 0 for column in driven if column not in each.table})
            for each in populations
        ]
        return cls(neuron, pd.concat(tables, ignore_index=True), shared)

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
        current: npt.ArrayLike | None = None,
        noise_sigma: npt.ArrayLike | None = None,
        noise_seeds: npt.ArrayLike | None = None,
        inhibition: Inhibition | None = None,
    ) -> Population:
        """Make a population of given conductances, (n, n_channels) in mS/cm², and what drives them, (n,)."""
        neuron = get_neuron(neuron)
        values = np.atleast_2d(np.asarray(g, dtype=float))
        table = pd.DataFrame({"id": id, "member": np.arange(len(values))})
        table[list(neuron.g_columns)] = values
        table[["g_s", "g_u"]] = dics(neuron, values)[:, 1:]
        for column, drive in ((CURRENT_COLUMN, current), (NOISE_COLUMN, noise_sigma)):
            if drive is not None:
                table[column] = np.asarray(drive, dtype=float)
        if noise_seeds is not None:
            table[SEED_COLUMN] = np.asarray(noise_seeds, dtype=np.int64)
        if inhibition is not None:
            table = table.assign(**inhibition.columns())
        return cls(neuron, table, made_by or {})

    @classmethod
    def from_frame(
        cls, table: pd.DataFrame, neuron: str | NeuronModel | None = None, *, file: str = "The table"
    ) -> Population:
        """Make a population of a table of conductances: ``g_<channel>`` in mS/cm².

        Parameters
        ----------
        table
            With or without ``id`` and ``member``, what drives them, and the columns of `to_frame` that say of
            which neuron the members are. g_s and g_u are computed anew.
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
        if not table.columns.is_unique:
            twice = table.columns[table.columns.duplicated()][0]
            raise CompensationError(f"{file} has two columns {twice}; keep the one that is meant.")
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
        name = printable(Path(path).name)
        texts = {"id": str, "neuron": str, "V_th_mV": str, "baseline": str, "declaration": str}
        try:
            # "NA" and its like are ids as any other, and no conductances
            gaps = {column: [""] for column in texts if column != "id"}
            table = pd.read_csv(
                path, dtype=texts, nrows=MAX_SIZE + 1, keep_default_na=False, na_values=gaps, **_EXACTLY
            )
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
        name = printable(Path(path).name)
        try:
            table = pd.read_parquet(path)
        except FileNotFoundError:
            raise CompensationError(f"{name}: there is no such file.") from None
        except (ValueError, OSError):
            raise CompensationError(f"{name} is not a Parquet table that can be read.") from None
        return cls.from_frame(table, neuron, file=name)
