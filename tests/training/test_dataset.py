"""Training data: the same rows whoever makes them, and nothing lost when the making is interrupted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb.conductances import dics
from spike2pop_nb.errors import Cancelled, TrainingError
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.spiketrains import features
from spike2pop_nb.training.dataset import (
    FEATURE_COLUMNS,
    Recipe,
    make_dataset,
    make_shard,
    sample_members,
    shard_path,
)

TINY = Recipe(neuron="stg", n_trains=20, members_per_target=4, shard_size=8, seed=3)


def read(folder: Path, recipe: Recipe) -> pd.DataFrame:
    return pd.concat(
        [pd.read_parquet(shard_path(folder, i)) for i in range(recipe.n_shards)], ignore_index=True
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny data set, shard by shard in this process."""
    folder = tmp_path_factory.mktemp("made")
    assert [make_shard(TINY, i, folder) for i in range(TINY.n_shards)] == [8, 8, 4]
    return folder


def test_the_same_members_with_other_noise_and_for_longer(tmp_path: Path) -> None:
    """The seed alone fixes the members, so that data sets differ in what is asked to differ."""
    changes = {
        "clean": {"noisy_share": 0.0},
        "noisy": {"noisy_share": 1.0, "sigma_min": 5.0, "sigma_max": 5.0},
        "long": {"noisy_share": 0.0, "duration_s": 4.5},
    }
    tables = {}
    for name, change in changes.items():
        recipe = Recipe(neuron="stg", n_trains=4, members_per_target=2, shard_size=4, seed=9, **change)
        (tmp_path / name).mkdir()
        make_shard(recipe, 0, tmp_path / name)
        tables[name] = read(tmp_path / name, recipe)
    same = ["id", "group", "g_s", "g_u", "g_Na", "g_leak"]
    for name in ("noisy", "long"):
        pd.testing.assert_frame_equal(tables["clean"][same], tables[name][same])
    assert (tables["noisy"]["sigma"] == 5).all()
    for short, long in zip(tables["clean"]["spike_times_ms"], tables["long"]["spike_times_ms"], strict=True):
        np.testing.assert_allclose(long[: len(short)], short, atol=1e-3)
        assert len(long) > len(short)
        assert 3000 < long[-1] < 4500


def test_shards_have_lengths_of_their_own(tmp_path: Path) -> None:
    recipe = Recipe(
        neuron="stg", n_trains=8, members_per_target=2, shard_size=2, seed=9, duration_s=1, longest_s=3
    )
    windows = [recipe.window_ms(shard) for shard in range(recipe.n_shards)]
    assert [start for start, _ in windows] == [3000.0] * 4
    lengths = [stop - start for start, stop in windows]
    assert len(set(lengths)) == 4
    assert min(lengths) >= 1000
    assert max(lengths) <= 3000
    assert windows == [recipe.model_copy().window_ms(shard) for shard in range(recipe.n_shards)]
    make_shard(recipe, 3, tmp_path)
    times = pd.read_parquet(shard_path(tmp_path, 3))["spike_times_ms"]
    assert all(one.dtype == np.float64 and one.max() < lengths[3] for one in times)
    with pytest.raises(TrainingError, match=r"longest_s: .*0.5 s is under the duration_s of 1 s"):
        make_dataset(recipe.model_dump() | {"longest_s": 0.5}, tmp_path / "none")
    with pytest.raises(TrainingError, match="longest_s: 2 s is under the neuron's own window of 3 s"):
        make_dataset(recipe.model_dump() | {"longest_s": 2, "duration_s": None}, tmp_path / "none")


def test_recipe_divides_the_rows() -> None:
    assert TINY.n_shards == 3
    assert [TINY.rows(i) for i in range(3)] == [8, 8, 4]


