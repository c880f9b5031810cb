"""ZIP archives and folders: listed and checked first, then only the wanted members are read, in memory."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol

from numpy.typing import NDArray

from spike2pop_nb.spiketrains.limits import (
    MAX_ARCHIVE_MEMBERS,
    MAX_UNPACKED_BYTES,
    MAX_UNPACKED_RATIO,
)

from .npy_array import array_of_bytes, mapped_array
from .raw import Source, shown

__all__ = ["Archive", "Files", "Folder"]

_RATIO_FROM_BYTES: Final = 10_000_000
_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_LIMIT: Final = f"{MAX_UNPACKED_BYTES / 1e6:.0f} MB"


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

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    SpikeTrainError
        When it is damaged or encrypted, a member's name leads out of it, an archive lies inside, or there are
        more members or bytes in it than allowed.
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
    """The files that lie directly in a folder on disk.

    Parameters
    ----------
    source : Source
        Its path is the folder.
    """

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
