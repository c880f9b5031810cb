"""Atlases are made in one go, the same each time, or not at all."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from spike2pop_nb.cli import cli
from spike2pop_nb.errors import Cancelled, TrainingError
from spike2pop_nb.inference import find_atlas, load_atlas, load_predictor
from spike2pop_nb.inference.weights import read_tensors
from spike2pop_nb.training import atlas as making
from spike2pop_nb.training import loop
from spike2pop_nb.training.atlas import make_atlas
from spike2pop_nb.training.atlas_card import fresh_members
from spike2pop_nb.training.batches import Trains, ordered_batches
from spike2pop_nb.training.loop import Run


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights" / "atlases"


def test_an_atlas_is_made_found_and_used(own, monkeypatch) -> None:
    heard = []
    path = make_atlas(
        "prebotc", size=256, epochs=2, progress=lambda done, total, words: heard.append((done, total, words))
    )
    assert path == own / "prebotc.safetensors" == find_atlas("prebotc")
    assert not list(own.glob("*.part"))
    made = load_atlas("prebotc")
    assert made.about["size"] == 256
    assert made.about["tested"]["dics_without_drive"]["trains"] > 0
    assert 0 < len(made.members.g) <= 256
    assert np.isfinite(made.members.statistics).all()
    assert load_predictor("prebotc").predict([np.arange(0.0, 3000.0, 40.0)])[0].usable
    done, total, _words = map(list, zip(*heard, strict=True))
    assert done == sorted(done)
    assert max(done) <= total[0]
    assert len({words for _done, _total, words in heard}) == 3

    first = shutil.copy(path, own / "first")
    monkeypatch.setattr(making, "_AT_ONCE", 2048)
    make_atlas("prebotc", size=256, epochs=2)
    assert load_atlas("prebotc").members.g.tobytes() == made.members.g.tobytes()
    assert path.read_bytes() == (own / "first").read_bytes()
    _tensors, told = read_tensors(path)
    for said in (told["training"], told["drive"]["training"]):
        assert "minutes" not in said  # they differ from run to run
    assert first


@pytest.mark.parametrize("at", ["Simulating 256", "Simulating 128", "Learning"])
def test_one_that_is_cancelled_leaves_nothing(own, at: str) -> None:
    heard = [""]
    with pytest.raises(Cancelled):
        make_atlas(
            "prebotc",
            size=256,
            epochs=100_000,
            progress=lambda _done, _total, words: heard.append(words),
            cancel=lambda: heard[-1].startswith(at),
        )
    assert heard[-1].startswith(at)
    assert not own.exists()


def test_what_fails_in_learning_ends_both_networks(own, monkeypatch) -> None:
    learn = Run.go

    def fails(run, epochs, *others):
        if run.config.n_told:
            raise MemoryError
        return learn(run, epochs, *others)

    monkeypatch.setattr(Run, "go", fails)
    with pytest.raises(MemoryError):
        make_atlas("prebotc", size=256, epochs=100_000)
    assert not own.exists()


def test_a_neuron_that_does_not_fire_is_refused(own, monkeypatch) -> None:
    monkeypatch.setattr(making, "CURRENT_RANGE", (-3.0, -2.9))
    monkeypatch.setattr(making, "NOISE_RANGE", (0.0, 0.1))
    monkeypatch.setattr(making, "_AWAY", 1.0)
    with pytest.raises(TrainingError, match="fire, too few to learn from"):
        make_atlas("da", size=128, epochs=1)
    assert not own.exists()


def test_the_command_writes_where_it_is_told(tmp_path) -> None:
    out = tmp_path / "a.safetensors"
    done = CliRunner().invoke(cli, ["atlas", "--neuron", "octopus", "--out", str(out)])
    assert done.exit_code == 1
    assert "octopus" in str(done.exception)
    assert not out.exists()


def test_where_nothing_is_told_neurons_are_those_that_were_drawn() -> None:
    members = fresh_members("stg", 64, 3)
    undriven = fresh_members("stg", 64, 4, driven=False)
    trains = Trains.join([members, undriven])
    batch = next(iter(ordered_batches(trains, len(trains), 256)))
    told = loop._told(trains, batch, (0,))
    current_known = told[np.argsort(batch.rows), 2].astype(bool)
    assert current_known[len(members) :].all()
    assert 0.2 < current_known[: len(members)].mean() < 0.8
    noise_known = told[np.argsort(batch.rows), 3].astype(bool)
    assert 0.2 < noise_known[len(members) :].mean() < 0.8
