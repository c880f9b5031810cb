"""Fixed tolerances are not misled by a rule that calls every irregular recording bursting."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.fidelity import PassRule, Summaries, judged_features
from spike2pop_nb.spiketrains import FiringPattern, SpikeTrain, features


def irregular(cv: float = 0.2, n: int = 60) -> SpikeTrain:
    isi_ms = np.random.default_rng(3).gamma(cv**-2, 60.0 * cv**2, n)
    return SpikeTrain("cell", np.concatenate([[0.0], np.cumsum(isi_ms)]))


def bursts() -> SpikeTrain:
    return SpikeTrain("cell", np.concatenate([at + np.array([0, 10, 20.0]) for at in range(0, 4000, 400)]))


@pytest.mark.parametrize("train", [bursts(), SpikeTrain("cell", np.arange(0, 3000, 60.0))])
def test_where_the_published_rule_is_right_it_tells(train: SpikeTrain) -> None:
    assert judged_features(train) is features


def test_only_what_falls_into_bursts_is_one_beside_an_irregular_recording() -> None:
    tell = judged_features(irregular())
    assert features(irregular()).pattern is FiringPattern.BURSTING
    assert tell(irregular()).pattern is FiringPattern.SPIKING
    assert tell(bursts().times_ms).pattern is FiringPattern.BURSTING


def test_intervals_that_no_clock_comes_near_are_matched_by_their_spread_too() -> None:
    assert Summaries.of(irregular(), PassRule(rate=0.2)).names == ("rate_hz",)
    assert Summaries.of(irregular(0.6), PassRule(rate=0.2)).names == ("rate_hz", "cv")
