"""`read_binary`: from a binary file or a folder of any known format to a `Table`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from spike2pop_nb.spiketrains.table import Table

from .archive import Archive, Files, Folder
from .matlab_table import DAMAGED_MAT, check_whole
from .neo_table import NEO_READERS, neo_signals, neo_table
from .numpy_table import npy_table, npz_table
from .phy_table import LABEL_FILES, phy_table
from .raw import Source, shown
from .sandbox import Parser, parsed, require
from .sorting_table import INFO_NAME, Wanted, numpy_folder_table
from .systems_table import NEX5_MAGIC, is_mclust, mclust_table, nex5_table
from .workbook import holds_workbook

__all__ = ["is_hdf5", "is_opened", "read_binary", "read_signals"]

_PAGE: Final = "this is a web page (HTML), which cannot be recognised as spike times; save it as CSV."
_OF_R: Final = "this is a file of R objects; save the times with write.csv."
_REFUSED: Final = {
    "this is a compressed file; unpack it first.": (b"\x1f\x8b", b"BZh", b"\xfd7zXZ"),
    "this is a PDF document, not a table of spike times.": (b"%PDF",),
    "this is an image, not a table of spike times.": (b"\x89PNG", b"\xff\xd8\xff"),
    "this is a Parquet or Arrow file; save it as CSV.": (b"PAR1", b"ARROW1", b"FEA1"),
    _OF_R: (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"X\n\0\0", b"A\n2\n", b"A\n3\n"),
    "this is a database (SQLite), not a table; save its spike times as CSV.": (b"SQLite format 3",),
    "this is an old Excel or Word document, or one with a password; save the sheet as CSV.": (
        b"\xd0\xcf\x11\xe0",
    ),
    "this is a Python pickle, which is never loaded; save the times as CSV or NPZ.": (
        *(b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        *(b"(lp0\n", b"(dp0\n"),
    ),
    "this is an XML document, not a table; save its spike times as CSV.": (b"<?xml",),
    "this is a formatted document (RTF), not a table; save it as plain text or CSV.": (b"{\\rtf",),
}
_PAGE_BEGINS: Final = (b"<!doctype", b"<html", b"<table")
_HDF5_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_HDF5: Final = Parser(
    f"{__package__}.hdf5_table",
    "parse_hdf5",
    "HDF5 file",
    ("h5py",),
    "the HDF5 file is damaged: a part of it cannot be read.",
)
_MAT: Final = Parser(
    f"{__package__}.matlab_table", "parse_mat", "MAT file", ("scipy.io.matlab",), DAMAGED_MAT, 8
)


def read_binary(source: Source, only: Wanted = None) -> Table | None:
    """Parse a binary file or a folder; what it begins with decides, then the end of its name.

    `only` tells from an id whether a train is wanted. It is used where single trains can be read out of a
    large folder (Phy, Kilosort, SpikeInterface); elsewhere all are given. None when the file is text, or a
    workbook, whose sheets `workbook.read_workbook` hands on as text.
    """
    try:
        return _read(source, only)
    except OSError as error:  # gone meanwhile, or no room for the copy that is read
        raise source.error(f"the file cannot be opened: {error.strerror or error}.") from None


def _read(source: Source, only: Wanted) -> Table | None:
    data = source.data
    if source.path is not None and source.path.is_dir():
        return _folder_table(source, only)
    if source.suffix in (".rds", ".rda", ".rdata"):
        raise source.error(_OF_R)
    if source.suffix in (".yaml", ".yml"):
        raise source.error("this is YAML; save its spike times as JSON or CSV.")
    for message, begins in _REFUSED.items():
        if data.startswith(begins):
            raise source.error(message)
    if data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE_BEGINS):
        raise source.error(_PAGE)
    if is_hdf5(source):
        return _hdf5_table(source)
    if data.startswith(NEX5_MAGIC):
        return nex5_table(source)
    if source.suffix in NEO_READERS:
        return neo_table(source)
    if is_mclust(source):
        return mclust_table(source)
    if data.startswith(b"\x93NUMPY"):
        return npy_table(source)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        archive = Archive(source)
        if holds_workbook(archive):
            return None
        found = _sorted_folder(archive, source, only, zipped=source.suffix == ".zip")
        return found if found is not None else npz_table(archive, source)
    if data.startswith(b"MATLAB 5.0") or source.suffix == ".mat":
        check_whole(source)
        return parsed(source, _MAT)
    return None


def is_hdf5(source: Source) -> bool:
    """Whether the file says that it is HDF5, MATLAB 7.3 included."""
    return (
        source.data.startswith(_HDF5_MAGIC)
        or _HDF5_MAGIC in source.data[512:520]
        or source.data[:10] == b"MATLAB 7.3"
    )


def is_opened(source: Source) -> bool:
    """Whether the file is opened where it lies on disk, and so may be larger than one that is loaded."""
    return is_hdf5(source) or source.suffix in NEO_READERS or source.data.startswith(NEX5_MAGIC)


def read_signals(source: Source) -> Table | None:
    """The signals of voltage in NWB and NIX files and those of acquisition systems; None for other files.

    They are rows of `builder.table_of_signals`.
    """
    if is_hdf5(source):
        require("h5py", "HDF5 files (NWB, MATLAB 7.3)", source)
        table = parsed(source, replace(_HDF5, function="parse_hdf5_signals"))
        return table if table.columns else neo_signals(_as_nix(source))
    return neo_signals(source) if source.suffix in NEO_READERS else None


def _hdf5_table(source: Source) -> Table:
    require("h5py", "HDF5 files (NWB, MATLAB 7.3)", source)
    table = parsed(source, _HDF5)
    return table if table.columns else neo_table(_as_nix(source))


def _as_nix(source: Source) -> Source:
    """NIX, which neo tells by the ending of the name; it may have been given without."""
    return replace(source, name=f"{source.stem}.nix")


def _folder_table(source: Source, only: Wanted) -> Table:
    found = _sorted_folder(Folder(source), source, only, zipped=True)
    if found is None:
        raise source.error(
            "this is a folder, not a file, and it has no 'spike_times.npy' of Phy or Kilosort in it; give a "
            "file of spike times, or such a folder."
        )
    return found


def _sorted_folder(files: Files, source: Source, only: Wanted, *, zipped: bool) -> Table | None:
    """The one folder of a spike sorter among the files; None when there is none."""
    names = set(files.names)
    sortings = _folders(names, INFO_NAME)
    phys = [
        folder
        for folder in _folders(names, "spike_times.npy")
        # An NPZ file may well have an array of that name; then nothing else of Phy lies beside it.
        if zipped or any(folder + beside in names for beside in ("params.py", *LABEL_FILES))
    ]
    if len(sortings) + len(phys) > 1:
        raise source.error(
            f"there are several sortings in it, in the folders {shown(sorted(sortings + phys))}; "
            "give one at a time."
        )
    if sortings:
        return numpy_folder_table(files, sortings[0], source, only)
    return phy_table(files, phys[0], source, only) if phys else None


def _folders(names: set[str], file: str) -> list[str]:
    return [name.removesuffix(file) for name in names if name == file or name.endswith("/" + file)]
