"""Before and after on the page: choices, the work in the background, what came of it."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from spike2pop_nb.app.panels.comparing import ComparisonPanel
from spike2pop_nb.app.settings import Settings


@pytest.fixture
def panel(dashboard, loop) -> ComparisonPanel:
    dashboard.recordings.example.value = "stg_set.csv"
    loop.until(lambda: dashboard.session.recordings is not None and not dashboard.session.busy)
    dashboard.comparison.fold.opened = True
    return dashboard.comparison


def test_it_is_built_when_it_is_opened(dashboard) -> None:
    assert not dashboard.comparison.fold.body.children
    dashboard.comparison.fold.opened = True
    assert dashboard.comparison.run.disabled
    assert "Load recordings of one cell" in dashboard.comparison.says.value


def test_two_recordings_are_offered_and_must_differ(panel) -> None:
    assert (panel.before.value, panel.after.value) == ("1", "2")
    assert not panel.run.disabled
    panel.after.value = "1"
    assert panel.run.disabled


def test_what_changed_is_shown(panel, loop) -> None:
    assert panel.known.label == "nothing"
    panel.before.value, panel.after.value, panel.size.value = "3", "4", 0
    panel.run.click()
    assert not panel.stop.disabled
    loop.until(lambda: panel.found is not None)
    assert panel.run.disabled is False
    assert panel.answer.value.startswith("<p class='s2p-big'>3 to 4: ")
    assert panel.bars.shown.data
    assert panel.found.pairs is None
    panel.session.choose(neuron="da")  # what was found is of another neuron
    assert panel.found is None
    assert "ERG" in [value for _name, value in panel.known.options]
    assert panel.known.label == "nothing"


def test_what_is_chosen_is_a_setting_and_comes_back(panel, dashboard, loop) -> None:
    panel.before.value, panel.after.value, panel.size.value, panel.known.value = "3", "4", 0, "A"
    chosen = panel.session.settings
    assert (chosen.compare.before, chosen.compare.after, chosen.compare.known) == ("3", "4", "A")
    again = Settings.from_fragment(chosen.to_fragment())
    assert again.compare == chosen.compare
    dashboard.session.settings = chosen.changed(compare={})
    assert (panel.before.value, panel.after.value, panel.known.value) == ("1", "2", "")
    dashboard.session.settings = again
    assert (panel.before.value, panel.after.value, panel.known.value) == ("3", "4", "A")
    assert panel.size.value == 0


def test_it_can_be_taken_away(panel, loop) -> None:
    panel.before.value, panel.after.value, panel.size.value = "3", "4", 0
    assert panel.download.disabled
    panel.run.click()
    loop.until(lambda: panel.found is not None)
    assert panel.session.comparison is panel.found
    given: list[tuple[bytes, str, str]] = []
    panel.download.give = lambda *made: given.append(made)
    panel.download._receive(None, {"kind": "ask"}, [])
    with ZipFile(BytesIO(given[0][0])) as archive:
        assert set(archive.namelist()) == {"changes.csv", "methods.md", "summary.json", "README.txt"}
        described = archive.read("README.txt").decode()
        assert "low (see unit): lower end of the 80 % interval" in described


def test_files_tell_of_the_comparison_that_was_made_not_of_what_was_chosen_since(panel, loop) -> None:
    panel.before.value, panel.after.value, panel.size.value = "3", "4", 0
    panel.run.click()
    panel.after.value = "5"  # while it goes on
    loop.until(lambda: panel.found is not None)
    panel.known.value = "A"
    given: list[tuple[bytes, str, str]] = []
    panel.download.give = lambda *made: given.append(made)
    panel.download._receive(None, {"kind": "ask"}, [])
    with ZipFile(BytesIO(given[0][0])) as archive:
        options = json.loads(archive.read("summary.json"))["options"]
    assert (options["before"], options["after"], options["known"]) == ("3", "4", None)
    assert options["seed"] == 1


def test_members_are_shown_before_and_after(panel, loop) -> None:
    panel.before.value, panel.after.value, panel.size.value = "3", "4", 4
    panel.run.click()
    loop.until(lambda: panel.found is not None)
    assert len(panel.found.pairs.table) <= 4
    assert panel.plane.shown.data
    assert panel.traces.shown.data


def test_a_comparison_can_be_cancelled(panel, loop) -> None:
    panel.before.value, panel.after.value, panel.size.value = "3", "4", 48
    panel.run.click()
    panel.stop.click()
    loop.until(lambda: not panel.run.disabled)
    assert panel.found is None
    assert "Cancelled" in panel.says.value
    assert not panel.messages.text


def test_a_block_that_is_known_is_passed_on(panel, loop) -> None:
    panel.before.value, panel.after.value, panel.size.value = "3", "4", 0
    panel.known.value = "A"
    panel.share.value = 0.25
    panel.run.click()
    loop.until(lambda: not panel.run.disabled)
    assert panel.found is not None
    assert panel.found.known.label == "A −25 %"


def test_what_cannot_be_compared_is_one_sentence(panel, loop) -> None:
    panel.before.value, panel.after.value = "3", "4"
    panel.known.value, panel.share.value = "leak", 1.0
    panel.run.click()
    loop.until(lambda: not panel.run.disabled)
    assert "leak" in panel.messages.text
    assert panel.found is None
