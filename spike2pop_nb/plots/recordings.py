"""Figures of spike trains."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spike2pop_nb.plots.style import BLUE, INK, MOST_MARKS, RED, decimate, finish, log_axis, thinned, ticks
from spike2pop_nb.spiketrains import SpikeTrain

if TYPE_CHECKING:
    from spike2pop_nb.spiketrains import VoltageTrace

__all__ = ["raster", "recording", "voltage"]


def recording(train: SpikeTrain, height: int = 280) -> go.Figure:
    """Raster of one train, and its inter-spike intervals over the same time axis.

    Parameters
    ----------
    train : SpikeTrain
        The recording.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> figure = s2p.plots.recording(train)
    >>> len(figure.data) > 0
    True
    """
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.22, 0.78], vertical_spacing=0.05)
    times, isi = train.times_ms, train.isi_ms
    x, y = ticks(times, 0.0, 1.0)
    stroke = {"color": INK, "width": 1.2}
    figure.add_scatter(x=x, y=y, mode="lines", line=stroke, hoverinfo="x", row=1, col=1)
    if isi.size:
        at, shown = decimate(times[1:], isi, MOST_MARKS)
        marks = {"color": BLUE, "size": 5, "opacity": 0.75}
        hover = "%{y:.4g} ms before the spike at %{x:.6g} ms<extra></extra>"
        figure.add_scatter(x=at, y=shown, mode="markers", marker=marks, hovertemplate=hover, row=2, col=1)
        if isi.max() > 8 * isi.min():
            figure.update_yaxes(log_axis(isi.min(), isi.max()), row=2, col=1)
        else:
            figure.update_yaxes(rangemode="tozero", row=2, col=1)
    figure.update_yaxes(visible=False, fixedrange=True, row=1, col=1)
    figure.update_xaxes(ticks="", showgrid=False, row=1, col=1)
    figure.update_yaxes(title_text="interval (ms)", row=2, col=1)
    figure.update_xaxes(title_text="time (ms)", row=2, col=1)
    title = {"text": f"Recording {escape(train.id)}", "font": {"size": 12}, "x": 0.01, "y": 0.985}
    return finish(figure, height, showlegend=False, title=title)


def raster(trains: Sequence[SpikeTrain], height: int | None = None, align: bool = False) -> go.Figure:
    """One row of strokes per train.

    Parameters
    ----------
    trains : sequence of SpikeTrain
        Drawn from the top down.
    height : int, optional
        In pixels.
    align : bool
        Start every train at its first spike.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> figure = s2p.plots.raster(trains)
    >>> len(figure.data) > 0
    True
    """
    figure = go.Figure()
    share = max(200, 40_000 // max(1, len(trains)))
    for row, train in enumerate(trains):
        times = train.times_ms - train.times_ms[0] if align and train.n_spikes else train.times_ms
        x, y = ticks(thinned(times, share), row - 0.38, row + 0.38)
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": INK, "width": 1}, hoverinfo="x")
    names = [escape(train.id) for train in trains]
    axis = {"tickvals": list(range(len(trains))), "ticktext": names, "autorange": "reversed"}
    unit = "time from the first spike (ms)" if align else "time (ms)"
    return finish(figure, height or 90 + 22 * len(trains), showlegend=False, yaxis=axis, xaxis_title=unit)


def voltage(trace: VoltageTrace, threshold_mV: float, height: int = 240) -> go.Figure:
    """A recorded voltage with the threshold at which spikes are detected; the line can be dragged.

    Parameters
    ----------
    trace : VoltageTrace
        Thinned so that every spike keeps its peak.
    threshold_mV : float
        Where the line is.
    height : int
        In pixels.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.spiketrains import VoltageTrace
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> figure = s2p.plots.voltage(trace, threshold_mV=-20.0)
    >>> len(figure.data) > 0
    True
    """
    figure = go.Figure()
    x, y = decimate(trace.times_ms, trace.V_mV, MOST_MARKS)
    hover = f"%{{y:.3g}} {escape(trace.unit)} at %{{x:.6g}} ms<extra></extra>"
    figure.add_scattergl(x=x, y=y, mode="lines", line={"color": BLUE, "width": 1}, hovertemplate=hover)
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": threshold_mV, "y1": threshold_mV}
    figure.add_shape(line | {"line": {"color": RED, "width": 2, "dash": "dash"}, "editable": True})
    title = {"text": escape(trace.id), "font": {"size": 12}, "x": 0.01, "y": 0.985}
    axes = {"xaxis_title": "time (ms)", "yaxis_title": f"V ({escape(trace.unit)})"}
    return finish(figure, height, showlegend=False, title=title, **axes)
