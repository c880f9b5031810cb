"""NPY, NPZ and MAT files, well and badly made."""

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

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains

SHARED = Path(__file__).parents[3] / "shared" / "examples"


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def mat(**variables: Any) -> bytes:
    stream = io.BytesIO()
    savemat(stream, variables, do_compression=True)
    return stream.getvalue()


def cells(*trains: Any) -> np.ndarray:
    array = np.empty(len(trains), dtype=object)
    for k, train in enumerate(trains):
        array[k] = np.asarray(train, dtype=float)
    return array


def times(data: bytes, name: str = "file", **options: Any) -> dict[str, list[float]]:
    return {train.id: train.times_ms.tolist() for train in read_spike_trains(data, filename=name, **options)}


def test_one_dimension_is_one_train() -> None:
    assert times(npy([1.5, 20, 30]), "cell.npy") == {"cell": [1.5, 20, 30]}
    assert times(npy(np.array([[1], [20], [30]])), "cell.npy") == {"cell": [1, 20, 30]}
    assert times(npy(np.arange(3, dtype=np.float32) * 50)) == {"file": [0, 50, 100]}
    assert times(npy(np.empty(0))) == {"file": []}


def test_two_columns_are_id_and_time() -> None:
    table = np.array([[2, 5.0], [2, 30], [1, 7], [1, 60.5], [2, 90]])
    assert times(npy(table)) == {"2": [5, 30, 90], "1": [7, 60.5]}
    assert times(npy(table.T)) == {"2": [5, 30, 90], "1": [7, 60.5]}
    assert times(npy(table[:, ::-1])) == {"2": [5, 30, 90], "1": [7, 60.5]}


def test_rows_filled_up_with_nan() -> None:
    table = np.array([[1.0, 5, np.nan], [1, 30, 50], [np.nan] * 3])
    recordings = read_spike_trains(npy(table))
    assert [train.times_ms.tolist() for train in recordings] == [[1, 5], [1, 30, 50], []]
    assert any("NaN" in text for text in recordings.report.skipped)
    assert times(npy(table.T)) == times(npy(table))


def test_layout_overrides_the_guess() -> None:
    table = np.array([[1.0, 50], [1, 80], [2, 20], [2, 90]])
    assert times(npy(table)) == {"1": [50, 80], "2": [20, 90]}
    assert len(times(npy(table), layout="rows")) == 4
    with pytest.raises(SpikeTrainError, match="cannot hold lists"):
        read_spike_trains(npy(table), layout="list")


def test_npz_has_a_train_per_array() -> None:
    data = npz(PD=[1.0, 20, 50], LP=[], fs=30_000.0)
    recordings = read_spike_trains(data)
    assert times(data) == {"PD": [1, 20, 50], "LP": []}
    assert any("'fs'" in text for text in recordings.report.skipped)


def test_npz_with_ids_beside_times() -> None:
    data = npz(spike_times_s=[0.1, 0.2, 0.5], spike_clusters=[7, 8, 7])
    assert times(data) == {"7": [100, 500], "8": [200]}
    assert read_spike_trains(data).report.columns == {"id": "spike_clusters", "time": "spike_times_s"}


def test_npz_array_chosen_by_name() -> None:
    data = npz(a=[1.0, 20], b=[2.0, 30])
    assert times(data, time_column="b") == {"b": [2, 30]}
    with pytest.raises(SpikeTrainError, match="no array 'c'"):
        read_spike_trains(data, time_column="c")


def test_mat_with_units_and_times() -> None:
    rng = np.random.default_rng(121)
    counts = rng.integers(20, 400, 121)
    spikes = np.column_stack([np.repeat(np.arange(1, 122), counts), rng.uniform(0, 123, counts.sum())])
    spikes = spikes[np.lexsort((spikes[:, 1], spikes[:, 0]))]
    recordings = read_spike_trains(mat(spks=spikes), filename="ganglion.mat")
    assert recordings.ids == [str(unit) for unit in range(1, 122)]
    assert recordings.report.n_spikes == counts.sum()
    assert recordings.report.unit == "s"
    assert "assumed" in recordings.report.unit_reason
    for train, unit in zip(recordings, range(1, 122), strict=True):
        np.testing.assert_allclose(train.times_ms, 1000 * spikes[spikes[:, 0] == unit, 1])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings are not here")
def test_mat_of_a_real_ganglion() -> None:
    recordings = read_spike_trains(SHARED / "aplysia.mat")
    assert len(recordings) == 121
    assert recordings.report.n_spikes == 22_991
    assert recordings.report.unit == "s"
    assert "assumed" in recordings.report.unit_reason
    assert recordings.by_id("1").times_ms[0] == pytest.approx(9288.21255)


def test_mat_cells_and_structs() -> None:
    trains = cells([1, 20, 30], [], [[5], [10], [60]])
    expected = {"1": [1, 20, 30], "2": [], "3": [5, 10, 60]}
    assert times(mat(spikes=trains)) == expected
    assert times(mat(data={"spike_times": trains, "fs": 3})) == expected
    entries = np.array([(7, np.array([0.1, 0.2])), (9, np.array([0.3]))], dtype=[("id", "O"), ("times", "O")])
    assert times(mat(units=entries)) == {"7": [100, 200], "9": [300]}


