"""`run` on recordings that are no clocks, with neurons that have no network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from spike2pop_nb.cli import cli
from spike2pop_nb.simulation import simulate


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    g = np.array([[400, 2.5, 6, 50, 10, 100, 0.01, 0.01]])
    run = simulate(g, "pyloric", noise_sigma=3.0, seed=2, duration_ms=7_000, record="spikes")
    path = tmp_path_factory.mktemp("cell") / "cell.csv"
    pd.DataFrame({"time_ms": run.spike_times_ms[0]}).to_csv(path, index=False)
    return path


@pytest.mark.usefixtures("without_atlases")
def test_a_neuron_without_a_network_gets_a_population_that_can_be_asked(
    recording: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(
        cli, ["run", str(recording), "--neuron", "pyloric", "--size", "2", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert (
        "The pyloric neuron has no network: members are sought in all of its declared ranges." in done.output
    )
    (entry,) = json.loads((out / "summary.json").read_text())["recordings"]
    assert entry["kept_passed"] == 2
    spikes = tmp_path / "again.csv"
    done = CliRunner().invoke(cli, ["simulate", str(out / "population.csv"), "--out", str(spikes)])
    assert done.exit_code == 0, done.output
    window = pd.read_csv(out / "spike_times.csv")
    again = pd.read_csv(spikes)
    for member in (0, 1):
        kept = window.loc[window["member"] == member, "time_ms"].to_numpy()
        repeated = again.loc[again["member"] == member, "time_ms"].to_numpy()
        shared = repeated[repeated < 3000.0 + 1000.0]
        assert len(shared)
        np.testing.assert_allclose(kept[: len(shared)], shared)


def test_members_receive_the_current_that_is_known(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["run", str(recording), "--neuron", "pyloric", "--size", "2", "--out", str(out)]
    done = CliRunner().invoke(cli, [*asked, "--current-uA-cm2", "-0.25"])
    assert done.exit_code == 0, done.output
    assert pd.read_csv(out / "population.csv")["current_uA_cm2"].tolist() == [-0.25, -0.25]
    assert json.loads((out / "summary.json").read_text())["options"]["current"] == -0.25
    done = CliRunner().invoke(cli, [*asked, "--current-uA-cm2", "0"])
    assert done.exit_code == 1
    assert "holds a run with current -0.25, not 0" in str(done.exception)
    done = CliRunner().invoke(cli, [*asked, "--current-uA-cm2", "500", "--fresh"])
    assert str(done.exception).startswith(
        "The known current must be a number from −100 to 100 µA/cm², not 500"
    )


def test_a_tolerance_that_is_none_is_refused(recording: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["run", str(recording), "--tolerance", "close", "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 1
    assert str(done.exception) == "The tolerance is “own” or a percentage such as 1% or 20%, not 'close'."
    assert not (tmp_path / "out").exists()
