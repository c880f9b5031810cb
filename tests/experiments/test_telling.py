"""What tells changes is learned once, kept, and read again the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spike2pop_nb.errors import Cancelled
from spike2pop_nb.experiments import change_learning as learning
from spike2pop_nb.experiments import telling
from spike2pop_nb.experiments.changes import (
    ChangedTrains,
    applied,
    candidates,
    hypotheses,
    limits,
    recorded,
    simulated_changes,
    simulated_pairs,
)
from spike2pop_nb.inference import load_atlas
from spike2pop_nb.neurons import NeuronModel, get_neuron

STG = get_neuron("stg")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Little is learned, and kept in a folder of its own."""
    monkeypatch.setattr(learning, "_STEPS", 30)
    monkeypatch.setattr("spike2pop_nb.inference.weight_files.SHIPPED_ATLASES", tmp_path / "none")
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def atlas():
    return load_atlas("stg")


def test_it_is_learned_kept_and_read_again_the_same(
    quick: Path, atlas: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "load_atlas", lambda _neuron: atlas)
    said: list[str] = []
    made = telling.make_teller("stg", size=12, progress=lambda done, total, words: said.append(words))
    assert any("Simulating members before and after changes" in words for words in said)
    read = telling.load_teller("stg")
    times = np.arange(0.0, 9000.0, 70.0)
    first, again = made.told(times, 1.2 * times), read.told(times, 1.2 * times)
    np.testing.assert_array_equal(first.shares, again.shares)
    np.testing.assert_array_equal(first.amounts, again.amounts)
    assert set(read.about["tested"]) >= {"pairs", "first", "in_set", "unchanged_called"}
    assert first.shares.sum() == pytest.approx(1.0)
    assert (np.diff(first.amounts, axis=1) >= 0).all()
    assert (first.amounts >= made.limits[:, :1] - 1e-9).all()
    assert (first.amounts <= made.limits[:, 1:] + 1e-9).all()


def test_every_neuron_of_the_shelf_comes_with_it(
    neuron: NeuronModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learned_anew(*_: object, **__: object) -> None:
        raise AssertionError(f"what tells changes of {neuron.name} is not shipped as it is declared")

    monkeypatch.setattr(telling, "make_teller", learned_anew)
    assert telling.load_teller(neuron).names == candidates(neuron)


def test_learning_can_be_cancelled_and_leaves_nothing(
    quick: Path, atlas: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "load_atlas", lambda _neuron: atlas)
    with pytest.raises(Cancelled):
        telling.make_teller("stg", size=4, cancel=lambda: True)
    assert not list(quick.rglob("*.changes.safetensors"))


def test_trains_of_members_are_as_they_are_twice_and_changed_in_different_things(atlas: object) -> None:
    trains = simulated_changes(atlas, STG, size=3, seed=1)  # type: ignore[arg-type]
    each = len(trains.member) // 3
    for member in range(3):
        candidate = trains.candidate[trains.member == member]
        assert (candidate < 0).sum() == 2
        assert len(set(candidate[candidate >= 0].tolist())) == each - 2
    low, high = limits(STG).T
    changed = trains.candidate >= 0
    amount, which = trains.amount[changed], trains.candidate[changed]
    assert (amount >= low[which] - 1e-9).all()
    assert (amount <= high[which] + 1e-9).all()


def test_pairs_change_nothing_one_or_two_things(atlas: object) -> None:
    pairs = simulated_pairs(atlas, STG, np.arange(40), seed=1)  # type: ignore[arg-type]
    assert len(pairs.before_ms) == len(pairs.after_ms) == 40
    assert set(np.count_nonzero(pairs.changes, axis=1)) == {0, 1, 2}


def test_undoing_one_change_and_making_another_changed_both() -> None:
    n = len(candidates(STG))
    none, ln2 = np.zeros(0), np.log(2.0)
    trains = ChangedTrains(
        [none] * 3, np.zeros(3, dtype=int), np.array([-1, 0, 4]), np.array([0.0, ln2, -ln2])
    )
    pairs = learning._Pairs(trains, n)
    every = hypotheses(n)
    told = {
        (int(b), int(a)): (every[label], one, other)
        for b, a, label, one, other in zip(
            pairs.before, pairs.after, pairs.label, pairs.by_one, pairs.by_other, strict=True
        )
    }
    assert told[0, 1][0] == (0,)
    assert told[1, 2][0] == (0, 4)
    assert told[1, 2][1:] == (-ln2, -ln2)
    assert told[2, 0] == ((4,), ln2, 0.0)


def test_what_cannot_be_undone_is_no_pair() -> None:
    by = np.log(0.25)  # undone it would be a factor of 4
    none = np.zeros(0)
    trains = ChangedTrains(
        [none] * 3, np.zeros(3, dtype=int), np.array([-1, -1, 2]), np.array([0.0, 0.0, by])
    )
    pairs = learning._Pairs(trains, len(candidates(STG)))
    undone = (pairs.before == 2) & (pairs.after < 2)
    assert (pairs.weight[undone] == 0).all()
    assert (pairs.weight[(pairs.after == 2) & (pairs.before < 2)] > 0).all()


def test_a_recording_is_shorter_and_has_spikes_in_order() -> None:
    rng = np.random.default_rng(3)
    times = np.sort(rng.uniform(0.0, 15_000.0, 400))
    for _ in range(50):
        found = recorded(times, rng)
        assert (np.diff(found) > 0).all()
        assert len(found) <= 1.05 * len(times)


def test_a_silent_recording_is_told_from_one_that_fires() -> None:
    teller = telling.load_teller("stg")
    times = np.arange(0.0, 9000.0, 70.0)
    silent, same = teller.told(times, np.zeros(0)), teller.told(times, times)
    assert silent.shares[0] < 0.05 < same.shares[0]


def test_a_long_recording_is_read_in_pieces() -> None:
    times = np.cumsum(np.random.default_rng(1).normal(60.0, 6.0, 3000))
    found, fires = telling._statistics(times)
    assert found.shape == (1, 55)
    assert fires
    assert applied(np.ones((1, 4)), np.zeros((1, 4))).tolist() == [[1.0] * 4]
