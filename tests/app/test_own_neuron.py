"""A neuron of the user's own, added on the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from spike2pop_nb.app.local import OWN_NEURONS, SHARED, is_loopback
from spike2pop_nb.errors import NeuronModelError, Spike2PopError
from spike2pop_nb.neurons import registry

EXAMPLE = Path(__file__).parents[2] / "notebooks" / "my_neuron.py"


@pytest.fixture(autouse=True)
def folder(own_neurons, monkeypatch):
    """A user with no neurons of their own, at a page of their own machine."""
    monkeypatch.setenv(OWN_NEURONS, "1")
    return own_neurons


def give(dashboard, data, name="mine.py"):
    upload = dashboard.dics.own.upload
    upload._receive(upload, {"kind": "start", "name": name, "size": len(data)}, [])
    upload._receive(upload, {"kind": "part"}, [memoryview(data)])
    upload._receive(upload, {"kind": "end"}, [])


def listed(dashboard):
    return [name for _title, name in dashboard.dics.neuron.options]


def test_a_neuron_is_checked_added_and_listed_at_once(dashboard, loop, folder):
    panel, session = dashboard.dics, dashboard.session
    assert "is run on this computer" in panel.own.widget.body.children[0].children[-1].value
    before = session.settings
    give(dashboard, EXAMPLE.read_bytes())
    loop.until(lambda: bool(panel.own.says.value) or bool(dashboard.messages.text))
    assert not dashboard.messages.text
    assert "my_ca1" in listed(dashboard)
    assert "have a threshold" in panel.own.says.value
    assert (folder / "my_ca1.py").read_bytes() == EXAMPLE.read_bytes()
    assert session.settings == before, "it is there to be chosen"
    panel.neuron.value = "my_ca1"
    loop.until(lambda: session.reach is not None and not session.busy)
    assert session.neuron.name == "my_ca1"
    give(dashboard, EXAMPLE.read_bytes())
    loop.until(lambda: bool(dashboard.messages.text))
    assert "is the one that is chosen" in dashboard.messages.text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"def", "mine.py, line 1: it is not valid Python"),
        (b"x = 1", "mine.py must define exactly one NeuronModel"),
        (b"raise ValueError('<b>no</b>')", "mine.py, line 1: it stops with ValueError"),
        (b"import sys; sys.exit()", "mine.py, line 1: it stops with SystemExit"),
        (b"\xff\xfe", "mine.py"),
        (EXAMPLE.read_bytes().replace(b'name="my_ca1"', b'name="stg"'), "'stg'"),
    ],
)
def test_a_file_that_cannot_be_used_gets_one_sentence_and_nothing_is_kept(
    dashboard, loop, folder, text, sentence
):
    before = listed(dashboard)
    give(dashboard, text)
    loop.until(lambda: bool(dashboard.messages.text) and not dashboard.session.busy)
    assert sentence in dashboard.messages.text.replace("&#x27;", "'")
    assert "<b>" not in dashboard.messages.text
    assert listed(dashboard) == before
    assert not folder.exists()


def test_nothing_is_run_unless_the_server_was_told_so(dashboard, loop, monkeypatch, tmp_path):
    from spike2pop_nb.app import Dashboard

    monkeypatch.delenv(OWN_NEURONS)
    mark = tmp_path / "ran"
    far = Dashboard(dispatch=loop)
    assert far.dics.own.widget.layout.display == "none"
    with pytest.raises(NeuronModelError, match="This page runs no Python"):
        far.actions.add_neuron(f"open({str(mark)!r}, 'w')".encode(), "mine.py", lambda _answer: None)
    give(far, f"open({str(mark)!r}, 'w')".encode())
    assert "This page runs no Python" in far.messages.text
    assert not mark.exists()
    far.browser._receive(far.browser, {"kind": "start", "fragment": ""}, [])
    assert far.dics.own.upload.disabled


def test_where_others_use_the_server_the_page_says_why_not(loop, monkeypatch):
    from spike2pop_nb.app import Dashboard

    monkeypatch.delenv(OWN_NEURONS)
    monkeypatch.setenv(SHARED, "1")
    fold = Dashboard(dispatch=loop).dics.own.widget
    assert fold.layout.display != "none"
    (says,) = fold.body.children
    assert "A declaration of a neuron is Python" in says.value
    assert "spike2pop models add FILE" in says.value


def test_a_page_that_was_made_before_lists_what_was_added_since(loop, network, folder):
    from spike2pop_nb.app import Dashboard

    made = Dashboard(dispatch=loop)
    assert "my_ca1" not in listed(made)
    folder.mkdir()
    (folder / "my_ca1.py").write_bytes(EXAMPLE.read_bytes())
    made.browser._receive(made.browser, {"kind": "start", "fragment": "neuron=my_ca1"}, [])
    assert "my_ca1" in listed(made)
    assert made.session.settings.neuron == made.dics.neuron.value == "my_ca1"
    registry.look_again()
    assert registry.broken_neurons() == {}


def test_other_machines_never_run_python_here():
    from spike2pop_nb.app.serve import serve

    with pytest.raises(Spike2PopError, match=r"Other machines reach 0\.0\.0\.0"):
        serve(0, open_browser=False, host="0.0.0.0", own_neurons=True)
    with pytest.raises(Spike2PopError, match=r"Other machines reach lab\.example\.org"):
        serve(0, open_browser=False, names=["lab.example.org"], own_neurons=True)


def test_loopback_is_this_machine():
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.8.0.1")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "192.168.1.7", "::", "example.org", "")] == [False] * 5
