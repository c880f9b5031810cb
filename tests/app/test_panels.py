"""The panels over one session, from a file to results, without a browser."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
import zipfile
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from spike2pop_nb import plots
from spike2pop_nb.app.actions import predicting
from spike2pop_nb.app.actions.searching import seconds_left
from spike2pop_nb.app.figures import NO_MEMBER
from spike2pop_nb.app.layout import said
from spike2pop_nb.app.messages import GENERAL, Messages
from spike2pop_nb.app.panels.pictures import PICTURES
from spike2pop_nb.app.panels.results import MEMBERS_A_PAGE
from spike2pop_nb.app.settings import MAX_MEMBERS, Settings
from spike2pop_nb.errors import Cancelled, SpikeTrainError
from spike2pop_nb.fidelity import PassRule, Variability
from spike2pop_nb.inference import NONE, Fit, load_predictor
from spike2pop_nb.neurons import list_neurons
from spike2pop_nb.spiketrains import read_spike_trains

HOSTILE = "<img src=x onerror=alert(1)>"


def opened(dashboard, loop, name="stg_set.csv"):
    dashboard.recordings.example.value = name
    session = dashboard.session
    settled(dashboard, loop)
    return session


def settled(dashboard, loop):
    session = dashboard.session

    def over():
        surveyed = session.recordings is None or session.survey is not None
        return (
            session.posterior is not None
            and session.reach is not None
            and surveyed
            and not (session.busy or session.drawing)
        )

    loop.until(over)


def send(dashboard, data: bytes, name: str, part: int = 7):
    """What the browser's side of the upload sends."""
    upload = dashboard.recordings.upload
    upload._receive(upload, {"kind": "start", "name": name, "size": len(data)}, [])
    for at in range(0, len(data), part):
        upload._receive(upload, {"kind": "part"}, [memoryview(data[at : at + part])])
    upload._receive(upload, {"kind": "end"}, [])


def test_inputs_wait_for_the_browser(loop):
    from spike2pop_nb.app import Dashboard

    made = Dashboard(dispatch=loop)
    assert made.recordings.upload.disabled
    assert made.dics.neuron.disabled
    assert made.population.generate.disabled
    made.browser._receive(made.browser, {"kind": "beat"}, [])
    assert made.recordings.upload.disabled
    made.browser._receive(made.browser, {"kind": "start", "fragment": ""}, [])
    assert not made.recordings.upload.disabled


