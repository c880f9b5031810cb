"""Experiments as files: tables say what the experiment found, and results carry them everywhere."""

from __future__ import annotations

import io
import json
import zipfile

import pandas as pd
import pytest

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import Question, block, run_experiment
from spike2pop_nb.export import (
    experiment_files,
    experiment_frames,
    experiment_summary,
    experiment_title,
    results_zip,
    write_experiments,
)

TIMES = {"duration_ms": 800.0, "transient_ms": 400.0}


@pytest.fixture(scope="module")
def population():
    """Members of two recordings."""
    made = [generate_population("stg", (5.0, 5.0), size=n, seed=n, id=f"cell {n}") for n in (4, 3)]
    return Population.joined(made)


@pytest.fixture(scope="module")
def blocked(population):
    return run_experiment(population, Question("block", "A").doses([0.25, 0.5, 0.75]), **TIMES)


@pytest.fixture(scope="module")
def driven(population):
    return run_experiment(population, Question("current").doses([-3, 3]), **TIMES)


def test_tables_name_members_as_the_population_does(blocked, driven):
    frames = experiment_frames([blocked, driven])
    members = frames["members"]
    assert len(members) == 7 * 4 + 7 * 3
    assert members["experiment"].unique().tolist() == ["share of A blocked", "current (µA/cm²)"]
    of_block = members[members["experiment"] == "share of A blocked"]
    assert of_block.groupby("id")["member"].unique().map(list).to_dict() == {
        "cell 3": [0, 1, 2],
        "cell 4": [0, 1, 2, 3],
    }
    one = of_block[(of_block["id"] == "cell 3") & (of_block["member"] == 1)].set_index("condition")
    assert one["n_spikes"].tolist() == blocked.data["n_spikes"].values[5].tolist()
    doses = frames["doses"].set_index(["experiment", "condition"])
    kinds = [column for column in doses if column.startswith("n_")]
    assert (doses[kinds].sum(axis=1) == 7).all()
    assert doses.loc[("share of A blocked", "0.5"), "kept"] == blocked.kept("0.5").sum()
    curves = frames["f_I"]
    assert curves["experiment"].unique().tolist() == ["current (µA/cm²)"]
    assert curves.groupby(["id", "member"]).size().eq(3).all()


def test_a_summary_holds_the_protocol_and_what_became_of_it(blocked):
    told = json.loads(json.dumps(experiment_summary(blocked)))
    last = told["conditions"][-1]
    assert last["protocol"]["actions"] == [{"kind": "block", "channel": "A", "blocked": 0.75}]
    assert sum(last["patterns"].values()) == 7
    assert last["kept"] + sum(last["crashed"].values()) == 7
    assert told["recordings"] == "cell 4, cell 3"


def test_what_is_written_once_can_be_read_everywhere(blocked, driven, tmp_path):
    paths = write_experiments([driven], tmp_path, {"seed": 1}, formats=("csv", "parquet", "svg"))
    assert all(path.exists() for path in paths)
    names = {path.relative_to(tmp_path).as_posix() for path in paths}
    assert {"figures/01_current_uA_cm/dose_response.svg", "figures/01_current_uA_cm/f_I_curves.svg"} < names
    table = pd.read_parquet(tmp_path / "members.parquet")
    assert table["crash_ms"].dtype.kind == "f"
    words = (tmp_path / "methods.md").read_text()
    assert words.count("kept their rhythm") == 1
    assert experiment_files([blocked], ["csv"]) == experiment_files([blocked], ["csv"])
    with pytest.raises(Spike2PopError, match="run one first"):
        write_experiments([], tmp_path / "none", {})


def test_experiments_without_doses_are_named_by_what_was_done(population):
    done = run_experiment(
        population.select([0, 1]), {"half": block("A", 0.5), "none": block("A", 1)}, **TIMES
    )
    assert experiment_title(done) == "half, none"
    assert "dose" in experiment_frames([done])["doses"]
    assert "half_lost_at" not in experiment_summary(done)


def test_results_carry_their_experiments_into_every_file(given):
    done = run_experiment(given.population, Question("block", "A").doses([0.5, 1.0]), **TIMES)
    other = run_experiment(given.population, Question("current").doses([1.0]), **TIMES)
    experiments = {given.recording.id: [done, other], "of none": [done]}
    made = results_zip([given], {}, formats=("csv", "md", "html", "txt"), experiments=experiments)
    archive = zipfile.ZipFile(io.BytesIO(made))
    read = {name: archive.read(name).decode() for name in archive.namelist()}
    assert read["experiments/members.csv"].count("\n") == 1 + 2 * (3 + 2)
    assert "share of A blocked" in read["methods.md"]
    assert "experiments/doses.csv\n" in read["README.txt"]
    assert read["report.html"].startswith("<!DOCTYPE html>")
    assert read["report.html"].count("<h3>Experiment: ") == 2
    summary = json.loads(read["summary.json"])["recordings"][0]
    assert [one["experiment"] for one in summary["experiments"]] == ["share of A blocked", "current (µA/cm²)"]
