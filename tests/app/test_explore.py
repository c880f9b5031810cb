"""The explorer: lazy, follows the target, ranks, maps, modulates, and says what cannot be."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import numpy as np
import pytest

from spike2pop_nb import plots
from spike2pop_nb.app.exploration import MEMBERS
from spike2pop_nb.app.panels import toolbar
from spike2pop_nb.app.settings import Explored, Settings
from spike2pop_nb.conductances import dics, generate_population
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.spiketrains import SpikeTrain


def settled(loop, explore):
    state = explore.state
    loop.until(
        lambda: state.simulated is not None and state.map is not None and not (state.working or state.mapping)
    )


@pytest.fixture
def opened(dashboard, loop, gaussian):
    """The explorer, opened on a posterior of the mean (-5, 4); before that it holds and computes nothing."""
    explore = dashboard.explore
    assert explore.fold.body.children == ()
    assert (explore.state.population, explore.state.map, explore.state.ranking) == (None, None, None)
    dashboard.session.posterior = gaussian(SpikeTrain("r", np.array([0.0, 10.0, 20.0, 110.0, 120.0])))
    dashboard.explore.fold.opened = True
    loop.until(lambda: dashboard.explore.state.ranking is not None)
    settled(loop, dashboard.explore)
    return dashboard.explore


@pytest.fixture
def found_result():
    """What makes a result of six members at some DICs, the first five of which passed."""

    def make(pair, dics):
        from spike2pop_nb.fidelity.result import Result

        train = SpikeTrain("r", np.array([0.0, 10.0, 20.0, 110.0, 120.0]))
        population = generate_population("stg", dics, 6, pair, seed=3)
        table = population.table[["id", "member"]].assign(
            passed=[True] * 5 + [False], score=0.9, reasons="", pattern="spiking", rate_hz=10.0
        )
        rule = SimpleNamespace(describe=lambda: "As a test judges.")
        verdict = SimpleNamespace(table=table, passed=table["passed"].to_numpy(), rule=rule, best=0)
        return Result(
            train,
            population.neuron,
            None,
            True,
            "Found.",
            5,
            population,
            verdict=verdict,
            n_tried=6,
            n_passed=5,
        )

    return make


def test_it_opens_on_the_recording(opened):
    state = opened.state
    assert state.target == (-5.0, 4.0)
    assert (opened.g_s.value, opened.g_u.value) == (-5.0, 4.0)
    assert opened.plane.widget._point == [-5.0, 4.0]
    assert state.pair == opened.session.pair
    assert opened.pair.value == state.pair
    np.testing.assert_allclose(state.population.table[["g_s", "g_u"]], [[-5.0, 4.0]] * MEMBERS, atol=1e-5)
    assert len(opened.traces.shown.data) == MEMBERS
    assert "comes first" in opened.ranking.value
    assert "published heuristic" in opened.ranking.value
    assert opened.ranking.value.count("<tr>") == len(state.ranking) + 2
    assert opened.plane.shown.data[0].type == "heatmap"
    assert opened.messages.text == ""


def test_the_dragged_point_takes_the_members_along(opened, loop):
    widget = opened.plane.widget
    for told, x in enumerate((0.0, 1.0, 2.0), start=1):
        opened.plane._receive(widget, {"kind": "point", "x": x, "y": 6.0, "told": told}, [])
    settled(loop, opened)
    assert opened.g_s.value == 2.0
    assert widget._point_heard == 3
    np.testing.assert_allclose(
        opened.state.population.table[["g_s", "g_u"]], [[2.0, 6.0]] * MEMBERS, atol=1e-5
    )
    opened.plane._receive(widget, {"kind": "point", "x": float("nan"), "y": 6.0, "told": 1}, [])
    opened.plane._receive(widget, {"kind": "point"}, [])
    assert opened.state.target == (2.0, 6.0)
    opened.g_u.value = 8.0
    settled(loop, opened)
    assert opened.plane.widget._point == [2.0, 8.0]


def test_the_newest_target_counts_alone(opened, loop):
    seen = []
    opened.state.observe(lambda change: seen.append(change["new"]), "simulated")
    for g_s in np.linspace(-4, 4, 12):
        opened.explorer.set_target(float(g_s), 5.0)
    loop.until(lambda: opened.state.target == (4.0, 5.0) and not opened.state.working)
    settled(loop, opened)
    whole = [made for made in seen if made is not None]
    assert len(whole) < 12
    assert opened.state.population.table["g_s"].iloc[0] == pytest.approx(4.0, abs=1e-5)


def test_knobs_change_the_members_and_can_be_taken_back(opened, loop):
    neuron = opened.session.neuron
    opened.V_th.value = neuron.V_th_mV + 1.0
    settled(loop, opened)
    g = opened.state.population.g
    np.testing.assert_allclose(dics(neuron, g, neuron.V_th_mV + 1.0)[:, 1:], [[-5, 4]] * MEMBERS, atol=1e-5)
    opened.sliders["Kd"].value = (100.0, 100.0)
    settled(loop, opened)
    assert opened.state.ranges == {"Kd": (100.0, 100.0)}
    per_leak = opened.state.population.table["g_Kd"] / opened.state.population.table["g_leak"]
    assert np.ptp(per_leak) < 1e-6
    opened.restore.click()
    settled(loop, opened)
    assert opened.state.ranges == {}
    assert opened.V_th.value == neuron.V_th_mV
    assert get_neuron(neuron.name) is neuron
    opened.sliders["leak"].value = (0.0, 0.0)
    assert "leak must begin above 0" in opened.messages.text


def test_members_are_simulated_with_noise_that_is_asked_for(opened, loop):
    still = opened.state.simulated
    assert not still.noise_sigma.any()
    opened.noise.value = 3.0
    settled(loop, opened)
    noisy = opened.state.simulated
    assert (noisy.noise_sigma == 3.0).all()
    assert any(
        len(one) != len(other) or not np.allclose(one, other)
        for one, other in zip(still.spike_times_ms, noisy.spike_times_ms, strict=True)
    )
    assert opened.session.settings.to_fragment() == "explore.noise_sigma=3.0"
    opened.noise.value = -1.0
    assert "“Noise σ (µA/cm²)”: give a number from 0 to 100, not -1." in opened.messages.text
    assert opened.noise.value == 3.0


def test_another_pair_is_explored_and_then_used(opened, loop):
    other = next(value for _label, value in opened.pair.options if set(value) == {"A", "H"})
    before = opened.session.settings.compensate
    opened.pair.value = other
    settled(loop, opened)
    assert opened.state.map.compensate == other
    assert opened.session.settings.compensate == before
    opened.use.click()
    loop.until(lambda: opened.session.pair == other and not opened.session.busy)


def test_firing_patterns_are_mapped_on_demand_and_sharpen(opened, loop, monkeypatch):
    from spike2pop_nb import fidelity

    whole = fidelity.pattern_map
    monkeypatch.setattr(
        fidelity, "pattern_map", lambda n, p, **more: whole(n, p, n_grid=11, members=1, **more)
    )
    sizes = []
    opened.state.observe(lambda change: sizes.append(len(change["new"].g_s)), "map")
    opened.layer.value = "pattern"
    loop.until(lambda: sizes[-1:] == [11] and not opened.state.mapping)
    assert sizes[:2] == [6, 11]
    assert "fire, at this recording" in opened.says.value
    assert "bursting" in [trace.name for trace in opened.plane.shown.data]
    opened.layer.value = "rate"
    loop.until(lambda: opened.plane.shown.data[0].name == plots.LAYERS["rate"])
    opened.layer.value = "condition"
    loop.until(lambda: opened.plane.shown.data[0].name == plots.LAYERS["condition"])


def test_members_are_modulated_and_watched_step_by_step(opened, loop, monkeypatch):
    panel = opened.modulation
    panel.g_s.value, panel.g_u.value = 6.0, 5.0
    panel.start.click()
    loop.until(lambda: opened.state.modulated is not None)
    path = opened.state.modulated.path
    assert path.to == (6.0, 5.0)
    assert "members get to g_s 6.00" in panel.says.value
    assert not panel.step.disabled
    assert panel.step.max == path.steps
    drawn = panel.course.widget._drawn
    still = [opened.plane.widget._widget_data, panel.ways.widget._widget_data]
    panel.step.value = 10
    assert panel.course.widget._drawn == drawn + 1
    # the map and the ways are not sent again
    assert opened.plane.widget._widget_data is still[0]
    assert panel.ways.widget._widget_data is still[1]
    assert [curve["name"] for curve in opened.plane.widget._widget_moving] == ["members"]
    assert panel.course.shown.layout.shapes[1].x0 == pytest.approx(
        0.25 * panel.course.shown.layout.shapes[0].x1
    )
    assert "Step 10 of 40" in panel.where.value
    np.testing.assert_allclose(
        panel.ways.shown.data[-1].x, path.g[:, 10, path.neuron.index(path.compensate[0])]
    )
    assert "members" in [trace.name for trace in opened.plane.shown.data]

    async def played():
        panel.play.click()
        assert panel.play.description == "Pause"
        while panel.play.description == "Pause":
            await asyncio.sleep(0.01)

    monkeypatch.setattr("spike2pop_nb.app.panels.modulate._STEP_S", 0.0)
    panel.step.value = 35
    asyncio.run(played())
    assert panel.step.value == path.steps
    opened.explorer.set_target(-4.0, 4.0)
    assert opened.state.modulated is None
    assert panel.step.disabled


def test_each_layer_of_the_same_map_is_drawn(opened, loop):
    found = opened.state.map
    for layer in ("condition", "residual", "reached"):
        opened.layer.value = layer
        assert opened.plane.shown.data[0].name == plots.LAYERS[layer]
    settled(loop, opened)
    assert opened.state.map is found


def test_the_population_found_is_modulated_and_lit_in_the_results_too(opened, loop, dashboard, found_result):
    session, panel = dashboard.session, opened.modulation
    assert "the 8 members at the target by the two conductances that take most" in panel.who.value
    session.result = result = found_result(("A", "H"), (6.0, 3.0))
    assert "Moves the 5 members that fire like recording r" in panel.who.value
    panel.g_s.value, panel.g_u.value = -10.0, 3.0
    panel.start.click()
    loop.until(lambda: opened.state.modulated is not None)
    path = opened.state.modulated.path
    np.testing.assert_array_equal(path.g[:, 0], result.population.g[:5])
    assert path.labels == result.population.labels[:5]
    assert path.arrived.all()  # which A and H, that they were made by, take none of them to
    assert path.compensate == ("CaS", "H")
    assert "5 of 5 members get to g_s -10.00" in panel.says.value
    # another target is no business of theirs; a pick is one in all figures of the results
    opened.explorer.set_target(-4.0, 4.0)
    settled(loop, opened)
    assert opened.state.modulated is not None
    panel.ways._receive(panel.ways.widget, {"kind": "pick", "member": 2}, [])
    assert session.member == 2
    assert {figure.widget._member for figure in (panel.ways, panel.course, opened.plane)} == {2}
    assert {figure.widget._group for figure in (panel.ways, panel.course, opened.plane)} == {""}
    assert opened.traces.widget._member != 2
    session.result = None
    assert opened.state.modulated is None
    assert opened.plane.widget._group == "explore"


def test_a_pair_that_was_chosen_moves_the_members_and_a_better_one_is_named(
    opened, loop, dashboard, found_result
):
    dashboard.session.result = found_result(("A", "H"), (6.0, 3.0))
    opened.explorer.set_pair(("A", "H"))
    panel = opened.modulation
    assert "by A and H" in panel.who.value
    panel.g_s.value, panel.g_u.value = -10.0, 3.0
    panel.start.click()
    loop.until(lambda: opened.state.modulated is not None)
    assert opened.state.modulated.path.compensate == ("A", "H")
    assert "0 of 5 members get to" in panel.says.value
    assert "g_A would have to be negative" in panel.says.value
    assert "Moving CaS and H instead would take 5 of them there" in panel.says.value


def test_what_cannot_be_gets_one_sentence(opened, loop):
    opened.explorer.set_target(19.0, 4.0)
    loop.until(lambda: opened.messages.text != "")
    assert "does not reach this target" in opened.messages.text
    assert opened.state.population is None
    opened.modulation.start.click()
    assert "There are no members to modulate" in opened.messages.text
    opened.explorer.set_target(-5.0, 4.0)
    settled(loop, opened)
    assert opened.messages.text == ""
    opened.g_s.value = -400.0
    assert "it must lie between -20 and 20" in opened.messages.text
    opened.modulation.g_u.value = 99.0
    assert "end of modulation has g_u = 99" in opened.messages.text


def test_a_choice_that_cannot_be_solved_gets_one_sentence(opened, loop):
    opened.explorer.set_pair(("Na", "Kd"))
    loop.until(lambda: opened.state.map is None and not (opened.state.working or opened.state.mapping))
    assert "Na and Kd of the stg neuron cannot set g_s and g_u" in opened.messages.text
    assert opened.state.population is None
    opened.messages.clear()
    opened.explorer.set_pair(("H", "leak"))
    loop.until(lambda: opened.state.map is not None and not (opened.state.working or opened.state.mapping))
    assert "H and leak of the stg neuron does not reach this target" in opened.messages.text


def test_another_neuron_begins_anew(opened, loop, dashboard):
    opened.V_th.value = -50.0
    settled(loop, opened)
    dashboard.dics.neuron.value = "da"
    session = dashboard.session
    loop.until(lambda: opened.state.map is not None and opened.state.map.neuron.name == "da")
    loop.until(lambda: not (opened.state.working or opened.state.mapping))
    assert opened.V_th.value == get_neuron("da").V_th_mV
    assert set(opened.sliders) == set(get_neuron("da").baseline.free)
    assert opened.state.pair == session.pair
    assert opened.state.ranges == {}


def test_a_closed_explorer_rests_and_its_members_are_its_own(opened, loop):
    population = opened.state.population
    opened.fold.opened = False
    opened.explorer.set_target(1.0, 5.0)
    assert opened.state.population is population
    assert not opened.state.working
    opened.session.dark = True
    figures = [opened.plane, opened.conductances, opened.traces]
    figures += [opened.modulation.ways, opened.modulation.course]
    grounds = {figure.widget._widget_layout["template"]["layout"]["plot_bgcolor"] for figure in figures}
    assert grounds == {"#1B222C"}
    opened.fold.opened = True
    loop.until(lambda: opened.state.population is not population)
    # members picked here are not those of the results
    opened.traces._receive(opened.traces.widget, {"kind": "pick", "member": 3}, [])
    assert {figure.widget._member for figure in figures} == {3}
    assert opened.session.member != 3
    assert {figure.widget._group for figure in figures} == {"explore"}


def test_choices_are_settings_and_can_be_undone(opened, dashboard, loop, monkeypatch):
    explorer, session = opened.explorer, dashboard.session
    monkeypatch.setattr(toolbar, "_AT_ONCE_S", 60.0)  # what follows is made at once, on a slow machine too
    assert session.settings.explore == Explored()
    explorer.set_target(1.0, 5.0)
    opened.modulation.g_s.value = -3.0
    opened.V_th.value = -50.0
    opened.sliders["Kd"].value = (100.0, 120.0)
    opened.layer.value = "condition"
    explorer.set_pair(("A", "H"))
    chosen = Explored(
        pair=("A", "H"),
        layer="condition",
        target=(1.0, 5.0),
        end=(-3.0, 4.0),
        V_th_mV=-50.0,
        ranges={"Kd": (100.0, 120.0)},
    )
    assert session.settings.explore == chosen
    assert "explore.target=1.0%2C5.0" in dashboard.browser.fragment
    kept = session.settings.to_json()
    monkeypatch.setattr(toolbar, "_AT_ONCE_S", 0.0)
    explorer.set_target(3.0, 5.0)
    assert session.settings.explore.target == (3.0, 5.0)
    dashboard.toolbar.undo.click()
    assert session.settings.explore == chosen
    assert opened.state.target == (1.0, 5.0)
    assert (opened.g_s.value, opened.plane.widget._point) == (1.0, [1.0, 5.0])
    dashboard.toolbar.undo.click()
    assert session.settings.explore == Explored()
    assert opened.V_th.value == session.neuron.V_th_mV
    assert opened.layer.value == opened.state.layer == "reached"
    assert opened.state.target == (-5.0, 4.0)
    dashboard.toolbar._load(kept.encode(), "settings.json")
    assert session.settings.explore == chosen
    assert opened.V_th.value == -50.0
    assert opened.sliders["Kd"].value == (100.0, 120.0)
    assert (opened.layer.value, opened.state.pair) == ("condition", ("A", "H"))
    assert (opened.modulation.g_s.value, opened.modulation.g_u.value) == (-3.0, 4.0)
    settled(loop, opened)
    assert opened.messages.text == ""


def test_an_address_restores_what_was_explored_of_a_recording(loop, network, monkeypatch):
    from spike2pop_nb.app import Dashboard

    made = Dashboard(dispatch=loop)
    fragment = "file=stg_set.csv&recording=4&explore.pair=A,H&explore.target=2,6"
    fragment += "&explore.V_th_mV=-42&explore.ranges=Kd:0:300"
    made.browser._receive(made.browser, {"kind": "start", "fragment": fragment}, [])
    session, explore = made.session, made.explore
    loop.until(lambda: session.posterior is not None and not session.busy)
    settled(loop, explore)
    assert explore.fold.opened
    assert explore.state.target == (2.0, 6.0)
    assert explore.state.end == (5.0, 4.0)
    assert (explore.V_th.value, explore.sliders["Kd"].value) == (-42.0, (0.0, 300.0))
    # another recording begins at its own DICs, and going back to the first brings its target back; on a slow
    # machine too, where what follows from a choice comes long after it
    monkeypatch.setattr(toolbar, "_AT_ONCE_S", 0.0)
    monkeypatch.setattr(toolbar, "_AGAIN_S", 0.0)
    made.recordings.choice.index = 1
    assert session.settings.explore.target is None
    loop.until(lambda: session.posterior is not None and not session.busy)
    assert explore.state.target == (-5.0, 4.0)
    assert explore.state.V_th_mV == -42.0
    made.toolbar.undo.click()
    loop.until(lambda: session.posterior is not None and not session.busy)
    assert session.train.id == "4"
    assert explore.state.target == (2.0, 6.0)


def test_hostile_choices_get_one_sentence_and_change_nothing(opened, dashboard):
    before = dashboard.session.settings
    for wrong, words in (
        ({"target": [1e999, 0]}, "explore.target.0: input should be a finite number"),
        ({"target": [1, 2, 3]}, "explore.target"),
        ({"ranges": {"<b>": [1, 2]}}, "does not draw &#x27;&lt;b&gt;&#x27;"),
        ({"ranges": {"leak": [0, 1]}}, "leak must begin above 0"),
        ({"V_th_mV": -1e9}, "V_th must lie between"),
        ({"end": "0,0,0"}, "explore.end"),
        ([1], "explore: "),
    ):
        data = json.dumps({"spike2pop_settings": 1, "explore": wrong}).encode()
        upload = dashboard.toolbar.load
        upload._receive(upload, {"kind": "start", "name": "settings.json", "size": len(data)}, [])
        upload._receive(upload, {"kind": "part"}, [memoryview(data)])
        upload._receive(upload, {"kind": "end"}, [])
        assert words in dashboard.messages.text
        assert dashboard.messages.text.count("<div") == 1
        dashboard.messages.clear()
    opened.sliders["leak"].value = (0.0, 0.0)
    assert opened.sliders["leak"].value == opened.explorer.declared()["leak"]
    assert dashboard.session.settings == before
    assert Settings.from_json(before.to_json()) == before
