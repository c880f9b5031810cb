"""NWB, MATLAB 7.3 and the formats of neo: files written by the formats' own libraries, and damaged ones."""

from __future__ import annotations

import builtins
import io
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import neo
import numpy as np
import pytest
import quantities as pq
from neo.rawio import neuroexplorerrawio, plexonrawio
from pynwb import NWBHDF5IO, NWBFile

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains
from spike2pop_nb.spiketrains.readers import neo_table, sandbox

OBSERVED = [[0.0, 10.0], [20.0, 30.0]]


def nwb(path: Path, *, units: bool = True, **columns: list[Any]) -> bytes:
    content = NWBFile("a test", "id", datetime(2024, 1, 1, tzinfo=UTC))
    for name in columns:
        content.add_unit_column(name, "a column")
    for k in range(3 * units):
        values = {name: values[k] for name, values in columns.items()}
        content.add_unit(
            id=10 + k, spike_times=[1.0 + k, 2.5, 25.0], obs_intervals=OBSERVED[: 2 - k % 2], **values
        )
    with NWBHDF5IO(path, "w") as stream:
        stream.write(content)
    return path.read_bytes()


def hdf5(**datasets: Any) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name, values in datasets.items():
            file[name] = values
    return stream.getvalue()


def refusal(source: bytes | Path, name: str) -> str:
    with pytest.raises(SpikeTrainError) as caught:
        read_spike_trains(source, filename=name)
    sentence = str(caught.value)
    assert sentence.startswith(name)
    assert "\n" not in sentence
    return sentence


def test_nwb_units(tmp_path: Path) -> None:
    data = nwb(tmp_path / "a.nwb", unit_name=["PD", "LP", "PY"], quality=["good", "noise", "mua"])
    for source in (data, tmp_path / "a.nwb"):
        recordings = read_spike_trains(source, filename="a.nwb")
        assert recordings.ids == ["PD", "PY"]
        assert recordings[0].times_ms.tolist() == [1000, 2500, 25_000]
        assert recordings[0].window_ms == (0, 30_000)
        report = recordings.report
        assert (report.format, report.unit, report.columns["id"]) == ("NWB", "s", "unit_name")
        assert report.labels == {"PD": {"quality": "good"}, "PY": {"quality": "mua"}}
        assert report.skipped == ("1 unit labelled noise, 'LP'",)
        assert "several intervals" in " ".join(report.cautions)


def test_nwb_ids_and_a_window_that_does_not_hold_the_spikes(tmp_path: Path) -> None:
    recordings = read_spike_trains(nwb(tmp_path / "a.nwb", cluster_id=[5, 5, 6]))
    assert recordings.ids == ["10", "11", "12"]
    assert recordings[1].window_ms is None
    assert "outside the time" in " ".join(recordings.report.cautions)


def test_nwb_without_units(tmp_path: Path) -> None:
    assert "no units table" in refusal(nwb(tmp_path / "a.nwb", units=False), "a.nwb")


def test_damaged_hdf5(tmp_path: Path) -> None:
    data = nwb(tmp_path / "a.nwb")
    for length in (9, 600, len(data) // 2, len(data) - 1):
        assert "damaged or cut short" in refusal(data[:length], "a.nwb")
    rng = np.random.default_rng(0)
    for _ in range(15):
        broken = bytearray(data)
        for _ in range(200):
            broken[rng.integers(100, len(broken))] = rng.integers(256)
        try:
            read_spike_trains(bytes(broken), filename="a.nwb")
        except SpikeTrainError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_hdf5_that_reaches_for_other_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    secret.write_bytes(hdf5(t=[1.0, 2, 3]))
    external = io.BytesIO()
    with h5py.File(external, "w") as file:
        file["t"] = h5py.ExternalLink(str(secret), "/t")
    raw = tmp_path / "raw.h5"
    with h5py.File(raw, "w") as file:
        file.create_dataset("t", (3,), "f8", external=[(str(secret), 0, 24)])
    virtual = io.BytesIO()
    with h5py.File(virtual, "w") as file:
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(secret), "t", (3,))
        file.create_virtual_dataset("t", layout)
    for source in (external.getvalue(), raw, virtual.getvalue()):
        assert "'t' lies in another file" in refusal(source, "x.mat")


