"""No two members of a population are alike, however hard it is to find."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_search import Around, recording_of

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.data import example_path
from spike2pop_nb.fidelity import (
    LEAST_DISTANCE,
    PassRule,
    Result,
    diversity,
    find_population,
    least_distance,
)
from spike2pop_nb.fidelity import rounds as searching
from spike2pop_nb.fidelity.distinct import distinct, near_pairs
from spike2pop_nb.fidelity.rounds import apart
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.spiketrains import read_spike_trains


def distances(g: np.ndarray) -> np.ndarray:
    """The largest difference of ln ḡ over channels, of each pair; an absent channel is like itself alone."""
    out = np.full((len(g), len(g)), np.inf)
    for i, a in enumerate(g):
        for j, b in enumerate(g):
            both = (a > 0) & (b > 0)
            if i != j and np.array_equal(a > 0, b > 0):
                out[i, j] = np.abs(np.log(a[both] / b[both])).max(initial=0.0)
    return out


@given(seed=st.integers(0, 10_000), n=st.integers(0, 14))
@settings(max_examples=60, deadline=None)
def test_what_is_kept_is_different_and_what_is_not_is_like_something_kept(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    g = np.exp(0.02 * rng.standard_normal((n, 2))).repeat(2, axis=0)[:, [0, 1, 1]]
    g[rng.random(2 * n) < 0.3, 2] = 0.0
    kept, apart_by = distinct(g), distances(g)
    assert (apart_by[np.ix_(kept, kept)] >= LEAST_DISTANCE - 1e-12).all()
    for row in np.flatnonzero(~kept):
        assert apart_by[row, :row][kept[:row]].min() < LEAST_DISTANCE + 1e-12
    if n > 1:
        assert least_distance(g) == pytest.approx(min(apart_by.min(), 1e6), abs=1e-9)
    assert np.isnan(least_distance(g[:1]))


def test_members_made_independently_are_different(neuron: NeuronModel) -> None:
    target = (neuron.baseline.g_s, neuron.baseline.g_u)
    g = generate_population(neuron, target, size=16, seed=0).g
    assert distinct(g).all()
    # where two conductances are free, sixteen members lie nearer to each other
    assert least_distance(g) > (3 if len(neuron.baseline.free) > 2 else 1) * LEAST_DISTANCE


def test_moves_that_bring_members_together_are_not_made() -> None:
    before = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    after = np.array([[0.999, 0.0], [1.0, 0.0], [2.5, 0.0], [2.501, 0.0]])
    good = apart(before, after, np.array([True, False, True, False]))
    assert good.tolist() == [False, False, True, False]
    assert apart(before, after, np.ones(4, dtype=bool)).tolist() == [False, False, False, False]
    assert not len(near_pairs(np.exp(before)))


def test_near_copies_do_not_count_in_the_diversity() -> None:
    members = generate_population("stg", (-10.0, 5.0), size=4, seed=0)
    g = np.concatenate([members.g, members.g[:2] * 1.005])
    found = diversity(Population.from_g(members.neuron, g))
    assert (found.n, found.n_distinct) == (6, 4)
    assert found.least_distance == pytest.approx(np.log(1.005))
    assert "the nearest two differ by 0.5 % in some conductance" in found.describe()


def all_different(results: Iterable[Result]) -> None:
    for result in results:
        assert result.population is not None
        assert distances(result.population.g).min() >= LEAST_DISTANCE
        assert result.diversity is not None
        assert result.diversity.n_distinct == len(result.population)


def test_a_recording_found_by_crosses_of_crosses_has_no_member_twice() -> None:
    (train,) = (train for train in read_spike_trains(example_path("stg_set.csv")) if train.id == "5")
    result = find_population(train, "stg", size=16, seed=0)
    assert result.n_crosses > 8
    assert result.n_kept_passed == 16
    all_different([result])


def test_copies_are_replaced_by_other_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    train = recording_of("stg", (-10.0, 5.0))
    plain = find_population(train, "stg", Around((-10.0, 5.0)), size=8, seed=1, refine=False)
    generate = generate_population

    def doubled(neuron, target, size, *args, **options):  # type: ignore[no-untyped-def]
        made = generate(neuron, target, (size + 1) // 2, *args, **options)
        return made.select([*range(len(made)), *range(len(made))][:size])

    monkeypatch.setattr(searching, "generate_population", doubled)
    result = find_population(train, "stg", Around((-10.0, 5.0)), size=8, seed=1, refine=False)
    assert result.n_kept_passed == 8
    assert result.reasons["likeness to another member"] > 0
    assert result.n_tried > plain.n_tried / 2
    assert result.n_passed + sum(result.reasons.values()) == result.n_tried
    all_different([result, plain])


def test_fewer_members_than_asked_are_said_to_be_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    train = recording_of("stg", (-10.0, 5.0))
    generate = generate_population

    def same(neuron, target, size, *args, **options):  # type: ignore[no-untyped-def]
        return generate(neuron, (-10.0, 5.0), 3, seed=0).select(np.arange(size) % 3)

    monkeypatch.setattr(searching, "generate_population", same)
    for rule in (PassRule(rate=0.5, isi=1.0, burst=0.9), PassRule(rate=1e-9)):
        result = find_population(
            train, "stg", Around((-10.0, 5.0)), size=6, budget=64, refine=False, rule=rule
        )
        assert result.population is not None
        assert len(result.population) == 3
        assert "Only 3 are kept, since the others tried are too like them." in result.outcome
        assert "6 were asked for, but the budget of 64 simulations was spent" in result.outcome
        assert ("marked as not passed" in result.outcome) == (result.n_kept_passed < 3)
        all_different([result])
