"""From a path, bytes or an open file to a `Source`, refused by size before anything is read."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Final

from spike2pop_nb.errors import SpikeTrainError, printable

from .limits import MAX_FILE_BYTES, MAX_OPENED_BYTES
from .readers.formats import is_opened
from .readers.raw import Source

__all__ = ["load"]

_HEAD_BYTES: Final = 4096


def load(source: object, filename: str | None) -> Source:
    """Name and contents of a source.

    Parameters
    ----------
    source : str, Path, bytes or binary file
        A folder is taken as it is. A file on disk that its format's library opens by itself (HDF5, and what
        neo reads) is not loaded and may be larger.
    filename : str or None
        Name for messages.

    Raises
    ------
    SpikeTrainError
        When there is no such file, it cannot be opened, or it is too large.
    """
    if isinstance(source, (str, Path)):
        return _from_disk(source, filename)
    if isinstance(source, (bytes, bytearray, memoryview)):
        name = printable(filename or "the upload")
        _check_size(source.nbytes if isinstance(source, memoryview) else len(source), name)
        data = bytes(source)
    elif hasattr(source, "read"):
        name = printable(filename or PurePath(str(getattr(source, "name", "the stream"))).name)
        data = source.read(MAX_FILE_BYTES + 1)
        if not isinstance(data, bytes):
            raise SpikeTrainError(f"{name}: the file must be opened in binary mode ('rb').")
    else:
        raise SpikeTrainError(f"A path, bytes or an open file is needed, not {type(source).__name__}.")
    _check_size(len(data), name)
    return Source(name, data)


def _from_disk(source: str | Path, filename: str | None) -> Source:
    path = Path(source)
    name = printable(filename or path.name or str(path))
    try:
        if not path.exists():
            raise SpikeTrainError(f"{printable(str(path))}: there is no such file.")
        if path.is_dir():
            return Source(name, b"", path)
        if not path.is_file():
            raise SpikeTrainError(
                f"{printable(str(path))}: this is not a file; give the path of a file of spike times."
            )
        with path.open("rb") as stream:
            size, head = path.stat().st_size, stream.read(_HEAD_BYTES)
            opened = Source(name, head, path)
            if is_opened(opened):
                _check_size(size, name, MAX_OPENED_BYTES)
                return opened
            _check_size(size, name)
            data = head + stream.read(MAX_FILE_BYTES + 1 - len(head))
    except (OSError, ValueError) as error:
        if isinstance(error, SpikeTrainError):
            raise
        reason = getattr(error, "strerror", None) or "the path is not valid"
        raise SpikeTrainError(f"{str(source)[:200]!r} cannot be opened: {reason}.") from None
    _check_size(len(data), name)
    return Source(name, data, path)


def _check_size(n_bytes: int, name: str, most: int = MAX_FILE_BYTES) -> None:
    if n_bytes > most:
        limit = f"{most / 1e6:.0f} MB"
        shown = f"{n_bytes / 1e6:,.1f} MB" if n_bytes != most + 1 else f"over {limit}"
        raise SpikeTrainError(f"{name} has {shown}; files of up to {limit} are read, so split it.")
