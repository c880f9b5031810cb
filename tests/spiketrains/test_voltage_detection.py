"""Spikes found from both sides of the membrane: which side is told, and what is said when it is doubtful."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voltage_traces import RATE_HZ, beside, inside, same_spikes, spike_times_s

from spike2pop_nb import simulation
from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import VoltageTrace, detect_recordings, detect_spikes, suggest_threshold_mV

DURATION_S = 10.0
SPIKES_S = spike_times_s(DURATION_S)


def traced(volts: np.ndarray, name: str = "V", *, unit: str = "mV", rate_hz: float = RATE_HZ) -> VoltageTrace:
    return VoltageTrace(name, np.arange(volts.size) * 1000 / rate_hz, volts, unit=unit)


def hum(hz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(DURATION_S * RATE_HZ)) / RATE_HZ)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("gain", [1.0, 1000.0])
@pytest.mark.parametrize("second", [0.1, 0.5, 0.9])
def test_beside_a_cell_both_phases_count_once(sign: int, gain: float, second: float) -> None:
    volts = sign * gain * beside(SPIKES_S, DURATION_S, second_phase=second)
    for polarity in ("auto", "both", "up" if sign < 0 else "down"):
        recordings = detect_recordings([traced(volts)], polarity=polarity)
        assert same_spikes(recordings[0].times_ms, SPIKES_S), polarity
        if polarity == "auto":
            said = recordings.report.cautions[0]
            assert "beside the cell (extracellular), since it is centred on 0" in said
            assert f"{'falls' if sign > 0 else 'rises'} through" in said
            assert len(recordings.report.cautions) == 1
        if second < 0.4:  # the other phase does not reach the threshold
            break


def test_inside_a_cell() -> None:
    trace = traced(inside(SPIKES_S, DURATION_S))
    recordings = detect_recordings([trace])
    assert same_spikes(recordings[0].times_ms, SPIKES_S, 0.6)
    (said,) = recordings.report.cautions
    assert "inside the cell, since it rests at -60" in said
    assert "rises through" in said
    asked = detect_recordings([trace], -20.0)
    assert not asked.report.cautions
    assert "rises through -20 mV, as asked for" in asked.report.layout_reason


@pytest.mark.parametrize(("neuron", "target"), [("stg", (3, 4)), ("stg", (-2, 5)), ("da", (2, 2))])
def test_simulated_neurons_whatever_the_offset(neuron: str, target: tuple[float, float]) -> None:
    population = generate_population(neuron, target, size=2, seed=1)
    simulated = simulation.simulate(population, duration_ms=4000, transient_ms=1000)
    for k in range(2):
        trace = VoltageTrace("V", simulated.time_ms, simulated.V_mV[k])
        spikes = simulated.spike_times_ms[k]
        found = detect_spikes(trace).times_ms
        nearest = np.abs(found[:, None] - spikes).min(axis=0)
        assert (nearest < 0.5).all()
        assert found.size - spikes.size in (0, 1)  # the one at the start is the transient's
        for offset in (-100.0, 50.0, 60.0):
            moved = VoltageTrace("V", simulated.time_ms, simulated.V_mV[k] + offset)
            np.testing.assert_allclose(detect_spikes(moved).times_ms, found, atol=1e-6)


@given(st.floats(-0.5, 0.5), st.floats(1e-2, 1e3), st.integers(0, 50))
@settings(deadline=None, max_examples=20)
def test_flipping_and_scaling_change_no_spike(offset: float, gain: float, seed: int) -> None:
    spikes = spike_times_s(3.0, seed=seed)
    volts = beside(spikes, 3.0, seed=seed)
    found = detect_spikes(traced(volts)).times_ms
    assert same_spikes(found, spikes)
    np.testing.assert_array_equal(detect_spikes(traced(-gain * volts)).times_ms, found)
    small = 0.01 * offset  # an electrode's offset, small beside the noise
    np.testing.assert_array_equal(detect_spikes(traced(volts + small)).times_ms, found)


@given(st.floats(-200.0, 200.0))
@settings(deadline=None, max_examples=20)
def test_an_offset_inside_a_cell_changes_no_spike(offset: float) -> None:
    spikes = spike_times_s(3.0)
    volts = inside(spikes, 3.0)
    found = detect_spikes(traced(volts)).times_ms
    assert same_spikes(found, spikes, 0.6)
    np.testing.assert_allclose(detect_spikes(traced(volts + offset)).times_ms, found, atol=1e-6)


@pytest.mark.parametrize("slow", [hum(50), hum(60), 3 * hum(0.2), 2 * hum(7) + hum(1.3)])
def test_slow_potentials_beside_a_cell_are_taken_out_and_said(slow: np.ndarray) -> None:
    recordings = detect_recordings([traced(beside(SPIKES_S, DURATION_S) + 0.3 * slow)])
    assert same_spikes(recordings[0].times_ms, SPIKES_S)
    assert "without what is slower than 200 Hz" in recordings.report.cautions[0]


@pytest.mark.parametrize("slow", [hum(50), 5 * hum(0.2)])
def test_hum_and_drift_inside_a_cell(slow: np.ndarray) -> None:
    recordings = detect_recordings([traced(inside(SPIKES_S, DURATION_S) + 2 * slow)])
    assert same_spikes(recordings[0].times_ms, SPIKES_S, 0.7)


def test_a_drift_that_loses_spikes_is_said() -> None:
    drift = np.linspace(60, -60, round(DURATION_S * RATE_HZ))
    recordings = detect_recordings([traced(inside(SPIKES_S, DURATION_S) + drift)])
    assert any("stand out but" in text for text in recordings.report.cautions)


def test_artefacts_hardly_move_the_threshold_beside_a_cell() -> None:
    volts = beside(SPIKES_S, DURATION_S)
    level = suggest_threshold_mV(traced(volts))
    assert level == pytest.approx(-5 * 0.015, rel=0.05)
    volts[40_000:40_010], volts[40_010:40_020] = 20.0, -20.0
    assert suggest_threshold_mV(traced(volts)) == pytest.approx(level, rel=0.01)


def test_noise_alone_and_traces_that_do_not_change() -> None:
    noise = detect_recordings([traced(beside(np.empty(0), DURATION_S))])
    assert noise[0].n_spikes == 0
    assert "no spike at this threshold" in noise.report.cautions[1]
    for level in (0.0, -60.0):
        flat = detect_recordings([traced(np.full(5000, level))])
        assert flat[0].n_spikes == 0
        assert "kept as silent" in flat.report.cautions[0]


def test_what_looks_odd_is_said() -> None:
    def cautions(volts: np.ndarray, threshold: float | None = None) -> str:
        return "; ".join(detect_recordings([traced(volts)], threshold).report.cautions)

    other = spike_times_s(DURATION_S, seed=5)
    apart = other[np.abs(other[:, None] - SPIKES_S).min(axis=1) > 0.003]
    two = beside(SPIKES_S, DURATION_S) + beside(apart, DURATION_S, peak_mV=-0.5, noise_mV=0.0)
    assert "maybe two neurons" in cautions(two)
    single = beside(SPIKES_S, DURATION_S)
    assert "two" not in cautions(single).replace("two phases", "")
    assert "clipped" in cautions(np.clip(single, -0.1, 1.0))
    assert "clipped" not in cautions(single)
    assert "barely stand out of the noise" in cautions(beside(SPIKES_S, DURATION_S, noise_mV=0.032))
    assert "faster than neurons fire" in cautions(single, -0.01)
    assert "only 2 spikes" in cautions(beside(SPIKES_S[:2], DURATION_S))
    coarse = VoltageTrace("V", np.arange(500.0), inside(SPIKES_S[SPIKES_S < 0.4], 0.5, rate_hz=1000.0))
    assert "sampled at 1000 Hz" in "; ".join(detect_recordings([coarse], -30.0).report.cautions)


def test_no_spike_is_found_in_a_gap() -> None:
    volts = np.where(np.arange(2000) < 1000, -60.0, -10.0) + np.random.default_rng(0).normal(0, 0.1, 2000)
    times = np.arange(2000) * 0.1 + np.where(np.arange(2000) < 1000, 0.0, 500.0)
    recordings = detect_recordings([VoltageTrace("V", times, volts)], -30.0)
    assert recordings[0].n_spikes == 0
    assert any("gap" in text for text in recordings.report.cautions)


def test_a_threshold_beside_a_cell_says_the_side() -> None:
    volts = beside(SPIKES_S, DURATION_S, second_phase=0.8)
    assert same_spikes(detect_spikes(traced(volts), -0.07).times_ms, SPIKES_S)
    later = detect_spikes(traced(volts), 0.08).times_ms  # the second phase, half a millisecond on
    assert later.size == SPIKES_S.size
    assert np.median(later - 1000 * SPIKES_S) == pytest.approx(0.45, abs=0.1)
    assert same_spikes(detect_spikes(traced(volts), -0.09, -0.02).times_ms, SPIKES_S)
    with pytest.raises(SpikeTrainError, match="not below the threshold"):
        detect_spikes(traced(volts), -0.07, -0.1)
    with pytest.raises(SpikeTrainError, match="nearer"):
        detect_spikes(traced(volts), -0.07, 0.1, polarity="both")
    with pytest.raises(SpikeTrainError, match="polarity 'sideways'"):
        detect_spikes(traced(volts), polarity="sideways")  # type: ignore[arg-type]
    with pytest.raises(SpikeTrainError, match="without a threshold"):
        detect_spikes(traced(volts), None, -0.1)


def test_levels_for_each_trace() -> None:
    volts = inside(SPIKES_S, DURATION_S)
    traces = [traced(volts, "A/1"), traced(volts, "A/2"), traced(volts - 100, "B")]
    for levels in (
        [-20, -20, -120],
        {"A": -20, "B": -120},
        {"*": -20, "B": -120},
        {"A/1": -20, "*": -20, "B": -120},
    ):
        found = detect_recordings(traces, levels)
        assert all(same_spikes(train.times_ms, SPIKES_S, 0.7) for train in found)
    assert "-20, -20, -120 mV ('A/1', 'A/2', 'B')" in found.report.layout_reason
    mixed = detect_recordings(traces, {"B": -120}, {"B": -130})
    assert "as asked for" not in mixed.report.layout_reason
    assert [train.n_spikes for train in mixed] == [SPIKES_S.size] * 3
    with pytest.raises(SpikeTrainError, match=r"2 thresholds are given for 3 traces"):
        detect_recordings(traces, [1, 2])
    with pytest.raises(SpikeTrainError, match=r"reset is given for 'C', .* there are 'A/1'"):
        detect_recordings(traces, -20, {"C": 1})


def test_units_that_are_no_voltage_need_a_threshold() -> None:
    counts = traced(np.rint(1000 * beside(SPIKES_S, DURATION_S)), unit="counts")
    for find in (suggest_threshold_mV, detect_spikes, lambda trace: detect_recordings([trace])):
        with pytest.raises(
            SpikeTrainError, match=r"in counts, .* \(threshold_mV and reset_mV\), or give the unit of the"
        ):
            find(counts)
    recordings = detect_recordings([counts], -80, -20)
    assert same_spikes(recordings[0].times_ms, SPIKES_S)
    assert "falls through -80 counts, as asked for" in recordings.report.cautions[0]
    provenance = recordings[0].provenance
    assert provenance is not None
    assert "counts" in provenance.location
