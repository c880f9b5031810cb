"""NPY, NPZ, Phy, Kilosort and SpikeInterface as tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from table_files import npy, npz, phy, table, values, zipped

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.readers import sorting_table
from spike2pop_nb.spiketrains.readers.formats import read_binary
from spike2pop_nb.spiketrains.readers.raw import Source
from spike2pop_nb.spiketrains.readers.sorting_table import grouped


def test_npy() -> None:
    found = table(npy([[1.0], [20.5], [np.nan]]))
    assert (found.format, found.named) == ("NPY", False)
    np.testing.assert_array_equal(found.columns[0].values, [1, 20.5, np.nan])
    assert table(npy(np.arange(6, dtype=np.int16).reshape(2, 3))).columns[0].kind == "matrix"
    assert table(npy([3, 4])).columns[0].integers
    assert not table(npy([3.0, 4])).columns[0].integers
    fields = table(
        npy(np.array([(7, 0.5, "a"), (8, 1.5, "b")], dtype=[("id", "i4"), ("t", "f4"), ("q", "U1")]))
    )
    assert values(fields) == {"id": [7, 8], "t": [0.5, 1.5], "q": ["a", "b"]}
    assert fields.named
    delta = table(npy(np.array([1, 20, "NaT"], dtype="m8[us]"))).columns[0]
    assert delta.unit == "us"
    assert delta.values[:2].tolist() == [1, 20]
    assert np.isnan(delta.values[2])


def test_npz() -> None:
    objects = np.empty(1, dtype=object)
    objects[0] = {"a": 1}
    found = table(
        npz(
            t=[1.0, 20, 30], unit=np.array(["a", "b", "a"]), fs=30_000.0, rate=[10], note="x", words=["y"],
            meta=objects, mask=[True, False], cube=np.zeros((2, 2, 2)), empty=[],
        )
    )  # fmt: skip
    assert values(found) == {"t": [1, 20, 30], "unit": ["a", "b", "a"], "rate": [10], "empty": []}
    assert found.facts == {"fs": 30_000, "rate": 10, "note": "x", "words": "y"}
    assert found.skipped == [
        "'meta', which holds Python objects (a pickle), which are never loaded",
        "'mask', which holds no real numbers",
        "'cube', which has 3 dimensions",
    ]


def test_too_large_an_array_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spike2pop_nb.spiketrains.readers.builder.MAX_CELLS", 100)
    found = table(npz(raw=np.zeros(90), more=np.zeros(20), t=[1.0, 2]))
    assert list(values(found)) == ["raw", "t"]
    assert found.skipped == ["'more', whose 20 entries are more than is read"]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (npy(["a", None], allow_pickle=True), "never loaded"),
        (npy([1 + 2j]), "real numbers"),
        (npy([True]), "real numbers"),
        (npy(5.0), "0 dimensions"),
        (npy(np.zeros((2, 2, 2))), "3 dimensions"),
        (npy([1.0, 2])[:-4], "cut short"),
        (npy(np.zeros(3, dtype="V0")), "no length"),
        (npz(a=np.array(["x", {}], dtype=object)), "holds nothing.*'a'.*never loaded"),
        (npz(fs=1.0), "none of 'fs' is an array"),
        (zipped({"content.xml": ""}), "OpenDocument"),
        (b"\x80\x04\x95\x00", "pickle"),
        (b"\x1f\x8b\x08", "compressed"),
    ],
)
def test_refused(data: bytes, part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part) as caught:
        table(data, "bad.bin")
    assert str(caught.value).startswith("bad.bin: ")


def test_text_is_not_binary() -> None:
    for data in (b"", b"1,2,3\n", b"\xff\xfe1\x00"):
        assert read_binary(Source("a.csv", data)) is None


def test_pynapple() -> None:
    metadata = np.empty(1, dtype=object)
    metadata[0] = {}
    found = table(
        npz(
            type=np.array(["TsGroup"]), _metadata=metadata, t=[0.1, 0.2, 0.3, 0.4], index=[5, 1, 1, 5],
            keys=[1, 5, 6], start=[0.0, 0.25], end=[0.22, 1.0],
        )
    )  # fmt: skip
    assert (found.format, found.roles) == ("pynapple", {"time": "t", "id": "keys", "window": "support"})
    assert values(found) == {"t": [[0.2, 0.3], [0.1, 0.4], []], "keys": [1, 5, 6], "support": [[0, 1]] * 3}
    assert found.column("t").unit == "s"
    assert "2 epochs" in found.cautions[0]
    single = table(npz(type=np.array(["Ts"]), t=[0.1, 0.2], start=[0.0], end=[1.0]))
    assert values(single) == {"t": [[0.1, 0.2]], "support": [[0, 1]]}
    with pytest.raises(SpikeTrainError, match="do not match"):
        table(npz(type=["TsGroup"], t=[0.1], index=[2], keys=[1], start=[0.0], end=[1.0]))


def test_phy_zipped_and_on_disk(tmp_path: Path) -> None:
    files = phy(cluster_KSLabel__tsv="cluster_id\tKSLabel\n2\tmua\n7\tgood\n")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    for found in (
        table(tmp_path),
        table(zipped({f"a/{name}": text for name, text in files.items()}), "a.zip"),
    ):
        assert values(found) == {
            "spike_times.npy": [[2000, 4000, 9000], [2500], [100, 6000]],
            "spike_clusters.npy": [2, 3, 7],
            "group": ["good", "noise", "mua"],
            "KSLabel": ["mua", "", "good"],
        }
        assert found.facts == {"params.py/sample_rate": 20_000}
        assert found.roles == {"time": "spike_times.npy", "id": "spike_clusters.npy"}
        assert found.labels == {"group": "group", "KSLabel": "KSLabel"}
        assert found.column("spike_times.npy").unit == "samples"
    assert values(table(tmp_path, only=lambda name: name != "2"))["spike_times.npy"] == [[2500], [100, 6000]]
    assert values(table(tmp_path, only=lambda name: False))["spike_times.npy"] == []


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_labels_of_phy_1(delimiter: str) -> None:
    old = f"cluster_id{delimiter}group\n2{delimiter}good\n3{delimiter}noise\n"
    found = table(zipped(phy(cluster_group__tsv=None, cluster_groups__csv=old)), "a.zip")
    assert values(found)["group"] == ["good", "noise", ""]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"params__py": None}, "'params.py' is missing.*sample_rate = 30000"),
        ({"params__py": "sample_rate = 1e400"}, "sampling rate in Hz"),
        ({"spike_clusters__npy": npy([1, 2])}, "6 entries.*has 2"),
        ({"spike_clusters__npy": npy([1, 2, 3, 4, 5, -1])}, "cluster -1"),
        ({"spike_clusters__npy": npy([1, 2, 3, 4, 5, 10**9])}, "cluster 1000000000"),
        ({"spike_times__npy": npy([0.5] * 6)}, "whole numbers"),
        ({"spike_times__npy": npy([np.nan] * 6)}, "whole numbers"),
    ],
)
def test_phy_folders_that_lack_something(changes: dict[str, Any], part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part):
        table(zipped(phy(**changes)), "sorted.zip")


def test_spikes_are_parted_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting_table, "BLOCK", 7)
    rng = np.random.default_rng(0)
    labels, times = rng.integers(5, size=100).astype(np.int32), np.arange(100)
    for wanted in ([0, 1, 2, 3, 4, 5], [4, 1], []):
        found = grouped(times, labels, wanted, 6)
        assert [row.tolist() for row in found] == [times[labels == k].tolist() for k in wanted]


def test_spikeinterface(tmp_path: Path) -> None:
    found = table(
        npz(
            unit_ids=["a", "b", "silent"],
            num_segment=np.array([2]),
            sampling_frequency=np.array([10_000.0]),
            spike_indexes_seg0=np.array([100, 200, 350]),
            spike_labels_seg0=np.array(["a", "b", "a"]),
            spike_indexes_seg1=np.array([50]),
            spike_labels_seg1=np.array(["b"]),
        )
    )
    assert values(found) == {
        "spike_indexes": [[100, 350], [200], [], [], [50], []],
        "unit_ids": ["a", "b", "silent"] * 2,
        "segment": [0, 0, 0, 1, 1, 1],
    }
    assert found.roles == {"time": "spike_indexes", "id": "unit_ids", "segment": "segment"}
    fields = [("sample_index", "int64"), ("unit_index", "int64"), ("segment_index", "int64")]
    (tmp_path / "spikes.npy").write_bytes(
        npy(np.array([(100, 1, 0), (200, 0, 0), (350, 1, 0)], dtype=fields))
    )
    info = {"sampling_frequency": 10_000.0, "unit_ids": [4, 9], "num_segments": 1}
    (tmp_path / "numpysorting_info.json").write_text(json.dumps(info))
    assert values(table(tmp_path, only="9".__eq__)) == {"spike_indexes": [[100, 350]], "unit_ids": ["9"]}
