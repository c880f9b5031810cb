"""The search for members that fire like a recording, with a stand-in posterior around known DICs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import CompensationError, UnreachableTarget
from spike2pop_nb.fidelity import PassRule, Result, find_population, judged_by_rule, pass_rule, verify
from spike2pop_nb.neurons import get_neuron, vary_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain


@dataclass
class Around:
    """A Gaussian posterior."""

    mean: tuple[float, float]
    width: float = 0.3

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        return np.asarray(self.mean) + self.width * np.random.default_rng(seed).standard_normal((n, 2))


def recording_of(neuron: str, dics: tuple[float, float]) -> SpikeTrain:
    member = generate_population(neuron, dics, size=1, seed=5)
    return SpikeTrain("cell", simulate(member, record="spikes").spike_times_ms[0])


@pytest.fixture(scope="module")
def burster() -> Result:
    train = recording_of("stg", (-10.0, 5.0))
    said: list[str] = []
    result = find_population(
        train, "stg", Around((-10.0, 5.0)), size=6, seed=1, progress=lambda d, t, words: said.append(words)
    )
    assert any("Simulating" in words for words in said)
    return result


def test_the_kept_members_all_pass_and_agree_across_tables(burster: Result) -> None:
    assert burster.usable
    assert burster.n_kept_passed == 6
    assert burster.verdict is not None
    assert burster.population is not None
    assert len(burster.population) == len(burster.simulated) == len(burster.verdict.table) == 6
    assert burster.verdict.passed.all()
    assert list(burster.population.table["member"]) == list(range(6))
    assert burster.n_tried >= burster.n_passed >= 6
    assert sum(burster.reasons.values()) == burster.n_tried - burster.n_passed
    assert "fire like the recording" in burster.outcome
    again = simulate(burster.population, record="spikes", duration_ms=6300.0, transient_ms=3000.0)
    for kept, repeated in zip(burster.simulated.spike_times_ms, again.spike_times_ms, strict=True):
        shared = kept[kept < 6250.0]
        np.testing.assert_array_equal(shared, repeated[: len(shared)])


def test_the_population_is_degenerate(burster: Result) -> None:
    assert burster.population is not None
    g = burster.population.g
    assert (g.std(axis=0) / g.mean(axis=0) > 0.03).all()


def test_the_same_seed_gives_the_same_population(burster: Result) -> None:
    again = find_population(burster.recording, "stg", Around((-10.0, 5.0)), size=6, seed=1)
    assert again.population is not None
    assert burster.population is not None
    np.testing.assert_array_equal(again.population.g, burster.population.g)
    other = find_population(burster.recording, "stg", Around((-10.0, 5.0)), size=6, seed=2)
    assert other.population is not None
    assert not np.array_equal(other.population.g, burster.population.g)


def test_when_the_budget_is_spent_the_rest_is_marked_as_not_passed(burster: Result) -> None:
    strict = PassRule(rate=1e-6, isi=1e-6, burst=1e-6)
    result = find_population(
        burster.recording, "stg", Around((-10.0, 5.0)), size=4, seed=1, budget=8, rule=strict
    )
    assert result.usable
    assert result.n_tried == 8
    assert result.n_passed == 0
    assert result.verdict is not None
    assert not result.verdict.passed.any()
    assert "budget of 8" in result.outcome
    scores = result.verdict.table["score"].to_numpy()
    assert (np.diff(scores) <= 1e-9).all()


def test_a_silent_recording_gets_a_sentence_and_no_population() -> None:
    result = find_population(SpikeTrain("quiet", [10.0, 20.0]), "stg", Around((0.0, 5.0)))
    assert not result.usable
    assert result.population is None
    assert "silent" in result.outcome


def test_cancel_keeps_what_is_done(burster: Result) -> None:
    polls = iter(range(10_000))
    at_once = find_population(
        burster.recording, "stg", Around((-10.0, 5.0)), size=4, cancel=lambda: next(polls) >= 0
    )
    assert at_once.cancelled
    assert not at_once.usable
    strict = PassRule(rate=1e-6, burst=1e-6)
    rounds: list[str] = []

    def later() -> bool:
        return sum("Simulating" in words for words in rounds) >= 2

    some = find_population(
        burster.recording,
        "stg",
        Around((-10.0, 5.0)),
        size=4,
        rule=strict,
        progress=lambda d, t, words: rounds.append(words),
        cancel=later,
    )
    assert some.cancelled
    assert some.usable
    assert some.population is not None
    assert len(some.population) == 4


def test_what_a_cancelled_search_says_of_many_members_is_what_verifying_them_says(burster: Result) -> None:
    rounds: list[str] = []
    many = find_population(
        burster.recording,
        "stg",
        Around((-10.0, 5.0)),
        size=70,
        progress=lambda d, t, words: rounds.append(words),
        cancel=lambda: any("Refining" in words for words in rounds),
    )
    assert many.cancelled
    assert many.simulated.V_mV.size == 0
    again = verify(many.recording, many.simulated, many.verdict.rule, with_van_rossum=False)
    pd.testing.assert_frame_equal(many.verdict.table, again.table, check_dtype=False)
    assert len(many.population) == len(many.simulated) == 70
    assert many.verdict.recording == again.recording


@pytest.mark.parametrize("size", [0, -1, 10**9, 2.5])
def test_an_impossible_size_is_refused(size: float) -> None:
    train = SpikeTrain("cell", np.arange(20) * 100.0)
    with pytest.raises(CompensationError, match="size"):
        find_population(train, "stg", Around((0.0, 5.0)), size=size)  # type: ignore[arg-type]


def test_a_budget_below_the_size_and_choices_that_cannot_work_are_refused() -> None:
    train = SpikeTrain("cell", np.arange(20) * 100.0)
    with pytest.raises(CompensationError, match="budget"):
        find_population(train, "stg", Around((0.0, 5.0)), size=8, budget=4)
    with pytest.raises(CompensationError, match=r"judged at .*'screening' serves only to find them"):
        find_population(train, "stg", Around((0.0, 5.0)), accuracy="screening")
    with pytest.raises(CompensationError, match="no channel"):
        find_population(train, "stg", Around((0.0, 5.0)), compensate=("CaS", "Nix"))
    with pytest.raises(CompensationError, match="cannot set"):
        find_population(train, "stg", Around((0.0, 5.0)), compensate=("Na", "Kd"))
    with pytest.raises(UnreachableTarget, match="does not reach"):
        find_population(train, "stg", Around((-18.0, 18.0)), compensate=("A", "H"))


@dataclass
class Lost:
    """A posterior whose draws are out of reach after a number of them."""

    mean: tuple[float, float]
    n_reached: int
    drawn: int = 0

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        self.drawn += n
        return np.tile(self.mean if self.drawn <= self.n_reached else (-18.0, 18.0), (n, 1))


@pytest.mark.parametrize("refine", [True, False])
def test_draws_that_get_out_of_reach_end_a_search_with_what_it_found(refine: bool) -> None:
    strict = PassRule(rate=1e-12, isi=1e-12)
    lost = Lost((5.0, 6.0), 40)
    train = recording_of("stg", (5.0, 6.0))
    result = find_population(
        train, "stg", lost, size=4, seed=1, compensate=("A", "H"), refine=refine, rule=strict
    )
    assert lost.drawn > 40
    assert result.usable
    assert result.population is not None
    assert len(result.population) == 4
    assert result.n_tried >= 32
    assert "no more could be generated" in result.outcome
    assert "does not reach this target" in result.exhausted
    assert result.outcome.endswith(result.exhausted)
    assert not result.cancelled


def test_dics_of_another_threshold_are_pointed_out() -> None:
    varied = vary_neuron("stg", V_th_mV=-49)
    train = SpikeTrain("x", np.arange(40) * 100.0)
    with pytest.warns(
        UserWarning, match="declared threshold, -51 mV; here they are taken for those at -49 mV"
    ):
        find_population(train, varied, size=1, budget=1)


def test_a_few_intervals_that_vary_are_not_matched_to_a_per_cent() -> None:
    model = get_neuron("da")
    irregular = SpikeTrain("irregular", np.cumsum([70.0, 280, 189, 173, 170, 344, 98, 238, 143]))
    result = find_population(irregular, model, Around((5.0, 5.0)), size=2)
    assert not result.usable
    assert "has 8 intervals; 10 are needed to say how it varies" in result.outcome
    assert "They vary too much (CV 0.36)" in result.outcome
    wide = PassRule(rate=0.2)
    assert judged_by_rule(irregular, model, rule=wide) is wide
    regular = SpikeTrain("regular", np.cumsum([70.0, 200, 204, 198, 190, 201]))
    assert judged_by_rule(regular, model) == pass_rule(True)


def test_two_bursts_far_apart_are_no_rhythm_of_a_network_either() -> None:
    burst = np.cumsum(np.resize([30.0, 45, 38, 52, 33], 60))
    train = SpikeTrain("far apart", np.concatenate([burst, 45_000.0 + burst]))
    result = find_population(train, "stg", Around((5.0, 5.0)), size=2)
    assert not result.usable
    assert "2 are needed to say how it varies" in result.outcome
    near = SpikeTrain("near", np.concatenate([burst[:20], 1500.0 + burst[:3]]))
    assert judged_by_rule(near, get_neuron("stg")) == pass_rule(True)
