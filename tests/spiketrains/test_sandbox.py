"""The process in which binary files are parsed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from table_files import hdf5

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.readers import sandbox
from spike2pop_nb.spiketrains.readers.raw import Source
from spike2pop_nb.spiketrains.readers.sandbox import Parser, parsed, require
from spike2pop_nb.spiketrains.table import Column, Table

HDF5 = Parser(f"{sandbox.__package__}.hdf5_table", "parse_hdf5", "HDF5 file", ("h5py",), "it is damaged.")
SOURCE = Source("a.h5", hdf5(lambda file: file.create_dataset("t", data=[1.0, 2])))


def everything(source: Source) -> Table:
    """A parser for these tests; the process finds it by its name."""
    kind = source.contents().decode()
    if kind == "crash":
        import ctypes

        ctypes.string_at(0)
    if kind == "loop":
        sum(range(10**12))
    if kind == "memory":
        np.zeros(10**11, dtype=np.uint8)[::4096] += 1
    if kind == "error":
        raise KeyError("no such thing")
    if kind == "sentence":
        raise source.error("this is why.")
    columns = [
        Column("numbers", np.array([1.5, np.nan])),
        Column("", np.array(["é", ""])),
        Column("matrix", np.ones((2, 3)), "s"),
        Column("lists", [np.array([1.0]), np.empty(0), np.array([2.0, 3])], "ms", integers=True),
        Column("none", []),
    ]
    facts: dict[str, float | str] = {"fs": 3.0, "nan": float("nan"), "note": "\udc80"}
    return Table(
        "X", columns, facts, ["c"], False, False, {"time": "lists"}, {"a": "b"}, "r", ["1"], ["2"], ["3"]
    )


def ask(kind: str, monkeypatch: pytest.MonkeyPatch) -> Table:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    parser = Parser("test_sandbox", "everything", "test file", (), "it is damaged.")
    return parsed(Source("ü.bin", kind.encode()), parser)


def test_a_table_comes_out_as_it_went_in(monkeypatch: pytest.MonkeyPatch) -> None:
    found, given = ask("", monkeypatch), everything(Source("", b""))
    for column, before in zip(found.columns, given.columns, strict=True):
        assert (column.name, column.unit, column.integers) == (before.name, before.unit, before.integers)
        assert column.kind == before.kind
        assert len(column) == len(before)
        for one, other in zip(column.values, before.values, strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_equal(found.facts, given.facts)
    found.columns, found.facts = given.columns, given.facts
    assert found == given


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("crash", "it is damaged"),
        ("loop", r"reading this test file took over 1 s, so it is damaged or too large"),
        ("error", "it is damaged"),
        ("sentence", "this is why"),
        pytest.param(
            "memory",
            "the file needs more memory than is available",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory so"),
        ),
    ],
)
def test_whatever_happens_it_is_one_sentence(
    kind: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SpikeTrainError, match=f"^ü.bin: {part}"):
        ask(kind, monkeypatch)
    assert not list(tmp_path.iterdir())


def test_time_allowed() -> None:
    assert HDF5.allowed(8000) < 1.1
    assert HDF5.allowed(50_000_000) == 101
    assert HDF5.allowed(4_000_000_000) == 180


def test_a_file_on_disk_is_read_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(SOURCE.data)
    assert parsed(Source("b.h5", SOURCE.data[:10], path), HDF5).columns[0].values.tolist() == [1, 2]


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    require("numpy", "arrays", SOURCE)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(SpikeTrainError, match=r'a.h5: HDF5 .*h5py.*pip install "spike2pop-nb\[io\]"'):
        require("h5py", "HDF5 files", SOURCE)


def test_the_process_starts_lean() -> None:
    """What takes long to import stays out of it."""
    worker = sandbox._WORKER
    code = (
        f"import runpy, sys; runpy.run_path({str(worker)!r})['_bare_package']();"
        "import spike2pop_nb.spiketrains.readers.hdf5_table;"
        "print(*{'pandas', 'torch', 'numba', 'scipy', 'matplotlib', 'neo'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
