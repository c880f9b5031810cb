"""MAT files of version 4 to 7 as tables, read by SciPy. Runs in the sandbox: SciPy crashes on some damage."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

import numpy as np

from spike2pop_nb.spiketrains.limits import MAX_TRAINS, MAX_UNPACKED_BYTES
from spike2pop_nb.spiketrains.table import Table

from .builder import TableBuilder
from .matlab_values import Cells, Structs, Value, add_variable
from .raw import Source

__all__ = ["DAMAGED_MAT", "check_whole", "parse_mat"]

DAMAGED_MAT: Final = (
    "the MAT file is damaged: an entry has an unknown type or promises more than the file holds."
)
_HEADER_BYTES: Final = 128
_COMPRESSED: Final = 15
_BLOCK: Final = 1 << 20
_MAX_ENTRIES: Final = 10 * MAX_TRAINS  # of one cell or struct array
_MAX_DEPTH: Final = 20


def parse_mat(source: Source) -> Table:
    """The variables of a MAT file.

    Raises
    ------
    SpikeTrainError
        When it is damaged, or larger than allowed once unpacked.
    """
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
