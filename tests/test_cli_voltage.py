"""Voltage on the command line: what is understood is printed, and bad input is one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import spike2pop
from voltage_traces import RATE_HZ, beside, inside, spike_times_s

from spike2pop_nb.cli.reading import levels_of
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import read_spike_trains

DURATION_S = 5.0
SPIKES_S = spike_times_s(DURATION_S)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two channels and a current, with times."""
    path = tmp_path / "cells.csv"
    volts = inside(SPIKES_S, DURATION_S)
    columns = {"time_s": np.arange(volts.size) / RATE_HZ, "A_mV": volts, "B_mV": volts - 5, "I_pA": volts}
    pd.DataFrame(columns).to_csv(path, index=False, float_format="%.6g")
    return path


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An extracellular trace of counts without times."""
    path = tmp_path / "probe.npy"
    np.save(path, np.rint(1e4 * beside(SPIKES_S, DURATION_S)).astype(np.int16))
    return path


def test_predict_says_what_was_understood(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "dics.csv"
    status, _, said = spike2pop(capsys, "predict", table, "--voltage", "--out", out)
    assert status == 0, said
    found = pd.read_csv(out)
    assert found["id"].tolist() == ["A_mV", "B_mV"]
    assert (found["n_spikes"] == SPIKES_S.size).all()
    assert f"cells.csv (CSV): 2 trains, {2 * SPIKES_S.size} spikes." in said
    assert "Unit: voltage in mV, as the column name says; times in s, as the column name says." in said
    assert "Skipped: 1 column of another quantity, 'I_pA'." in said
    assert "mV ('A_mV', 'B_mV'), as the traces suggest; taken for a recording from inside the cell" in said


def test_levels_channels_and_stretch(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "dics.csv"
    options = (
        "--channels",
        "A_mV,B_mV",
        "--threshold-mv",
        "-20",
        "--threshold-mv",
        "B_mV=60",
        "--stop-s",
        "3",
    )
    status, _, said = spike2pop(capsys, "predict", table, "--voltage", *options, "--out", out)
    assert status == 0, said
    counts = pd.read_csv(out).set_index("id")["n_spikes"]
    assert counts["A_mV"] == (SPIKES_S < 3).sum()
    assert counts["B_mV"] == 0
    assert "'B_mV': no spike at this threshold" in said
    status, _, said = spike2pop(
        capsys,
        "predict",
        table,
        "--voltage",
        "--recordings",
        "B_mV",
        "--reset-mv=-60",
        "--threshold-mv=-20",
        "--out",
        out,
    )
    assert status == 0, said
    assert pd.read_csv(out)["id"].tolist() == ["B_mV"]


def test_a_trace_without_times_in_counts(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "dics.csv"
    predict = ("predict", bare, "--voltage", "--out", out)
    status, _, said = spike2pop(capsys, *predict)
    assert status == 2
    assert "such as 20000 (--sampling-rate-hz)" in said
    status, _, said = spike2pop(capsys, *predict, "--sampling-rate-hz", RATE_HZ)
    assert status == 2
    assert "(--threshold-mv and --reset-mv), or give the unit of the voltage (--voltage-unit)" in said
    assert not out.exists()
    for options in (
        ("--threshold-mv=-800", "--reset-mv=-100"),
        ("--voltage-unit", "uV", "--polarity", "both"),
    ):
        status, _, said = spike2pop(capsys, *predict, "--sampling-rate-hz", RATE_HZ, *options)
        assert status == 0, said
        assert pd.read_csv(out)["n_spikes"].item() == SPIKES_S.size
        assert "from beside the cell (extracellular)" in said


def test_all_commands_take_a_voltage(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reading = (table, "--voltage", "--channels", 0)
    out = tmp_path / "out"
    status, _, said = spike2pop(
        capsys, "run", *reading, "--size", 1, "--budget", 16, "--seed", 1, "--out", out, "--no-refine"
    )
    assert status == 0, said
    assert '"voltage": true' in (out / "summary.json").read_text()
    status, text, said = spike2pop(capsys, "choices", *reading, "--draws", 64)
    assert status == 0, said
    assert "A_mV" in text
    status, _, said = spike2pop(capsys, "map", *reading, "--grid", 3, "--out", tmp_path / "map.csv")
    assert status == 0, said
    assert (tmp_path / "map.csv").exists()


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--threshold-mv", "-20"), "--threshold-mv is for voltages; add --voltage"),
        (("--channels", "A"), "--channels is for voltages; add --voltage"),
        (("--voltage", "--layout", "long"), "--layout is for spike times"),
        (("--voltage", "--threshold-mv", "high"), "--threshold-mv high: write a number"),
        (("--voltage", "--threshold-mv", "C=1"), "there is no such trace"),
        (("--voltage", "--threshold-mv=1,2,3"), "3 thresholds are given for 2 traces"),
        (("--voltage", "--threshold-mv=nan"), "both must be finite"),
        (("--voltage", "--channels", "C"), "no channel 'C'"),
        (("--voltage", "--start-s", "9"), "no trace has samples from 9 s on"),
        (("--voltage", "--start-s", "2", "--stop-s", "1"), "stop must come after"),
        (("--voltage", "--polarity", "down", "--threshold-mv=-20", "--reset-mv=-30"), "reset not below"),
    ],
)
def test_bad_options_are_one_sentence(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], part: str
) -> None:
    out = tmp_path / "dics.csv"
    status, _, said = spike2pop(capsys, "predict", table, *options, "--out", out)
    assert status == 2
    assert part in said.strip().splitlines()[-1]
    assert said.strip().splitlines()[-1].startswith("Error: ")
    assert not out.exists()


def test_levels() -> None:
    assert levels_of(None, "--x") is None
    assert levels_of(["-20"], "--x") == [-20.0]
    assert levels_of(["1,2"], "--x") == [1.0, 2.0]
    assert levels_of(["a=b=1", "5"], "--x") == {"a=b": 1.0, "*": 5.0}
    with pytest.raises(SpikeTrainError, match="only one can stand beside"):
        levels_of(["1", "2", "a=3"], "--x")


@pytest.mark.parametrize("kind", ["html", "svg"])
def test_voltages_are_drawn_with_their_threshold_and_spikes(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    figure, out = tmp_path / f"v.{kind}", tmp_path / "spikes.csv"
    status, text, said = spike2pop(
        capsys, "voltage", table, "--figure", figure, "--out", out, "--threshold-mv", "A_mV=-20"
    )
    assert status == 0, said
    assert f"A_mV: {SPIKES_S.size} spikes at a threshold of -20 mV" in text
    assert "spikes detected where" in said
    drawn = figure.read_text(encoding="utf-8")
    assert "V (mV)" in drawn
    assert read_spike_trains(out).ids == ["A_mV", "B_mV"]


def test_a_figure_that_cannot_be_written_is_refused_before_the_file_is_read(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, text, said = spike2pop(capsys, "voltage", table, "--figure", tmp_path / "v.gif")
    assert (status, text) == (2, "")
    assert "not 'v.gif'" in said
    assert "voltage traces" not in said