def test_importing_the_page_imports_neither_torch_nor_elephant():
    import subprocess
    import sys

    code = (
        "import sys; from spike2pop_nb.app import Dashboard; Dashboard(); "
        "assert not {'torch', 'elephant'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)


def test_an_example_is_read_shown_and_predicted(dashboard, loop):
    session = opened(dashboard, loop)
    panel = dashboard.recordings
    assert "5 trains" in panel.reading.report.value
    assert panel.choice.options[0][0].startswith("1 ")
    assert "33 spikes" in panel.facts.value
    assert "bursting 90 %" in dashboard.dics.says.value
    assert "&lt;i&gt;" in dashboard.dics.notes.value
    assert [trace.name for trace in dashboard.dics.figure.shown.data] == [
        plots.LAYERS["reached"],
        "50, 95 %",
        "mean ± s.d.",
    ]
    panel.choice.index = 2
    assert session.train.id == "3"
    assert "Recording 3" in panel.figure.shown.layout.title.text


def test_the_network_is_asked_under_the_prior_chosen(dashboard, loop):
    session = opened(dashboard, loop)
    assert set(dashboard.network.asked) == {"compensated"}
    dashboard.network.asked.clear()
    dashboard.dics.prior.value = "both"
    settled(dashboard, loop)
    assert set(dashboard.network.asked) == {"both"}
    assert session.settings.prior == "both"


def test_a_strange_recording_is_said_to_be_one(dashboard, loop, monkeypatch):
    session = opened(dashboard, loop)
    assert dashboard.dics.warning.value == ""
    loop.until(lambda: session.drive is not None)
    doubtful = "µA/cm². That is as doubtful as its DICs."
    assert doubtful not in dashboard.dics.further.value
    posterior = session.posterior
    strange = type(posterior)(session.train)
    strange.domain = type("Verdict", (), {"inside": False})()
    strange.notes = ("Outside what the <b>network</b> knows.", "Another remark.")
    session.posterior = strange
    assert "Outside what the &lt;b&gt;" in dashboard.dics.warning.value
    assert dashboard.dics.notes.value == "<p>Another remark.</p>"
    assert doubtful in dashboard.dics.further.value


def test_the_neuron_that_fits_better_is_a_button(dashboard, loop, monkeypatch):
    session = opened(dashboard, loop)
    button = dashboard.dics.other
    assert button.layout.display == "none"
    monkeypatch.setattr(
        "spike2pop_nb.inference.which_neuron",
        lambda trains: [Fit(train.id, {"da": 0.9, "stg": 0.05, NONE: 0.05}) for train in trains],
    )
    dashboard.recordings.choice.index = 1
    loop.until(lambda: session.fits_better == "da")
    assert button.layout.display == ""
    assert "DA neuron" in button.description
    assert "is most like: DA neuron 90 %, STG neuron 5 %" in dashboard.dics.further.value
    assert "To fire so, the STG neuron would need a constant current of" in dashboard.dics.further.value
    assert "say so under “Known current”" in dashboard.dics.further.value
    button.click()
    settled(dashboard, loop)
    assert session.settings.neuron == "da"
    assert (session.fits_better, button.layout.display) == (None, "none")


@pytest.mark.usefixtures("without_atlases")
def test_the_atlas_of_a_neuron_is_made_with_a_button_that_stops_it_too(dashboard, loop, monkeypatch):
    session, panel = opened(dashboard, loop), dashboard.dics.atlas
    begun, go_on = threading.Event(), threading.Event()

    def make_atlas(neuron, progress, cancel):
        progress(1, 4, f"Simulating {neuron.name}")
        begun.set()
        assert go_on.wait(60)
        if cancel():
            raise Cancelled("The atlas was not made.")
        monkeypatch.setattr("spike2pop_nb.app.panels.neurons.list_predictors", lambda: [neuron.name])

    monkeypatch.setattr("spike2pop_nb.training.atlas.make_atlas", make_atlas)
    assert panel.widget.layout.display == "none"  # the STG neuron has a network
    dashboard.dics.neuron.value = "leech"
    loop.until(lambda: not session.busy)
    assert panel.widget.layout.display == ""
    for stops in (True, False):
        begun.clear()
        go_on.clear()
        panel.make.click()
        assert panel.make.description == "Stop"
        loop.until(begun.is_set)
        loop.until(lambda: "Simulating leech: 25 %." in panel.says.value)
        if stops:
            panel.make.click()
            assert "Stopping…" in panel.says.value
        go_on.set()
        loop.until(lambda: panel.make.description == "Make its atlas" and not session.busy)
        assert panel.widget.layout.display == ("" if stops else "none")
    assert dashboard.messages.text == ""


def test_the_recommended_pair_is_preselected_and_another_can_be_chosen(dashboard, loop):
    session = opened(dashboard, loop)
    panel = dashboard.compensation
    assert session.pair == session.neuron.recommend(-5.0, 4.0)
    assert panel.pair.label.endswith("(published heuristic)")
    other = panel.pair.options[3][1]
    panel.pair.value = other
    loop.until(lambda: session.reach is not None and session.reach.compensate == other)
    assert " and ".join(other) in panel.says.value
    assert "recording's DICs" in panel.says.value.replace("&#x27;", "'")


@pytest.mark.parametrize("name", list_neurons())
def test_every_neuron_can_be_chosen(dashboard, loop, name):
    session = opened(dashboard, loop)
    dashboard.dics.neuron.value = name
    loop.until(lambda: session.posterior is not None and session.reach is not None and not session.busy)
    assert session.neuron.name == name
    assert set(session.pair) <= set(session.neuron.channel_names)
    assert {p for _label, pair in dashboard.compensation.pair.options for p in pair} <= set(
        session.neuron.channel_names
    )


def test_an_upload_in_parts_is_read_and_the_same_file_again(dashboard, loop):
    data = b"id,time_s\na,0.1\na,0.2\na,0.3\na,0.4\n"
    send(dashboard, data, "mine.csv")
    loop.until(lambda: dashboard.session.recordings is not None)
    first = dashboard.session.recordings
    assert first[0].n_spikes == 4
    send(dashboard, data, "mine.csv")
    loop.until(lambda: dashboard.session.recordings is not first)


def test_the_unit_can_be_corrected(dashboard, loop):
    send(dashboard, b"times\n1\n2\n3\n4\n", "mine.csv")
    loop.until(lambda: dashboard.session.train is not None)
    before = dashboard.session.train.duration_ms
    unit = "s" if before == 3.0 else "ms"
    dashboard.recordings.reading.how["unit"].value = unit
    loop.until(lambda: dashboard.session.train.duration_ms != before)
    assert dashboard.session.train.duration_ms == (3000.0 if unit == "s" else 3.0)


def test_a_bad_file_gets_one_sentence_and_what_was_there_stays(dashboard, loop):
    session = opened(dashboard, loop)
    before = session.recordings, session.posterior
    send(dashboard, b"%PDF-1.7", f"{HOSTILE}.csv")
    loop.until(lambda: dashboard.messages.text)
    assert "PDF" in dashboard.messages.text
    assert "<img" not in dashboard.messages.text
    assert (session.recordings, session.posterior) == before
    dashboard.recordings.choice.index = 1
    loop.until(lambda: session.posterior is not before[1] and session.posterior is not None)
    assert dashboard.messages.text  # it stays until it is dismissed or another file is read
    send(dashboard, b"times\n1\n2\n3\n4\n", "good.csv")
    assert not dashboard.messages.text


@pytest.mark.parametrize(
    "messages",
    [
        [{"kind": "refused", "name": "big.csv", "size": 200_000_000}],
        [{"kind": "start", "name": "big.csv", "size": 200_000_000}],
    ],
)
def test_a_file_over_the_limit_is_refused_before_it_is_sent(dashboard, messages):
    upload = dashboard.recordings.upload
    for message in messages:
        upload._receive(upload, message, [])
    assert "200.0 MB" in dashboard.messages.text
    assert "50 MB" in dashboard.messages.text
    upload._receive(upload, {"kind": "part"}, [b"x" * 1000])
    assert not upload._parts


def test_an_upload_that_lies_about_its_size_is_refused(dashboard):
    upload = dashboard.recordings.upload
    upload._receive(upload, {"kind": "start", "name": "a.csv", "size": 3}, [])
    upload._receive(upload, {"kind": "part"}, [b"1234"])
    assert "longer than it is" in dashboard.messages.text
    dashboard.messages.clear()
    upload._receive(upload, {"kind": "start", "name": "a.csv", "size": 3}, [])
    upload._receive(upload, {"kind": "end"}, [])
    assert "did not arrive whole" in dashboard.messages.text


def test_ids_with_html_are_inert_everywhere(dashboard, loop):
    table = f'ID,spiking_times\n"{HOSTILE}","[10, 20, 110, 120, 210, 220, 310, 320]"\n'
    send(dashboard, table.encode(), "html.csv")
    loop.until(lambda: dashboard.session.posterior is not None)
    generated(dashboard, loop, size=2, budget=4)
    pieces = [dashboard.recordings.reading.report, dashboard.recordings.facts, dashboard.dics.says]
    pieces += [
        dashboard.dics.notes,
        dashboard.compensation.says,
        dashboard.results.says,
        dashboard.results.why,
    ]
    assert not any("<img" in piece.value for piece in pieces)
    assert not any("<img" in str(figure.shown.to_json()) for figure in figures(dashboard))


def figures(dashboard):
    results = dashboard.results
    return [dashboard.recordings.figure, dashboard.dics.figure, results.traces, *results.sides.values()]


def generated(dashboard, loop, **settings):
    for name, value in settings.items():
        getattr(dashboard.population, name).value = value
    dashboard.population.generate.click()
    loop.until(lambda: not (dashboard.session.generating or dashboard.session.drawing))
    return dashboard.session.result


def test_voltages_that_a_result_lacks_are_recorded_for_the_page_shown(dashboard, loop):
    opened(dashboard, loop)
    loop.until(lambda: dashboard.session.posterior is not None)
    whole = generated(dashboard, loop, size=8, seed=3, budget=40)
    lines = [t.y for t in dashboard.results.traces.shown.data if t.line.color == "#0072B2"]
    empty = replace(
        whole.simulated, time_ms=np.zeros(0), V_mV=np.zeros((len(whole.simulated), 0), np.float32)
    )
    dashboard.session.result = replace(whole, simulated=empty)

    def voltages():
        return [t.y for t in dashboard.results.traces.shown.data if t.line.color == "#0072B2"]

    loop.until(lambda: len(voltages()[0]) < len(lines[0]))  # spikes alone, at first
    loop.until(lambda: len(voltages()[0]) == len(lines[0]))
    for before, after in zip(lines, voltages(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_generate_does_not_wait_for_the_dics_of_the_recording_that_is_looked_at(dashboard, loop):
    session = opened(dashboard, loop)
    dashboard.recordings.choice.index = 1
    session.chosen = ("1", "2")
    assert session.posterior is None
    assert not dashboard.population.generate.disabled
    session.choose(size=2, budget=10)
    dashboard.population.generate.click()
    assert dashboard.messages.text == ""
    loop.until(lambda: not session.generating)
    assert len(session.results) == 2


def test_generate_shows_traces_scores_and_downloads(dashboard, loop):
    opened(dashboard, loop)
    dashboard.recordings.choice.index = 2
    loop.until(lambda: dashboard.session.posterior is not None)
    result = generated(dashboard, loop, size=8, seed=3, budget=40)
    assert len(result.population) == 8
    panel = dashboard.results
    assert f"{result.n_kept_passed} of the 8 members" in panel.says.value
    assert "members were tried" in panel.why.value
    assert panel.where.value == "page 1 of 2"
    assert panel.back.disabled
    panel.next.click()
    assert panel.where.value == "page 2 of 2"
    assert panel.next.disabled
    voltages = [t for t in panel.traces.shown.data if t.line.color == "#0072B2"]
    assert len(voltages) == 8 - MEMBERS_A_PAGE
    panel.order.value = "worst"
    assert panel.where.value == "page 1 of 2"
    table = pd.read_csv(io.BytesIO(saved(dashboard, loop, "population")), dtype={"id": str})
    assert len(table) == 8
    assert {"id", "member", "g_Na", "score", "passed"} <= set(table)
    spikes = read_spike_trains(saved(dashboard, loop, "spikes"), filename="spike_times.csv")
    assert sum(t.n_spikes for t in spikes) == sum(len(t) for t in result.simulated.spike_times_ms)
    with zipfile.ZipFile(io.BytesIO(saved(dashboard, loop, "everything"))) as archive:
        assert {"population.csv", "spike_times.csv", "summary.json", "methods.md"} <= set(archive.namelist())
        assert b'"seed": 3' in archive.read("summary.json")
        read = json.loads(archive.read("summary.json"))["options"]["read"]
        assert read == dashboard.session.recordings.report.describe().splitlines()
        assert "The times were read as ms, as the column name" in archive.read("methods.md").decode()
        assert Settings.from_json(archive.read("settings.json")) == dashboard.session.settings
    report = saved(dashboard, loop, "report").decode()
    assert report.startswith("<!DOCTYPE html>")
    assert result.outcome in report
    assert "Unit: ms, as the column name &#39;spiking_times_ms&#39; says." in report
    with zipfile.ZipFile(io.BytesIO(saved(dashboard, loop, "simulators"))) as archive:
        assert len(pd.read_csv(archive.open("neuron/stg_members.csv"))) == 8
        assert b"seed 3" in archive.read("brian2/stg_brian2.py")
    dashboard.session.member = 2
    with zipfile.ZipFile(io.BytesIO(saved(dashboard, loop, "clamp"))) as archive:
        assert b"A of member 3/2" in archive.read("A/README.md")
        assert "KCa/c/stg_KCa_clamp.h" in archive.namelist()
    with zipfile.ZipFile(io.BytesIO(saved(dashboard, loop, "nwb"))) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".nwb"))
        again = read_spike_trains(archive.read(name), filename="members.nwb")
    assert [train.n_spikes for train in again] == [len(t) for t in result.simulated.spike_times_ms]
    # what is chosen otherwise, or read from another file, is another population: it must not mix with this
    dashboard.session.results = {("another file", "3"): result, **dashboard.session.results}
    assert len(pd.read_csv(io.BytesIO(saved(dashboard, loop, "population")))) == 8
    # another recording has no results yet, and going back shows these again
    dashboard.recordings.choice.index = 0
    assert dashboard.session.result is None
    assert panel.downloads["everything"].disabled
    dashboard.recordings.choice.index = 2
    assert dashboard.session.result is result
    assert not panel.downloads["everything"].disabled


def saved(dashboard, loop, name):
    """What the browser is given to save."""
    download, got = dashboard.results.downloads[name], []
    download.send = lambda content, buffers=(): got.append((content, *buffers))
    download._receive(download, {"kind": "ask"}, [])
    loop.until(lambda: got)
    assert got[0][0]["kind"] == "file"
    return got[0][1]


def test_making_the_zip_is_shown_and_can_be_stopped(dashboard, loop, monkeypatch):
    opened(dashboard, loop)
    generated(dashboard, loop, size=2, budget=4)
    button, got, made = dashboard.results.downloads["everything"], [], []
    button.send = lambda content, buffers=(): got.append(content)
    button.observe(lambda change: made.append(change["new"]), "made")

    def slow(*_args, progress, cancel, **_more):
        for done in range(10_000):
            if cancel():
                raise Cancelled
            progress(done, 10_000)
            time.sleep(0.02)

    monkeypatch.setattr("spike2pop_nb.export.results_zip", slow)
    button._receive(button, {"kind": "ask"}, [])
    loop.until(lambda: made)
    assert made[0] == "0 %"
    button._receive(button, {"kind": "stop"}, [])
    loop.until(lambda: got)
    assert got == [{"kind": "nothing"}]
    assert button.made == ""
    assert dashboard.messages.text == ""
    assert dashboard.browser.unsaved


def test_a_download_of_nothing_gets_one_sentence(dashboard, loop):
    opened(dashboard, loop)
    button = dashboard.results.downloads["everything"]
    assert button.disabled
    dashboard.actions.download("everything", button)
    assert "There is nothing to download yet: generate a population" in dashboard.messages.text


def test_a_neuron_that_cannot_be_used_is_said_to_be_one(loop, network, monkeypatch):
    from spike2pop_nb.app import Dashboard
    from spike2pop_nb.neurons import registry

    found = {"mine": "mine.py, line 3: Gate needs 'tau' as well."}
    monkeypatch.setattr(registry, "_load_own", cache(lambda: found))
    made = Dashboard(dispatch=loop)
    said = "<li>mine cannot be used: mine.py, line 3: Gate needs &#x27;tau&#x27; as well.</li>"
    assert any(said in getattr(part, "value", "") for part in made.dics.widget.children)
    made.browser._receive(made.browser, {"kind": "start", "fragment": "neuron=mine"}, [])
    assert (
        "Settings, neuron: the neuron &#x27;mine&#x27; cannot be used: mine.py, line 3" in made.messages.text
    )


def test_a_member_that_is_picked_is_lit_in_every_figure_and_its_page_turned_to(dashboard, loop):
    opened(dashboard, loop)
    dashboard.recordings.choice.index = 2
    settled(dashboard, loop)
    generated(dashboard, loop, size=8, budget=40)
    panel = dashboard.results
    assert "Click a member" in panel.picked.value
    scores = panel.sides["scores"]
    scores._receive(scores.widget, {"kind": "pick", "member": 7}, [])
    assert [figure.widget._member for figure in figures(dashboard)] == [7] * 7
    assert panel.where.value == "page 2 of 2"
    assert "Member 7" in panel.picked.value
    assert {"member": 7} in [trace.meta for trace in panel.traces.shown.data]
    for nonsense in (
        {},
        {"kind": "pick"},
        {"kind": "pick", "member": "x"},
        None,
        {"kind": "drag", "y": None},
    ):
        scores._receive(scores.widget, nonsense, [])
    scores._receive(scores.widget, {"kind": "pick", "member": NO_MEMBER}, [])
    assert "Click a member" in panel.picked.value


def test_pictures_are_made_when_they_are_looked_at_and_follow_the_member(dashboard, loop, monkeypatch):
    opened(dashboard, loop)
    dashboard.recordings.choice.index = 2
    settled(dashboard, loop)
    closer, session = dashboard.results.closer, dashboard.session
    made = []
    for name in ("currentscape", "conductance_pairs", "dic_curves", "return_map"):
        draw = getattr(plots, name)
        monkeypatch.setattr(
            plots, name, lambda *a, n=name, draw=draw, **k: (made.append(n), draw(*a, **k))[1]
        )
    result = generated(dashboard, loop, size=4, budget=40)
    assert made == []
    assert closer.figure is None
    dashboard.browser.dark = True
    closer.widget.opened = True
    assert "being computed" in str(closer.figure.shown.to_json())
    loop.until(lambda: made == ["currentscape"])
    assert f"Of member {result.verdict.best}, the one with the best score." in closer.says.value
    assert closer.figure.widget._widget_layout["template"]["layout"]["plot_bgcolor"] == "#1B222C"
    session.member = 3
    loop.until(lambda: "Of member 3." in closer.says.value)
    made.clear()
    for name in PICTURES:
        closer.choice.value = name
        assert closer.figure.widget._member == 3
        assert name == "currents" or closer.says.value == said([PICTURES[name][1]])
    loop.until(lambda: not session.busy)
    assert made == ["conductance_pairs", "conductance_pairs", "dic_curves", "return_map"]
    session.member = 1
    assert len(made) == 4, "only the currents are those of one member"
    dashboard.recordings.choice.index = 0
    assert "appear here" in str(closer.figure.shown.to_json())


def test_several_recordings_are_chosen_in_the_table_and_run_together(dashboard, loop):
    session = opened(dashboard, loop)
    assert list(dashboard.table.table.df["recording"]) == session.recordings.ids
    assert dashboard.table.widget.layout.display == ""
    dashboard.table.table.selected_rows = [1, 2]
    settled(dashboard, loop)
    assert session.chosen == ("2", "3")
    assert session.train.id == "3"
    assert dashboard.population.generate.description == "Generate for 2 recordings"
    generated(dashboard, loop, size=2, budget=4)
    assert [result.recording.id for result in session.results.values()] == ["2", "3"]
    assert session.result.recording.id == "3"
    assert dashboard.table.table.df["population"].iloc[0] == ""
    assert "of 2" in dashboard.table.table.df["population"].iloc[1]
    # one chosen in the list is chosen alone, also where it was among several
    dashboard.recordings.choice.index = 1
    assert session.result.recording.id == "2"
    assert session.chosen == ("2",)
    assert list(dashboard.table.table.selected_rows) == [1]
    assert dashboard.population.generate.description == "Generate"
    dashboard.recordings.choice.index = 4
    assert list(dashboard.table.table.selected_rows) == [4]
    assert "1 of 5 are chosen" in dashboard.table.says.value


def test_the_table_is_downloaded_before_anything_is_made_and_generates_too(dashboard, loop):
    session, table = dashboard.session, dashboard.table
    assert table.generate.disabled
    assert table.save.disabled
    opened(dashboard, loop)
    got = []
    table.save.send = lambda content, buffers=(): got.append((content, *buffers))
    table.save._receive(table.save, {"kind": "ask"}, [])
    found = pd.read_csv(io.BytesIO(got[0][1]), dtype={"id": str})
    assert list(found["id"]) == session.recordings.ids
    assert {"g_s", "g_u", "likeness", "rate_hz"} <= set(found)
    dashboard.population.size.value, dashboard.population.budget.value = 2, 4
    table.generate.click()
    assert session.generating
    loop.until(lambda: not (session.generating or session.drawing))
    assert session.result is not None


def test_it_is_said_what_came_out_with_a_way_to_it(dashboard, loop):
    session = opened(dashboard, loop)
    generated(dashboard, loop, size=2, budget=4)
    result, says = session.result, dashboard.population.says
    assert 'data-to="s2p-results"' in says.value
    assert "s2p-results" in dashboard.results.widget._dom_classes
    none = replace(result.verdict, table=result.verdict.table.assign(passed=False))
    for made, words in (
        (
            replace(result, verdict=none),
            "Done, and no member fires like the recording; the nearest are below",
        ),
        (replace(result, usable=False), "Done, and no member was found; see below why."),
        (replace(result, usable=False, cancelled=True), "Cancelled, and no member was found; see below why."),
    ):
        session.result = made
        assert words in says.value
        assert 'data-to="s2p-results"' in says.value


def test_the_page_is_not_left_without_a_word_while_it_holds_what_nobody_took(dashboard, loop):
    opened(dashboard, loop)
    assert not dashboard.browser.unsaved
    generated(dashboard, loop, size=2, budget=4)
    assert dashboard.browser.unsaved
    saved(dashboard, loop, "population")
    assert dashboard.browser.unsaved
    saved(dashboard, loop, "everything")
    assert not dashboard.browser.unsaved
    generated(dashboard, loop, size=2, budget=5)
    assert dashboard.browser.unsaved


def test_a_recording_that_fails_is_told_and_the_others_are_run(dashboard, loop, monkeypatch):
    from spike2pop_nb.fidelity import search

    plain = search.find_population

    def fails(train, *arguments, **options):
        if train.id == "2":
            raise ZeroDivisionError("secret")
        return plain(train, *arguments, **options)

    monkeypatch.setattr(search, "find_population", fails)
    session = opened(dashboard, loop)
    dashboard.table.table.selected_rows = [1, 2]
    settled(dashboard, loop)
    generated(dashboard, loop, size=2, budget=4)
    second, third = session.results.values()
    assert "ZeroDivisionError" in second.failure
    assert third.usable
    assert "Recording &#x27;2&#x27; failed" in dashboard.messages.text
    assert "secret" not in dashboard.messages.text
    dashboard.recordings.choice.index = 1
    assert "failed" in dashboard.results.says.value


def test_a_recording_that_cannot_be_predicted_leaves_the_table_the_others(dashboard, loop, monkeypatch):
    from spike2pop_nb.app.actions import predicting

    made = predicting.network("stg")

    def some(trains, prior):
        if any(train.id == "4" for train in trains):
            raise RuntimeError("secret")
        return plain(trains, prior)

    plain = made.predict
    monkeypatch.setattr(made, "predict", some)
    monkeypatch.setattr(made, "neuron", "stg", raising=False)
    session = opened(dashboard, loop)
    assert session.survey["g_s"].isna().tolist() == [False, False, False, True, False]


def test_times_can_be_pasted(dashboard, loop):
    dashboard.recordings.take.click()
    assert "nothing to read" in dashboard.messages.text
    dashboard.recordings.pasted.value = "10 21 30.5\n41, 52; 60"
    dashboard.recordings.take.click()
    loop.until(lambda: dashboard.session.train is not None)
    assert dashboard.session.train.n_spikes == 6
    assert "the pasted times" in dashboard.recordings.reading.report.value


def test_spikes_of_a_voltage_follow_the_threshold_that_is_dragged(dashboard, loop):
    t = np.arange(0, 1000, 0.5)
    volts = -65 + 100 * np.exp(-(((t % 100) - 50) ** 2) / 4) * (1 - 0.5 * (t > 500))
    table = pd.DataFrame({"time_ms": t, "V_mV": volts}).to_csv(index=False)
    send(dashboard, table.encode(), "trace.csv", part=4096)
    loop.until(lambda: dashboard.session.train is not None)
    session, panel = dashboard.session, dashboard.recordings
    assert session.train.n_spikes == 10
    assert panel._threshold.layout.display == ""
    figure = panel.figure
    assert figure.shown.layout.shapes[0].y0 == panel.threshold.value
    figure._receive(figure.widget, {"kind": "drag", "y": 10.0}, [])
    loop.until(lambda: session.train.n_spikes == 5)
    assert panel.threshold.value == 10.0
    assert session.settings.threshold_mV == 10.0


def test_detected_spikes_are_marked_on_their_voltage_which_is_shown_in_detail_where_it_is_looked_at(
    dashboard, loop
):
    t = np.arange(0, 2000, 0.1)
    volts = -65 + 100 * np.exp(-(((t % 100) - 50) ** 2) / 4)
    send(dashboard, pd.DataFrame({"time_ms": t, "V_mV": volts}).to_csv(index=False).encode(), "v.csv", 65536)
    session, figure = dashboard.session, dashboard.recordings.figure
    loop.until(lambda: session.train is not None)

    def shown():
        curve, strokes = figure.shown.data
        marked = np.unique(np.asarray(strokes.x, dtype=float))
        inside = (np.asarray(curve.x) >= 400) & (np.asarray(curve.x) <= 600)
        return marked[np.isfinite(marked)], int(inside.sum())

    times, coarse = shown()
    assert times == pytest.approx(session.train.times_ms)
    figure._receive(figure.widget, {"kind": "zoom", "ends": [400, 600]}, [])
    assert shown()[1] == pytest.approx(2000, abs=2)
    assert coarse < 1000
    assert shown()[0] == pytest.approx(session.train.times_ms)
    for nonsense in ([400, "x"], [1, 1], [float("nan"), 2], 3):
        figure._receive(figure.widget, {"kind": "zoom", "ends": nonsense}, [])
        assert shown()[1] > coarse
    figure._receive(figure.widget, {"kind": "zoom", "ends": None}, [])
    assert shown()[1] == coarse


VOLTS_T = np.arange(0, 1000, 0.5)
VOLTS = -65 + 100 * np.exp(-(((VOLTS_T % 100) - 50) ** 2) / 4)


def test_a_voltage_is_reported_with_what_to_check_first(dashboard, loop):
    volts = VOLTS + np.where((VOLTS_T > 300) & (VOLTS_T < 400), 5, 0)
    session, panel = sent(dashboard, loop, table(["time_ms", *VOLTS_T], ["V_mV", *volts], ["I_pA", *VOLTS_T]))
    report = panel.report.value
    assert report.index("Please check: spikes detected where the voltage rises through") < report.index(
        "mine"
    )
    assert "taken for a recording from inside the cell" in report
    assert "Skipped: 1 column of another quantity" in report
    assert session.voltages.skipped
    detection = dashboard.recordings.detection
    assert detection.threshold.description == "Spike threshold (mV)"
    assert "as the threshold suggests" in detection.reset.placeholder
    assert detection.use.layout.display == "none"
    assert panel.fields["voltage_unit"].layout.display == ""
    assert panel.how["layout"].disabled


def test_reset_and_polarity_are_chosen_and_impossible_ones_come_back(dashboard, loop):
    session, _panel = sent(dashboard, loop, table(["time_ms", *VOLTS_T], ["V_mV", *VOLTS]))
    detection = dashboard.recordings.detection
    shown = detection.threshold.value
    time.sleep(0.15)
    detection.reset.value = "-60"
    loop.until(lambda: "as asked for" in dashboard.recordings.reading.report.value)
    assert session.settings.threshold_mV == shown, "a reset belongs to its threshold"
    assert "reset_mV=-60" in dashboard.browser.fragment
    assert session.settings.reset_mV == -60
    time.sleep(0.15)
    detection.reset.value = "50"
    loop.until(lambda: dashboard.messages.text)
    assert "the reset not above the threshold" in dashboard.messages.text
    assert (session.settings.reset_mV, detection.reset.value, session.train.n_spikes) == (-60, "-60", 10)
    detection.reset.value = "low"
    assert "“Reset (mV)”: give a number, not &#x27;low&#x27;." in dashboard.messages.text
    detection.reset.value = ""
    loop.until(lambda: session.settings.reset_mV is None and not session.busy)
    detection.threshold.value = -80
    loop.until(lambda: session.train.n_spikes == 0)
    undone(dashboard, lambda: session.settings.threshold_mV != -80)
    loop.until(lambda: session.train.n_spikes == 10)
    detection.polarity.value = "both"
    loop.until(lambda: "polarity both was asked for" in dashboard.recordings.reading.report.value)
    assert session.settings.polarity == "both"


def test_levels_of_a_trace_in_counts_are_asked_for_in_counts(dashboard, loop):
    counts = np.rint(200 * VOLTS).astype(int)
    data = table(["time_ms", *VOLTS_T], [f"Vm{HOSTILE} (counts)", *counts], ["b (counts)", *(2 * counts)])
    session, panel = sent(dashboard, loop, data)
    detection, figure = dashboard.recordings.detection, dashboard.recordings.figure
    assert session.recordings is session.train is None
    assert "is in counts, whose size in mV is not known; give the threshold and the" in panel.refusal.value
    assert "(“Spike threshold” and “Reset”), or give the unit of the voltage" in panel.refusal.value
    assert "<img" not in panel.refusal.value
    assert not panel.fold.opened
    assert detection.threshold.description == "Spike threshold (counts)"
    assert detection.reset.description == "Reset (counts)"
    assert detection.use.layout.display == ""
    assert figure.shown.layout.shapes[0].y0 == detection.threshold.value
    figure._receive(figure.widget, {"kind": "drag", "y": 2000.0}, [])
    assert detection.threshold.value == 2000
    detection.use.click()
    assert "The reset is missing; give it in counts" in dashboard.messages.text
    detection.reset.value = "-5000"
    assert session.settings.threshold_mV is session.settings.reset_mV is None, (
        "both wait until they are confirmed"
    )
    time.sleep(0.15)
    detection.use.click()
    loop.until(lambda: session.recordings is not None and not session.busy)
    assert [train.n_spikes for train in session.recordings] == [10, 10]
    assert (session.settings.threshold_mV, session.settings.reset_mV) == (2000, -5000)
    assert detection.use.layout.display == "none"
    assert panel.refusal.value == ""
    # the other channel gets a level of its own, and the first keeps its
    time.sleep(0.15)
    dashboard.recordings.choice.index = 1
    detection.threshold.value = 20_000
    loop.until(lambda: session.train.n_spikes == 0)
    assert session.train.id == "b (counts)"
    assert session.settings.threshold_mV == {"*": 2000, "b (counts)": 20_000}
    assert session.recordings[0].n_spikes == 10
    kept = session.settings
    assert Settings.from_fragment(kept.to_fragment()) == kept
    undone(dashboard, lambda: session.settings.threshold_mV == 2000)
    loop.until(lambda: [train.n_spikes for train in session.recordings] == [10, 10])
    undone(dashboard, lambda: session.settings.threshold_mV is None)
    loop.until(lambda: session.recordings is None)
    assert session.refused.trace.unit == "counts"
    # or the unit is named
    panel.how["voltage_unit"].value = "uV"
    loop.until(lambda: session.recordings is not None)
    assert session.voltages[0].unit == "mV"
    assert session.settings.voltage_unit == "uV"
    # what was chosen for this file says nothing about the next
    session, panel = sent(dashboard, loop, table(["time_ms", *VOLTS_T], ["V_mV", *VOLTS]), "next.csv")
    assert (session.settings.voltage_unit, session.settings.threshold_mV, session.settings.polarity) == (
        "auto",
        None,
        "auto",
    )


def test_a_voltage_without_times_asks_for_the_rate_and_takes_a_stretch(dashboard, loop):
    session, panel = sent(dashboard, loop, table(["V_mV", *VOLTS]))
    assert "give the sampling rate in Hz, such as 20000 (“Sampling rate (Hz)”)" in panel.refusal.value
    assert "--" not in panel.refusal.value
    assert panel.fields["sampling_rate_hz"].layout.display == ""
    panel.how["sampling_rate_hz"].value = "2000"
    loop.until(lambda: session.train is not None)
    assert session.train.n_spikes == 10
    panel.how["start_s"].value = "0.4"
    loop.until(lambda: session.train is not None and session.train.n_spikes == 6)
    assert "outside the stretch from 0.4 s" in panel.report.value
    panel.how["stop_s"].value = "0.3"
    loop.until(lambda: session.refused is not None)
    assert "its stop must come after its start" in panel.refusal.value
    panel.how["stop_s"].value = "0.6"
    loop.until(lambda: session.train is not None and session.train.n_spikes == 2)
    panel.how["unit"].value = "ms"
    settled(dashboard, loop)
    assert session.settings.sampling_rate_hz == 2000
    kept = session.settings
    assert (kept.sampling_rate_hz, kept.start_s, kept.stop_s) == (2000, 0.4, 0.6)
    time_in_s = table(["time", *VOLTS_T], ["V_mV", *VOLTS])
    session, panel = sent(dashboard, loop, time_in_s, "clock.csv")
    panel.how["unit"].value = "s"
    loop.until(lambda: session.train is not None and session.train.window_ms[1] == 999_500)


def test_a_silent_trace_of_voltage_is_shown(dashboard, loop):
    session, panel = sent(dashboard, loop, table(["time_ms", *VOLTS_T], ["V_mV", *(0.01 * VOLTS - 65)]))
    assert session.train.n_spikes == 0
    assert not dashboard.messages.text
    assert "kept as silent" in panel.report.value


def test_how_a_table_was_read_can_be_corrected(dashboard, loop):
    send(dashboard, b"a_ms,b_ms\n1,5\n2,60\n3,700\n4,8000\n", "two.csv")
    loop.until(lambda: dashboard.session.recordings is not None)
    session, panel = dashboard.session, dashboard.recordings
    assert session.recordings.ids == ["a_ms", "b_ms"]
    assert not panel.reading.how["time_column"].disabled
    assert set(session.recordings.report.candidates) == {"a_ms", "b_ms"}
    panel.reading.how["time_column"].value = "b_ms"
    loop.until(lambda: len(session.recordings) == 1)
    assert session.train.times_ms[-1] == 8000
    panel.reading.how["time_column"].value = ""
    panel.reading.how["layout"].value = "rows"
    loop.until(lambda: len(session.recordings) == 4)
    assert session.settings.layout == "rows"


def sent(dashboard, loop, data, name="mine.csv"):
    """A file that is read, or refused."""
    session = dashboard.session
    before = session.recordings, session.refused
    send(dashboard, data, name, part=100_000)
    loop.until(lambda: (session.recordings, session.refused) != before and not session.busy)
    return session, dashboard.recordings.reading


def undone(dashboard, condition):
    """Back to where it holds; what follows from a choice may be a change of its own."""
    for _ in range(4):
        if not condition():
            dashboard.toolbar.undo.click()
    assert condition()


def table(*columns):
    return "\n".join(",".join(map(str, row)) for row in zip(*columns, strict=True)).encode()


NO_UNIT = table(["id", *"aaaaaabbbbbb"], ["times", *np.round(np.linspace(0.13, 0.73, 12) ** 2, 4)])
WHOLE = "\n".join(["times", *(str(3001 * k + k * k % 13) for k in range(1, 40))]).encode()
TRIALS = table(["cell", *"xxxxxxxxxxxx"], ["time_ms", *([10, 21, 33, 47] * 3)])


def test_a_unit_that_is_assumed_is_a_question_until_it_is_answered(dashboard, loop):
    session, panel = sent(dashboard, loop, NO_UNIT)
    asks, report = panel.question, session.recordings.report
    assert report.unit_assumed
    assert asks.widget.layout.display == ""
    assert "The file names no unit. Taken for s, a rate of " in asks.asks.value
    assert " Hz by the median interval, " in asks.asks.value
    assert asks.yes.description == "Yes, s"
    assert asks.others["s"].layout.display == "none"
    rate = 1000 / np.median(np.concatenate([train.isi_ms for train in session.recordings]))
    assert asks.others["ms"].description == f"No, ms: {1000 * rate:,.0f} Hz"
    assert asks._counted.layout.display == "none", "these times are no whole numbers"
    assert "Please check" not in panel.report.value, "the question says it already"
    dashboard.recordings.choice.index = 1
    asks.others["ms"].click()
    loop.until(lambda: session.recordings.report.unit == "ms" and not session.busy)
    assert asks.widget.layout.display == "none"
    assert session.train.id == "b", "the recording that is looked at stays"
    assert session.settings.unit == "ms"
    assert "unit=ms" in dashboard.browser.fragment
    dashboard.toolbar.undo.click()
    loop.until(lambda: asks.widget.layout.display == "")
    asks.yes.click()
    loop.until(lambda: not session.recordings.report.unit_assumed)
    assert (session.settings.unit, session.recordings.report.unit) == ("s", "s")
    session, panel = sent(dashboard, loop, NO_UNIT, "next.csv")
    assert session.settings.unit == "auto"
    assert asks.widget.layout.display == "", "an answer holds for its own file"


def test_whole_numbers_may_be_answered_to_be_samples(dashboard, loop):
    session, panel = sent(dashboard, loop, b"times\n" + b"\n".join(b"%d" % (300 * k) for k in range(1, 20)))
    asks = panel.question
    assert asks.yes.description == "Yes, ms"
    assert asks._counted.layout.display == ""
    assert asks.samples.description == "No, samples: 100 Hz"
    asks.rate.value = "many"
    assert asks.samples.disabled
    asks.rate.value = "10000"
    assert asks.samples.description == "No, samples: 33.3 Hz"
    asks.samples.click()
    loop.until(lambda: session.recordings.report.unit == "samples")
    assert session.train.times_ms[0] == 30.0
    assert (session.settings.unit, session.settings.sampling_rate_hz) == ("samples", 10000)


def test_a_refusal_stands_beside_the_options_that_settle_it(dashboard, loop):
    opened(dashboard, loop)
    dashboard.recordings.choice.index = 2
    session, panel = sent(dashboard, loop, WHOLE, f"{HOSTILE}.csv")
    assert not dashboard.messages.text
    assert session.recordings is session.train is session.posterior is session.survey is None
    assert session.source.name == f"{HOSTILE}.csv"
    assert "sampling rate" in panel.refusal.value
    assert 'role="alert"' in panel.refusal.value
    assert "<img" not in panel.refusal.value
    assert panel.fold.opened
    assert panel.fields["sampling_rate_hz"].layout.display == ""
    assert panel.report.value == ""
    panel.how["sampling_rate_hz"].value = "fast"
    assert "“Sampling rate (Hz)”: give a number from 1 to " in dashboard.messages.text
    panel.how["sampling_rate_hz"].value = "30000"
    settled(dashboard, loop)
    assert not dashboard.messages.text
    assert panel.refusal.value == ""
    assert session.recordings.report.sampling_rate_hz == 30000
    assert "samples at 30000 Hz, as asked for" in panel.report.value
    # a unit that needs more is refused and completed, and the way back is there
    panel.how["unit"].value = "s"
    loop.until(lambda: session.recordings is not None and session.recordings.report.unit == "s")
    assert session.settings.sampling_rate_hz is None
    panel.how["unit"].value = "samples"
    loop.until(lambda: session.refused is not None)
    assert "give the sampling rate" in panel.refusal.value
    panel.how["sampling_rate_hz"].value = "1e5"
    loop.until(lambda: session.recordings is not None)
    assert session.refused is None
    session, panel = sent(dashboard, loop, WHOLE)
    assert session.refused is not None
    send(dashboard, b"%PDF-1.7", "bad.csv")
    loop.until(lambda: dashboard.messages.text)
    assert session.source.name == "mine.csv"
    assert "mine.csv" in panel.refusal.value


def test_columns_of_a_refused_file_can_be_named(dashboard, loop):
    session, panel = sent(dashboard, loop, TRIALS)
    how = panel.how
    assert session.refused is not None
    assert [label for label, _value in how["id_columns"].options] == ["cell", "time_ms"]
    assert not how["id_columns"].disabled
    how["layout"].value = "trials"
    how["time_column"].value = "time_ms"
    loop.until(lambda: session.recordings is not None and not session.busy)
    assert len(session.recordings) == 3
    assert session.settings.layout == "trials"


@pytest.mark.parametrize("counted", ["number of spikes", "spikes per burst", "spike count"])
def test_bursts_at_equal_steps_are_refused_as_in_python(dashboard, loop, counted):
    starts, counts = [f"{1 + 0.8 * k:.3f}" for k in range(40)], [5 + k % 4 for k in range(40)]
    lengths = [f"{0.2 + 0.01 * (k % 7):.3f}" for k in range(40)]
    data = table(["burst start (s)", *starts], [counted, *counts], ["duration (s)", *lengths])
    session, panel = sent(dashboard, loop, data)
    with pytest.raises(SpikeTrainError, match=f"the column '{counted}' counts spikes"):
        read_spike_trains(data, filename="mine.csv")
    assert f"{counted}&#x27; counts spikes, so its rows are bursts or bins" in panel.refusal.value
    assert not session.voltages
    assert session.refused.trace is None


def test_several_columns_of_ids_or_none_can_be_named(dashboard, loop):
    data = table(["probe", *"aabbaabb"], ["cell", *"12121212"], ["time_ms", 10, 11, 12, 13, 20, 31, 42, 53])
    session, panel = sent(dashboard, loop, data)
    how = panel.how
    assert how["ids"].value == "auto"
    assert panel.fields["id_columns"].layout.display == "none"
    for value, display in (("these", ""), ("auto", "none")):
        how["ids"].value = value
        assert panel.fields["id_columns"].layout.display == display
    how["ids"].value = "these"
    assert panel.fields["id_columns"].layout.display == ""
    how["id_columns"].value = ("probe",)
    loop.until(lambda: session.recordings.ids == ["a", "b"])
    how["id_columns"].value = ("probe", "cell")
    loop.until(lambda: session.recordings.ids == ["a/1", "a/2", "b/1", "b/2"])
    assert dashboard.browser.fragment.endswith("id_columns=probe&id_columns=cell")
    how["ids"].value = "none"
    loop.until(lambda: len(session.recordings) == 1)
    assert session.settings.id_columns == ()
    how["ids"].value = "auto"
    loop.until(lambda: session.settings.id_columns is None and len(session.recordings) > 1)


def test_sheets_of_a_workbook_can_be_named(dashboard, loop):
    openpyxl = pytest.importorskip("openpyxl")
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for name, first in (("Cell 1", 10), ("Stim", 20)):
        sheet = book.create_sheet(name)
        for value in ("time_ms", *(first + 30 * k + k % 3 for k in range(30))):
            sheet.append([value])
    book.save(stream)
    session, panel = sent(dashboard, loop, stream.getvalue())
    assert "“Sheets”" in panel.refusal.value
    assert panel.fields["sheets"].layout.display == ""
    panel.how["sheets"].value = ("Stim",)
    loop.until(lambda: session.recordings is not None and session.recordings.ids == ["Stim"])
    assert dashboard.browser.fragment.endswith("sheets=Stim")
    panel.how["sheets"].value = ("Cell 1", "Stim")
    loop.until(lambda: session.recordings is not None and session.recordings.ids == ["Cell 1", "Stim"])
    sent(dashboard, loop, TRIALS)
    assert panel.fields["sheets"].layout.display == "none"


def test_a_unit_in_words_and_a_stretch(dashboard, loop):
    session, panel = sent(dashboard, loop, b"time_ms\n" + b"\n".join(b"%d" % (100 * k) for k in range(1, 41)))
    how = panel.how
    assert panel.fields["other"].layout.display == "none"
    how["unit"].value = "other"
    assert panel.fields["other"].layout.display == ""
    how["unit"].value = "auto"
    assert panel.fields["other"].layout.display == "none", "back from there"
    how["unit"].value = "other"
    how["other"].value = "100 parsecs"
    assert "the unit &#x27;100 parsecs&#x27; is unknown" in dashboard.messages.text
    assert session.settings.unit == "auto"
    how["other"].value = "100 µs"
    loop.until(lambda: session.recordings.report.unit == "0.1 ms")
    assert (session.settings.unit, how["unit"].value, how["other"].value) == ("0.1 ms", "other", "0.1 ms")
    assert "Please check: 0.1 ms was asked for" in panel.report.value
    assert panel.report.value.index("Please check") < panel.report.value.index("mine.csv")
    how["start_s"].value = "0.1"
    loop.until(lambda: session.train.n_spikes == 31)
    how["stop_s"].value = "0.05"
    loop.until(lambda: session.refused is not None)
    assert "its stop must come after its start" in panel.refusal.value
    how["stop_s"].value = "0.2"
    loop.until(lambda: session.train is not None and session.train.n_spikes == 10)
    how["start_s"].value = "soon"
    assert "“Start (s)”: give a number, not &#x27;soon&#x27;." in dashboard.messages.text
    assert session.settings.start_s == 0.1
    how["start_s"].value = how["stop_s"].value = ""
    loop.until(lambda: session.train is not None and session.train.n_spikes == 40)


def test_hostile_names_of_columns_stay_text(dashboard, loop):
    session, panel = sent(dashboard, loop, TRIALS.replace(b"cell", HOSTILE.encode()))
    assert session.refused is not None
    assert "<img" not in panel.refusal.value + panel.report.value + panel.question.asks.value
    assert (HOSTILE, HOSTILE) in panel.how["id_columns"].options


def test_how_a_file_is_read_is_restored_when_it_is_chosen_again(dashboard, loop):
    wanted = Settings(file="mine.csv", unit="samples", sampling_rate_hz=20000, start_s=0.5)
    dashboard.toolbar._load(wanted.to_json().encode(), "settings.json")
    assert "choose the file mine.csv again" in dashboard.messages.text
    session, panel = sent(dashboard, loop, WHOLE)
    assert session.recordings.report.sampling_rate_hz == 20000
    assert (session.settings.start_s, panel.how["start_s"].value) == (0.5, "0.5")


def test_a_choice_is_undone_while_a_file_is_still_read(dashboard, loop):
    send(dashboard, b"id,time_s\na,0.1\na,0.2\na,0.3\na,0.4\n", "mine.csv")
    time.sleep(0.15)
    dashboard.population.seed.value = 7
    dashboard.toolbar.undo.click()
    settled(dashboard, loop)
    session = dashboard.session
    assert (session.settings.seed, session.settings.file, session.train.id) == (1, "mine.csv", "a")
    assert not dashboard.messages.text


def test_settings_are_saved_restored_undone_and_kept_in_the_address(dashboard, loop):
    session = opened(dashboard, loop)
    dashboard.recordings.choice.index = 2
    dashboard.population.seed.value = 7
    assert dashboard.browser.fragment == "file=stg_set.csv&recording=3&seed=7"
    kept = session.settings.to_json()
    time.sleep(0.15)
    dashboard.dics.neuron.value = "da"
    settled(dashboard, loop)
    assert session.settings.neuron == "da"
    dashboard.toolbar.undo.click()
    settled(dashboard, loop)
    assert session.settings == Settings.from_json(kept)
    assert dashboard.dics.neuron.value == "stg"
    dashboard.toolbar._load(Settings(neuron="da", size=3).to_json().encode(), "settings.json")
    assert (dashboard.dics.neuron.value, dashboard.population.size.value) == ("da", 3)
    dashboard.toolbar._load(kept.encode(), "settings.json")
    settled(dashboard, loop)
    assert session.settings == Settings.from_json(kept)


def test_an_address_restores_a_session(loop, network):
    from spike2pop_nb.app import Dashboard

    made = Dashboard(dispatch=loop)
    fragment = "file=stg_set.csv&recording=4&prior=both&compensate=CaS,H"
    made.browser._receive(made.browser, {"kind": "start", "fragment": fragment}, [])
    settled(made, loop)
    assert made.session.train.id == "4"
    assert made.session.pair == ("CaS", "H")
    assert made.dics.prior.value == "both"
    assert made.recordings.choice.value == 3


def test_a_bad_address_gets_one_sentence(loop, network):
    from spike2pop_nb.app import Dashboard

    made = Dashboard(dispatch=loop)
    made.browser._receive(made.browser, {"kind": "start", "fragment": "size=<b>many</b>"}, [])
    assert made.messages.text.startswith('<div role="alert">Settings, size: ')
    assert made.session.settings.size == 16


def test_a_dark_page_has_dark_figures(dashboard, loop):
    opened(dashboard, loop)
    dashboard.browser.dark = True
    layout = dashboard.recordings.figure.widget._widget_layout
    assert layout["template"]["layout"]["plot_bgcolor"] == "#1B222C"
    dashboard.browser.dark = False
    layout = dashboard.recordings.figure.widget._widget_layout
    assert layout["template"]["layout"]["plot_bgcolor"] == "#FFFFFF"


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"size": 0}, "“Members”: give a whole number from 1 to"),
        ({"size": MAX_MEMBERS + 1}, str(MAX_MEMBERS)),
        ({"size": 8, "budget": 2}, "budget"),
    ],
)
def test_impossible_choices_get_one_sentence(dashboard, loop, settings, word):
    opened(dashboard, loop)
    generated(dashboard, loop, **settings)
    assert word in dashboard.messages.text
    assert not dashboard.population.generate.disabled


