"""Plotly figures of recordings, DICs and populations: data in, `plotly.graph_objects.Figure` out.

Their method ``picture`` draws them as SVG, PNG or PDF without a browser. What a figure shows is told once, in
its own module, in the terms of `drawing`; `on_page` draws it with Plotly, `on_paper` with Matplotlib. Colours
are those of Okabe and Ito, which colour-blind eyes tell apart; shapes repeat what colours say.
"""

from spike2pop_nb.plots.choices import ranking
from spike2pop_nb.plots.currents import currentscape
from spike2pop_nb.plots.curves import dic_curves
from spike2pop_nb.plots.dics import course, dic_plane
from spike2pop_nb.plots.firing import intervals, members, return_map
from spike2pop_nb.plots.modulated import (
    modulation,
    modulation_plane,
    modulation_points,
    modulation_ways,
    path_points,
    path_ways,
)
from spike2pop_nb.plots.on_page import placeholder
from spike2pop_nb.plots.pairs import conductance_pairs
from spike2pop_nb.plots.plane import LAYERS, plane_map
from spike2pop_nb.plots.populations import conductances, scores, traces
from spike2pop_nb.plots.recordings import raster, recording, voltage
from spike2pop_nb.plots.style import TEMPLATE, darkened, decimate

__all__ = [
    "LAYERS",
    "TEMPLATE",
    "conductance_pairs",
    "conductances",
    "course",
    "currentscape",
    "darkened",
    "decimate",
    "dic_curves",
    "dic_plane",
    "intervals",
    "members",
    "modulation",
    "modulation_plane",
    "modulation_points",
    "modulation_ways",
    "path_points",
    "path_ways",
    "placeholder",
    "plane_map",
    "ranking",
    "raster",
    "recording",
    "return_map",
    "scores",
    "traces",
    "voltage",
]
