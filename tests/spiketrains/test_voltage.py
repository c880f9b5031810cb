"""Voltage traces: reading them in every format, and the spikes found in them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyabf.abfWriter import writeABF1
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.icephys import CurrentClampSeries

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import (
    SpikeTrain,
    VoltageTrace,
    detect_recordings,
    detect_spikes,
    read_spike_trains,
    read_voltage,
    suggest_threshold_mV,
)

STEP_MS = 0.05
SPIKES_MS = np.array([20.0, 55.0, 61.0, 67.0, 120.0])


def spiking(spikes_ms: np.ndarray = SPIKES_MS, *, noise_mV: float = 0.3, seed: int = 0) -> VoltageTrace:
    """Spikes of 90 mV and 1 ms, peaking at the given times, on noise around −60 mV."""
    times = np.arange(0, 150, STEP_MS)
    volts = -60 + np.random.default_rng(seed).normal(0, noise_mV, times.size)
    for peak in spikes_ms:
        volts += 90 * np.clip(1 - np.abs(times - peak) / 0.5, 0, None)
    return VoltageTrace("V", times, volts)


def found(train: SpikeTrain, spikes_ms: np.ndarray = SPIKES_MS) -> bool:
    return train.n_spikes == len(spikes_ms) and bool((np.abs(train.times_ms - spikes_ms) < 0.6).all())


def table(
    trace: VoltageTrace, header: str, *, volts: float = 1.0, times: float = 1.0, sep: str = ","
) -> bytes:
    rows = [f"{t * times:.10g}{sep}{v * volts:.8g}" for t, v in zip(trace.times_ms, trace.V_mV, strict=True)]
    return "\n".join([header, *rows] if header else rows).encode()


def test_a_threshold_between_the_baseline_and_the_peaks() -> None:
    assert suggest_threshold_mV(spiking()) == pytest.approx(-15, abs=2)


def test_the_threshold_survives_artefacts_synaptic_potentials_and_plateaus() -> None:
    trace = spiking()
    volts = trace.V_mV.copy()
    volts[1500:1502] += 400  # a stimulus artefact
    for start in range(1600, 2000, 100):
        volts[start : start + 20] += 8  # synaptic potentials
    assert suggest_threshold_mV(VoltageTrace("V", trace.times_ms, volts)) == pytest.approx(-15, abs=2)
    # A burst on a plateau: the voltage falls back to −30 mV between its spikes.
    plateau = np.where((trace.times_ms > 50) & (trace.times_ms < 75), 30.0, 0.0)
    bursting = VoltageTrace("V", trace.times_ms, trace.V_mV + plateau)
    threshold = suggest_threshold_mV(bursting)
    assert found(detect_spikes(bursting, threshold))


def test_no_spikes_to_set_a_threshold_by() -> None:
    silent = spiking(np.empty(0))
    with pytest.raises(SpikeTrainError, match="5 mV or more"):
        suggest_threshold_mV(silent)
    recordings = detect_recordings([spiking(), silent])
    assert recordings.ids == ["V", "V (2)"]
    assert [train.n_spikes for train in recordings] == [5, 0]
    assert "1 trace without a peak" in recordings.report.cautions[1]


@given(st.lists(st.floats(2.0, 40.0), min_size=1, max_size=20), st.floats(-50.0, 20.0), st.floats(0.01, 0.1))
@settings(deadline=None)
def test_crossings_of_straight_flanks_are_exact(gaps: list[float], threshold: float, step: float) -> None:
    peaks = np.cumsum(gaps)
    times = np.arange(0.0, peaks[-1] + 2, step)
    flank = 0.5
    distance = np.abs(times[:, None] - peaks).min(axis=1)
    volts = -60 + 90 * np.clip(1 - distance / flank, 0, None)
    train = detect_spikes(VoltageTrace("V", times, volts), threshold)
    expected = peaks - flank * (1 - (threshold + 60) / 90)
    # Interpolation is exact unless the flank bends between the two samples.
    assert train.n_spikes == peaks.size
    assert np.abs(train.times_ms - expected).max() <= step
    assert train.window_ms == (times[0], times[-1])


def test_hysteresis_and_the_shortest_interval() -> None:
    volts = [-60, 0, -12, 1, -60, -60, 5, -60, -8]
    trace = VoltageTrace("V", np.arange(9.0), volts)
    assert detect_spikes(trace, -10, -10, min_interval_ms=0).n_spikes == 4
    assert detect_spikes(trace, -10, -50, min_interval_ms=0).times_ms.tolist() == pytest.approx(
        [50 / 60, 5 + 50 / 65, 7 + 50 / 52]
    )
    assert detect_spikes(trace, -10, -50, min_interval_ms=3).n_spikes == 2
    assert detect_spikes(VoltageTrace("V", [0, 1, 2], [5, -60, -60]), -10).n_spikes == 0
    with pytest.raises(SpikeTrainError, match="not above the threshold"):
        detect_spikes(trace, -10, 0)


@pytest.mark.parametrize(
    ("header", "volts", "times", "sep"),
    [
        ("time_ms,V_mV", 1, 1, ","),
        ("t (s);Vm [V]", 1e-3, 1e-3, ";"),
        ("Time (us)\tmembrane (µV)", 1e3, 1e3, "\t"),
        ("time,soma_v", 1, 1, ","),
        ("", 1e-3, 1e-3, " "),
        ("", 1, 1, ","),
    ],
)
def test_tables(header: str, volts: float, times: float, sep: str) -> None:
    data = table(spiking(), header, volts=volts, times=times, sep=sep)
    (trace,) = read_voltage(data, filename="cell.csv")
    assert trace.id == "cell"
    assert trace.step_ms == pytest.approx(STEP_MS)
    assert found(detect_spikes(trace, suggest_threshold_mV(trace)))
    assert ("as the column name says" in trace.unit_reason) == (header not in ("", "time,soma_v"))
    with pytest.raises(SpikeTrainError, match=r"trace; read it as a voltage \(read_voltage and"):
        read_spike_trains(data, filename="cell.csv")


def test_several_traces_with_decimal_commas_and_a_current() -> None:
    times = np.arange(0, 100, 0.1)
    rows = [f"{t:.1f};{-60 + np.sin(t):.3f};{-50 + np.cos(t):.3f};{k % 2}" for k, t in enumerate(times)]
    data = ("time_ms;A_mV;B_mV;I_pA\n" + "\n".join(rows)).replace(".", ",").encode()
    traces = read_voltage(data)
    assert [trace.id for trace in traces] == ["A_mV", "B_mV"]
    assert traces.skipped == ("1 column of another quantity, 'I_pA'",)


def test_units_chosen_by_hand_and_unequal_steps() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.3, 200))
    data = "time,V\n" + "\n".join(f"{t:.6f},{-60 + 5 * np.sin(t):.4f}" for t in times)
    (trace,) = read_voltage(data.encode(), unit="uV", time_unit="s")
    assert trace.times_ms[0] == pytest.approx(1000 * times[0], abs=1e-3)
    assert trace.V_mV[0] == pytest.approx(-0.06, abs=0.01)
    assert "as asked for" in trace.unit_reason


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "empty"),
        (b"id,time_ms\na,1\na,2\n", "no voltage trace"),
        (table(spiking(), "time_ms,V_mV").replace(b"\n0.1,", b"\n0.1,x"), "row 4.*'x-"),
        (table(spiking(), "time_ms,V_mV") + b"\n1,-60", "sample 3001.*strictly increasing"),
        (table(spiking(), "time_ms,V_mV") + b"\n200,nan", "potential nan"),
    ],
)
def test_tables_that_are_refused(data: bytes, part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part) as caught:
        read_voltage(data, filename="bad.csv")
    assert str(caught.value).startswith("bad.csv")


def test_abf(tmp_path: Path) -> None:
    path = tmp_path / "cell.abf"
    writeABF1(np.array([spiking().V_mV]), str(path), 1000 / STEP_MS, units="mV")
    for source in (path, path.read_bytes()):
        (trace,) = read_voltage(source, filename="cell.abf")
        assert trace.step_ms == pytest.approx(STEP_MS)
        assert found(detect_spikes(trace, suggest_threshold_mV(trace)))
    with pytest.raises(SpikeTrainError, match=r"no spike trains.*read_voltage"):
        read_spike_trains(path)


def test_nwb(tmp_path: Path) -> None:
    path = tmp_path / "cell.nwb"
    content = NWBFile("a test", "id", datetime(2024, 1, 1, tzinfo=UTC))
    electrode = content.create_icephys_electrode(
        name="e", description="e", device=content.create_device(name="amplifier")
    )
    volts = spiking().V_mV
    content.add_acquisition(
        CurrentClampSeries(
            name="Vm", data=volts, conversion=1e-3, rate=1000 / STEP_MS, electrode=electrode, gain=1.0
        )
    )
    content.add_acquisition(TimeSeries(name="I", data=volts, unit="amperes", rate=1000.0))
    with NWBHDF5IO(path, "w") as stream:
        stream.write(content)
    traces = read_voltage(path)
    assert [trace.id for trace in traces] == ["Vm"]
    assert "'I'" in traces.skipped[0]
    assert found(detect_spikes(traces[0], suggest_threshold_mV(traces[0])))
    assert traces[0].V_mV.max() == pytest.approx(volts.max(), rel=1e-6)
