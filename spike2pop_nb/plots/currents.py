"""Currentscapes: which currents flow when in one member."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from spike2pop_nb.plots.style import CHANNEL_COLOURS, INK, FloatArray, composed, spread
from spike2pop_nb.simulation import Currents

__all__ = ["channel_colour", "currentscape", "moments", "window_of"]

_LONGEST_MS, _SPIKES = 2000.0, 30
_LEAST_TOTAL = 1e-3  # µA/cm²: what is below lies under the axis of totals
_ROWS = {  # bottom and top of each panel
    "V": (0.81, 1.0),
    "total outward": (0.68, 0.79),
    "outward": (0.405, 0.66),
    "inward": (0.14, 0.395),
    "total inward": (0.0, 0.12),
}


def window_of(currents: Currents) -> tuple[float, float]:
    """Return the stretch in ms that a currentscape shows by default: some spikes, up to two seconds."""
    first, last = float(currents.time_ms[0]), float(currents.time_ms[-1])
    spikes = currents.spike_times_ms
    if not spikes.size:
        return first, min(last, first + _LONGEST_MS)
    start = max(first, float(spikes[0]) - 30.0)
    end = float(spikes[min(_SPIKES, len(spikes)) - 1]) + 30.0
    return start, min(last, start + _LONGEST_MS, max(end, start + 300.0))


def moments(currents: Currents, window_ms: tuple[float, float], most: int) -> np.ndarray[Any, Any]:
    """Return the samples (m,) to draw, ``m <= most``: more where voltage or shares move, and peaks.

    Equal distances along the path of voltage, shares and time together, so that a spike of one millisecond
    keeps its shape within seconds of rest.
    """
    start, end = window_ms
    inside = np.flatnonzero((currents.time_ms >= start) & (currents.time_ms <= end))
    if inside.size <= most:
        return inside
    V = currents.V_mV[inside]
    moved = np.abs(np.diff(V)) / max(float(np.ptp(V)), 1.0)
    for share in currents.shares():
        moved = moved + 0.5 * np.abs(np.diff(share[:, inside], axis=1)).sum(axis=0)
    path = np.concatenate([[0.0], np.cumsum(moved)])
    path = path / max(float(path[-1]), 1e-9) + np.linspace(0, 0.5, inside.size)
    peaks = 1 + np.flatnonzero((V[1:-1] >= V[:-2]) & (V[1:-1] > V[2:]) & (V[1:-1] > 0))
    peaks = peaks[spread(peaks.size, most // 4)]
    at = np.searchsorted(path, np.linspace(0, path[-1], most - peaks.size))
    return inside[np.unique(np.concatenate([at.clip(0, inside.size - 1), peaks]))]


def currentscape(
    currents: Currents,
    *,
    window_ms: tuple[float, float] | None = None,
    most_points: int = 1600,
    height: int = 560,
) -> go.Figure:
    """Voltage of one member, its total currents, and what each channel carries of them over time.

    After Alonso and Marder (2019), doi:10.7554/eLife.42722: voltage on top, then the sum of all outward
    currents, its shares, the shares of the inward current, and the sum of all inward currents.

    Parameters
    ----------
    currents : Currents
        Of `spike2pop_nb.simulation.currents`.
    window_ms : (start, end), optional
        Stretch shown, from the start of the simulation; some spikes, up to two seconds, by default.
    most_points : int
        Samples drawn at most; more where currents change fast, and the peak of every spike.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> found = s2p.currents(population, 0, duration_ms=600, transient_ms=500)
    >>> figure = s2p.plots.currentscape(found)
    >>> len(figure.data) > 0
    True
    """
    window = window_of(currents) if window_ms is None else window_ms
    at = moments(currents, window, most_points)
    t = (currents.time_ms[at] - window[0]).astype(np.float32)
    names = [escape(name) for name in currents.neuron.channel_names]
    axes = {row: f"y{'' if place == 0 else place + 1}" for place, row in enumerate(_ROWS)}
    line: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": t}
    data = [_line(line, axes["V"], currents.V_mV[at], "%{y:.1f} mV", "V")]
    shares = currents.shares()
    named: set[int] = set()
    for row, total, share in (
        ("outward", currents.outward, shares[0]),
        ("inward", currents.inward, shares[1]),
    ):
        above = np.maximum(total[at], _LEAST_TOTAL)
        data.append(_line(line, axes[f"total {row}"], above, f"{row} %{{y:.3g}} µA/cm²", row))
        for c in np.flatnonzero(share[:, at].any(axis=1)):
            name = names[c]
            data.append(
                line
                | {
                    "y": (100 * share[c, at]).astype(np.float32),
                    "yaxis": axes[row],
                    "stackgroup": row,
                    "line": {"width": 0},
                    "fillcolor": channel_colour(int(c), len(names)),
                    "name": name,
                    "legendgroup": name,
                    "legendrank": int(c),
                    "showlegend": row == "outward" or c not in named,
                    "hovertemplate": f"{name}: %{{y:.0f}} % of the {row} current<extra></extra>",
                }
            )
            named.add(int(c))
    layout = _axes(axes, currents, at)
    x_axis = {"title": "time (ms)", "range": [0, window[1] - window[0]], "showgrid": False, "anchor": "y5"}
    legend = {"traceorder": "normal", "y": 1.01}
    return composed(
        data, height, xaxis=x_axis, legend=legend, margin={"l": 62, "r": 12, "t": 34, "b": 42}, **layout
    )


def channel_colour(channel: int, n_channels: int) -> str:
    """Return the colour of a channel; the last is the leak, which is grey."""
    if channel == n_channels - 1:
        return CHANNEL_COLOURS[-1]
    return CHANNEL_COLOURS[channel % (len(CHANNEL_COLOURS) - 1)]


def _line(line: dict[str, Any], axis: str, y: FloatArray, words: str, name: str) -> dict[str, Any]:
    look: dict[str, Any] = {"line": {"color": INK, "width": 1}, "showlegend": False, "name": name}
    look |= {"hovertemplate": f"{words}<extra></extra>", "yaxis": axis}
    return line | look | {"y": y.astype(np.float32)}


def _axes(axes: dict[str, str], currents: Currents, at: np.ndarray[Any, Any]) -> dict[str, Any]:
    layout: dict[str, Any] = {"annotations": []}
    totals = np.concatenate([currents.outward[at], currents.inward[at]])
    positive = totals[totals > _LEAST_TOTAL]
    low = float(np.log10(np.quantile(positive, 0.005))) if positive.size else -1.0
    high = float(np.log10(positive.max())) + 0.2 if positive.size else 1.0
    decades = [10.0**k for k in range(int(np.floor(low)), int(np.ceil(high)) + 1)]
    decades = decades[:: -(-len(decades) // 3)]
    for row, (bottom, top) in _ROWS.items():
        axis: dict[str, Any] = {"domain": [bottom, top], "anchor": "x", "fixedrange": True, "showgrid": False}
        if row == "V":
            axis |= {"title": "V (mV)", "tickvals": [-80, -40, 0, 40]}
        elif row.startswith("total"):
            ends = [low - 0.1, high] if row.endswith("outward") else [high, low - 0.1]
            axis |= {
                "type": "log",
                "range": ends,
                "tickvals": decades,
                "ticktext": [f"{d:g}" for d in decades],
            }
            axis |= {"showgrid": True, "title": {"text": "µA/cm²", "font": {"size": 10}}}
        else:
            ends = [0, 100] if row == "outward" else [100, 0]
            axis |= {"range": ends, "tickvals": [50, 100], "title": f"{row} (%)"}
        layout[f"yaxis{axes[row][1:]}"] = axis
    for row in ("total outward", "total inward"):
        note = {"text": row, "xref": "x domain", "yref": f"{axes[row]} domain", "x": 1, "y": 1}
        note |= {"xanchor": "right", "yanchor": "top", "showarrow": False, "bgcolor": "rgba(255,255,255,0.8)"}
        layout["annotations"].append(note | {"font": {"size": 10, "color": INK}})
    return layout
