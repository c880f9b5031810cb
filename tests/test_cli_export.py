"""``spike2pop export``: members of a table as files for other simulators, or one sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spike2pop_nb import cli
from spike2pop_nb.conductances import generate_population
from spike2pop_nb.export.simulators import TARGETS


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three members of a recording."""
    path = tmp_path / "population.csv"
    generate_population("stg", (5.0, 5.0), size=3, seed=1, id="cell").to_csv(path)
    return path


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


@pytest.mark.parametrize("target", TARGETS)
def test_every_simulator_has_files(
    target: str,
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    status, text, _ = spike2pop(capsys, monkeypatch, "export", table, "--to", target, "--out", out)
    assert status == 0
    written = {line.removeprefix("Written: ") for line in text.splitlines()}
    assert written == {str(file) for file in out.iterdir()}
    assert (out / f"stg_{target}.py").is_file()
    assert (out / "stg_members.csv").is_file()
    assert "read from population.csv" in (out / f"stg_{target}.py").read_text()


def test_one_member_of_one_recording(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    choice = ("--member", 2, "--id", "cell")
    status, _, _ = spike2pop(capsys, monkeypatch, "export", table, "--to", "brian2", "--out", out, *choice)
    assert status == 0
    assert [file.name for file in out.iterdir()] == ["stg_brian2.py"]
    assert "Recording cell, member 2" in (out / "stg_brian2.py").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("TABLE", "--to", "matlab"), "There is no export to 'matlab'; choose one of neuron, brian2"),
        (("TABLE", "--to", "neuron", "--member", 7), "has no member 7; it has 3 members, numbered 0 to 2"),
        (("TABLE", "--to", "neuron", "--id", "x"), "has no member of recording 'x'"),
        (("TABLE", "--to", "neuron", "--neuron", "da"), "members of the neuron 'stg', not of 'da'"),
        (("missing.csv", "--to", "neuron"), "missing.csv: there is no such file"),
        (("EMPTY", "--to", "neuron"), "has 0 members"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    arguments: tuple[object, ...],
    sentence: str,
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty, out = tmp_path / "empty.csv", tmp_path / "out"
    empty.write_text(table.read_text().splitlines()[0] + "\n")
    places = {"TABLE": table, "EMPTY": empty}
    given = [places.get(str(argument), argument) for argument in arguments]
    status, _, said = spike2pop(capsys, monkeypatch, "export", *given, "--out", out)
    assert status == 2
    errors = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert sentence in errors[0]
    assert not out.exists()


def test_nwb(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pynwb")
    out = tmp_path / "out"
    assert spike2pop(capsys, monkeypatch, "export", table, "--to", "nwb", "--member", 2, "--out", out)[0] == 0
    assert [file.name for file in out.iterdir()] == ["1_cell.nwb"]


def test_a_dynamic_clamp(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    asked = ("--dynamic-clamp", "A,KCa", "--member", 2, "--capacitance-pF", 25, "--out", out)
    status, text, _ = spike2pop(capsys, monkeypatch, "export", table, *asked)
    assert status == 0
    assert {line.removeprefix("Written: ") for line in text.splitlines()} == {
        str(file) for file in out.rglob("*") if file.is_file()
    }
    assert (out / "c" / "stg_KCa_A_clamp.h").is_file()
    assert "of 3 members" in (out / "README.md").read_text(encoding="utf-8")
    asked = (
        "--dynamic-clamp",
        "all",
        "--member",
        2,
        "--from-member",
        0,
        "--capacitance-pF",
        25,
        "--out",
        out,
    )
    assert spike2pop(capsys, monkeypatch, "export", table, *asked)[0] == 0
    assert "member cell/2 less those of member cell/0" in (out / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say either --to, for a simulator, or --dynamic-clamp, for a living cell."),
        (("--to", "brian2", "--capacitance-pF", 25), "--capacitance-pF is for --dynamic-clamp"),
        (("--dynamic-clamp", "A", "--member", 1), "needs the capacitance of the cell"),
        (("--dynamic-clamp", "A", "--capacitance-pF", 25), "has 3 such: name it with --member"),
        (("--dynamic-clamp", "Nap", "--member", 1, "--capacitance-pF", 25), "has no channel 'Nap'"),
    ],
)
def test_a_clamp_that_cannot_be(
    options: tuple[object, ...],
    said: str,
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    status, _, words = spike2pop(capsys, monkeypatch, "export", table, *options, "--out", out)
    assert status != 0
    assert said in " ".join(words.split())
    assert not out.exists()
