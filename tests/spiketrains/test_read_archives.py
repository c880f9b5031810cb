"""Folders of Phy and Kilosort, SpikeInterface sortings, and archives that mean harm."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains

PARAMS = "dat_path = '../raw.dat'\nn_channels_dat = 4\nsample_rate = 20000.  # Hz\nhp_filtered = False\n"
GROUPS = "cluster_id\tgroup\n2\tgood\n3\tnoise\n7\tmua\n"


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def packed(members: dict[str, bytes | str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def phy(**changes: Any) -> dict[str, bytes | str]:
    samples = np.array([[100], [2000], [2500], [4000], [6000], [9000]], dtype=np.uint64)
    files: dict[str, Any] = {
        "spike_times.npy": npy(samples),
        "spike_clusters.npy": npy(np.array([7, 2, 3, 2, 7, 2], dtype=np.int32)),
        "params.py": PARAMS,
        "cluster_KSLabel.tsv": "cluster_id\tKSLabel\n2\tmua\n3\tgood\n7\tgood\n",
        "cluster_group.tsv": GROUPS,
        **{name.replace("__", "."): content for name, content in changes.items()},
    }
    return {name: content for name, content in files.items() if content is not None}


def refusal(data: bytes | Path, name: str = "bad.zip") -> str:
    with pytest.raises(SpikeTrainError) as caught:
        read_spike_trains(data, filename=name)
    sentence = str(caught.value)
    assert sentence.startswith(name)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("folder", ["", "recording/sorted/"])
def test_zipped_phy_folder(folder: str) -> None:
    data = packed({folder + name: content for name, content in phy().items()} | {"__MACOSX/._x": "x"})
    recordings = read_spike_trains(data, filename="sorted.zip")
    assert {train.id: train.times_ms.tolist() for train in recordings} == {
        "2": [100, 200, 450],
        "7": [5, 300],
    }
    report = recordings.report
    assert (report.format, report.unit, report.sampling_rate_hz) == ("Phy", "samples", 20_000)
    assert "20000 Hz of 'params.py" in report.unit_reason
    assert report.skipped == ("1 unit labelled noise, '3'",)
    assert "mua" in report.cautions[0]
    asked = read_spike_trains(data, filename="sorted.zip", unit="ms")
    assert asked.by_id("2").times_ms.tolist() == [2000, 4000, 9000]
    assert "ms was asked for and is used, though the file says samples" in asked.report.cautions[0]
    assert report.labels == {
        "2": {"KSLabel": "mua", "group": "good"},
        "7": {"KSLabel": "good", "group": "mua"},
    }


def test_phy_folder_on_disk(tmp_path: Path) -> None:
    for name, content in phy(cluster_group__tsv=None).items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    assert read_spike_trains(tmp_path).ids == ["2", "3", "7"]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"params__py": None}, "'params.py' is missing.*sample_rate = 30000"),
        ({"params__py": "sample_rate = __import__('os').system('true')"}, "sampling rate in Hz"),
        ({"params__py": "sample_rate = -5"}, "-5"),
        ({"params__py": "n_channels_dat = 4"}, "no line such as"),
        ({"spike_clusters__npy": None}, "'spike_clusters.npy' is missing"),
        ({"spike_clusters__npy": npy([1, 2])}, "6 entries.*has 2"),
        ({"spike_times__npy": npy([0.5] * 6)}, "whole numbers"),
        ({"spike_times__npy": npy(np.array([{}] * 6), allow_pickle=True)}, "pickle"),
        ({"cluster_group__tsv": "a\tb\n1\t2\n"}, "no column 'cluster_id'"),
        ({"cluster_group__tsv": "cluster_id\tgroup\n2\tnoise\n3\tnoise\n7\tnoise\n"}, "every cluster"),
    ],
)
def test_phy_folders_that_lack_something(changes: dict[str, Any], part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part):
        read_spike_trains(packed(phy(**changes)), filename="sorted.zip")


def test_several_sortings_in_one_archive() -> None:
    twice = {f"{k}/{name}": content for k in "ab" for name, content in phy().items()}
    assert "'a/', 'b/'" in refusal(packed(twice))


def test_an_npz_file_may_have_arrays_named_like_those_of_phy() -> None:
    stream = io.BytesIO()
    np.savez(stream, spike_times=[0.1, 0.2, 0.5], spike_clusters=[7, 8, 7])
    assert read_spike_trains(stream.getvalue(), filename="x.npz", unit="s").ids == ["7", "8"]


def test_spikeinterface_npz() -> None:
    stream = io.BytesIO()
    np.savez(
        stream,
        unit_ids=["a", "b", "silent"],
        num_segment=np.array([2]),
        sampling_frequency=np.array([10_000.0]),
        spike_indexes_seg0=np.array([100, 200, 350]),
        spike_labels_seg0=np.array(["a", "b", "a"]),
        spike_indexes_seg1=np.array([50]),
        spike_labels_seg1=np.array(["b"]),
    )
    recordings = read_spike_trains(stream.getvalue(), filename="sorting.npz")
    assert recordings.report.format == "SpikeInterface"
    assert {train.id: train.times_ms.tolist() for train in recordings} == {
        "a/0": [10, 35], "b/0": [20], "silent/0": [], "a/1": [], "b/1": [5], "silent/1": [],
    }  # fmt: skip


def test_spikeinterface_folder(tmp_path: Path) -> None:
    fields = [("sample_index", "int64"), ("unit_index", "int64"), ("segment_index", "int64")]
    spikes = npy(np.array([(100, 1, 0), (200, 0, 0), (350, 1, 0)], dtype=fields))
    info = {"sampling_frequency": 10_000.0, "unit_ids": [4, 9], "num_segments": 1}
    data = packed({"s/spikes.npy": spikes, "s/numpysorting_info.json": json.dumps(info)})
    recordings = read_spike_trains(data)
    assert {train.id: train.times_ms.tolist() for train in recordings} == {"4": [20], "9": [10, 35]}
    (tmp_path / "spikes.npy").write_bytes(spikes)
    (tmp_path / "numpysorting_info.json").write_text(json.dumps(info | {"unit_ids": [4]}))
    assert "names the unit 1, but there are 1 units" in refusal(tmp_path)
    (tmp_path / "numpysorting_info.json").write_text("[" * 100_000)
    assert "damaged" in refusal(tmp_path)


@pytest.mark.parametrize(
    "name", ["../spike_times.npy", "/etc/a.npy", "C:/a.npy", "a/../../b.npy", "..\\a.npy", "x/../"]
)
def test_names_that_lead_out_of_the_archive(name: str) -> None:
    assert repr(name) in refusal(packed({"a.npy": npy([1.0, 2]), name: npy([1.0, 2])}))


def test_bombs() -> None:
    parts = {f"{k}.bin": bytes(11_000_000) for k in range(19)}
    assert "209 MB unpacked" in refusal(packed({"a.npy": npy([1.0]), **parts}))
    assert "times its size" in refusal(packed({"a.npy": npy([1.0]), "b.bin": bytes(11_000_000)}))
    assert "another archive" in refusal(packed({"a.npy": npy([1.0]), "inner.zip": packed({"a": "b"})}))
    assert "20,001 members" in refusal(packed({str(k): "" for k in range(20_001)}))
    # A size that is stated too small does not help: no more than that is unpacked.
    lying = bytearray(packed({"a.npy": npy(np.zeros(1_000_000))}))
    size = struct.pack("<I", 8_000_128)
    for _ in range(2):
        at = lying.find(size)
        lying[at : at + 4] = struct.pack("<I", 200)
    assert "damaged" in refusal(bytes(lying))


def test_encrypted_and_rarely_packed_members() -> None:
    data = bytearray(packed({"a.npy": npy([1.0, 2])}))
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(bytes(data))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", npy([1.0, 2]))
    assert "rare method" in refusal(stream.getvalue())


def test_a_pickle_in_an_archive_is_never_loaded(tmp_path: Path) -> None:
    class Touch:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "touched",))

    objects = np.empty(1, dtype=object)
    objects[0] = Touch()
    for member in (npy(objects, allow_pickle=True), pickle.dumps(Touch())):
        refusal(packed({"a.npy": member}))
        refusal(packed(phy(spike_times__npy=member)))
    assert not (tmp_path / "touched").exists()
