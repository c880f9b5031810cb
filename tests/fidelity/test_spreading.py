"""Spread: what it is measured against, who is kept for it, and how members are moved apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_search import Around, recording_of

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.fidelity import REFINED_RULE, Result, Summaries, find_population
from spike2pop_nb.fidelity.differences import beyond_range
from spike2pop_nb.fidelity.proposals import Moving
from spike2pop_nb.fidelity.spreading import choose_spread, spread_ratio, spread_step
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.spiketrains import SpikeTrain


@given(seed=st.integers(0, 1000), n_more=st.integers(0, 30))
@settings(max_examples=25, deadline=None)
def test_those_kept_are_never_less_spread_than_the_first(seed: int, n_more: int) -> None:
    rng = np.random.default_rng(seed)
    unrefined = np.exp(rng.standard_normal((40, 4)))
    unrefined[:, 3] = 0.01
    g = np.exp(0.5 * rng.standard_normal((8 + n_more, 4)))
    kept = choose_spread(g, 8, unrefined, goal=1.0)
    assert len(set(kept)) == 8
    assert (np.diff(kept) > 0).all()
    before, after = (np.nanmin(spread_ratio(g[rows], unrefined)) for rows in (np.arange(8), kept))
    assert after >= before
    assert np.isnan(spread_ratio(g, unrefined)[3])
    np.testing.assert_array_equal(choose_spread(g, 8, unrefined, goal=0.0), np.arange(8))


@given(seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_members_move_apart_as_far_as_is_wanted_and_no_channel_narrows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal((30, 4)) @ rng.standard_normal((4, 4))
    ratio = np.array([0.9, 1.2, 0.8, np.nan])
    by = spread_step(theta, ratio, most=2.0)
    np.testing.assert_allclose(by.mean(axis=0), 0.0, atol=1e-9)
    grown = (theta + by).std(axis=0) / theta.std(axis=0)
    assert (grown[:3] * ratio[:3] >= 1.0 - 1e-6).all()
    assert (grown >= 1.0 - 1e-9).all()
    assert not by[:, 3].any()
    assert not spread_step(theta, np.full(4, 1.1)).any(), "they are spread enough"
    lacking = theta.copy()
    lacking[0, 0] = -np.inf
    assert not spread_step(lacking, ratio)[:, 0].any(), "an absent channel stays absent"


def bursts(per_burst: int, period_ms: float) -> np.ndarray:
    return np.concatenate([at * period_ms + 10.0 * np.arange(per_burst) for at in range(12)])


def test_members_with_other_spikes_per_burst_are_brought_in_but_not_made_the_same() -> None:
    def fire(g: np.ndarray) -> list[np.ndarray]:
        return [bursts(max(int(4 * a), 1), 400.0 * b) for a, b in g]

    rng = np.random.default_rng(0)
    g = np.column_stack([rng.uniform(0.5, 1.5, 60), rng.uniform(0.8, 1.2, 60)])
    summaries = Summaries.of(SpikeTrain("cell", bursts(4, 380.0)), REFINED_RULE)
    assert list(summaries.held) == [False, False, True]
    members = Moving(g, fire(g), summaries, fire)
    assert 5 < members.within().sum() < 30
    before = members.within()
    brought = members.bring_in(summaries.within, np.zeros((0, 2)), 60)
    assert members.within().sum() > before.sum() + 8
    np.testing.assert_array_equal(members.within(), before | brought)
    np.testing.assert_array_equal(np.exp(members.theta[before]), np.exp(np.log(g))[before])
    assert len(np.unique(members.theta, axis=0)) == 60
    assert members.n_simulated <= 2 * 60
    assert not Summaries.of(SpikeTrain("cell", bursts(20, 900.0)), REFINED_RULE).held.any()


@pytest.fixture(scope="module")
def burster() -> Result:
    train = recording_of("da", (-3.0, 5.0))
    return find_population(train, "da", Around((-3.0, 5.0), 0.5), size=8, seed=2)


def test_a_bursting_da_population_is_found_and_stays_spread(burster: Result) -> None:
    assert burster.n_kept_passed == 8
    assert burster.verdict is not None
    assert burster.verdict.passed.all()
    assert (burster.verdict.table["pattern"] == "bursting").all()
    assert burster.diversity is not None
    assert burster.diversity.n_distinct == 8
    assert burster.diversity.least_spread >= 0.8
    assert burster.n_simulated <= 512


def test_conductances_above_what_is_declared_are_counted() -> None:
    da = get_neuron("da")
    g = generate_population("da", (0.5, 5.0), size=4, seed=0).g
    assert beyond_range(da, g) == {}
    g[:2, da.index("Kd")] = 21.0
    assert beyond_range(da, g) == {"Kd": 2}
