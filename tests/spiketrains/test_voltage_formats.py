"""Voltage in every format, with and without times: units told by name, else by size, else asked for."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq
import scipy.io
from pyabf.abfWriter import writeABF1
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.ecephys import ElectricalSeries
from pynwb.icephys import VoltageClampSeries
from voltage_traces import RATE_HZ, beside, inside, same_spikes, spike_times_s

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import VoltageTraces, detect_recordings, read_voltage

DURATION_S = 2.0
SPIKES_S = spike_times_s(DURATION_S)
VOLTS = inside(SPIKES_S, DURATION_S)
TIMES_S = np.arange(VOLTS.size) / RATE_HZ
OUTSIDE = beside(SPIKES_S, DURATION_S)
CURRENT = 40 * np.sin(TIMES_S)


def spikes_are_right(traces: VoltageTraces, n: int = 1, **how: Any) -> bool:
    recordings = detect_recordings(traces, **how)
    return len(recordings) == n and all(same_spikes(train.times_ms, SPIKES_S, 0.7) for train in recordings)


def csv(columns: dict[str, np.ndarray], comment: str = "", **how: Any) -> bytes:
    return comment.encode() + pd.DataFrame(columns).to_csv(index=False, float_format="%.6g", **how).encode()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def mat(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, arrays)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (csv({"V_mV": VOLTS}, "# fs = 20 kHz\n"), "a.csv", "as the comment 'fs = 20 kHz' says"),
        (csv({"V_mV": VOLTS}, "# dt = 0.05 ms\n"), "a.csv", "a step of 0.05 ms"),
        (csv({"Vm (V)": VOLTS / 1000}, "# sampling rate: 20000 Hz\n"), "a.csv", "voltage in V"),
        (csv({"sample": np.arange(VOLTS.size), "V_mV": VOLTS}, "# fs = 20 kHz\n"), "a.csv", "20000 Hz"),
        (npz(v=VOLTS, fs=RATE_HZ), "a.npz", "as 'fs' says"),
        (npz(voltage=VOLTS, dt=5e-5), "a.npz", "a step of 5e-05 s"),
        (npz(voltage=VOLTS / 1000, t=TIMES_S), "a.npz", "times in s, assumed from the step"),
        (mat(Vm=VOLTS[None], fs=RATE_HZ, units="mV"), "a.mat", "as 'units' says"),
        (mat(rec={"data": VOLTS, "time_ms": 1000 * TIMES_S}), "a.mat", "rest and spikes of a neuron"),
        (mat(traces=np.stack([VOLTS, VOLTS]), fs=RATE_HZ), "a.mat", "at 20000 Hz"),
    ],
)
def test_rates_and_units_that_the_file_says(data: bytes, name: str, why: str) -> None:
    traces = read_voltage(data, filename=name)
    assert why in traces[0].unit_reason
    assert traces[0].step_ms == pytest.approx(0.05)
    assert spikes_are_right(traces, len(traces))


@pytest.mark.parametrize(
    "array", [VOLTS, VOLTS[None], np.stack([VOLTS, VOLTS]), np.stack([VOLTS] * 3, axis=1).astype(np.float32)]
)
def test_npy_with_a_rate_that_is_given(array: np.ndarray) -> None:
    with pytest.raises(
        SpikeTrainError, match=r"no column of times and names no sampling rate.*sampling_rate_hz"
    ):
        read_voltage(npy(array), filename="a.npy")
    traces = read_voltage(npy(array), filename="a.npy", sampling_rate_hz=RATE_HZ)
    n = array.size // VOLTS.size
    assert [trace.id for trace in traces] == (["a"] if n == 1 else [f"channel {k + 1}" for k in range(n)])
    assert spikes_are_right(traces, n)
    assert "20000 Hz, as asked for" in traces[0].unit_reason
    if n > 1:
        assert "were taken from the" in traces.cautions[0]
        assert spikes_are_right(read_voltage(npy(array), sampling_rate_hz=RATE_HZ, channels=1))


def test_channels_of_a_table_are_chosen() -> None:
    table = csv({"time_s": TIMES_S, "ch1": VOLTS, "ch2": VOLTS + 2, "I_pA": CURRENT, "stim": CURRENT})
    traces = read_voltage(table)
    assert [trace.id for trace in traces] == ["ch1", "ch2"]
    assert spikes_are_right(traces, 2)
    assert "of another quantity, 'I_pA'" in traces.skipped[0]
    assert "not known to be a voltage, 'stim'" in traces.skipped[1]
    (second,) = read_voltage(table, channels="CH2")
    assert second.V_mV[0] == pytest.approx(VOLTS[0] + 2, abs=1e-3)
    (current,) = read_voltage(table, channels=["I_pA"])
    assert (current.unit, current.V_mV.max()) == ("pA", pytest.approx(CURRENT.max(), rel=1e-4))
    with pytest.raises(SpikeTrainError, match=r"no channel 'ch3'; the file has 'ch1', 'ch2', 'I_pA'"):
        read_voltage(table, channels="ch3")
    assert [trace.id for trace in read_voltage(table, recordings=["ch2"])] == ["ch2"]
    with pytest.raises(SpikeTrainError, match="no recording 'x'"):
        read_voltage(table, recordings="x")


def test_a_current_is_no_voltage_but_can_be_asked_for() -> None:
    # a cell-attached recording, whose spikes are currents
    data = csv({"time_s": TIMES_S, "I_pA": 500 * OUTSIDE})
    with pytest.raises(SpikeTrainError, match=r"only 'I_pA' \(pA\); name the channel"):
        read_voltage(data)
    assert spikes_are_right(read_voltage(data, channels="I_pA"), threshold_mV=-40)
    with pytest.raises(SpikeTrainError, match=r"only 'current' \(a current, by its name"):
        read_voltage(csv({"time_s": TIMES_S, "current": 500 * OUTSIDE}))


@pytest.mark.parametrize("name", ["V (counts)", "signal [a.u.]", "x (furlongs)", "ADC", "x", "column_3"])
def test_odd_units_need_a_threshold_or_a_unit(name: str) -> None:
    data = csv({"time_s": TIMES_S, name: np.rint(OUTSIDE * 1e4)})
    traces = read_voltage(data)
    with pytest.raises(SpikeTrainError, match=r"threshold and the reset in .*\(unit of read_voltage\)"):
        detect_recordings(traces)
    assert spikes_are_right(traces, threshold_mV=-800, reset_mV=-100)
    assert spikes_are_right(read_voltage(data, unit="uV"))


@pytest.mark.parametrize("unit", ["V", "mV", "uV", "nV"])
@pytest.mark.parametrize("volts", [VOLTS, OUTSIDE])
def test_the_unit_changes_no_spike(unit: str, volts: np.ndarray) -> None:
    scale = {"V": 1e-3, "mV": 1.0, "uV": 1e3, "nV": 1e6}[unit]
    expected = detect_recordings(read_voltage({"V (mV)": volts, "fs": RATE_HZ}))[0].times_ms
    held: list[Any] = [{f"V ({unit})": volts * scale, "fs": RATE_HZ}]
    if unit != "nV":  # which quantities has not
        held.append(volts * scale * pq.Quantity(1, unit))
    for given in held:
        traces = read_voltage(given, sampling_rate_hz=RATE_HZ)
        np.testing.assert_allclose(detect_recordings(traces)[0].times_ms, expected, atol=1e-6)
        assert traces[0].V_mV == pytest.approx(volts, abs=1e-6)


def test_a_step_of_a_converter_is_a_unit() -> None:
    (trace,) = read_voltage({"V (0.195 uV)": np.rint(OUTSIDE / 0.195e-3), "fs": RATE_HZ})
    assert trace.V_mV == pytest.approx(OUTSIDE, abs=1e-4)


def test_sweeps_one_below_another() -> None:
    times = np.concatenate([TIMES_S, TIMES_S])
    both = np.concatenate([VOLTS, VOLTS])
    traces = read_voltage(csv({"time_s": times, "V_mV": both}), filename="a.csv")
    assert [trace.id for trace in traces] == ["a/1", "a/2"]
    assert "2 sweeps one after another" in traces.cautions[0]
    assert spikes_are_right(traces, 2)
    keyed = csv({"sweep": np.repeat([4, 7], VOLTS.size), "time_s": times, "V_mV": both})
    traces = read_voltage(keyed)
    assert [trace.id for trace in traces] == ["4", "7"]
    assert spikes_are_right(traces, 2)


def test_stretches() -> None:
    data = csv({"time_s": TIMES_S, "V_mV": VOLTS})
    (trace,) = read_voltage(data, start_s=0.5, stop_s=1.5)
    assert (trace.times_ms[0], trace.times_ms[-1]) == (pytest.approx(500.0), pytest.approx(1499.95))
    train = detect_recordings([trace])[0]
    assert train.window_ms == (trace.times_ms[0], trace.times_ms[-1])
    wanted = SPIKES_S[(SPIKES_S > 0.5) & (SPIKES_S < 1.5)]
    assert same_spikes(train.times_ms, wanted, 0.7)
    with pytest.raises(SpikeTrainError, match="no trace has samples from 5 s on"):
        read_voltage(data, start_s=5.0)


def test_what_is_missing_is_cut_off_or_refused() -> None:
    volts = VOLTS.copy()
    volts[30_000:] = np.nan
    short = csv({"time_s": TIMES_S, "A_mV": VOLTS, "B_mV": volts})
    traces = read_voltage(short)
    assert [len(trace) for trace in traces] == [VOLTS.size, 30_000]
    assert "10,000 blank cells at the end of the column 'B_mV'" in traces.repairs[0]
    (_, padded) = read_voltage(npy(np.stack([VOLTS, volts])), sampling_rate_hz=RATE_HZ)
    assert len(padded) == 30_000
    volts[100] = np.nan
    blanked = {"V_mV": np.where(np.arange(VOLTS.size) == 1000, np.nan, VOLTS), "fs": RATE_HZ}
    with pytest.raises(
        SpikeTrainError, match=r"potential nan; it must be finite, so choose a stretch without"
    ):
        read_voltage(blanked)
    assert len(read_voltage(blanked, start_s=0.1)) == 1


@pytest.mark.parametrize(
    ("data", "how", "part"),
    [
        (
            csv({"unit": np.arange(50) % 3, "time_ms": np.sort(np.random.default_rng(0).uniform(0, 9, 50))}),
            {},
            "no voltage trace",
        ),
        (
            csv({"x": np.cumsum(np.random.default_rng(0).exponential(1, 50))}),
            {"sampling_rate_hz": 1e3},
            "no voltage trace",
        ),
        (
            csv({"time (fortnights)": TIMES_S, "V_mV": VOLTS}),
            {},
            "'fortnights' of the times is not understood",
        ),
        (
            csv({"time": np.arange(100), "V_mV": VOLTS[:100]}),
            {},
            "counts samples, and their rate is not known",
        ),
        (
            npy(np.random.default_rng(0).normal(size=(50, 50))),
            {"sampling_rate_hz": 1e3},
            "as many rows as columns",
        ),
        (npy(VOLTS), {"sampling_rate_hz": -1}, "sampling rate is -1"),
        (npy(VOLTS), {"unit": "kV"}, "unit 'kV' is unknown"),
        (npy(VOLTS), {"time_unit": "fortnights"}, "unit 'fortnights' is unknown"),
        (npy(VOLTS), {"sampling_rate_hz": 1e3, "channels": []}, "no channel is named"),
        (b"a,b\nx,y\n", {}, "no voltage trace"),
        (b"\x89PNG\r\n", {}, "image"),
    ],
)
def test_files_that_are_refused(data: bytes, how: dict[str, Any], part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part) as caught:
        read_voltage(data, filename="bad.xyz", **how)
    assert "\n" not in str(caught.value)


def test_abf_of_several_sweeps(tmp_path: Path) -> None:
    path = tmp_path / "cell.abf"
    writeABF1(np.array([VOLTS, VOLTS, VOLTS]), str(path), RATE_HZ, units="mV")
    # pyabf writes no array of where sweeps start and how long they are, which episodic files have.
    data = bytearray(path.read_bytes()).ljust(512 * -(-path.stat().st_size // 512), b"\0")
    data[92:100] = struct.pack("<2i", len(data) // 512, 3)
    data += struct.pack("<6i", *(value for k in range(3) for value in (k * VOLTS.size, VOLTS.size)))
    path.write_bytes(data)
    traces = read_voltage(path)
    assert len({trace.id for trace in traces}) == 3
    recordings = detect_recordings(traces)
    assert all(train.window_ms is not None for train in recordings)
    for trace, train in zip(traces, recordings, strict=True):
        assert same_spikes(train.times_ms - trace.times_ms[0], SPIKES_S, 0.7)
    channel = traces[0].id.removesuffix("/1")
    assert len(read_voltage(path, channels=channel)) == 3
    currents = tmp_path / "attached.abf"
    writeABF1(np.array([500 * OUTSIDE]), str(currents), RATE_HZ, units="pA")
    with pytest.raises(SpikeTrainError, match=r"\(pA\); name the channel"):
        read_voltage(currents)
    assert spikes_are_right(read_voltage(currents, channels=0), threshold_mV=-40)


def test_nwb_of_several_channels(tmp_path: Path) -> None:
    path = tmp_path / "probe.nwb"
    content = NWBFile("a test", "id", datetime(2024, 1, 1, tzinfo=UTC))
    device = content.create_device(name="probe")
    group = content.create_electrode_group(name="g", description="d", location="l", device=device)
    for _ in range(2):
        content.add_electrode(group=group, location="l")
    region = content.create_electrode_table_region([0, 1], "both")
    counts = np.rint(np.stack([OUTSIDE, 2 * OUTSIDE], axis=1) / 2e-4).astype(np.int16)
    content.add_acquisition(
        ElectricalSeries(
            name="raw", data=counts, electrodes=region, rate=RATE_HZ, conversion=2e-7, starting_time=1.0
        )
    )
    content.add_acquisition(TimeSeries(name="sync", data=np.zeros(10), unit="a.u.", rate=10.0))
    with NWBHDF5IO(path, "w") as stream:
        stream.write(content)
    traces = read_voltage(path)
    assert [trace.id for trace in traces] == ["raw/1", "raw/2"]
    assert traces[0].V_mV == pytest.approx(OUTSIDE, abs=2e-4)
    assert "'sync'" in traces.skipped[0]
    found = detect_recordings(traces)
    assert all(same_spikes(train.times_ms - 1000, SPIKES_S) for train in found)


def test_nwb_without_a_voltage(tmp_path: Path) -> None:
    path = tmp_path / "cell.nwb"
    content = NWBFile("a test", "id", datetime(2024, 1, 1, tzinfo=UTC))
    electrode = content.create_icephys_electrode(
        name="e", description="e", device=content.create_device("amp")
    )
    content.add_acquisition(
        VoltageClampSeries(name="I", data=CURRENT, rate=RATE_HZ, electrode=electrode, gain=1.0)
    )
    with NWBHDF5IO(path, "w") as stream:
        stream.write(content)
    with pytest.raises(
        SpikeTrainError, match=r"cell\.nwb: no voltage trace|cell\.nwb: the file holds no voltage trace"
    ):
        read_voltage(path)


def test_hdf5_by_the_names_of_its_data(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["rec/Vm"] = VOLTS
        file["rec/fs"] = RATE_HZ
    assert spikes_are_right(read_voltage(path))


def _signal(unit: str = "mV", **how: Any) -> neo.AnalogSignal:
    return neo.AnalogSignal(np.stack([VOLTS, VOLTS + 1], axis=1), unit, sampling_rate=20 * pq.kHz, **how)


def _block() -> neo.Block:
    block = neo.Block()
    for _ in range(2):
        segment = neo.Segment()
        segment.analogsignals += [
            _signal(name="Vm"),
            neo.AnalogSignal(CURRENT, "pA", sampling_rate=20 * pq.kHz),
        ]
        block.segments.append(segment)
    return block


@pytest.mark.parametrize(
    ("make", "n"),
    [
        (_signal, 2),
        (_block, 4),
        (lambda: [_signal(name="a"), _signal(name="b")], 4),
        (lambda: VOLTS * pq.mV, 1),
        (lambda: (VOLTS / 1000) * pq.V, 1),
        (lambda: pd.DataFrame({"time": TIMES_S, "Vm": VOLTS}), 1),
        (lambda: pd.DataFrame({"a": VOLTS, "b": VOLTS}, index=pd.Index(TIMES_S, name="t_s")), 2),
        (lambda: pd.DataFrame({"Vm": VOLTS}, index=pd.to_timedelta(TIMES_S, unit="s")), 1),
        (lambda: pd.Series(VOLTS, index=TIMES_S), 1),
        (lambda: np.stack([VOLTS, VOLTS]), 2),
        (lambda: [VOLTS.tolist(), VOLTS.tolist()], 2),
        (lambda: {"V": VOLTS * pq.mV, "dt": 0.05 * pq.ms}, 1),
        (lambda: np.ma.masked_invalid(VOLTS), 1),
    ],
)
def test_objects_of_libraries(make: Callable[[], Any], n: int) -> None:
    assert spikes_are_right(read_voltage(make(), sampling_rate_hz=RATE_HZ), n)


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (neo.SpikeTrain([1, 2] * pq.s, t_stop=3), "no signals"),
        (np.zeros((2, 3, 4)), "shape"),
        (["a", "b"], "no array of numbers"),
        (pd.DataFrame({"a": ["x"]}), "no column of numbers"),
        (3, "path, bytes or an open file"),
    ],
)
def test_objects_that_are_refused(given: object, part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part):
        read_voltage(given, sampling_rate_hz=1e3)


def test_text_that_is_laid_out_in_other_ways() -> None:
    lines = "\n".join(",".join(f"{v:.3f}" for v in volts) for volts in (VOLTS, VOLTS - 3))
    assert spikes_are_right(read_voltage(lines.encode(), sampling_rate_hz=RATE_HZ), 2)
    rows = "".join(f"{t:.5f},{v:.3f},{v:.3f}\n" for t, v in zip(TIMES_S, VOLTS, strict=True))
    traces = read_voltage(f"Time,Vm,Im\ns,mV,pA\n{rows}".encode())
    assert "line of units" in traces.repairs[0]
    assert spikes_are_right(traces)
    bare = "".join(f"{v:.3f},{v - 1:.3f}\n" for v in VOLTS)
    assert spikes_are_right(read_voltage(bare.encode(), sampling_rate_hz=RATE_HZ), 2)


def test_columns_that_are_called_as_readers_call_theirs() -> None:
    table = pd.DataFrame({"timestamps": TIMES_S, "signals": VOLTS}).to_csv(index=False)
    assert spikes_are_right(read_voltage(table.encode(), unit="mV", time_unit="s"))


def test_times_with_too_few_digits() -> None:
    data = csv({"time_ms": np.round(1000 * TIMES_S), "V_mV": VOLTS})
    with pytest.raises(SpikeTrainError, match=r"repeat, .* too few digits; give the sampling rate"):
        read_voltage(data)
    traces = read_voltage(data, sampling_rate_hz=RATE_HZ)
    assert "since those given repeat" in traces[0].unit_reason
    assert spikes_are_right(traces)


def test_triggers_and_quiet_sweeps() -> None:
    trigger = np.where(np.sin(20 * TIMES_S) > 0, 5.0, 0.0)
    traces = read_voltage(csv({"time_s": TIMES_S, "V_mV": VOLTS, "TTL (V)": trigger}))
    assert "two levels only, like a trigger, 'TTL (V)'" in traces.skipped[0]
    assert spikes_are_right(traces)
    # The unit of a channel is judged over all its sweeps, also those without a spike.
    quiet = np.full(VOLTS.size, -60.0)
    sweeps = {"sweep": np.repeat([1, 2], VOLTS.size), "time_s": np.tile(TIMES_S, 2)}
    traces = read_voltage(csv(sweeps | {"soma": np.concatenate([VOLTS, quiet])}))
    assert [(trace.id, trace.unit) for trace in traces] == [("1", "mV"), ("2", "mV")]
    (late,) = read_voltage(csv({"time_s": TIMES_S, "soma": VOLTS}), stop_s=0.05)
    assert late.unit == "mV"


def test_a_rest_where_no_neuron_rests_is_said() -> None:
    recordings = detect_recordings(read_voltage(csv({"time_s": TIMES_S, "V_mV": VOLTS}), unit="V"))
    assert any("where no neuron does; check the unit" in text for text in recordings.report.cautions)
    assert any(
        "V was asked for and is used, though 'V_mV' is in mV" in text for text in recordings.report.cautions
    )


def test_nix(tmp_path: Path) -> None:
    path = tmp_path / "rec.nix"
    writer = neo.io.NixIO(str(path), "ow")
    writer.write_block(_block())
    writer.close()
    traces = read_voltage(path)
    assert [trace.id for trace in traces] == ["Vm/1/1", "Vm/2/1", "Vm/1/2", "Vm/2/2"]
    assert "2 signals of another quantity than voltage" in traces.skipped[0]
    assert spikes_are_right(traces, 4)
    assert len(read_voltage(path, channels="Vm/2")) == 2


@pytest.mark.parametrize(
    "given", [np.zeros((0, 5)), np.empty(0), np.full(100, np.nan), np.zeros(100, complex)]
)
def test_arrays_that_hold_nothing(given: np.ndarray) -> None:
    with pytest.raises(SpikeTrainError):
        read_voltage(given, sampling_rate_hz=1e3)


def test_times_in_samples_and_rates_that_do_not_fit() -> None:
    samples = csv({"t": 5000 + np.arange(VOLTS.size), "V_mV": VOLTS})
    (trace,) = read_voltage(samples, time_unit="samples", sampling_rate_hz=RATE_HZ)
    assert trace.times_ms[0] == pytest.approx(250.0)
    assert trace.step_ms == pytest.approx(0.05)
    with pytest.raises(SpikeTrainError, match="counts samples, and their rate is not known"):
        read_voltage(samples, time_unit="samples")
    counted = csv({"time": np.arange(VOLTS.size), "V_mV": VOLTS})
    assert read_voltage(counted, time_unit="ms")[0].step_ms == 1.0
    traces = read_voltage(csv({"time_s": TIMES_S, "V_mV": VOLTS}), sampling_rate_hz=1000)
    assert "1000 Hz is not used, since the file has times, at 20000 Hz" in traces.cautions[0]


def test_a_table_beside_irregular_times_is_no_trace_unless_it_says_so() -> None:
    times = np.cumsum(np.random.default_rng(0).exponential(0.1, 200))
    with pytest.raises(SpikeTrainError, match="no voltage trace"):
        read_voltage(csv({"time_s": times, "size": np.sin(times)}))
    assert len(read_voltage(csv({"time_s": times, "Vm": -60 + np.sin(times)}))) == 1


def test_a_unit_that_is_asked_for_is_that_of_the_file(tmp_path: Path) -> None:
    signal = neo.AnalogSignal(VOLTS / 1000, "V", sampling_rate=RATE_HZ * pq.Hz)
    assert read_voltage(signal, unit="V")[0].V_mV == pytest.approx(VOLTS)
    (mended,) = traces = read_voltage(signal, unit="uV")
    assert mended.V_mV == pytest.approx(VOLTS * 1e-6)
    assert "µV was asked for and is used, though 'signal 1' is in V" in traces.cautions[0]
    path = tmp_path / "mistaken.nwb"  # millivolts without the conversion that NWB asks for
    content = NWBFile("a test", "id", datetime(2024, 1, 1, tzinfo=UTC))
    content.add_acquisition(TimeSeries(name="Vm", data=VOLTS, unit="volts", rate=RATE_HZ))
    with NWBHDF5IO(path, "w") as stream:
        stream.write(content)
    assert read_voltage(path, unit="mV")[0].V_mV == pytest.approx(VOLTS)
    assert any("check the unit" in text for text in detect_recordings(read_voltage(path)).report.cautions)
