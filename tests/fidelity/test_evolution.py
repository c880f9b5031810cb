"""Members found by evolution, with a current and noise, for recordings that are no clocks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb.conductances import Inhibition, Population
from spike2pop_nb.errors import CompensationError, SpikeTrainError
from spike2pop_nb.export import methods_paragraph
from spike2pop_nb.fidelity import PassRule, Result, Variability, find_population, rule_in_words, verify
from spike2pop_nb.fidelity.evolution import Evolution, window_ms
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.simulation import Simulated, simulate
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains

REAL = Path(__file__).resolve().parents[3] / "shared" / "real"
PRINZ = np.array([[400, 2.5, 6, 50, 10, 100, 0.01, 0.01]])


@pytest.fixture(scope="module")
def cell() -> SpikeTrain:
    """A pyloric neuron with noise."""
    run = simulate(PRINZ, "pyloric", noise_sigma=3.0, seed=2, duration_ms=7_000, record="spikes")
    return SpikeTrain("cell", run.spike_times_ms[0])


@pytest.fixture(scope="module")
def found(cell: SpikeTrain) -> Result:
    return find_population(cell, "pyloric", size=4, seed=1, budget=8000)


def test_a_neuron_without_a_network_has_members_within_the_recordings_variability(
    cell: SpikeTrain, found: Result
) -> None:
    assert found.usable
    assert found.posterior is None
    assert found.population is not None
    assert found.verdict is not None
    rule = found.verdict.rule
    assert isinstance(rule, Variability)
    assert found.n_kept_passed == 4 == len(found.population)
    table = found.verdict.table
    assert (table["distance"] <= 1).all()
    assert (table["windows_within"] > 0.5).all()
    assert "within its own variability" in found.outcome
    # with noise that neither moved nor judged them, windows of the recording's length mostly pass
    passed = [
        verify(cell, run, rule, with_van_rossum=False).passed
        for run in (
            simulate(
                found.population,
                seed=seed,
                duration_ms=window_ms(cell, rule),
                record="spikes",
            )
            for seed in (11, 12, 13)
        )
    ]
    assert np.mean(passed) >= 0.5


def test_members_are_simulated_again_as_they_were_judged(found: Result) -> None:
    population, simulated = found.population, found.simulated
    assert population is not None
    assert population.driven
    again = simulate(
        population, transient_ms=simulated.transient_ms, duration_ms=simulated.duration_ms, record="spikes"
    )
    for kept, repeated in zip(simulated.spike_times_ms, again.spike_times_ms, strict=True):
        np.testing.assert_array_equal(kept, repeated)


def test_what_drives_members_survives_a_file(found: Result, tmp_path: Path) -> None:
    assert found.population is not None
    for suffix, write, read in (
        ("csv", Population.to_csv, Population.from_csv),
        ("parquet", Population.to_parquet, Population.from_parquet),
    ):
        path = tmp_path / f"members.{suffix}"
        write(found.population, path)
        back = read(path)
        np.testing.assert_array_equal(back.current, found.population.current)
        np.testing.assert_array_equal(back.noise_sigma, found.population.noise_sigma)
        np.testing.assert_array_equal(back.noise_seeds, found.population.noise_seeds)


def test_the_same_seed_gives_the_same_members(cell: SpikeTrain, found: Result) -> None:
    again = find_population(cell, "pyloric", size=4, seed=1, budget=8000)
    assert again.population is not None
    assert found.population is not None
    pd.testing.assert_frame_equal(again.population.table, found.population.table)
    assert again.verdict is not None
    assert found.verdict is not None
    pd.testing.assert_frame_equal(again.verdict.table, found.verdict.table)


def test_a_member_that_cannot_be_simulated_is_said_to_have_failed(cell: SpikeTrain) -> None:
    run = simulate(np.vstack([PRINZ, -PRINZ]), "pyloric", duration_ms=7_000, record="spikes")
    table = verify(cell, run, Variability.of(cell), with_van_rossum=False).table
    assert table["pattern"].tolist()[1] == "failed"
    assert "negative" in table["reasons"].tolist()[1]
    assert not table["passed"].tolist()[1]


def test_what_cannot_be_reached_is_said_early_with_what_stands_in_the_way() -> None:
    clock = SpikeTrain("fast", np.cumsum(np.random.default_rng(1).normal(4.0, 0.3, 400)))
    result = find_population(clock, "pyloric", size=4, seed=1)
    assert not result.usable
    assert result.population is None
    assert re.search(r"off by [\d.]+ times the tolerance in its|try another neuron", result.outcome)
    assert result.n_simulated < 12_800


def test_the_rule_follows_the_recording_unless_one_is_named(cell: SpikeTrain) -> None:
    steady = SpikeTrain("clock", np.arange(30) * 100.0)
    with pytest.raises(SpikeTrainError, match="percentage such as 1%"):
        rule_in_words("about 5")
    with pytest.raises(SpikeTrainError, match="no tolerance by number"):
        rule_in_words("own", rate=0.1)
    assert rule_in_words(None) is None
    assert rule_in_words("own") == "own"
    assert rule_in_words("5 %", burst=0.1) == PassRule(rate=0.05, burst=0.1)

    class Nowhere:
        def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
            return np.tile([4.0, 5.0], (n, 1))

    judged = find_population(steady, "stg", Nowhere(), size=1, budget=32).verdict
    assert judged is not None
    assert isinstance(judged.rule, PassRule)


def test_members_are_the_same_with_and_without_what_the_network_says(cell: SpikeTrain) -> None:
    said = load_predictor("pyloric").predict([cell])[0]
    options = {"size": 2, "seed": 1, "budget": 1500}
    alone, told = (find_population(cell, "pyloric", posterior, **options) for posterior in (None, said))
    assert alone.options == told.options
    assert alone.n_tried == told.n_tried
    assert alone.population is not None
    assert told.population is not None
    np.testing.assert_array_equal(alone.population.g, told.population.g)


def test_a_distribution_of_the_users_own_counts(cell: SpikeTrain) -> None:
    class Own:
        def sample(self, n: int, seed: object = 0) -> np.ndarray:
            return np.tile([-1.0, 0.2], (n, 1))

    found = find_population(cell, "pyloric", Own(), size=1, seed=1, budget=600, rule="own")
    assert found.options["posterior_share"] == 0.25


def test_members_are_judged_many_at_a_time_and_few_are_tried(
    cell: SpikeTrain, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[int] = []
    simulated = Evolution.simulate

    def counted(self: Evolution, x: np.ndarray, *given: Any, **options: Any) -> Simulated:
        if given[1] == "standard":
            judged.append(len(x))
        return simulated(self, x, *given, **options)

    monkeypatch.setattr(Evolution, "simulate", counted)
    found = find_population(cell, "pyloric", size=16, seed=1)
    assert found.n_kept_passed == 16
    assert found.n_tried <= 1024  # 1920 where no move was told before it was made
    assert len(judged) - 1 <= 6  # and the traces of those kept; 13 where each was judged at once
    assert found.n_passed >= 24  # some to spare, so that the nearest are kept


@pytest.fixture(scope="module")
def follower() -> SpikeTrain:
    """A pyloric neuron that bursts on the rebound from an inhibition, with noise."""
    quiet = np.array([[300, 2.5, 4, 50, 5, 75, 0.03, 0.02]])
    inhibition = Inhibition.of(0.15, 1000.0, 0.6)
    run = simulate(
        quiet,
        "pyloric",
        current=0.5,
        noise_sigma=0.5,
        inhibition=inhibition,
        seed=2,
        duration_ms=10_000,
        record="spikes",
    )
    return SpikeTrain("follower", run.spike_times_ms[0])


def test_a_cell_that_follows_a_rhythm_has_members_that_do(follower: SpikeTrain) -> None:
    found = find_population(follower, "pyloric", size=4, seed=1, rule="own", inhibition=True)
    assert found.n_kept_passed == 4
    assert found.population is not None
    assert found.verdict is not None
    assert isinstance(found.verdict.rule, Variability)
    given = found.population.inhibition
    assert given is not None
    assert (given.conductance > 0).all()
    period_ms = np.exp(found.verdict.rule.wanted[0])
    np.testing.assert_allclose(given.period_ms, period_ms)
    assert f"each with a rhythmic inhibition every {period_ms:.0f} ms;" in found.outcome
    assert found.options["inhibition"] == {
        "period_ms": pytest.approx(period_ms),
        "E_mV": -80.0,
        "generations_without": 0,
    }
    text = methods_paragraph(found)
    assert "also received a rhythmic inhibition with the recording’s burst period" in text
    assert "Prinz AA, Bucher D" in text
    bare = Population(
        found.population.neuron,
        found.population.table.assign(inhibition_mS_cm2=0.0),
        found.population.made_by,
    )
    with_it, without = (
        verify(follower, simulate(members, duration_ms=8_000, record="spikes"), found.verdict.rule)
        for members in (found.population, bare)
    )
    assert with_it.passed.sum() > without.passed.sum()


@pytest.mark.parametrize("atlas", [True, False])
def test_members_receive_the_current_that_is_known(
    cell: SpikeTrain, atlas: bool, request: pytest.FixtureRequest
) -> None:
    if not atlas:
        request.getfixturevalue("without_atlases")
    found = find_population(cell, "pyloric", size=4, seed=1, budget=12_000, current=-0.25)
    assert found.n_kept_passed == 4
    assert found.population is not None
    assert found.population.current.tolist() == [-0.25] * 4
    assert len(set(found.population.noise_sigma)) > 1
    assert "each with the current that is known, −0.25 µA/cm²" in found.outcome
    assert "a constant injected current (−0.25 µA/cm², which is known)" in methods_paragraph(found)


def test_a_known_current_with_which_none_fires_is_named(cell: SpikeTrain) -> None:
    found = find_population(cell, "pyloric", size=1, seed=1, current=-50)
    assert not found.usable
    assert "pyloric neuron tried with this current" in found.outcome
    assert found.outcome.endswith("try another neuron, or leave the current unknown.")


def test_a_known_current_is_one_of_members_judged_by_the_recordings_variability(cell: SpikeTrain) -> None:
    clock = SpikeTrain("clock", np.arange(0.0, 5000.0, 100.0))
    none = find_population(clock, "stg", size=1, seed=1, current=0)
    assert none.options["pass_rule"] == find_population(clock, "stg", size=1, seed=1).options["pass_rule"]
    with pytest.raises(
        CompensationError, match=r"by a percentage receive no current, and 0\.5 µA/cm² is known"
    ):
        find_population(clock, "stg", rule=PassRule(), current=0.5)
    for bad in (101.0, np.inf, "0", True):
        with pytest.raises(CompensationError, match="known current must be a number from −100 to 100 µA/cm²"):
            find_population(cell, "pyloric", current=bad)  # type: ignore[arg-type]


def test_members_are_inhibited_only_where_they_do_not_burst_otherwise(
    cell: SpikeTrain, found: Result, follower: SpikeTrain
) -> None:
    assert found.options["inhibition"] is None
    tonic = SpikeTrain("tonic", np.cumsum(np.random.default_rng(1).gamma(20, 5, 100)))
    asked = find_population(tonic, "pyloric", size=1, seed=1, rule="own", inhibition=True)
    assert asked.options["inhibition"] is None  # it has no rhythm
    refused = find_population(follower, "pyloric", size=1, seed=1, rule="own", inhibition=False, budget=1500)
    assert refused.options["inhibition"] is None
    assert "rhythmic inhibition" not in refused.outcome


def test_what_stays_far_off_by_itself_is_soon_tried_with_inhibition() -> None:
    rng = np.random.default_rng(1)
    onsets = np.cumsum(2200.0 + 130.0 * rng.normal(size=16))
    bursts = [np.cumsum(60.0 + 6.0 * rng.normal(size=n)) for n in rng.integers(7, 10, size=16)]
    slow = SpikeTrain("slow", np.concatenate([on + burst for on, burst in zip(onsets, bursts, strict=True)]))
    found = find_population(slow, "pyloric", size=1, seed=2, budget=1200, rule="own")
    assert found.options["inhibition"]["generations_without"] == 2


@pytest.mark.skipif(not REAL.is_dir(), reason="needs recordings of real cells beside this repository")
def test_a_real_follower_is_found_with_inhibition_after_a_search_without() -> None:
    train = read_spike_trains(REAL / "crab_LP_10s.txt", unit="s")[0]
    found = find_population(train, "pyloric", size=4, seed=1)
    assert found.n_kept_passed == 4
    assert found.options["inhibition"]["generations_without"] == 5
    assert "without one, none came within it" in found.outcome


@pytest.mark.usefixtures("without_atlases")
def test_a_recording_too_short_to_vary_is_no_search() -> None:
    short = SpikeTrain("short", np.array([0.0, 50.0, 130.0, 170.0, 260.0]))
    result = find_population(short, "pyloric", size=4)
    assert not result.usable
    assert "are needed to say how it varies" in result.outcome


def test_a_search_that_is_cancelled_keeps_what_it_has(cell: SpikeTrain) -> None:
    result = find_population(cell, "pyloric", size=4, cancel=lambda: True)
    assert not result.usable
    assert result.cancelled
    assert "it was cancelled" in result.outcome
    assert "another neuron" not in result.outcome  # none was tried


@pytest.mark.skipif(not REAL.is_dir(), reason="the recordings of real cells are not beside this project")
@pytest.mark.parametrize(
    ("name", "neuron"),
    [("gnb_PD_5_bursts", "pyloric"), ("crayfish_15s", "pyloric"), ("SNr_tonic_CV0.166", "da")],
)
def test_real_cells_have_populations(name: str, neuron: str) -> None:
    train = read_spike_trains(REAL / f"{name}.txt", unit="s")[0]
    found = find_population(train, neuron, size=16, seed=1)
    assert found.n_kept_passed == 16
