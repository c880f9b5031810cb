"""Conductances of a population against each other, with their correlations."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from spike2pop_nb.conductances import Population, pair_correlations
from spike2pop_nb.fidelity import Verdict
from spike2pop_nb.plots.style import BLUE, GREY, INK, RED, composed, placeholder, spread

__all__ = ["conductance_pairs"]

_FEWEST = 4  # members that passed, below which correlations are those of all


def conductance_pairs(
    population: Population,
    verdict: Verdict | Sequence[bool] | npt.NDArray[np.bool_] | None = None,
    *,
    by_leak: bool = False,
    most: int = 200,
    height: int | None = None,
) -> go.Figure:
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
    names = [escape(name) for name in population.channel_names[: g.shape[1]]]
    unit = "times the leak" if by_leak else "mS/cm²"
    tall = height or 90 + 74 * len(names)
    if not n:
        return placeholder("There are no members", tall)
    passed = np.ones(n, dtype=bool)
    if verdict is not None:
        passed = np.asarray(verdict.passed if isinstance(verdict, Verdict) else verdict, dtype=bool)
    counted = passed if passed.sum() >= _FEWEST else np.ones(n, dtype=bool)
    labels = population.table["member"].to_numpy()
    shown = spread(n, most)
    data = []
    for column, row in combinations(range(len(names)), 2):
        for good, name, marker in (
            (True, "passed", {"color": BLUE, "symbol": "circle"}),
            (False, "did not pass", {"color": RED, "symbol": "circle-open"}),
        ):
            of = shown[passed[shown] == good]
            if not of.size:
                continue
            place = {"xaxis": _axis("x", column), "yaxis": _axis("y", row - 1)}
            text = f"{names[column]} %{{x:.4g}}, {names[row]} %{{y:.4g}} {unit}<extra>member %{{id}}</extra>"
            data.append(
                place
                | {
                    "type": "scatter",
                    "mode": "markers",
                    "x": g[of, column],
                    "y": g[of, row],
                    "ids": [str(member) for member in labels[of]],
                    "marker": {"size": 4, "opacity": 0.75} | marker,
                    "hovertemplate": text,
                    "name": name,
                    "legendgroup": name,
                    "showlegend": (column, row) == (0, 1) and verdict is not None,
                }
            )
    layout = _axes(names, g)
    fields, texts = _numbers(pair_correlations(population, counted, by_leak=by_leak), names)
    who = "members that passed" if counted is passed and not passed.all() else "members"
    note = "Conductances over the leak; c" if by_leak else "C"
    note += f"orrelations over {counted.sum()} {who}; large: Spearman, small: Pearson"
    note += f"; {shown.size} of {n} members are drawn" if shown.size < n else ""
    texts.append(_text(note, 1.0, 1.0, 11) | {"xanchor": "right", "yanchor": "bottom"})
    margin = {"l": 66, "r": 10, "t": 30, "b": 54}
    return composed(data, tall, shapes=fields, annotations=texts, margin=margin, **layout)


def _axis(letter: str, place: int) -> str:
    return letter if place == 0 else f"{letter}{place + 1}"


def _axes(names: Sequence[str], g: npt.NDArray[np.float64]) -> dict[str, Any]:
    """One axis for each channel along the bottom but the last, and up the left side but the first."""
    n = len(names)
    cell, gap = 1.0 / n, 0.08 / n
    layout: dict[str, Any] = {}
    common = {"nticks": 3, "tickfont": {"size": 9}, "tickangle": 0, "showgrid": False, "ticklen": 3}
    for i, name in enumerate(names):
        low, high = float(g[:, i].min()), float(g[:, i].max())
        pad = 0.08 * (high - low) or 0.05 * high or 1.0
        limits = {"range": [low - pad, high + pad]}
        title = {"title": {"text": name, "font": {"size": 11}, "standoff": 2}}
        if i < n - 1:
            domain = [i * cell + gap / 2, (i + 1) * cell - gap / 2]
            place = {"domain": domain, "anchor": _axis("y", n - 2)}
            layout[f"xaxis{'' if i == 0 else i + 1}"] = common | limits | title | place
        if i > 0:
            domain = [1 - (i + 1) * cell + gap / 2, 1 - i * cell - gap / 2]
            layout[f"yaxis{'' if i == 1 else i}"] = (
                common | limits | title | {"domain": domain, "anchor": "x"}
            )
    return layout


def _numbers(table: pd.DataFrame, names: Sequence[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Fields and texts of the upper triangle, and the names along the diagonal."""
    n = len(names)
    cell, gap = 1.0 / n, 0.08 / n
    fields: list[dict[str, Any]] = []
    middles = [(i + 0.5) * cell for i in range(n)]
    texts = [_text(f"<b>{name}</b>", x, 1 - x, 12) for name, x in zip(names, middles, strict=True)]
    values = table[["pearson", "spearman"]].to_numpy(float)
    each = zip(combinations(range(n), 2), values, table["significant"], strict=True)
    for (column, row), (pearson, spearman), significant in each:
        # the field opposite the scatter plot: mirrored at the diagonal
        x, y = middles[row], 1 - middles[column]
        if not np.isfinite(spearman):
            texts.append(_text("–", x, y, 12, GREY))
            continue
        if significant:
            colour = "0,114,178" if spearman > 0 else "230,159,0"
            half = (cell - gap) / 2
            field = {"type": "rect", "xref": "paper", "yref": "paper", "layer": "below", "line": {"width": 0}}
            corners = {"x0": x - half, "x1": x + half, "y0": y - half, "y1": y + half}
            fields.append(field | corners | {"fillcolor": f"rgba({colour},{0.6 * abs(spearman):.2f})"})
        words = f"{_signed(spearman)}<br><span style='font-size:9px'>{_signed(pearson)}</span>"
        texts.append(_text(words, x, y, 12, INK if significant else GREY))
    return fields, texts


def _signed(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")


def _text(text: str, x: float, y: float, size: int, colour: str = INK) -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": "center", "yanchor": "middle"}
    return place | {"text": text, "font": {"size": size, "color": colour}, "showarrow": False}
