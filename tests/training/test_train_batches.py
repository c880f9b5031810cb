"""Shards in, batches out: nothing lost, nothing leaking between splits, and the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import write_shards

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.training.batches import (
    NO_AUGMENTATION,
    Augmentation,
    Trains,
    epoch_batches,
    ordered_batches,
    read_trains,
    split_of,
)


@pytest.fixture(scope="module")
def trains(tmp_path_factory: pytest.TempPathFactory) -> Trains:
    return read_trains(write_shards(tmp_path_factory.mktemp("shards"), n_groups=60))


def test_shards_are_read_whole(trains: Trains) -> None:
    assert len(trains) == 240
    assert (trains.pattern == 0).any()
    assert trains.targets.shape == (240, 2)
    assert trains.offsets[-1] == trains.times_ms.size
    assert trains.train(5)[0] == 0
    bursting = trains.pattern == 2
    assert np.isfinite(trains.features[bursting]).all()
    assert np.isnan(trains.features[trains.pattern == 1, 1:]).all()


def test_take_keeps_trains_together(trains: Trains) -> None:
    rows = np.array([7, 3, 3, 100])
    some = trains.take(rows)
    for place, row in enumerate(rows):
        np.testing.assert_array_equal(some.train(place), trains.train(row))
        assert some.group[place] == trains.group[row]


def test_silent_trains_are_not_read(trains: Trains) -> None:
    active = trains.active()
    assert active.n_spikes.min() >= 3
    assert len(active) == (trains.pattern != 0).sum()


def test_populations_stay_on_one_side() -> None:
    groups = np.repeat(np.arange(20_000), 2)
    side = split_of(groups)
    assert (side[::2] == side[1::2]).all()
    share = np.bincount(side, minlength=3) / side.size
    np.testing.assert_allclose(share, [0.94, 0.03, 0.03], atol=0.006)


def test_undisturbed_epoch_gives_every_train_as_it_is(trains: Trains) -> None:
    active = trains.active()
    seen = np.zeros(len(active), dtype=int)
    for batch in epoch_batches(active, 32, NO_AUGMENTATION, (1, 0)):
        assert batch.isi_ms.shape[1] == batch.lengths.max()
        for row, isi, length in zip(batch.rows, batch.isi_ms, batch.lengths, strict=True):
            seen[row] += 1
            np.testing.assert_allclose(isi[:length], np.diff(active.train(row)), rtol=1e-6)
            assert (isi[length:] == 0).all()
    assert (seen == 1).all()


def test_batches_hold_similar_lengths(trains: Trains) -> None:
    batches = list(ordered_batches(trains.active(), 16))
    padded = sum(b.isi_ms.size for b in batches)
    assert padded < 1.2 * sum(b.lengths.sum() for b in batches)


def test_same_seed_same_batches_and_resuming_skips(trains: Trains) -> None:
    active, how = trains.active(), Augmentation()
    whole = list(epoch_batches(active, 16, how, (3, 2)))
    later = list(epoch_batches(active, 16, how, (3, 2), start=4))
    assert len(later) == len(whole) - 4
    for a, b in zip(whole[4:], later, strict=True):
        np.testing.assert_array_equal(a.isi_ms, b.isi_ms)
    other = next(epoch_batches(active, 16, how, (4, 2)))
    assert other.rows.tolist() != whole[0].rows.tolist()


def test_disturbed_trains_stay_trains(trains: Trains) -> None:
    active = trains.active()
    how = Augmentation(crop=1, jitter=1, drop=1, add=1, drop_share=0.3, add_share=0.2)
    shorter = 0
    for batch in epoch_batches(active, 32, how, (0, 0)):
        assert batch.lengths.min() >= 2
        assert np.isfinite(batch.isi_ms).all()
        assert (batch.isi_ms >= 0).all()
        shorter += int((batch.lengths < active.n_spikes[batch.rows] - 1).sum())
    assert shorter > len(active) / 2


@pytest.mark.parametrize("longest", [2048, 9])
def test_late_windows_lose_their_start_alone(trains: Trains, longest: int) -> None:
    active = trains.active()
    starts = set()
    for batch in epoch_batches(active, 32, replace(NO_AUGMENTATION, late=1), (0, 0), longest=longest):
        for row, isi, length in zip(batch.rows, batch.isi_ms, batch.lengths, strict=True):
            whole = np.diff(active.train(row))
            windows = np.lib.stride_tricks.sliding_window_view(whole, length)
            places = np.flatnonzero(np.isclose(windows, isi[:length], rtol=1e-6).all(axis=1))
            assert places.size
            starts.add(int(places[0]))
            if longest > whole.size:
                assert places[-1] + length == whole.size
                assert 2 * length >= whole.size
            else:
                assert length <= longest
    assert len(starts) > 5


def test_sampled_trains_lie_on_a_grid(trains: Trains) -> None:
    active = trains.active()
    how = replace(NO_AUGMENTATION, sample=1, finest_ms=0.5, coarsest_ms=0.5)
    for batch in epoch_batches(active, 32, how, (0, 0)):
        np.testing.assert_allclose(batch.isi_ms % 0.5, 0, atol=1e-6)
        for row, isi, length in zip(batch.rows, batch.isi_ms, batch.lengths, strict=True):
            assert np.abs(isi[:length] - np.diff(active.train(row))).max() < 0.5
    some = replace(how, sample=0.5)
    on_grid = [
        not (isi[:length] % 0.5).any()
        for batch in epoch_batches(active, 32, some, (0, 0))
        for isi, length in zip(batch.isi_ms, batch.lengths, strict=True)
    ]
    assert 0.3 < np.mean(on_grid) < 0.7


def test_late_intervals_keep_their_precision() -> None:
    """A settled neuron's intervals differ by less than float32 keeps of times after a minute."""
    times = 60_000 + 20.0 * np.arange(9) + 1e-4 * np.arange(9) ** 2
    one = Trains(
        times,
        np.array([0, 9]),
        np.zeros((1, 2), dtype=np.float32),
        np.full((1, 5), np.nan, dtype=np.float32),
        np.ones(1, dtype=np.int8),
        np.zeros(1, dtype=np.float32),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=bool),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.float32),
    )
    batch = next(ordered_batches(one))
    np.testing.assert_allclose(batch.isi_ms[0], np.diff(times), rtol=1e-7)


def test_long_trains_are_cut_to_the_window(trains: Trains) -> None:
    for batch in epoch_batches(trains.active(), 32, Augmentation(), (0, 0), longest=9):
        assert batch.lengths.max() <= 9


def test_bad_shards_say_which(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="No Parquet shards"):
        read_trains(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"not parquet")
    with pytest.raises(TrainingError, match=r"a\.parquet"):
        read_trains(tmp_path)
