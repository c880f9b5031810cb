"""What figures of experiments show is what the experiment found."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb import plots
from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments import (
    Experiment,
    block,
    constant_current,
    dose_response,
    doses,
    f_I_curve,
    run_experiment,
    who_crashes,
)


@pytest.fixture(scope="module")
def found() -> Experiment:
    """Tonic members, of which some burst with half of A blocked."""
    population = generate_population("stg", (5.0, 5.0), size=16, seed=1)
    series = doses(lambda share: block("A", share), [0.25, 0.5, 0.75])
    return run_experiment(population, series, duration_ms=2000, transient_ms=1500)


@pytest.fixture(scope="module")
def once(found) -> Experiment:
    """One condition, spikes alone."""
    return run_experiment(
        found.population, block("A", 0.5), duration_ms=2000, transient_ms=1500, record="spikes"
    )


def test_shares_of_patterns_add_up_and_half_is_marked(found) -> None:
    figure, response = plots.dose_response(found), dose_response(found)
    curves = {trace.name: np.array(trace.y) for trace in figure.data}
    kept = curves.pop("keep their rhythm")
    assert np.sum(list(curves.values()), axis=0) == pytest.approx([100.0] * 3)
    assert kept == pytest.approx(100 * response.share)
    assert figure.layout.shapes[0].x0 == pytest.approx(response.half)
    assert f"half at {response.half:.3g}" in figure.layout.annotations[0].text


def test_every_condition_has_a_row_for_each_member_in_the_colour_of_what_became_of_it(found) -> None:
    figure = plots.experiment_raster(found)
    assert len(figure.data) == 16 * 4
    names = [trace.name for trace in figure.data[2 * 16 : 3 * 16]]
    assert [name == plots.KEPT_OR_LOST[0] for name in names] == found.kept("0.5").tolist()
    assert list(figure.layout.yaxis.ticktext) == list(found.conditions)
    some = plots.experiment_raster(found, most=5)
    assert len(some.data) == 5 * 4
    assert any("5 of 16 members" in note.text for note in some.layout.annotations)


def test_a_member_stands_beside_itself(found, once) -> None:
    figure = plots.before_and_after(found, "0.5", rows=[3, 0])
    assert [trace.meta["member"] for trace in figure.data] == [3, 3, 0, 0]
    peaks = [np.nanmax(np.array(trace.y)) for trace in figure.data]
    assert peaks[1] == pytest.approx(found.data["V_mV"].values[3, 2].max())
    titles = [axis.title.text for axis in (figure.layout.xaxis, figure.layout.xaxis2)]
    assert titles == ["control: time (ms)", "A −50 %: time (ms)"]
    assert len(plots.before_and_after(once, rows=[3]).data) == 2  # without voltages its spikes
    with pytest.raises(ExperimentError, match="no condition"):
        plots.before_and_after(found, "9")


def test_the_ranking_is_that_of_the_measure(found) -> None:
    figure, table = plots.who_crashes(found, "0.5"), who_crashes(found, "0.5")
    bars = figure.data[0]
    assert list(bars.y)[::-1] == [f"g_{name}" for name in table["channel"]]
    assert np.array(bars.x)[::-1] == pytest.approx(table["telling"])
    assert [text.endswith("more") for text in bars.text][::-1] == (table["auroc"] > 0.5).tolist()
    assert plots.who_crashes(found).data[0].y == bars.y  # the condition that splits them most


def test_f_I_curves_are_those_of_every_member_with_their_median(found) -> None:
    driven = run_experiment(
        found.population, doses(constant_current, [-4, 4]), duration_ms=1000, transient_ms=500
    )
    figure, curve = plots.f_I_curves(driven), f_I_curve(driven)
    assert len(figure.data) == 17
    assert np.array(figure.data[5].y) == pytest.approx(curve.rate_Hz[5])
    assert np.array(figure.data[-1].y) == pytest.approx(np.median(curve.rate_Hz, axis=0))


def test_what_does_not_apply_is_said(found, once) -> None:
    assert "currents" in plots.f_I_curves(found).layout.annotations[0].text
    assert "series" in plots.dose_response(once).layout.annotations[0].text
    kept = run_experiment(found.population.select([0]), block("H", 0.0), duration_ms=500, transient_ms=100)
    assert "nothing tells" in plots.who_crashes(kept).layout.annotations[0].text


def test_members_are_coloured_by_who_crashes_in_figures_of_conductances(found) -> None:
    kept = found.kept("0.5")
    figure = plots.conductances(found.population, kept, words=plots.KEPT_OR_LOST)
    assert [trace.name for trace in figure.data] == list(plots.KEPT_OR_LOST)
    pairs = plots.conductance_pairs(found.population, kept, words=plots.KEPT_OR_LOST)
    assert {trace.name for trace in pairs.data} == set(plots.KEPT_OR_LOST)
    assert "that keep their rhythm" in " ".join(note.text for note in pairs.layout.annotations)