def test_tolerances_are_chosen_and_members_judged_by_them(dashboard, loop):
    session, panel = opened(dashboard, loop), dashboard.population
    panel.rate.value = 5
    assert session.settings.rate_tolerance == 0.05
    assert "rate_tolerance=0.05" in dashboard.browser.fragment
    panel.isi.value = -1
    assert "“ln(ISI)”: give a number from 0 to 10, not -1." in dashboard.messages.text
    panel.generate.click()
    assert not session.generating, "a number that was refused is not searched without"
    panel.isi.value = 0
    result = generated(dashboard, loop, size=2, budget=40)
    assert result.verdict.rule == PassRule(rate=0.05, isi=0.25, burst=0.05)
    assert result.options["pass_rule"]["rate"] == 0.05
    dashboard.toolbar._load(Settings(rate_tolerance=0.07, refine=False).to_json().encode(), "settings.json")
    assert (panel.rate.value, panel.refine.value) == (7, False)


def test_a_recording_is_judged_by_its_own_variability_and_inhibited_where_that_is_chosen(dashboard, loop):
    session, panel = opened(dashboard, loop), dashboard.population
    panel.judged.value, panel.inhibition.value = "own", "always"
    assert "judged=own" in dashboard.browser.fragment
    assert "inhibition=always" in dashboard.browser.fragment
    session.choose(recording="3")
    result = generated(dashboard, loop, size=2, budget=900)
    assert isinstance(result.verdict.rule, Variability)
    assert result.verdict.rule.bursting
    assert result.options["inhibition"]["generations_without"] == 0
    panel.rate.value = 5
    panel.generate.click()
    assert "no tolerance by number beside “own”" in dashboard.messages.text
    assert not session.generating
    dashboard.toolbar._load(Settings(inhibition="never").to_json().encode(), "settings.json")
    assert (panel.judged.value, panel.inhibition.value) == ("automatic", "never")


