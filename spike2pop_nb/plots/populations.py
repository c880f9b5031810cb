"""Figures of members: their voltages, conductances and scores."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from spike2pop_nb.conductances import Population
from spike2pop_nb.plots.style import BLUE, INK, RED, composed, decimate, finish, log_axis, thinned, ticks
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["conductances", "intervals", "members", "scores", "traces"]


def traces(
    simulated: Simulated,
    train: SpikeTrain | None = None,
    *,
    rows: Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    most_points: int = 3000,
    height: int | None = None,
) -> go.Figure:
    """Voltage of members, one panel each, over the spikes of the recording on one time axis.

    Time counts from the first spike, of the recording and of each member alike.

    Parameters
    ----------
    simulated : Simulated
        A simulation that kept its traces.
    train : SpikeTrain, optional
        The recording, drawn as strokes in a panel of its own and again above each trace.
    rows : sequence of int, optional
        Which members; the first 8 by default.
    labels : sequence of str, optional
        A plain text for each panel; the member's number by default.
    most_points : int
        Per trace; thinned so that every spike keeps its peak.
    height : int, optional
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> figure = s2p.plots.traces(simulated, rows=[0, 1])
    >>> len(figure.data) > 0
    True
    """
    chosen = list(range(min(8, len(simulated)))) if rows is None else [int(row) for row in rows]
    recorded = train.times_ms - train.times_ms[0] if train is not None and train.n_spikes else np.zeros(0)
    span = simulated.duration_ms - simulated.transient_ms
    until = min(span, max(1.15 * float(recorded[-1]), 300.0)) if recorded.size else span
    panels: list[Panel] = []
    x: Any
    y: Any
    if recorded.size and train is not None:
        x, y = ticks(recorded, 0.0, 1.0)
        stroke = {"color": RED, "width": 1.6}
        strokes = {"x": x, "y": y, "mode": "lines", "line": stroke, "hoverinfo": "x"}
        hidden = {"visible": False, "fixedrange": True, "range": [-0.1, 1.1]}
        panels.append(Panel(0.45, f"recording {train.id}", [strokes], hidden))
    for place, row in enumerate(chosen):
        spikes = simulated.spike_times_ms[row]
        start = float(spikes[0]) if len(spikes) else simulated.transient_ms
        drawn: dict[str, Any] = {"mode": "lines", "line": {"color": BLUE, "width": 1}}
        drawn["meta"] = {"member": simulated.labels[row][1]}
        if simulated.V_mV.size:
            near = (simulated.time_ms >= start - 0.25 * until) & (simulated.time_ms <= start + 2.5 * until)
            x, y = decimate(simulated.time_ms[near] - start, simulated.V_mV[row][near], most_points)
            drawn["hovertemplate"] = "%{y:.0f} mV at %{x:.5g} ms<extra></extra>"
        else:
            x, y = ticks(spikes - start, -60.0, 40.0)
        curves = [drawn | {"x": x, "y": y}]
        if recorded.size:
            x, y = ticks(recorded, 52.0, 66.0)
            stroke = {"color": RED, "width": 1.2}
            curves.append({"x": x, "y": y, "mode": "lines", "line": stroke, "hoverinfo": "skip"})
        axis: dict[str, Any] = {"range": [-95, 72], "tickvals": [-80, 0], "fixedrange": True}
        if place == 0:
            axis["title"] = "V (mV)"
        text = labels[place] if labels is not None else f"member {simulated.labels[row][1]}"
        panels.append(Panel(1.0, text, curves, axis))
    data, layout = stacked(panels)
    layout["xaxis"] = {
        "range": [-0.04 * until, until],
        "showgrid": False,
        "title": "time from the first spike (ms)",
        "anchor": f"y{len(panels)}" if len(panels) > 1 else "y",
    }
    tall = height or 80 + 70 * len(panels)
    return composed(data, tall, showlegend=False, margin={"l": 52, "r": 10, "t": 18, "b": 42}, **layout)


class Panel(NamedTuple):
    """One of several panels over one time axis."""

    weight: float
    text: str
    curves: list[dict[str, Any]]
    axis: dict[str, Any]


def stacked(panels: Sequence[Panel]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Curves and axes of panels from the top down, each with its text in its upper right corner."""
    gap = min(0.03, 0.24 / max(1, len(panels)))
    share = (1 - gap * (len(panels) - 1)) / sum(panel.weight for panel in panels) if panels else 1.0
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"annotations": []}
    top = 1.0
    for place, panel in enumerate(panels, start=1):
        axis = "" if place == 1 else str(place)
        bottom = max(0.0, top - share * panel.weight)
        layout[f"yaxis{axis}"] = {"domain": [bottom, top], "anchor": "x"} | panel.axis
        data += [curve | {"type": "scatter", "yaxis": f"y{axis}"} for curve in panel.curves]
        label = {"text": escape(panel.text), "xref": "x domain", "yref": f"y{axis} domain", "x": 1, "y": 1}
        label |= {"xanchor": "right", "yanchor": "bottom", "yshift": -3, "showarrow": False}
        label |= {"font": {"size": 11, "color": INK}, "bgcolor": "rgba(255,255,255,0.8)"}
        layout["annotations"].append(label)
        top = bottom - gap
    return data, layout


