"""Which experiment next, what it tells, and a population narrowed by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import CompensationError, ExperimentError, NeuronModelError
from spike2pop_nb.experiments import (
    Feasible,
    Protocol,
    Target,
    block,
    constant_current,
    feasible_experiments,
    narrow,
    next_experiments,
    priced,
    read_prices,
    run_experiment,
    temperature,
)
from spike2pop_nb.experiments.information import Shown, about_members, about_target, recording_noise
from spike2pop_nb.experiments.observed import MEASURES, Answers, observe_train
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.spiketrains import SpikeTrain


@pytest.fixture(scope="module")
def population() -> Population:
    return generate_population("stg", (5.0, 5.0), size=16, seed=1)


def shown(values: np.ndarray, sd: float, kinds: np.ndarray | None = None) -> Shown:
    n = len(values)
    table = np.full((n, len(MEASURES)), np.nan)
    table[:, 0] = values
    kinds = np.ones(n, dtype=np.int64) if kinds is None else kinds
    return Shown(kinds, table, np.full(n, 1.0 / n), np.full(len(MEASURES), sd), 0.0)


# what is read off a recording


def test_a_recording_shows_rate_and_bursts() -> None:
    kind, values = observe_train(np.arange(5.0, 2000.0, 50.0), (0.0, 2000.0))
    assert kind == 1
    assert np.exp(values[0]) == pytest.approx(20.0)
    bursts = np.concatenate([start + np.array([0.0, 5.0, 10.0]) for start in range(10, 4000, 200)])
    kind, values = observe_train(bursts, (0.0, 4000.0))
    assert kind == 2
    assert np.exp(values[[0, 2, 3, 4, 5]]) == pytest.approx([15.0, 200.0, 10.0, 3.0, 200.0])
    kind, values = observe_train(np.array([10.0]), (0.0, 1000.0))
    assert kind == 0
    assert np.isnan(values).all()


def test_noise_is_what_two_recordings_differ_by() -> None:
    rng = np.random.default_rng(0)
    first = np.full((400, 1, len(MEASURES)), np.nan)
    second = first.copy()
    first[:, 0, 0], second[:, 0, 0] = rng.normal(0, 0.3, 400), rng.normal(0, 0.3, 400)
    kinds, others = np.ones((400, 1), dtype=np.int64), np.ones((400, 1), dtype=np.int64)
    others[:100] = 2
    noise = recording_noise(Answers(kinds, first), Answers(others, second))
    assert noise.sd[0, 0] == pytest.approx(np.hypot(0.3, 0.04), rel=0.08)
    assert noise.sd[0, 1] == 0.04  # of what neither shows, what none can tell
    assert noise.slips[0] == pytest.approx(0.25, abs=0.01)


# bits


@pytest.mark.parametrize(("share", "sd"), [(0.0, 0.3), (0.5, 0.5), (0.8, 0.4), (0.98, 0.1)])
def test_bits_about_a_target_are_those_known(share: float, sd: float) -> None:
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        target = rng.standard_normal(64)
        answers = shown(share * target + np.sqrt(1 - share**2) * rng.standard_normal(64), sd)
        found.append(about_target(answers, target[:, None], seed=seed))
    known = -0.5 * np.log2(1 - share**2 / (1 + sd**2))
    assert np.mean(found) == pytest.approx(known, abs=0.1 + 0.1 * known)


def test_patterns_that_split_a_target_tell_a_bit() -> None:
    target = np.random.default_rng(0).uniform(-1, 1, 128)
    answers = shown(np.full(128, np.nan), 0.04, np.where(np.abs(target) > 0.5, 2, 0))
    assert 0.8 < about_target(answers, target[:, None]) <= 1.05
    labels = (target > 0).astype(np.int64)
    assert about_target(answers, np.zeros((128, 0)), labels) < 0.1


def test_bits_about_members_grow_with_their_spread() -> None:
    answers = np.random.default_rng(0).standard_normal(64)
    found = [about_members(shown(spread * answers, 0.1)) for spread in (0.0, 0.1, 0.4, 2.0)]
    assert found[0] == pytest.approx(0.0, abs=1e-9)
    assert np.all(np.diff(found) > 0)
    assert found[-1] < np.log2(64)
    alone = Shown(
        *(getattr(shown(answers, 0.1), name) for name in ("kinds", "values")),
        np.eye(64)[0],
        np.full(6, 0.1),
        0.0,
    )
    assert about_members(alone) == 0.0


# what can be done


def test_a_rig_does_what_the_neuron_declares() -> None:
    names = [one.name for one in feasible_experiments("stg")]
    assert not any(name.startswith("temperature") for name in names)
    assert "block leak 1" not in names
    warm = feasible_experiments("stg", rate_q10=2.0, conductance_q10=1.3, declared_C=11.0)
    assert len(warm) == len(names) + 4
    assert {one.kind for one in feasible_experiments("pyloric")} >= {"temperature", "buffer", "block"}
    assert not any(one.kind == "buffer" for one in feasible_experiments("fs"))
    for one in warm:
        one.protocol.check(get_neuron("stg"), 1, 3000.0)


def test_prices_are_those_of_the_longest_name(tmp_path: Path) -> None:
    table = tmp_path / "prices.csv"
    table.write_text("experiment,price\nblock,20\nblock A,7\nblock A 1,\ncurrent,0.5\n")
    own = {one.name: one.price for one in priced(feasible_experiments("stg"), read_prices(table))}
    assert own["block H 1"] == 20
    assert own["block A 0.5"] == 7
    assert "block A 1" not in own
    assert own["current 2"] == 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,price\nblock,2\n", "needs the columns"),
        ("experiment,price\nblock,dear\n", "row 2: 'dear' is no price"),
        ("experiment,price\nlesion,2\n", "no experiment 'lesion'"),
        ("experiment,price\nblock,-2\n", "must be above zero"),
    ],
)
def test_prices_that_are_none_are_refused(tmp_path: Path, text: str, words: str) -> None:
    table = tmp_path / "prices.csv"
    table.write_text(text)
    with pytest.raises(ExperimentError, match=words):
        priced(feasible_experiments("stg"), read_prices(table))
    with pytest.raises(ExperimentError, match="no such file"):
        read_prices(tmp_path / "none.csv")
    with pytest.raises(ExperimentError, match="No experiment is left"):
        priced([Feasible("current 1", constant_current(1))], {"current": np.inf})


# which next


@pytest.mark.parametrize(
    "text", ["", "conductance", "answer:block:0.5", "answer:block=A", "dics:1", "answer:cut=A:1"]
)
def test_targets_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match="A target is"):
        Target.parsed(text)


def test_the_first_is_what_members_answer_differently(population: Population) -> None:
    rig = [
        Feasible("nothing", constant_current(0.0), 1.0),
        Feasible("split", block("A", 0.5), 10.0),
        Feasible("silence", block("Na", 1.0), 10.0),
    ]
    found = next_experiments(population, experiments=rig, duration_ms=2000, seed=3)
    table = found.to_frame()
    assert found.best.name == "split"
    assert found.bits[0] > 0.5 > found.bits[1] >= found.bits[2]
    assert table["bits_per_price"].tolist() == pytest.approx(
        (found.bits / [one.price for one in found.experiments]).tolist()
    )
    assert table[["silent", "tonic", "bursting"]].sum(axis=1).tolist() == pytest.approx([1.0] * 3)
    assert "split is expected to tell the most" in found.describe()
    again = next_experiments(population, experiments=rig, duration_ms=2000, seed=3)
    assert again.bits.tolist() == found.bits.tolist()


def test_the_price_can_turn_the_order(population: Population) -> None:
    rig = [Feasible("current 4", constant_current(4.0), 1.0), Feasible("split", block("A", 0.5), 1000.0)]
    found = next_experiments(population, experiments=rig, by="bits_per_price", duration_ms=2000)
    assert found.best.name == "current 4"
    assert "for its price" in found.describe()


def test_other_targets(population: Population) -> None:
    rig = [Feasible("current 4", constant_current(4.0)), Feasible("split", block("A", 0.5))]
    for target in ("conductance:A", "dics", "answer:block=H:1"):
        found = next_experiments(population, target, experiments=rig, duration_ms=1500)
        assert np.all(found.bits >= 0)
        assert found.target.describe() in found.describe()
    own = next_experiments(population, "answer:block=A:0.5", experiments=rig, duration_ms=1500)
    assert [one.name for one in own.experiments] == ["current 4"]
    with pytest.raises(NeuronModelError, match="Nap"):
        next_experiments(population, "conductance:Nap", experiments=rig)


def test_which_neuron_it_is(population: Population) -> None:
    other = generate_population("da", (2.0, 3.0), size=6, seed=1)
    rig = [Feasible("current 1", constant_current(1.0)), Feasible("current -2", constant_current(-2.0))]
    found = next_experiments(
        [population.select(range(6)), other], "neuron", experiments=rig, duration_ms=1500
    )
    assert len(found.neurons) == 12
    assert found.weights.sum() == pytest.approx(1.0)
    with pytest.raises(ExperimentError, match="two or more neurons"):
        next_experiments(population, "neuron", experiments=rig)
    with pytest.raises(ExperimentError, match="give one"):
        next_experiments([population, other], experiments=rig)


def test_few_members_are_refused(population: Population) -> None:
    with pytest.raises(ExperimentError, match="4 of them"):
        next_experiments(population.select([0, 1, 2]))


def test_of_many_members_some_are_drawn(population: Population) -> None:
    table = population.table.assign(weight=[1.0] * 8 + [0.0] * 8)
    weighted = Population(population.neuron, table)
    found = next_experiments(
        weighted, experiments=[Feasible("up", constant_current(2.0))], most=6, duration_ms=1000
    )
    assert len(found.population) <= 6
    assert set(found.population.table["member"]) <= set(range(8))


# narrowing


def cell(population: Population, row: int, protocol: Protocol, seed: int = 5) -> SpikeTrain:
    made = run_experiment(
        population.select([row]),
        {"cell": protocol},
        duration_ms=3000,
        transient_ms=4200,
        seed=seed,
        record="spikes",
    )
    return made.train("cell", 0)


def test_a_recording_leaves_the_members_that_answer_so(population: Population) -> None:
    protocol = block("A", 0.5)
    found = narrow(population, protocol, cell(population, 3, protocol))
    assert found.weights[3] >= 0.9 * found.weights.max()
    assert found.n_effective < 12
    assert found.bits > 0.3
    assert found.population.weights.sum() == pytest.approx(1.0)
    assert len(found.population) == found.to_frame()["remains"].sum() < 16
    again = narrow(found.population, constant_current(4), cell(population, 3, constant_current(4)))
    assert again.n_effective < found.n_effective
    assert len(again.population.made_by["narrowed_by"]) == 2


def test_what_no_member_does_is_refused(population: Population) -> None:
    bursts = np.concatenate([start + np.array([0.0, 5.0, 10.0, 15.0]) for start in range(10, 3000, 300)])
    with pytest.raises(ExperimentError, match="no member is"):
        narrow(population, constant_current(4), SpikeTrain("odd", bursts, (0.0, 3000.0)))
    fast = SpikeTrain("fast", np.arange(3.0, 3000.0, 5.0), (0.0, 3000.0))
    with pytest.raises(ExperimentError, match="no member answers like"):
        narrow(population, constant_current(4), fast)
    with pytest.raises(ExperimentError, match="50 ms long"):
        narrow(population, constant_current(4), SpikeTrain("short", [1.0, 5.0, 9.0], (0.0, 50.0)))
    with pytest.raises(ExperimentError, match="has one"):
        narrow(population.select([0]), constant_current(4), fast)
    with pytest.raises(ExperimentError, match="Q10"):
        narrow(population, temperature(20.0, declared_C=11.0), fast)


def test_weights_survive_files(population: Population, tmp_path: Path) -> None:
    weighted = Population(population.neuron, population.table.assign(weight=np.arange(16.0)))
    weighted.to_csv(tmp_path / "population.csv")
    read = Population.from_csv(tmp_path / "population.csv")
    assert read.weights.tolist() == pytest.approx((np.arange(16.0) / 120).tolist())
    assert population.weights.tolist() == [1 / 16] * 16
    both = Population.joined([weighted.select([3, 5]), population.select([0])])
    assert both.weights.tolist() == pytest.approx([0.25, 5 / 12, 1 / 3])
    for bad, words in (([-1.0] * 16, "a weight must be"), ([0.0] * 16, "every weight is zero")):
        with pytest.raises(CompensationError, match=words):
            Population.from_frame(weighted.to_frame().assign(weight=bad))


def test_labels_say_the_unit_of_the_dose_and_leave_other_names_alone() -> None:
    labels = {one.name: one.label for one in feasible_experiments("pyloric")}
    assert labels["block CaT 1"] == "block CaT 100 %"
    assert labels["current -4"] == "current −4 µA/cm²"
    assert labels["potassium 0.5"] == "potassium × 0.5"
    assert labels["temperature 16"] == "temperature 16 °C"
    assert labels["pulses inhibitory"] == "pulses inhibitory"
    assert Feasible("split", constant_current(1.0)).label == "split"