def test_members_receive_the_current_that_is_known(dashboard, loop):
    session, panel = opened(dashboard, loop), dashboard.population
    assert panel.current.value == ""
    before = session.posterior
    panel.current.value = "0,5"
    assert "current=0.5" in dashboard.browser.fragment
    loop.until(lambda: session.posterior is not None and session.drive is not None and not session.busy)
    assert session.posterior is not before
    assert dashboard.network.current == 0.5  # the network is told, and asked again
    assert "with the known current of 0.5 µA/cm²" in dashboard.dics.further.value
    assert "say so under" not in dashboard.dics.further.value
    session.choose(recording="3")
    result = generated(dashboard, loop, size=2, budget=900)
    assert isinstance(result.verdict.rule, Variability)
    assert set(result.population.current) == {0.5}
    panel.rate.value = 5
    panel.generate.click()
    loop.until(lambda: not session.generating)
    assert "judged by a percentage receive no current, and 0.5 µA/cm² is known" in dashboard.messages.text
    panel.current.value = "much"
    assert "“Known current (µA/cm²)”: give a number from -100 to 100, not" in dashboard.messages.text
    panel.current.value = ""
    assert session.settings.current is None


def test_a_silent_recording_gets_an_answer_and_no_population(dashboard, loop):
    send(dashboard, b"id,time_ms\na,10\na,20\n", "short.csv")
    loop.until(lambda: dashboard.session.posterior is not None)
    assert "silent" in dashboard.dics.says.value
    assert "no population can be made" in dashboard.population.says.value
    result = generated(dashboard, loop)
    assert not result.usable
    assert "silent" in dashboard.results.says.value


