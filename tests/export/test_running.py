"""Many recordings in one folder: whole whatever ends the run, gone on with, and the same by any workers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from spike2pop_nb.data import example_path
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export import parts, results_frames, run_recordings, running, table_csv, write_results
from spike2pop_nb.export.gathering import found
from spike2pop_nb.export.parts import Parts
from spike2pop_nb.fidelity import Result, find_population
from spike2pop_nb.files import locked
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains

OPTIONS: dict[str, Any] = {"size": 2, "seed": 1, "refine": False, "budget": 64}
NAMES = ("population.csv", "spike_times.csv", "summary.json")


@pytest.fixture(scope="module")
def trains() -> list[SpikeTrain]:
    """Six recordings, two of which come to nothing."""
    read = list(read_spike_trains(example_path("stg_set")))
    return [SpikeTrain("quiet", [1.0]), *read[:4], SpikeTrain("few", [1.0, 2.0])]


@pytest.fixture(scope="module")
def at_once(trains: list[SpikeTrain], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of results that were found one by one, and written in one go."""
    posteriors = load_predictor("stg").predict(trains)
    ran = [find_population(t, "stg", p, **OPTIONS) for t, p in zip(trains, posteriors, strict=True)]
    out = tmp_path_factory.mktemp("at_once")
    write_results(ran, out, {"seed": 1})
    return out


def contents(out: Path) -> dict[str, str]:
    texts = {name: (out / name).read_text(encoding="utf-8") for name in NAMES}
    return {name: re.sub('"made_at": ".*"', "", text) for name, text in texts.items()}


def run(trains: list[SpikeTrain], out: Path, **options: Any) -> running.Ran:
    return run_recordings(trains, "stg", out, **(OPTIONS | {"told": {"seed": 1}} | options))


def stop_after(n: int) -> Callable[[int, int, str], None]:
    """Progress that a user stops."""

    def progress(done: int, _n: int, words: str) -> None:
        if done == n and words.endswith(" of 2 members"):
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("workers", [1, 2])
def test_the_files_are_those_of_one_go_for_any_number_of_workers(
    workers: int, trains: list[SpikeTrain], at_once: Path, tmp_path: Path
) -> None:
    told: list[tuple[int, int, str]] = []
    ran = run(trains, tmp_path, workers=workers, progress=lambda *said: told.append(said))
    assert contents(tmp_path) == contents(at_once)
    assert (ran.n, ran.n_before, ran.n_done, ran.n_whole, ran.failed) == (6, 0, 6, 4, [])
    assert [name for name, _outcome in ran.outcomes] == [train.id for train in trains]
    assert [done for done, _n, words in told if words.endswith(" of 2 members")] == [1, 2, 3, 4, 5, 6]
    table = pd.read_csv(tmp_path / "outcomes.csv", dtype={"id": str})
    assert table["id"].tolist() == [train.id for train in trains]
    assert table["passed"].tolist() == [0, 2, 2, 2, 2, 0]
    assert (table["took_s"] >= 0).all()
    assert not table["failed"].any()
    assert "silent" in table["message"][0]
    assert not list(tmp_path.rglob("*.partial"))


def test_a_cluster_finds_the_same(trains: list[SpikeTrain], at_once: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
    ) as cluster:
        run(trains, tmp_path, scheduler=cluster.scheduler_address)
    assert contents(tmp_path) == contents(at_once)


def test_a_run_that_was_stopped_goes_on_and_searches_nothing_twice(
    trains: list[SpikeTrain], at_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(trains, tmp_path, workers=1, progress=stop_after(3))
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in told["recordings"]] == [train.id for train in trains[:3]]
    assert set(pd.read_csv(tmp_path / "population.csv", dtype={"id": str})["id"]) == {"1", "2"}
    searched = []
    plain = running.attempt_population

    def counted(train: SpikeTrain, *given: Any, **options: Any) -> Result:
        searched.append(train.id)
        return plain(train, *given, **options)

    monkeypatch.setattr(running, "attempt_population", counted)
    asked: list[str] = []
    ran = run(trains, tmp_path, workers=1, predicted=lambda some, _found: asked.extend(t.id for t in some))
    assert searched == asked == [train.id for train in trains[3:]]
    assert ran.n_before == 3
    assert contents(tmp_path) == contents(at_once)
    assert run(trains, tmp_path).n_before == 6
    assert len(searched) == 3
    run(trains, tmp_path, fresh=True, workers=1)
    assert len(searched) == 9
    assert contents(tmp_path) == contents(at_once)


