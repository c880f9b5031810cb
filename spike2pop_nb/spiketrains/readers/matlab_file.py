"""MAT files: up to version 7 read by SciPy once `matlab_check` has passed them, version 7.3 by h5py."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .columns import is_id_name, is_time_name
from .matlab_check import safe_variables
from .matlab_hdf5 import variables_of
from .numpy_file import recording_from_arrays
from .raw import Options, RawRecording, RawTrain, Source, shown

if TYPE_CHECKING:
    import h5py

__all__ = ["read_mat", "read_mat_hdf5"]


def read_mat(source: Source, options: Options) -> RawRecording:
    """Read a MAT file: numeric arrays, cell arrays of trains, or structs with a field of times.

    Parameters
    ----------
    source : Source
        The file.
    options : Options
        ``time_column`` and ``id_column`` name a variable here.
    """
    from scipy.io import loadmat

    readable, other = safe_variables(source)
    if not readable:
        raise source.error("the MAT file holds no arrays, cells or structs that could be spike times.")
    try:
        content = loadmat(BytesIO(source.data), variable_names=readable, struct_as_record=True)
    except Exception:  # SciPy meets a damaged file with errors of many kinds
        raise source.error("the MAT file is damaged or of a kind that cannot be read.") from None
    variables = {name: np.asarray(value) for name, value in content.items() if not name.startswith("__")}
    if not variables:
        raise source.error("the MAT file holds no variables.")
    return _from_variables(variables, other, source, options)


def read_mat_hdf5(file: h5py.File, source: Source, options: Options) -> RawRecording:
    """Read a MATLAB 7.3 file, as `read_mat` does older ones."""
    variables, other = variables_of(file, source)
    if not variables:
        raise source.error("the MAT file holds no arrays, cells or structs that could be spike times.")
    return _from_variables(variables, other, source, options)


def _from_variables(
    variables: dict[str, NDArray[Any]], other: list[str], source: Source, options: Options
) -> RawRecording:
    skipped = [f"{shown(other)}, of kinds that hold no spike times"] if other else []
    nested = {name: value for name, value in variables.items() if value.dtype.hasobject}
    wanted = options.time_column
    if isinstance(wanted, str) and wanted in nested:
        nested = {wanted: nested[wanted]}
    elif wanted is not None:
        nested = {}
    trains: list[RawTrain] = []
    used = []
    for name, value in nested.items():
        found = _from_struct(name, value, source) if value.dtype.fields else _from_cell(name, value, source)
        if found:
            used.append(name)
            for train in found:
                train.id = source.id(f"{name}/{train.id}" if len(nested) > 1 else train.id)
            trains += found
    if not trains:
        plain = {name: value for name, value in variables.items() if not value.dtype.hasobject}
        if not plain:
            raise source.error(
                f"the variables {shown(list(variables))} hold no spike times; a numeric array (unit, time), "
                "or a cell array with one train per cell, is needed."
            )
        raw = recording_from_arrays("MAT", plain, source, options)
        raw.skipped += skipped
        return raw
    raw = RawRecording("MAT", "arrays", f"a train per entry of {shown(used)}", trains, skipped=skipped)
    raw.candidates = tuple(variables)
    left = [name for name in variables if name not in used]
    if left:
        raw.skipped.append(f"{shown(left)}, not taken for spike times")
    return raw


def _vector(value: Any) -> NDArray[np.float64] | None:
    """`value` as one train; None when it is no vector of numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or array.size != max(array.shape, default=0):
        return None if array.size else np.empty(0)
    return array.ravel().astype(np.float64)


def _from_cell(name: str, cells: NDArray[Any], source: Source) -> list[RawTrain]:
    trains = []
    source.check_counts(0, cells.size)
    vectors = [_vector(cell) for cell in cells.ravel(order="F")]
    if all(vector is None for vector in vectors):
        return []
    for k, vector in enumerate(vectors, start=1):
        if vector is None:
            raise source.error(f"cell {k} of {name!r} is no vector of numbers; each must hold one train.")
        trains.append(RawTrain(str(k), vector, f"cell {k} of {name!r}"))
    return trains


def _from_struct(name: str, entries: NDArray[Any], source: Source) -> list[RawTrain]:
    fields = list(entries.dtype.names or ())
    time_field = next((field for field in fields if is_time_name(field)), None)
    if time_field is None:
        return []
    id_field = next((field for field in fields if is_id_name(field)), None)
    source.check_counts(0, entries.size)
    trains = []
    for k, entry in enumerate(entries.ravel(order="F"), start=1):
        times = np.asarray(entry[time_field])
        if times.dtype == object and entries.size == 1:
            return _from_cell(f"{name}.{time_field}", times, source)
        vector = _vector(times)
        if vector is None:
            raise source.error(f"{name}({k}).{time_field} is no vector of numbers; it must hold one train.")
        label = np.asarray(entry[id_field]).ravel() if id_field is not None else np.array([k])
        text = label[0].item() if label.size == 1 and label.dtype.kind in "iufU" else k
        trains.append(RawTrain(source.id(text), vector, f"{name}({k}).{time_field}"))
    return trains
