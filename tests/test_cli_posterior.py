"""A posterior on the command line: what is written, and that it can be read again."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from command_line import spike2pop

import spike2pop_nb as s2p
from spike2pop_nb.conductances import Population


def test_a_posterior_is_written_and_read_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = s2p.example_path("stg_set.csv")
    known = s2p.read_spike_trains(file)[2].id
    out = tmp_path / "drawn"
    few = ("--size", 8, "--budget", 1024, "--recordings", known, "--out", out)
    status, said, _ = spike2pop(capsys, "posterior", file, "--neuron", "stg", *few)
    assert status == 0
    assert "members drawn from the posterior" in said
    assert "each conductance is uniform over the range that the stg neuron declares" in said
    population = Population.from_csv(out / "population.csv")
    table = pd.read_csv(out / "posterior.csv")
    assert table["value"].tolist() == [*population.channel_names, "I", "σ"]
    assert ((table["low_95"] <= table["low_50"]) & (table["high_50"] <= table["high_95"])).all()
    assert 1 <= len(population) <= 8
    assert population.driven
    summary = json.loads((out / "summary.json").read_text())
    assert summary["kind"] == "members drawn from a posterior"
    assert summary["effective_sample_size"] <= 8.0
    assert (out / "figures" / "posterior_pairs.svg").is_file()
    assert "Adaptive approximate Bayesian computation" in (out / "methods.md").read_text()


def test_a_recording_that_is_too_short_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "short.txt"
    file.write_text("0.1\n0.2\n0.3\n")
    out = tmp_path / "drawn"
    status, _, said = spike2pop(capsys, "posterior", file, "--unit", "s", "--neuron", "stg", "--out", out)
    assert status == 1
    assert "has 2 intervals; 10 are needed to say how it varies" in said
    assert not (out / "population.csv").exists()