def test_cancel_keeps_what_was_found(dashboard, loop):
    opened(dashboard, loop)
    panel = dashboard.population
    panel.size.value, panel.budget.value = 200, 4000
    panel.generate.click()
    assert dashboard.session.generating
    assert dashboard.recordings.upload.disabled
    loop.until(lambda: "Simulating" in panel.says.value)
    panel.stop.click()
    loop.until(lambda: not dashboard.session.generating)
    result = dashboard.session.result
    assert result.cancelled
    words = "Cancelled; the results are below." if result.n_kept_passed else "Cancelled, and no member"
    assert words in dashboard.population.says.value
    assert not dashboard.recordings.upload.disabled


def test_what_goes_wrong_is_one_sentence_and_the_log_has_the_rest(caplog):
    messages = Messages()
    with caplog.at_level(logging.ERROR, logger="traitlets"):
        messages.guard(lambda: 1 / 0)()
    assert messages.text == f'<div role="alert">{GENERAL}</div>'
    assert "ZeroDivisionError" in caplog.text
    messages.report(SpikeTrainError("One <b>sentence</b>."))
    assert messages.text == '<div role="alert">One &lt;b&gt;sentence&lt;/b&gt;.</div>'
    messages.clear()
    messages.report(Cancelled("stopped"))
    assert not messages.text


