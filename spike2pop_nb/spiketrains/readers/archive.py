"""ZIP archives and folders: listed and checked first, then only the wanted members are read, in memory.

Of NPY arrays in them never a pickle, and the size of each is checked before memory is taken.
"""

from __future__ import annotations

import math
import re
import sys
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, Protocol

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.limits import (
    MAX_ARCHIVE_MEMBERS,
    MAX_UNPACKED_BYTES,
    MAX_UNPACKED_RATIO,
)

from .raw import Source, shown

__all__ = ["Archive", "Files", "Folder", "array_of_bytes", "mapped_array"]

_RATIO_FROM_BYTES: Final = 10_000_000
_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_LIMIT: Final = f"{MAX_UNPACKED_BYTES / 1e6:.0f} MB"


def array_of_bytes(data: bytes, name: str, source: Source) -> NDArray[Any]:
    """The array of an NPY file, as a read-only view of its bytes; `name` stands for it in messages."""
    stream = BytesIO(data)
    shape, fortran, dtype = _header(stream, len(data), name, source)
    if not math.prod(shape):
        return np.empty(shape, dtype)
    flat = np.frombuffer(data, dtype=dtype, count=math.prod(shape), offset=stream.tell())
    if not _is_text_sound(flat):
        raise source.error(f"{name} is damaged: its text has invalid characters.")
    return flat.reshape(shape, order="F" if fortran else "C")


def mapped_array(path: Path, name: str, source: Source) -> NDArray[Any]:
    """The array of an NPY file on disk, which is read as it is used."""
    try:
        with path.open("rb") as stream:
            shape, fortran, dtype = _header(stream, path.stat().st_size, name, source)
            offset = stream.tell()
        if not math.prod(shape):
            return np.empty(shape, dtype)
        return np.memmap(path, dtype, "r", offset, shape, "F" if fortran else "C")
    except OSError as error:
        raise source.error(f"{name} cannot be opened: {error.strerror}.") from None


def _is_text_sound(flat: NDArray[Any]) -> bool:
    """Whether all code points exist, also in fields; Python fails on others when it makes text of them."""
    if flat.dtype.names:
        return all(_is_text_sound(flat[name].ravel()) for name in flat.dtype.names)
    if flat.dtype.kind != "U" or not flat.size or not flat.dtype.itemsize:
        return True
    codes = np.ascontiguousarray(flat).view(f"{flat.dtype.byteorder}u4")
    return int(codes.max()) <= sys.maxunicode


