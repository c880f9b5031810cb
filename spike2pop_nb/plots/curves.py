"""DICs of members over voltage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from spike2pop_nb.conductances import Population, find_threshold
from spike2pop_nb.conductances import dic_curves as compute_curves
from spike2pop_nb.plots.style import BLUE, GREY, INK, RED, composed, placeholder, spread

__all__ = ["dic_curves"]

_PANELS = (
    ("g_f", "fast, g<sub>f</sub>"),
    ("g_s", "slow, g<sub>s</sub>"),
    ("g_u", "ultraslow, g<sub>u</sub>"),
    ("g_t", "total, g<sub>t</sub>"),
)
_AROUND_MV, _STEP_MV = 25.0, 0.5


def dic_curves(
    population: Population,
    passed: Sequence[bool] | npt.NDArray[np.bool_] | None = None,
    *,
    most: int = 48,
    height: int = 460,
) -> go.Figure:
    """Fast, slow, ultraslow and total DIC of members over voltage, with the threshold.

    The dashed line is the declared V_th, at which a population's DICs are set. The threshold of each member
    is where its own total falls through zero; a dot marks it. Scales are linear around zero and logarithmic
    beyond, since DICs grow by orders of magnitude above threshold.

    Parameters
    ----------
    population : Population
        The members.
    passed : (n,) bool, optional
        Members that passed are blue, the others grey.
    most : int
        Members drawn at most, evenly chosen.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> figure = s2p.plots.dic_curves(population)
    >>> len(figure.data) > 0
    True
    """
    if not len(population):
        return placeholder("There are no members", height)
    model = population.neuron
    V = np.arange(model.V_th_mV - _AROUND_MV, model.V_th_mV + _AROUND_MV + 0.01, _STEP_MV)
    shown = spread(len(population), most)
    chosen = population.select(shown)
    curves = compute_curves(model, chosen.g, V)
    good = np.ones(len(chosen), bool) if passed is None else np.asarray(passed, dtype=bool)[shown]
    members = chosen.table["member"].to_numpy()
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"annotations": [], "shapes": []}
    for place, (name, words) in enumerate(_PANELS):
        suffix = "" if place == 0 else str(place + 1)
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        for row in np.argsort(good, kind="stable"):  # those that passed above the others
            values = curves[name][row]
            says = f"member {members[row]}: %{{customdata:.3g}} at %{{x:.3g}} mV<extra></extra>"
            data.append(
                axes
                | {
                    "type": "scatter",
                    "mode": "lines",
                    "x": V,
                    "y": np.arcsinh(values).astype(np.float32),
                    "customdata": values.astype(np.float32),
                    "line": {"color": BLUE if good[row] else GREY, "width": 1},
                    "meta": {"member": int(members[row])},
                    "hovertemplate": says,
                }
            )
        left, low = 0.54 * (place % 2), 0.55 * (1 - place // 2)
        layout[f"xaxis{suffix}"] = {"domain": [left, left + 0.46], "anchor": f"y{suffix}", "showgrid": False}
        layout[f"xaxis{suffix}"] |= {"title": "V (mV)"} if place > 1 else {}
        layout[f"yaxis{suffix}"] = {"domain": [low, low + 0.42], "anchor": f"x{suffix}"}
        layout[f"yaxis{suffix}"] |= _symmetric_log(curves[name])
        line = {"type": "line", "layer": "below", "line": {"color": RED, "width": 1.2, "dash": "dash"}}
        refs = {"xref": f"x{suffix}", "yref": f"y{suffix} domain"}
        layout["shapes"].append(line | refs | {"x0": model.V_th_mV, "x1": model.V_th_mV, "y0": 0, "y1": 1})
        title = {"text": f"<b>{words}</b>", "showarrow": False, "xanchor": "left", "yanchor": "bottom"}
        title |= {"xref": f"x{suffix} domain", "yref": f"y{suffix} domain", "x": 0, "y": 1}
        layout["annotations"].append(title | {"font": {"size": 11, "color": INK}})
    thresholds = find_threshold(model, chosen.g)
    crossing = np.isfinite(thresholds) & (np.abs(thresholds - model.V_th_mV) < _AROUND_MV)
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "xaxis": "x4",
            "yaxis": "y4",
            "x": thresholds[crossing],
            "y": np.zeros(int(crossing.sum())),
            "ids": [str(member) for member in members[crossing]],
            "marker": {"color": RED, "size": 5, "symbol": "diamond"},
            "hovertemplate": "member %{id}: threshold %{x:.2f} mV<extra></extra>",
        }
    )
    note: dict[str, Any] = {
        "text": f"V_th {model.V_th_mV:g} mV".replace("-", "−"),
        "xref": "x",
        "yref": "y domain",
    }
    note |= {"x": model.V_th_mV, "y": 1, "showarrow": False, "xanchor": "left", "yanchor": "top", "xshift": 3}
    layout["annotations"].append(note | {"font": {"size": 10, "color": RED}})
    if shown.size < len(population):
        some = {
            "text": f"{shown.size} of {len(population)} members",
            "showarrow": False,
            "font": {"size": 10},
        }
        place_of = {"xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right", "yanchor": "bottom"}
        layout["annotations"].append(some | place_of)
    return composed(data, height, showlegend=False, margin={"l": 58, "t": 26}, **layout)


def _symmetric_log(values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Marks of an axis that shows arcsinh of these values: zero, and powers of ten on both sides."""
    low, high = float(values.min()), float(values.max())
    largest = max(abs(low), abs(high), 1.0)
    # from 10 up where the axis reaches far, since 1 is then as good as 0
    powers = [10.0**k for k in range(1 if largest > 30 else 0, int(np.log10(largest)) + 1)]
    powers = powers[:: -(-len(powers) // 3)]
    marks = [0.0, *(sign * power for power in powers for sign in (-1, 1))]
    words = [f"{mark:g}".replace("-", "−") for mark in marks]
    ends = [np.arcsinh(min(low, 0.0)), np.arcsinh(max(high, 0.0))]
    pad = 0.05 * (ends[1] - ends[0])
    return {"tickvals": np.arcsinh(marks), "ticktext": words, "range": [ends[0] - pad, ends[1] + pad]}
