"""`spike2pop compare` on real input, its files, and its answers to bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import spike2pop

from spike2pop_nb import example_path, read_spike_trains, write_spike_times
from spike2pop_nb.conductances import Population
from spike2pop_nb.files import locked

FILE = example_path("stg_set.csv")


def compare(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run the command in this process."""
    return spike2pop(capsys, "compare", *arguments)


def test_it_writes_changes_pairs_and_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    status, text, _ = compare(
        capsys, FILE, "--before", "3", "--after", "4", "--neuron", "stg", "--size", 3, "--out", out
    )
    assert status == 0
    assert text.startswith("3 to 4: ")
    names = {"changes.csv", "pairs.csv", "summary.json", "methods.md", "README.txt"}
    assert {path.name for path in out.iterdir()} - {".lock"} == names
    changes = pd.read_csv(out / "changes.csv")
    assert {"rank", "what", "unit", "probability", "median", "low", "high"} <= set(changes.columns)
    assert len(changes) == 10
    pairs = pd.read_csv(out / "pairs.csv", dtype={"id": str})
    assert pairs["condition"].value_counts().to_dict() == {"before": 3, "after": 3}
    before, after = (pairs[pairs["condition"] == name].reset_index() for name in ("before", "after"))
    np.testing.assert_allclose(after["g_CaS"] / before["g_CaS"], after["change_CaS"])
    members = Population.from_csv(out / "pairs.csv")
    assert len(members) == 6
    assert members.driven
    summary = json.loads((out / "summary.json").read_text())
    assert summary["options"]["before"] == "3"
    assert sum(one["probability"] for one in summary["explanations"]) == pytest.approx(1.0)
    assert "References" in (out / "methods.md").read_text()


def test_what_is_unchanged_is_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trains = read_spike_trains(FILE)
    twice = tmp_path / "again.csv"
    write_spike_times(trains[2:3], twice)
    status, text, _ = compare(
        capsys, FILE, twice, "--before", "3", "--size", 0, "--out", tmp_path / "out", "--unit", "ms"
    )
    assert status == 0
    assert text.startswith("stg_set:3 and again:3: unchanged")
    assert "Both recordings have the same spikes." in text
    assert not (tmp_path / "out" / "pairs.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--before", "3"], "Name both recordings with --before and --after; stg_set.csv has 1, 2, 3, 4, 5."),
        (["--before", "3", "--after", "9"], "stg_set.csv has no recording '9'; it has 1, 2, 3, 4, 5."),
        (["--before", "3", "--after", "3"], "--before and --after name the same recording (3)"),
        (["--before", "3", "--after", "4", "--known", "A=0.5"], "--known A=0.5: write block=A:0.5"),
        (["--before", "3", "--after", "4", "--known", "block=A:much"], "--known block=A:much: write"),
        (["--before", "3", "--after", "4", "--known", "block=A:1.5"], "must lie from 0 to 1"),
        (["--before", "3", "--after", "4", "--known", "block=Q:0.5"], "Q"),
        (
            ["--before", "3", "--after", "4", "--known", "block=A:0.5", "--known", "scale=A:2"],
            "The known changes contradict each other: A is named more than once",
        ),
        (["--before", "3", "--after", "4", "--neuron", "nobody"], "nobody"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, said = compare(capsys, FILE, *arguments, "--out", tmp_path / "out")
    assert status == 2
    error = said.strip().splitlines()[-1]
    assert error.startswith("Error: ")
    assert words in error
    left = list((tmp_path / "out").glob("*.*")) if (tmp_path / "out").exists() else []
    assert [path.name for path in left if path.name != ".lock"] == []


@pytest.mark.usefixtures("without_atlases")
def test_a_neuron_without_an_atlas_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, said = compare(
        capsys, FILE, "--before", "3", "--after", "4", "--neuron", "ca1", "--out", tmp_path / "out"
    )
    assert status == 2
    error = said.strip().splitlines()[-1]
    assert error.startswith("Error: ")
    assert "There is no atlas of the neuron 'ca1'" in error
    assert list((tmp_path / "out").glob("*.*")) in ([], [tmp_path / "out" / ".lock"])


def test_files_of_different_units_are_refused_if_one_does_not_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds, unnamed = tmp_path / "drug.csv", tmp_path / "stg_set.csv"
    times = read_spike_trains(FILE)[3].times_ms / 1000.0
    pd.DataFrame({"time_s": times}).to_csv(seconds, index=False)
    unnamed.write_bytes(FILE.read_bytes().replace(b"times_ms", b"times"))
    status, _, said = compare(capsys, unnamed, seconds, "--before", "3", "--out", tmp_path / "out")
    assert status == 2
    assert "stg_set.csv is read in ms and drug.csv in s, and one of them does not say so" in said


def test_a_folder_that_another_run_writes_into_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with locked(tmp_path):
        status, _, said = compare(
            capsys, FILE, "--before", "3", "--after", "4", "--size", 0, "--out", tmp_path
        )
    assert status == 2
    assert "Another run is writing into" in said
