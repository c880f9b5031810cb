"""Atlases: members that fire like a recording, and the current and noise that it needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spike2pop_nb.data import example_path
from spike2pop_nb.errors import CompensationError, PredictorError
from spike2pop_nb.inference import (
    drives_of,
    find_atlas,
    find_weights,
    list_atlases,
    list_predictors,
    load_atlas,
    load_predictor,
    own_atlases_folder,
)
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.published import sha256_of
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.neurons import get_neuron, vary_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import read_spike_trains
from spike2pop_nb.training.atlas_card import fresh_members


@pytest.mark.parametrize("name", list_atlases())
def test_an_atlas_is_of_its_neuron_and_learned_something(name: str) -> None:
    atlas = load_atlas(name)
    neuron = get_neuron(name)
    n = len(atlas.members.g)
    assert n >= 1000
    assert atlas.members.g.shape == (n, neuron.n_channels)
    assert atlas.about["declaration"] == neuron.declaration
    for network in atlas.about["tested"].values():
        assert 0.7 < network["coverage"]["0.8"] < 0.9  # calibrated on members that it did not learn from
        assert network["mae"][0] < network["mae_constant"][0]


@pytest.mark.parametrize("name", ["da", "stg"])
def test_the_nearest_members_fire_much_like_a_recording(name: str) -> None:
    atlas = load_atlas(name)
    train = read_spike_trains(example_path(f"{name}_set"))[2].times_ms
    rows = atlas.nearest(train, 16)
    far = atlas.distances(train)
    np.testing.assert_array_equal(far[rows], np.sort(far)[:16])
    neuron = get_neuron(name)
    start = neuron.recording_window_ms[0]
    members = atlas.members
    run = simulate(
        members.g[rows],
        neuron,
        current=members.current[rows],
        noise_sigma=members.noise_sigma[rows],
        seed=1,
        transient_ms=start,
        duration_ms=start + 15_000,
        record="spikes",
    )
    rates = np.array([max(len(times), 0.5) / 15 for times in run.spike_times_ms])
    wanted = 1000 * len(train) / (train[-1] - train[0])
    everyone = 1000 / np.exp(members.statistics[:, 11])  # mean interval of all members, in logs
    assert np.median(np.abs(np.log(rates / wanted))) < 0.5 * np.median(np.abs(np.log(everyone / wanted)))


def test_noise_and_current_are_told_with_a_width_that_holds() -> None:
    rng = np.random.default_rng(4)
    atlas = load_atlas("stg")
    rows = rng.permutation(len(atlas.members.g))[:64]
    current, sigma = rng.uniform(-2, 6, 64), rng.uniform(0.5, 10, 64)
    run = simulate(
        atlas.members.g[rows],
        "stg",
        current=current,
        noise_sigma=sigma,
        seed=5,
        transient_ms=3000,
        duration_ms=13_000,
        record="spikes",
    )
    trains = [times for times in run.spike_times_ms if len(times) >= 20]
    known = [k for k, times in enumerate(run.spike_times_ms) if len(times) >= 20]
    drives = drives_of("stg", trains)
    off = np.array([[d.current, d.noise_sigma] for d in drives]) - np.column_stack([current, sigma])[known]
    within = np.abs(off) < 2 * np.array([d.std for d in drives])
    assert within.mean() > 0.85
    assert np.abs(off[:, 1]).mean() < 1.5
    assert "µA/cm²" in drives[0].describe()


def test_what_is_told_of_a_recording_does_not_depend_on_the_others() -> None:
    trains = read_spike_trains(example_path("stg_set"))
    together = drives_of("pyloric", trains)
    for drive, train in zip(together, trains, strict=True):
        (alone,) = drives_of("pyloric", [train])
        assert (alone.current, alone.noise_sigma) == (drive.current, drive.noise_sigma)


def test_a_silent_recording_has_no_drive() -> None:
    (drive,) = drives_of("stg", [np.array([1.0])])
    assert drive.mixture is None
    assert np.isnan(drive.current)
    assert drive.describe() == ""
    with pytest.raises(PredictorError, match="no intervals"):
        load_atlas("stg").distances(np.array([1.0]))


def test_an_atlas_serves_where_there_is_no_larger_network() -> None:
    assert "pyloric" in list_predictors()
    predictor = load_predictor("pyloric")
    trains = read_spike_trains(example_path("stg_set"))
    (posterior, *_) = predictor.predict(trains)
    (low, high), _ = get_neuron("pyloric").dic_range.values()
    assert low < posterior.g_s < high
    assert posterior.domain is not None


def test_an_atlas_of_another_declaration_does_not_count(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path))
    shipped = find_atlas("stg")
    assert shipped is not None
    own_atlases_folder().mkdir(parents=True)
    (own_atlases_folder() / "da.safetensors").write_bytes(shipped.read_bytes())
    (own_atlases_folder() / "pyloric.safetensors").write_bytes(b"no tensors")
    assert find_atlas("da").parent != own_atlases_folder()
    assert find_atlas("pyloric").parent != own_atlases_folder()
    assert find_atlas("octopus") is None
    # a threshold does not change how members fire
    assert find_atlas(vary_neuron("stg", V_th_mV=-52.0)) == shipped


@pytest.mark.usefixtures("without_atlases")
def test_without_an_atlas_it_is_said_how_to_make_one() -> None:
    assert list_atlases() == []
    with pytest.raises(PredictorError, match="`spike2pop atlas --neuron pyloric` makes one in minutes"):
        load_atlas("pyloric")
    with pytest.raises(PredictorError, match="makes a small one in minutes"):
        load_predictor("pyloric")
    (drive,) = drives_of("stg", [np.arange(0.0, 1000.0, 50.0)])
    assert drive.mixture is None


def test_a_known_current_tells_more_of_the_dics() -> None:
    members = fresh_members("stg", 240, 7)
    made = members.take(~members.drawn)
    predictor, trains = Predictor(load_network(load_atlas("stg").path)), made.listed()

    def errors(drive: np.ndarray) -> np.ndarray:
        told = np.array([[p.g_s, p.g_u] for p in predictor.predict(trains, drive=drive)])
        return np.abs(told - made.targets).mean(axis=0)

    unknown = np.full((len(made), 2), np.nan)
    known = np.column_stack([made.current, np.full(len(made), np.nan)])
    assert errors(known)[1] < 0.8 * errors(unknown)[1]
    plain, untold = predictor.predict(trains[:3]), predictor.predict(trains[:3], drive=unknown[:3])
    np.testing.assert_array_equal([p.mean for p in plain], [p.mean for p in untold])


def test_a_known_current_is_told_to_the_network_that_knows_of_it() -> None:
    trains = read_spike_trains(example_path("stg_set"))
    (plain, *_) = load_predictor("stg").predict(trains)
    (none, *_) = load_predictor("stg", current=0.0).predict(trains)
    np.testing.assert_array_equal(none.mean, plain.mean)  # the large network learned from neurons without one
    assert none.remarks == plain.remarks
    (given, *_) = load_predictor("stg", current=2.0).predict(trains)
    assert given.network.sha256 == sha256_of(find_atlas("stg"))
    assert "These are the DICs given a known current of 2 µA/cm²." in given.remarks
    alone, other = (load_predictor("pyloric", current=c).predict(trains[:1])[0] for c in (0.0, 4.0))
    assert not np.allclose(alone.mean, other.mean)
    (far,) = load_predictor("pyloric", current=-40.0).predict(trains[:1])
    np.testing.assert_array_equal(far.mean, load_predictor("pyloric").predict(trains[:1])[0].mean)
    assert any("−40 µA/cm² is not between −3 and 8" in remark for remark in far.remarks)
    with pytest.raises(CompensationError, match="from −100 to 100"):
        load_predictor("pyloric", current=1e6)


def test_what_cannot_be_told_is_refused() -> None:
    trains = read_spike_trains(example_path("stg_set"))[:2]
    small = Predictor(load_network(load_atlas("stg").path))
    for drive in ([[0.0, 1.0]], [[0.0, -1.0]] * 2, [[9.0, 1.0]] * 2, [0.0, 1.0]):
        with pytest.raises(PredictorError, match="2 rows and two columns, from −3 to 8 and from 0 to 12 µA"):
            small.predict(trains, drive=drive)
    with pytest.raises(PredictorError, match="The stg network cannot be told"):
        load_predictor("stg").predict(trains, drive=[[0.0, 1.0]] * 2)
    assert len(load_predictor("stg").predict(trains, drive=np.full((2, 2), np.nan))) == 2  # nothing is known


def test_the_noise_is_told_given_a_known_current() -> None:
    (train,) = read_spike_trains(example_path("stg_set"))[2:3]
    (free,), (known,) = drives_of("stg", [train]), drives_of("stg", [train], 0.0)
    assert known.current == pytest.approx(0.0, abs=1e-3)
    assert known.std[0] < 1e-3 < free.std[0]
    assert known.std[1] <= 1.2 * free.std[1]
    assert "with the known current of 0 µA/cm²" in known.describe()
    (odd,) = drives_of("stg", [train], 7.9)
    assert "not likely to fire so" in odd.describe()
    (far,) = drives_of("stg", [train], 50.0)
    assert far.current == free.current
    with pytest.raises(CompensationError, match="known current"):
        drives_of("stg", [train], float("nan"))


def test_without_an_atlas_a_network_says_that_it_knows_of_no_current(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("spike2pop_nb.inference.predictor.find_network", lambda *_: find_weights()["stg"])
    (posterior,) = load_predictor("stg", current=2.0).predict(read_spike_trains(example_path("stg_set"))[:1])
    assert "The stg network knows of no current, so that the known 2 µA/cm² had no say in its DICs." in (
        posterior.remarks
    )
