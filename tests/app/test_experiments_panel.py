"""The panel Experiments: choices, what a neuron lacks, running, and what is shown, without a browser."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest

from spike2pop_nb import export
from spike2pop_nb.app.parts import Asked
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.conductances import generate_population
from spike2pop_nb.experiments import run_experiment
from spike2pop_nb.fidelity import find_population
from spike2pop_nb.spiketrains import Recordings


class Here:
    """A posterior that is one point, of tonic members."""

    def sample(self, n, seed=0):
        import numpy as np

        return np.tile([5.0, 5.0], (n, 1))


@pytest.fixture(scope="module")
def tonic():
    """A result of tonic members, found once."""
    from spike2pop_nb.simulation import simulate
    from spike2pop_nb.spiketrains import SpikeTrain

    member = generate_population("stg", (5.0, 5.0), size=1, seed=5)
    train = SpikeTrain("1", simulate(member, record="spikes").spike_times_ms[0])
    return find_population(train, "stg", Here(), size=8, seed=1, refine=False)


@pytest.fixture
def asking(dashboard, loop, tonic):
    """The page with a population of tonic members, and the panel open."""
    session = dashboard.session
    dashboard.recordings.example.value = "stg_set.csv"
    loop.until(lambda: session.survey is not None and session.reach is not None and not session.busy)
    found = replace(tonic, recording=session.train)  # as if it had been found for this one
    session.results = {session.key(session.train): found}
    session.result = found
    dashboard.experiments.fold.opened = True
    loop.until(lambda: not session.drawing)
    return dashboard


def run(dashboard, loop):
    session = dashboard.session
    before = session.experiment
    dashboard.experiments.run.click()
    assert session.experimenting
    loop.until(lambda: session.experiment is not before and not (session.drawing or session.experimenting))
    return session.experiment


def test_nothing_is_built_or_asked_before_there_is_a_population(dashboard):
    panel = dashboard.experiments
    assert not panel.fold.body.children
    panel.fold.opened = True
    assert panel.run.disabled
    assert "Generate a population first" in panel.whom.value
    assert panel.widget.children[0].value.count("5")


def test_an_experiment_is_shown_in_all_figures_and_goes_into_the_files(asking, loop, monkeypatch):
    panel, session = asking.experiments, asking.session
    panel.range.value, panel.n.value = (0.25, 0.75), 3
    assert session.settings.ask == Asked(range=(0.25, 0.75), n=3)
    assert "0.25, 0.5, 0.75" in panel.doses.value
    assert "8 members" in panel.whom.value
    found = run(asking, loop)
    assert found.conditions == ("control", "0.25", "0.5", "0.75")
    assert "Half of the members" in panel.found.value
    assert [label for label, _ in panel.shown.options] == ["0.25", "0.5", "0.75"]
    kept = int(found.kept(panel.shown.value).sum())
    assert f"{kept} of 8 keep their rhythm" in panel.who.value
    for name in ("doses", "ranking", "conductances", "raster"):
        assert panel.sides[name].shown.data, name
    assert panel._curves.layout.display == "none"
    assert len(panel.traces.shown.data) == 12  # six members, before and after
    panel.next.click()
    assert len(panel.traces.shown.data) == 4
    panel.shown.value = "0.75"
    loop.until(lambda: not session.drawing)
    assert "At 0.75" in panel.who.value
    session.member = 0
    assert panel.page == 0
    figures = [panel.traces, *panel.sides.values(), panel.choosing.bars, panel.choosing.answers]
    assert all(figure.widget._member == 0 for figure in figures)
    given = []
    monkeypatch.setattr(
        export, "results_zip", lambda _results, _options, experiments, **_: given.append(experiments) or b""
    )
    asking.actions.download("everything", asking.results.downloads["everything"])
    loop.until(lambda: given)
    assert given[0]["1"] == [found]


def test_currents_have_curves_and_an_experiment_before_is_kept(asking, loop):
    panel, session = asking.experiments, asking.session
    panel.n.value = 2
    run(asking, loop)
    panel.kind.value = "current"
    assert session.settings.ask.range is None
    assert panel.range.value == (-2.0, 6.0)
    run(asking, loop)
    assert panel._curves.layout.display == ""
    assert len(panel.sides["f_I"].shown.data) == 9
    done = session.experiments[session.key(session.train)]
    assert list(done) == ["share of A blocked", "current (µA/cm²)"]
    assert ["V_mV" in one.data for one in done.values()] == [False, True]


def test_what_the_neuron_lacks_is_said_beside_the_control_before_anything_is_run(asking, loop):
    panel = asking.experiments
    panel.kind.value = "temperature"
    assert "does not state at which temperature it holds" in panel.lacks.value
    assert panel.run.disabled
    assert panel._of_warmth.layout.display == ""
    for name, value in (("rate_q10", "2.5"), ("conductance_q10", "1.5"), ("declared_C", "11")):
        panel.q10s[name].value = value
    assert panel.lacks.value == ""
    assert not panel.run.disabled
    panel.q10s["rate_q10"].value = "warm"
    assert "“Q10 of gates”: give a number from 0.1 to 20, not &#x27;warm&#x27;." in asking.messages.text
    assert panel.q10s["rate_q10"].value == "2.5"
    panel.n.value = 1
    assert run(asking, loop).doses.what == "temperature (°C)"


def test_a_stopped_experiment_leaves_the_page_as_it_was(asking, loop, monkeypatch):
    panel, session = asking.experiments, asking.session
    panel.run.click()
    panel.stop.click()
    loop.until(lambda: not session.experimenting)
    assert session.experiment is None
    assert not asking.messages.text
    assert not panel.run.disabled


def test_choices_are_in_the_address_undone_and_restored(asking, loop):
    session = asking.session
    asking.experiments.channel.value = "H"
    assert "ask.channel=H" in asking.browser.fragment
    asking.toolbar.undo.click()
    assert session.settings.ask.channel is None
    assert asking.experiments.channel.value == "A"
    asking.actions.apply(Settings(file=session.settings.file, ask=Asked(kind="potassium", n=4)))
    assert asking.experiments.kind.value == "potassium"
    assert asking.experiments.n.value == 4


def test_a_new_search_forgets_what_was_asked_of_the_population_before(asking, loop):
    session = asking.session
    asking.experiments.n.value = 1
    run(asking, loop)
    session.choose(size=2, budget=4, refine=False)
    asking.population.generate.click()
    loop.until(lambda: not (session.generating or session.drawing))
    assert session.experiments == {}
    assert session.experiment is None


def test_a_session_that_is_opened_again_has_its_experiments(asking, loop):
    panel, session = asking.experiments, asking.session
    panel.n.value = 1
    found = run(asking, loop)
    button, given = asking.toolbar.keep, []
    button.give = lambda *made: given.append(made)
    asking.actions.save(button)
    loop.until(lambda: given)
    session.experiment, session.experiments, session.results = None, {}, {}
    session.result = None
    asking.actions.reopen(given[0][0], "mine.s2p.zip")
    loop.until(lambda: session.experiment is not None and not (session.busy or session.drawing), 60)
    assert session.experiment is not found
    assert session.experiment.kept("0.9").tolist() == found.kept("0.9").tolist()
    assert "half" in panel.found.value.lower()


def test_experiments_are_ranked_and_say_why(asking, loop):
    part, session = asking.experiments.choosing, asking.session
    assert not part.run.disabled
    assert part.target.value == "conductances"
    assert part.prices["block"].value == 10
    for name in ("block", "pulses", "buffer", "potassium"):
        part.prices[name].value = 0.0
    part.target.value = "conductance:A"
    part.by.value = "bits_per_price"
    assert session.settings.ask.target == "conductance:A"
    assert session.settings.ask.prices == dict.fromkeys(("block", "pulses", "buffer", "potassium"), 0.0)
    part.run.click()
    assert session.ranks
    assert part.run.disabled
    loop.until(lambda: session.ranking is not None and not (session.drawing or session.ranks))
    assert {one.kind for one in session.ranking.experiments} == {"current"}
    assert "the conductance of A" in part.found.value
    assert len(part.bars.shown.data) == 1
    assert part.answers.shown.data
    again = Settings.from_fragment(session.settings.to_fragment())
    assert again.ask == session.settings.ask
    assert part.done.value == session.ranking.experiments[0].name
    n = len(session.result.population)
    # a member's own answer, as the cell's
    protocol = next(one.protocol for one in session.ranking.experiments if one.name == part.done.value)
    cell = run_experiment(session.result.population.select([2]), {"done": protocol}, duration_ms=3000)
    recorded = replace(cell.train("done", 0), id="after")
    session.recordings = Recordings([*session.recordings, recorded], session.recordings.report)
    part.recording.value = "after"
    part.narrow.click()
    assert part.narrow.disabled
    loop.until(lambda: session.narrowed is not None and not session.ranks, 60)
    assert len(session.narrowed.population) <= n
    assert "it told" in part.left.value
    given = []
    button = asking.results.downloads["everything"]
    button.give = lambda *made: given.append(made)
    asking.actions.download("everything", button)
    loop.until(lambda: given, 120)
    with ZipFile(BytesIO(given[0][0])) as archive:
        names = set(archive.namelist())
        told = archive.read("README.txt").decode()
    assert {"next/experiments.csv", "next/summary.json", "narrowed/population.csv"} <= names
    assert "Which experiment would tell the most" in told
    left = asking.actions.left()
    assert left is session.narrowed.population
    part.all.click()
    assert len(asking.actions.left()) == n
    session.result = None
    assert session.ranking is None
    assert part.run.disabled
