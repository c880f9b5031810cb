"""Publication figures of what members are made of: currents, conductance pairs, DIC curves, return maps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from spike2pop_nb.conductances import dic_curves as compute_curves
from spike2pop_nb.conductances import find_threshold, pair_correlations
from spike2pop_nb.export.pictures import best_currents
from spike2pop_nb.export.sheet import legend, log_axis, sheet, title
from spike2pop_nb.fidelity import Result
from spike2pop_nb.plots.currents import channel_colour, moments, window_of
from spike2pop_nb.plots.style import BLUE, GREY, INK, ORANGE, RED, FloatArray, spread
from spike2pop_nb.simulation import Currents

__all__ = ["DRAWN_OF_MEMBERS"]

_MOST_DOTS, _MOST_CURVES, _MOST_MAPS, _MOST_MOMENTS, _MOST_PAIRS = 150, 48, 32, 900, 100


def currents(result: Result, width_mm: float) -> Figure | None:
    found = best_currents(result)
    if found is None:
        return None
    window = window_of(found)
    at = moments(found, window, _MOST_MOMENTS)
    t = found.time_ms[at] - window[0]
    figure = sheet(width_mm, 100)
    rows = figure.subplots(5, 1, sharex=True, height_ratios=[1.0, 0.6, 1.4, 1.4, 0.6])
    rows[0].plot(t, found.V_mV[at], color=INK, linewidth=0.6)
    rows[0].set(ylabel="V (mV)")
    rows[0].yaxis.set_major_locator(FixedLocator([-80, -40, 0, 40]))
    # the name above all of it, and of which member
    title(rows[0], result, width_mm)
    rows[0].set_title(f"member {found.label[1]}", loc="right", fontsize=6.5)
    for row, total, share, upside in (
        (1, found.outward, found.shares()[0], True),
        (4, found.inward, found.shares()[1], False),
    ):
        _total(rows[row], t, total[at], "outward" if upside else "inward")
        shares = rows[2 if upside else 3]
        colours = [_rgb(channel_colour(c, len(share))) for c in range(len(share))]
        shares.stackplot(t, 100 * share[:, at], colors=colours, linewidth=0)
        shares.set(ylim=(0, 100), ylabel="outward (%)" if upside else "inward (%)")
        shares.yaxis.set_major_locator(FixedLocator([50, 100]))
        if not upside:
            shares.invert_yaxis()
            rows[row].invert_yaxis()
    figure.align_ylabels(list(rows))
    rows[4].set(xlabel="time (ms)", xlim=(0, window[1] - window[0]))
    figure.legend(handles=_keys(found), loc="outside upper center", ncols=8 if width_mm >= 120 else 4)
    return figure


def _total(axes: Axes, t: FloatArray, total: FloatArray, words: str) -> None:
    """A sum of currents on a logarithmic scale; what is nearly nothing lies under the axis."""
    positive = total[total > 0]
    low = float(np.quantile(positive, 0.005)) if positive.size else 0.1
    high = float(positive.max()) if positive.size else 1.0
    axes.plot(t, np.maximum(total, low), color=INK, linewidth=0.6)
    axes.set(yscale="log", ylim=(0.8 * low, 2 * high), ylabel="µA/cm²")
    decades = np.arange(np.ceil(np.log10(low)), np.log10(high) + 1e-9)
    axes.yaxis.set_major_locator(FixedLocator(list(10.0 ** decades[:: -(-len(decades) // 3) or 1])))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    clear = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.8}
    place: dict[str, Any] = {"ha": "right", "va": "top", "fontsize": 6, "bbox": clear}
    axes.text(0.995, 0.95, f"total {words}", transform=axes.transAxes, **place)


def _rgb(text: str) -> str:
    """The colour "rgb(r,g,b)" as Matplotlib takes it."""
    return "#" + "".join(f"{int(part):02x}" for part in text[4:-1].split(","))


def _keys(found: Currents) -> list[Patch]:
    names = found.neuron.channel_names
    return [Patch(color=_rgb(channel_colour(c, len(names))), label=name) for c, name in enumerate(names)]


def pairs(result: Result, width_mm: float) -> Figure | None:
    if result.population is None or result.verdict is None:
        return None
    names, passed = result.population.channel_names, result.verdict.passed
    n, g = len(names), result.population.g
    counted = passed if passed.sum() >= 4 else np.ones(len(g), dtype=bool)
    table = pair_correlations(result.population, counted)
    dots = spread(len(g), _MOST_PAIRS)
    figure = sheet(width_mm, 0.82 * width_mm + 6)
    figure.set_layout_engine("none")
    left, top = 9.0 / width_mm, 0.955
    grid = figure.add_gridspec(n, n, left=left, right=0.995, bottom=left, top=top, wspace=0.1, hspace=0.1)
    # numbers and names stand in one field over all: axes of their own for each would take seconds
    field = figure.add_axes((left, left, 0.995 - left, top - left), xlim=(0, n), ylim=(n, 0))
    field.set_axis_off()
    small, dot = (5.0, 1.6) if width_mm >= 120 else (3.2, 0.9)
    values = table[["pearson", "spearman"]].to_numpy(float)
    each = zip(combinations(range(n), 2), values, table["significant"], strict=True)
    for (column, row), (pearson, spearman), significant in each:
        axes = figure.add_subplot(grid[row, column])
        for mask, fill, edge in ((passed, BLUE, BLUE), (~passed, "none", GREY)):
            of = dots[mask[dots]]
            drawn = axes.plot(g[of, column], g[of, row], "o", markersize=dot)
            drawn[0].set(markerfacecolor=fill, markeredgecolor=edge, markeredgewidth=0.4)
        axes.margins(0.08)
        for axis, outer in ((axes.xaxis, row == n - 1), (axes.yaxis, column == 0)):
            axis.set_major_locator(MaxNLocator(2) if outer else NullLocator())
            axis.set_tick_params(labelsize=small, length=1.5, pad=1)
        _number(field, row + 0.5, column + 0.5, pearson, spearman, bool(significant), small)
    for i, name in enumerate(names):
        field.text(i + 0.5, i + 0.5, name, ha="center", va="center", fontsize=1.4 * small, fontweight="bold")
    some = "" if dots.size == len(g) else f"; {dots.size} of {len(g)} drawn"
    who = "members that passed" if counted is passed and not passed.all() else "members"
    words = "maximal conductances (mS/cm²); Spearman’s and Pearson’s correlations over"
    words = f"{words} {counted.sum()} {who}{some}"
    figure.text(0.995, 0.99, words, ha="right", va="top", fontsize=1.2 * small)
    return figure


def _number(
    field: Axes, x: float, y: float, pearson: float, spearman: float, significant: bool, small: float
) -> None:
    """Both correlations of a pair, on a colour if they are significant."""
    if not np.isfinite(spearman):
        field.text(x, y, "–", ha="center", va="center", color=GREY)
        return
    if significant:
        look: dict[str, Any] = {"facecolor": BLUE if spearman > 0 else ORANGE, "linewidth": 0}
        field.add_patch(Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, alpha=0.6 * abs(spearman), **look))
    colour = INK if significant else GREY
    for shift, value, size in ((-0.1, spearman, 1.4 * small), (0.24, pearson, small)):
        text = f"{value:z.2f}".replace("-", "−")
        field.text(x, y + shift, text, ha="center", va="center", fontsize=size, color=colour)


def dic_curves(result: Result, width_mm: float) -> Figure | None:
    if result.population is None or result.verdict is None:
        return None
    model = result.neuron
    V = np.arange(model.V_th_mV - 25.0, model.V_th_mV + 25.01, 0.5)
    shown = spread(len(result.population), _MOST_CURVES)
    g, passed = result.population.g[shown], result.verdict.passed[shown]
    curves = compute_curves(model, g, V)
    columns = 4 if width_mm >= 120 else 2
    figure = sheet(width_mm, 48 * 4 / columns)
    panels = figure.subplots(4 // columns, columns, sharex=True, squeeze=False).ravel()
    each = (("g_f", "fast"), ("g_s", "slow"), ("g_u", "ultraslow"), ("g_t", "total"))
    for place, (axes, (name, words)) in enumerate(zip(panels, each, strict=True)):
        axes.axvline(model.V_th_mV, color=RED, linewidth=0.7, linestyle="--", zorder=0)
        axes.axhline(0, color=GREY, linewidth=0.4, zorder=0)
        for mask, colour in ((~passed, GREY), (passed, BLUE)):
            if mask.any():
                axes.plot(V, curves[name][mask].T, color=colour, linewidth=0.5, alpha=0.8)
        axes.set_yscale("asinh", linear_width=1.0)
        largest = float(np.abs(curves[name]).max())
        powers = [10.0**k for k in range(1 if largest > 30 else 0, int(np.log10(max(largest, 1.0))) + 1)]
        powers = powers[:: -(-len(powers) // 3)]
        axes.yaxis.set_major_locator(FixedLocator([*(-p for p in powers), 0.0, *powers]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}".replace("-", "−")))
        axes.set_title(words)
        if place >= 4 - columns:
            axes.set_xlabel("V (mV)")
        if place % columns == 0:
            axes.set_ylabel("DIC / leak conductance")
    thresholds = find_threshold(model, g)
    thresholds = thresholds[np.abs(thresholds - model.V_th_mV) < 25.0]
    panels[3].plot(thresholds, np.zeros_like(thresholds), "D", markersize=2, color=RED)
    return figure


def return_map(result: Result, width_mm: float) -> Figure | None:
    simulated = result.simulated
    if simulated is None or result.verdict is None:
        return None
    figure = sheet(width_mm, min(0.95 * width_mm, 90))
    axes = figure.subplots()
    ends: list[float] = []
    labelled: set[bool] = set()
    for row in spread(len(simulated), _MOST_MAPS):
        isi = np.diff(simulated.spike_times_ms[row])
        if len(isi) < 2:
            continue
        good = bool(result.verdict.passed[row])
        label = None if good in labelled else "passed" if good else "not passed"
        labelled.add(good)
        some = spread(len(isi) - 1, _MOST_DOTS)
        fill = BLUE if good else "none"
        dots = axes.plot(isi[:-1][some], isi[1:][some], "o", markersize=1.8, label=label)
        dots[0].set(
            markerfacecolor=fill, markeredgecolor=BLUE if good else GREY, markeredgewidth=0.4, alpha=0.7
        )
        ends += [float(isi.min()), float(isi.max())]
    isi = result.recording.isi_ms
    if len(isi) > 1:
        some = spread(len(isi) - 1, 10 * _MOST_DOTS)
        axes.plot(
            isi[:-1][some],
            isi[1:][some],
            "+",
            color=RED,
            markersize=4,
            markeredgewidth=0.9,
            label="recording",
        )
        ends += [float(isi.min()), float(isi.max())]
    if not ends:
        return None
    low, high = min(ends), max(ends)
    if 0 < low < high / 8:
        for which in ("x", "y"):
            log_axis(axes, which, low, high)
        limits = (0.85 * low, 1.18 * high)
    else:
        limits = (0.0, 1.06 * high)
    axes.plot(limits, limits, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
    axes.set(xlim=limits, ylim=limits, xlabel="interval (ms)", ylabel="next interval (ms)")
    legend(axes, 3)
    return figure


DRAWN_OF_MEMBERS: dict[str, Callable[[Result, float], Figure | None]] = {
    "pairs": pairs,
    "currents": currents,
    "dic_curves": dic_curves,
    "return_map": return_map,
}