def conductances(
    population: Population,
    passed: Sequence[bool] | npt.NDArray[np.bool_] | None = None,
    height: int = 300,
) -> go.Figure:
    """Spread of each maximal conductance over the members, as a fold of its median.

    Parameters
    ----------
    population : Population
        The members.
    passed : (n,) bool, optional
        Members that passed are filled circles, the others open ones.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> figure = s2p.plots.conductances(population)
    >>> len(figure.data) > 0
    True
    """
    g = population.g
    names = population.channel_names
    median = np.median(g, axis=0)
    fold = g / np.where(median > 0, median, 1.0)
    good = np.ones(len(g), dtype=bool) if passed is None else np.asarray(passed, dtype=bool)
    # A fixed scatter about the channel's place, so that the same population looks the same each time.
    shift = 0.56 * (np.random.default_rng(0).permutation(len(g)) / max(1, len(g) - 1) - 0.5)
    figure = go.Figure()
    for mask, label, marker in (
        (good, "passed", {"color": BLUE, "symbol": "circle"}),
        (~good, "did not pass", {"color": RED, "symbol": "circle-open"}),
    ):
        if not mask.any():
            continue
        x = (np.arange(len(names))[None, :] + shift[mask, None]).ravel()
        members = population.table["member"].to_numpy()[mask]
        custom = np.stack([g[mask].ravel(), np.repeat(members, len(names)).astype(float)], axis=1)
        figure.add_scatter(
            x=x,
            y=fold[mask].ravel(),
            ids=[f"{member}/{name}" for member in members for name in names],
            customdata=custom,
            mode="markers",
            name=label,
            marker={"size": 6 if len(g) <= 64 else 4, "opacity": 0.7} | marker,
            hovertemplate="member %{customdata[1]:.0f}: %{customdata[0]:.4g} mS/cm²<extra></extra>",
        )
    small = "<br><span style='font-size:10px'>{}</span>"
    written = [f"{m:.3g}" if m < 1000 else f"{m:.0f}" for m in median]
    labels = [escape(name) + small.format(m) for name, m in zip(names, written, strict=True)]
    positive = fold[fold > 0]
    wide = positive.size > 0 and fold.min() > 0 and positive.max() > 8 * positive.min()
    scale = log_axis(positive.min(), positive.max()) if wide else {"rangemode": "tozero"}
    y_axis = {"title": "g / median"} | scale
    x_axis = {
        "tickvals": list(range(len(names))),
        "ticktext": labels,
        "range": [-0.6, len(names) - 0.4],
        "title": "channel, with its median in mS/cm²",
        "showgrid": False,
    }
    return finish(
        figure, height, xaxis=x_axis, yaxis=y_axis, showlegend=passed is not None, margin={"b": 62, "l": 52}
    )


def scores(verdict: Any, height: int = 240) -> go.Figure:
    """Score of each member, 1 for one that fires like the recording; crosses did not pass.

    Parameters
    ----------
    verdict : Verdict
        Its ``table`` has columns member, score, passed, pattern, rate_hz and reasons.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> figure = s2p.plots.scores(s2p.verify(simulated.train(0), simulated))
    >>> len(figure.data) > 0
    True
    """
    table = verdict.table
    figure = go.Figure()
    for ok, label, marker in (
        (True, "passed", {"color": BLUE, "symbol": "circle", "size": 8}),
        (False, "did not pass", {"color": RED, "symbol": "x", "size": 7}),
    ):
        part = table[table["passed"].astype(bool) == ok]
        if not len(part):
            continue
        texts = [
            f"member {member}: {escape(str(pattern))}, {rate:.3g} Hz<br>{escape(str(why))}"
            for member, pattern, rate, why in zip(
                part["member"], part["pattern"], part["rate_hz"], part["reasons"], strict=True
            )
        ]
        figure.add_scatter(
            x=part["member"],
            y=part["score"],
            ids=[str(member) for member in part["member"]],
            mode="markers",
            name=label,
            marker=marker,
            text=texts,
            hovertemplate="score %{y:.2f}<br>%{text}<extra></extra>",
        )
    return finish(
        figure,
        height,
        xaxis={"title": "member", "range": [-0.8, max(table["member"].max(), 1) + 0.8]},
        yaxis={"title": "score (1: alike)", "range": [-0.04, 1.06]},
        showlegend=True,
        margin={"l": 52},
    )


