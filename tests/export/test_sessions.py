"""A session in one file, and files that are none."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

import spike2pop_nb as s2p
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export import html_report, is_session, open_session, results_zip, session_zip, write_results
from spike2pop_nb.export.archive import SESSION, packed


@pytest.fixture(scope="module")
def results():
    trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    made = [s2p.find_population(trains[i], "stg", size=3, seed=1, refine=i == 2) for i in (0, 2)]
    return [*made, s2p.find_population(s2p.SpikeTrain("silent", [5.0]), "stg", size=3)]


@pytest.fixture(scope="module")
def saved(results):
    return session_zip(results, settings='{"a": 1}', file=("mine.csv", b"time_ms\n1\n"))


def test_a_session_comes_back_as_it_was(results, saved, tmp_path):
    found = open_session(saved)
    assert (found.settings, found.file) == ('{"a": 1}', ("mine.csv", b"time_ms\n1\n"))
    for then, now in zip(results, found.results, strict=True):
        assert now.recording.id == then.recording.id
        assert now.recording.window_ms == then.recording.window_ms
        assert now.recording.provenance == then.recording.provenance
        np.testing.assert_array_equal(now.recording.times_ms, then.recording.times_ms)
        for name in (
            "usable",
            "outcome",
            "n_asked",
            "n_tried",
            "n_passed",
            "n_simulated",
            "reasons",
            "options",
        ):
            assert getattr(now, name) == getattr(then, name), name
        assert now.neuron == then.neuron
        assert now.usable == then.usable
        if not then.usable:
            assert now.population is None
            continue
        pd.testing.assert_frame_equal(now.population.table, then.population.table, rtol=1e-12)
        np.testing.assert_array_equal(now.population.g, then.population.g)
        pd.testing.assert_frame_equal(now.verdict.table, then.verdict.table, check_dtype=False)
        assert now.verdict.rule == then.verdict.rule
        assert now.verdict.recording == then.verdict.recording
        for one, other in zip(now.simulated.spike_times_ms, then.simulated.spike_times_ms, strict=True):
            np.testing.assert_array_equal(one, other)
        assert now.posterior.g_s == then.posterior.g_s
        assert now.describe() == then.describe()
        assert (now.unrefined is None) == (then.unrefined is None)
    again = session_zip(found.results, settings=found.settings, file=found.file)
    assert again == session_zip(open_session(again).results, settings=found.settings, file=found.file)
    names = zipfile.ZipFile(io.BytesIO(results_zip(found.results, {"seed": 1}))).namelist()
    assert {"report.html", "population.csv", "recordings.csv"} <= set(names)
    write_results(found.results, tmp_path, {"seed": 1})
    assert (tmp_path / "population.csv").stat().st_size > 100


def test_what_another_network_would_say_is_not_taken_for_what_this_one_said(saved, results):
    class Other:
        network = None

    found = open_session(saved, predict=lambda *_: Other()).results
    assert [result.posterior for result in found[:2]] == [None, None]
    assert "recording" in html_report(found, options={})


def test_a_variation_of_a_neuron_is_kept(results):
    import dataclasses

    varied = s2p.vary_neuron("stg", V_th_mV=-49.0)
    population = dataclasses.replace(results[0].population, neuron=varied)
    made = dataclasses.replace(results[0], neuron=varied, population=population, posterior=None)
    assert open_session(session_zip([made])).results[0].neuron == varied


def changed(saved, **parts):
    """The file with other contents of some of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            change = parts.get(name.split("/")[-1].split(".")[0])
            new.writestr(name, change(content) if change is not None else content)
    return out.getvalue()


def told(**values):
    def change(content):
        story = json.loads(content)
        for path, value in values.items():
            *where, last = path.split("__")
            at = story
            for part in where:
                at = at[int(part) if part.isdigit() else part]
            at[last] = value
        return json.dumps(story).encode()

    return change


def npy(array, **options):
    sink = io.BytesIO()
    np.save(sink, array, **options)
    return lambda _content: sink.getvalue()


def parquet(**columns):
    def change(content):
        sink = io.BytesIO()
        pd.read_parquet(io.BytesIO(content)).assign(**columns).to_parquet(sink)
        return sink.getvalue()

    return change


