"""Choices of compensated conductances, ranked for a target."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import baseline_population, compensate, rank_choices, solvable_pairs
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel, vary_neuron


class Sampler:
    mean = np.array([-8.0, 7.0])

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal(self.mean, (0.7, 1.5), (n, 2))


@pytest.fixture
def near(neuron: NeuronModel, step: tuple[float, float]) -> tuple[float, float]:
    return neuron.baseline.g_s + 0.5 * step[0], neuron.baseline.g_u + 0.5 * step[1]


def test_every_solvable_pair_is_ranked_once(neuron: NeuronModel, near: tuple[float, float]) -> None:
    ranking = rank_choices(neuron, near, n=64)
    assert sorted(choice.compensate for choice in ranking.choices) == sorted(solvable_pairs(neuron))
    untied = [choice.score for choice in ranking.choices if not choice.tied]
    assert untied == sorted(untied, reverse=True)
    assert ranking.best.tied
    assert all(0 <= choice.within <= choice.reached <= 1 for choice in ranking.choices)
    published = ranking.published
    assert published is not None
    assert set(published.compensate) == set(neuron.recommend(*near))
    frame = ranking.to_frame()
    assert len(frame) == len(ranking)
    assert frame["why"].iloc[0] == "recommended"


def test_the_score_is_what_it_says(neuron: NeuronModel, near: tuple[float, float]) -> None:
    target = near
    choice = rank_choices(neuron, target, n=128, seed=3).best
    rng = np.random.default_rng(3)
    base, _ = baseline_population(neuron, 128, rng)
    solved = compensate(neuron, base, choice.compensate, {"g_s": target[0], "g_u": target[1]})
    index = [neuron.index(name) for name in choice.compensate]
    top = [neuron.conductance_range[name][1] for name in choice.compensate]
    assert choice.reached == solved.valid.mean()
    assert choice.within == (solved.valid & (solved.g[:, index] <= top).all(axis=1)).mean()
    moved = np.abs(solved.g - base)[:, index] / np.median(base[:, index], axis=0)
    assert choice.moved == pytest.approx(np.median(moved.mean(axis=1)[solved.valid]))
    assert choice.score == pytest.approx(choice.within / ((1 + choice.moved) * np.sqrt(choice.condition)))


def test_the_reason_names_the_first_and_the_published_choice() -> None:
    ranking = rank_choices("stg", Sampler())
    assert ranking.best.name == "CaS and H"
    assert ranking.describe().startswith("CaS and H comes first: it brings ")
    assert "also the choice of the published heuristic" in ranking.describe()
    # in the dopaminergic neuron CaL would have to leave its range
    other = rank_choices("da", (-2.3, 6.8))
    assert other.best.name == "CaN and ERG"
    assert other.published is not None
    assert other.published.name == "CaL and ERG"
    assert "The published heuristic takes CaL and ERG, which stands at place" in other.describe()


def test_the_published_choice_comes_first_among_equals() -> None:
    ranking = rank_choices("stg", (9.4, 2.3), n=64)
    tied = [choice for choice in ranking.choices if choice.tied]
    assert ranking.choices[: len(tied)] == tuple(tied)
    if any(choice.published for choice in tied):
        assert ranking.best.published


def test_the_same_seed_gives_the_same_ranking() -> None:
    one, two = (rank_choices("stg", Sampler(), n=64, seed=5) for _ in range(2))
    assert one.to_frame().equals(two.to_frame())
    cloud = np.random.default_rng(0).normal((-8, 7), 0.1, (50, 2))
    assert rank_choices("stg", cloud, n=64).best.name == "CaS and H"


def test_a_variation_is_ranked_as_such() -> None:
    declared = rank_choices("stg", (-5, 5), n=64)
    varied = rank_choices(vary_neuron("stg", V_th_mV=-48), (-5, 5), n=64)
    assert declared.best.condition != varied.best.condition


def test_out_of_reach_is_said() -> None:
    ranking = rank_choices("stg", (-500.0, 5.0), n=64)
    assert ranking.best.score == 0
    assert ranking.describe().startswith("No choice brings members to these DICs with conductances within")


def test_bad_targets_are_refused() -> None:
    with pytest.raises(CompensationError, match="not a finite number"):
        rank_choices("stg", (np.nan, 1.0))
    with pytest.raises(CompensationError, match="one pair"):
        rank_choices("stg", (1.0, 2.0, 3.0))
    with pytest.raises(CompensationError, match="one pair"):
        rank_choices("stg", np.zeros((0, 2)))
    with pytest.raises(CompensationError, match="at least 64 members, not 3"):
        rank_choices("stg", (1.0, 2.0), n=3)
