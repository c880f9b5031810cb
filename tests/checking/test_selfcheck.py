"""The check of an installation: this one passes, and what is wrong with another is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import spike2pop_nb as s2p
from spike2pop_nb import cli
from spike2pop_nb.checking import Check, Checks, answers, everything, formulas, populations, simulator
from spike2pop_nb.checking.check import Found
from spike2pop_nb.conductances import input_conductances
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.inference import own_atlases_folder
from spike2pop_nb.inference.weight_files import SHIPPED_ATLASES
from spike2pop_nb.simulation import ACCURACY_STEPS


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["spike2pop", "selfcheck", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


def test_this_installation_gives_the_published_numbers() -> None:
    done = s2p.selfcheck()
    assert done.ok, done.describe()
    table = done.to_frame()
    assert table["ok"].notna().sum() == 13
    assert table["took_s"].sum() < 120
    assert done.describe().splitlines()[-1] == "This installation gives the published numbers (13 checks)."
    assert {"spike2pop_nb", "weights", "numpy", "torch"} <= done.versions.keys()


def test_the_command_says_each_and_writes_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(everything, "_QUICK", (("one and one", lambda: Found("2", "2", True)),))
    assert run(monkeypatch, "--quick", "--out", tmp_path / "checks.json") == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok      one and one: expected 2, got 2",
        "This installation gives the published numbers (1 checks).",
    ]
    told = json.loads((tmp_path / "checks.json").read_text(encoding="utf-8"))
    assert told["ok"] is True
    assert told["checks"][0]["got"] == "2"
    assert told["versions"]["spike2pop_nb"] == s2p.__version__


def test_a_check_that_fails_is_a_line_and_an_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Found:
        raise ZeroDivisionError("a secret of the machine")

    def refused() -> Found:
        raise Spike2PopError("The network is damaged.")

    checks = (("division", broken), ("network", refused), ("speed", lambda: Found("", "slow", None)))
    monkeypatch.setattr(everything, "_QUICK", checks)
    assert run(monkeypatch, "--quick") == 1
    out = capsys.readouterr().out
    assert "NOT OK  network: expected an answer, got The network is damaged." in out
    assert "ZeroDivisionError in test_selfcheck.py" in out
    assert "secret" not in out
    assert "Traceback" not in out
    assert out.splitlines()[-1] == "2 of 2 checks failed: division; network."


def test_a_file_that_cannot_be_written_is_said_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--out", tmp_path / "none" / "checks.json") == 2
    told = capsys.readouterr()
    assert "there is no folder" in told.err
    assert not told.out


def test_notes_are_neither_right_nor_wrong() -> None:
    assert Checks([Check("speed", "", "slow", None)]).ok
    assert not Checks([Check("speed", "", "slow", None), Check("sum", "2", "3", False)]).ok
    assert Checks().to_frame().columns.tolist() == ["what", "expected", "got", "ok", "took_s"]


def test_a_formula_that_is_off_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert formulas.check_dics().ok
    monkeypatch.setattr(formulas, "dics", lambda *asked: input_conductances.dics(*asked) * (1 + 1e-6))
    assert formulas.check_dics().ok is False


def test_a_simulator_that_is_coarse_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACCURACY_STEPS, "exact", 5.0)
    assert simulator.check_spike_times().ok is False
    assert simulator.check_voltage().ok is False


def test_a_network_that_says_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"stg": [[10.0, 3.0, 2.0, 0.7]]}
    assert answers._compared(ours, ours).ok
    assert answers._compared({"stg": [[10.3, 3.0, 2.0, 0.7]]}, ours).ok is False
    assert answers._compared({"stg": [[np.nan, 3.0, 2.0, 0.7]]}, ours).ok is False
    assert answers._compared({}, ours).ok is False


def test_a_file_of_weights_that_was_changed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, digest = next(iter(answers.published_files().items()))
    copy = tmp_path / path.name
    shutil.copyfile(path, copy)
    monkeypatch.setattr(answers, "published_files", lambda: {copy: digest})
    assert answers.check_files().ok
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    copy.write_bytes(content)
    assert answers.check_files().got == f"0 of them; not {path.name}"
    copy.unlink()
    assert answers.check_files().ok is False


def test_a_search_that_finds_nothing_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        population = simulated = verdict = None
        outcome = "None of 64 members tried fires like the recording."

    monkeypatch.setattr(populations, "_first", Nothing)
    monkeypatch.setattr(populations, "_searched", Nothing)
    for check in (populations.check_found, populations.check_same, populations.check_written):
        assert check().ok is False
    assert populations.members_note().ok is None


def test_which_neuron_is_asked_unless_an_atlas_of_the_user_is_asked_too(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path))
    own = own_atlases_folder()
    own.mkdir(parents=True)
    # what told neurons apart when there was an atlas, which is gone
    shutil.copy(SHIPPED_ATLASES / "which.safetensors", own)
    assert answers.check_which().ok
    shutil.copy(SHIPPED_ATLASES / "stg.safetensors", own)
    found = answers.check_which()
    assert found.ok is None
    assert "of your own" in found.got
