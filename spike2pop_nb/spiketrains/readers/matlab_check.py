"""Walk a MAT file before SciPy reads it.

SciPy takes types and sizes in a MAT file at their word: a wrong type code makes it crash, a wrong size makes
it ask for more memory than there is. So each variable is walked first, element by element, as laid out in
MathWorks' "MAT-File Format" (level 5): what is compressed must stay within the stated limit once unpacked,
every type code must be a known one, and no array may promise more than there are bytes for. Only variables
that passed are handed on.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import Final

from spike2pop_nb.spiketrains.limits import MAX_TRAINS, MAX_UNPACKED_BYTES

from .raw import Source

__all__ = ["safe_variables"]

_HEADER_BYTES: Final = 128
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED, _UTF8 = 1, 5, 6, 14, 15, 16
_NUMBERS: Final = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}  # bytes of each number type
_TEXT: Final = frozenset({1, 2, 4, 16, 17, 18})
_CELL, _STRUCT, _CHAR = 1, 2, 4
_NUMERIC: Final = range(6, 16)
_OTHER: Final = frozenset({3, 5, 16, 17})  # objects, sparse arrays, functions, opaque values
_COMPLEX: Final = 0x0800
_MAX_DEPTH: Final = 20
_MAX_DIMENSIONS: Final = 8
_MAX_ENTRIES: Final = 10 * MAX_TRAINS  # of one cell or struct array


class _DamagedError(Exception):
    """The bytes do not follow the format."""


class _UnreadableError(Exception):
    """A sound variable of a kind that holds no spike times."""


def safe_variables(source: Source) -> tuple[list[str], list[str]]:
    """Names of the variables that are safe to read, and of those of other kinds.

    Parameters
    ----------
    source : Source
        A MAT file of level 5 (MATLAB 5 to 7).

    Returns
    -------
    (list of str, list of str)
        Numeric arrays, text, cells and structs; then objects, functions, sparse arrays and whatever has over
        100 000 cells.

    Raises
    ------
    SpikeTrainError
        When the file is damaged, or larger than allowed once unpacked.
    """
    data = memoryview(source.data)
    order = {b"IM": "<", b"MI": ">"}.get(source.data[126:128])
    if order is None or source.data[:6] != b"MATLAB":
        raise source.error("this is no MAT file of version 5 to 7, or it is damaged.")
    readable: list[str] = []
    other: list[str] = []
    at, unpacked = _HEADER_BYTES, 0
    try:
        while at < len(data):
            kind, size = struct.unpack_from(f"{order}II", data, at)
            body = data[at + 8 : at + 8 + size]
            if len(body) < size:
                raise source.error("the MAT file is cut short.")
            at += 8 + size
            if kind == _COMPRESSED:
                body = memoryview(zlib.decompressobj().decompress(body, MAX_UNPACKED_BYTES - unpacked + 1))
                unpacked += len(body)
                if unpacked > MAX_UNPACKED_BYTES:
                    raise source.error(
                        f"the file takes over {MAX_UNPACKED_BYTES / 1e6:.0f} MB unpacked, more than is read."
                    )
                kind, body, _ = _element(body, 0, order)
            if kind != _MATRIX:
                raise _DamagedError
            walk = _Walk(body, order)
            try:
                walk.check(0)
                readable.append(walk.name)
            except _UnreadableError:
                other.append(walk.name)
    except (struct.error, zlib.error, _DamagedError):
        raise source.error(
            "the MAT file is damaged: an entry has an unknown type or promises more than the file holds."
        ) from None
    return [name for name in readable if name], [name for name in other if name]


def _element(data: memoryview, at: int, order: str) -> tuple[int, memoryview, int]:
    """Type and contents of the element at `at`, and where the next one starts."""
    kind, size = struct.unpack_from(f"{order}II", data, at)
    if kind >> 16:  # a small element keeps type, size and contents in eight bytes
        kind, size = kind & 0xFFFF, kind >> 16
        if size > 4:
            raise _DamagedError
        return kind, data[at + 4 : at + 4 + size], at + 8
    body = data[at + 8 : at + 8 + size]
    if len(body) < size:
        raise _DamagedError
    return kind, body, at + 8 + size + (-size % 8)


class _Walk:
    """One array of the file, and through `check` all that are nested in it."""

    def __init__(self, data: memoryview, order: str) -> None:
        self.data, self.order, self.at = data, order, 0
        self.name = ""

    def next(self, *kinds: int) -> memoryview:
        kind, body, self.at = _element(self.data, self.at, self.order)
        if kind not in kinds:
            raise _DamagedError
        return body

    def check(self, depth: int) -> None:
        """Raise unless the array and all in it are sound and of a readable kind."""
        flags_bytes = self.next(_UINT32)
        if len(flags_bytes) != 8 or depth > _MAX_DEPTH:
            raise _DamagedError
        flags = struct.unpack_from(f"{self.order}I", flags_bytes)[0]
        kind = flags & 0xFF
        if kind == 17:  # opaque values carry their name where others have dimensions
            self.name = bytes(self.next(_INT8, _UTF8)).decode("latin-1")
            raise _UnreadableError
        size_bytes = self.next(_INT32)
        n_dimensions, rest = divmod(len(size_bytes), 4)
        if rest or not 2 <= n_dimensions <= _MAX_DIMENSIONS:
            raise _DamagedError
        shape = struct.unpack(f"{self.order}{n_dimensions}i", size_bytes)
        self.name = bytes(self.next(_INT8, _UTF8)).decode("latin-1")
        if kind in _OTHER:
            raise _UnreadableError
        if min(shape) < 0:
            raise _DamagedError
        n_entries = math.prod(shape)
        if kind in _NUMERIC:
            self._numbers(n_entries)
            if flags & _COMPLEX:
                self._numbers(n_entries)
        elif kind == _CHAR:
            if n_entries > 4 * len(self.next(*_TEXT)):
                raise _DamagedError
        elif kind == _CELL:
            self._nested(n_entries, depth)
        elif kind == _STRUCT:
            length_bytes = self.next(_INT32)
            if len(length_bytes) != 4:
                raise _DamagedError
            length = struct.unpack(f"{self.order}i", length_bytes)[0]
            names = self.next(_INT8)
            if length <= 0 or len(names) % length:
                raise _DamagedError
            if not len(names) and n_entries > len(self.data):
                raise _DamagedError
            self._nested(n_entries * (len(names) // length), depth)
        else:
            raise _DamagedError

    def _numbers(self, n_entries: int) -> None:
        kind, body, self.at = _element(self.data, self.at, self.order)
        if kind not in _NUMBERS or len(body) != n_entries * _NUMBERS[kind]:
            raise _DamagedError

    def _nested(self, n_entries: int, depth: int) -> None:
        if n_entries * 8 > len(self.data):  # each takes a tag of eight bytes at least
            raise _DamagedError
        if n_entries > _MAX_ENTRIES:
            raise _UnreadableError
        unreadable = False
        for _ in range(n_entries):
            body = self.next(_MATRIX)
            if len(body):
                try:
                    _Walk(body, self.order).check(depth + 1)
                except _UnreadableError:
                    unreadable = True
        if unreadable:
            raise _UnreadableError
