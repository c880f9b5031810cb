"""Files that a run leaves behind."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import Cancelled, Spike2PopError
from spike2pop_nb.export import (
    EVERYTHING,
    FIGURES,
    methods_paragraph,
    results_frames,
    results_zip,
    summary,
    table_csv,
    write_results,
)
from spike2pop_nb.fidelity import Result
from spike2pop_nb.spiketrains import read_spike_trains


@pytest.fixture(scope="module")
def results(given: Result, silent: Result) -> list[Result]:
    return [given, silent]


@pytest.fixture(scope="module")
def everything(results: list[Result]) -> bytes:
    return results_zip(results, {"seed": 1}, settings={"size": 2})


def test_the_files_hold_what_they_say_and_read_back(results: list[Result], tmp_path: Path) -> None:
    paths = write_results(results, tmp_path / "new" / "folder", {"seed": 1})
    out = tmp_path / "new" / "folder"
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in paths)
    assert {path.name for path in paths} == {"population.csv", "spike_times.csv", "summary.json"}
    table = pd.read_csv(out / "population.csv")
    assert list(table.columns[:4]) == ["id", "member", "g_Na", "g_Kd"]
    assert {"score", "passed", "g_leak"} <= set(table.columns)
    population = Population.from_csv(out / "population.csv", "stg")
    assert results[0].population is not None
    np.testing.assert_allclose(population.g, results[0].population.g, rtol=1e-12)
    trains = read_spike_trains(out / "spike_times.csv")
    assert len(trains) == 2
    np.testing.assert_allclose(trains[0].times_ms, results[0].simulated.spike_times_ms[0], rtol=1e-12)
    told = json.loads((out / "summary.json").read_text())
    assert told["options"] == {"seed": 1}
    assert told["versions"]["spike2pop_nb"]
    first, second = told["recordings"]
    assert first["kept"] == first["kept_passed"] == 2
    assert first["tried"] >= 2
    assert population.labels[0][0] == first["id"] == results[0].recording.id
    assert not second["usable"]
    assert "silent" in second["message"]


def test_the_summary_names_the_network_and_the_width(inferred: list[Result]) -> None:
    first = summary(inferred, {})["recordings"][0]
    assert first["source"]["unit"] == "ms"
    assert first["source"]["reading"].startswith("ms assumed from the intervals: ")
    assert first["network"]["file"] == "stg.safetensors"
    assert len(first["network"]["sha256"]) == 64
    low, high = first["dics"]["g_s_interval_95"]
    assert low < first["dics"]["g_s"] < high


def test_the_summary_says_how_different_the_members_stayed(inferred: list[Result]) -> None:
    first = summary(inferred, {})["recordings"][0]
    own, found = inferred[0].diversity, first["diversity"]
    assert first["kept_crosses"] == inferred[0].n_crosses
    assert found["effective_sample_size"] == first["kept"] == 8
    assert (
        found["correlations"]["Na"]["A"]
        == found["correlations"]["A"]["Na"]
        == own.correlations.loc["Na", "A"]
    )
    assert found["correlations_unrefined"]["Kd"]["H"] == own.correlations_unrefined.loc["Kd", "H"]
    assert set(found["spread_against_unrefined"]) == set(inferred[0].neuron.channel_names)
    assert set(first["kept_above_declared_range"]) <= set(inferred[0].neuron.channel_names)
    assert first["unrefined_above_declared_range"].keys() <= set(inferred[0].neuron.channel_names)
    plain = summary([replace(inferred[0], unrefined=None)], {})["recordings"][0]["diversity"]
    assert set(plain) == {"effective_sample_size", "least_distance", "dimensions", "correlations"}


def test_the_zip_holds_everything(results: list[Result], everything: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(everything)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        folder = "1_1_1_b_x"
        drawn = {
            f"figures/{folder}/{n}.{kind}" for n in FIGURES if n != "posterior" for kind in ("svg", "png")
        }
        drawn |= {f"figures/2_quiet/recording.{kind}" for kind in ("svg", "png")}
        tables = {f"{table}.{kind}" for table in ("population", "spike_times") for kind in ("csv", "parquet")}
        others = {
            "methods.md",
            "recordings.csv",
            "report.html",
            "summary.json",
            "settings.json",
            "README.txt",
            f"traces/{folder}.npz",
        }
        assert set(names) == drawn | tables | others
        frames = results_frames(results)
        population = pd.read_csv(archive.open("population.csv"))
        for name in ("g_Na", "score"):
            np.testing.assert_allclose(population[name], frames["population"][name], rtol=1e-15)
        spikes = pq.read_table(io.BytesIO(archive.read("spike_times.parquet"))).to_pandas()
        pd.testing.assert_frame_equal(spikes, frames["spike_times"], check_dtype=False)
        assert archive.read("methods.md").decode() == methods_paragraph(results)
        assert json.loads(archive.read("settings.json")) == {"size": 2}
        with np.load(io.BytesIO(archive.read(f"traces/{folder}.npz")), allow_pickle=False) as traces:
            assert traces["V_mV"].shape == results[0].simulated.V_mV.shape
        guide = archive.read("README.txt").decode()
    for name in [*frames["population"].columns, *frames["spike_times"].columns, "V_mV", "members"]:
        assert f"        {name}" in guide, name
    assert "g_Na (mS/cm²): maximal conductance of Na" in guide
    assert f"{folder}: recording {results[0].recording.id}" in guide
    assert "posterior" not in guide.split("RECORDINGS")[0].replace("posterior over", ""), "it was not drawn"


def test_the_zip_holds_what_it_was_made_from(
    results: list[Result], everything: bytes, tmp_path: Path
) -> None:
    with zipfile.ZipFile(io.BytesIO(everything)) as archive:
        path = Path(archive.extract("recordings.csv", tmp_path))
        assert "recordings.csv\n    The recorded spikes as read" in archive.read("README.txt").decode()
    again = read_spike_trains(path)
    for result in results:
        if result.recording.n_spikes:
            np.testing.assert_allclose(again.by_id(result.recording.id).times_ms, result.recording.times_ms)
    assert again.report.unit == "ms"


def test_making_the_zip_is_told_and_can_be_stopped(results: list[Result]) -> None:
    told: list[tuple[int, int]] = []
    results_zip(results, {}, formats=("csv",), progress=lambda *done: told.append(done))
    assert told == [(k, len(results) + 3) for k in range(len(results) + 3)]
    with pytest.raises(Cancelled):
        results_zip(results, {}, formats=("csv",), cancel=lambda: True)


def test_the_same_results_give_the_same_zip_but_for_the_date(
    results: list[Result], everything: bytes
) -> None:
    again = results_zip(results, {"seed": 1}, settings='{"size": 2}\n')
    with zipfile.ZipFile(io.BytesIO(everything)) as one, zipfile.ZipFile(io.BytesIO(again)) as other:
        assert one.namelist() == other.namelist()
        for name in one.namelist():
            if name in {"summary.json", "settings.json"}:
                a, b = (json.loads(archive.read(name)) for archive in (one, other))
                assert a | {"made_at": ""} == b | {"made_at": ""}
            elif name == "report.html":
                a, b = (re.sub(rb"made [^ ]+ with", b"", archive.read(name)) for archive in (one, other))
                assert a == b
            else:
                assert one.read(name) == other.read(name), name
        assert {info.date_time for info in [*one.infolist(), *other.infolist()]} == {(1980, 1, 1, 0, 0, 0)}


def test_nothing_kept_gives_empty_tables(results: list[Result]) -> None:
    frames = results_frames(results[1:])
    assert frames["population"].empty
    assert list(frames["spike_times"].columns) == ["id", "member", "time_ms"]
    with zipfile.ZipFile(io.BytesIO(results_zip(results[1:], {}, formats=EVERYTHING))) as archive:
        assert "summary.json" in archive.namelist()


def test_nothing_to_write_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Spike2PopError, match="There are no results to write"):
        results_zip([], {}, formats=EVERYTHING)
    with pytest.raises(Spike2PopError, match="There are no results to write"):
        write_results([], tmp_path, {})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_one_sentence(results: list[Result], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Spike2PopError, match="cannot be made"):
        write_results(results, tmp_path / "file" / "sub", {})


def test_an_unknown_format_is_one_sentence(results: list[Result], tmp_path: Path) -> None:
    with pytest.raises(Spike2PopError, match=r"must be one of csv, parquet, .* not 'xlsx'"):
        write_results(results, tmp_path, {}, formats=["xlsx"])  # type: ignore[list-item]
    assert not list(tmp_path.iterdir())


def test_whole_numbers_that_some_recordings_lack_keep_their_digits(given: Result) -> None:
    assert given.population is not None
    seeds = given.population.table.assign(noise_seed=np.array([2**63 + 1, 3], dtype=np.uint64))
    driven = replace(given, population=replace(given.population, table=seeds))
    lines = table_csv(results_frames([given, driven])["population"]).splitlines()
    place = lines[0].split(",").index('"noise_seed"')
    missing = '""'  # as pandas writes it where texts are quoted
    assert [line.split(",")[place] for line in lines[1:]] == [missing, missing, "9223372036854775809", "3"]
