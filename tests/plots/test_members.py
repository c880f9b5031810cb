"""Figures of what members are made of and how they fire: currents, pairs, DIC curves, return maps."""

from __future__ import annotations

import numpy as np
import pytest

import spike2pop_nb as s2p
from spike2pop_nb import plots
from spike2pop_nb.conductances import (
    Population,
    find_threshold,
    generate_population,
    pair_correlations,
)
from spike2pop_nb.fidelity import verify
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.plots.currents import moments, window_of
from spike2pop_nb.simulation import Currents, currents, simulate
from spike2pop_nb.spiketrains import SpikeTrain


@pytest.fixture(scope="module")
def population() -> Population:
    return generate_population("stg", (-5.0, 4.0), 6, seed=1)


@pytest.fixture(scope="module")
def simulated(population: Population):
    return simulate(population, duration_ms=900.0, transient_ms=300.0)


@pytest.fixture(scope="module")
def found(population: Population, simulated) -> Currents:
    return currents(population, 1, like=simulated)


def test_a_currentscape_stacks_the_shares_of_each_direction(found: Currents) -> None:
    figure = plots.currentscape(found)
    for direction, place in (("outward", 0), ("inward", 1)):
        layers = [trace for trace in figure.data if trace.stackgroup == direction]
        np.testing.assert_allclose(np.sum([layer.y for layer in layers], axis=0), 100, rtol=1e-4)
        for layer in layers:
            c = found.neuron.channel_names.index(layer.name)
            at = np.searchsorted(found.time_ms - window_of(found)[0], np.asarray(layer.x) - 1e-3)
            np.testing.assert_allclose(layer.y, 100 * found.shares()[place][c, at], atol=1e-3)
    # each channel is named once, in the order of the declaration
    named = sorted((t.legendrank, t.name) for t in figure.data if t.stackgroup and t.showlegend)
    assert [name for _rank, name in named] == list(found.neuron.channel_names)


def test_a_currentscape_keeps_every_spike_and_few_points(found: Currents) -> None:
    window = window_of(found)
    at = moments(found, window, 400)
    assert len(at) <= 400
    peaks = [t for t in found.spike_times_ms if window[0] < t < window[1] - 2]
    assert len(peaks) > 3
    for t in peaks:
        near = (found.time_ms >= t) & (found.time_ms < t + 2)
        assert found.V_mV[at][(found.time_ms[at] >= t) & (found.time_ms[at] < t + 2)].max() == (
            found.V_mV[near].max()
        )
    assert all(len(trace.x) <= 400 for trace in plots.currentscape(found, most_points=400).data)


def test_every_neuron_has_a_currentscape_also_at_rest(neuron: NeuronModel) -> None:
    g = generate_population(neuron, (neuron.baseline.g_s, neuron.baseline.g_u), 1, seed=1).g
    g[:, neuron.index("Na")] = 0.0
    quiet = currents(g, neuron=neuron, duration_ms=200.0, transient_ms=100.0)
    assert not quiet.spike_times_ms.size
    figure = plots.currentscape(quiet)
    colours = {t.name: t.fillcolor for t in figure.data if t.stackgroup}
    assert len(set(colours.values())) == len(colours)
    assert plots.darkened(figure).data[1].line.color != figure.data[1].line.color


def test_pairs_show_each_pair_once_and_its_correlations(population: Population) -> None:
    passed = np.array([True, True, True, True, True, False])
    figure = plots.conductance_pairs(population, passed)
    good = [trace for trace in figure.data if trace.name == "passed"]
    assert len(good) == len(figure.data) - len(good) == 28
    pairs = {(trace.xaxis, trace.yaxis) for trace in good}
    assert len(pairs) == 28
    assert list(good[0].ids) == ["0", "1", "2", "3", "4"]
    np.testing.assert_array_equal(good[0].x, population.g[:5, 0])
    np.testing.assert_array_equal(good[0].y, population.g[:5, 1])
    table = pair_correlations(population, passed)
    texts = [note.text for note in figure.layout.annotations]
    wanted = f"{table['spearman'][0]:.2f}<br>".replace("-", "−")
    assert sum(text.startswith(wanted) for text in texts) >= 1
    note = "correlations over 5 members that passed; large: Spearman, small: Pearson"
    assert f"maximal conductances (mS/cm²)<br><span style='font-size:10px'>{note}</span>" in texts
    by_leak = plots.conductance_pairs(population, by_leak=True)
    assert len(by_leak.data) == 21
    np.testing.assert_allclose(by_leak.data[0].x, population.g[:, 0] / population.g[:, -1])


