"""Small files of every binary format, made from scratch, for the tests of tables."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.io import savemat

from spike2pop_nb.spiketrains.readers.formats import read_binary
from spike2pop_nb.spiketrains.readers.raw import Source
from spike2pop_nb.spiketrains.table import Table


def table(data: bytes | Path, name: str = "file", **options: Any) -> Table:
    """The table of a file that is given by its bytes or its path."""
    if isinstance(data, Path):
        source = Source(data.name, b"" if data.is_dir() else data.read_bytes(), data)
    else:
        source = Source(name, data)
    found = read_binary(source, **options)
    assert found is not None
    return found


def values(found: Table) -> dict[str, Any]:
    """Columns by name, as lists."""
    return {
        column.name: [row.tolist() for row in column.values]
        if isinstance(column.values, list)
        else column.values.tolist()
        for column in found.columns
    }


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def zipped(members: dict[str, bytes | str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def phy(**changes: Any) -> dict[str, Any]:
    """A folder of Phy: file names (a dot written as two underscores) and contents; None leaves one out."""
    files: dict[str, Any] = {
        "spike_times.npy": npy(np.array([[100], [2000], [2500], [4000], [6000], [9000]], dtype=np.uint64)),
        "spike_clusters.npy": npy(np.array([7, 2, 3, 2, 7, 2], dtype=np.int32)),
        "params.py": "dat_path = '../raw.dat'\nsample_rate = 20000.  # Hz\n",
        "cluster_group.tsv": "cluster_id\tgroup\n2\tgood\n3\tnoise\n7\tmua\n",
        **{name.replace("__", "."): content for name, content in changes.items()},
    }
    return {name: content for name, content in files.items() if content is not None}


class StructArray(list[dict[str, Any]]):
    """Several structs in one variable; a plain list is a cell array."""


def mat(variables: dict[str, Any], **options: Any) -> bytes:
    """A MAT file of version 5; lists become cell arrays, dicts structs."""
    stream = io.BytesIO()
    savemat(stream, {name: _for_scipy(value) for name, value in variables.items()}, **options)
    return stream.getvalue()


def _for_scipy(value: Any) -> Any:
    if isinstance(value, StructArray):
        entries = np.empty((1, len(value)), dtype=[(name, object) for name in value[0]])
        for k, entry in enumerate(value):
            for name, field in entry.items():
                entries[0, k][name] = _for_scipy(field)
        return entries
    if isinstance(value, list):
        cells = np.empty((1, len(value)), dtype=object)
        for k, entry in enumerate(value):
            cells[0, k] = _for_scipy(entry)
        return cells
    if isinstance(value, dict):
        return {name: _for_scipy(field) for name, field in value.items()}
    return value


def mat73(path: Path, variables: dict[str, Any]) -> bytes:
    """The same as MATLAB writes it in version 7.3."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            _put(file, file, name, value)
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, made by hand".ljust(124) + b"\x00\x02IM")
    return path.read_bytes()


_CLASSES = {"float64": "double", "float32": "single", "bool": "logical"}


def _put(file: h5py.File, parent: Any, name: str, value: Any) -> Any:
    if isinstance(value, StructArray):
        item = parent.create_group(name)
        item.attrs["MATLAB_class"] = np.bytes_("struct")
        for field in value[0]:
            item[field] = _references(file, [entry[field] for entry in value])
        return item
    if isinstance(value, dict):
        item, kind = parent.create_group(name), "struct"
        for field, content in value.items():
            _put(file, item, field, content)
    elif isinstance(value, list):
        item, kind = parent.create_dataset(name, data=_references(file, value)), "cell"
    elif isinstance(value, str):
        item = parent.create_dataset(
            name, data=np.array([[ord(letter)] for letter in value], dtype=np.uint16)
        )
        kind = "char"
    else:
        array = np.atleast_2d(np.asarray(value))
        kind = _CLASSES.get(array.dtype.name, array.dtype.name)
        if array.size:
            stored = array.astype(np.uint8) if kind == "logical" else array
            item = parent.create_dataset(name, data=stored.T)
        else:
            item = parent.create_dataset(name, data=np.zeros(2, dtype=np.uint64))
            item.attrs["MATLAB_empty"] = np.uint8(1)
    item.attrs["MATLAB_class"] = np.bytes_(kind)
    return item


def _references(file: h5py.File, entries: list[Any]) -> Any:
    room = file.require_group("#refs#")
    references = [_put(file, room.create_group(str(len(room))), "value", entry).ref for entry in entries]
    return np.array(references, dtype=h5py.ref_dtype).reshape(-1, 1)


