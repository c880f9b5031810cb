"""Conductances of a population against each other, with their correlations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import Population, pair_correlations
from spike2pop_nb.fidelity import Verdict
from spike2pop_nb.plots.drawing import Axis, Cell, Drawing, Mark, Panel, Points, by_verdict, figure, nothing
from spike2pop_nb.plots.style import BLUE, GREY, INK, ORANGE, FloatArray, spread

__all__ = ["conductance_pairs"]

_FEWEST = 4  # members that passed, below which correlations are those of all


@figure
def conductance_pairs(
    population: Population,
    verdict: Verdict | Sequence[bool] | FloatArray | None = None,
    *,
    by_leak: bool = False,
    most: int = 200,
    height: int | None = None,
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
    """
    n, g = len(population), population.g
    if by_leak:
        g = g[:, :-1] / g[:, -1:]
    names = population.channel_names[: g.shape[1]]
    tall = height or 90 + 74 * len(names)
    if not n:
        return nothing("There are no members", tall)
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
        for mask, look in by_verdict(passed, n):
            of = shown[mask[shown]]
            text = f"member %{{id}}: {names[column]} %{{x:.4g}}, {names[row]} %{{y:.4g}} {unit}"
            first = (column, row) == (0, 1) and verdict is not None
            dots: dict[str, Any] = {"x": g[of, column], "y": g[of, row], "members": labels[of], "hover": text}
            if of.size:
                marks.append(Points(size=4, opacity=0.8, legend=first, **dots, **look))
        panels.append(Panel(x=axes[column], y=axes[row], marks=marks, place=(row, column)))
    who = "members that passed" if counted is passed and not passed.all() else "members"
    note = "conductances over the leak" if by_leak else "maximal conductances (mS/cm²)"
    note += f"; correlations over {counted.sum()} {who}; large: Spearman, small: Pearson"
    note += f"; {shown.size} of {n} members are drawn" if shown.size < n else ""
    return Drawing(
        panels=panels,
        height=tall,
        columns=len(names),
        cells=_numbers(pair_correlations(population, counted, by_leak=by_leak), names),
        gaps=(0.08 / len(names), 0.08 / len(names)),
        share_x=True,
        share_y=True,
        legend=verdict is not None,
        note=note,
    )


def _axis(name: str, g: FloatArray) -> Axis:
    low, high = float(g.min()), float(g.max())
    pad = 0.08 * (high - low) or 0.05 * high or 1.0
    return Axis(title=name, range=(low - pad, high + pad), few=3, grid=False)


def _numbers(table: pd.DataFrame, names: Sequence[str]) -> list[Cell]:
    """The names along the diagonal, and the correlations of each pair opposite its scatter plot."""
    cells = [Cell(place=(i, i), text=name, bold=True) for i, name in enumerate(names)]
    values = table[["pearson", "spearman"]].to_numpy(float)
    each = zip(combinations(range(len(names)), 2), values, table["significant"], strict=True)
    for place, (pearson, spearman), significant in each:
        if not np.isfinite(spearman):
            cells.append(Cell(place=place, text="–", colour=GREY))
            continue
        fill = (BLUE if spearman > 0 else ORANGE, 0.6 * abs(float(spearman))) if significant else None
        text = f"{_signed(spearman)}\n{_signed(pearson)}"
        cells.append(Cell(place=place, text=text, colour=INK if significant else GREY, fill=fill))
    return cells


def _signed(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")
