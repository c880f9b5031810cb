"""An id is the same in every file, whatever it looks like."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from spike2pop_nb import cli
from spike2pop_nb.conductances import Population
from spike2pop_nb.export import EVERYTHING, results_zip, simulators, write_results
from spike2pop_nb.fidelity import Result, find_population
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains, write_spike_times

IDS = [
    "NA", "N/A", "null", "nan", "None", "True", "-70mV", "+TTX", "=1+1", "@home", "007", "1e5", "1.0", "1",
    "naïve café", "../../evil", "C:\\x", 'say "hi"', "a, b; c", "'", "'=1", "x" * 200,
]  # fmt: skip


class Here:
    def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        return np.tile([5.0, 5.0], (n, 1))


@pytest.fixture(scope="module")
def results() -> list[Result]:
    times = np.arange(0.0, 1500.0, 77.0)
    return [
        find_population(SpikeTrain(name, times), "stg", Here(), size=1, budget=8, refine=False)
        for name in IDS
    ]


def spike2pop(*arguments: object) -> None:
    before = sys.argv
    sys.argv = ["spike2pop", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as stop:
        assert not stop.code  # noqa: PT017
    finally:
        sys.argv = before


def column(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(dict.fromkeys(row["id"] for row in csv.DictReader(file)))


def test_ids_go_through_all_files_unchanged(results: list[Result], tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    files = write_results(results, out, {}, formats=("csv", "parquet", "npz", "txt"))
    assert all(path.resolve().is_relative_to(out) for path in files)
    assert len(list((out / "traces").iterdir())) == len(IDS)
    assert column(out / "population.csv") == column(out / "spike_times.csv") == IDS
    assert [
        entry["id"] for entry in json.loads((out / "summary.json").read_text("utf-8"))["recordings"]
    ] == IDS
    for name in ("population", "spike_times"):
        assert list(dict.fromkeys(pq.read_table(out / f"{name}.parquet")["id"].to_pylist())) == IDS
    population = Population.from_csv(out / "population.csv", "stg")
    assert [name for name, _member in population.labels] == IDS
    population.to_csv(tmp_path / "again.csv")
    assert [name for name, _ in Population.from_csv(tmp_path / "again.csv", "stg").labels] == IDS
    trains = read_spike_trains(out / "spike_times.csv")
    assert trains.ids == [f"{name}/0" for name in IDS]

    spike2pop(
        "simulate",
        out / "population.csv",
        "--duration-ms",
        600,
        "--transient-ms",
        0,
        "--out",
        tmp_path / "s.csv",
    )
    assert column(tmp_path / "s.csv") == IDS
    spike2pop("export", out / "population.csv", "--to", "brian2", "--out", tmp_path / "brian2")
    assert column(tmp_path / "brian2" / "stg_members.csv") == IDS
    assert results_zip(results[:3], {}, formats=("csv",))


@pytest.mark.parametrize("name", IDS)
def test_one_member_is_exported_with_its_id(name: str, tmp_path: Path) -> None:
    population = Population.from_g("stg", np.ones((1, 8)), id=name)
    for target in simulators.TARGETS:
        script, *_ = simulators.export(population, target, tmp_path / target)
        text = script.read_text(encoding="utf-8")
        compile(text, str(script), "exec")
        assert f'"id": {name!r}' in text


def test_ids_of_recordings_and_predictions(tmp_path: Path) -> None:
    trains = [SpikeTrain(name, np.arange(0.0, 1500.0, 70.0 + i)) for i, name in enumerate(IDS)]
    write_spike_times(trains, tmp_path / "trains.csv")
    assert column(tmp_path / "trains.csv") == IDS
    assert load_predictor("stg").predict(trains).to_frame()["id"].tolist() == IDS
    some = [name for name in IDS if "'" not in name]
    write_spike_times([train for train in trains if train.id in some], tmp_path / "trains.csv")
    spike2pop("predict", tmp_path / "trains.csv", "--unit", "ms", "--out", tmp_path / "dics.csv")
    assert column(tmp_path / "dics.csv") == some


def test_no_folder_is_named_by_what_is_in_an_id(results: list[Result]) -> None:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(results_zip(results, {}, formats=("npz",)))) as archive:
        names = [name for name in archive.namelist() if name.startswith("traces/")]
    assert len(set(names)) == len(IDS)
    assert all(".." not in name and len(name) < 80 and name.isascii() for name in names)


def test_words_that_are_no_numbers_are_refused_as_conductances(tmp_path: Path) -> None:
    table = pd.DataFrame([[1.0] * 8], columns=Population.from_g("stg", np.ones((1, 8))).table.columns[2:10])
    for word in ("NA", "null", ""):
        table.astype(object).assign(id="NA", g_Na=word).to_csv(tmp_path / "p.csv", index=False)
        with pytest.raises(ValueError, match=r"row 2: g_Na is .*zero or more"):
            Population.from_csv(tmp_path / "p.csv", "stg")


def test_formats_of_everything_take_any_id(results: list[Result]) -> None:
    assert results_zip([results[IDS.index("../../evil")]], {}, formats=EVERYTHING)
