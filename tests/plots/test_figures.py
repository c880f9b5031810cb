"""Figures: what they draw, and that names from files stay text."""

from __future__ import annotations

import json
from copy import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spike2pop_nb import plots
from spike2pop_nb.conductances import generate_population, reachability
from spike2pop_nb.data import example_path
from spike2pop_nb.fidelity import verify
from spike2pop_nb.inference.drift import find_drift
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain, VoltageTrace, read_spike_trains

HOSTILE = "<b onmouseover=alert(1)>x</b>"


@pytest.fixture(scope="module")
def population():
    return generate_population("stg", (-5.0, 4.0), 5, seed=1)


@pytest.fixture(scope="module")
def simulated(population):
    return simulate(population, duration_ms=600.0, transient_ms=100.0)


def texts(figure) -> str:
    return json.dumps(json.loads(figure.to_json()), ensure_ascii=False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=400),
    st.integers(2, 60),
)
def test_decimation_keeps_the_extremes_the_order_and_the_limit(values, most):
    y = np.array(values)
    x = np.arange(len(y), dtype=float)
    x2, y2 = plots.decimate(x, y, most)
    assert len(y2) <= max(most, 4)
    assert np.all(np.diff(x2) > 0)
    assert y2.max() == y.max()
    assert y2.min() == y.min()
    assert np.array_equal(y2, y[x2.astype(int)])


def test_every_spike_keeps_its_peak():
    v = np.full(100_000, -60.0)
    peaks = np.arange(50, 100_000, 997)
    v[peaks] = 40.0
    _x, thin = plots.decimate(np.arange(v.size), v, 2000)
    assert thin.size <= 2000
    assert (thin == 40.0).sum() == peaks.size


def test_a_recording_is_drawn_with_one_stroke_per_spike_and_one_dot_per_interval():
    train = read_spike_trains(example_path("stg_set"))[2]
    raster, intervals = plots.recording(train).data
    assert sum(x is None for x in raster.x) == train.n_spikes
    assert np.allclose(np.sort(intervals.y), np.sort(train.isi_ms))


@pytest.mark.parametrize("times", [[], [5.0], [5.0, 9.0]])
def test_short_trains_can_be_drawn(times):
    assert plots.recording(SpikeTrain("few", times)).data


def test_a_long_train_is_thinned():
    figure = plots.recording(SpikeTrain("long", np.cumsum(np.random.default_rng(0).gamma(2, 5, 200_000))))
    assert all(len(trace.x) <= 12_001 for trace in figure.data)


def test_names_from_files_are_escaped(simulated):
    train = SpikeTrain(HOSTILE, [1.0, 50.0, 90.0])
    for figure in (plots.recording(train), plots.raster([train, train]), plots.traces(simulated, train)):
        assert "<b " not in texts(figure)
        assert "&lt;b " in texts(figure)
    assert "<b " not in texts(plots.placeholder(HOSTILE))


def test_the_plane_shows_reach_and_posterior(normal):
    reach = reachability("stg", ("CaS", "H"), 11)
    shading, region, mean = plots.dic_plane("stg", normal, reach).data
    assert np.asarray(shading.z).max() <= 100
    # the outermost level holds 95 %: at its border 1 − enclosed is 0.05
    assert region.contours.start == 0.05
    assert (mean.x[0], mean.y[0]) == (-5.0, 4.0)
    assert plots.plane_map(reach).data[0].type == "heatmap"


def test_a_drifting_recording_shows_its_course(normal):
    mean = np.stack([np.linspace(-4, 4, 12), np.full(12, 5.0)], axis=1)
    posterior = copy(normal)
    assert "Too short" in str(plots.course(posterior).to_json())
    posterior.course = find_drift(np.arange(12.0), mean, np.ones((12, 2)), mean)
    assert posterior.course.drifts
    path = plots.dic_plane("stg", posterior).data[-1]
    np.testing.assert_allclose(path.x, mean[:, 0])
    slow, ultraslow = plots.course(posterior).data
    np.testing.assert_allclose(slow.y, mean[:, 0])
    np.testing.assert_allclose(ultraslow.error_y.array, np.ones(12))


def test_the_enclosed_probability_is_right(normal):
    region = plots.dic_plane("stg", normal).data[0]
    x, y = np.meshgrid(region.x, region.y)
    inside = np.asarray(region.z) >= 0.05
    distance = ((x + 5) / 1.0) ** 2 + ((y - 4) / 0.5) ** 2
    # a two-dimensional Gaussian holds 95 % within √5.99 standard deviations
    assert np.sqrt(distance[inside].max()) == pytest.approx(np.sqrt(5.991), rel=0.12)


def test_traces_share_one_time_axis_from_the_first_spike(simulated):
    train = SpikeTrain("r", [100.0, 150.0, 180.0])
    figure = plots.traces(simulated, train, rows=[0, 3])
    strokes = figure.data[0]
    assert strokes.x[0] == 0.0
    voltages = [trace for trace in figure.data if trace.line.color == "#0072B2"]
    assert len(voltages) == 2
    for row, trace in zip((0, 3), voltages, strict=True):
        spikes = simulated.spike_times_ms[row]
        at = np.abs(np.asarray(trace.x)).argmin()
        near = np.asarray(trace.y)[max(0, at - 8) : at + 60]
        assert len(spikes) == 0 or near.max() > 10.0
    assert figure.layout.xaxis.range[1] >= 300


