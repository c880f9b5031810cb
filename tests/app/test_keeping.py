"""A session that is saved on the page and opened again."""

from __future__ import annotations

import zipfile
from io import BytesIO

import numpy as np
import pytest

import spike2pop_nb as s2p
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export import session_zip


def upload(dashboard, data, name):
    widget = dashboard.recordings.upload
    widget._receive(widget, {"kind": "start", "name": name, "size": len(data)}, [])
    widget._receive(widget, {"kind": "part"}, [memoryview(data)])
    widget._receive(widget, {"kind": "end"}, [])


def idle(dashboard, loop):
    session = dashboard.session
    loop.until(lambda: session.posterior is not None and not (session.busy or session.drawing))


def saved(dashboard, loop):
    """What the button has the browser save."""
    sent, keep = [], dashboard.toolbar.keep
    keep.send = lambda content, buffers=None: sent.append((content, buffers))
    keep._receive(keep, {"kind": "ask"}, [])
    loop.until(lambda: bool(sent))
    return sent[0]


@pytest.fixture
def anew(loop, network):
    """Another page."""
    from spike2pop_nb.app import Dashboard

    made = Dashboard(dispatch=loop)
    made.browser._receive(made.browser, {"kind": "start", "fragment": ""}, [])
    loop.until(lambda: made.session.reach is not None and not made.session.busy)
    return made


@pytest.fixture(scope="module")
def result():
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    return s2p.find_population(train, "stg", size=2, seed=1, refine=False)


def test_a_session_is_saved_and_opened_without_a_search(dashboard, loop, anew):
    assert dashboard.toolbar.keep.disabled, "there is nothing to save yet"
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    upload(dashboard, b"cell,time_ms\n" + b"".join(b"7,%.3f\n" % t for t in train.times_ms), "mine.csv")
    idle(dashboard, loop)
    session = dashboard.session
    session.choose(size=2, refine=False, start_s=float(train.times_ms[3] / 1000), rate_tolerance=0.3)
    idle(dashboard, loop)
    dashboard.population.generate.click()
    loop.until(lambda: session.result is not None and not session.generating)
    idle(dashboard, loop)
    assert dashboard.browser.unsaved
    told, (data,) = saved(dashboard, loop)
    assert told["name"] == "mine.s2p.zip"
    assert not dashboard.browser.unsaved
    anew.actions.generate = None
    upload(anew, data, told["name"])
    loop.until(lambda: anew.session.result is not None)
    idle(anew, loop)
    then, now = session.result, anew.session.result
    assert anew.session.settings == session.settings
    assert anew.session.train.id == session.train.id == "7"
    np.testing.assert_array_equal(now.population.g, then.population.g)
    assert now.verdict.table["passed"].tolist() == then.verdict.table["passed"].tolist()
    assert now.outcome == then.outcome
    assert not anew.browser.unsaved
    assert not anew.messages.text
    assert "of the 2 members" in anew.results.says.value
    assert not anew.results.downloads["everything"].disabled
    anew.toolbar.undo.click()
    assert (anew.session.settings.size, anew.session.settings.file) == (16, "mine.csv"), (
        "what is open goes on"
    )


def test_what_python_saved_is_opened(dashboard, loop, result):
    upload(dashboard, session_zip([result]), "python.s2p.zip")
    loop.until(lambda: dashboard.session.result is not None)
    assert (dashboard.session.settings.file, dashboard.session.train.id) == ("recordings.csv", "3")
    np.testing.assert_array_equal(dashboard.session.result.population.g, result.population.g)


def test_settings_alone_are_a_session_too(dashboard, loop):
    upload(dashboard, session_zip([], settings=Settings(seed=7).to_json()), "seven.s2p.zip")
    loop.until(lambda: dashboard.session.settings.seed == 7)


def test_recordings_that_are_read_otherwise_now_are_named(dashboard, loop, result):
    upload(dashboard, session_zip([result], file=("other.csv", b"time_ms\n1\n4\n6\n")), "other.s2p.zip")
    loop.until(lambda: bool(dashboard.messages.text))
    assert "The recordings 3 are read otherwise" in dashboard.messages.text
    assert dashboard.session.result is None


def test_damaged_sessions_get_one_sentence_and_what_was_there_stays(dashboard, loop, result):
    dashboard.recordings.example.value = "stg_set.csv"
    idle(dashboard, loop)
    before = dashboard.session.settings
    whole = session_zip([result], settings='{"no": 1}')
    for data in (whole[:-300], whole):
        dashboard.messages.clear()
        upload(dashboard, data, "broken.s2p.zip")
        loop.until(lambda: bool(dashboard.messages.text))
        assert dashboard.session.settings == before
        assert "inside the program" not in dashboard.messages.text


def test_the_file_holds_no_pickle(dashboard, loop):
    dashboard.recordings.example.value = "stg_set.csv"
    idle(dashboard, loop)
    _told, (data,) = saved(dashboard, loop)
    names = zipfile.ZipFile(BytesIO(data)).namelist()
    assert names == ["spike2pop_session.json", "recordings"]


def test_nothing_is_saved_before_there_is_anything(dashboard):
    with pytest.raises(Spike2PopError, match="nothing to save"):
        dashboard.actions.save(dashboard.toolbar.keep)
