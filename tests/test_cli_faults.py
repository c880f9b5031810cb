"""Every command that writes says what cannot be written before it computes, and has its folder to itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spike2pop_nb import cli, example_path
from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import Spike2PopError, TrainingError, failure_in_words
from spike2pop_nb.files import locked
from spike2pop_nb.training import checkpoint, dataset
from spike2pop_nb.training.recipe import Recipe

#: Commands that write a folder: arguments, where MEMBERS is a population and DATA anything.
FOLDERS: dict[str, Sequence[str]] = {
    "run": ("run", "FILE", "--size", "2", "--no-refine", "--recordings", "3"),
    "experiment": ("experiment", "MEMBERS", "--block", "A=0.5"),
    "next": ("next", "MEMBERS", "--target", "conductance:A"),
    "narrow": ("narrow", "MEMBERS", "FILE", "--recordings", "3", "--block", "A=0.5"),
    "compare": ("compare", "FILE", "--before", "1", "--after", "3", "--size", "0"),
    "posterior": ("posterior", "FILE", "--recordings", "3", "--size", "8", "--budget", "64"),
    "dataset": ("dataset", "--trains", "128", "--shard-size", "64", "--workers", "1"),
    "train": ("train", "DATA", "--epochs", "1"),
    "evaluate": ("evaluate", "DATA", "--data", "DATA"),
    "adapt": ("adapt", "--trains", "128"),
}
FILES: dict[str, Sequence[str]] = {
    "predict": ("predict", "FILE", "--out"),
    "course": ("predict", "FILE", "--course"),
    "which": ("which", "FILE", "--out"),
    "choices": ("choices", "FILE", "--recording", "3", "--out"),
    "map": ("map", "FILE", "--recording", "3", "--compensate", "CaS,H", "--simulate", "--out"),
    "simulate": ("simulate", "MEMBERS", "--out"),
    "voltage": ("voltage", "VOLTAGE", "--out"),
    "atlas": ("atlas", "--neuron", "ib", "--out"),
    "card": ("atlas", "--neuron", "ib", "--card"),
    "selfcheck": ("selfcheck", "--out"),
}


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """What the words in capitals stand for."""
    generate_population("stg", (-3.0, 6.0), size=2, seed=1).to_csv(tmp_path / "members.csv")
    t = np.arange(0.0, 500.0, 0.1)
    table = np.c_[t, -65.0 + 90.0 * np.exp(-(((t % 100 - 50) / 0.5) ** 2))]
    np.savetxt(tmp_path / "volt.csv", table, delimiter=",", header="time_ms,V_mV", comments="")
    return {
        "FILE": str(example_path("stg_set")),
        "MEMBERS": str(tmp_path / "members.csv"),
        "VOLTAGE": str(tmp_path / "volt.csv"),
        "DATA": str(tmp_path),
    }


def said(
    capsys: pytest.CaptureFixture[str], given: dict[str, str], arguments: Sequence[str], *more: object
) -> str:
    """Run a command that is refused; return the last line of what it says."""
    sys.argv, before = ["spike2pop", *(given.get(a, a) for a in arguments), *map(str, more)], sys.argv
    try:
        with pytest.raises(SystemExit) as stop:
            cli.main()
    finally:
        sys.argv = before
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    return told.strip().splitlines()[-1]


@pytest.fixture
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("it computes")

    monkeypatch.setattr("spike2pop_nb.simulation.simulator.Runner", refuse)


@pytest.mark.usefixtures("nothing_is_computed")
@pytest.mark.parametrize("arguments", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_cannot_be_made_is_said_first(
    arguments: Sequence[str], given: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(given["MEMBERS"]) / "out"  # below a file
    assert "cannot be made: " in said(capsys, given, arguments, "--out", out)


@pytest.mark.usefixtures("nothing_is_computed")
@pytest.mark.parametrize("arguments", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_in_which_another_run_writes_is_refused(
    arguments: Sequence[str], given: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    place = out / "parts" if arguments[0] == "run" else out
    place.mkdir(parents=True)
    with locked(place):
        assert "Another run is writing into" in said(capsys, given, arguments, "--out", out)
    assert {path.name for path in place.iterdir()} <= {".lock"}


@pytest.mark.usefixtures("nothing_is_computed")
@pytest.mark.parametrize("arguments", FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_written_is_said_first(
    arguments: Sequence[str], given: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "x.csv"
    folder.mkdir()
    assert "cannot be written: it is a folder" in said(capsys, given, arguments, folder)
    below_a_file = Path(given["MEMBERS"]) / "x.csv"
    assert "cannot be " in said(capsys, given, arguments, below_a_file)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everything may be written here")
@pytest.mark.parametrize("arguments", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_without_permission_is_said_first(
    arguments: Sequence[str], given: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    assert "Permission denied" in said(capsys, given, arguments, "--out", out)


def full(*_arguments: object, **_options: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_shard_on_a_full_disk_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pandas.DataFrame.to_parquet", full)
    with pytest.raises(TrainingError, match="No space left on device; the same command goes on"):
        dataset.make_shard(Recipe(neuron="stg", n_trains=64, shard_size=64), 0, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_on_a_full_disk_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.store(path, {"setup": {}, "step": 1})
    monkeypatch.setattr(checkpoint.os, "fsync", full)
    with pytest.raises(Spike2PopError, match="No space left on device"):
        checkpoint.store(path, {"setup": {}, "step": 2})
    found = checkpoint.restore(path, {})
    assert found is not None
    assert found["step"] == 1
    assert [one.name for one in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_too_little_memory_is_no_fault_of_the_software() -> None:
    torch_says = RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
    for error in (MemoryError(), torch_says):
        assert failure_in_words(error) == "There is not enough memory for it."


def test_no_duration_is_measured_by_a_clock_that_may_jump() -> None:
    package = Path(cli.__file__).parents[1]
    told = {
        path.relative_to(package).as_posix(): path.read_text(encoding="utf-8")
        for path in package.rglob("*.py")
    }
    assert not [name for name, text in told.items() if "time.time(" in text or "utcnow" in text]
    # when something was made, and, as Jupyter tells it, when a page was last heard of
    assert {name for name, text in told.items() if "datetime.now(" in text} == {
        "app/places.py",
        "export/nwb.py",
        "export/provenance.py",
        "export/report.py",
        "export/summaries.py",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text here")
def test_a_folder_whose_name_is_no_text_is_refused_where_parquet_cannot_take_it(
    given: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / os.fsdecode(b"f\xe9")
    for command in ("run", "dataset"):
        assert "is no text that Parquet" in said(capsys, given, FOLDERS[command], "--out", out)


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text here")
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "FILE", "--size", "2", "--no-refine", "--recordings", "3", "--out", "out"),
        ("compare", "FILE", "--before", "1", "--after", "3", "--size", "0", "--out", "out"),
        ("experiment", "MEMBERS", "--block", "A=0.5", "--no-figures", "--out", "out"),
        ("which", "FILE", "--out", os.fsdecode(b"w\xe9.csv")),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_name_that_is_no_text_and_a_console_of_few_characters_lose_nothing(
    arguments: Sequence[str], given: dict[str, str], tmp_path: Path
) -> None:
    names = {"FILE": os.fsdecode(b"r\xe9c.csv"), "MEMBERS": os.fsdecode(b"p\xe9.csv")}
    for word, name in names.items():
        shutil.copyfile(given[word], tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-m", "spike2pop_nb.cli", *(names.get(a, a) for a in arguments)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    if arguments[-1] == "out":
        summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
        assert "\\udce9" in json.dumps(summary["options"])
