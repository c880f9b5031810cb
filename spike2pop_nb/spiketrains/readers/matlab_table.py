"""MAT files of version 4 to 7 as tables, read by SciPy. Runs in the sandbox: SciPy crashes on some damage."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.limits import MAX_TRAINS, MAX_UNPACKED_BYTES
from spike2pop_nb.spiketrains.table import Table

from .builder import TableBuilder, is_vector
from .raw import Source

__all__ = ["DAMAGED_MAT", "Cells", "Structs", "Value", "add_variable", "check_whole", "parse_mat"]

_OTHER: Final = "of kinds that hold no spike times"
_MAX_NESTED: Final = 12  # names within names
_MAX_NESTED_CELLS: Final = 200
DAMAGED_MAT: Final = (
    "the MAT file is damaged: an entry has an unknown type or promises more than the file holds."
)
_HEADER_BYTES: Final = 128
_COMPRESSED: Final = 15
_BLOCK: Final = 1 << 20
_MAX_ENTRIES: Final = 10 * MAX_TRAINS  # of one cell or struct array
_MAX_DEPTH: Final = 20


@dataclass
class Cells:
    """A cell array, column by column."""

    entries: list[Value]


@dataclass
class Structs:
    """A struct, or an array of them: the values of each field, one per struct."""

    fields: dict[str, list[Value]]
    size: int


Value: TypeAlias = "NDArray[Any] | str | Cells | Structs | None"
"""An array of numbers, text (an array of str when it has several rows), cells, structs, or None for anything
else."""


def add_variable(builder: TableBuilder, name: str, value: Value, depth: int = 0) -> None:
    """Add a variable to a table.

    Numbers and texts become columns or, when single, facts; fields of a struct go by ``struct/field``; arrays
    of structs become a column per field; cell arrays become lists or text.
    """
    if depth > _MAX_NESTED:
        builder.skip(name, "nested too deeply")
    elif value is None:
        builder.skip(name, _OTHER)
    elif isinstance(value, str):
        builder.fact(name, value)
    elif isinstance(value, np.ndarray):
        _add_array(builder, name, value)
    elif isinstance(value, Cells):
        _add_cells(builder, name, value.entries, depth)
    elif value.size == 1:
        for field, values in value.fields.items():
            add_variable(builder, f"{name}/{field}", values[0], depth + 1)
    else:
        for field, values in value.fields.items():
            _add_field(builder, f"{name}/{field}", values, depth)


def _add_array(builder: TableBuilder, name: str, values: NDArray[Any]) -> None:
    if values.size == 1 and values.dtype.kind in "iuf":  # MATLAB has no scalars but these
        builder.fact(name, float(values.ravel()[0]))
    else:
        builder.array(name, values)


def _numeric(value: Value) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf" and is_vector(value)


def _nothing(value: Value) -> bool:
    return not value.size if isinstance(value, np.ndarray) else isinstance(value, str) and not value


def _add_cells(builder: TableBuilder, name: str, entries: list[Value], depth: int) -> None:
    """A cell array: lists, text, or what each cell holds by its number."""
    if len(entries) == 1 and not _numeric(entries[0]):
        add_variable(builder, name, entries[0], depth + 1)
    elif all(_numeric(entry) or _nothing(entry) for entry in entries):
        _lists(builder, name, entries)
    elif all(isinstance(entry, str) or _nothing(entry) for entry in entries):
        builder.text(name, [entry if isinstance(entry, str) else "" for entry in entries])
    elif all(isinstance(entry, Structs) for entry in entries):
        structs = [entry for entry in entries if isinstance(entry, Structs)]
        joined = _joined(structs)
        if joined is None:
            builder.skip(name, "whose structs have different fields")
        else:
            add_variable(builder, name, joined, depth + 1)
    elif all(isinstance(entry, Cells) for entry in entries) and len(entries) <= _MAX_NESTED_CELLS:
        for k, entry in enumerate(entries, start=1):
            add_variable(builder, f"{name}/{k}", entry, depth + 1)
    else:
        wrong = next(k for k, entry in enumerate(entries, start=1) if not _numeric(entry))
        builder.skip(name, f"whose cell {wrong} of {len(entries):,} is no vector of numbers")


def _add_field(builder: TableBuilder, name: str, values: list[Value], depth: int) -> None:
    """One field of an array of structs: numbers where each has one, otherwise as a cell array."""
    if all(_numeric(value) and _size(value) == 1 for value in values) and values:
        arrays = [np.ravel(value)[0] for value in values]  # type: ignore[arg-type]
        builder.array(name, np.array(arrays))
    elif any(isinstance(value, str) for value in values) and all(
        isinstance(value, str) or (_numeric(value) and _size(value) <= 1) for value in values
    ):
        builder.text(name, [_word(value) for value in values])
    else:
        _add_cells(builder, name, values, depth + 1)


def _size(value: Value) -> int:
    return int(np.size(value)) if isinstance(value, np.ndarray) else -1


def _word(value: Value) -> str:
    if isinstance(value, str):
        return value
    number = float(np.ravel(value)[0]) if _size(value) == 1 else None  # type: ignore[arg-type]
    return "" if number is None else f"{number:.15g}"


def _lists(builder: TableBuilder, name: str, entries: Sequence[Value]) -> None:
    rows = [np.ravel(entry) if isinstance(entry, np.ndarray) else np.empty(0) for entry in entries]
    filled = [row for row in rows if row.size]
    builder.lists(name, rows, integers=bool(filled) and all(row.dtype.kind in "iu" for row in filled))


def _joined(structs: list[Structs]) -> Structs | None:
    """One array of structs out of several; None when their fields differ."""
    names = list(structs[0].fields)
    if any(set(entry.fields) != set(names) for entry in structs):
        return None
    fields: dict[str, list[Value]] = {
        name: [value for entry in structs for value in entry.fields[name]] for name in names
    }
    return Structs(fields, sum(entry.size for entry in structs))


def parse_mat(source: Source) -> Table:
    """The variables of a MAT file."""
    from scipy.io import loadmat

    data = source.contents()
    _check(data, source)
    builder = TableBuilder("MAT", source)
    try:
        content = loadmat(BytesIO(data), mat_dtype=True, struct_as_record=True)
    except MemoryError:  # what is there has been found to fit
        raise source.error(DAMAGED_MAT) from None
    for name, value in content.items():
        if not name.startswith("__"):
            add_variable(builder, name, _value(value, 0))
    return builder.table("the MAT file")


def check_whole(source: Source) -> None:
    """Refuse what is cut short. Nothing of the entries is read, so this needs no process of its own."""
    for _ in _entries(source.contents(), source):
        pass


def _entries(data: bytes, source: Source) -> Iterator[tuple[int, int, int]]:
    """Kind, first and last byte of each entry."""
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None or data[:6] != b"MATLAB":
        raise source.error("this is no MAT file of version 5 to 7, or it is damaged.")
    at = _HEADER_BYTES
    while at < len(data):
        if len(data) < at + 8:
            raise source.error("the MAT file is cut short.")
        kind, size = struct.unpack_from(f"{order}II", data, at)
        if len(data) < at + 8 + size:
            raise source.error("the MAT file is cut short.")
        yield kind, at + 8, at + 8 + size
        at += 8 + size


def _check(data: bytes, source: Source) -> None:
    """Refuse what is cut short or unpacks to too much, before anything is unpacked to memory."""
    unpacked = 0
    for kind, start, stop in _entries(data, source):
        if kind == _COMPRESSED:
            unpacked += _unpacked_size(data[start:stop], MAX_UNPACKED_BYTES - unpacked)
            if unpacked > MAX_UNPACKED_BYTES:
                raise source.error(
                    f"the file takes over {MAX_UNPACKED_BYTES / 1e6:.0f} MB unpacked, more than is read."
                )


def _unpacked_size(packed: bytes, most: int) -> int:
    """Bytes of a packed entry, or a number over `most`."""
    machine, size = zlib.decompressobj(), 0
    while packed and not machine.eof and size <= most:
        size += len(machine.decompress(packed, _BLOCK))
        packed = machine.unconsumed_tail
    return size


def _value(value: Any, depth: int) -> Value:
    """What SciPy gives for a variable, in plain kinds; None for objects, functions and sparse arrays."""
    from scipy.io.matlab import MatlabFunction, MatlabObject, MatlabOpaque

    if depth > _MAX_DEPTH or isinstance(value, MatlabFunction | MatlabObject | MatlabOpaque):
        return None
    if not isinstance(value, np.ndarray):
        return value if isinstance(value, str) else None
    if value.dtype.kind == "U":
        rows = [str(row).rstrip() for row in value.ravel()]
        return rows[0] if len(rows) == 1 else np.array(rows) if rows else ""
    if value.size > _MAX_ENTRIES and value.dtype.hasobject:
        return None
    if value.dtype.names:
        entries = value.ravel(order="F")
        fields = {name: [_value(entry[name], depth + 1) for entry in entries] for name in value.dtype.names}
        return Structs(fields, entries.size)
    if value.dtype == object:
        return Cells([_value(entry, depth + 1) for entry in value.ravel(order="F")])
    return value