def test_traces_without_voltage_draw_spikes(population):
    quick = simulate(population, duration_ms=400.0, transient_ms=100.0, record="spikes")
    assert plots.traces(quick, rows=[0]).data


def test_population_figures_tell_who_passed(population, simulated):
    train = SpikeTrain("r", simulated.spike_times_ms[0])
    verdict = verify(train, simulated)
    passed = verdict.passed
    figure = plots.conductances(population, passed)
    assert sum(len(trace.y) for trace in figure.data) == population.g.size
    dots = plots.scores(verdict)
    assert sum(len(trace.y) for trace in dots.data) == len(population)
    assert {trace.name for trace in dots.data} <= {"passed", "did not pass"}


def test_a_dot_of_every_member_carries_its_number(normal, population, simulated):
    verdict = verify(read_spike_trains(example_path("stg_set"))[2], simulated)
    plane = plots.dic_plane("stg", normal, population=population)
    dots = [trace for trace in plane.data if trace.ids is not None]
    assert [trace.name for trace in dots] == ["members"]
    assert list(dots[0].ids) == ["0", "1", "2", "3", "4"]
    for figure, each in ((plots.conductances(population), 8), (plots.scores(verdict), 1)):
        ids = [name for trace in figure.data for name in trace.ids]
        assert len(set(ids)) == len(ids) == 5 * each
        assert {int(name.split("/")[0]) for name in ids} == set(range(5))


def test_members_stand_under_the_recording_on_one_time_axis(simulated):
    train = SpikeTrain(HOSTILE, np.array([1000.0, 1100.0, 1250.0]))
    figure = plots.members(simulated, train, most=3)
    recorded, *rows = figure.data
    assert [x for x in recorded.x if x is not None][::2] == [0.0, 100.0, 250.0]
    assert [row.meta["member"] for row in rows] == [0, 1, 2]
    assert all(min(x for x in row.x if x is not None) == 0.0 for row in rows)
    assert HOSTILE not in texts(figure)


def test_distributions_of_intervals_end_at_all_of_them(simulated):
    train = SpikeTrain("a", np.array([0.0, 10.0, 30.0, 50.0]))
    *members, recorded = plots.intervals(simulated, train).data
    assert list(recorded.x) == [10.0, 20.0, 20.0]
    assert recorded.y[-1] == 100
    assert {trace.meta["member"] for trace in members} <= set(range(5))


def test_the_threshold_of_a_voltage_can_be_dragged_and_its_peaks_stay():
    t = np.arange(0, 5000, 0.1)
    trace = VoltageTrace(HOSTILE, t, np.where(np.isclose(t, 2500.0), 31.0, -65.0))
    figure = plots.voltage(trace, -20.0)
    assert max(figure.data[0].y) == 31.0
    assert len(figure.data[0].x) <= 4000
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].editable) == (-20.0, True)
    assert HOSTILE not in texts(figure)


def test_detected_spikes_stand_above_their_voltage_and_a_closer_look_shows_more_of_it():
    t = np.arange(0, 60_000, 0.1)
    spikes = np.arange(50.0, 60_000, 10.0)
    trace = VoltageTrace("v", t, -60 + 80 * np.exp(-(((t % 10 - 0.0) / 0.5) ** 2)))
    train = SpikeTrain("v", spikes, (0.0, 60_000.0))
    curve, strokes = plots.voltage(trace, -20.0, spikes=train).data
    assert (curve.name, strokes.name) == ("voltage", "detected spikes")
    assert np.nanmin(np.asarray(strokes.y, dtype=float)) > trace.V_mV.max()
    assert len(curve.x) <= 4000
    assert not plots.voltage(trace, spikes=train).layout.shapes
    curve, strokes = plots.voltage(trace, spikes=train, window_ms=(30_000, 30_200)).data
    inside = (np.asarray(curve.x) >= 30) & (np.asarray(curve.x) <= 30.2)
    assert inside.sum() == pytest.approx(2000, abs=2), "every sample of what is looked at"
    assert len(curve.x) < 4000
    assert (curve.x[0], curve.x[-1]) == (0, pytest.approx(60, abs=0.3)), "the rest stays, thinned"
    assert np.all(np.diff(curve.x) > 0)
    for time in spikes[(spikes >= 30_000) & (spikes <= 30_200)]:
        assert np.isclose(np.asarray(strokes.x, dtype=float), time / 1000).any()


def test_a_dark_figure_differs_in_colours_alone(population):
    light = plots.conductances(population)
    dark = plots.darkened(light)
    assert dark.layout.template.layout.plot_bgcolor != light.layout.template.layout.plot_bgcolor
    assert dark.data[0].marker.color != light.data[0].marker.color
    assert list(dark.data[0].y) == list(light.data[0].y)
    assert light.data[0].marker.color == "#0072B2"
