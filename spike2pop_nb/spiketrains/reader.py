"""`read_spike_trains`: one door to all formats."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import BinaryIO, Final, Literal, TypeAlias, get_args

from spike2pop_nb.errors import SpikeTrainError

from .assemble import assemble
from .limits import MAX_FILE_BYTES
from .readers.matlab_file import HDF5_ADVICE, read_mat
from .readers.numpy_file import read_npy, read_npz
from .readers.raw import Options, Source
from .readers.text_file import read_text_file
from .recordings import Recordings

__all__ = ["Layout", "UnitChoice", "read_spike_trains"]

UnitChoice: TypeAlias = Literal["auto", "s", "ms", "us"]
Layout: TypeAlias = Literal["auto", "list", "long", "columns", "rows", "single"]

_REFUSED: Final = (
    (b"\x1f\x8b", "this is a compressed file; unpack it first."),
    (b"BZh", "this is a compressed file; unpack it first."),
    (b"\xfd7zXZ", "this is a compressed file; unpack it first."),
    (b"%PDF", "this is a PDF document, not a table of spike times."),
    (b"\x89PNG", "this is an image, not a table of spike times."),
    (b"\xff\xd8\xff", "this is an image, not a table of spike times."),
    (b"\xd0\xcf\x11\xe0", "this is an old Excel or Word document; save the sheet as CSV."),
    (b"\x80\x04\x95", "this is a Python pickle, which is never loaded; save the times as CSV or NPZ."),
    (b"\x80\x05\x95", "this is a Python pickle, which is never loaded; save the times as CSV or NPZ."),
)


def read_spike_trains(
    source: str | Path | bytes | bytearray | memoryview | BinaryIO,
    *,
    filename: str | None = None,
    unit: UnitChoice = "auto",
    layout: Layout = "auto",
    id_column: str | int | None = None,
    time_column: str | int | None = None,
) -> Recordings:
    """Read the spike trains of a file.

    CSV and TXT, NPY and NPZ, and MAT files up to version 7 are told apart by their contents. Harmless faults
    are repaired and listed in the report; anything that could change the meaning is refused.

    Parameters
    ----------
    source : str, Path, bytes or binary file
        A path, the contents of a file, or an open file. Up to 50 MB, 2 million spikes and 10 000 trains.
    filename : str, optional
        Name to use in messages when `source` has none of its own.
    unit : {"auto", "s", "ms", "us"}
        Unit of the times in the file. "auto" takes it from a column name such as ``time_ms``, otherwise from
        the intervals (see `units.unit_from_intervals`); the report says which.
    layout : {"auto", "list", "long", "columns", "rows", "single"}
        A list of times per row, a row per spike, a column per train, a train per line, or one train.
    id_column, time_column : str or int, optional
        Name, or number from 0, of the column of ids and of times (of the array, for NPZ and MAT).

    Returns
    -------
    Recordings
        The trains, times in ms, with ``.report``.

    Raises
    ------
    SpikeTrainError
        With one sentence that names the file and, where it can, the row and the value.
    """
    if unit not in get_args(UnitChoice):
        raise SpikeTrainError(f"The unit {unit!r} is unknown; choose one of {_listed(UnitChoice)}.")
    if layout not in get_args(Layout):
        raise SpikeTrainError(f"The layout {layout!r} is unknown; choose one of {_listed(Layout)}.")
    options = Options(unit, layout, id_column, time_column)
    loaded = _load(source, filename)
    data = loaded.data
    if not data:
        raise loaded.error("the file is empty; it must hold at least one spike time.")
    for magic, message in _REFUSED:
        if data.startswith(magic):
            raise loaded.error(message)
    if data.startswith(b"\x89HDF") or data[:10] == b"MATLAB 7.3":
        raise loaded.error(HDF5_ADVICE)
    try:
        if data.startswith(b"\x93NUMPY"):
            raw = read_npy(loaded, options)
        elif data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
            raw = read_npz(loaded, options)
        elif data.startswith(b"MATLAB 5.0") or PurePath(loaded.name).suffix.lower() == ".mat":
            raw = read_mat(loaded, options)
        else:
            raw = read_text_file(loaded, options)
        return assemble(raw, loaded, options)
    except MemoryError:
        raise loaded.error("the file needs more memory than there is; split it into smaller files.") from None


def _listed(choices: object) -> str:
    return ", ".join(repr(choice) for choice in get_args(choices))


def _load(source: object, filename: str | None) -> Source:
    """Bytes of the source, refused by size before they are read."""
    if isinstance(source, (str, Path)):
        path = Path(source)
        name = filename or path.name or str(path)
        try:
            if not path.exists():
                raise SpikeTrainError(f"{path}: there is no such file.")
            if not path.is_file():
                raise SpikeTrainError(f"{path}: this is not a file; give the path of a file of spike times.")
            _check_size(path.stat().st_size, name)
            with path.open("rb") as stream:
                data = stream.read(MAX_FILE_BYTES + 1)
        except (OSError, ValueError) as error:
            if isinstance(error, SpikeTrainError):
                raise
            reason = getattr(error, "strerror", None) or "the path is not valid"
            raise SpikeTrainError(f"{str(source)[:200]!r} cannot be opened: {reason}.") from None
    elif isinstance(source, (bytes, bytearray, memoryview)):
        name = filename or "the upload"
        _check_size(source.nbytes if isinstance(source, memoryview) else len(source), name)
        data = bytes(source)
    elif hasattr(source, "read"):
        name = filename or PurePath(str(getattr(source, "name", "the stream"))).name
        data = source.read(MAX_FILE_BYTES + 1)
        if not isinstance(data, bytes):
            raise SpikeTrainError(f"{name}: the file must be opened in binary mode ('rb').")
    else:
        raise SpikeTrainError(f"A path, bytes or an open file is needed, not {type(source).__name__}.")
    _check_size(len(data), name)
    return Source(name, data)


def _check_size(n_bytes: int, name: str) -> None:
    if n_bytes > MAX_FILE_BYTES:
        limit = f"{MAX_FILE_BYTES / 1e6:.0f} MB"
        shown = f"{n_bytes / 1e6:,.1f} MB" if n_bytes > MAX_FILE_BYTES + 1 else f"over {limit}"
        raise SpikeTrainError(f"{name} has {shown}; files of up to {limit} are read, so split it.")
