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
from spike2pop_nb.training.atlas import make_atlas


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


def test_one_that_is_cancelled_leaves_nothing(own) -> None:
    with pytest.raises(Cancelled):
        make_atlas("prebotc", size=256, cancel=lambda: True)
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