def test_hdf5_that_unpacks_to_too_much() -> None:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("t", (10**9,), "f8", chunks=(10**6,), compression="gzip")
        file["t"].attrs["MATLAB_class"] = np.bytes_("double")
    assert "1,000,000,000 entries" in refusal(stream.getvalue(), "x.mat")
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("t", (3,), "f8", chunks=(10**8,), maxshape=(None,), compression="gzip")
    assert "packed in blocks of over 200 MB" in refusal(stream.getvalue(), "x.mat")


def test_other_hdf5() -> None:
    assert read_spike_trains(hdf5(t_ms=[1.0, 2, 30])).ids == ["t_ms"]
    assert "none of 'a', 'b'" in refusal(hdf5(a=[3.0, 1, 2], b=[5.0, 5, 5]), "x.h5")


def matlab(path: Path, fill: Any) -> Path:
    with h5py.File(path, "w", userblock_size=512) as file:
        fill(file)
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, made by hand".ljust(124) + b"\x00\x02IM")
    return path


def as_class(item: Any, kind: str) -> Any:
    item.attrs["MATLAB_class"] = np.bytes_(kind)
    return item


def test_matlab_73_array_and_cells(tmp_path: Path) -> None:
    def arrays(file: h5py.File) -> None:
        as_class(file.create_dataset("t_ms", data=[[1.0, 20, 30]]), "double")
        as_class(file.create_dataset("note", data=np.array([[104], [105]], dtype=np.uint16)), "char")

    recordings = read_spike_trains(matlab(tmp_path / "rec.mat", arrays))
    assert recordings[0].times_ms.tolist() == [1, 20, 30]
    assert recordings.report.unit_reason == "ms, as the name of the array says"

    def cells(file: h5py.File) -> None:
        for k, times in enumerate(([1.0, 20], [5.0, 7, 60])):
            as_class(file.create_dataset(f"#refs#/{k}", data=np.array([times]).T), "double")
        references = np.array([[file["#refs#/0"].ref], [file["#refs#/1"].ref]], dtype=h5py.ref_dtype)
        as_class(file.create_dataset("spikes", data=references), "cell")
        as_class(file.create_group("data"), "struct")["spike_times"] = references

    path = matlab(tmp_path / "cells.mat", cells)
    recordings = read_spike_trains(path, time_column="spikes")
    assert [train.times_ms.tolist() for train in recordings] == [[1, 20], [5, 7, 60]]
    assert len(read_spike_trains(path, time_column="data")) == 2
    assert "damaged or cut short" in refusal(path.read_bytes()[:1500], "cells.mat")


def nix(path: Path) -> bytes:
    block, segment = neo.Block(), neo.Segment()
    block.segments.append(segment)
    for times, name in (([1, 20, 300], "PD"), ([100.0, 200], "LP"), ([], "silent")):
        segment.spiketrains.append(neo.SpikeTrain(times * pq.ms, t_stop=400 * pq.ms, name=name))
    writer = neo.io.NixIO(str(path), "ow")
    writer.write_block(block)
    writer.close()
    return path.read_bytes()


def test_nix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = nix(tmp_path / "rec.nix")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))  # its own: others may be at work
    for source in (data, tmp_path / "rec.nix"):
        recordings = read_spike_trains(source, filename="rec.h5")
        assert {train.id: train.times_ms.tolist() for train in recordings} == {
            "PD": pytest.approx([1, 20, 300]), "LP": pytest.approx([100, 200]), "silent": []
        }  # fmt: skip
        assert recordings[0].window_ms == (0, 400)
        assert recordings.report.format == "NIX"
    assert not list((tmp_path / "temporary").iterdir())


def header(layout: Any, **values: Any) -> bytes:
    entry = np.zeros(1, dtype=layout)
    for name, value in values.items():
        entry[name] = value
    return entry.tobytes()


