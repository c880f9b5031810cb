"""Next, record, narrow, next: a round on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from command_line import spike2pop

import spike2pop_nb as s2p
from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.experiments import block, run_experiment
from spike2pop_nb.spiketrains import write_spike_times


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A population, and a recording of one of its members with half of A blocked."""
    made = tmp_path_factory.mktemp("next")
    population = generate_population("stg", (5.0, 5.0), size=12, seed=1)
    population.to_csv(made / "population.csv")
    cell = run_experiment(
        population.select([3]), {"cell": block("A", 0.5)}, duration_ms=2000, record="spikes"
    )
    write_spike_times([cell.train("cell", 0)], made / "cell.csv")
    (made / "prices.csv").write_text(
        "experiment,price\nblock,\nblock A,3\npulses,\nbuffer,\npotassium,\ncurrent,2\n"
    )
    return made


def test_a_round_on_the_command_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, table = tmp_path / "next", folder / "population.csv"
    short = ("--duration-ms", 1000, "--transient-ms", 1000)
    asked = ("next", table, "--prices", folder / "prices.csv", "--out", out, *short)
    status, text, said = spike2pop(capsys, *asked)
    assert status == 0, said
    assert "is expected to tell the most about all conductances" in text
    ranked = pd.read_csv(out / "experiments.csv")
    assert len(ranked) == 7 + 2
    assert ranked["bits"].is_monotonic_decreasing
    assert set(ranked.loc[ranked["experiment"].str.startswith("block"), "price"]) == {3.0}
    assert {path.name for path in (out / "figures").glob("*.svg")} == {
        "next_experiments.svg",
        "answers_of_members.svg",
    }
    assert json.loads((out / "summary.json").read_text())["experiments"][0]["protocol"]["actions"]
    assert "mutual information" in (out / "methods.md").read_text()

    # the table, edited, is a table of prices
    ranked.assign(price=[1.0] * 9).to_csv(tmp_path / "own.csv", index=False)
    again = ("next", table, "--prices", tmp_path / "own.csv", "--by", "price", "--target", "conductance:A")
    status, text, said = spike2pop(capsys, *again, "--no-figures", "--out", tmp_path / "again", *short)
    assert status == 0, said
    assert "for its price of 1 each" in text
    assert not (tmp_path / "again" / "figures").exists()

    status, text, said = spike2pop(
        capsys, "narrow", table, folder / "cell.csv", "--block", "A=0.5", "--out", tmp_path / "left"
    )
    assert status == 0, said
    assert "of 12 members" in text
    left = Population.from_csv(tmp_path / "left" / "population.csv")
    assert 1 <= len(left) < 12
    assert 3 in left.table["member"].tolist()
    assert left.weights.sum() == pytest.approx(1.0)
    assert pd.read_csv(tmp_path / "left" / "members.csv")["remains"].sum() == len(left)

    silent = ("narrow", table, "--silent-s", 2, "--block", "Na=1", "--out", tmp_path / "all")
    status, text, said = spike2pop(capsys, *silent)
    assert status == 0, said
    assert "it told 0.00 bits" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("narrow", "--block", "A=0.5"), "Give the file of the new recording, or --silent-s"),
        (("narrow", "--silent-s", 2), "Say what is done: --block A=0.5"),
        (("narrow", "--silent-s", 2, "--block", "A=0.1,0.5"), "One recording was made under one dose"),
        (("narrow", "--silent-s", 2, "--block", "A=0.1"), "Under A −10 % the recording 'silent' is silent"),
        (("narrow", "--silent-s", 2, "--temperature-C", "20"), "The stg neuron does not state"),
        (("next", "--target", "axon"), "A target is conductances"),
        (("next", "--target", "neuron"), "To tell which neuron it is"),
        (("next", "--prices", "none.csv"), "none.csv: there is no such file"),
        (("experiment", "--block", "A=0.5", "--recording", "x.csv"), "--recording is for --band"),
        (
            ("experiment", "--block", "A=0.5", "--band", 80, "--recording", s2p.example_path("stg_set.csv")),
            "stg_set.csv holds 5 recordings; name the one that is meant with --recordings",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: tuple[str, ...], words: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *options = arguments
    asked = (command, folder / "population.csv", *options, "--out", tmp_path / "out")
    status, _text, said = spike2pop(capsys, *asked)
    assert status == 2
    last = said.strip().splitlines()[-1]
    assert last.startswith(f"Error: {words}"), said
    assert not (tmp_path / "out").exists()


def test_an_experiment_predicts(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("experiment", folder / "population.csv", "--block", "A=0.5,1", "--band", 90, "--no-figures")
    short = ("--duration-ms", 1000, "--transient-ms", 500)
    known = ("--recording", folder / "cell.csv")
    status, text, said = spike2pop(capsys, *asked, *short, *known, "--out", tmp_path)
    assert status == 0, said
    assert "bands hold it in 90 %" in text
    table = pd.read_csv(tmp_path / "predictions.csv")
    assert set(table["population"]) == {"members", "unrefined", "shuffled"}
    assert {"rate_Hz", "share_bursting"} <= set(table["measure"])
    assert (table["low"] <= table["high"]).all()
    assert "conformal prediction" in (tmp_path / "methods.md").read_text()
