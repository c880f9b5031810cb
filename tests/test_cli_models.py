"""``spike2pop models``: list, check, add, remove; exit status 2 and one sentence for what cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spike2pop_nb import cli
from spike2pop_nb.neurons import registry

EXAMPLE = Path(__file__).parents[1] / "notebooks" / "my_neuron.py"


@pytest.fixture(autouse=True)
def folder(own_neurons: Path) -> Path:
    """A user with no neurons of their own."""
    return own_neurons


def spike2pop(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["spike2pop", *map(str, arguments)])
    try:
        cli.main()
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


def test_check_add_use_remove(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    status, text, said = spike2pop(capsys, monkeypatch, "models", "check", EXAMPLE)
    assert status == 0, said
    assert "Running my_neuron.py" in said
    for words in ("finite and in range", "have a threshold", "A millivolt of V_th", "A and M", "ran away"):
        assert words in text
    assert not folder.exists()
    assert spike2pop(capsys, monkeypatch, "models", "add", EXAMPLE)[0] == 0
    assert "my_ca1   CA1 pyramidal" in spike2pop(capsys, monkeypatch, "models")[1]
    table = tmp_path / "g.csv"
    table.write_text("g_Na,g_NaP,g_Kdr,g_A,g_M,g_leak\n35,0.2,6,1.4,1,0.05\n")
    out = tmp_path / "spikes.csv"
    status, text, said = spike2pop(capsys, monkeypatch, "simulate", table, "--neuron", "my_ca1", "--out", out)
    assert status == 0, said
    assert len(out.read_text().splitlines()) > 20
    assert spike2pop(capsys, monkeypatch, "models", "remove", "my_ca1")[0] == 0
    assert "my_ca1" not in spike2pop(capsys, monkeypatch, "models")[1]


def test_a_listed_neuron_is_checked_by_its_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, text, said = spike2pop(capsys, monkeypatch, "models", "check", "stg")
    assert status == 0, said
    assert "CaS and H" in text
    assert "models add" not in text


def test_what_cannot_be_used_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("neuron = None\n")
    for command in ("check", "add"):
        status, _, said = spike2pop(capsys, monkeypatch, "models", command, bad)
        assert status == 2
        assert "Error: bad.py must define exactly one NeuronModel" in said
        assert "Traceback" not in said
    folder.mkdir()
    (folder / "bad.py").write_text("neuron = None\n")
    registry._load_own.cache_clear()
    status, text, _ = spike2pop(capsys, monkeypatch, "models")
    assert status == 0
    assert "bad      cannot be used: bad.py must define" in text
    assert text.startswith("stg ")