def test_neuroexplorer() -> None:
    """A NEX file, built from the layout that neo states: 544 bytes, 208 bytes per variable, then times."""
    trains = {"PD": [40, 800, 1200], "LP": [400, 40_000]}
    start = 544 + 208 * len(trains)
    data = header(
        neuroexplorerrawio.GlobalHeader, signature=b"NEX1", version=104, freq=40_000, tend=80_000, nvar=2
    ).ljust(544, b"\0")
    for name, times in trains.items():
        variable = header(neuroexplorerrawio.EntityHeader, name=name.encode(), offset=start, n=len(times))
        data += variable.ljust(208, b"\0")
        start += 4 * len(times)
    data += b"".join(np.array(times, dtype="<i4").tobytes() for times in trains.values())
    recordings = read_spike_trains(data, filename="../rec.NEX")
    assert {train.id: train.times_ms.tolist() for train in recordings} == {
        "PD": [1, 20, 30],
        "LP": [10, 1000],
    }
    assert recordings.report.format == "NeuroExplorer"
    assert "neo" in refusal(data[:700], "rec.nex")


def plx() -> bytes:
    """A Plexon file with two units sorted from one electrode, built from the layout that neo states."""
    data = header(
        plexonrawio.GlobalHeader, MagicNumber=0x58454C50, Version=106, ADFrequency=40_000, NumDSPChannels=1,
        WaveformFreq=40_000, Year=2024, Month=1, Day=1, SpikeMaxMagnitudeMV=3000, BitsPerSpikeSample=12,
        SpikePreAmpGain=1000,
    )  # fmt: skip
    data += header(plexonrawio.DspChannelHeader, Name=b"sig001", Channel=1, Gain=1)
    for time, unit in ((40, 1), (80, 2), (800, 1), (1200, 2)):
        block = {"Type": 1, "TimeStamp": time, "Channel": 1, "Unit": unit}
        data += header(plexonrawio.DataBlockHeader, NumberOfWaveforms=1, NumberOfWordsInWaveform=8, **block)
        data += bytes(16)
    return data


def test_plexon(monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = read_spike_trains(plx(), filename="rec.plx")
    assert {train.id: train.times_ms.tolist() for train in recordings} == {
        "sig001 ch1#1": [1, 20], "sig001 ch1#2": [2, 30]
    }  # fmt: skip
    monkeypatch.setattr(sandbox, "MAX_LIBRARY_SECONDS", 0.01)
    assert "took over" in refusal(plx(), "rec.plx")


@pytest.mark.parametrize("suffix", sorted(neo_table.NEO_READERS))
def test_rubbish_that_claims_to_be_a_format_of_neo(suffix: str) -> None:
    data = b"ABF2" + bytes(range(256)) * 20
    assert re.search(r"neo|damaged|holds no", refusal(data, f"recording{suffix}"))


def test_readers_that_unpickle_or_evaluate_are_not_used() -> None:
    names = {reader.name for reader in neo_table.NEO_READERS.values()}
    assert names <= {reader.__name__ for reader in neo.io.iolist}
    assert not names & {"PickleIO", "ElphyIO", "NeoMatlabIO", "NeurosharectypesIO", "Plexon2IO", "ExampleIO"}


@pytest.mark.parametrize(("library", "name"), [("h5py", "x.nwb"), ("neo", "x.plx")])
def test_a_library_that_is_missing(
    library: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = nwb(tmp_path / name) if name.endswith("nwb") else plx()
    real = builtins.__import__

    def without(wanted: str, *rest: Any, **more: Any) -> Any:
        if wanted.split(".")[0] == library:
            raise ImportError
        return real(wanted, *rest, **more)

    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setattr(builtins, "__import__", without)
    sentence = refusal(data, name)
    assert library in sentence
    assert 'pip install "spike2pop-nb[io]"' in sentence


def test_the_libraries_are_imported_only_when_needed() -> None:
    code = (
        "import sys, spike2pop_nb.spiketrains; print(*{'h5py', 'neo', 'nixio', 'pynwb'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