def test_a_page_that_cannot_be_built_says_so(monkeypatch):
    from spike2pop_nb.app import dashboard

    monkeypatch.setattr(dashboard, "Dashboard", lambda: 1 / 0)
    shown = dashboard.page()
    assert GENERAL in shown.children[0].value


def test_an_error_in_background_work_reaches_the_page(dashboard, loop, monkeypatch):
    from spike2pop_nb.app.actions import predicting

    def broken(_neuron, _current):
        raise RuntimeError("secret path /etc")

    monkeypatch.setattr(predicting, "network", broken)
    dashboard.recordings.example.value = "stg_set.csv"
    loop.until(lambda: dashboard.messages.text)
    assert "secret" not in dashboard.messages.text
    loop.until(lambda: not dashboard.session.busy)


def test_curves_that_move_are_sent_alone(dashboard):
    view = dashboard.recordings.figure
    view.show(go.Figure([{"y": [1, 2]}, {"y": [3]}]), 1)
    still = view.widget._widget_data
    view.move([{"y": [4]}, {"y": [5]}])
    assert view.widget._widget_data is still
    assert [list(curve["y"]) for curve in view.widget._widget_moving] == [[4], [5]]
    assert [list(trace.y) for trace in view.shown.data] == [[1, 2], [4], [5]]
    dashboard.session.dark = True
    assert [list(curve["y"]) for curve in view.widget._widget_data] == [[1, 2]]
    view.show(go.Figure())
    assert view.widget._widget_data == view.widget._widget_moving == []


