"""A posterior on the page: it waits for a population, can be cancelled, and is put away with it."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from zipfile import ZipFile

import pytest

from spike2pop_nb import example_path, fidelity, read_spike_trains
from spike2pop_nb.app.panels.posterior import PosteriorPanel
from spike2pop_nb.export import open_session
from spike2pop_nb.fidelity import DrawnPosterior

few = partial(fidelity.sample_posterior, size=8, budget=1024)


@pytest.fixture(scope="module")
def drawn() -> DrawnPosterior:
    """A posterior of the first recording, for tests of what becomes of it."""
    return few(read_spike_trains(example_path("stg_set.csv"))[0], "stg")


@pytest.fixture
def panel(dashboard, loop, monkeypatch) -> PosteriorPanel:
    monkeypatch.setattr(fidelity, "sample_posterior", few)
    dashboard.results.posterior.widget.opened = True
    return dashboard.results.posterior


def _generate(dashboard, loop) -> None:
    dashboard.recordings.example.value = "stg_set.csv"
    loop.until(lambda: dashboard.session.posterior is not None and not dashboard.session.busy)
    dashboard.session.choose(size=1)
    dashboard.population.generate.click()
    loop.until(lambda: dashboard.session.result is not None and not dashboard.session.generating)


def test_it_waits_for_a_population(panel) -> None:
    assert panel.run.disabled
    assert "Generate a population for this recording first" in panel.says.value


def test_it_is_drawn_cancelled_and_put_away(panel, dashboard, loop) -> None:
    _generate(dashboard, loop)
    assert not panel.run.disabled
    panel.run.click()
    assert dashboard.session.busy == "Drawing a posterior…", "the head of the page does not say Ready"
    panel.stop.click()
    loop.until(lambda: not panel.run.disabled)
    assert "posterior" not in dashboard.session.busy
    assert panel.found is None
    assert "Cancelled" in panel.says.value
    panel.run.click()
    loop.until(lambda: panel.found is not None)
    assert "drawn from the posterior of recording" in panel.answer.value
    assert "<td>CaT</td>" in panel.table.value
    assert panel.figure.shown.data
    assert not panel.save.disabled
    sent = []
    panel.save.give = lambda *file: sent.append(file)
    panel._give()
    loop.until(lambda: bool(sent))
    assert sent[0][1] == "spike2pop_posterior.zip"
    found = panel.found
    dashboard.session.choose(neuron="da")
    assert panel.found is None
    dashboard.session.choose(neuron="stg")
    loop.until(lambda: dashboard.session.result is not None)
    assert panel.found is found, "what took a minute is there when its population is looked at again"


def test_it_is_in_the_file_of_a_session_and_with_those_of_other_recordings_in_the_zip_of_everything(
    panel, dashboard, loop, drawn, monkeypatch
) -> None:
    monkeypatch.setattr(fidelity, "sample_posterior", lambda *_, **__: drawn)
    _generate(dashboard, loop)
    panel.run.click()
    loop.until(lambda: panel.found is not None)
    session, keep = dashboard.session, dashboard.toolbar.keep
    given = []
    keep.give = lambda *file: given.append(file[0])

    def gives(start) -> bytes:
        before = len(given)
        start()
        loop.until(lambda: len(given) > before)
        return given[-1]

    def everything() -> set[str]:
        return set(ZipFile(BytesIO(gives(lambda: dashboard.actions.download("everything", keep)))).namelist())

    saved = gives(lambda: dashboard.actions.save(keep))
    (drawn,) = open_session(saved, predict=lambda *_: None).posteriors
    assert drawn.describe() == panel.found.describe()
    assert "posterior/posterior.csv" in everything()
    other = session.recordings[1]
    session.posteriors = {**session.posteriors, session.key(other): panel.found}
    assert {"posterior/01/posterior.csv", "posterior/02/posterior.csv"} <= everything()