def test_rows_hold_what_they_say(made: Path) -> None:
    table = read(made, TINY)
    assert table["id"].tolist() == list(range(20))
    assert table["group"].tolist() == [i // 4 for i in range(20)]
    assert table["member"].tolist() == [i % 4 for i in range(20)]
    names = ["g_Na", "g_Kd", "g_CaT", "g_CaS", "g_KCa", "g_A", "g_H", "g_leak"]
    values = dics("stg", table[names].to_numpy(float))
    np.testing.assert_allclose(values[:, 1:], table[["g_s", "g_u"]], atol=2e-3)  # stored in float32
    assert (table[names] >= 0).all().all()
    assert len(table[["group", "g_s", "g_u"]].drop_duplicates()) == 5
    assert table["sigma"].between(0, TINY.sigma_max).all()
    assert 0 < (table["sigma"] == 0).sum() < 20
    for row in table.itertuples():
        times = np.asarray(row.spike_times_ms, dtype=float)
        assert len(times) == 0 or times[0] == 0
        assert np.all(np.diff(times) > 0)
        described = features(times)
        assert row.pattern == described.pattern.code
        for name in FEATURE_COLUMNS:
            np.testing.assert_allclose(getattr(row, name), getattr(described, name), rtol=1e-3)
    assert table["g_s"].dtype == table["g_Na"].dtype == table["sigma"].dtype == np.float32


def test_a_shard_depends_on_its_number_alone(made: Path, tmp_path: Path) -> None:
    make_shard(TINY, 1, tmp_path, workers=2)
    assert shard_path(tmp_path, 1).read_bytes() == shard_path(made, 1).read_bytes()
    other = sample_members(TINY, 0)[0]
    assert not np.allclose(other["g_Na"], read(made, TINY)["g_Na"][8:16])


def test_an_existing_shard_is_left_alone(made: Path) -> None:
    before = shard_path(made, 0).stat().st_mtime_ns
    assert make_shard(TINY, 0, made) == 8
    assert shard_path(made, 0).stat().st_mtime_ns == before
    assert not list(made.glob("*.partial"))


def test_every_neuron_can_be_sampled(neuron: NeuronModel) -> None:
    recipe = Recipe(neuron=neuron.name, n_trains=400, members_per_target=4, shard_size=400)
    table, _ = sample_members(recipe, 0)
    assert len(table) == 400
    for name in ("g_s", "g_u"):
        low, high = neuron.dic_range[name]
        assert table[name].between(low, high).all()
        assert table[name].max() - table[name].min() > 0.5 * (high - low)


def test_resumed_by_two_workers_it_is_the_same_data(made: Path, tmp_path: Path) -> None:
    """A run that was killed: one whole shard, and a file that was being written."""
    folder = tmp_path / "resumed"
    folder.mkdir()
    make_shard(TINY, 0, folder)
    kept = shard_path(folder, 0).stat().st_mtime_ns
    (folder / "part-00001.4242.partial").write_bytes(b"half a shard")
    seen: list[tuple[int, int]] = []
    rows = make_dataset(TINY, folder, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert rows == 20
    assert seen[0] == (8, 20)
    assert seen[-1] == (20, 20)
    assert shard_path(folder, 0).stat().st_mtime_ns == kept
    for i in range(TINY.n_shards):
        assert shard_path(folder, i).read_bytes() == shard_path(made, i).read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == [
        "part-00000.parquet",
        "part-00001.parquet",
        "part-00002.parquet",
        "recipe.json",
    ]
    # nothing is left to do: no cluster is started, and no shard touched
    assert make_dataset(TINY.model_dump(), folder) == 20
    # another recipe does not mix with it
    with pytest.raises(TrainingError, match="made with another n_trains, seed; give the same options"):
        make_dataset(TINY.model_copy(update={"seed": 4, "n_trains": 24}), folder)
    assert json.loads((folder / "recipe.json").read_text())["recipe"] == TINY.model_dump()


def test_what_a_run_leaves_that_was_killed_at_its_very_end_goes(tmp_path: Path) -> None:
    for shard in range(TINY.n_shards):
        make_shard(TINY, shard, tmp_path)
    (tmp_path / ".dask" / "dask-scratch-space").mkdir(parents=True)
    (tmp_path / ".dask" / "dask-scratch-space" / "global.lock").touch()
    assert make_dataset(TINY, tmp_path) == 20
    assert not (tmp_path / ".dask").exists()


def test_a_running_scheduler_makes_the_same_shards(made: Path, tmp_path: Path) -> None:
    """On a cluster by its address (here one of threads): the same rows, and whole shards survive a cancel."""
    from distributed import LocalCluster

    one_left = TINY.model_copy(update={"n_trains": 8})
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster:
        with pytest.raises(Cancelled, match="8 rows in whole shards are kept"):
            make_dataset(one_left, tmp_path, scheduler=cluster.scheduler_address, cancel=lambda: True)
        assert shard_path(tmp_path, 0).read_bytes() == shard_path(made, 0).read_bytes()
        assert make_dataset(one_left, tmp_path, scheduler=cluster.scheduler_address) == 8


def test_a_scheduler_that_does_not_answer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import distributed

    def refuse(address: str, **options: object) -> None:
        raise OSError("timed out")

    monkeypatch.setattr(distributed, "Client", refuse)
    with pytest.raises(TrainingError, match=r"No Dask scheduler answers at tcp:.*8786: timed out"):
        make_dataset(TINY, tmp_path, scheduler="tcp://10.0.0.1:8786")


@pytest.mark.parametrize("name", ["stg", "da"])
def test_monte_carlo_members_have_the_dics_they_say(name: str) -> None:
    recipe = Recipe(neuron=name, n_trains=40, members_per_target=4, monte_carlo_share=0.3, shard_size=40)
    table, _ = sample_members(recipe, 0)
    assert table["monte_carlo"].tolist() == [False] * 28 + [True] * 12
    neuron = get_neuron(name)
    g = table[list(neuron.g_columns)].to_numpy(float)
    np.testing.assert_allclose(dics(neuron, g)[:, 1:], table[["g_s", "g_u"]], atol=1e-5)
    drawn = table[table["monte_carlo"]]
    assert len(drawn[["g_s", "g_u"]].drop_duplicates()) == 12
    for dic in ("g_s", "g_u"):
        assert drawn[dic].between(*neuron.dic_range[dic]).all()
    for channel, column in zip(neuron.channel_names, neuron.g_columns, strict=True):
        assert drawn[column].between(*neuron.conductance_range[channel]).all()


def test_a_damaged_recipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{")
    with pytest.raises(TrainingError, match="is damaged; remove the folder or choose another"):
        make_dataset(TINY, tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be made"):
        make_dataset(TINY, tmp_path / "file" / "data")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_trains": 0}, "Recipe, n_trains: Input should be greater than or equal to 1"),
        ({"noisy_share": 1.5}, "Recipe, noisy_share: Input should be less than or equal to 1"),
        ({"accuracy": "perfect"}, "Recipe, accuracy: Input should be 'standard' or 'exact'"),
        ({"shards": 3}, "Recipe, shards: Extra inputs are not permitted"),
    ],
)
def test_an_impossible_recipe_is_refused(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=message):
        make_dataset({"neuron": "stg", **changes}, tmp_path)


def test_an_unknown_neuron_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no neuron 'purkinje'"):
        make_dataset({"neuron": "purkinje"}, tmp_path)
    assert not list(tmp_path.iterdir())
