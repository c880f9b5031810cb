"""What changed between two recordings: told where it can be, and not where it cannot."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb import SpikeTrain, compare_recordings, generate_population, simulate
from spike2pop_nb.conductances import Inhibition, Population
from spike2pop_nb.errors import Cancelled, ExperimentError, PredictorError, SpikeTrainError
from spike2pop_nb.experiments import Comparison, block, comparing, constant_current, potassium, scale, step
from spike2pop_nb.experiments.changes import NOISE, applied, candidates, hypotheses
from spike2pop_nb.inference import load_atlas
from spike2pop_nb.neurons import get_neuron

STG = get_neuron("stg")
ROW = 3  # a member of the atlas


def train_of(name: str, seed: int, *, row: int = ROW, seconds: float = 12.0, **changes: float) -> SpikeTrain:
    """Fire a member of the atlas whose conductances are multiplied."""
    known = load_atlas("stg").members
    x = np.concatenate([known.g[row], [known.current[row], known.noise_sigma[row]]]).astype(float)
    names = candidates(STG)
    by = np.zeros(len(names))
    for channel, factor in changes.items():
        by[names.index(channel)] = np.log(factor)
    x = applied(x, by)
    run = simulate(
        x[None, :-2],
        STG,
        current=x[-2],
        noise_sigma=x[-1],
        seed=seed,
        transient_ms=3000,
        duration_ms=3000 + 1000 * seconds,
        record="spikes",
    )
    return SpikeTrain(name, run.spike_times_ms[0] - 3000.0, (0.0, 1000 * seconds))


@pytest.fixture(scope="module")
def bursting() -> int:
    """A row of the atlas that fires fast, with little noise."""
    known = load_atlas("stg").members
    quiet = np.flatnonzero((known.noise_sigma < 1.0) & (np.abs(known.current) < 1.0))
    for row in quiet.tolist():
        train = train_of("x", 1, row=row, seconds=6.0)
        if train.n_spikes > 100 and np.std(np.diff(train.times_ms)) > np.mean(np.diff(train.times_ms)):
            return int(row)
    raise AssertionError("no such member")


@pytest.fixture(scope="module")
def compared(bursting: int) -> Comparison:
    """A bursting cell before and after most of its CaS was lost."""
    before = train_of("control", 1, row=bursting)
    after = train_of("drug", 2, row=bursting, CaS=0.35)
    return compare_recordings(before, after, "stg", size=4, seed=1)


def test_changes_are_applied_to_members() -> None:
    x = np.array([[1.0, 2.0, 0.5, 3.0]])
    by = np.array([[np.log(2.0), 0.0, -1.0, -4.0]])
    np.testing.assert_allclose(applied(x, by), [[2.0, 2.0, -0.5, 0.0]])  # no noise is less than none


def test_hypotheses_are_nothing_one_or_two() -> None:
    found = hypotheses(4)
    assert found[0] == ()
    assert len(found) == len(set(found)) == 1 + 4 + 6


def test_a_clear_change_is_told_and_its_probabilities_add_up(compared: Comparison) -> None:
    table = compared.to_frame()
    assert sum(compared.shares.values()) == pytest.approx(1.0)
    assert table["probability"].between(0.0, 1.0).all()
    assert table["rank"].tolist() == list(range(1, 11))
    assert (table["probability"].diff().dropna() <= 1e-12).all()
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()
    assert compared.verdict != "unchanged"
    assert "CaS" in table["what"].head(3).tolist()
    assert any("CaS" in one for one in compared.alike)


def test_the_set_is_the_most_probable_explanations(compared: Comparison) -> None:
    shares = list(compared.shares.values())
    assert shares == sorted(shares, reverse=True)
    assert compared.alike == tuple(compared.shares)[: len(compared.alike)]


def test_pairs_are_the_same_members_with_little_changed(compared: Comparison) -> None:
    pairs = compared.pairs
    assert pairs is not None
    assert len(pairs.before) == len(pairs.after) == len(pairs.table) <= 4
    for row, told in pairs.table.iterrows():
        changed = {name for name in candidates(STG) if f"change_{name}" in pairs.table}
        for name in changed:
            neutral = 1.0 if name in STG.channel_names else 0.0
            if name not in str(told["explanation"]).split(" and "):
                assert told[f"change_{name}"] == pytest.approx(neutral)
        factors = pairs.after.g[row] / pairs.before.g[row]
        wanted = [told[f"change_{name}"] for name in STG.channel_names]
        np.testing.assert_allclose(factors, wanted)


def test_members_said_to_fire_alike_do(compared: Comparison) -> None:
    from spike2pop_nb.fidelity import Variability
    from spike2pop_nb.fidelity.evolution import window_ms

    pairs = compared.pairs
    assert pairs is not None
    own = Variability.of(compared.after, longest_ms=20_000)
    run = simulate(
        pairs.after,
        transient_ms=3000,
        duration_ms=3000 + window_ms(compared.after, own),
        accuracy="screening",
        record="spikes",
    )
    found = np.array([own.distance(times) for times in run.spike_times_ms])
    near = pairs.table["distance_after"].to_numpy() < 50
    np.testing.assert_allclose(found[near], pairs.table["distance_after"].to_numpy()[near])


def test_paths_lead_from_the_dics_before_to_those_after(compared: Comparison) -> None:
    pairs, paths = compared.pairs, compared.paths()
    assert pairs is not None
    np.testing.assert_allclose(paths[:, 0], pairs.before.table[["g_s", "g_u"]])
    np.testing.assert_allclose(paths[:, -1], pairs.after.table[["g_s", "g_u"]])


def test_the_same_seed_gives_the_same_whatever_the_workers(
    bursting: int, compared: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    again = compare_recordings(compared.before, compared.after, "stg", size=4, seed=1)
    assert again.shares == compared.shares
    pd.testing.assert_frame_equal(again.to_frame(), compared.to_frame())
    assert again.pairs is not None
    assert compared.pairs is not None
    pd.testing.assert_frame_equal(again.pairs.table, compared.pairs.table)


def test_a_cell_that_only_fires_with_other_noise_is_unchanged(bursting: int) -> None:
    before, after = (train_of(name, seed, row=bursting) for name, seed in (("control", 1), ("wash", 5)))
    found = compare_recordings(before, after, "stg", size=0)
    assert found.verdict == "unchanged"
    assert "unchanged" in found.describe()
    assert found.pairs is None
    assert found.paths().shape == (0, 21, 2)


def test_the_same_spikes_are_said_to_be_the_same() -> None:
    train = train_of("control", 1)
    found = compare_recordings(train, dataclasses.replace(train, id="copy"), "stg", size=0)
    assert found.verdict == "unchanged"
    assert found.unchanged == 1.0
    assert "same spikes" in found.describe()


def test_a_cell_that_fell_silent_has_an_answer(bursting: int) -> None:
    before = train_of("control", 1, row=bursting)
    found = compare_recordings(before, SpikeTrain("drug", [], (0.0, 12_000.0)), "stg", size=2, seed=1)
    assert found.verdict != "unchanged"
    assert found.pairs is not None
    assert found.to_frame()["reaches_dics"].isna().all()


def test_what_is_known_is_done_first(bursting: int) -> None:
    before = train_of("control", 1, row=bursting)
    after = train_of("drug", 2, row=bursting, CaS=0.35)
    plain = compare_recordings(before, after, "stg", size=0)
    found = compare_recordings(before, after, "stg", size=0, known=block("CaS", 0.65))
    assert found.unchanged > plain.unchanged
    assert found.to_frame().set_index("what").loc["CaS", "probability"] == 0.0  # beyond what is known
    other = plain.shares[("A", "CaS")] if ("A", "CaS") in plain.shares else plain.shares[("CaS", "A")]
    assert found.shares[("A",)] / found.shares[()] == pytest.approx(other / plain.shares[("CaS",)])
    assert "Known of the second recording: 65 % of CaS is blocked" in found.describe()


def test_a_population_may_be_given() -> None:
    train, after = train_of("control", 1), train_of("drug", 2, H=0.4)
    known = load_atlas("stg").members
    members = Population.from_g(
        STG, known.g[[ROW]], current=known.current[[ROW]], noise_sigma=known.noise_sigma[[ROW]]
    )
    found = compare_recordings(train, after, "stg", population=members)
    assert found.pairs is not None
    assert found.pairs.before is members


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ([block("A", 0.5), scale("A", 2.0)], "contradict each other: A is named more than once"),
        (
            [constant_current(1.0), constant_current(2.0)],
            "contradict each other: the current is named more than once",
        ),
        (step(1.0, 0, 1000), "holds throughout"),
        (block("CaX", 0.5), "CaX"),
        (block("leak", 1.0), "leak"),
    ],
)
def test_known_changes_that_cannot_be_are_one_sentence(known: object, words: str) -> None:
    train = train_of("control", 1)
    with pytest.raises(Exception, match=words) as caught:
        compare_recordings(train, train, "stg", known=known, size=0)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_bad_input_is_one_sentence() -> None:
    train, silent = train_of("control", 1), SpikeTrain("silent", [1.0, 2.0])
    with pytest.raises(SpikeTrainError, match="'silent', the one before, is silent"):
        compare_recordings(silent, train, "stg")
    with pytest.raises(SpikeTrainError, match="are needed to say how it varies"):
        compare_recordings(SpikeTrain("short", [0.0, 50.0, 100.0, 150.0]), train, "stg")
    with pytest.raises(SpikeTrainError, match="Both recordings are named 'control'"):
        compare_recordings(train, train_of("control", 2), "stg")
    with pytest.raises(ExperimentError, match="The size must be a whole number from 0"):
        compare_recordings(train, train, "stg", size=-1)
    with pytest.raises(ExperimentError, match="The population is of the neuron 'stg'"):
        compare_recordings(
            train, train, "da", population=generate_population("stg", (4.0, 5.0), size=1, seed=1)
        )
    follower = Population.from_g(
        STG, load_atlas("stg").members.g[[ROW]], inhibition=Inhibition.of(0.1, 900, 0.5)
    )
    with pytest.raises(ExperimentError, match="follow a rhythmic inhibition"):
        compare_recordings(train, train, "stg", population=follower)


def test_a_neuron_without_an_atlas_is_one_sentence(without_atlases: None) -> None:
    train = SpikeTrain("a", np.arange(0.0, 9000.0, 77.0))
    with pytest.raises(PredictorError, match="There is no atlas of the neuron 'stg'"):
        compare_recordings(train, train, "stg", size=0)


def test_it_can_be_cancelled(bursting: int) -> None:
    before = train_of("control", 1, row=bursting)
    after = train_of("drug", 2, row=bursting, CaS=0.35)
    said: list[str] = []
    with pytest.raises(Cancelled):
        compare_recordings(
            before,
            after,
            "stg",
            size=4,
            progress=lambda done, total, words: said.append(words),
            cancel=lambda: any(words.startswith("Changing") for words in said),
        )


def test_potassium_may_be_known_and_moves_no_conductance(bursting: int, compared: Comparison) -> None:
    assert compared.pairs is not None
    before, after = (train_of(name, seed, row=bursting) for name, seed in (("control", 1), ("other", 2)))
    members = compared.pairs.before.select([0, 1])  # of the same control
    found = compare_recordings(before, after, "stg", population=members, known=potassium(1.1))
    assert NOISE in found.to_frame()["what"].tolist()


def test_fewer_members_than_asked_for_are_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    two = generate_population("stg", (4.0, 5.0), 2, seed=1)
    found = SimpleNamespace(population=two, outcome="the budget of 900 simulations is spent.")
    monkeypatch.setattr(comparing, "find_population", lambda *_given, **_options: found)
    asked = (SpikeTrain("cell", np.arange(1.0, 20.0)), two.neuron, None)
    assert comparing._found(*asked, 3, 1, None) == (
        two,
        ["2 of the 3 members asked for were found: the budget of 900 simulations is spent."],
    )
    assert comparing._found(*asked, 2, 1, None) == (two, [])
