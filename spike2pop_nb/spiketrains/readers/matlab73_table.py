"""MATLAB 7.3 files, which are HDF5, as tables: the same as of older ones. Runs in the sandbox."""

from __future__ import annotations

from typing import Any, Final

import h5py
import numpy as np

from spike2pop_nb.spiketrains.limits import MAX_CELLS, MAX_TRAINS
from spike2pop_nb.spiketrains.table import Table

from .builder import TableBuilder
from .matlab_table import Cells, Structs, Value, add_variable
from .raw import Source

__all__ = ["matlab73_table"]

_MAX_ENTRIES: Final = 10 * MAX_TRAINS  # of one cell or struct array
_MAX_DEPTH: Final = 20
_INTEGERS: Final = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_NUMBERS: Final = _INTEGERS | {"double", "single", ""}


def matlab73_table(file: h5py.File, source: Source) -> Table:
    """The variables of a MATLAB 7.3 file."""
    builder = TableBuilder("MAT", source)
    reader = _Reader(file, builder)
    for name, item in file.items():
        if not name.startswith("#"):  # where MATLAB keeps the contents of cells
            value = reader.value(item, name, 0)
            if value is not _TOO_LARGE:
                add_variable(builder, name, value)
    return builder.table("the MAT file")


_TOO_LARGE: Final = Cells([])


class _Reader:
    """Reads variables, and counts how much that is: a file may show one array in many cells."""

    def __init__(self, file: h5py.File, builder: TableBuilder) -> None:
        self.file, self.builder = file, builder
        self.n_read = 0

    def value(self, item: Any, name: str, depth: int) -> Value:
        """One variable, cell or field; None when it is of a kind that holds no spike times."""
        if depth > _MAX_DEPTH:
            return None
        kind = item.attrs.get("MATLAB_class", b"")
        kind = kind.decode(errors="replace") if isinstance(kind, bytes) else str(kind)
        if isinstance(item, h5py.Group):
            sparse = "MATLAB_sparse" in item.attrs
            return self._struct(item, name, depth) if kind in {"struct", ""} and not sparse else None
        if "MATLAB_object_decode" in item.attrs or item.shape is None:
            return None
        nested = kind == "cell" or item.dtype.hasobject
        self.n_read += item.size
        if item.size > (_MAX_ENTRIES if nested else MAX_CELLS) or self.n_read > 2 * MAX_CELLS:
            self.builder.skip(name, f"whose {item.size:,} entries are more than is read")
            return _TOO_LARGE
        if item.attrs.get("MATLAB_empty", 0):
            return "" if kind == "char" else Cells([]) if kind == "cell" else np.empty((0, 0))
        if nested:
            if not h5py.check_ref_dtype(item.dtype):
                return None
            inside = item[()].ravel()
            return Cells([self.value(self.file[at], name, depth + 1) if at else None for at in inside])
        if kind == "char":
            return _text(np.asarray(item[()]))
        if item.dtype.kind in "iuf" and kind in _NUMBERS:
            values = np.asarray(item[()]).T
            return values if kind in _INTEGERS or not kind else values.astype(np.float64)
        return None

    def _struct(self, group: Any, name: str, depth: int) -> Value:
        """A struct, or an array of them: then every field is an array of references without a class."""
        if len(group) > _MAX_ENTRIES:
            return None
        fields: dict[str, list[Value]] = {}
        several: dict[str, list[Value]] = {}
        for field, item in group.items():
            path = f"{name}/{field}"
            value = self.value(item, path, depth + 1)
            if value is _TOO_LARGE:
                continue
            if isinstance(value, Cells) and "MATLAB_class" not in item.attrs:
                several[field] = value.entries
            else:
                fields[field] = [value]
        if not several:
            return Structs(fields, 1)
        size = len(next(iter(several.values())))
        if fields or any(len(values) != size for values in several.values()):
            raise self.builder.source.error(f"the fields of {name!r} have unequal lengths.")
        return Structs(several, size)


def _text(codes: Any) -> Value:
    """Text of a char array, which lies in the file column by column."""
    if codes.dtype.kind not in "iu":
        return None
    if codes.ndim != 2:
        return "".join(chr(int(code) & 0xFFFF) for code in codes.ravel()[:1000])
    rows = [
        "".join(chr(int(code) & 0xFFFF) for code in row[:1000]).rstrip() for row in codes.T[:_MAX_ENTRIES]
    ]
    return rows[0] if len(rows) == 1 else np.array(rows) if rows else ""
