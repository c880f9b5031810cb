"""What was found stays with what it was found for: other files, wrong files, and settings chosen since."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Source
from spike2pop_nb.data import example_path

BAD = "time_s\n" + "".join(f"{0.1 * i:.2f}\n" for i in range(6)) + "abc\n0.8\n"


def upload(widget, data, name):
    widget._receive(widget, {"kind": "start", "name": name, "size": len(data)}, [])
    widget._receive(widget, {"kind": "part"}, [memoryview(data)])
    widget._receive(widget, {"kind": "end"}, [])


def idle(dashboard, loop):
    session = dashboard.session
    loop.until(lambda: not (session.busy or session.drawing or session.generating))


def given(dashboard, loop, button):
    """What a button has the browser save."""
    sent = []
    button.send = lambda content, buffers=None: sent.append((content, buffers))
    button._receive(button, {"kind": "ask"}, [])
    loop.until(lambda: bool(sent))
    return bytes(sent[0][1][0])


@pytest.fixture
def found(dashboard, loop):
    """A page with a population for the first recording of an example."""
    dashboard.recordings.example.value = "stg_set.csv"
    loop.until(lambda: dashboard.session.posterior is not None and not dashboard.session.busy)
    dashboard.population.size.value, dashboard.population.refine.value = 2, False
    dashboard.population.budget.value = 32  # whether they fire like it does not matter here
    dashboard.population.generate.click()
    loop.until(lambda: dashboard.session.result is not None)
    idle(dashboard, loop)
    assert dashboard.session.result.usable
    return dashboard


def test_the_same_contents_are_the_same_file():
    path = example_path("stg_set.csv")
    whole = path.read_bytes()
    assert Source(path, "stg_set.csv") == Source(whole, "stg_set.csv")
    assert hash(Source(path, "a")) == hash(Source(whole, "a"))
    assert Source(whole, "a") != Source(whole, "b")
    assert Source(whole, "a") != Source(whole + b"\n", "a")


def test_members_come_back_with_their_file(found, loop):
    session, members = found.session, found.session.result
    upload(found.recordings.upload, b"time_s\n0.1\n0.2\n0.3\n0.4\n", "other.csv")
    loop.until(lambda: session.result is None and not session.busy)
    assert "Nothing has been generated yet for what is chosen above." in found.results.says.value
    assert "recording 1 of stg_set.csv" in found.results.says.value
    found.recordings.example.value = "stg_set.csv"
    loop.until(lambda: session.result is not None)
    assert session.result is members
    idle(found, loop)


def test_a_file_that_nothing_settles_changes_nothing_but_says_why(found, loop):
    session, members = found.session, found.session.result
    upload(found.recordings.upload, BAD.encode(), "bad.csv")
    loop.until(lambda: found.messages.text)
    assert "bad.csv, row 8: &#x27;abc&#x27; is text where a number should be" in found.messages.text
    assert session.refused is None
    assert session.result is members
    assert session.settings.file == "stg_set.csv"
    upload(found.recordings.upload, example_path("stg_set.csv").read_bytes(), "stg_set.csv")
    idle(found, loop)
    assert (session.result, found.messages.text) == (members, "")


def test_settings_and_sessions_are_taken_by_either_button(found, loop):
    session = found.session
    kept, whole = given(found, loop, found.toolbar.save), given(found, loop, found.toolbar.keep)
    session.choose(seed=9)
    upload(found.recordings.upload, kept, "spike2pop_settings.json")
    assert session.settings.seed == 1
    session.choose(seed=9)
    upload(found.toolbar.load, whole, "stg_set.s2p.zip")
    loop.until(lambda: session.settings.seed == 1 and not session.busy)
    assert session.result.usable
    assert found.messages.text == ""


def test_a_complaint_about_a_file_of_settings_goes_with_the_next_one(found, loop):
    upload(found.toolbar.load, b"{}", "settings.json")
    assert "not a file of settings" in found.messages.text
    upload(found.toolbar.load, Settings(file="stg_set.csv", seed=4).to_json().encode(), "settings.json")
    assert found.messages.text == ""
    assert found.session.settings.seed == 4


def test_what_was_changed_since_is_said_and_downloads_tell_what_was_done(found, loop):
    assert "Changed since" not in found.population.says.value
    found.population.seed.value = 7
    assert "Changed since: Seed. Press Generate" in found.population.says.value
    with zipfile.ZipFile(io.BytesIO(given(found, loop, found.results.downloads["nwb"]))) as archive:
        settings = json.loads(archive.read("settings.json"))
        summary = json.loads(archive.read("summary.json"))
    assert settings["seed"] == summary["options"]["seed"] == 1
    times = [0.1 * i for i in range(1, 61)]
    times[5], times[20] = times[20], times[5]
    unsorted = "time_s\n" + "".join(f"{t:.2f}\n" for t in times)
    upload(found.recordings.upload, unsorted.encode(), "unsorted.csv")
    loop.until(lambda: found.session.refused is not None)
    assert found.messages.text == ""
    found.recordings.example.value = "stg_set.csv"
    loop.until(lambda: found.session.result is not None)
    idle(found, loop)
    found.population.seed.value = 1
    assert "Changed since" not in found.population.says.value


def test_each_recording_tells_its_own_options(found, loop):
    session = found.session
    session.choose(recording="2", seed=7)
    loop.until(lambda: session.train.id == "2" and session.posterior is not None and not session.busy)
    found.population.generate.click()
    loop.until(lambda: session.result is not None)
    idle(found, loop)
    assert session.result.usable
    with zipfile.ZipFile(io.BytesIO(given(found, loop, found.results.downloads["nwb"]))) as archive:
        summary = json.loads(archive.read("summary.json"))
    assert summary["options"]["seed"] == 7
    assert [one["options"]["seed"] for one in summary["recordings"]] == [1, 7]


def test_a_session_is_saved_without_a_ranking_which_is_said(found, loop):
    session = found.session
    session.ranking = object()
    given(found, loop, found.toolbar.keep)
    idle(found, loop)
    assert "Saved without the ranking of experiments: Everything (zip)" in found.messages.text
    assert found.browser.unsaved
    session.ranking = None
    given(found, loop, found.toolbar.keep)
    idle(found, loop)
    assert not found.browser.unsaved