def hdf5(fill: Any) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    return stream.getvalue()


def nwb(path: Path, *, units: bool = True, sorted_units: bool = False, **columns: list[Any]) -> bytes:
    """An NWB file with three units, observed in one or two intervals, and perhaps another table of units."""
    from pynwb import NWBHDF5IO, NWBFile
    from pynwb.misc import Units

    content = NWBFile("a test", "id", datetime(2024, 1, 1, tzinfo=UTC))
    for name in columns:
        content.add_unit_column(name, "a column")
    for k in range(3 * units):
        given = {name: rows[k] for name, rows in columns.items()}
        observed = [[0.0, 10.0], [20.0, 30.0]][: 2 - k % 2]
        content.add_unit(id=10 + k, spike_times=[1.0 + k, 2.5, 25.0], obs_intervals=observed, **given)
    if sorted_units:
        module = content.create_processing_module("ecephys", "sorted")
        other = Units(name="sorted_units", description="of a sorter")
        other.add_unit(spike_times=[5.0, 6.0])
        module.add(other)
    with NWBHDF5IO(path, "w") as stream:
        stream.write(content)
    return path.read_bytes()


def nex5(*, wide: bool = False) -> bytes:
    """A NEX5 file with two spike variables and an event, at 40 kHz."""
    variables = [(0, "PD", [40, 800, 1200]), (0, "LP", [400, 40_000]), (1, "Stim", [10])]
    start = 356 + 244 * len(variables)
    width = 8 if wide else 4
    headers = times = b""
    for kind, name, ticks in variables:
        header = struct.pack("<ii64sQQi", kind, 500, name.encode(), start + len(times), len(ticks), wide)
        headers += header.ljust(244, b"\0")
        times += np.array(ticks, dtype=f"<i{width}").tobytes()
    head = struct.pack(
        "<4si256sdqiQq", b"NEX5", 501, b"", 40_000.0, 0, len(variables), start + len(times), 80_000
    )
    return head.ljust(356, b"\0") + headers + times + b'{"variables": []}'


def nex() -> bytes:
    """A NEX file with two spike variables, at 40 kHz."""
    trains = {"PD": [40, 800, 1200], "LP": [400, 40_000]}
    head = struct.pack("<4si256sdiii", b"NEX1", 104, b"", 40_000.0, 0, 80_000, len(trains)).ljust(544, b"\0")
    start = 544 + 208 * len(trains)
    headers = times = b""
    for name, ticks in trains.items():
        variable = struct.pack("<ii64sii", 0, 100, name.encode(), start + len(times), len(ticks))
        headers += variable.ljust(208, b"\0")
        times += np.array(ticks, dtype="<i4").tobytes()
    return head + headers + times


def mclust(times: Any, kind: str = ">u4") -> bytes:
    header = b"%%BEGINHEADER\n% Program: MClust\n% Date: 1-Jan-2024\n%%ENDHEADER\n"
    return header + np.array(times, dtype=kind).tobytes()


def nse() -> bytes:
    """A Neuralynx file of single electrode spikes: unit 0 is what was not sorted."""
    lines = [
        "######## Neuralynx Data File Header", "-FileType Spike", "-FileVersion 3.4",
        "-RecordSize 112", "-CheetahRev 5.6.3 ", "-AcqEntName SE1", "-SamplingFrequency 32000",
        "-ADMaxValue 32767", "-ADBitVolts 0.000000015", "-NumADChannels 1", "-ADChannel 0",
        "-InputRange 500", "-InputInverted True", "-WaveformLength 32", "-AlignmentPt 8",
        "-TimeCreated 2024/01/01 10:00:00", "-TimeClosed 2024/01/01 10:10:00",
    ]  # fmt: skip
    head = "\r\n".join(lines).encode().ljust(16_384, b"\0")
    layout = [
        ("t", "<u8"),
        ("channel", "<u4"),
        ("unit", "<u4"),
        ("features", "<i4", 8),
        ("samples", "<i2", 32),
    ]
    spikes = np.zeros(6, dtype=layout)
    spikes["t"] = [1_000_000, 1_100_000, 1_250_000, 1_400_000, 1_500_000, 1_700_000]
    spikes["unit"] = [0, 1, 1, 2, 0, 1]
    return head + spikes.tobytes()


def workbook(*sheets: list[list[Any]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for k, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"sheet {k}")
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
