"""A file as named columns: what every format becomes before anyone asks what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .train import FloatArray

__all__ = ["Column", "ColumnKind", "Facts", "Table", "Values"]

Values: TypeAlias = "NDArray[np.generic] | list[FloatArray]"
ColumnKind: TypeAlias = Literal["numbers", "text", "matrix", "lists"]
Facts: TypeAlias = "dict[str, float | str]"


@dataclass(eq=False)
class Column:
    """One named column or array of a file.

    Attributes
    ----------
    name : str
        As in the file; names of groups or structs stand before it, parted by "/" (``units/spike_times``).
        "column 1" and so on, or empty for a single one, where the file gives none.
    values : ndarray or list of ndarray
        One of: numbers, float64 of shape (n,), NaN where a cell is empty; text, shape (n,); a matrix, float64
        of shape (n, m); or lists, a float64 array per row.
    unit : str
        Unit that the file's own attributes give these values, in the file's words; "" for none. The name may
        hold another.
    integers : bool
        Whether the file stores whole numbers as such. Text never does.
    rows : ndarray of int or None
        Row of each value in a text file, counted from 1.
    empty : ndarray of bool or None
        Which cells are empty; None for none.
    wrong : tuple of (int, str) or None
        Row and text of the first cell that is no number, in a column of numbers.
    cells : ndarray of object or None
        The cells of a text file as they stand there, so that an id such as "007" stays what it is.
    decimal_commas : int
        How many numbers had a decimal comma.
    thousands : str
        The mark that parts thousands in them, "" for none.
    doubt : str
        Why the numbers cannot be told, in words; "" where they can.
    group : str
        What stands above the name, over this and maybe other columns: "Cell 1" above "Time" and "Amplitude".
    """

    name: str
    values: Values
    unit: str = ""
    integers: bool = False
    rows: NDArray[np.int64] | None = None
    empty: NDArray[np.bool_] | None = None
    wrong: tuple[int, str] | None = None
    cells: NDArray[np.object_] | None = None
    decimal_commas: int = 0
    thousands: str = ""
    doubt: str = ""
    group: str = ""

    @property
    def kind(self) -> ColumnKind:
        """What the values are."""
        if isinstance(self.values, list):
            return "lists"
        if self.values.dtype.kind in "US":
            return "text"
        return "matrix" if self.values.ndim == 2 else "numbers"

    @property
    def leaf(self) -> str:
        """The name without the groups or structs that it lies in."""
        return self.name if self.rows is not None else self.name.rpartition("/")[2]

    @property
    def parent(self) -> str:
        """The groups or structs that it lies in, "" for none."""
        return "" if self.rows is not None else self.name.rpartition("/")[0]

    @property
    def numbers(self) -> FloatArray:
        """The values as numbers, for a column or a matrix of them."""
        return np.asarray(self.values, dtype=np.float64)

    @property
    def parts(self) -> list[FloatArray]:
        """The numbers of each row of lists; of another column all as one."""
        return self.values if isinstance(self.values, list) else [self.numbers]

    @property
    def labels(self) -> NDArray[np.generic]:
        """The entries as labels: as they stand in a text file, otherwise their values."""
        return self.cells if self.cells is not None else np.asarray(self.values)

    @property
    def gaps(self) -> NDArray[np.bool_]:
        """Which cells are empty."""
        return self.empty if self.empty is not None else np.zeros(len(self), dtype=bool)

    def row(self, index: int) -> int | None:
        """Row of a value in a text file; None for another file."""
        return int(self.rows[index]) if self.rows is not None else None

    def __len__(self) -> int:
        return len(self.values)


@dataclass
class Table:
    """A parsed file: columns, what is said beside them, and what was put right on the way.

    Attributes
    ----------
    format : str
        For the report: "CSV", "MAT", "NWB" and so on.
    columns : list of Column
        In the file's order. They need not be equally long.
    facts : dict of str to float or str
        Single numbers and short texts of the file by their names: ``{"fs": 30000.0}``. A unit of a number
        stays in its text: ``{"Sampling Frequency": "12.5 kHz"}``.
    comments : list of str
        Comment lines, without their marks.
    named : bool
        Whether the columns carry names of the file's own.
    ragged : bool
        Whether this is a text file whose lines are of unequal length: then one column has a list per line.
    roles : dict of str to str
        Where the format itself says what a column is: "time", "id", "window" (a matrix of start and end, in
        the unit of the times), "segment", to the column's name. Empty where the file has to be understood.
    labels : dict of str to str
        Names under which text columns of a format with `roles` are kept as labels of its trains, to the
        columns' names.
    reason : str
        With `roles`: the layout in words.
    repairs, skipped, cautions : list of str
        For the report.
    sheets : tuple of str
        Of a workbook: its sheets with numbers.
    """

    format: str
    columns: list[Column]
    facts: Facts = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    named: bool = True
    ragged: bool = False
    roles: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    repairs: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    sheets: tuple[str, ...] = ()

    @classmethod
    def of_roles(cls, format_: str, columns: Mapping[str, Column], **more: Any) -> Table:
        """A table of a format that says what each column is: the columns by their roles."""
        return cls(format_, [*columns.values()], roles={role: c.name for role, c in columns.items()}, **more)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> list[str]:
        """Names of the columns; "column 1" and so on for those without."""
        return [column.name or f"column {k + 1}" for k, column in enumerate(self.columns)]

    def name_of(self, column: Column) -> str:
        """Name of one of the columns, as in `names`."""
        return column.name or f"column {self.columns.index(column) + 1}"
