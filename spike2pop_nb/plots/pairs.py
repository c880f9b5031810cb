"""Conductances against each other, with their correlations: those of a population, and of a posterior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import Population, pair_correlations
from spike2pop_nb.fidelity import DrawnPosterior, Verdict
from spike2pop_nb.plots.drawing import Axis, Cell, Drawing, Line, Mark, Panel, Points
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, GREY, INK, ORANGE, FloatArray, by_verdict, spread

__all__ = ["conductance_pairs", "posterior_pairs"]

_FEWEST = 4  # members that passed, below which correlations are those of all
_BINS, _NODES = 14, 57
_TALL = 0.8  # of a panel, for the highest bar
_HARDLY = 0.1  # rank correlation below which a field stays blank


@figure
def conductance_pairs(
    population: Population,
    verdict: Verdict | Sequence[bool] | FloatArray | None = None,
    *,
    by_leak: bool = False,
    most: int = 200,
    height: int | None = None,
    words: tuple[str, str] = ("passed", "did not pass"),
) -> Drawing:
    """Scatter plots of every pair of maximal conductances; opposite each, its correlations.

    Members are drawn such that their conductances scale with the leak (Fyon et al. 2024), so all of them
    correlate; ``by_leak`` takes that away.

    The large number is Spearman's rank correlation, the small one Pearson's; the field is the darker the
    stronger the rank correlation, blue for a positive and orange for a negative one, and blank where it is
    not significant (p < 0.05, Bonferroni over all pairs).

    Parameters
    ----------
    population : Population
        The members.
    verdict : Verdict or (n,) bool, optional
        Members that passed are filled circles, the others open ones. Correlations are over those that passed
        if there are 4 or more of them.
    by_leak : bool
        Divide the conductances of each member by its leak.
    most : int
        Members drawn at most, evenly chosen; correlations are over all.
    height : int, optional
        In pixels.
    words : (str, str)
        What the two kinds of members are called, such as `KEPT_OR_LOST`.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> figure = s2p.plots.conductance_pairs(population)
    >>> len(figure.data) > 0
    True
    """
    n, g = len(population), population.g
    if by_leak:
        g = g[:, :-1] / g[:, -1:]
    names = population.channel_names[: g.shape[1]]
    tall = height or 90 + 74 * len(names)
    if not n:
        return Drawing.nothing("There are no members", tall)
    passed = np.ones(n, dtype=bool)
    if verdict is not None:
        passed = np.asarray(verdict.passed if isinstance(verdict, Verdict) else verdict, dtype=bool)
    counted = passed if passed.sum() >= _FEWEST else np.ones(n, dtype=bool)
    labels, shown = population.table["member"].to_numpy(), spread(n, most)
    unit = "times the leak" if by_leak else "mS/cm²"
    axes = [_axis(name, g[:, i]) for i, name in enumerate(names)]
    panels = []
    for column, row in combinations(range(len(names)), 2):
        marks: list[Mark] = []
        for mask, look in by_verdict(passed, n, words=words):
            of = shown[mask[shown]]
            text = f"member %{{id}}: {names[column]} %{{x:.4g}}, {names[row]} %{{y:.4g}} {unit}"
            look |= {"members": labels[of], "hover": text, "legend": verdict is not None}
            if of.size:
                marks.append(Points(g[of, column], g[of, row], size=4, opacity=0.8, **look))
        panels.append(Panel(axes[column], axes[row], marks, place=(row, column)))
    who = f"members that {words[0]}" if counted is passed and not passed.all() else "members"
    note = "conductances over the leak" if by_leak else "maximal conductances (mS/cm²)"
    note += f"\ncorrelations over {counted.sum()} {who}; large: Spearman, small: Pearson"
    note += f"; {shown.size} of {n} members are drawn" if shown.size < n else ""
    cells = _numbers(pair_correlations(population, counted, by_leak=by_leak), names)
    gap = 0.08 / len(names)
    shared: dict[str, Any] = {"share_x": True, "share_y": True, "legend": verdict is not None}
    return Drawing(panels, tall, note=note, columns=len(names), gaps=(gap, gap), cells=cells, **shared)


def _axis(name: str, g: FloatArray) -> Axis:
    low, high = float(g.min()), float(g.max())
    pad = 0.08 * (high - low) or 0.05 * high or 1.0
    return Axis(name, (low - pad, high + pad), few=3, grid=False)


def _numbers(table: pd.DataFrame, names: Sequence[str]) -> list[Cell]:
    """The names along the diagonal, and the correlations of each pair opposite its scatter plot."""
    cells = [Cell((i, i), name, bold=True) for i, name in enumerate(names)]
    values = table[["pearson", "spearman"]].to_numpy(float)
    each = zip(combinations(range(len(names)), 2), values, table["significant"], strict=True)
    for place, (pearson, spearman), significant in each:
        if not np.isfinite(spearman):
            cells.append(Cell(place, "–", GREY))
            continue
        text = f"{_signed(spearman)}\n{_signed(pearson)}"
        cells.append(_cell(place, float(spearman), text, significant))
    return cells


@figure
def posterior_pairs(drawn: DrawnPosterior, *, most: int = 300, height: int | None = None) -> Drawing:
    """Marginal distributions of a posterior, scatter plots of every pair, and their rank correlations.

    Axes go from the least to the most that the prior allows; along the diagonal, the prior is a grey line.

    Parameters
    ----------
    drawn : DrawnPosterior
        What `sample_posterior` gave.
    most : int
        Members drawn at most in each scatter plot, evenly chosen; all count in the rest.
    height : int, optional
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> drawn = s2p.sample_posterior(train, "stg", size=8, budget=1024, seed=1)
    >>> figure = s2p.plots.posterior_pairs(drawn)
    >>> len(figure.data) > 0
    True
    """
    values, ranges, names = drawn.values, drawn.prior.ranges, drawn.prior.names
    units = drawn.to_frame()["unit"].tolist()
    axes = [_allowed(name, *ends) for name, ends in zip(names, ranges.tolist(), strict=True)]
    upright = [replace(axis, title="") for axis in axes]  # names stand below, and along the diagonal
    labels, shown = drawn.population.table["member"].to_numpy(), spread(len(drawn), most)
    panels: list[Panel] = []
    for row, name in enumerate(names):
        for column in range(row):
            x, y = (f"{names[k]} %{{{axis}:.4g}} {units[k]}" for k, axis in ((column, "x"), (row, "y")))
            points = Points(
                values[shown, column],
                values[shown, row],
                size=3,
                opacity=0.5,
                colour=BLUE,
                members=labels[shown],
                hover=f"member %{{id}}: {x}, {y}",
            )
            panels.append(Panel(axes[column], upright[row], [points], place=(row, column)))
        marks = _marginal(drawn, row, units[row])
        panels.append(Panel(axes[row], upright[row], marks, note=name, place=(row, row)))
    driven = "current I and noise σ" if "I" in names else "noise σ"
    note = f"conductances (mS/cm²), {driven} (µA/cm²); "
    note += "along the diagonal: posterior, and prior (grey)"
    note += f"\nabove it: Spearman's rank correlations; effective sample size {drawn.n_effective:.0f}"
    note += f"; {shown.size} of {len(drawn)} members are drawn" if shown.size < len(drawn) else ""
    gap = 0.08 / len(names)
    tall = height or 90 + 66 * len(names)
    cells = _correlations(drawn.correlations().to_numpy())
    return Drawing(
        panels, tall, note=note, columns=len(names), gaps=(gap, gap), cells=cells, share_x=True, share_y=True
    )


def _allowed(name: str, low: float, high: float) -> Axis:
    # ticks in the left half, so that those of neighbours do not touch
    return Axis(name, (low, high), ticks=(0.0, 0.5 * high), grid=False)


def _marginal(drawn: DrawnPosterior, k: int, unit: str) -> list[Mark]:
    """The posterior of one value in steps, and its prior, within the range of the value on both axes."""
    low, high = drawn.prior.ranges[k]
    height, edges = np.histogram(drawn.values[:, k], _BINS, (low, high), weights=drawn.weights)
    # of the prior what lies in as many bins, from its quantiles
    at = np.linspace(low, high, _NODES)
    table = np.tile(drawn.prior.ranges[:, 0], (_NODES, 1))
    table[:, k] = at
    before = np.gradient(drawn.prior.quantiles(table)[:, k], at) * (high - low) / _BINS
    top = max(float(height.max()), 1e-9)
    scale = _TALL * (high - low) / top

    def placed(share: FloatArray) -> FloatArray:
        return np.asarray(low + np.minimum(scale * share, high - low))

    x = np.repeat(edges, 2)[1:-1]
    hover = f"%{{x:.4g}} {unit}"
    return [
        Line(at, placed(before), colour=GREY, width=1.0),
        Line(x, placed(np.repeat(height, 2)), colour=BLUE, width=1.4, hover=hover),
    ]


def _correlations(table: FloatArray) -> list[Cell]:
    each = [(place, float(table[place])) for place in combinations(range(len(table)), 2)]
    return [_cell(place, rho, _signed(rho), told=abs(rho) >= _HARDLY) for place, rho in each]


def _cell(place: tuple[int, int], rho: float, text: str, told: bool) -> Cell:
    """A correlation on a field of its sign's colour, the darker the stronger; blank if it tells nothing."""
    fill = (BLUE if rho > 0 else ORANGE, 0.6 * abs(rho)) if told else None
    return Cell(place, text, INK if told else GREY, fill)


def _signed(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")