@pytest.mark.parametrize(
    "parts",
    [
        {"spike2pop_session": lambda _content: b"{"},
        {"spike2pop_session": lambda _content: b"[" * 100_000},
        {"spike2pop_session": told(spike2pop_session=2)},
        {"spike2pop_session": told(more=1)},
        {"spike2pop_session": told(results__0__n_tried=-1)},
        {"spike2pop_session": told(results__0__folder="../../etc")},
        {"spike2pop_session": told(results__0__neuron={"neuron": "nobody"})},
        {"spike2pop_session": told(results__0__neuron={"neuron": "stg", "declaration": "other"})},
        {"spike2pop_session": told(results__0__rule={"rate": -1.0})},
        {"spike2pop_session": told(results__0__scores=["score"])},
        {"spike2pop_session": told(results__0__scores=["g_Na", "score", "passed", "pattern", "nothing"])},
        {"spike2pop_session": told(results__0__recording__id="other")},
        {"spike2pop_session": told(results__0__run__failed={"a": "b"})},
        {"recording": npy(np.array([3.0, 1.0]))},
        {"recording": npy(np.array([{}]), allow_pickle=True)},
        {"spikes": npy(np.array([3.0, 1.0]))},
        {"counts": npy(np.array([-1, 2, 3]))},
        {"counts": lambda content: content[:-3]},
        {"population": lambda content: content[: len(content) // 2]},
        {"population": parquet(g_Na=-1.0)},
        {"population": parquet(passed="yes")},
        {"population": parquet(score="high")},
        {"population": parquet(member=0)},
    ],
)
def test_hostile_and_damaged_files_get_one_sentence(saved, parts):
    with pytest.raises(Spike2PopError) as refused:
        open_session(changed(saved, **parts), name="mine.s2p.zip")
    assert "mine.s2p.zip" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_what_is_no_session_is_said_to_be_none(saved, tmp_path):
    for data in (b"", b"time_ms\n1\n", results_bytes(), saved[:20]):
        assert not is_session(data)
        with pytest.raises(Spike2PopError, match="no file of a session"):
            open_session(data)
    with pytest.raises(Spike2PopError, match="damaged archive"):
        open_session(saved[:-200])
    with pytest.raises(Spike2PopError, match=r"nothing\.zip cannot be read"):
        open_session(tmp_path / "nothing.zip")
    assert saved.startswith(b"PK")
    assert SESSION.encode() in saved[:60]


def results_bytes():
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("population.csv", "id")
    return sink.getvalue()


def test_experiments_are_kept_without_voltages(given):
    from spike2pop_nb.experiments import Question, run_experiment

    done = [
        run_experiment(
            given.population.select([1]), Question(*asked).doses(doses), duration_ms=600, transient_ms=300
        )
        for asked, doses in ((("block", "A"), [0.5, 1.0]), (("current",), [-20, 20]))
    ]
    opened = open_session(session_zip([given], experiments=[done]), predict=lambda *_: None)
    for one, again in zip(done, opened.experiments[0], strict=True):
        assert again.data.drop_vars([]).identical(one.data.drop_vars(["V_mV", "time"]))
        assert again.doses == one.doses
        assert dict(again.protocols) == dict(one.protocols)
        assert again.made_by == one.made_by
        assert again.population.labels == one.population.labels
        for condition in one.conditions:
            for times, known in zip(
                again.spike_times_ms[condition], one.spike_times_ms[condition], strict=True
            ):
                np.testing.assert_allclose(times, known, atol=1e-9)


@pytest.mark.parametrize("current", [None, 0.25])
def test_a_posterior_is_kept(results, current):
    drawn = s2p.sample_posterior(results[0].recording, "stg", size=8, budget=1024, seed=1, current=current)
    content = session_zip(results[:2], posteriors=[drawn, None])
    again, none = open_session(content, predict=lambda *_: None).posteriors
    assert none is None
    pd.testing.assert_frame_equal(again.to_frame(), drawn.to_frame(), rtol=1e-12)
    pd.testing.assert_frame_equal(again.correlations(), drawn.correlations())
    assert again.describe() == drawn.describe()
    assert again.population.made_by == drawn.population.made_by
    for now, then in zip(again.spike_times_ms, drawn.spike_times_ms, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_posterior_whose_members_lack_what_it_is_about_is_damaged(results):
    drawn = s2p.sample_posterior(results[0].recording, "stg", size=8, budget=1024, seed=1)
    content = session_zip(results[:1], posteriors=[drawn])
    story = json.loads(zipfile.ZipFile(io.BytesIO(content)).read(SESSION))
    story["results"][0]["drawn"]["period_ms"] = 900.0  # of an inhibition that no member has
    files = {name: zipfile.ZipFile(io.BytesIO(content)).read(name) for name in archive_names(content)}
    with pytest.raises(Spike2PopError, match="damaged file of a session"):
        open_session(packed({**files, SESSION: json.dumps(story).encode()}))


def archive_names(content):
    return zipfile.ZipFile(io.BytesIO(content)).namelist()