def test_a_changed_option_is_named(trains: list[SpikeTrain], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(trains, tmp_path, workers=1, progress=stop_after(1))
    for options, words in (
        ({"seed": 2}, r"holds a run with seed 1, not 2; give what was given then \(seed\), or start anew "),
        ({"size": 3, "budget": None}, r"with size 2, not 3, and with budget 64, not as it is by default; "),
        ({"rule": "own"}, r"with tolerance as it is by default, not \"own\"; "),
        ({"prior": "drawn"}, 'with prior "compensated", not "drawn"'),
    ):
        with pytest.raises(Spike2PopError, match=words):
            run(trains, tmp_path, **options)
    with pytest.raises(Spike2PopError, match="holds a run of other recordings; start anew"):
        run(trains[:5], tmp_path)
    with pytest.raises(Spike2PopError, match='with neuron "stg", not "da"'):
        run_recordings(trains, "da", tmp_path, **OPTIONS)


def test_options_that_are_impossible_leave_no_folder(trains: list[SpikeTrain], tmp_path: Path) -> None:
    for options, words in (
        ({"size": 0}, "population size"),
        ({"formats": ("xlsx",)}, "not 'xlsx'"),
        ({"prior": "none"}, "prior"),
    ):
        with pytest.raises(Spike2PopError, match=words):
            run(trains, tmp_path / "out", **options)
    with pytest.raises(Spike2PopError, match="no recordings"):
        run([], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_runs_into_one_folder_are_refused(trains: list[SpikeTrain], tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    with locked(tmp_path / "parts"), pytest.raises(Spike2PopError, match="Another run is writing into"):
        run(trains, tmp_path)


def test_what_failed_is_tried_again(
    trains: list[SpikeTrain], at_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def fails(*given: Any, **_options: Any) -> None:
            raise MemoryError

        patch.setattr("spike2pop_nb.fidelity.search.find_population", fails)
        ran = run(trains[1:3], tmp_path, workers=1)
    assert ran.failed == ["1", "2"]
    assert pd.read_csv(tmp_path / "outcomes.csv")["failed"].all()
    ran = run(trains[1:3], tmp_path, workers=1)
    assert (ran.n_before, ran.failed) == (0, [])
    assert contents(tmp_path)["population.csv"] in contents(at_once)["population.csv"]


def test_a_recording_whose_process_dies_is_named_and_the_others_go_on(
    trains: list[SpikeTrain], tmp_path: Path
) -> None:
    from spike2pop_nb.workers import Lost

    lost = running._lost(
        (1, trains[1], None), {"neuron": running.get_neuron("stg"), "options": OPTIONS}, Lost()
    )
    kept = Parts(tmp_path, 2)
    kept.add([lost])
    assert (len(kept), kept.failed) == (1, {1})
    assert "Recording '1' failed: the process that worked on it was ended" in lost.outcome["message"]


def test_a_disk_that_is_full_is_said_and_nothing_is_half_written(
    trains: list[SpikeTrain], at_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, left = Path.replace, [2 * 3 + 1 + 1]  # three files each, and what begins the run

    def replaced(path: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return plain(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replaced)
        with pytest.raises(
            Spike2PopError, match=r"No space left on device\. 2 of 6 recordings are kept in .*; the same"
        ):
            run(trains, tmp_path, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]
    for name in ("population", "spike_times", "outcomes"):
        assert len(list((tmp_path / "parts" / name).iterdir())) == 2
    assert run(trains, tmp_path, workers=1).n_before == 2
    assert contents(tmp_path) == contents(at_once)


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_computed(
    trains: list[SpikeTrain], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Spike2PopError, match="cannot be made"):
        run(trains, tmp_path / "file" / "out")

    def refuse(*_given: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(running, "_search", None)
    with pytest.raises(Spike2PopError, match="Read-only file system; nothing was computed"):
        run(trains, tmp_path)


KILLED = """
import sys
from spike2pop_nb import example_path, read_spike_trains
from spike2pop_nb.export import run_recordings
trains = list(read_spike_trains(example_path("stg_set")))[:4]
run_recordings(trains, "stg", sys.argv[1], size=2, seed=1, refine=False, budget=64, workers=2,
               progress=lambda *said: print(*said, flush=True))
"""


def test_a_run_that_was_killed_loses_only_what_was_under_way(
    trains: list[SpikeTrain], at_once: Path, tmp_path: Path
) -> None:
    import psutil

    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    killed = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "out")], stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None
    assert killed.stdout.readline().startswith("1 4")
    children = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.communicate()
    _gone, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    ran = run(trains[1:5], tmp_path / "out")
    assert 1 <= ran.n_before < 4
    assert contents(tmp_path / "out")["population.csv"] == contents(at_once)["population.csv"]


def test_parts_are_joined_and_what_is_left_of_others_does_not_count(
    inferred: list[Result], given: Result, silent: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given.population is not None
    driven = replace(
        given, population=replace(given.population, table=given.population.table.assign(noise_seed=7))
    )
    ran = [silent, *inferred, driven, silent, inferred[0], given]
    monkeypatch.setattr(parts, "_JOINED", 3)
    monkeypatch.setattr(parts, "_AT_ONCE", 2)
    kept = Parts(tmp_path, len(ran))
    for places in ([6], [0, 5], [3, 4], [2], [1]):
        kept.add([found(ran[place], place, len(ran), 1.0, ()) for place in places])
    names = [path.name for path in sorted((tmp_path / "outcomes").iterdir())]
    assert names == ["0000003.parquet", "0000004.parquet", "0000005.parquet"]
    # what an interrupted joining, or a machine without power, may leave
    for name in ("population", "spike_times"):
        (tmp_path / name / "0000009.parquet").write_bytes(b"")
        (tmp_path / name / "0000008.parquet.partial").write_bytes(b"PAR1")
    (tmp_path / "outcomes" / "0000007.parquet").write_bytes(b"")
    (tmp_path / "outcomes" / "0000001.parquet").write_bytes(
        (tmp_path / "outcomes" / "0000004.parquet").read_bytes()
    )
    again = Parts(tmp_path, len(ran))
    assert len(again) == len(ran)
    assert [path.name for path in sorted((tmp_path / "outcomes").iterdir())] == names
    assert [path.name for path in sorted((tmp_path / "population").iterdir())] == names
    running.gather(again, tmp_path, lambda _trains: [], formats=("csv", "parquet"), told={"seed": 1})
    for name, frame in results_frames(ran).items():
        assert (tmp_path / f"{name}.csv").read_text(encoding="utf-8") == table_csv(frame)
        read = pd.read_parquet(tmp_path / f"{name}.parquet")
        pd.testing.assert_frame_equal(read, frame, check_dtype=False)
    write_results(ran, tmp_path / "at_once", {"seed": 1})
    assert contents(tmp_path)["summary.json"] == contents(tmp_path / "at_once")["summary.json"]


def test_a_report_of_a_run_that_was_stopped_is_that_of_one_go(
    trains: list[SpikeTrain], tmp_path: Path
) -> None:
    formats = ("csv", "npz", "svg", "md", "html", "txt")
    few = trains[:3]
    with pytest.raises(KeyboardInterrupt):
        run(few, tmp_path / "a", formats=formats, workers=1, progress=stop_after(2))
    assert not (tmp_path / "a" / "report.html").exists()
    run(few, tmp_path / "a", formats=formats)
    run(few, tmp_path / "b", formats=("csv",))
    assert run(few, tmp_path / "b", formats=formats).n_before == 0  # figures need what a search leaves
    names = {
        folder: sorted(p.relative_to(tmp_path / folder).as_posix() for p in (tmp_path / folder).rglob("*.*"))
        for folder in ("a", "b")
    }
    assert [n for n in names["a"] if "parts" not in n] == [n for n in names["b"] if "parts" not in n]
    assert {"figures/2_1/traces.svg", "traces/2_1.npz", "report.html"} <= set(names["a"])
    for name in ("README.txt", "methods.md", "figures/2_1/traces.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    made = [(tmp_path / folder / "report.html").read_text(encoding="utf-8") for folder in ("a", "b")]
    a, b = (re.sub(r"made [^ ]{,40} with|[^ ]{,40} s left", "", text) for text in made)
    assert a == b
