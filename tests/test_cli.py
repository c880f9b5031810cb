"""The command line on real input, its files, and its answers to bad input."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import spike2pop

from spike2pop_nb import conductances, example_path, read_spike_trains
from spike2pop_nb.conductances import generate_population
from spike2pop_nb.fidelity import search
from spike2pop_nb.inference import Posterior, Predictor, find_weights, list_predictors, load_predictor
from spike2pop_nb.neurons import list_neurons
from spike2pop_nb.spiketrains import Recordings

CASES = Path(__file__).parents[2] / "shared" / "cases"


@pytest.mark.parametrize("neuron", ["stg", "da"])
def test_run_writes_a_verified_population_of_every_recording(
    neuron: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = example_path(f"{neuron}_set.csv")
    out = tmp_path / "out"
    status, text, _ = spike2pop(
        capsys, "run", file, "--neuron", neuron, "--size", 2, "--seed", 1, "--budget", 64, "--out", out
    )
    assert status == 0, text
    recordings = read_spike_trains(file)
    population = pd.read_csv(out / "population.csv", dtype={"id": str})
    assert set(population["id"]) == set(recordings.ids)
    assert population.groupby("id").size().eq(2).all()
    assert {"id", "member", "g_leak", "score", "passed"} <= set(population.columns)
    assert population["passed"].mean() >= 0.5
    spikes = read_spike_trains(out / "spike_times.csv")
    assert len(spikes) == len(population)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["options"]["seed"] == 1
    assert [entry["id"] for entry in summary["recordings"]] == recordings.ids
    assert all(entry["tried"] <= 64 and "dics" in entry for entry in summary["recordings"])


def test_run_writes_a_report_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "one.csv", tmp_path / "out"
    file.write_text("id,time_ms\n" + "\n".join(f"A <b>,{100 * i}" for i in range(1, 20)))
    status, text, _ = spike2pop(
        capsys,
        *("run", file, "--size", 1, "--seed", 1, "--budget", 32, "--out", out, "--report"),
        *("--rate-tolerance", 0.5),
    )
    assert status == 0, text
    assert sorted(path.name for path in out.iterdir()) == [
        "outcomes.csv",
        "parts",
        "population.csv",
        "report.html",
        "spike_times.csv",
        "summary.json",
    ]
    assert json.loads((out / "summary.json").read_text())["options"]["pass_rule"]["rate"] == 0.5
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "Recording A &lt;b&gt;" in report
    assert "one.csv" in report


def test_predict_on_screen_and_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = example_path("stg_set.csv")
    status, text, said = spike2pop(capsys, "predict", file, "--neuron", "stg")
    assert status == 0
    assert "g_s_std" in text
    assert "ms" in said
    status, _, _ = spike2pop(capsys, "predict", file, "--neuron", "stg", "--out", tmp_path / "dics.csv")
    assert status == 0
    table = pd.read_csv(tmp_path / "dics.csv")
    assert list(table.columns[:5]) == ["id", "g_s", "g_u", "g_s_std", "g_u_std"]
    assert len(table) == 5
    assert (table[["g_s_std", "g_u_std"]] > 0).all(axis=None)


def test_predict_says_its_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "short.csv"
    file.write_text("id,time_ms\nA,10\nA,25\nB,10\nB,20\nB,30\n")
    status, text, said = spike2pop(capsys, "predict", file, "--neuron", "stg")
    assert status == 0
    assert "g_s_std" in text
    assert "A: The recording has under 3 spikes" in said


def test_a_known_current_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = example_path("stg_set.csv"), tmp_path / "dics.csv"
    status, _, said = spike2pop(capsys, "predict", file, "--current-uA-cm2", "2", "--out", out)
    assert status == 0
    assert "1, 2, 3, 4, 5: These are the DICs given a known current of 2 µA/cm²." in said
    table = pd.read_csv(out)
    found = load_predictor("stg", current=2.0).predict(read_spike_trains(file))
    np.testing.assert_allclose(table["g_u"], [posterior.g_u for posterior in found])
    np.testing.assert_allclose(table["current_uA_cm2"], 2.0, atol=1e-3)
    assert (table["current_uA_cm2_std"] < 1e-3).all()
    status, _, said = spike2pop(capsys, "predict", file, "--current-uA-cm2", "1e6", "--out", out)
    assert status == 2
    assert "The known current must be a number from −100 to 100 µA/cm²" in said


def test_a_recording_that_fits_the_other_neuron_is_said_to(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, said = spike2pop(capsys, "predict", example_path("da_set.csv"), "--neuron", "stg")
    assert status == 0
    assert "1, 2, 3, 4, 5: fits another neuron: try --neuron da." in said


def test_predict_flags_a_recording_that_no_such_neuron_fires(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = np.cumsum(np.random.default_rng(0).exponential(50.0, 400))
    file = tmp_path / "poisson.csv"
    pd.DataFrame({"id": "P", "time_ms": times}).to_csv(file, index=False)
    course = tmp_path / "course.csv"
    status, _, said = spike2pop(
        capsys, "predict", file, "--neuron", "stg", "--out", tmp_path / "dics.csv", "--course", course
    )
    assert status == 0
    assert "P: Outside what the STG network knows" in said
    table = pd.read_csv(tmp_path / "dics.csv")
    assert not table["in_domain"].item()
    assert table["domain_p"].item() < 0.05
    assert "Outside" in table["notes"].item()
    windows = pd.read_csv(course)
    assert list(windows.columns) == ["id", "time_s", "g_s", "g_u", "g_s_std", "g_u_std"]
    assert len(windows) == 399 // 24


def test_the_prior_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = example_path("stg_set.csv")
    answers = {}
    for prior in ("compensated", "drawn", "both"):
        out = tmp_path / f"{prior}.csv"
        status, _, _ = spike2pop(capsys, "predict", file, "--neuron", "stg", "--prior", prior, "--out", out)
        assert status == 0
        answers[prior] = pd.read_csv(out)
        assert set(answers[prior]["prior"]) == {prior}
    assert (answers["drawn"]["g_s_std"] != answers["compensated"]["g_s_std"]).all()


def test_a_size_that_no_network_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, said = spike2pop(capsys, "train", tmp_path, "--out", tmp_path / "run", "--set", "depth=3")
    assert status == 2
    assert "--set depth=3: write NAME=NUMBER, a whole one for a size; names: " in said


def test_simulate_writes_times_from_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate_population("stg", (5.0, 5.0), size=2, seed=1, id="cell").to_csv(tmp_path / "population.csv")
    out = tmp_path / "spikes.csv"
    arguments = ("--duration-ms", 1500, "--transient-ms", 500, "--out", out)
    status, _, _ = spike2pop(capsys, "simulate", tmp_path / "population.csv", *arguments)
    assert status == 0
    table = pd.read_csv(out)
    assert list(table.columns) == ["id", "member", "time_ms"]
    assert set(table["id"]) == {"cell"}
    assert table["time_ms"].between(500, 1500).all()
    assert len(read_spike_trains(out)) == 2


def test_the_file_says_of_which_neuron_members_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    varied = generate_population("da", (0.5, 5.0), size=2, seed=1, V_mV=-54)
    varied.to_csv(tmp_path / "members.csv")
    varied.to_parquet(tmp_path / "members.parquet")
    varied.table.to_csv(tmp_path / "old.csv", index=False)
    times = ("--duration-ms", 400, "--transient-ms", 100)
    written = []
    for name, neuron in (("members.csv", ()), ("members.parquet", ()), ("old.csv", ("--neuron", "da"))):
        out = tmp_path / f"spikes_of_{name}"
        status, _, said = spike2pop(capsys, "simulate", tmp_path / name, *neuron, *times, "--out", out)
        assert status == 0, said
        written.append(out.read_bytes())
    assert len(set(written)) == 1
    for name, neuron, sentence in (
        ("members.csv", ("--neuron", "stg"), "members.csv holds members of the neuron 'da', not of 'stg'"),
        ("old.csv", (), "old.csv does not say of which neuron its members are"),
    ):
        none = tmp_path / "none.csv"
        status, _, said = spike2pop(capsys, "simulate", tmp_path / name, *neuron, *times, "--out", none)
        assert status == 2
        assert sentence in said
        assert not none.exists()


def test_choices_are_ranked_for_a_recording_and_say_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, figure = tmp_path / "choices.csv", tmp_path / "choices.html"
    status, text, said = spike2pop(
        capsys, "choices", example_path("stg_set.csv"), "--recording", 4, "--draws", 64, "--out", out,
        "--figure", figure,
    )  # fmt: skip
    assert status == 0, said
    assert "4: " in text
    assert "comes first" in text
    assert "published heuristic" in text
    table = pd.read_csv(out, dtype={"id": str})
    assert list(table.columns[:4]) == ["id", "place", "compensate", "score"]
    assert set(table["id"]) == {"4"}
    assert table["published"].sum() == 1
    assert table["why"].iloc[0].startswith("recommended")
    page = figure.read_text(encoding="utf-8")
    assert "Choices for recording 4" in page
    assert "(published heuristic)" in page


def test_choices_for_a_target_at_another_threshold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ("--g-s", -5, "--g-u", 4, "--draws", 64)
    status, text, _ = spike2pop(capsys, "choices", *target)
    assert status == 0
    assert text.count("CaS and H") > 1
    status, moved, _ = spike2pop(capsys, "choices", *target, "--v-th-mv", -47, "--baseline", "Kd:70:100")
    assert status == 0
    assert moved != text


def test_a_map_says_what_is_reached_and_how_members_fire(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, figure = tmp_path / "map.parquet", tmp_path / "map.svg"
    status, text, said = spike2pop(
        capsys, "map", "--compensate", "CaS,H", "--g-s", -5, "--g-u", 4, "--grid", 6, "--members", 1,
        "--simulate", "--out", out, "--figure", figure,
    )  # fmt: skip
    assert status == 0, said
    assert "Compensating CaS and H reaches" in text
    assert "fire, at the target: bursting 100 %" in text
    table = pd.read_parquet(out)
    assert len(table) == 36
    assert {"valid_fraction", "condition", "residual", "pattern", "rate_hz"} <= set(table.columns)
    assert figure.read_bytes().startswith(b"<?xml")
    # without a target, and for the choice that is recommended for a recording
    status, text, _ = spike2pop(capsys, "map", "--neuron", "da", "--compensate", "ERG,Kd", "--grid", 5)
    assert status == 0
    assert "Compensating ERG and Kd reaches" in text
    status, text, _ = spike2pop(capsys, "map", example_path("stg_set.csv"), "--recording", 4, "--grid", 5)
    assert status == 0
    assert "of members at this recording's DICs" in text


def test_models_lists_the_neurons(capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = spike2pop(capsys, "models")
    assert status == 0
    cards = dict(zip(*(iter(re.split(r"^(\w+) +", text, flags=re.M)[1:]),) * 2, strict=True))
    assert list(cards) == list_neurons()
    for name, card in cards.items():
        assert "doi:" in card
        assert " at rest (mean of its baseline)." in card
        predicted = name in list_predictors()
        assert (f"`spike2pop atlas --neuron {name}` changes that in minutes." in card) != predicted
        assert ("A network is shipped with it." in card) == (name in find_weights())
        assert ("It has an atlas" in card) == (predicted and name not in find_weights())


@pytest.mark.usefixtures("without_atlases")
def test_a_neuron_without_a_network_is_one_sentence_that_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    file = example_path("stg_set.csv")
    status, _, said = spike2pop(capsys, "predict", file, "--neuron", "leech", "--out", out)
    assert status == 2
    (error,) = (line for line in said.splitlines() if line.startswith("Error: "))
    assert "There is no network for neuron 'leech'; there are some for: da, stg." in error
    assert "`spike2pop atlas --neuron leech` makes a small one in minutes" in error
    assert not out.exists()


def test_dataset_and_train_resume(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    arguments = ("--neuron", "stg", "--trains", 64, "--shard-size", 32, "--workers", 1, "--out", data)
    for _ in range(2):
        status, text, _ = spike2pop(capsys, "dataset", *arguments)
        assert status == 0
        assert "64 rows" in text
    out = tmp_path / "run"
    status, text, said = spike2pop(
        capsys, "train", data, "--neuron", "stg", "--epochs", 1, "--device", "cpu", "--out", out
    )
    assert status == 0, said
    assert (out / "stg.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "FILE", "--neuron", "nix", "--out", "OUT"), "no neuron 'nix'"),
        (("run", "FILE", "--size", 0, "--out", "OUT"), "population size"),
        (("run", "FILE", "--compensate", "Na,Kd", "--out", "OUT"), "cannot set"),
        (("run", "FILE", "--compensate", "CaS", "--out", "OUT"), "Two conductances"),
        (("run", "missing.csv", "--out", "OUT"), "missing.csv"),
        (("predict", "EMPTY"), "empty"),
        (("simulate", "FILE", "--neuron", "stg", "--out", "OUT"), "no column g_Na"),
        (("simulate", "FILE", "--out", "OUT"), "no column g_leak"),
        (("run", "FILE", "--accuracy", "perfect", "--out", "OUT"), "accuracy"),
        (("choices",), "give a file of recordings, or --g-s and --g-u"),
        (("choices", "--g-s", 3), "give --g-s and --g-u"),
        (("choices", "FILE", "--g-s", 3), "not both"),
        (("choices", "FILE", "--recording", "<b>"), "<b>"),
        (("choices", "--recording", 3), "needs the file"),
        (("choices", "--g-s", "nan", "--g-u", 1), "not a finite number"),
        (("choices", "--g-s", 1, "--g-u", 1, "--draws", 3), "at least 64 members, not 3"),
        (("choices", "--g-s", 1, "--g-u", 1, "--out", "OUT.xlsx"), "ends in .csv, .parquet, not 'OUT.xlsx'"),
        (("choices", "--g-s", 1, "--g-u", 1, "--baseline", "Kd:1"), "write CHANNEL:LOW:HIGH"),
        (("choices", "--g-s", 1, "--g-u", 1, "--baseline", "Na:1:2"), "does not draw 'Na'"),
        (("choices", "--g-s", 1, "--g-u", 1, "--v-th-mv", 30), "V_th must lie between"),
        (("choices", "EMPTY"), "empty"),
        (("map",), "name them, such as --compensate CaS,H"),
        (("map", "FILE", "--compensate", "CaS,H"), "choose with --recording one of 1, 2, 3, 4, 5"),
        (("map", "--compensate", "Na,Kd"), "cannot set g_s and g_u"),
        (("map", "--compensate", "CaS,H,A"), "takes two conductances, not 3"),
        (("map", "--compensate", "CaS,X"), "no channel 'X'"),
        (("map", "--compensate", "CaS,H", "--grid", 0), "2 to 201 nodes a side, not 0"),
        (("map", "--compensate", "CaS,H", "--grid", 5, "--simulate", "--members", 0), "1 to 64 members"),
        (("map", "--compensate", "CaS,H", "--figure", "OUT.gif"), "not 'OUT.gif'"),
        (("map", "--compensate", "CaS,H", "--out", "none/map.csv"), "there is no folder none"),
        (("run", "FILE", "--budget", 0, "--out", "OUT"), "budget must be a whole number from the population"),
        (("run", "FILE", "--compensate", "H,H", "--out", "OUT"), "different conductances"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    arguments: tuple[object, ...], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.csv").write_text("")
    places = {
        "FILE": example_path("stg_set.csv"),
        "OUT": tmp_path / "out",
        "EMPTY": tmp_path / "empty.csv",
    }
    status, _, said = spike2pop(capsys, *(places.get(str(a), a) for a in arguments))
    assert status == 2
    errors = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert sentence in errors[0]
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_a_silent_recording_is_answered_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tonic = np.arange(0, 3000, 75.0)
    rows = [("quiet", 100.0), ("quiet", 900.0), *(("tonic", time) for time in tonic)]
    pd.DataFrame(rows, columns=["id", "time_ms"]).to_csv(tmp_path / "cells.csv", index=False)
    out = tmp_path / "out"
    status, text, _ = spike2pop(capsys, "run", tmp_path / "cells.csv", "--size", 1, "--out", out)
    assert status == 0
    assert "quiet" in text
    assert "silent" in text
    summary = json.loads((out / "summary.json").read_text())
    assert [entry["usable"] for entry in summary["recordings"]] == [False, True]


def failing(monkeypatch: pytest.MonkeyPatch, where: object, name: str, unfit: str) -> None:
    """Have a function that is given recordings fail at one of them."""
    plain = getattr(where, name)

    def fails(*arguments: object, **options: object) -> object:
        for given in arguments[:2]:
            for train in given if isinstance(given, list | tuple | Recordings) else [given]:
                if getattr(train, "id", "") == unfit:
                    raise ZeroDivisionError("secret")
        return plain(*arguments, **options)

    monkeypatch.setattr(where, name, fails)


@pytest.mark.parametrize("stage", ["search", "predict"])
def test_a_recording_that_fails_is_named_and_the_others_go_on(
    stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if stage == "search":
        failing(monkeypatch, search, "find_population", "2")
    else:
        failing(monkeypatch, Predictor, "predict", "2")
    out = tmp_path / "out"
    status, text, said = spike2pop(
        capsys, "run", example_path("stg_set.csv"), "--size", 1, "--budget", 32, "--out", out, "--report"
    )
    assert status == 1
    assert "Failed: 2 (1 of 5 recordings)" in said
    assert "ZeroDivisionError in test_cli.py, line" in text
    assert "secret" not in text + said
    entries = json.loads((out / "summary.json").read_text())["recordings"]
    assert [entry["id"] for entry in entries] == ["1", "2", "3", "4", "5"]
    assert [entry["usable"] for entry in entries] == [True, False, True, True, True]
    assert "ZeroDivisionError" in entries[1]["failure"]
    assert all("failure" not in entry for entry in entries if entry["id"] != "2")
    assert set(pd.read_csv(out / "population.csv", dtype={"id": str})["id"]) == {"1", "3", "4", "5"}
    assert "ZeroDivisionError" in (out / "report.html").read_text(encoding="utf-8")


def test_predictions_and_rankings_go_on_without_a_recording_that_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = example_path("stg_set.csv"), tmp_path / "dics.csv"
    assert spike2pop(capsys, "predict", file, "--out", out)[0] == 0
    whole = out.read_text().splitlines()
    with monkeypatch.context() as patch:
        failing(patch, Predictor, "predict", "2")
        status, _, said = spike2pop(capsys, "predict", file, "--out", out)
        assert status == 1
        assert "2: Nothing was predicted: ZeroDivisionError" in said
        others = out.read_text().splitlines()
        assert "ZeroDivisionError" in others[2]
        assert [*others[:2], *others[3:]] == [*whole[:2], *whole[3:]]
        status, text, said = spike2pop(capsys, "choices", file, "--draws", 64)
        assert status == 1
        assert "Failed: 2 (1 of 5 recordings)" in said
        assert "\n3: " in text
        status, _, said = spike2pop(capsys, "map", file, "--recording", 2, "--grid", 3)
        assert status == 2
        assert "nothing could be predicted for 2" in said
        assert spike2pop(capsys, "map", file, "--recording", 3, "--grid", 3)[0] == 0
    plain = conductances.rank_choices

    def second_fails(neuron: object, target: Posterior, **options: int) -> object:
        return 1 / 0 if target.id == "2" else plain(neuron, target, **options)

    monkeypatch.setattr(conductances, "rank_choices", second_fails)
    table = tmp_path / "choices.csv"
    status, _, said = spike2pop(capsys, "choices", file, "--draws", 64, "--out", table)
    assert status == 1
    assert "2: ZeroDivisionError" in said
    assert set(pd.read_csv(table, dtype={"id": str})["id"]) == {"1", "3", "4", "5"}


@pytest.mark.skipif(not CASES.is_dir(), reason="no collection of cases beside the repository")
def test_bursts_of_one_spike_get_an_answer_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("crash_single_spike_burst.txt", "crash_two_recordings.csv"):
        out = tmp_path / name
        file = CASES / "40_single_spike_burst" / name
        status, _, said = spike2pop(
            capsys, "run", file, "--neuron", "da", "--size", 2, "--budget", 32, "--out", out
        )
        assert status == 0, said
        entries = json.loads((out / "summary.json").read_text())["recordings"]
        assert len(entries) == len(read_spike_trains(file))
        assert all("failure" not in entry for entry in entries)


def test_without_a_terminal_each_recording_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = example_path("stg_set.csv")
    options = ("--size", 1, "--budget", 32, "--recordings", "1", "--recordings", "4")
    status, _, said = spike2pop(capsys, "run", file, *options, "--out", tmp_path / "out")
    assert status == 0
    assert [line for line in said.splitlines() if " recordings: " in line] == [
        "1 of 2 recordings: 1, 1 of 1 members",
        "2 of 2 recordings: 4, 1 of 1 members",
    ]
    assert "\r" not in said


def test_on_a_terminal_one_bar_runs_over_all(capsys: pytest.CaptureFixture[str]) -> None:
    from spike2pop_nb.cli.common import progress_bar

    sys.stderr.isatty = lambda: True  # type: ignore[method-assign]
    with progress_bar(3, " recordings", each=True) as update:
        for i in range(3):
            update(i, words="searching")
            update(i + 1, words=f"number {i}")
    said = capsys.readouterr().err
    assert "3/3" in said
    assert "number 2" in said
    assert said.count("\n") == 1


def test_an_experiment_writes_tables_figures_a_summary_and_methods(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "population.csv"
    generate_population("stg", (5.0, 5.0), size=8, seed=1).to_csv(table)
    asked = ("experiment", table, "--block", "A=0.25,0.75", "--current-uA-cm2", "-1,1", "--size", 6)
    short = ("--duration-ms", 1000, "--transient-ms", 500)
    status, text, said = spike2pop(capsys, *asked, *short, "--out", tmp_path / "out")
    assert status == 0, said
    assert "share of A blocked, -1 µA/cm²:" in text
    assert "6 of 6 keep their rhythm" in text
    members = pd.read_csv(tmp_path / "out" / "members.csv", dtype={"id": str, "condition": str})
    assert len(members) == 2 * 6 * 3  # for each current, members under two doses and the control
    assert sorted(members["member"].unique()) == list(range(6))
    assert members["condition"].unique().tolist() == ["control", "0.25", "0.75"]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    entry = summary["experiments"][0]
    assert entry["conditions"][2]["protocol"]["actions"][1] == {
        "kind": "block",
        "channel": "A",
        "blocked": 0.75,
    }
    counted = members[(members["experiment"] == entry["experiment"]) & (members["condition"] == "0.75")]
    assert entry["conditions"][2]["kept"] == counted["crash"].isna().sum()
    assert "75 % of A is blocked throughout" in (tmp_path / "out" / "methods.md").read_text()
    figures = {path.name for path in (tmp_path / "out").rglob("*.svg")}
    assert {"dose_response.svg", "raster.svg", "before_and_after.svg", "conductances.svg"} <= figures
    once = ("experiment", table, "--current-uA-cm2", "1", *short, "--no-figures", "--out")
    for folder in ("a", "b"):
        assert spike2pop(capsys, *once, tmp_path / folder)[0] == 0
    assert (tmp_path / "a" / "members.csv").read_bytes() == (tmp_path / "b" / "members.csv").read_bytes()
    assert not list((tmp_path / "a").rglob("*.svg"))
    assert (tmp_path / "a" / "f_I.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Say what is done: --block A=0.5"),
        (("--block", "A"), "--block A: write a channel and shares of it, such as A=0.25,0.5."),
        (("--block", "A=half"), "--block A=half: write numbers with commas between them."),
        (("--block", "Nap=0.5"), "The stg neuron has no channel 'Nap'; it has Na, "),
        (("--block", "A=1.5"), "The share of A that is blocked must lie from 0 to 1"),
        (("--current-uA-cm2", "1,1"), "Each dose of a series may be there once"),
        (("--temperature-C", "11,19"), "The stg neuron does not state at which temperature it holds"),
        (("--block", "A=0.5", "--rate-q10", "2"), "--rate-q10 is for --temperature-C; add that"),
    ],
)
def test_an_experiment_that_cannot_be_done_is_one_sentence_and_leaves_nothing(
    arguments: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "population.csv"
    generate_population("stg", (5.0, 5.0), size=2, seed=1).to_csv(table)
    status, _text, said = spike2pop(capsys, "experiment", table, *arguments, "--out", tmp_path / "out")
    assert status == 2
    assert said.startswith(f"Error: {words}"), said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()
