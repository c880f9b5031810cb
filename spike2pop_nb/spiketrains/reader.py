"""`read_spike_trains`: one door to all formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final, Literal, TypeAlias, get_args

from spike2pop_nb.errors import SpikeTrainError, printable

from .assemble import assemble
from .layouts import understand
from .layouts.reshaped import quantities_upright
from .layouts.timing import timing_of
from .limits import MAX_FILE_BYTES, MAX_OPENED_BYTES
from .readers.formats import is_opened, read_binary
from .readers.json_table import json_table
from .readers.objects import table_from_object
from .readers.raw import Options, Source, Subtable
from .readers.text_blocks import text_blocks
from .readers.text_table import text_table
from .readers.workbook import is_workbook, read_workbook
from .recordings import Recordings
from .sheets import first_sheet, read_sheets
from .stretch import Stretch
from .table import Table
from .units import check_rate, checked_unit

__all__ = ["Layout", "load", "parse_file", "read_spike_trains"]

_HEAD_BYTES: Final = 4096

Layout: TypeAlias = Literal["auto", "list", "long", "columns", "rows", "single", "trials"]


def read_spike_trains(
    source: object,
    *,
    filename: str | None = None,
    unit: str = "auto",
    layout: Layout = "auto",
    id_columns: str | int | Sequence[str | int] | None = None,
    time_column: str | int | None = None,
    sampling_rate_hz: float | None = None,
    start_s: float | None = None,
    stop_s: float | None = None,
    recordings: str | Sequence[str] | None = None,
    sheets: str | Sequence[str] | None = None,
) -> Recordings:
    """Read the spike trains of a file.

    Text (CSV, TXT, JSON, or pasted), Excel, NPY, NPZ, MAT, HDF5, NWB, folders of Phy and Kilosort (also
    zipped) and sortings of SpikeInterface are told apart by their contents; the files of acquisition
    systems, which neo reads, by their suffix. Harmless faults are repaired and listed in the report;
    anything that could change the meaning is refused. HDF5, NWB, MAT 7.3, Excel and neo's formats need the
    ``io`` extra.

    Parameters
    ----------
    source : str, Path, bytes, binary file, or an object of a library
        A path (also of a folder), the contents of a file, or an open file. Up to 50 MB, 2 million spikes and
        10 000 trains; HDF5 files, sorters' folders and files of acquisition systems may be larger on disk.
        Spike trains of neo, pynapple and quantities, DataFrames, arrays and dictionaries are taken too.
    filename : str, optional
        Name to use in messages when `source` has none of its own.
    unit : str
        Unit of the times in the file: "h", "min", "s", "ms", "us", "ns", "samples", or a multiple such as
        "0.1 ms". "auto" takes what the file says, otherwise what the intervals suggest, which the report says
        first. What is asked for is used in any case.
    layout : {"auto", "list", "long", "columns", "rows", "single", "trials"}
        A list of times per row, a row per spike, a column per train, a train per line, one train, or trains
        one after another that begin where the times start over.
    id_columns : str, int or sequence of them, optional
        Names, or numbers from 0, of the columns (arrays, for NPZ and MAT) that together identify a train;
        "none" or an empty sequence where no column does.
    time_column : str or int, optional
        Name, or number from 0, of the column or array of times.
    sampling_rate_hz : float, optional
        Rate at which times in samples were counted.
    start_s, stop_s : float, optional
        The stretch of the recordings to use, in s on their own clock.
    recordings : str or sequence of str, optional
        Ids of the recordings to use; all by default.
    sheets : str or sequence of str, optional
        Sheets of a workbook to read; by default all that hold spike times, which then name the trains.

    Returns
    -------
    Recordings
        The trains, times in ms, with ``.report``.

    Raises
    ------
    SpikeTrainError
        With one sentence that names the file and, where it can, the row and the value.

    Examples
    --------
    >>> recordings = read_spike_trains(b"channel,unit,time_ms\\n1,1,10\\n1,2,12\\n2,1,15\\n1,1,30\\n")
    >>> recordings.ids
    ['1/1', '1/2', '2/1']
    """
    options = _options(unit, layout, id_columns, time_column, sampling_rate_hz, sheets)
    stretch = Stretch.checked(recordings, start_s, stop_s)
    loaded, table = _opened(source, filename, stretch)
    try:
        if options.sheets is not None and not (isinstance(table, list) and is_workbook(loaded)):
            raise loaded.error("this is no workbook, so it has no sheets to choose from.")
        if isinstance(table, list):
            table, reading, timing = read_sheets(loaded, table, options)
            return assemble(table, reading, timing, loaded, stretch)
        if options.layout == "auto":
            table = quantities_upright(table)
        reading = understand(table, loaded, options)
        timing = timing_of(table, reading, loaded, options)
        return assemble(table, reading, timing, loaded, stretch)
    except MemoryError:
        raise loaded.error("the file needs more memory than is available; split it.") from None


def parse_file(
    source: object, filename: str | None = None, stretch: Stretch | None = None
) -> tuple[Source, Table]:
    """Name and table of a file, whatever its format; of a workbook the first sheet that is a table.

    Large folders are read only for the recordings that `stretch` names.
    """
    loaded, table = _opened(source, filename, stretch)
    if not isinstance(table, list):
        return loaded, table
    return loaded, first_sheet(loaded, table) if is_workbook(loaded) else text_table(loaded)


def _opened(
    source: object, filename: str | None, stretch: Stretch | None
) -> tuple[Source, Table | list[Subtable]]:
    """Name and table of a file; the sheets of a workbook."""
    held = None if isinstance(source, str | bytes | bytearray | memoryview) else table_from_object(source)
    if held is not None:
        return Source(printable(filename or f"the {type(source).__name__}"), b""), held
    loaded = load(source, filename)
    try:
        if not loaded.data and not (loaded.path is not None and loaded.path.is_dir()):
            raise loaded.error("the file is empty; it must hold at least one spike time.")
        table = read_binary(loaded, stretch.wants if stretch is not None and stretch.recordings else None)
        if table is not None:
            return loaded, table
        if is_workbook(loaded):
            return loaded, read_workbook(loaded)
        table = json_table(loaded)
        return loaded, table or text_blocks(loaded) or text_table(loaded)
    except MemoryError:
        raise loaded.error("the file needs more memory than is available; split it.") from None


def _options(
    unit: str,
    layout: str,
    id_columns: str | int | Sequence[str | int] | None,
    time_column: str | int | None,
    sampling_rate_hz: float | None,
    sheets: str | Sequence[str] | None,
) -> Options:
    named = checked_unit(unit)
    if layout not in get_args(Layout):
        known = ", ".join(repr(choice) for choice in get_args(Layout))
        raise SpikeTrainError(f"The layout {layout!r} is unknown; choose one of {known}.")
    check_rate(sampling_rate_hz)
    if isinstance(id_columns, (str, int)):
        id_columns = () if id_columns == "none" else (id_columns,)
    keys = None if id_columns is None else tuple(id_columns)
    chosen = None if not sheets else (sheets,) if isinstance(sheets, str) else tuple(sheets)
    return Options(named, layout, keys, time_column, sampling_rate_hz, chosen)


def load(source: object, filename: str | None) -> Source:
    """Name and contents of a path, bytes or an open file, refused by size before anything is read.

    A folder is taken as it is. A file on disk that its format's library opens by itself (HDF5, and what neo
    reads) is not loaded and may be larger.
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