def members(
    simulated: Simulated, train: SpikeTrain | None = None, *, most: int = 64, height: int = 300
) -> go.Figure:
    """Spikes of the members, a row each, under those of the recording, on one time axis.

    Parameters
    ----------
    simulated : Simulated
        Its spikes; time counts from the first of each train.
    train : SpikeTrain, optional
        The recording, in the top row.
    most : int
        Rows drawn at most, the first.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> figure = s2p.plots.members(simulated)
    >>> len(figure.data) > 0
    True
    """
    rows = min(len(simulated), most)
    share = max(120, 30_000 // max(1, rows))
    recorded = train.times_ms if train is not None else np.zeros(0)
    span = simulated.duration_ms - simulated.transient_ms
    until = min(span, max(1.15 * float(recorded[-1] - recorded[0]), 300.0)) if recorded.size > 1 else span
    data: list[dict[str, Any]] = []
    if recorded.size:
        x, y = ticks(thinned(recorded - recorded[0], share), -2.9, -1.3)
        data.append(
            {"x": x, "y": y, "line": {"color": RED, "width": 1.6}, "hoverinfo": "x", "name": "recording"}
        )
    for row in range(rows):
        times = simulated.spike_times_ms[row]
        shown = times[times <= times[0] + until] - times[0] if len(times) else times
        x, y = ticks(thinned(shown, share), row - 0.38, row + 0.38)
        label = simulated.labels[row][1]
        data.append(
            {
                "x": x,
                "y": y,
                "line": {"color": BLUE, "width": 1.2},
                "hovertemplate": f"member {label}, %{{x:.5g}} ms<extra></extra>",
                "meta": {"member": label},
                "name": f"member {label}",
            }
        )
    every = max(1, -(-rows // 8))
    places = list(range(0, rows, every))
    axis = {
        "tickvals": [-2.1, *places],
        "ticktext": ["recording", *(str(simulated.labels[row][1]) for row in places)],
        "range": [rows - 0.3, -3.2],
        "title": "member",
        "showgrid": False,
    }
    x_axis = {"title": "time from the first spike (ms)", "range": [-0.03 * until, until], "showgrid": False}
    lines = [trace | {"type": "scatter", "mode": "lines"} for trace in data]
    return composed(lines, height, showlegend=False, xaxis=x_axis, yaxis=axis, margin={"l": 74, "t": 12})


def intervals(simulated: Simulated, train: SpikeTrain, *, most: int = 64, height: int = 300) -> go.Figure:
    """Cumulative distributions of the intervals of the recording and of the members.

    Parameters
    ----------
    simulated : Simulated
        Its spikes.
    train : SpikeTrain
        The recording, two spikes or more.
    most : int
        Members drawn at most, the first.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> figure = s2p.plots.intervals(simulated, simulated.train(0))
    >>> len(figure.data) > 0
    True
    """
    shortest, longest = np.inf, 0.0
    each = zip(simulated.labels, simulated.spike_times_ms, strict=True)
    trains = [(label, np.diff(times)) for (_, label), times in each]
    data = []
    for label, isi in [*trains[:most], (None, train.isi_ms)]:
        if not isi.size:
            continue
        ordered = np.sort(isi)
        x, y = decimate(ordered, 100 * np.arange(1, isi.size + 1) / isi.size, 300)
        shortest, longest = min(shortest, float(ordered[0])), max(longest, float(ordered[-1]))
        name = "recording" if label is None else f"member {label}"
        colour, width = (RED, 2.2) if label is None else (BLUE, 1)
        data.append(
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "mode": "lines",
                "line": {"shape": "hv", "color": colour, "width": width},
                "meta": None if label is None else {"member": label},
                "hovertemplate": name + ": %{y:.0f} % up to %{x:.4g} ms<extra></extra>",
                "name": name,
            }
        )
    wide = 0 < shortest < longest / 8
    x_axis = {"title": "interval (ms)"} | (log_axis(shortest, longest) if wide else {})
    y_axis = {"title": "intervals up to there (%)", "range": [0, 102]}
    return composed(data, height, showlegend=False, xaxis=x_axis, yaxis=y_axis, margin={"t": 12})