def test_no_figure_offers_to_be_uploaded(dashboard):
    view = dashboard.recordings.figure
    assert not view.widget._config["showSendToCloud"]
    assert view.widget._config["plotlyServerURL"] == ""
    assert "sendChartToCloud" in view.shown.layout.template.layout.modebar.remove


def test_figures_always_carry_the_newest_state(dashboard):
    view = dashboard.recordings.figure
    train = read_spike_trains(b"times\n1\n2\n4\n9\n", filename="a.csv")[0]
    from spike2pop_nb import plots

    drawn = view.widget._drawn
    view.show(plots.recording(train))
    assert view.widget._drawn == drawn + 1
    assert len(view.widget._widget_data) == 2
    assert "yaxis2" in view.widget._widget_layout
    view.clear()
    assert view.widget._widget_data == []
    assert "yaxis2" not in view.widget._widget_layout


def test_numbers_go_to_the_browser_as_buffers_and_all_else_as_it_is():
    from spike2pop_nb.app.figures import packed

    sent = packed(
        {
            "z": np.arange(6, dtype=np.float32).reshape(2, 3),
            "n": np.arange(3),
            "x": np.zeros(0),
            "t": ["a", None],
        }
    )
    assert sent["t"] == ["a", None]
    assert (sent["z"]["dtype"], sent["z"]["shape"]) == ("float32", (2, 3))
    np.testing.assert_array_equal(np.frombuffer(sent["z"]["buffer"], np.float32), np.arange(6))
    assert sent["n"]["dtype"] == "float64"
    np.testing.assert_array_equal(np.frombuffer(sent["n"]["buffer"]), np.arange(3))
    assert len(sent["x"]["buffer"]) == 0
    assert packed(np.array(["a", None], dtype=object)) == ["a", None]
    assert packed([np.float64(1.5), np.arange(2) > 0]) == [1.5, [False, True]]


