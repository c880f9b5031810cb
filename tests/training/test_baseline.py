"""The trees that networks are compared with: fitted as told, and asked in the order of the trains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import write_shards

from spike2pop_nb.training.baseline import Trees, fit_trees
from spike2pop_nb.training.batches import NO_AUGMENTATION, Trains, epoch_batches, read_trains, split_of

JITTER = replace(NO_AUGMENTATION, jitter=1.0, jitter_ms=20.0)


@pytest.fixture(scope="module")
def trains(tmp_path_factory: pytest.TempPathFactory) -> Trains:
    return read_trains(write_shards(tmp_path_factory.mktemp("shards"), n_groups=600)).active()


@pytest.fixture(scope="module")
def fitting(trains: Trains) -> Trains:
    return trains.take(split_of(trains.group) == 0)


@pytest.fixture(scope="module")
def asked(trains: Trains) -> Trains:
    return trains.take(split_of(trains.group) != 0)


@pytest.fixture(scope="module")
def plain(fitting: Trains) -> Trees:
    return fit_trees(fitting, rounds=60)


def error(trees: Trees, trains: Trains) -> float:
    return float(np.abs(trees.predict(trains) - trains.targets).mean())


def test_trees_learn(plain: Trees, asked: Trains) -> None:
    constant = np.abs(asked.targets - np.median(asked.targets, axis=0)).mean()
    assert error(plain, asked) < 0.5 * constant


def test_answers_come_in_the_order_of_the_trains(plain: Trees, asked: Trains) -> None:
    mixed = np.random.default_rng(0).permutation(len(asked))
    np.testing.assert_array_equal(plain.predict(asked.take(mixed)), plain.predict(asked)[mixed])


def test_trees_taught_disturbed_trains_know_them(plain: Trees, fitting: Trains, asked: Trains) -> None:
    taught = fit_trees(fitting, JITTER, rounds=60)
    (batch,) = epoch_batches(asked, len(asked), JITTER, (1,))
    times = [
        np.concatenate([[0.0], np.cumsum(isi[:n])])
        for isi, n in zip(batch.isi_ms, batch.lengths, strict=True)
    ]
    ends = np.cumsum([train.size for train in times])
    moved = replace(
        asked.take(batch.rows), times_ms=np.concatenate(times), offsets=np.concatenate([[0], ends])
    )
    assert error(taught, moved) < error(plain, moved)
    assert error(plain, asked) < error(taught, asked)


def test_the_same_seed_gives_the_same_trees(fitting: Trains, asked: Trains) -> None:
    one, same, other = (fit_trees(fitting, JITTER, most=300, seed=seed, rounds=5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.predict(asked), same.predict(asked))
    assert (one.predict(asked) != other.predict(asked)).any()
