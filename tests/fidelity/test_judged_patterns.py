"""Fixed tolerances are not misled by a rule that calls every irregular recording bursting."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.fidelity import PassRule, Summaries, judged_features, verify
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import FiringPattern, SpikeTrain, features


def irregular(cv: float = 0.2, n: int = 60) -> SpikeTrain:
    isi_ms = np.random.default_rng(3).gamma(cv**-2, 60.0 * cv**2, n)
    return SpikeTrain("cell", np.concatenate([[0.0], np.cumsum(isi_ms)]))


def bursts() -> SpikeTrain:
    return SpikeTrain("cell", np.concatenate([at + np.array([0, 10, 20.0]) for at in range(0, 4000, 400)]))


def simulated(*trains: np.ndarray) -> Simulated:
    return Simulated(
        neuron=get_neuron("stg"),
        labels=[("cell", i) for i in range(len(trains))],
        spike_times_ms=list(trains),
        failed=np.zeros(len(trains), dtype=bool),
        reasons={},
        time_ms=np.zeros(0),
        V_mV=np.zeros((len(trains), 0), dtype=np.float32),
        duration_ms=5000.0,
        transient_ms=0.0,
        dt_ms=0.02,
        accuracy="standard",
        noise_sigma=np.zeros(len(trains)),
    )


@pytest.mark.parametrize("train", [bursts(), SpikeTrain("cell", np.arange(0, 3000, 60.0))])
def test_where_the_published_rule_is_right_it_tells(train: SpikeTrain) -> None:
    assert judged_features(train) is features


def test_a_clock_of_the_right_rate_passes_for_an_irregular_recording_and_a_burster_does_not() -> None:
    train = irregular()
    assert features(train).pattern is FiringPattern.BURSTING
    assert judged_features(train)(train).pattern is FiringPattern.SPIKING
    clock = np.arange(0.0, 4000.0, train.isi_ms.mean())
    short_long = np.cumsum(np.resize([12.0, 12.0, 156.0], 66))
    verdict = verify(train, simulated(clock, short_long), PassRule(rate=0.2))
    assert verdict.passed.tolist() == [True, False]
    assert "bursting instead of spiking" in verdict.table["reasons"].iloc[1]
    assert verdict.recording.pattern is FiringPattern.SPIKING


def test_intervals_that_no_clock_comes_near_are_matched_by_their_spread_too() -> None:
    assert Summaries.of(irregular(), PassRule(rate=0.2)).names == ("rate_hz",)
    assert Summaries.of(irregular(0.6), PassRule(rate=0.2)).names == ("rate_hz", "cv")
