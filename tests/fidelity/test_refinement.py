"""Refinement: members are brought to the recording, stay different, and nothing is lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_search import Around, recording_of

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.fidelity import (
    REFINED_RULE,
    PassRule,
    Summaries,
    diversity,
    find_population,
    refine_members,
)
from spike2pop_nb.fidelity.refinement import cross_members
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain, features


@pytest.mark.parametrize("target", [(-10.0, 5.0), (5.0, 6.0)])
def test_a_refined_population_fires_like_the_recording_and_stays_different(
    target: tuple[float, float],
) -> None:
    train = recording_of("stg", target)
    result = find_population(train, "stg", Around(target), size=16, seed=3)
    assert result.verdict is not None
    assert result.n_kept_passed == 16
    assert result.verdict.table["rate_error"].median() <= 0.01
    assert result.verdict.rule == REFINED_RULE
    assert result.n_simulated > result.n_tried
    assert result.unrefined is not None
    assert result.diversity is not None
    assert result.diversity.effective_sample_size == 16
    assert result.diversity.least_spread > 0.5
    plain = find_population(train, "stg", Around(target), size=16, seed=3, refine=False)
    assert plain.verdict is not None
    assert plain.unrefined is None
    assert plain.n_simulated == plain.n_tried
    assert plain.verdict.table["rate_error"].median() > result.verdict.table["rate_error"].median()
    for name in ("rate_error", "van_rossum"):
        assert result.verdict.table[name].mean() < plain.verdict.table[name].mean()


def test_what_a_recording_is_matched_by_follows_its_pattern() -> None:
    tonic = SpikeTrain("t", np.arange(20) * 50.0)
    bursts = SpikeTrain("b", np.concatenate([at + np.array([0, 10, 20.0]) for at in range(0, 4000, 400)]))
    irregular = SpikeTrain("i", np.cumsum(np.random.default_rng(0).gamma(3, 20, 80)))
    rule = PassRule(rate=0.01, burst=0.05)
    assert Summaries.of(tonic, rule).names == ("rate_hz",)
    assert Summaries.of(bursts, rule).names == ("inter_burst_hz", "intra_burst_hz", "spikes_per_burst")
    assert Summaries.of(irregular, rule).names == ("rate_hz", "cv")
    for train in (tonic, bursts, irregular):
        own = Summaries.of(train, rule)
        assert own.misfit(own.measure([train.times_ms]))[0] == pytest.approx(0.0, abs=1e-9)
        assert np.isinf(own.misfit(own.measure([np.zeros(0)]))[0])
        assert (own.tolerance < [rule.burst]).all()


@given(slopes=st.lists(st.floats(0.3, 1.5), min_size=3, max_size=3), seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_members_of_a_neuron_whose_rate_is_a_power_law_all_arrive(slopes: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    g = np.exp(0.2 * rng.standard_normal((40, 3)))

    def fire(members: np.ndarray) -> list[np.ndarray]:
        rates = 10.0 * np.prod(members ** np.array(slopes), axis=1)
        return [np.arange(30) * 1000.0 / rate for rate in rates]

    train = SpikeTrain("cell", np.arange(30) * 80.0)
    summaries = Summaries.of(train, REFINED_RULE)
    refined = refine_members(g, fire(g), summaries, fire)
    assert refined.arrived.all()
    np.testing.assert_array_equal(refined.y, summaries.measure(refined.spike_times_ms))
    assert list(refined.origin) == list(range(40))
    for times in refined.spike_times_ms:
        assert features(times).rate_hz == pytest.approx(12.5, rel=0.01)
    for times, again in zip(refined.spike_times_ms, fire(refined.g), strict=True):
        np.testing.assert_array_equal(times, again)


def test_too_few_members_or_simulations_change_nothing() -> None:
    members = generate_population("stg", (-10.0, 5.0), size=4, seed=0).g
    spikes = simulate(members, "stg", record="spikes").spike_times_ms
    summaries = Summaries.of(SpikeTrain("cell", spikes[0]), REFINED_RULE)

    def never(_members: np.ndarray) -> list[np.ndarray]:
        raise AssertionError

    few = refine_members(members, spikes, summaries, never)
    np.testing.assert_array_equal(few.g, members)
    assert few.n_simulated == 0
    many = np.repeat(members, 10, axis=0)
    none = refine_members(many, spikes * 10, summaries, never, most_simulations=0)
    np.testing.assert_allclose(none.g, many, rtol=1e-12)


def test_the_budget_holds(neuron: NeuronModel) -> None:
    target = (neuron.baseline.g_s, neuron.baseline.g_u)
    train = recording_of(neuron.name, target)
    result = find_population(train, neuron, Around(target, 0.1), size=8, seed=1, budget=50, rule=REFINED_RULE)
    assert result.n_simulated <= 50
    assert result.usable
    # and where members are moved by evolution
    evolved = find_population(train, neuron, Around(target, 0.1), size=8, seed=1, budget=50, rule="own")
    assert evolved.n_simulated <= 50


def test_diversity_tells_copies_from_members() -> None:
    population = generate_population("stg", (-10.0, 5.0), size=8, seed=0)
    own = diversity(population)
    assert own.n == own.n_distinct == 8
    assert 1.0 <= own.dimensions <= 8.0
    assert np.isnan(own.least_spread)
    copies = population.select([0, 0, 1, 1, 2, 2, 3, 3])
    against = diversity(copies, population)
    assert against.effective_sample_size == 4
    assert diversity(population, population).least_spread == pytest.approx(1.0)
    assert "of the unrefined population's" in against.describe()
    with pytest.raises(CompensationError, match="two members"):
        diversity(population.select([0]))
    with pytest.raises(CompensationError, match="da neuron"):
        diversity(population, generate_population("da", (0.5, 5.0), size=2, seed=0))


def test_crosses_among_the_kept_are_counted() -> None:
    train = recording_of("stg", (-10.0, 5.0))
    hard = PassRule(rate=1e-5, burst=5e-4)
    result = find_population(train, "stg", Around((-10.0, 5.0)), size=40, seed=1, rule=hard)
    assert result.population is not None
    assert 0 < result.n_crosses < 40
    assert result.population.made_by["kept_crosses"] == result.n_crosses
    assert find_population(train, "stg", Around((-10.0, 5.0)), size=4, seed=1, refine=False).n_crosses == 0


@given(seed=st.integers(0, 1000), n=st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_crosses_are_positive_new_and_lack_what_their_parents_lack(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    g = np.exp(rng.standard_normal((6, 4)))
    g[:, 1] = 0.0
    crosses = cross_members(g, n, np.random.default_rng(seed))
    assert crosses.shape == (n, 4)
    assert (crosses[:, [0, 2, 3]] > 0).all()
    assert (crosses[:, 1] == 0).all()
    assert not (crosses[:, None] == g[None]).all(axis=2).any()
    assert len(cross_members(g[:2], n, rng)) == 0