def test_time_left_is_told_of_recordings_alone_and_never_for_one_that_takes_longer():
    assert seconds_left(0, 5, 0.0, 30.0) == 0.0
    assert seconds_left(2, 5, 20.0, 4.0) == pytest.approx(26.0)
    assert seconds_left(2, 5, 20.0, 60.0) == pytest.approx(20.0)
    assert seconds_left(4, 5, 40.0, 60.0) == 0.0


def test_no_time_left_is_said_while_members_of_one_recording_are_searched(dashboard, loop, monkeypatch):
    heard, bars = [], []
    show = dashboard.actions.on_progress["generate"]

    def hear(fraction, words):
        show(fraction, words)
        heard.append(dashboard.population.says.value)
        bars.append(fraction)

    dashboard.actions.on_progress["generate"] = hear
    opened(dashboard, loop)
    generated(dashboard, loop, size=2, budget=64)
    assert any("members" in words for words in heard)
    assert not any("left" in words for words in heard)
    assert max(bars) < 1.0


@pytest.mark.usefixtures("without_atlases")
def test_a_neuron_is_shown_with_its_source_its_rest_and_whether_it_has_a_network(dashboard):
    card = dashboard.dics.card
    assert "doi:10.1523/JNEUROSCI.18-07-02309.1998" in card.value
    assert "It spikes at 13 Hz at rest" in card.value
    assert "A network is shipped with it." in card.value
    dashboard.dics.neuron.value = "leech"
    assert "Hill, Lu, Masino, Olsen &amp; Calabrese" in card.value
    assert "<code>spike2pop atlas --neuron leech</code> changes that in minutes." in card.value


@pytest.mark.usefixtures("without_atlases")
def test_a_neuron_without_a_network_says_what_to_do_and_recordings_are_listed_all_the_same(
    dashboard, loop, monkeypatch
):
    session = opened(dashboard, loop)
    monkeypatch.setattr(predicting, "network", load_predictor)
    dashboard.dics.neuron.value = "leech"
    loop.until(lambda: session.survey is not None and session.reach is not None and not session.busy)
    assert dashboard.messages.text == ""
    assert (
        "DICs are not predicted for this neuron; Generate seeks members all the same."
        in dashboard.dics.says.value
    )
    assert "<code>spike2pop atlas --neuron leech</code> changes that" in dashboard.dics.card.value
    assert dashboard.dics.atlas.widget.layout.display == ""
    assert session.posterior is None
    assert session.reach.compensate == ("P", "H")
    assert session.survey["g_s"].isna().all()
    assert len(session.survey) == len(session.recordings)
    assert (session.survey["rate_hz"] > 0).all()
