"""Scores of members against a recording, and the pass rule."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.fidelity import REFINED_RULE, PassRule, pass_rule, van_rossum_ratio, verify
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain


def simulated(*trains: np.ndarray, reasons: dict[int, str] | None = None) -> Simulated:
    """Pretend that members fired these times (ms from 0, recorded over 3 s)."""
    reasons = reasons or {}
    return Simulated(
        neuron=get_neuron("stg"),
        labels=[("cell", i) for i in range(len(trains))],
        spike_times_ms=[np.asarray(times, dtype=float) + 3000 for times in trains],
        failed=np.array([i in reasons for i in range(len(trains))]),
        reasons=reasons,
        time_ms=np.zeros(0),
        V_mV=np.zeros((len(trains), 0), dtype=np.float32),
        duration_ms=6000.0,
        transient_ms=3000.0,
        dt_ms=0.02,
        accuracy="standard",
        noise_sigma=np.zeros(len(trains)),
    )


def regular(period: float) -> np.ndarray:
    return np.arange(10.0, 2990.0, period)


def bursts(period: float = 300.0, spikes: int = 5, isi: float = 10.0) -> np.ndarray:
    return np.concatenate([start + isi * np.arange(spikes) for start in np.arange(20.0, 2800.0, period)])


def test_the_recording_itself_scores_one_and_passes() -> None:
    for times in (regular(100.0), bursts()):
        verdict = verify(SpikeTrain("cell", times), simulated(times))
        row = verdict.table.iloc[0]
        assert row["score"] == pytest.approx(1.0)
        assert row["passed"]
        assert row["reasons"] == ""
        assert row["rate_error"] == pytest.approx(0.0)
        assert row["van_rossum"] == pytest.approx(0.0, abs=1e-6)


def test_a_member_at_the_tolerance_scores_a_half_and_one_beyond_falls_with_a_reason() -> None:
    rule = PassRule(rate=0.1, isi=0.0953101798)  # ln 1.1: both errors of a period 10 % shorter
    recording = SpikeTrain("cell", regular(110.0))
    verdict = verify(recording, simulated(regular(100.0), regular(90.0)), rule)
    assert verdict.table["score"].iloc[0] == pytest.approx(2 ** (-2 / 3), abs=0.01)
    assert not verdict.passed[1]
    assert "rate off by 22 %" in verdict.table["reasons"].iloc[1]


def test_a_wrong_pattern_a_silent_member_and_a_failed_one_fall() -> None:
    recording = SpikeTrain("cell", bursts())
    members = simulated(regular(60.0), np.zeros(0), np.zeros(0), reasons={2: "the voltage ran away"})
    table = verify(recording, members).table
    assert list(table["passed"]) == [False] * 3
    assert table["reasons"].iloc[0].startswith("spiking instead of bursting")
    assert table["reasons"].iloc[1].startswith("silent instead of bursting")
    assert table["reasons"].iloc[2] == "the voltage ran away"
    assert table["score"].iloc[2] == 0.0
    assert (table["score"] < 0.5).all()


def test_burst_features_count_for_bursting_recordings_only() -> None:
    longer = verify(SpikeTrain("cell", bursts(spikes=5)), simulated(bursts(spikes=8))).table.iloc[0]
    assert longer["spikes_per_burst_error"] == pytest.approx(0.6)
    assert not longer["passed"]
    tonic = verify(SpikeTrain("cell", regular(100.0)), simulated(regular(100.0))).table.iloc[0]
    assert np.isnan(tonic["spikes_per_burst_error"])


def test_shifting_the_recording_in_time_changes_nothing() -> None:
    times = bursts()
    members = simulated(bursts(period=310.0))
    one = verify(SpikeTrain("cell", times), members).table
    other = verify(SpikeTrain("cell", times + 12345.0), members).table
    np.testing.assert_allclose(one["score"], other["score"])
    np.testing.assert_allclose(one["van_rossum"], other["van_rossum"], rtol=1e-6)


def test_a_silent_recording_cannot_be_compared() -> None:
    with pytest.raises(SpikeTrainError, match="silent"):
        verify(SpikeTrain("cell", [1.0, 2.0]), simulated(regular(100.0)))


def test_r_vr_is_one_for_siblings_and_less_for_better_members() -> None:
    recording = SpikeTrain("cell", regular(100.0))
    siblings = [regular(104.0), regular(97.0)]
    assert van_rossum_ratio(recording, siblings, siblings) == pytest.approx(1.0)
    assert van_rossum_ratio(recording, [regular(100.1)], siblings) < 0.3
    with pytest.raises(SpikeTrainError):
        van_rossum_ratio(recording, [], siblings)


def test_the_rule_is_said_in_words_and_checked() -> None:
    assert "20 %" in PassRule().describe()
    with pytest.raises(ValueError, match="greater than 0"):
        PassRule(rate=0.0)


def test_some_tolerances_of_the_rule_can_be_ones_own() -> None:
    assert pass_rule() == REFINED_RULE
    assert pass_rule(False) == PassRule()
    assert pass_rule(rate=0.5) == REFINED_RULE.model_copy(update={"rate": 0.5})
    assert pass_rule(False, isi=0.1, burst=0.2) == PassRule(isi=0.1, burst=0.2)
    with pytest.raises(ValueError, match="greater than 0"):
        pass_rule(rate=-1.0)


def test_a_clock_of_the_right_rate_passes_for_an_irregular_recording_and_a_burster_does_not() -> None:
    isi_ms = np.random.default_rng(3).gamma(25.0, 2.4, 60)
    recording = SpikeTrain("cell", np.cumsum(isi_ms))
    members = simulated(regular(isi_ms.mean()), np.cumsum(np.resize([12.0, 12.0, 156.0], 50)))
    verdict = verify(recording, members, PassRule(rate=0.2))
    assert verdict.passed.tolist() == [True, False]
    assert "bursting instead of spiking" in verdict.table["reasons"].iloc[1]
    assert str(verdict.recording.pattern) == "spiking"
