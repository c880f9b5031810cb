"""Files that a run leaves behind."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export import results_frames, results_zip, write_results
from spike2pop_nb.fidelity import Result, find_population
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains


class Here:
    """A posterior that is one point."""

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        return np.tile([5.0, 5.0], (n, 1))


@pytest.fixture(scope="module")
def results() -> list[Result]:
    member = generate_population("stg", (5.0, 5.0), size=1, seed=5)
    train = SpikeTrain("<b>cell</b>", simulate(member, record="spikes").spike_times_ms[0])
    good = find_population(train, "stg", Here(), size=2, seed=1)
    silent = find_population(SpikeTrain("quiet", [1.0]), "stg", Here(), size=2)
    return [good, silent]


def test_the_files_hold_what_they_say_and_read_back(results: list[Result], tmp_path: Path) -> None:
    write_results(results, tmp_path / "new" / "folder", {"seed": 1})
    out = tmp_path / "new" / "folder"
    assert sorted(path.name for path in out.iterdir()) == [
        "population.csv",
        "spike_times.csv",
        "summary.json",
    ]
    table = pd.read_csv(out / "population.csv")
    assert list(table.columns[:4]) == ["id", "member", "g_Na", "g_Kd"]
    assert {"score", "passed", "g_leak"} <= set(table.columns)
    population = Population.from_csv(out / "population.csv", "stg")
    assert results[0].population is not None
    np.testing.assert_allclose(population.g, results[0].population.g, rtol=1e-12)
    trains = read_spike_trains(out / "spike_times.csv")
    assert len(trains) == 2
    np.testing.assert_allclose(trains[0].times_ms, results[0].simulated.spike_times_ms[0], rtol=1e-12)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["options"] == {"seed": 1}
    assert summary["versions"]["spike2pop_nb"]
    first, second = summary["recordings"]
    assert first["kept"] == first["kept_passed"] == 2
    assert first["tried"] >= 2
    assert not second["usable"]
    assert "silent" in second["message"]


def test_the_zip_holds_the_same_files(results: list[Result]) -> None:
    with zipfile.ZipFile(io.BytesIO(results_zip(results, {}))) as archive:
        assert set(archive.namelist()) == {"population.csv", "spike_times.csv", "summary.json"}
        population = pd.read_csv(archive.open("population.csv"))
    pd.testing.assert_frame_equal(
        population[["g_Na", "score"]], results_frames(results)["population"][["g_Na", "score"]]
    )


def test_nothing_kept_gives_empty_tables(results: list[Result]) -> None:
    frames = results_frames(results[1:])
    assert frames["population"].empty
    assert list(frames["spike_times"].columns) == ["id", "member", "time_ms"]


def test_a_folder_that_cannot_be_made_is_one_sentence(results: list[Result], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Spike2PopError, match="cannot be made"):
        write_results(results, tmp_path / "file" / "sub", {})
