"""Maps over the plane, and neuromodulation."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spike2pop_nb import plots
from spike2pop_nb.conductances import generate_population, modulation_path, rank_choices, reachability
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.fidelity import ACTIVITY_PATTERNS, pattern_map
from spike2pop_nb.simulation import simulate_modulation


@pytest.fixture(scope="module")
def path():
    return modulation_path(
        generate_population("stg", (5.0, 5.0), 8, seed=1), (-8.0, 8.0), compensate=("A", "H")
    )


@pytest.fixture(scope="module")
def modulated(path):
    return simulate_modulation(path, before_ms=300, during_ms=300, after_ms=300)


@pytest.mark.parametrize("layer", ["reached", "condition", "residual"])
def test_each_layer_of_a_choice_is_drawn_with_the_posterior_and_the_target(normal, layer):
    reach = reachability("stg", ("CaS", "A"), 11)
    area, region, mean, target = plots.plane_map(reach, layer=layer, posterior=normal, target=(3, 10)).data
    assert np.asarray(area.z).shape == (11, 11)
    assert area.colorbar.title.text == plots.LAYERS[layer]
    assert (region.type, tuple(mean.x), tuple(target.x)) == ("contour", (-5.0,), (3,))
    assert area.zmin < area.zmax
    json.loads(plots.plane_map(reach, layer=layer).to_json())


def test_firing_patterns_differ_in_fill_colour_and_symbol(normal):
    found = pattern_map("stg", ("CaS", "H"), n_grid=6, members=1)
    figure = plots.plane_map(found, posterior=normal)
    fill, *others = figure.data
    marks = [trace for trace in others if trace.name in [str(name) for name in ACTIVITY_PATTERNS]]
    assert sum(len(trace.x) for trace in marks) == (found.pattern >= 0).sum()
    assert len({trace.marker.symbol for trace in marks}) == len(marks) > 1
    assert "bursting 100 %" in fill.text[2][0]
    assert "Hz" in fill.text[2][0]
    assert fill.text[-1][-1] == "no member gets there"
    rates = plots.plane_map(found, layer="rate").data[0]
    np.testing.assert_array_equal(rates.z, found.rate_hz)


def test_every_choice_has_a_bar_and_the_published_one_is_marked():
    ranked = rank_choices("stg", (-5.0, 4.0), n=64)
    bars = plots.ranking(ranked).data[0]
    assert list(bars.x) == [choice.score for choice in ranked.choices[::-1]]
    assert [name for name in bars.y if "published heuristic" in name] == [
        f"{ranked.published.name} (published heuristic)"
    ]


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(Spike2PopError, match="reached, condition and residual, not 'rate'"):
        plots.plane_map(reachability("stg", ("CaS", "A"), 11), layer="rate")
    found = pattern_map("stg", ("CaS", "H"), n_grid=6, members=1)
    with pytest.raises(Spike2PopError, match="pattern and rate, not 'residual'"):
        plots.plane_map(found, layer="residual")


def test_the_ways_of_members_end_where_they_cannot_go_on(path):
    at_first = plots.modulation_plane(path, 0)
    assert [trace.name for trace in at_first.data[8:]] == ["members"]
    members, lost = plots.modulation_plane(path).data[8:]
    assert len(members.x) == path.arrived.sum()
    assert len(lost.x) == (~path.arrived).sum()
    assert lost.marker.symbol != members.marker.symbol
    assert members.x[0] == pytest.approx(-8.0, abs=1e-4)
    assert max(lost.x) > -8.0


def test_modulation_shows_conductances_and_voltages_on_one_time_axis(path, modulated):
    figure = plots.modulation(modulated, rows=[0, 5], step=20)
    moving, voltages = figure.data[:16], figure.data[16:]
    assert len(voltages) == 2
    assert all(trace.x[0] == -0.3 and trace.x[-1] == pytest.approx(0.6) for trace in moving)
    np.testing.assert_allclose(moving[0].y[1:-1], path.g[0, :, path.neuron.index("A")])
    shade, mark = figure.layout.shapes
    assert (shade.x0, shade.x1, mark.x0) == (0, 0.3, 0.15)
    texts = [note.text for note in figure.layout.annotations]
    assert texts[0] == "g_A of all members"
    assert "(stays at step " in texts[2]
    assert plots.darkened(figure).data[0].line.color != figure.data[0].line.color


def test_each_member_has_its_own_way_through_the_plane_of_what_moves(path):
    figure = plots.modulation_ways(path, 10)
    *ways, dots = figure.data
    assert len(ways) == len(path)
    A, H = (path.neuron.index(name) for name in ("A", "H"))
    np.testing.assert_allclose(ways[2].x, path.g[2, :, A])
    np.testing.assert_allclose(dots.y, path.g[:, 10, H])
    assert list(dots.ids) == [str(member) for _, member in path.labels]
    assert set(plots.modulation_ways(path).data[-1].marker.symbol) == {"x", "circle"}