def test_mat_arrays_and_what_else_is_in_the_file() -> None:
    data = mat(fs=30_000.0, t_ms=[1.0, 20, 30], note="x")
    recordings = read_spike_trains(data, filename="rec.mat")
    assert times(data, "rec.mat") == {"rec": [1, 20, 30]}
    assert recordings.report.unit_reason.startswith("ms, as the name")
    assert "'fs'" in " ".join(recordings.report.skipped)
    assert "'note'" in " ".join(recordings.report.skipped)
    assert times(mat(a=[1.0, 20], b=[2.0, 30])) == {"a": [1, 20], "b": [2, 30]}


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (npy(np.array([[1], [2, 3]], dtype=object), allow_pickle=True), "never loaded"),
        (npy(["a", "b"]), "real numbers"),
        (npy([1 + 2j]), "real numbers"),
        (npy([True, False]), "real numbers"),
        (npy(np.zeros((2, 2, 2))), "dimensions"),
        (npy(5.0), "dimensions"),
        (npy([1.0, np.nan, 3]), "value 2.*nan.*finite"),
        (npy([[1.0, np.nan, 3], [4, 5, 6]]), "row 1.*finite"),
        (npy([1.0, np.inf]), "finite"),
        (npy([1.0, 1e12]), r"1e\+12"),
        (lambda: npy(np.arange(3_000_000, dtype=np.float32)), "2,000,000 spikes"),
        (npy(np.eye(20)), "binned"),
        (npy(np.random.default_rng(0).normal(size=(5, 200))), "neither along"),
        (npy(np.array([(1, 2.0)], dtype=[("a", int), ("b", float)])), "none of 'a', 'b'"),
        (npy([1.0, 2])[:-4], "cut short"),
        (b"\x93NUMPY\x01\x00\x10\x00garbage", "damaged"),
        (b"\x93NUMPY\x09\x00\x10\x00garbage", "version"),
        (lambda: npz(a=np.zeros(30_000_000)), "240 MB unpacked"),
        (npz(a=np.array([[1], [2, 3]], dtype=object)), "never loaded"),
        (lambda: npz(**{f"a{k}": [1.0] for k in range(10_001)}), "10,000 trains"),
        (npz(a=[1.0, 2])[:-30], "damaged archive"),
        (b"PK\x03\x04rubbish", "damaged archive"),
        (mat(a="hello"), "none of 'a'"),
        (mat(a=cells([1.0, 2], np.ones((3, 4)))), "cell 2"),
        (lambda: mat(a=np.zeros(30_000_000)), "200 MB unpacked"),
        (mat(a=[1.0, 2])[:150], "cut short"),
        (b"MATLAB 5.0 MAT-file, and then nothing", "version 5"),
        (b"MATLAB 7.3 MAT-file" + b" " * 600, "7.3"),
        (b"\x89HDF\r\n\x1a\n" + b" " * 600, "HDF5"),
    ],
)
def test_refused(data: bytes | Callable[[], bytes], part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part) as caught:
        read_spike_trains(data() if callable(data) else data, filename="bad.bin")
    assert str(caught.value).startswith("bad.bin")
    assert "\n" not in str(caught.value)


def test_a_header_that_promises_too_much() -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117) + b"\n"
    with pytest.raises(SpikeTrainError, match="cut short"):
        read_spike_trains(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(80))
    stream = io.BytesIO()
    savemat(stream, {"spikes": cells([1.0], [2.0], [3.0])})
    lying = bytearray(stream.getvalue())
    at = lying.find(struct.pack("<ii", 1, 3))
    lying[at : at + 8] = struct.pack("<ii", 30_000, 30_000)
    with pytest.raises(SpikeTrainError, match=r"promises more than the file holds|more memory than there is"):
        read_spike_trains(bytes(lying))


@pytest.mark.parametrize("seed", range(60))
def test_damage_never_raises_anything_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    originals = [npy([1.0, 20, 30]), npz(a=[1.0, 20]), mat(a=cells([1.0], [2, 3.0])), mat(t=[1.0, 20])]
    stream = io.BytesIO()
    savemat(stream, {"a": cells([1.0], [2, 3.0]), "s": {"times": [1.0, 2]}})
    for original in [*originals, stream.getvalue()]:
        data = bytearray(original)
        for _ in range(rng.integers(1, 6)):
            data[rng.integers(8, len(data))] = rng.integers(256)
        try:
            read_spike_trains(bytes(data[: rng.integers(len(data) // 2, len(data) + 1)]))
        except SpikeTrainError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_a_mat_file_that_is_cut_short_is_refused_without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spike2pop_nb.spiketrains.readers.formats.parsed", None)
    for end in (130, -1):
        with pytest.raises(SpikeTrainError, match="the MAT file is cut short"):
            read_spike_trains(mat(t=[1.0, 20])[:end], filename="cut.mat")


def test_unknown_type_codes_in_a_mat_file_are_refused() -> None:
    stream = io.BytesIO()
    savemat(stream, {"a": np.array([1.0, 20, 30])})
    data = bytearray(stream.getvalue())
    at = data.rfind(struct.pack("<II", 9, 24))  # the tag of three doubles; SciPy crashes on a wrong code here
    data[at : at + 4] = struct.pack("<I", 999)
    with pytest.raises(SpikeTrainError, match="unknown type"):
        read_spike_trains(bytes(data))


def test_objects_and_sparse_arrays_in_a_mat_file_are_left_out() -> None:
    recordings = read_spike_trains(mat(t_ms=[1.0, 20, 30], raster=csc_array(np.eye(5))))
    assert recordings[0].times_ms.tolist() == [1, 20, 30]
    assert recordings.report.skipped == ("'raster', of kinds that hold no spike times",)
