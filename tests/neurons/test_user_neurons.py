"""Declarations in a user's own file: read, kept, removed, and refused with one sentence."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from spike2pop_nb.errors import CompensationError, NeuronModelError
from spike2pop_nb.neurons import (
    add_neuron,
    broken_neurons,
    get_neuron,
    list_neurons,
    load_neuron,
    registry,
    remove_neuron,
)
from spike2pop_nb.neurons.shipped import shipped_neurons
from spike2pop_nb.simulation import check_model

EXAMPLE = Path(__file__).parents[2] / "notebooks" / "my_neuron.py"


@pytest.fixture(autouse=True)
def folder(own_neurons: Path) -> Path:
    """A user with no neurons of their own."""
    return own_neurons


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """Write the example with some of its text replaced."""
    text = EXAMPLE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "mine.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", r"mine\.py must define exactly one NeuronModel at its top level, not 0\.$"),
        ("from spike2pop_nb.neurons import get_neuron\nx = get_neuron('stg')", "exactly one .* not 0"),
        ("x = (", r"mine\.py, line 1: it is not valid Python"),
        ("\n1 / 0", r"mine\.py, line 2: it stops with ZeroDivisionError \(division by zero\)\.$"),
        ("import sys\nsys.exit(3)", r"mine\.py, line 2: it stops with SystemExit \(3\)\.$"),
        (
            "from spike2pop_nb.neurons import Gate, constant\nGate('m', constant(0.5))",
            r"mine\.py, line 2: Gate needs 'tau' as well\.$",
        ),
    ],
)
def test_a_file_without_one_neuron_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(NeuronModelError, match=message) as caught:
        load_neuron(path)
    assert "\n" not in str(caught.value)


def test_two_neurons_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = changed(tmp_path)
    path.write_text(
        path.read_text() + "\nimport dataclasses\nB = dataclasses.replace(CA1, name='b')\nC = B\n"
    )
    with pytest.raises(NeuronModelError, match=r"exactly one .* not 2 \(my_ca1, b\)"):
        load_neuron(path)
    with pytest.raises(NeuronModelError, match=r"none\.py: there is no such file"):
        load_neuron(tmp_path / "none.py")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "tau_z = constant(75.0)",
            "def tau_z(V):\n    return V + 60",
            r"channel M, gate z: tau must be .* not -60 as at -120 mV",
        ),
        (
            "sigmoid(0, 1, -3, 47)",
            "sigmoid(0, 2, -3, 47)",
            r"channel NaP, gate p: the steady state must lie in 0…1 .* not 1\.\d+ as at",
        ),
        (
            "tau_z = constant(75.0)",
            "import math\ndef tau_z(V):\n    return math.exp(V)",
            "channel M, gate z: tau must be a function of V that takes numpy arrays",
        ),
        (
            "V_initial_mV",
            "calcium=__import__('spike2pop_nb').neurons.CalciumPool(('CaL',), 20.0, 0.9, 0.05, 0.5),\n"
            "    V_initial_mV",
            "the calcium pool names CaL, which is no channel",
        ),
        ('"leak", E_LEAK', '"L", E_LEAK', "the last channel must be called leak, not L"),
        ("time_step_ms=0.005", "time_step_ms=0.03", "whole fraction of 0.1 ms .* not 0.03"),
        ("time_step_ms=0.005", "time_step_ms=0.0", "whole fraction of 0.1 ms .* not 0.0"),
    ],
)
def test_a_bad_declaration_is_refused_by_channel_gate_and_value(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(NeuronModelError, match=message) as caught:
        load_neuron(changed(tmp_path, (old, new)))
    assert str(caught.value).startswith("mine.py, Neuron 'my_ca1'")


def test_the_example_is_usable() -> None:
    found = check_model(load_neuron(EXAMPLE))
    assert found.suspicious == ()
    assert found.failed == 0
    assert found.patterns["spiking"] >= 12
    assert found.pairs.iloc[0]["pair"] == "A and M"
    assert found.pairs.iloc[0]["reached"] > 0.9
    assert found.drawn.mean_mV == pytest.approx(found.neuron.V_th_mV, abs=0.5)
    assert any("have a threshold" in sentence for sentence in found.describe().splitlines())
    assert found.step_error < 0.003


def test_a_time_step_that_is_too_long_is_measured_and_a_shorter_one_named(tmp_path: Path) -> None:
    found = check_model(load_neuron(changed(tmp_path, ("time_step_ms=0.005", "time_step_ms=0.02"))))
    assert found.step_error > 0.003
    (said,) = (sentence for sentence in found.describe().splitlines() if "time step halved" in sentence)
    assert re.search(r"declare time_step_ms=0\.0(1|05) \(now 0\.02\)\.$", said)


@pytest.mark.parametrize(
    ("g_s", "error", "message"),
    [
        ("5.0", CompensationError, "the my_ca1 neuron gave only 0 valid members"),
        ("-50.0", NeuronModelError, "Every baseline member is silent"),
    ],
)
def test_a_baseline_that_cannot_be_solved_or_never_fires_is_refused(
    tmp_path: Path, g_s: str, error: type[Exception], message: str
) -> None:
    neuron = load_neuron(changed(tmp_path, ("g_s=-0.01", f"g_s={g_s}")))
    with pytest.raises(error, match=message):
        check_model(neuron)


def test_wrong_units_are_suspected(tmp_path: Path) -> None:
    path = changed(tmp_path, ('"NaP": (0, 0.41)', '"NaP": (0, 0.00001)'))
    assert check_model(load_neuron(path)).suspicious == (
        "Channel NaP: a range of 0 to 1e-05 mS/cm² is unusual; is the unit mS/cm²?",
    )


def test_spikes_that_are_not_counted_are_suspected(tmp_path: Path) -> None:
    path = changed(tmp_path, ("spike_threshold_mV=-10.0", "spike_threshold_mV=10.0"))
    (said,) = check_model(load_neuron(path)).suspicious
    assert "swings by over 40 mV, yet none of it counts" in said


def test_an_added_neuron_is_there_for_the_next_session_and_can_be_removed(folder: Path) -> None:
    add_neuron(EXAMPLE)
    assert get_neuron("my_ca1").title.startswith("CA1")
    add_neuron(EXAMPLE)  # again: the newer file counts
    registry._registered.pop("my_ca1")
    registry._load_own.cache_clear()
    assert "my_ca1" in list_neurons()
    remove_neuron("my_ca1")
    assert "my_ca1" not in list_neurons()
    assert not list(folder.iterdir())
    with pytest.raises(NeuronModelError, match=r"no neuron 'my_ca1' of your own; there is none\."):
        remove_neuron("my_ca1")


def test_a_name_that_is_taken_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(NeuronModelError, match="'stg' is already declared"):
        add_neuron(changed(tmp_path, ('name="my_ca1"', 'name="stg"')))
    assert not folder.exists()


def test_a_broken_file_breaks_nothing_else(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "bad.py").write_text("x = (")
    (folder / "da.py").write_text(changed(tmp_path, ('name="my_ca1"', 'name="da"')).read_text())
    assert list_neurons() == [neuron.name for neuron in shipped_neurons()]
    assert get_neuron("da").title.startswith("DA")
    assert set(broken_neurons()) == {"bad", "da"}
    with pytest.raises(NeuronModelError, match=r"'bad' cannot be used: bad\.py, line 1"):
        get_neuron("bad")
    remove_neuron("da")
    assert "da" in list_neurons()


def test_a_folder_that_cannot_be_written_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKE2POP_NB_NEURONS", os.devnull + "/neurons")
    with pytest.raises(NeuronModelError, match=r"my_ca1\.py cannot be written: Not a directory"):
        add_neuron(EXAMPLE)
