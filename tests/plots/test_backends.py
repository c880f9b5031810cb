"""One drawing, drawn for a page and on paper: both show the same, and what is read off the axes is right."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from spike2pop_nb import plots
from spike2pop_nb.conductances import (
    generate_population,
    modulation_path,
    rank_choices,
    reachability,
)
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import block, constant_current, doses, run_experiment
from spike2pop_nb.fidelity import verify
from spike2pop_nb.plots.on_page import PageFigure
from spike2pop_nb.simulation import currents, simulate, simulate_modulation
from spike2pop_nb.spiketrains import SpikeTrain, VoltageTrace


@pytest.fixture(scope="module")
def figures(normal: Any) -> dict[str, PageFigure]:
    """One of each."""
    population = generate_population("stg", (-5.0, 4.0), 5, seed=1)
    simulated = simulate(population, duration_ms=700.0, transient_ms=100.0)
    train = SpikeTrain("a & b", simulated.spike_times_ms[0])
    verdict = verify(train, simulated)
    path = modulation_path(
        generate_population("stg", (5.0, 5.0), 3, seed=1), (-8.0, 8.0), compensate=("A", "H")
    )
    modulated = simulate_modulation(path, before_ms=200, during_ms=200, after_ms=200)
    t = np.arange(0, 500, 0.1)
    tonic = generate_population("stg", (5.0, 5.0), 8, seed=1)
    times = {"duration_ms": 800.0, "transient_ms": 400.0}
    blocked = run_experiment(tonic, doses(lambda share: block("A", share), [0.25, 0.5, 0.75]), **times)
    driven = run_experiment(tonic, doses(constant_current, [-4, 4]), **times)
    return {
        "recording": plots.recording(train),
        "raster": plots.raster([train, train], align=True),
        "voltage": plots.voltage(VoltageTrace("v", t, np.sin(t)), 0.5, spikes=train),
        "dic_plane": plots.dic_plane("stg", normal, reachability("stg", ("CaS", "H"), 5), population),
        "plane_map": plots.plane_map(reachability("stg", ("CaS", "H"), 5), target=(1, 2)),
        "traces": plots.traces(simulated, train),
        "conductances": plots.conductances(population, verdict.passed),
        "scores": plots.scores(verdict),
        "members": plots.members(simulated, train),
        "intervals": plots.intervals(simulated, train),
        "return_map": plots.return_map(simulated, train),
        "pairs": plots.conductance_pairs(population, verdict),
        "currents": plots.currentscape(currents(population, 0, like=simulated)),
        "dic_curves": plots.dic_curves(population),
        "ranking": plots.ranking(rank_choices("stg", (-5.0, 4.0), n=64)),
        "modulation": plots.modulation(modulated, step=5),
        "modulation_ways": plots.modulation_ways(path),
        "modulation_plane": plots.modulation_plane(path),
        "dose_response": plots.dose_response(blocked),
        "experiment_raster": plots.experiment_raster(blocked),
        "before_and_after": plots.before_and_after(blocked, "0.5"),
        "f_I_curves": plots.f_I_curves(driven),
        "who_crashes": plots.who_crashes(blocked),
        "kept": plots.conductances(tonic, blocked.kept("0.5"), words=plots.KEPT_OR_LOST),
        "nothing": plots.return_map(None),
    }


def words(content: bytes) -> str:
    return " ".join("".join(ElementTree.fromstring(content).itertext()).split())


def test_every_figure_says_the_same_on_a_page_and_on_paper(figures) -> None:
    for name, figure in figures.items():
        drawn = words(figure.picture())
        layout = figure.layout.to_plotly_json()
        titles = [
            axis["title"]["text"] for key, axis in layout.items() if "axis" in key and axis.get("title")
        ]
        assert titles or name == "nothing"
        for title in titles:
            assert title in drawn, name
        legend = {trace.name for trace in figure.data if trace.showlegend and layout["showlegend"]}
        for label in legend - {"50, 95 %"}:
            assert label in drawn, name


def test_a_picture_has_the_shape_of_the_figure(figures) -> None:
    figure = figures["return_map"]
    svg = ElementTree.fromstring(figure.picture("svg", width_mm=90.0))
    width, height = (float(svg.attrib[key].removesuffix("pt")) for key in ("width", "height"))
    assert width == pytest.approx(90 / 25.4 * 72, abs=0.1)
    assert height == pytest.approx(figure.layout.height / 5 / 25.4 * 72, abs=0.1)
    assert figure.picture("pdf").startswith(b"%PDF")
    assert figure.picture() == figure.picture()


def test_there_is_no_picture_of_what_was_altered_since() -> None:
    figure = plots.recording(SpikeTrain("r", [1.0, 5.0, 9.0]))
    assert figure.picture("png").startswith(b"\x89PNG")
    figure.update_layout(title="other")
    with pytest.raises(Spike2PopError, match="altered"):
        figure.picture()


def test_a_notebook_keeps_a_picture_for_readers_without_scripts(monkeypatch) -> None:
    import plotly.io as pio

    figure = plots.recording(SpikeTrain("r", [1.0, 5.0, 9.0]))
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    assert set(figure._repr_mimebundle_()) == {"application/vnd.plotly.v1+json", "image/png"}
    monkeypatch.setattr(pio.renderers, "default", "png")
    assert set(figure._repr_mimebundle_()) == {"image/png"}
    monkeypatch.setattr(pio.renderers, "default", "svg")
    assert "<svg" in figure._repr_mimebundle_()["image/svg+xml"]


def test_what_differs_by_rounding_is_not_blown_up() -> None:
    regular = SpikeTrain("r", np.cumsum(100.0 + 1e-6 * np.arange(50) % 3))
    silent = simulate(
        generate_population("stg", (-5.0, 4.0), 1, seed=1).g * 0 + 1e-3, neuron="stg", duration_ms=50.0
    )
    low, high = plots.intervals(silent, regular).layout.xaxis.range
    assert low < 96 < 104 < high
    low, high = plots.recording(regular).layout.yaxis2.range
    assert low == 0
    assert high == pytest.approx(106, abs=1)


def test_return_maps_are_square(figures) -> None:
    layout = figures["return_map"].layout
    assert layout.yaxis.scaleanchor == "x"
    assert layout.xaxis.constrain == layout.yaxis.constrain == "domain"
    assert layout.xaxis.range == layout.yaxis.range


@pytest.mark.parametrize(("end_ms", "unit", "end"), [(9_000.0, "ms", 9000.0), (900_000.0, "s", 900.0)])
def test_time_is_in_ms_or_s_in_plain_numbers(end_ms: float, unit: str, end: float) -> None:
    train = SpikeTrain("r", np.linspace(0.0, end_ms, 91))
    layout = plots.recording(train).layout
    assert layout.xaxis.title.text == f"time ({unit})"
    assert layout.template.layout.xaxis.exponentformat == "none"
    assert max(x for x in plots.recording(train).data[0].x if x is not None) == pytest.approx(end)
    assert max(x for x in plots.raster([train]).data[0].x if x is not None) == pytest.approx(end)


def test_buttons_cover_no_title(figures) -> None:
    for figure in figures.values():
        assert figure.layout.template.layout.modebar.orientation == "v"
        margin = figure.layout.margin.r or figure.layout.template.layout.margin.r
        assert margin >= 34
    assert figures["recording"].layout.title.xanchor == "left"


def test_names_are_text_on_a_page_and_on_paper(figures) -> None:
    assert "a &amp; b" in json.dumps(figures["recording"].layout.to_plotly_json()["title"])
    assert "recording a & b" in words(figures["recording"].picture())


def test_a_long_name_keeps_clear_of_the_buttons_of_a_narrow_figure() -> None:
    title = plots.recording(SpikeTrain("a" * 200, [1.0, 2.0, 4.0])).layout.title.text
    assert title.startswith("Recording aaa")
    assert title.endswith("…")
    assert len(title) <= 50
