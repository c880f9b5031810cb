"""The publication figures one by one: a result and a width in mm in, a Matplotlib figure or nothing out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, MultipleLocator

from spike2pop_nb.export.sheet import (
    MM,
    legend,
    log_axis,
    mean_and_sd,
    sheet,
    strokes,
    time_unit,
    title,
)
from spike2pop_nb.fidelity import Result
from spike2pop_nb.plots.dics import enclosed
from spike2pop_nb.plots.style import BLUE, GREEN, GREY, RED, FloatArray, decimate, thinned
from spike2pop_nb.simulation import Simulated

__all__ = ["DRAWN"]

_MOST_TRACES, _MOST_ROWS, _MOST_DOTS = 8, 64, 400
_SPIKES_SHOWN, _SHORTEST_MS = 40, 300.0


def recording(result: Result, width_mm: float) -> Figure | None:
    train = result.recording
    if not train.n_spikes:
        return None
    factor, unit = time_unit(float(np.ptp(train.times_ms)))
    figure = sheet(width_mm, 55)
    rows = figure.subplots(2, 1, sharex=True, height_ratios=[1, 4])
    strokes(rows[0], factor * thinned(train.times_ms), 0, 1, "black", 0.5)
    rows[0].set_axis_off()
    title(rows[0], result, width_mm)
    isi = train.isi_ms
    if isi.size:
        at, shown = decimate(factor * train.times_ms[1:], isi)
        rows[1].plot(at, shown, "o", markersize=2.2, color=BLUE, markeredgewidth=0)
        if isi.max() > 8 * isi.min():
            log_axis(rows[1], "y", float(isi.min()), float(isi.max()))
        else:
            rows[1].set_ylim(0, 1.08 * float(isi.max()))
    rows[1].set(xlabel=f"time ({unit})", ylabel="interval (ms)")
    return figure


def _window(result: Result, points: FloatArray) -> FloatArray:
    """Limits (2, 2) that hold all but 2 % of the posterior, and the members."""
    ranges = np.array([result.neuron.dic_range[name] for name in ("g_s", "g_u")], dtype=float)
    g_s, g_u, held = enclosed(result.posterior, ranges, 121)
    inside = held <= 0.98
    inside.flat[held.argmin()] = True
    limits = []
    for i, (grid, within) in enumerate(((g_s, inside.any(axis=0)), (g_u, inside.any(axis=1)))):
        shown = np.concatenate([grid[within], points[:, i]])
        pad = 0.02 * np.ptp(ranges[i]) + 0.06 * np.ptp(shown)
        limits.append([shown.min() - pad, shown.max() + pad])
    return np.array(limits)


def posterior(result: Result, width_mm: float) -> Figure | None:
    found = result.posterior
    if not getattr(found, "usable", False):
        return None
    points = np.zeros((0, 2))
    passed = np.zeros(0, dtype=bool)
    if result.population is not None and result.verdict is not None:
        points = result.population.table[["g_s", "g_u"]].to_numpy(float)
        passed = result.verdict.passed
    window = _window(result, points)
    g_s, g_u, held = enclosed(found, window, 201)

    figure = sheet(width_mm, 0.5 * width_mm + 33)
    axes = figure.subplots()
    strong, light = "#8FC1E0", "#D6E8F4"
    axes.contourf(g_s, g_u, held, levels=[0, 0.5, 0.95], colors=[strong, light])
    axes.contour(g_s, g_u, held, levels=[0.5, 0.95], colors=[BLUE], linewidths=0.6)
    handles: list[Any] = [
        Patch(facecolor=strong, edgecolor=BLUE, linewidth=0.6, label="50 %"),
        Patch(facecolor=light, edgecolor=BLUE, linewidth=0.6, label="95 %"),
    ]
    for mask, fill, label in ((passed, GREEN, "passed"), (~passed, "none", "not passed")):
        if mask.any():
            style: dict[str, Any] = {"markersize": 2.6, "markerfacecolor": fill, "markeredgecolor": GREEN}
            handles += axes.plot(*points[mask].T, "o", markeredgewidth=0.6, label=label, **style)
    handles.append(mean_and_sd(axes, found))
    axes.set(xlim=window[0], ylim=window[1])
    axes.set(xlabel="slow DIC / leak conductance", ylabel="ultraslow DIC / leak conductance")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    figure.legend(handles=handles, loc="outside upper center", ncols=3 if width_mm < 120 else 5)
    return figure


def conductances(result: Result, width_mm: float) -> Figure | None:
    if result.population is None or result.verdict is None:
        return None
    g, names = result.population.g, result.population.channel_names
    median = np.median(g, axis=0)
    fold = (g / np.where(median > 0, median, 1.0))[:_MOST_DOTS]
    passed = result.verdict.passed[:_MOST_DOTS]
    wide = fold.min() > 0 and fold.max() > 8 * fold.min()
    height_mm = 60.0
    figure = sheet(width_mm, height_mm)
    axes = figure.subplots()
    axes.axhline(1.0, color=GREY, linewidth=0.5, zorder=0)
    place = np.log(fold) if wide else fold
    # a dot's size, as a share of the axis
    size = 2.3 if len(fold) <= 64 else 1.5
    step = max(float(np.ptp(place)), 1e-9) * size / (height_mm * MM * 72 * 0.7)
    room = width_mm * MM * 72 * 0.9 / len(names)
    shift = [_swarm(place[:, i], step, 1.25 * size / room) for i in range(len(names))]
    x = np.arange(len(names)) + np.stack(shift, axis=1)
    for mask, fill, edge, label in ((passed, BLUE, BLUE, "passed"), (~passed, "none", GREY, "not passed")):
        if mask.any():
            dots = axes.plot(x[mask].ravel(), fold[mask].ravel(), "o", markersize=size, label=label)
            dots[0].set(markerfacecolor=fill, markeredgecolor=edge, markeredgewidth=0.6)
    if wide:
        log_axis(axes, "y", float(fold.min()), float(fold.max()))
    else:
        axes.set_ylim(0, 1.05 * float(fold.max()))
    digits = 3 if width_mm >= 120 else 2
    labels = [f"{name}\n{_number(m, digits)}" for name, m in zip(names, median, strict=True)]
    axes.set_xticks(range(len(names)), labels)
    axes.set_xlim(-0.6, len(names) - 0.4)
    some = f"\n{len(fold)} of {len(g)} members" if len(fold) < len(g) else ""
    axes.set(xlabel=f"conductance, and its median (mS/cm²){some}", ylabel="conductance / median")
    title(axes, result, 0.6 * width_mm)
    legend(axes, 2)
    return figure


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if value < 10**digits else f"{value:.0f}"


def _swarm(place: FloatArray, step: float, width: float) -> FloatArray:
    """Sideways shifts (n,) of dots at these heights, so that those within a step lie side by side."""
    shift = np.zeros(len(place))
    bins = np.round(place / step)
    for level in np.unique(bins):
        same = np.flatnonzero(bins == level)
        shift[same] = np.arange(len(same)) - 0.5 * (len(same) - 1)
    return shift * min(width, 0.42 / max(float(np.abs(shift).max()), 1e-9))


def _window_ms(result: Result, simulated: Simulated) -> float:
    """How much time to show: some forty spikes of the recording, if it and the members last that long."""
    times = result.recording.times_ms
    until = 1.04 * float(times[min(_SPIKES_SHOWN, len(times) - 1)] - times[0])
    return min(simulated.duration_ms - simulated.transient_ms, max(until, _SHORTEST_MS))


def traces(result: Result, width_mm: float) -> Figure | None:
    simulated = result.simulated
    if simulated is None or result.verdict is None or not simulated.V_mV.size:
        return None
    members = np.flatnonzero(~simulated.failed)[:_MOST_TRACES]
    shown = len(members)
    if not shown:
        return None
    columns = 1 if width_mm < 120 or shown == 1 else 2
    rows = math.ceil(shown / columns)
    until = _window_ms(result, simulated)
    factor, unit = time_unit(until)
    recorded = result.recording.times_ms - result.recording.times_ms[0]
    recorded = recorded[recorded <= until]
    voltages = simulated.V_mV[members]
    lowest, highest = float(voltages.min()), float(voltages.max())
    figure = sheet(width_mm, 22 + 15.5 * rows)
    grid = figure.subplots(
        rows + 1, columns, sharex=True, sharey="row", squeeze=False, height_ratios=[0.35] + [1.0] * rows
    )
    for axes in grid[0]:
        strokes(axes, factor * recorded, 0, 1, RED, 0.7)
        axes.set_axis_off()
    title(grid[0, 0], result, width_mm / columns)
    for place in range(rows * columns):
        axes = grid[1 + place // columns, place % columns]
        if place >= shown:
            axes.set_axis_off()
            continue
        row = int(members[place])
        spikes = simulated.spike_times_ms[row]
        start = float(spikes[0]) if len(spikes) else simulated.transient_ms
        t = simulated.time_ms - start
        near = (t >= -0.04 * until) & (t <= until)
        x, y = decimate(t[near], simulated.V_mV[row][near], 3000)
        axes.plot(factor * x, y, color=BLUE, linewidth=0.6)
        verdict = result.verdict.table.iloc[row]
        judged = "" if verdict["passed"] else ", not passed"
        axes.set_title(f"member {simulated.labels[row][1]}{judged}", fontsize=6.5, pad=1, loc="right")
        axes.set(ylim=(lowest - 12, highest + 8), xlim=(-0.04 * factor * until, factor * until))
        axes.yaxis.set_major_locator(MultipleLocator(40))
        below = place + columns
        if below < shown:
            axes.tick_params(labelbottom=False)
        else:
            axes.set_xlabel(f"time from the first spike ({unit})")
            axes.tick_params(labelbottom=True)
    for axes in grid[1:, 0]:
        axes.set_ylabel("V (mV)")
    return figure


def raster(result: Result, width_mm: float) -> Figure | None:
    simulated = result.simulated
    if simulated is None or result.verdict is None:
        return None
    rows = min(_MOST_ROWS, len(simulated))
    span = simulated.duration_ms - simulated.transient_ms
    until = min(span, max(1.05 * result.recording.duration_ms, _SHORTEST_MS))
    factor, unit = time_unit(until)
    a_row = max(1.5, min(2.7, 24 / rows), 8 / rows)
    figure = sheet(width_mm, 24 + a_row * rows)
    lift = max(1.6, 3.2 / a_row)  # of the recording above the members, so that the labels keep apart
    axes = figure.subplots()
    recorded = result.recording.times_ms - result.recording.times_ms[0]
    strokes(axes, factor * thinned(recorded[recorded <= until]), -lift - 0.8, -lift + 0.8, RED, 0.7)
    for row in range(rows):
        times = simulated.spike_times_ms[row]
        if len(times):
            times = times[times <= times[0] + until] - times[0]
        colour = BLUE if result.verdict.passed[row] else GREY
        strokes(axes, factor * thinned(times), row - 0.4, row + 0.4, colour, 0.55)
    every = max(math.ceil(2.6 / a_row), math.ceil(rows / 10))
    numbers = list(range(0, rows, every))
    names = [str(simulated.labels[row][1]) for row in numbers]
    axes.set_yticks([-lift, *numbers], ["recording", *names])
    axes.set(ylim=(rows - 0.3, -lift - 1.2), xlim=(-0.01 * factor * until, factor * until))
    some = f" ({rows} of {len(simulated)})" if rows < len(simulated) else ""
    axes.set(xlabel=f"time from the first spike ({unit})", ylabel=f"member{some}")
    title(axes, result, 0.6 * width_mm)
    for keep, colour, label in ((True, BLUE, "passed"), (False, GREY, "not passed")):
        if (result.verdict.passed[:rows] == keep).any():
            axes.plot([], [], color=colour, linewidth=1.6, label=label)
    legend(axes, 2)
    return figure


def intervals(result: Result, width_mm: float) -> Figure | None:
    simulated = result.simulated
    if simulated is None or result.verdict is None:
        return None
    figure = sheet(width_mm, 62)
    axes = figure.subplots()
    labelled: set[bool] = set()
    shortest, longest = np.inf, 0.0
    for row in range(min(_MOST_ROWS, len(simulated))):
        isi = _thinned_sample(np.diff(simulated.spike_times_ms[row]))
        if not isi.size:
            continue
        good = bool(result.verdict.passed[row])
        label = None if good in labelled else "passed" if good else "not passed"
        labelled.add(good)
        axes.ecdf(isi, color=BLUE if good else GREY, linewidth=0.5, alpha=0.7, label=label)
        shortest, longest = min(shortest, isi.min()), max(longest, isi.max())
    isi = _thinned_sample(result.recording.isi_ms)
    axes.ecdf(isi, color=RED, linewidth=1.4, label="recording")
    shortest, longest = min(shortest, isi.min()), max(longest, isi.max())
    if longest > 8 * shortest:
        log_axis(axes, "x", shortest, longest)
    else:
        axes.set_xlim(0, 1.05 * longest)
    axes.set(xlabel="interval (ms)", ylabel="share of intervals up to there", ylim=(0, 1.02))
    legend(axes, 3)
    return figure


def _thinned_sample(isi: FloatArray, most: int = 500) -> FloatArray:
    """A sample of the same distribution, of bounded size."""
    return isi if isi.size <= most else np.quantile(isi, np.linspace(0, 1, most))


DRAWN: dict[str, Callable[[Result, float], Figure | None]] = {
    "recording": recording,
    "posterior": posterior,
    "conductances": conductances,
    "traces": traces,
    "raster": raster,
    "intervals": intervals,
}
