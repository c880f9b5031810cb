"""`read_spike_trains`: one door to all formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeAlias, get_args

from spike2pop_nb.errors import SpikeTrainError

from .assemble import assemble
from .layouts import understand
from .layouts.timing import timing_of
from .limits import MAX_RATE_HZ
from .loading import load
from .readers.formats import read_binary
from .readers.raw import Options, Source
from .readers.text_table import text_table
from .recordings import Recordings
from .stretch import Stretch
from .table import Table
from .units import canonical_unit

__all__ = ["Layout", "parse_file", "read_spike_trains"]

Layout: TypeAlias = Literal["auto", "list", "long", "columns", "rows", "single", "trials"]

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

    Text (CSV, TXT, or pasted), NPY, NPZ, MAT, NWB, folders of Phy and Kilosort (also zipped) and sortings of
    SpikeInterface are told apart by their contents; the files of acquisition systems, which neo reads, by
    their suffix. Harmless faults are repaired and listed in the report; anything that could change the
    meaning is refused. NWB, MAT 7.3 and neo's formats need the ``io`` extra.

    Parameters
    ----------
    source : str, Path, bytes or binary file
        A path (also of a folder), the contents of a file, or an open file. Up to 50 MB, 2 million spikes and
        10 000 trains; NWB files and those of acquisition systems may have up to 4 GB on disk.
    filename : str, optional
        Name to use in messages when `source` has none of its own.
    unit : {"auto", "s", "ms", "us"}
        Unit of the times in the file. "auto" takes it from a column name such as ``time_ms``, otherwise from
        the intervals (see `units.unit_from_intervals`); the report says which. Where the format fixes the
        unit, another one given here is not used, which the report says.
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
    loaded = load(source, filename)
    try:
        return assemble(_read(loaded, options), loaded, options)
    except MemoryError:
        raise loaded.error("the file needs more memory than there is; split it into smaller files.") from None


def _read(loaded: Source, options: Options) -> RawRecording:
    """Find the reader by what the file begins with, then by the end of its name."""
    data = loaded.data
    if loaded.path is not None and loaded.path.is_dir():
        return read_folder(loaded)
    if not data:
        raise loaded.error("the file is empty; it must hold at least one spike time.")
    for magic, message in _REFUSED:
        if data.startswith(magic):
            raise loaded.error(message)
    if is_hdf5(loaded):
        return _read_hdf5(loaded, options)
    if loaded.suffix in NEO_SUFFIXES:
        return read_neo_trains(loaded)
    if data.startswith(b"\x93NUMPY"):
        return read_npy(loaded, options)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return read_archive(loaded, options)
    if data.startswith(b"MATLAB 5.0") or loaded.suffix == ".mat":
        return read_mat(loaded, options)
    return read_text_file(loaded, options)


def _read_hdf5(loaded: Source, options: Options) -> RawRecording:
    with opened(loaded) as file:
        kind = hdf5_kind(file)
        if kind == "NWB":
            return read_nwb(file, loaded)
        if kind == "MATLAB":
            return read_mat_hdf5(file, loaded, options)
    if kind != "NIX":
        raise loaded.error(HDF5_ADVICE)
    # neo opens it by name, and it may have been given without its suffix.
    return read_neo_trains(replace(loaded, name=f"{loaded.stem}.nix"))


def _listed(choices: object) -> str:
    return ", ".join(repr(choice) for choice in get_args(choices))
