"""Plotly figures of recordings, DICs and populations: data in, `plotly.graph_objects.Figure` out.

Names that come from a file are escaped, because Plotly renders some HTML in its texts. Colours are those of
Okabe and Ito, which colour-blind eyes tell apart; shapes repeat what colours say.
"""

from spike2pop_nb.plots.currents import currentscape
from spike2pop_nb.plots.curves import dic_curves
from spike2pop_nb.plots.dics import course, dic_plane
from spike2pop_nb.plots.modulation import (
    modulation,
    modulation_plane,
    modulation_points,
    modulation_ways,
    path_points,
    path_ways,
)
from spike2pop_nb.plots.pairs import conductance_pairs
from spike2pop_nb.plots.plane import LAYERS, plane_map
from spike2pop_nb.plots.populations import conductances, intervals, members, scores, traces
from spike2pop_nb.plots.ranking import ranking
from spike2pop_nb.plots.recordings import raster, recording, voltage
from spike2pop_nb.plots.returns import return_map
from spike2pop_nb.plots.style import TEMPLATE, darkened, decimate, placeholder

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