def _header(
    stream: BinaryIO, size: int, name: str, source: Source
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran order, and type; the stream is left where the values begin."""
    try:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise source.error(
                f"{name} is in NPY version {version[0]}.{version[1]}; save it with numpy.save."
            )
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(stream)
        if any(isinstance(extent, bool) for extent in shape):  # which NumPy lets pass as 0 and 1
            raise ValueError
    except SpikeTrainError:
        raise
    except Exception:  # NumPy meets a damaged header with errors of several kinds
        raise source.error(f"{name} is damaged: its header cannot be read.") from None
    if dtype.hasobject:
        raise source.error(
            f"{name} holds Python objects (a pickle), which are never loaded; save plain numbers, with rows "
            "of unequal length filled up with NaN or one array per train."
        )
    n_values = math.prod(shape)
    if (
        len(shape) > 32
        or any(extent < 0 for extent in shape)
        or n_values * dtype.itemsize > size - stream.tell()
    ):
        raise source.error(f"{name} is cut short: its header announces {shape} values, which are not there.")
    if n_values and not dtype.itemsize:
        raise source.error(f"{name} is damaged: its values have no length.")
    return shape, fortran, dtype


class Files(Protocol):
    """Named files that can be read one by one; names have ``/`` between folders."""

    @property
    def names(self) -> list[str]:
        """Names of all files."""

    def read(self, name: str) -> bytes:
        """Contents of one of them."""

    def array(self, name: str, what: str) -> NDArray[Any]:
        """One of them as a NumPy array, called `what` in messages."""


class Archive:
    """A ZIP archive (so also an NPZ file) whose every member has passed the checks.

    Refused when it is damaged or encrypted, a member's name leads out of it, an archive lies inside, or there
    are more members or bytes in it than allowed.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        try:
            self._zip = zipfile.ZipFile(BytesIO(source.data))
            members = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            raise source.error("the file is a damaged archive; make it again.") from None
        if len(members) > MAX_ARCHIVE_MEMBERS:
            raise source.error(
                f"the archive has {len(members):,} members; up to {MAX_ARCHIVE_MEMBERS:,} are allowed."
            )
        for member in members:
            self._check(member)
        self._members = {
            member.filename: member
            for member in members
            if not member.is_dir() and not member.filename.startswith("__MACOSX/")
        }
        self._check_sizes(members)

    @property
    def names(self) -> list[str]:
        return list(self._members)

    def read(self, name: str) -> bytes:
        """Contents of a member, in memory; never more than its stated size, which has been checked."""
        try:
            return self._zip.read(self._members[name])
        except Exception:  # a damaged member fails in many ways, all meaning the same
            raise self._source.error(
                f"{shown([name.removesuffix('.npy')])} is damaged and cannot be unpacked."
            ) from None

    def array(self, name: str, what: str) -> NDArray[Any]:
        """A member that is an NPY file."""
        return array_of_bytes(self.read(name), what, self._source)

    def _check(self, member: zipfile.ZipInfo) -> None:
        name = member.filename
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or parts[0] == "/" or _DRIVE.match(name) or "\\" in name:
            raise self._source.error(
                f"the archive has a member named {shown([name])}, which may lead out of it; zip the files by "
                "their plain names."
            )
        if name.lower().endswith(".zip"):
            raise self._source.error(
                f"the archive has another archive in it, {shown([name])}; unpack that first."
            )
        if member.flag_bits & 1:
            raise self._source.error("the archive is encrypted; zip the files without a password.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._source.error(
                f"{shown([name])} is packed by a rare method; zip the files again with deflate."
            )

    def _check_sizes(self, members: list[zipfile.ZipInfo]) -> None:
        unpacked = sum(member.file_size for member in members)
        if unpacked > MAX_UNPACKED_BYTES:
            raise self._source.error(
                f"the archive takes {unpacked / 1e6:,.0f} MB unpacked; up to {_LIMIT} are read, so keep only "
                "what holds the spike times."
            )
        for member in members:
            ratio = member.file_size / max(member.compress_size, 1)
            if member.file_size > _RATIO_FROM_BYTES and ratio > MAX_UNPACKED_RATIO:
                raise self._source.error(
                    f"{shown([member.filename])} unpacks to {ratio:,.0f} times its size; up to "
                    f"{MAX_UNPACKED_RATIO} times are allowed, so save it uncompressed."
                )


class Folder:
    """The files that lie directly in a folder on disk, the path of `source`."""

    def __init__(self, source: Source) -> None:
        assert source.path is not None
        self._source, self._path = source, source.path

    @property
    def names(self) -> list[str]:
        try:
            return sorted(path.name for path in self._path.iterdir() if path.is_file())
        except OSError as error:
            raise self._source.error(f"the folder cannot be opened: {error.strerror}.") from None

    def read(self, name: str) -> bytes:
        """Contents of a file, refused by size before it is read."""
        path = Path(self._path, name)
        try:
            size = path.stat().st_size
            if size > MAX_UNPACKED_BYTES:
                raise self._source.error(f"{name!r} has {size / 1e6:,.0f} MB; up to {_LIMIT} are read.")
            return path.read_bytes()
        except OSError as error:
            raise self._source.error(f"{name!r} cannot be opened: {error.strerror}.") from None

    def array(self, name: str, what: str) -> NDArray[Any]:
        """A file in NPY format, mapped into memory rather than read."""
        return mapped_array(Path(self._path, name), what, self._source)