def test_pairs_of_few_and_of_many_members(population: Population) -> None:
    two = plots.conductance_pairs(population.select([0, 1]))
    assert [note.text for note in two.layout.annotations].count("–") == 28
    many = plots.conductance_pairs(population.select(np.arange(600) % 6), most=50)
    assert all(len(trace.x) <= 50 for trace in many.data)
    assert any("50 of 600 members are drawn" in note.text for note in many.layout.annotations)
    assert "no members" in str(plots.conductance_pairs(population.select([])).to_json())


def test_dic_curves_cross_zero_at_the_thresholds(population: Population) -> None:
    figure = plots.dic_curves(population, [True] * 5 + [False])
    *lines, dots = figure.data
    assert len(lines) == 4 * 6
    np.testing.assert_allclose(dots.x, find_threshold("stg", population.g))
    total = [line for line in lines if line.yaxis == "y4"]
    for line in total:
        member = line.meta["member"]
        at = np.interp(dots.x[member], line.x, line.customdata)
        assert abs(at) < 0.05 * np.ptp(line.customdata[:60])
        np.testing.assert_allclose(np.sinh(np.asarray(line.y, float)), line.customdata, rtol=1e-4, atol=1e-4)
    assert total[0].line.color != total[-1].line.color
    assert figure.layout.shapes[0].x0 == -51.0
    g_s = next(line for line in lines if line.yaxis == "y2" and line.meta["member"] == 2)
    assert np.interp(-51.0, g_s.x, g_s.customdata) == pytest.approx(-5.0, abs=0.3)


def test_return_maps_pair_each_interval_with_the_next(simulated) -> None:
    train = SpikeTrain("r", [0.0, 10.0, 15.0, 35.0])
    figure = plots.return_map(simulated, train)
    *members, recording = figure.data
    assert list(zip(recording.x, recording.y, strict=True)) == [(10.0, 5.0), (5.0, 20.0)]
    isi = np.diff(simulated.spike_times_ms[0])
    np.testing.assert_allclose(members[0].x, isi[:-1])
    np.testing.assert_allclose(members[0].y, isi[1:])
    assert [trace.meta["member"] for trace in members] == list(range(len(members)))
    assert len(plots.return_map(None, train).data) == 1
    assert "need three spikes" in str(plots.return_map(None, SpikeTrain("r", [1.0, 2.0])).to_json())


def test_the_best_member_is_the_likest_of_those_that_passed(population: Population, simulated) -> None:
    verdict = verify(SpikeTrain("r", simulated.spike_times_ms[3]), simulated)
    assert verdict.best == 3
    fallen = verdict.table.assign(passed=False)
    fallen.loc[0, "passed"] = True
    assert type(verdict)(verdict.recording, fallen, verdict.rule).best == 0


def test_a_posterior_is_drawn_with_its_prior() -> None:
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    drawn = s2p.sample_posterior(train, "stg", size=8, budget=1024, seed=1)
    drawing = plots.posterior_pairs.drawing(drawn)
    assert len(drawing.panels) == 55  # ten values, and each pair of them
    assert len(drawing.cells) == 45
    diagonal = [panel for panel in drawing.panels if panel.note]
    for panel, (low, high) in zip(diagonal, drawn.prior.ranges, strict=True):
        assert panel.x.range == (low, high)
        for line in panel.marks:
            assert min(line.y) >= low - 1e-9
            assert max(line.y) <= high + 1e-9
    assert len(plots.posterior_pairs(drawn).data) >= 65
