"""Neuromodulation: the ways of members through the plane, and what they do on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from spike2pop_nb.conductances import ModulationPath
from spike2pop_nb.plots.dics import plane_axes
from spike2pop_nb.plots.populations import Panel, stacked
from spike2pop_nb.plots.style import BLUE, GREEN, INK, RED, composed, decimate, spread, ticks
from spike2pop_nb.simulation import Modulated

__all__ = [
    "modulation",
    "modulation_plane",
    "modulation_points",
    "modulation_ways",
    "path_points",
    "path_ways",
]

_MOST_PANELS = 6
_SIDES = ("top center", "bottom center", "middle right", "middle left")


def _at(path: ModulationPath, step: int | None) -> int:
    return path.steps if step is None else int(np.clip(step, 0, path.steps))


def _lost(path: ModulationPath, at: int) -> npt.NDArray[np.bool_]:
    return (path.lost_at >= 0) & (path.lost_at <= at)


def _moving(path: ModulationPath) -> tuple[int, int]:
    first, second = path.compensate
    return path.neuron.index(first), path.neuron.index(second)


def path_ways(path: ModulationPath) -> list[dict[str, Any]]:
    """Curves of the ways of all members through the plane of DICs.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> len(s2p.plots.path_ways(path)) > 0
    True
    """
    return [
        {
            "type": "scatter",
            "x": path.dics[row, :, 0],
            "y": path.dics[row, :, 1],
            "mode": "lines",
            "line": {"color": INK, "width": 1, "dash": "dot"},
            "meta": {"member": member},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for row, (_, member) in enumerate(path.labels)
    ]


def path_points(path: ModulationPath, step: int | None = None) -> list[dict[str, Any]]:
    """Where members are in the plane of DICs after a step (the last if none), and those who cannot go on.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> len(s2p.plots.path_points(path, 2)) > 0
    True
    """
    at = _at(path, step)
    lost = np.flatnonzero(_lost(path, at))
    data: list[dict[str, Any]] = []
    members = np.array([member for _, member in path.labels])
    going = np.setdiff1d(np.arange(len(path)), lost)
    for rows, symbol, name in ((going, "circle", "members"), (lost, "x", "cannot go on")):
        if rows.size:
            colour = GREEN if symbol == "circle" else RED
            data.append(
                {
                    "type": "scatter",
                    "x": path.dics[rows, at, 0],
                    "y": path.dics[rows, at, 1],
                    "ids": [str(member) for member in members[rows]],
                    "mode": "markers",
                    "marker": {
                        "symbol": symbol,
                        "size": 8,
                        "color": colour,
                        "line": {"width": 0.5, "color": "white"},
                    },
                    "hovertemplate": "member %{id}: g_s %{x:.2f}, g_u %{y:.2f}<extra></extra>",
                    "name": name,
                    "showlegend": True,
                }
            )
    return data


def modulation_plane(path: ModulationPath, step: int | None = None, height: int = 360) -> go.Figure:
    """The ways of members through the plane, and where they are after a step (the last if none).

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> figure = s2p.plots.modulation_plane(path)
    >>> len(figure.data) > 0
    True
    """
    return composed(
        [*path_ways(path), *path_points(path, step)],
        height,
        **plane_axes(path.neuron),
        showlegend=True,
        legend={"y": 1.03, "font": {"size": 10}},
        margin={"t": 44},
    )


def modulation_ways(path: ModulationPath, step: int | None = None, height: int = 330) -> go.Figure:
    """The way of each member through the plane of its two moving conductances, marked where it is at a step.

    Members start from different places and go different ways to the same DICs: that is degeneracy.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> figure = s2p.plots.modulation_ways(path)
    >>> len(figure.data) > 0
    True
    """
    first, second = _moving(path)
    data: list[dict[str, Any]] = []
    for row, (_, member) in enumerate(path.labels):
        data.append(
            {
                "type": "scatter",
                "x": path.g[row, :, first],
                "y": path.g[row, :, second],
                "mode": "lines",
                "line": {"color": BLUE if path.arrived[row] else RED, "width": 1.2},
                "meta": {"member": member},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    x, y = ({"title": f"g_{name} (mS/cm²)", "rangemode": "tozero"} for name in path.compensate)
    data += modulation_points(path, step)
    return composed(data, height, xaxis=x, yaxis=y, showlegend=False, margin={"t": 14})


def modulation_points(path: ModulationPath, step: int | None = None) -> list[dict[str, Any]]:
    """The curve of `modulation_ways` that depends on the step: where each member is.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> len(s2p.plots.modulation_points(path, 2)) > 0
    True
    """
    at = _at(path, step)
    lost = _lost(path, at)
    members = [str(member) for _, member in path.labels]
    here_x, here_y = (path.g[:, at, index] for index in _moving(path))
    # members that lie on each other have their numbers on different sides
    sides = np.empty(len(members), dtype=object)
    sides[np.lexsort((here_y, here_x))] = np.resize(_SIDES, len(members))
    return [
        {
            "type": "scatter",
            "x": here_x,
            "y": here_y,
            "ids": members,
            "text": members,
            "mode": "markers+text",
            "textposition": list(sides),
            "marker": {
                "size": 8,
                "symbol": ["x" if gone else "circle" for gone in lost],
                "color": [RED if gone else GREEN for gone in lost],
            },
            "hovertemplate": "member %{id}: %{x:.4g} and %{y:.4g} mS/cm²<extra></extra>",
            "showlegend": False,
        }
    ]


def modulation(
    found: Modulated,
    *,
    rows: Sequence[int] | None = None,
    step: float | None = None,
    most_points: int = 2500,
    height: int | None = None,
) -> go.Figure:
    """What members do while they are modulated: their two moving conductances, and their voltages.

    Time counts from the start of modulation; the stretch in which it goes on is shaded.

    Parameters
    ----------
    found : Modulated
        From `simulate_modulation`.
    rows : sequence of int, optional
        Members whose voltages are drawn; some spread over all of them by default.
    step : float, optional
        Step of the path to mark.
    most_points : int
        Per trace; thinned so that every spike keeps its peak.
    height : int, optional
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> found = s2p.simulate_modulation(path, before_ms=500, during_ms=500, after_ms=500)
    >>> figure = s2p.plots.modulation(found)
    >>> len(figure.data) > 0
    True
    """
    path, simulated = found.path, found.simulated
    chosen = list(spread(len(path), _MOST_PANELS)) if rows is None else [int(row) for row in rows]
    start, stop = ((ms - found.begin_ms) / 1000.0 for ms in (simulated.transient_ms, simulated.duration_ms))
    moving = (found.end_ms - found.begin_ms) / 1000.0
    time = np.concatenate([[start], (found.time_ms() - found.begin_ms) / 1000.0, [stop]])
    panels = []
    for name in path.compensate:
        course = path.g[:, :, path.neuron.index(name)]
        course = np.concatenate([course[:, :1], course, course[:, -1:]], axis=1)
        curves = [
            {
                "x": time,
                "y": course[row],
                "mode": "lines",
                "line": {"color": BLUE if path.arrived[row] else RED, "width": 1.4},
                "meta": {"member": member},
                "hovertemplate": f"member {member}: %{{y:.4g}} mS/cm² at %{{x:.2f}} s<extra></extra>",
            }
            for row, (_, member) in enumerate(path.labels)
        ]
        axis: dict[str, Any] = {"title": "mS/cm²", "rangemode": "tozero", "nticks": 4}
        panels.append(Panel(1.2, f"g_{name} of all members", curves, axis))
    before, after = found.before(), found.after()
    for place, row in enumerate(chosen):
        member = path.labels[row][1]
        drawn: dict[str, Any] = {
            "mode": "lines",
            "line": {"color": BLUE, "width": 1},
            "meta": {"member": member},
        }
        x: Any
        y: Any
        if simulated.V_mV.size:
            seconds = (simulated.time_ms - found.begin_ms) / 1000.0
            x, y = decimate(seconds, simulated.V_mV[row], most_points)
            drawn["hovertemplate"] = "%{y:.0f} mV at %{x:.4g} s<extra></extra>"
        else:
            x, y = ticks((simulated.spike_times_ms[row] - found.begin_ms) / 1000.0, -60.0, 40.0)
            drawn["hoverinfo"] = "x"
        axis = {"range": [-95, 72], "tickvals": [-80, 0], "fixedrange": True}
        if place == 0:
            axis["title"] = "V (mV)"
        text = f"member {member}: {before[row].kind}, then {after[row].kind}"
        if not path.arrived[row]:
            text += f" (stays at step {path.lost_at[row] - 1})"
        panels.append(Panel(1.0, text, [drawn | {"x": x, "y": y}], axis))
    data, layout = stacked(panels)
    shade = {"type": "rect", "xref": "x", "yref": "paper", "x0": 0, "x1": moving, "y0": 0, "y1": 1}
    shapes: list[dict[str, Any]] = [
        shade | {"fillcolor": "rgba(138,148,163,0.14)", "line": {"width": 0}, "layer": "below"}
    ]
    if step is not None:
        at = moving * step / path.steps
        mark = {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1}
        shapes.append(mark | {"line": {"color": RED, "width": 1.5, "dash": "dash"}})
    layout["shapes"] = shapes
    layout["xaxis"] = {
        "range": [start, stop],
        "showgrid": False,
        "title": "time from the start of modulation (s)",
        "anchor": f"y{len(panels)}" if len(panels) > 1 else "y",
    }
    tall = height or 90 + 80 * len(panels)
    return composed(data, tall, showlegend=False, margin={"l": 60, "r": 10, "t": 18, "b": 42}, **layout)
