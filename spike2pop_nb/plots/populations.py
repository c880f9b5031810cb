"""Figures of members: their voltages, conductances and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spike2pop_nb.conductances import Population
from spike2pop_nb.plots.drawing import (
    Axis,
    Drawing,
    Line,
    Mark,
    Panel,
    Points,
    Rule,
    Strokes,
    by_verdict,
    figure,
    scaled,
    time_unit,
)
from spike2pop_nb.plots.style import BLUE, GREY, RED, FloatArray, decimate
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["V_AXIS", "conductances", "scores", "traces"]

V_AXIS: dict[str, Any] = {"range": (-95.0, 72.0), "ticks": (-80, 0), "fixed": True}
"""Axis of a voltage in mV, with strokes of the recording above it."""


@figure
def traces(
    simulated: Simulated,
    train: SpikeTrain | None = None,
    *,
    rows: Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    most_points: int = 3000,
    height: int | None = None,
    until_ms: float | None = None,
    columns: int = 1,
) -> Drawing:
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
    until_ms : float, optional
        End of the stretch shown; that of the recording, or of the simulation if sooner, by default.
    columns : int
        Panels side by side.
    """
    chosen = list(range(min(8, len(simulated)))) if rows is None else [int(row) for row in rows]
    recorded = train.times_ms - train.times_ms[0] if train is not None and train.n_spikes else np.zeros(0)
    span = simulated.duration_ms - simulated.transient_ms
    until = min(span, max(1.15 * float(recorded[-1]), 300.0)) if recorded.size else span
    until = until if until_ms is None else min(until, until_ms)
    factor, unit = time_unit(until)
    # without a given end, there is more on both sides to move to
    before, after = (0.25, 2.5) if until_ms is None else (0.04, 1.0)
    recorded = factor * recorded[recorded <= (np.inf if until_ms is None else until)]
    time = Axis(
        title=f"time from the first spike ({unit})",
        range=(-0.04 * factor * until, factor * until),
        grid=False,
    )
    panels: list[Panel] = []
    if recorded.size and train is not None:
        strokes = Strokes(times=recorded, colour=RED, width=1.6, hover=f"%{{x:.6g}} {unit}")
        hidden = Axis(hidden=True, range=(-0.1, 1.1))
        head = Panel(x=time, y=hidden, marks=[strokes], title=f"recording {train.id}")
        panels += [head, *[Panel(x=time, y=hidden, marks=[strokes])] * (columns - 1)]
    for place, row in enumerate(chosen):
        spikes, member = simulated.spike_times_ms[row], simulated.labels[row][1]
        start = float(spikes[0]) if len(spikes) else simulated.transient_ms
        marks: list[Mark]
        if simulated.V_mV.size:
            t = simulated.time_ms - start
            near = (t >= -before * until) & (t <= after * until)
            x, y = decimate(factor * t[near], simulated.V_mV[row][near], most_points)
            hover = f"%{{y:.0f}} mV at %{{x:.5g}} {unit}"
            marks = [Line(x=x, y=y, colour=BLUE, member=member, hover=hover)]
        else:
            marks = [
                Strokes(
                    times=factor * (spikes - start), low=-60, high=40, width=1, colour=BLUE, member=member
                )
            ]
        if recorded.size:
            marks.append(Strokes(times=recorded, low=52.0, high=66.0, colour=RED))
        text = labels[place] if labels is not None else f"member {member}"
        axis = Axis(title="V (mV)" if place % columns == 0 and (place == 0 or columns > 1) else "", **V_AXIS)
        panels.append(Panel(x=time, y=axis, marks=marks, title=text))
    heads = [0.45] if recorded.size else []
    weights = heads + [1.0] * -(-len(chosen) // columns)
    return Drawing(
        panels=panels,
        height=height or 80 + 70 * len(panels),
        columns=columns,
        weights=weights or None,
        gaps=(0.06, min(0.03, 0.24 / max(1, len(weights)))),
        share_x=True,
    )


@figure
def conductances(
    population: Population, passed: Any = None, height: int = 300, *, most: int | None = None
) -> Drawing:
    """Spread of each maximal conductance over the members, as a fold of its median.

    Parameters
    ----------
    population : Population
        The members.
    passed : (n,) bool, optional
        Members that passed are filled circles, the others open ones.
    height : int
        In pixels.
    most : int, optional
        Members drawn at most, the first; all by default. Medians are those of all.
    """
    n, names = len(population), population.channel_names
    median = np.median(population.g, axis=0)
    g = population.g[:most]
    fold = g / np.where(median > 0, median, 1.0)
    low, high = float(fold.min(initial=np.inf)), float(fold.max(initial=0.0))
    scale = scaled(low, high, from_zero=True)
    place = np.log(fold) if scale.get("log") else fold
    step = max(float(np.ptp(place)) if fold.size else 0.0, 1e-9) / 45
    shift = np.stack([_swarm(column, step) for column in place.T], axis=1)
    labels = population.table["member"].to_numpy()[:most]
    marks: list[Mark] = [Rule(y=1.0, colour=GREY, width=0.8, dash="solid")]
    for mask, look in by_verdict(None if passed is None else passed[:most], len(g)):
        members = labels[mask]
        marks.append(
            Points(
                x=(np.arange(len(names)) + shift[mask]).ravel(),
                y=fold[mask].ravel(),
                members=[f"{member}/{name}" for member in members for name in names],
                values=np.stack([g[mask].ravel(), np.repeat(members, len(names)).astype(float)], axis=1),
                size=6 if len(g) <= 64 else 4,
                opacity=0.8,
                hover="member %{customdata[1]:.0f}: %{customdata[0]:.4g} mS/cm²",
                legend=passed is not None,
                **look,
            )
        )
    written = [f"{m:.3g}" if m < 1000 else f"{m:.0f}" for m in median]
    x = Axis(
        ticks=range(len(names)),
        labels=[f"{name}\n{m}" for name, m in zip(names, written, strict=True)],
        range=(-0.6, len(names) - 0.4),
        title="conductance, and its median (mS/cm²)",
        grid=False,
    )
    return Drawing(
        panels=[Panel(x=x, y=Axis(title="conductance / median", **scale), marks=marks)],
        height=height,
        legend=passed is not None,
        note=f"{len(g)} of {n} members" if len(g) < n else "",
    )


def _swarm(place: FloatArray, step: float, width: float = 0.1) -> FloatArray:
    """Sideways shifts (n,) of dots at these heights, so that those within a step lie side by side."""
    shift = np.zeros(len(place))
    bins = np.round(place / step)
    for level in np.unique(bins):
        same = np.flatnonzero(bins == level)
        shift[same] = np.arange(len(same)) - 0.5 * (len(same) - 1)
    return shift * min(width, 0.42 / max(float(np.abs(shift).max(initial=0.0)), 1e-9))


@figure
def scores(verdict: Any, height: int = 240) -> Drawing:
    """Score of each member, 1 for one that fires like the recording; crosses did not pass.

    Parameters
    ----------
    verdict : Verdict
        Its ``table`` has columns member, score, passed, pattern, rate_hz and reasons.
    height : int
        In pixels.
    """
    table = verdict.table
    marks: list[Mark] = []
    for mask, look in by_verdict(table["passed"], len(table)):
        part = table[mask]
        columns = (part[name] for name in ("member", "pattern", "rate_hz", "reasons"))
        marks.append(
            Points(
                x=part["member"],
                y=part["score"],
                members=part["member"],
                size=8 if look["filled"] else 7,
                texts=[
                    f"member {m}: {kind}, {rate:.3g} Hz\n{why}"
                    for m, kind, rate, why in zip(*columns, strict=True)
                ],
                hover="score %{y:.2f}\n%{text}",
                legend=True,
                **look | {"symbol": "circle" if look["filled"] else "x", "filled": True},
            )
        )
    x = Axis(title="member", range=(-0.8, max(table["member"].max(), 1) + 0.8))
    panel = Panel(x=x, y=Axis(title="score (1: alike)", range=(-0.04, 1.06)), marks=marks)
    return Drawing(panels=[panel], height=height, legend=True)
