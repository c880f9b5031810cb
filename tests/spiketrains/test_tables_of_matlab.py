"""MAT files of version 5 and 7.3 as tables: the same of both."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_array
from table_files import StructArray, mat, mat73, table, values

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.readers.matlab_table import parse_mat
from spike2pop_nb.spiketrains.readers.raw import Source
from spike2pop_nb.spiketrains.table import Table

VARIABLES: dict[str, Any] = {
    "t_ms": np.array([1.0, 20, 30]),
    "column": np.array([[1.0], [2], [3]]),
    "samples": np.array([100, 200], dtype=np.int32),
    "cluster_class": np.array([[1.0, 0.5], [2, 0.7], [1, 0.9]]),
    "fs": 30_000.0,
    "note": "x y",
    "spikes": [np.array([1.0, 20]), np.array([]), np.array([[5.0], [7], [60]])],
    "names": ["PD", "LP"],
    "one": [np.array([4.0, 5])],
    "data": {"times": [np.array([1.0]), np.array([2.0, 3])], "par": {"sr": 20_000.0, "name": "a"}},
    "units": StructArray(
        [
            {"id": 7.0, "label": "good", "times": np.array([0.1, 0.2]), "wave": {"width": 1.0}},
            {"id": 9.0, "label": "mua", "times": np.array([0.3]), "wave": {"width": 2.0}},
        ]
    ),
    "entries": [{"t": np.array([1.0, 2])}, {"t": np.array([3.0, 4])}],
    "trials": [[np.array([1.0, 2]), np.array([3.0])], [np.array([4.0])]],
    "mixed": [np.array([1.0, 2]), np.ones((3, 4))],
    "ok": np.array([True, False]),
}


def check(found: Table) -> None:
    assert found.format == "MAT"
    assert values(found) == {
        "t_ms": [1, 20, 30],
        "column": [1, 2, 3],
        "samples": [100, 200],
        "cluster_class": [[1, 0.5], [2, 0.7], [1, 0.9]],
        "spikes": [[1, 20], [], [5, 7, 60]],
        "names": ["PD", "LP"],
        "one": [[4, 5]],
        "data/times": [[1], [2, 3]],
        "units/id": [7, 9],
        "units/label": ["good", "mua"],
        "units/times": [[0.1, 0.2], [0.3]],
        "units/wave/width": [1, 2],
        "entries/t": [[1, 2], [3, 4]],
        "trials/1": [[1, 2], [3]],
        "trials/2": [[4]],
    }
    assert found.facts == {"fs": 30_000, "note": "x y", "data/par/sr": 20_000, "data/par/name": "a"}
    assert {column.name for column in found.columns if column.integers} == {"samples"}
    assert any("'mixed', whose cell 2 of 2 is no vector of numbers" in text for text in found.skipped)
    assert any("'ok'" in text for text in found.skipped)


def test_version_5() -> None:
    check(table(mat(VARIABLES, do_compression=True), "rec.mat"))


def test_version_73(tmp_path: Path) -> None:
    check(table(mat73(tmp_path / "rec.mat", dict(sorted(VARIABLES.items()))), "rec.mat"))


def test_char_arrays_of_several_rows() -> None:
    found = table(mat({"ids": np.array(["PD", "LP "])}))
    assert values(found) == {"ids": ["PD", "LP"]}


def test_what_holds_no_spike_times_is_named() -> None:
    found = parse_mat(Source("a.mat", mat({"t": np.array([1.0, 2]), "raster": csc_array(np.eye(5))})))
    assert found.skipped == ["'raster', of kinds that hold no spike times"]


def lying() -> bytes:
    data = bytearray(mat({"spikes": [np.array([1.0]), np.array([2.0]), np.array([3.0])]}))
    at = data.find(struct.pack("<ii", 1, 3))
    data[at : at + 8] = struct.pack("<ii", 30_000, 30_000)
    return bytes(data)


def unknown_type() -> bytes:
    stream = io.BytesIO()
    savemat(stream, {"a": np.array([1.0, 20, 30])})
    data = bytearray(stream.getvalue())
    at = data.rfind(struct.pack("<II", 9, 24))  # the tag of three doubles; SciPy crashes on a wrong code here
    data[at : at + 4] = struct.pack("<I", 999)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (mat({"a": np.array([1.0, 2])})[:150], "cut short"),
        (lambda: mat({"a": np.zeros(30_000_000)}, do_compression=True), "over 200 MB unpacked"),
        (lying(), "unknown type or promises more than the file holds"),
        (unknown_type(), "unknown type or promises more than the file holds"),
        (b"MATLAB 5.0 MAT-file, and then nothing", "version 5 to 7"),
        (mat({"fs": 3.0}), "none of 'fs' is an array"),
        (mat({"a": [np.array([1.0, 2]), np.ones((3, 4))]}), "cell 2"),
    ],
)
def test_refused(data: bytes | Callable[[], bytes], part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part) as caught:
        table(data() if callable(data) else data, "bad.mat")
    assert str(caught.value).startswith("bad.mat: ")
    assert "\n" not in str(caught.value)
