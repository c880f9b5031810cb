"""Publication figures of choices of compensated conductances: their ranking, and maps over the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullLocator

from spike2pop_nb.conductances import Ranking, Reachability
from spike2pop_nb.export.sheet import mean_and_sd, sheet, shown
from spike2pop_nb.fidelity import PATTERNS, PatternMap
from spike2pop_nb.plots.dics import enclosed
from spike2pop_nb.plots.plane import CLOSED, LAYERS, PATTERN_FILLS, PATTERN_MARKS
from spike2pop_nb.plots.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, FloatArray

__all__ = ["draw_plane", "draw_rankings"]

_SYMBOLS = ("x", "o", "^", "s")  # of PATTERNS
_MOST_MARKED = 31  # nodes a side that are told apart by symbols too
_VECTORS = 61  # nodes a side that an SVG holds one by one


def draw_rankings(rankings: Mapping[str, Ranking], whose: str, width_mm: float) -> Figure:
    """Scores of all choices, an axis for each recording."""
    rows = max(len(ranking) for ranking in rankings.values())
    figure = sheet(width_mm, (12 + 3.4 * rows) * len(rankings))
    grid = figure.subplots(len(rankings), 1, squeeze=False, sharex=True)
    for axes, (name, ranking) in zip(grid[:, 0], rankings.items(), strict=True):
        places = np.arange(len(ranking))
        colours = [BLUE if choice is ranking.best or choice.tied else GREY for choice in ranking.choices]
        bars = axes.barh(places, [choice.score for choice in ranking.choices], 0.7, color=colours)
        labels = []
        for place, choice in enumerate(ranking.choices):
            labels.append(choice.name + (" *" if choice.published else ""))
            if choice.published:
                bars[place].set(edgecolor=ORANGE, linewidth=1.2)
        axes.set_yticks(places, labels)
        axes.set(ylim=(len(ranking) - 0.4, -0.6))
        axes.tick_params(axis="y", length=0)
        axes.set_title(f"{whose} {shown(name, round(0.5 * width_mm))}")
    highest = max(ranking.best.score for ranking in rankings.values())
    grid[-1, 0].set_xlim(0, 1.05 * highest or 1.0)
    grid[-1, 0].set_xlabel(
        "score (blue: as good as the first, as far as can be told; *: published heuristic)"
    )
    return figure


def draw_plane(
    reach: Reachability,
    firing: PatternMap | None,
    posterior: Any,
    target: Sequence[float] | None,
    width_mm: float,
) -> Figure:
    """What a choice reaches, how well it is solved, and how members fire where that was simulated."""
    layers = ["reached", "condition", "residual", *(("pattern", "rate") if firing is not None else ())]
    columns = 3 if width_mm >= 120 else 1
    rows = -(-len(layers) // columns)
    figure = sheet(width_mm, (12 + 0.72 * width_mm / columns) * rows + (8 if firing is not None else 0))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes in grid[len(layers) :]:
        axes.set_axis_off()
    s_range, u_range = (reach.neuron.dic_range[name] for name in ("g_s", "g_u"))
    for place, (axes, layer) in enumerate(zip(grid, layers, strict=False)):
        axes.set_facecolor(CLOSED)
        if firing is not None and layer == "pattern":
            _patterns(axes, firing)
        else:
            _layer(figure, axes, reach, firing, layer)
        if posterior is not None and posterior.usable:
            g_s, g_u, held = enclosed(posterior, (s_range, u_range), 121)
            axes.contour(g_s, g_u, held, levels=[0.5, 0.95], colors=[BLUE], linewidths=0.7)
            mean_and_sd(axes, posterior)
        if target is not None:
            axes.plot(*target, "+", color=INK, markersize=7, markeredgewidth=1.2)
        axes.set(xlim=s_range, ylim=u_range)
        axes.set_title(LAYERS[layer])
        if place + columns >= len(layers):
            axes.set_xlabel("slow DIC / leak conductance")
            axes.tick_params(labelbottom=True)
        if place % columns == 0:
            axes.set_ylabel("ultraslow DIC / leak")
    if firing is not None:
        handles: list[Any] = [
            Patch(facecolor=fill, edgecolor=mark, linewidth=0.6, label=str(name))
            for name, fill, mark in zip(PATTERNS, PATTERN_FILLS, PATTERN_MARKS, strict=True)
        ]
        handles.append(Patch(facecolor=CLOSED, label="not reached"))
        figure.legend(handles=handles, loc="outside lower center", ncols=5 if width_mm >= 120 else 2)
    return figure


def _layer(figure: Figure, axes: Axes, reach: Reachability, firing: PatternMap | None, layer: str) -> None:
    norm: Normalize
    if layer == "reached":
        z, colour, norm, low = 100 * reach.valid_fraction, "white", Normalize(0, 100), CLOSED
    elif layer == "condition":
        z, colour, low = np.where(np.isfinite(reach.condition), reach.condition, np.nan), ORANGE, "white"
        norm = LogNorm(1, max(100.0, float(np.nanmax(z, initial=1))))
    elif layer == "residual":
        # white up to the tolerance of the solve: what is below is rounding
        z = np.clip(np.where(np.isfinite(reach.residual), reach.residual, np.nan), 1e-6, None)
        colour, low, norm = PURPLE, "white", LogNorm(1e-6, max(1.0, float(np.nanmax(z, initial=1))))
    else:
        assert firing is not None
        z, colour, low = firing.rate_hz, GREEN, "white"
        norm = Normalize(0, max(1.0, float(np.nanmax(z, initial=1))))
    area = _area(axes, reach.g_s, reach.g_u, z, LinearSegmentedColormap.from_list(layer, [low, colour]), norm)
    bar = figure.colorbar(area, ax=axes, pad=0.02, aspect=30)
    if isinstance(norm, LogNorm):
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))


def _area(axes: Axes, g_s: FloatArray, g_u: FloatArray, z: FloatArray, colours: Any, norm: Normalize) -> Any:
    return axes.pcolormesh(
        g_s, g_u, z, cmap=colours, norm=norm, shading="nearest", rasterized=len(g_s) > _VECTORS
    )


def _patterns(axes: Axes, firing: PatternMap) -> None:
    pattern = firing.pattern
    z = np.where(pattern >= 0, pattern, np.nan)
    _area(
        axes, firing.g_s, firing.g_u, z, ListedColormap(PATTERN_FILLS), Normalize(-0.5, len(PATTERNS) - 0.5)
    )
    if len(firing.g_s) > _MOST_MARKED:
        return
    for k, (symbol, colour) in enumerate(zip(_SYMBOLS, PATTERN_MARKS, strict=True)):
        rows, columns = np.nonzero(pattern == k)
        axes.plot(
            firing.g_s[columns],
            firing.g_u[rows],
            symbol,
            color=colour,
            markersize=1.4,
            markerfacecolor="none",
            markeredgewidth=0.4,
        )
