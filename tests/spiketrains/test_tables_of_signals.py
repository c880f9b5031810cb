"""Voltage in NWB files and those of acquisition systems as tables."""

from __future__ import annotations

from pathlib import Path

import h5py
import neo
import numpy as np
import pytest
import quantities as pq
from table_files import hdf5

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.readers.formats import read_signals
from spike2pop_nb.spiketrains.readers.raw import Source


def acquired(file: h5py.File) -> None:
    file.attrs["nwb_version"] = "2.7.0"
    for name, unit in (("Vm", "volts"), ("irregular", "mV"), ("I", "amperes")):
        group = file.create_group(f"acquisition/{name}")
        data = group.create_dataset("data", data=np.array([-60.0, 20, -55]))
        data.attrs.update(unit=unit, conversion=0.001, offset=0.5)
        if name == "irregular":
            group["timestamps"] = [0.0, 0.1, 0.5]
        else:
            group["starting_time"] = 2.0
            group["starting_time"].attrs["rate"] = 1000.0
    file.create_group("acquisition/LFP")


def test_nwb() -> None:
    found = read_signals(Source("a.nwb", hdf5(acquired)))
    assert found is not None
    signals, stamps = found.column("signals"), found.column("timestamps")
    assert (found.format, signals.unit, found.column("name").values.tolist()) == (
        "NWB",
        "V",
        ["Vm", "irregular"],
    )
    np.testing.assert_allclose(signals.values, [[0.44, 0.52, 0.445], [0.44e-3, 0.52e-3, 0.445e-3]])
    assert [row.tolist() for row in stamps.values] == [[], [0, 0.1, 0.5]]
    assert found.column("start").values[0] == 2
    assert found.column("rate").values[0] == 1000
    assert found.skipped == ["2 acquired series that are not a single voltage, 'I', 'LFP'"]


def test_nwb_without_times() -> None:
    def fill(file: h5py.File) -> None:
        acquired(file)
        del file["acquisition/Vm/starting_time"]

    with pytest.raises(SpikeTrainError, match="'Vm' has neither a rate"):
        read_signals(Source("a.nwb", hdf5(fill)))


def test_nix(tmp_path: Path) -> None:
    block, segment = neo.Block(), neo.Segment()
    block.segments.append(segment)
    for unit, name in ((pq.V, "Vm"), (pq.nA, "I")):
        signal = neo.AnalogSignal([0.01, 0.02, 0.03] * unit, sampling_rate=1 * pq.kHz, name=name)
        segment.analogsignals.append(signal)
    writer = neo.io.NixIO(str(tmp_path / "rec.nix"), "ow")
    writer.write_block(block)
    writer.close()
    found = read_signals(Source("rec.h5", (tmp_path / "rec.nix").read_bytes()))
    assert found is not None
    assert found.column("signals").unit == "mV"
    np.testing.assert_allclose(found.column("signals").values, [[10, 20, 30]])
    assert found.column("place").values.tolist() == ["Vm, segment 1"]
    assert found.column("rate").values.tolist() == [1000]
    assert "'I'" in found.skipped[0]


def test_other_files() -> None:
    assert read_signals(Source("a.csv", b"1,2")) is None
    with pytest.raises(SpikeTrainError, match="neither NWB nor NIX"):
        read_signals(Source("a.h5", hdf5(lambda file: file.create_dataset("t", data=[1.0]))))
