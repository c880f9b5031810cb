"""Figures of members: their voltages, conductances and scores."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from spike2pop_nb.conductances import Population
from spike2pop_nb.plots.style import BLUE, INK, RED, decimate, finish, log_axis, thinned, ticks
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
    """
    chosen = list(range(min(8, len(simulated)))) if rows is None else [int(row) for row in rows]
    has_train = train is not None and train.n_spikes > 0
    first = int(has_train)
    n = len(chosen) + first
    weights = [0.45] * first + [1.0] * len(chosen)
    spacing = min(0.03, 0.24 / max(1, n))
    figure = make_subplots(
        max(1, n), 1, shared_xaxes=True, vertical_spacing=spacing, row_heights=weights or None
    )
    recorded = train.times_ms - train.times_ms[0] if train is not None and train.n_spikes else np.zeros(0)
    span = simulated.duration_ms - simulated.transient_ms
    until = min(span, max(1.15 * float(recorded[-1]), 300.0)) if recorded.size else span
    if has_train and train is not None:
        x, y = ticks(recorded, 0.0, 1.0)
        stroke = {"color": RED, "width": 1.6}
        figure.add_scatter(x=x, y=y, mode="lines", line=stroke, hoverinfo="x", row=1, col=1)
        figure.update_yaxes(visible=False, fixedrange=True, range=[-0.1, 1.1], row=1, col=1)
        _label(figure, 1, f"recording {train.id}")
    for place, row in enumerate(chosen, start=first + 1):
        spikes = simulated.spike_times_ms[row]
        meta = {"member": simulated.labels[row][1]}
        start = float(spikes[0]) if len(spikes) else simulated.transient_ms
        if simulated.V_mV.size:
            near = (simulated.time_ms >= start - 0.25 * until) & (simulated.time_ms <= start + 2.5 * until)
            t, v = decimate(simulated.time_ms[near] - start, simulated.V_mV[row][near], most_points)
            line = {"color": BLUE, "width": 1}
            hover = "%{y:.0f} mV at %{x:.5g} ms<extra></extra>"
            figure.add_scatter(
                x=t, y=v, mode="lines", line=line, hovertemplate=hover, meta=meta, row=place, col=1
            )
        else:
            x, y = ticks(spikes - start, -60.0, 40.0)
            line = {"color": BLUE, "width": 1}
            figure.add_scatter(x=x, y=y, mode="lines", line=line, meta=meta, row=place, col=1)
        if has_train:
            x, y = ticks(recorded, 52.0, 66.0)
            stroke = {"color": RED, "width": 1.2}
            figure.add_scatter(x=x, y=y, mode="lines", line=stroke, hoverinfo="skip", row=place, col=1)
        figure.update_yaxes(range=[-95, 72], tickvals=[-80, 0], fixedrange=True, row=place, col=1)
        text = labels[place - first - 1] if labels is not None else f"member {simulated.labels[row][1]}"
        _label(figure, place, text)
    figure.update_xaxes(range=[-0.04 * until, until], showgrid=False)
    figure.update_xaxes(title_text="time from the first spike (ms)", row=max(1, n), col=1)
    if chosen:
        figure.update_yaxes(title_text="V (mV)", row=first + 1, col=1)
    tall = height or 80 + 70 * n
    return finish(figure, tall, showlegend=False, margin={"l": 52, "r": 10, "t": 18, "b": 42})


def _label(figure: go.Figure, place: int, text: str) -> None:
    axis = "" if place == 1 else str(place)
    figure.add_annotation(
        text=escape(text),
        xref=f"x{axis} domain",
        yref=f"y{axis} domain",
        x=1,
        y=1,
        xanchor="right",
        yanchor="bottom",
        yshift=-3,
        showarrow=False,
        font={"size": 11, "color": INK},
        bgcolor="rgba(255,255,255,0.8)",
    )


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
    """
    figure = go.Figure()
    rows = min(len(simulated), most)
    share = max(120, 30_000 // max(1, rows))
    recorded = train.times_ms if train is not None else np.zeros(0)
    span = simulated.duration_ms - simulated.transient_ms
    until = min(span, max(1.15 * float(recorded[-1] - recorded[0]), 300.0)) if recorded.size > 1 else span
    if recorded.size:
        x, y = ticks(thinned(recorded - recorded[0], share), -2.9, -1.3)
        stroke = {"color": RED, "width": 1.6}
        figure.add_scatter(x=x, y=y, mode="lines", line=stroke, hoverinfo="x", name="recording")
    for row in range(rows):
        times = simulated.spike_times_ms[row]
        shown = times[times <= times[0] + until] - times[0] if len(times) else times
        x, y = ticks(thinned(shown, share), row - 0.38, row + 0.38)
        label = simulated.labels[row][1]
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": BLUE, "width": 1.2},
            hovertemplate=f"member {label}, %{{x:.5g}} ms<extra></extra>",
            meta={"member": label},
            name=f"member {label}",
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
    return finish(figure, height, showlegend=False, xaxis=x_axis, yaxis=axis, margin={"l": 74, "t": 12})


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
    """
    figure = go.Figure()
    shortest, longest = np.inf, 0.0
    trains = [
        (label, np.diff(times))
        for (_, label), times in zip(simulated.labels, simulated.spike_times_ms, strict=True)
    ]
    for label, isi in [*trains[:most], (None, train.isi_ms)]:
        if not isi.size:
            continue
        ordered = np.sort(isi)
        x, y = decimate(ordered, 100 * np.arange(1, isi.size + 1) / isi.size, 300)
        shortest, longest = min(shortest, float(ordered[0])), max(longest, float(ordered[-1]))
        name = "recording" if label is None else f"member {label}"
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={
                "shape": "hv",
                "color": RED if label is None else BLUE,
                "width": 2.2 if label is None else 1,
            },
            meta=None if label is None else {"member": label},
            hovertemplate=name + ": %{y:.0f} % up to %{x:.4g} ms<extra></extra>",
            name=name,
        )
    wide = 0 < shortest < longest / 8
    x_axis = {"title": "interval (ms)"} | (log_axis(shortest, longest) if wide else {})
    y_axis = {"title": "intervals up to there (%)", "range": [0, 102]}
    return finish(figure, height, showlegend=False, xaxis=x_axis, yaxis=y_axis, margin={"t": 12})
