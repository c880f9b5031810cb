"""Figures of members: their voltages, conductances and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spike2pop_nb.conductances import Population
from spike2pop_nb.plots.drawing import Axis, Drawing, Line, Mark, Panel, Points, Rule, Strokes
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, GREY, RED, FloatArray, by_verdict, decimate, time_unit
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["V_AXIS", "conductances", "scores", "traces"]

V_AXIS = Axis(range=(-95.0, 72.0), ticks=(-80, 0), fixed=True)
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
    until = until if until_ms is None else min(until, until_ms)
    factor, unit = time_unit(until)
    # without a given end, there is more on both sides to move to
    before, after = (0.25, 2.5) if until_ms is None else (0.04, 1.0)
    recorded = factor * recorded[recorded <= (np.inf if until_ms is None else until)]
    limits = (-0.04 * factor * until, factor * until)
    time = Axis(f"time from the first spike ({unit})", limits, grid=False)
    panels: list[Panel] = []
    if recorded.size and train is not None:
        strokes = Strokes(recorded, width=1.6, colour=RED, hover=f"%{{x:.6g}} {unit}")
        hidden = Axis(range=(-0.1, 1.1), hidden=True)
        panels = [Panel(time, hidden, [strokes], f"recording {train.id}" * (k == 0)) for k in range(columns)]
    weights = [0.45] * bool(panels) + [1.0] * -(-len(chosen) // columns)
    for place, row in enumerate(chosen):
        spikes, member = simulated.spike_times_ms[row], simulated.labels[row][1]
        start = float(spikes[0]) if len(spikes) else simulated.transient_ms
        marks: list[Mark] = [Strokes(factor * (spikes - start), -60, 40, 1.0, colour=BLUE, member=member)]
        if simulated.V_mV.size:
            t = simulated.time_ms - start
            near = (t >= -before * until) & (t <= after * until)
            x, y = decimate(factor * t[near], simulated.V_mV[row][near], most_points)
            marks = [Line(x, y, colour=BLUE, member=member, hover=f"%{{y:.0f}} mV at %{{x:.5g}} {unit}")]
        if recorded.size:
            marks.append(Strokes(recorded, 52.0, 66.0, colour=RED))
        first = place % columns == 0 if columns > 1 else place == 0
        axis = replace(V_AXIS, title="V (mV)" if first else "")
        text = labels[place] if labels is not None else f"member {member}"
        panels.append(Panel(time, axis, marks, text))
    gaps = (0.06, min(0.03, 0.24 / max(1, len(weights))))
    tall = height or 80 + 70 * len(panels)
    return Drawing(panels, tall, columns=columns, weights=weights or None, gaps=gaps, share_x=True)


@figure
def conductances(
    population: Population,
    passed: Any = None,
    height: int = 300,
    *,
    most: int | None = None,
    words: tuple[str, str] = ("passed", "did not pass"),
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
    words : (str, str)
        What the two kinds of members are called, such as `KEPT_OR_LOST`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> figure = s2p.plots.conductances(population)
    >>> len(figure.data) > 0
    True
    """
    n, names = len(population), population.channel_names
    median = np.median(population.g, axis=0)
    g = population.g[:most]
    fold = g / np.where(median > 0, median, 1.0)
    low, high = float(fold.min(initial=np.inf)), float(fold.max(initial=0.0))
    y = Axis.holding("conductance / median", low, high)
    place = np.log(fold) if y.log else fold
    step = max(float(np.ptp(place)) if fold.size else 0.0, 1e-9) / 45
    shift = np.stack([_swarm(column, step) for column in place.T], axis=1)
    labels = population.table["member"].to_numpy()[:most]
    marks: list[Mark] = [Rule(y=1.0, width=0.8, dash="solid", colour=GREY)]
    for mask, look in by_verdict(None if passed is None else passed[:most], len(g), words=words):
        members = labels[mask]
        look |= {"size": 6 if len(g) <= 64 else 4, "opacity": 0.8, "legend": passed is not None}
        look["members"] = [f"{member}/{name}" for member in members for name in names]
        look["values"] = np.stack([g[mask].ravel(), np.repeat(members, len(names)).astype(float)], axis=1)
        hover = "member %{customdata[1]:.0f}: %{customdata[0]:.4g} mS/cm²"
        x = np.arange(len(names)) + shift[mask]
        marks.append(Points(x.ravel(), fold[mask].ravel(), hover=hover, **look))
    written = [f"{m:.3g}" if m < 1000 else f"{m:.0f}" for m in median]
    under = [f"{name}\n{m}" for name, m in zip(names, written, strict=True)]
    ends, title = (-0.6, len(names) - 0.4), "conductance, and its median (mS/cm²)"
    channels = Axis(title, ends, ticks=range(len(names)), labels=under, grid=False)
    note = f"{len(g)} of {n} members" if len(g) < n else ""
    return Drawing([Panel(channels, y, marks)], height, note=note, legend=passed is not None)


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
    marks: list[Mark] = []
    for mask, look in by_verdict(table["passed"], len(table)):
        part = table[mask]
        columns = (part[name] for name in ("member", "pattern", "rate_hz", "reasons"))
        told = [f"member {m}: {kind}, {hz:.3g} Hz\n{why}" for m, kind, hz, why in zip(*columns, strict=True)]
        cross = {"symbol": "x", "size": 7, "filled": True}
        look |= {"symbol": "circle", "size": 8} if look["filled"] else cross
        who = {"members": part["member"], "texts": told, "hover": "score %{y:.2f}\n%{text}", "legend": True}
        marks.append(Points(part["member"], part["score"], **look, **who))
    x = Axis("member", (-0.8, max(table["member"].max(), 1) + 0.8))
    return Drawing([Panel(x, Axis("score (1: alike)", (-0.04, 1.06)), marks)], height, legend=True)
