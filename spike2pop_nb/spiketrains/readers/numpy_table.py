"""NPY and NPZ files as tables; those of pynapple and SpikeInterface say what they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .archive import Archive, array_of_bytes
from .builder import PICKLE, TableBuilder, floats
from .raw import Source
from .sorting_table import is_sorting, sorting_table

__all__ = ["npy_table", "npz_table", "pynapple_table"]


def npy_table(source: Source) -> Table:
    """The array of an NPY file: a column without a name, or one per field."""
    array = array_of_bytes(source.data, "the array", source)
    builder = TableBuilder("NPY", source)
    if array.dtype.names is None:
        if array.dtype.kind not in "iufmUS":
            raise source.error("the array holds no real numbers.")
        if not 1 <= array.ndim <= 2:
            raise source.error(
                f"the array has {array.ndim} dimensions; it must have one (a train) or two (a table)."
            )
    builder.array("", array)
    return builder.table("the NPY file", named=array.dtype.names is not None)


def npz_table(archive: Archive, source: Source) -> Table:
    """The arrays of an NPZ file by their names; those of Python objects are left out."""
    names = [name for name in archive.names if name.endswith(".npy")]
    if not names:
        if "content.xml" in archive.names:
            raise source.error("this is an OpenDocument file; save its sheet as CSV or XLSX.")
        raise source.error(
            "this is an archive without NPY arrays, and no Phy or SpikeInterface folder; unpack it and give "
            "the file of spike times."
        )
    builder = TableBuilder("NPZ", source)
    arrays: dict[str, NDArray[Any]] = {}
    for name in names:
        stem = name.removesuffix(".npy")
        try:
            arrays[stem] = array_of_bytes(archive.read(name), f"the array {stem!r}", source)
        except SpikeTrainError as error:
            if "never loaded" not in str(error):
                raise
            builder.skip(stem, PICKLE)
    if is_sorting(arrays):
        return sorting_table(arrays, source)
    for stem, array in arrays.items():
        builder.array(stem, array)
    table = builder.table("the NPZ file")
    if table.facts.get("type") in {"Ts", "TsGroup"} and {"t", "start", "end"} <= set(arrays):
        return _pynapple(table, arrays, source)
    return table


def _pynapple(table: Table, arrays: dict[str, NDArray[Any]], source: Source) -> Table:
    """What pynapple saves: times in s, the unit of each spike, and the epochs that were recorded."""
    if any(arrays[name].dtype.kind not in "iuf" for name in ("t", "start", "end")):
        raise source.error("the arrays 't', 'start' and 'end' of pynapple must hold numbers.")
    times = floats(arrays["t"].ravel())
    starts, ends = floats(arrays["start"].ravel()), floats(arrays["end"].ravel())
    grouped = table.facts["type"] == "TsGroup"
    if grouped and not all(name in arrays and arrays[name].dtype.kind in "iu" for name in ("index", "keys")):
        raise source.error("the TsGroup of pynapple must have whole numbers in 'index' and 'keys'.")
    ids = np.unique(arrays["keys"]) if grouped else np.array([0])
    index = arrays["index"].ravel() if grouped else np.zeros(times.size, dtype=np.int64)
    if index.size != times.size or not np.isin(index, ids).all():
        raise source.error("the arrays 't', 'index' and 'keys' of pynapple do not match.")
    order = np.argsort(index, kind="stable")
    bounds = np.searchsorted(index[order], ids[1:])
    kept = [column for column in table.columns if column.name not in {"t", "index", "keys", "start", "end"}]
    keys = Column("keys", floats(ids), integers=True) if grouped else None
    rows, reason = list(np.split(times[order], bounds)), "a train per unit, as pynapple saves it"
    found = pynapple_table(rows, keys, starts, ends, reason)
    found.columns += kept
    found.facts, found.skipped = table.facts, table.skipped
    return found


def pynapple_table(
    rows: list[FloatArray], ids: Column | None, starts: NDArray[Any], ends: NDArray[Any], reason: str
) -> Table:
    """Trains of pynapple, with its epochs: times in s, and when they were observed."""
    columns = {"time": Column("t", rows, "s")}
    if ids is not None:
        columns["id"] = ids
    cautions = []
    if starts.size and starts.size == ends.size:
        window = np.tile([starts.min(), ends.max()], (len(rows), 1)).astype(np.float64)
        columns["window"] = Column("support", window, "s")
        if starts.size > 1:
            cautions.append(
                f"the recording has {starts.size:,} epochs (time support), and the intervals between spikes "
                "run across the gaps"
            )
    return Table.of_roles("pynapple", columns, reason=reason, cautions=cautions)
