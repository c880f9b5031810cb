"""Conductances of a population against each other, with their correlations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import Population, pair_correlations
from spike2pop_nb.fidelity import Verdict
from spike2pop_nb.plots.drawing import Axis, Cell, Drawing, Mark, Panel, Points
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, GREY, INK, ORANGE, FloatArray, by_verdict, spread

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
        fill = (BLUE if spearman > 0 else ORANGE, 0.6 * abs(float(spearman))) if significant else None
        text = f"{_signed(spearman)}\n{_signed(pearson)}"
        cells.append(Cell(place, text, INK if significant else GREY, fill))
    return cells


def _signed(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")
