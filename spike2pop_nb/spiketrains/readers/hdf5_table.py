"""HDF5 files as tables: NWB, MATLAB 7.3, and any other by the names of its data sets. Runs in the sandbox."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import h5py
import numpy as np

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.limits import MAX_CELLS, MAX_OBJECTS, MAX_UNPACKED_BYTES
from spike2pop_nb.spiketrains.table import Table

from .builder import NO_NUMBERS, TableBuilder, text_of
from .matlab73_table import matlab73_table
from .nwb_table import nwb_signals, nwb_table
from .raw import Source, shown

__all__ = ["NIX", "parse_hdf5", "parse_hdf5_signals"]

NIX: Final = "NIX"
_UNIT_NAMES: Final = ("unit", "units", "Unit", "Units")
_ELSEWHERE: Final = "{} lies in another file, which is not opened; copy it into this one."


def parse_hdf5(source: Source) -> Table:
    """The data sets of an HDF5 file, if it neither points elsewhere nor has blocks too large to unpack.

    Without columns and of format `NIX` when neo is to read the file.
    """
    return _parsed(source, _table)


def parse_hdf5_signals(source: Source) -> Table:
    """The signals of voltage of an NWB file, as `nwb_signals` gives them; else as `parse_hdf5`."""
    return _parsed(source, _signals)


def _parsed(source: Source, parse: Callable[[h5py.File, Source], Table]) -> Table:
    try:
        file = h5py.File(source.path, "r")
    except Exception:  # HDF5 meets a damaged file with errors of several kinds
        kind = "MATLAB 7.3 (HDF5)" if source.data[:10] == b"MATLAB 7.3" else "HDF5"
        raise source.error(f"the {kind} file is damaged or cut short; copy or save it again.") from None
    try:
        with file:
            refusal = _refusal(file)
            if refusal:
                raise source.error(refusal)
            return parse(file, source)
    except (SpikeTrainError, MemoryError):
        raise
    except Exception:  # what is damaged shows when it is read, again with errors of several kinds
        raise source.error("the HDF5 file is damaged: a part of it cannot be read.") from None


def _table(file: h5py.File, source: Source) -> Table:
    if _is_nwb(file):
        return nwb_table(file, source)
    if _is_nix(file):
        return Table(NIX, [])
    if any("MATLAB_class" in item.attrs for item in file.values()) or file.userblock_size >= 512:
        return matlab73_table(file, source)
    return _datasets(file, source)


def _signals(file: h5py.File, source: Source) -> Table:
    if _is_nix(file):
        return Table(NIX, [])
    if not _is_nwb(file):
        raise source.error("this HDF5 file is neither NWB nor NIX; save its voltage as CSV with times.")
    return nwb_signals(file, source)


def _is_nwb(file: h5py.File) -> bool:
    return "nwb_version" in file.attrs or "nwb_version" in file


def _is_nix(file: h5py.File) -> bool:
    return text_of(file.attrs.get("format")) == "nix"


def _refusal(file: h5py.File) -> str | None:
    """Why the file is not read, if it is not. (HDF5 lets no exception out of a visit, but an answer.)"""
    n_links = 0

    def link(name: bytes, found: Any) -> str | None:
        nonlocal n_links
        n_links += 1
        if n_links > MAX_OBJECTS:
            return f"the HDF5 file has more than {MAX_OBJECTS:,} groups and data sets."
        inside = found.type in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT)
        return None if inside else _ELSEWHERE.format(shown([text_of(name)]))

    def item(name: str, found: Any) -> str | None:
        if not isinstance(found, h5py.Dataset):
            return None
        if found.external or found.is_virtual:
            return _ELSEWHERE.format(shown([name]))
        if found.chunks and math.prod(found.chunks) * found.dtype.itemsize > MAX_UNPACKED_BYTES:
            limit = f"{MAX_UNPACKED_BYTES / 1e6:.0f} MB"
            return f"{shown([name])} is packed in blocks of over {limit}, too large to read."
        return None

    return file.id.links.visit(link, info=True) or file.visititems(item)


def _datasets(file: h5py.File, source: Source) -> Table:
    builder = TableBuilder("HDF5", source)
    datasets: dict[str, h5py.Dataset] = {}

    def item(given: str | bytes, found: Any) -> None:
        name = text_of(given)  # bytes where they are no text
        _attributes(builder, name, found)
        if isinstance(found, h5py.Dataset):
            datasets[name] = found

    _attributes(builder, "", file)
    file.visititems(item)
    fitting, total = set(), 0
    for name in sorted(datasets, key=lambda name: datasets[name].size or 0):  # raw data may lie before spikes
        total += datasets[name].size or 0
        if total <= MAX_CELLS:
            fitting.add(name)
    for name, dataset in datasets.items():
        if name in fitting:
            _add(builder, name, dataset)
        else:
            builder.room(name, max(dataset.size, MAX_CELLS + 1))
    return builder.table("the HDF5 file")


def _attributes(builder: TableBuilder, name: str, item: Any) -> None:
    """Keep single numbers and texts among the attributes; units stay with their columns."""
    for key in item.attrs:
        if key in _UNIT_NAMES and isinstance(item, h5py.Dataset):
            continue
        try:
            value = np.asarray(item.attrs[key])
        except Exception:  # of a type that h5py does not know: references, enumerations of others
            continue
        if value.size == 1:
            single = value.ravel()[0]
            path = f"{name}/{text_of(key)}" if name else text_of(key)
            if isinstance(single, bytes | str):
                builder.fact(path, text_of(single))
            elif value.dtype.kind in "iuf":
                builder.fact(path, float(single))


def _add(builder: TableBuilder, name: str, dataset: h5py.Dataset) -> None:
    unit = next((word for key in _UNIT_NAMES if (word := _word(dataset, key))), "")
    kind = dataset.dtype
    if dataset.shape is None:
        return
    if kind.names:
        for field in kind.names:
            _add_values(builder, f"{name}/{field}", kind[field], dataset.fields(field)[()], unit)
    else:
        _add_values(builder, name, kind, dataset[()], unit)


def _word(dataset: h5py.Dataset, key: str) -> str:
    """An attribute that is text, however it was written; "" for none."""
    value = np.ravel(dataset.attrs[key]) if key in dataset.attrs else np.empty(0)
    return text_of(value[0]) if value.size == 1 and isinstance(value[0], bytes | str) else ""


def _add_values(builder: TableBuilder, name: str, kind: Any, values: Any, unit: str) -> None:
    if h5py.check_string_dtype(kind) is not None and kind.hasobject:
        array = np.asarray(values, dtype=object)
        words = [text_of(value) for value in array.ravel()]
        builder.array(name, np.array(words, dtype=np.str_).reshape(array.shape))
        return
    element = h5py.check_vlen_dtype(kind)
    if element is not None and element.kind in "iuf" and np.ndim(values) == 1:
        builder.lists(name, [np.asarray(row) for row in values], unit, integers=element.kind in "iu")
    elif kind.hasobject or h5py.check_enum_dtype(kind) is not None:
        builder.skip(name, NO_NUMBERS)
    else:
        builder.array(name, np.asarray(values), unit)
