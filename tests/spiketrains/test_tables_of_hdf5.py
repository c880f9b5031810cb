"""HDF5 files of any kind, and NWB, as tables."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Any

import h5py
import numpy as np
import pytest
from table_files import hdf5, nwb, table, values

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.readers.nwb_table import with_times
from spike2pop_nb.spiketrains.table import Table


def test_sonata() -> None:
    def fill(file: h5py.File) -> None:
        file.attrs["version"] = "0.1"
        group = file.create_group("spikes/cortex")
        group["timestamps"] = [1.0, 20, 30]
        group["timestamps"].attrs["units"] = "milliseconds"
        group["node_ids"] = np.array([4, 4, 7], dtype=np.uint64)

    found = table(hdf5(fill), "spikes.h5")
    assert (found.format, found.facts, found.roles) == ("HDF5", {"version": "0.1"}, {})
    assert values(found) == {"spikes/cortex/node_ids": [4, 4, 7], "spikes/cortex/timestamps": [1, 20, 30]}
    assert found.column("spikes/cortex/timestamps").unit == "milliseconds"
    assert found.column("spikes/cortex/node_ids").integers


def test_all_kinds_of_datasets() -> None:
    def fill(file: h5py.File) -> None:
        file["fs"] = 30_000.0
        file["fs"].attrs["of"] = "probe"
        file["note"] = "x"
        file["names"] = ["PD", "LP"]
        file["fixed"] = np.array([b"a", b"bc"])
        file["events"] = np.array([(1, 0.5), (2, 0.7)], dtype=[("id", "i4"), ("t", "f8")])
        rows = file.create_dataset("rows", (2,), h5py.vlen_dtype(np.int32))
        rows[0], rows[1] = [1, 2], [3]
        file["matrix"] = np.ones((2, 3))
        file["cube"] = np.ones((2, 3, 2))
        file["flags"] = [True, False]
        file["reference"] = file["names"].ref
        file["nothing"] = h5py.Empty("f8")
        file["again"] = h5py.SoftLink("/names")
        file["loop"] = h5py.SoftLink("/")

    found = table(hdf5(fill))
    assert values(found) == {
        "names": ["PD", "LP"],
        "fixed": ["a", "bc"],
        "events/id": [1, 2],
        "events/t": [0.5, 0.7],
        "rows": [[1, 2], [3]],
        "matrix": [[1, 1, 1], [1, 1, 1]],
    }
    assert found.facts == {"fs": 30_000, "fs/of": "probe", "note": "x"}
    assert found.column("rows").integers
    assert found.skipped == [
        "'cube', which has 3 dimensions",
        "'flags', 'reference', which holds no real numbers",
    ]


def test_raw_data_before_the_spikes() -> None:
    def fill(file: h5py.File) -> None:
        file.create_dataset("a_raw", (10**8,), "i2", chunks=(10**5,), compression="gzip")
        file["spikes"] = [1.0, 2]

    found = table(hdf5(fill))
    assert values(found) == {"spikes": [1, 2]}
    assert found.skipped == ["'a_raw', whose 100,000,000 entries are more than is read"]


def test_files_that_point_elsewhere_or_unpack_to_too_much(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    secret.write_bytes(hdf5(lambda file: file.create_dataset("t", data=[1.0, 2, 3])))

    def link(file: h5py.File) -> None:
        file["t"] = h5py.ExternalLink(str(secret), "/t")

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(secret), "t", (3,))
        file.create_virtual_dataset("t", layout)

    raw = tmp_path / "raw.h5"
    with h5py.File(raw, "w") as file:
        file.create_dataset("t", (3,), "f8", external=[(str(secret), 0, 24)])
    for source in (hdf5(link), hdf5(virtual), raw):
        assert "'t' lies in another file" in refusal(source)

    def blocks(file: h5py.File) -> None:
        file.create_dataset("t", (3,), "f8", chunks=(10**8,), maxshape=(None,), compression="gzip")

    assert "packed in blocks of over 200 MB" in refusal(hdf5(blocks))

    def large(file: h5py.File) -> None:
        file.create_dataset("t", (10**9,), "f8", chunks=(10**6,), compression="gzip")

    assert "1,000,000,000 entries" in refusal(hdf5(large))


def refusal(source: bytes | Path) -> str:
    with pytest.raises(SpikeTrainError) as caught:
        table(source, "x.h5")
    sentence = str(caught.value)
    assert sentence.startswith(f"{source.name if isinstance(source, Path) else 'x.h5'}: ")
    assert "\n" not in sentence
    return sentence


def roles(found: Table) -> dict[str, Any]:
    columns = values(found)
    return {role: columns[name] for role, name in found.roles.items()}


def test_nwb(tmp_path: Path) -> None:
    found = table(nwb(tmp_path / "a.nwb", unit_name=["PD", "LP", "PY"], quality=["good", "noise", "mua"]))
    assert (found.format, found.labels) == ("NWB", {"quality": "units/quality"})
    assert roles(found) == {
        "time": [[1, 2.5, 25], [2, 2.5, 25], [3, 2.5, 25]],
        "id": ["PD", "LP", "PY"],
        "window": [[0, 30], [0, 10], [0, 30]],
    }
    assert values(found)["units/quality"] == ["good", "noise", "mua"]
    assert found.column("units/spike_times").unit == "s"
    assert "2 trains observed in several intervals" in found.cautions[0]


def test_nwb_ids(tmp_path: Path) -> None:
    assert roles(table(nwb(tmp_path / "a.nwb", cluster_id=[5, 5, 6])))["id"] == [10, 11, 12]
    assert roles(table(nwb(tmp_path / "a.nwb", cluster_id=[5, 4, 6])))["id"] == [5, 4, 6]


def test_nwb_with_several_tables_of_units(tmp_path: Path) -> None:
    name = "processing/ecephys/sorted_units/spike_times"
    both = table(nwb(tmp_path / "a.nwb", sorted_units=True))
    assert both.roles["time"] == "units/spike_times"
    assert any(f"'{name}' can be chosen" in text for text in both.cautions)
    assert roles(with_times(both, name)) == {"time": [[5, 6]], "id": [0]}
    only = table(nwb(tmp_path / "a.nwb", units=False, sorted_units=True))
    assert only.roles["time"] == name
    assert only.cautions == []


def test_nwb_without_units(tmp_path: Path) -> None:
    assert "no units table" in refusal(nwb(tmp_path / "a.nwb", units=False))


def test_an_index_that_does_not_fit(tmp_path: Path) -> None:
    nwb(tmp_path / "a.nwb")
    with h5py.File(tmp_path / "a.nwb", "r+") as file:
        file["units/spike_times_index"][...] = [3, 2, 9]
    assert "does not fit" in refusal(tmp_path / "a.nwb")


def test_a_file_that_never_ends() -> None:
    path = Path(__file__).parents[3] / "shared" / "cases" / "41_faults_found_by_fuzz" / "hang_a.nwb"
    if not path.exists():
        pytest.skip("the file is not here")
    before = monotonic()
    assert "took over 1 s" in refusal(path)
    assert monotonic() - before < 20
