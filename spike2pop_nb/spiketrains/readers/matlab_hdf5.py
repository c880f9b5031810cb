"""MATLAB 7.3 files, which are HDF5: arrays, text, cells and structs, as SciPy gives them for older ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.limits import MAX_SPIKES, MAX_TRAINS

from .raw import Source, shown

if TYPE_CHECKING:
    import h5py

__all__ = ["variables_of"]

_MAX_ENTRIES: Final = 10 * MAX_TRAINS
_MAX_DEPTH: Final = 5


def variables_of(file: h5py.File, source: Source) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Variables of a MATLAB 7.3 file, and the names of those of other kinds.

    Parameters
    ----------
    file : h5py.File
        The file, opened by `hdf5_file.opened`.
    source : Source
        Names the file in errors.

    Returns
    -------
    (dict of str to ndarray, list of str)
        Cells are arrays of objects, structs arrays with fields of objects.

    Raises
    ------
    SpikeTrainError
        When an array is larger than allowed.
    """
    variables: dict[str, NDArray[Any]] = {}
    other = []
    for name, item in file.items():
        if name.startswith("#"):  # where MATLAB keeps the contents of cells
            continue
        value = _value(file, item, source, 0)
        if value is None:
            other.append(name)
        else:
            variables[name] = value
    return variables, other


def _value(file: h5py.File, item: Any, source: Source, depth: int) -> NDArray[Any] | None:
    """One variable; None when it is of a kind that holds no spike times."""
    if depth > _MAX_DEPTH:
        return None
    kind = item.attrs.get("MATLAB_class", b"")
    kind = kind.decode(errors="replace") if isinstance(kind, bytes) else str(kind)
    if not hasattr(item, "shape"):
        return _struct(file, item, source, depth) if kind == "struct" else None
    if item.size > (_MAX_ENTRIES if item.dtype.hasobject else 2 * MAX_SPIKES):
        raise source.error(f"{shown([item.name])} has {item.size:,} entries, more than is read.")
    if item.attrs.get("MATLAB_empty", 0):
        return np.empty((0, 0), dtype=object if kind == "cell" else np.float64)
    if kind == "cell" or (kind == "" and item.dtype.hasobject):
        return _cells(file, item, source, depth)
    if kind == "char":
        codes = item[()].ravel(order="F")
        return np.array(["".join(chr(int(code)) for code in codes[:1000])])
    if item.dtype.kind in "iufb" and kind not in {"function_handle", "logical"}:
        return np.asarray(item[()]).T
    return None


def _cells(file: h5py.File, item: Any, source: Source, depth: int) -> NDArray[Any]:
    references = np.asarray(item[()]).T
    cells = np.empty(references.shape, dtype=object)
    for index, reference in np.ndenumerate(references):
        value = _value(file, file[reference], source, depth + 1) if reference else None
        cells[index] = np.array(["?"]) if value is None else value
    return cells


def _struct(file: h5py.File, group: Any, source: Source, depth: int) -> NDArray[Any] | None:
    """A struct, or an array of them: then every field is an array of references."""
    fields = {name: _value(file, group[name], source, depth + 1) for name in group}
    found = {name: value for name, value in fields.items() if value is not None}
    if not found or len(found) > 1000:
        return None
    several = [
        name
        for name, value in found.items()
        if value.dtype == object and "MATLAB_class" not in group[name].attrs
    ]
    size = found[several[0]].size if several else 1
    entries = np.empty(size, dtype=[(name, object) for name in found])
    for name, value in found.items():
        if name in several:
            if value.size != size:
                raise source.error(f"the fields of {shown([group.name])} have unequal lengths.")
            entries[name] = value.ravel(order="F")
        else:
            for k in range(size):
                entries[name][k] = value
    return entries
