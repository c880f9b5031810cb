"""DICs of members over voltage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spike2pop_nb.conductances import Population, find_threshold
from spike2pop_nb.conductances import dic_curves as compute_curves
from spike2pop_nb.plots.drawing import Axis, Drawing, Line, Mark, Panel, Points, Rule, figure, nothing
from spike2pop_nb.plots.style import BLUE, GREY, RED, FloatArray, spread

__all__ = ["dic_curves"]

_PANELS = {"g_f": "fast", "g_s": "slow", "g_u": "ultraslow", "g_t": "total"}
_AROUND_MV, _STEP_MV = 25.0, 0.5


@figure
def dic_curves(
    population: Population,
    passed: Sequence[bool] | FloatArray | None = None,
    *,
    most: int = 48,
    height: int = 460,
    columns: int = 2,
) -> Drawing:
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
    columns : int
        Panels side by side.
    """
    if not len(population):
        return nothing("There are no members", height)
    model = population.neuron
    V = np.arange(model.V_th_mV - _AROUND_MV, model.V_th_mV + _AROUND_MV + 0.01, _STEP_MV)
    shown = spread(len(population), most)
    chosen = population.select(shown)
    curves = compute_curves(model, chosen.g, V)
    good = np.ones(len(chosen), bool) if passed is None else np.asarray(passed, dtype=bool)[shown]
    members = chosen.table["member"].to_numpy()
    thresholds = find_threshold(model, chosen.g)
    crossing = np.isfinite(thresholds) & (np.abs(thresholds - model.V_th_mV) < _AROUND_MV)
    panels = []
    for place, (name, words) in enumerate(_PANELS.items()):
        text = f"V_th {model.V_th_mV:g} mV".replace("-", "−") if place == 0 else ""
        marks: list[Mark] = [
            Rule(x=model.V_th_mV, colour=RED, text=text),
            Rule(y=0.0, colour=GREY, width=0.6, dash="solid"),
        ]
        for row in np.argsort(good, kind="stable"):  # those that passed above the others
            values = curves[name][row]
            marks.append(
                Line(
                    x=V,
                    y=np.arcsinh(values).astype(np.float32),
                    values=values.astype(np.float32),
                    colour=BLUE if good[row] else GREY,
                    member=int(members[row]),
                    hover=f"member {members[row]}: %{{customdata:.3g}} at %{{x:.3g}} mV",
                )
            )
        if name == "g_t":
            marks.append(
                Points(
                    x=thresholds[crossing],
                    y=np.zeros(int(crossing.sum())),
                    members=members[crossing],
                    symbol="diamond",
                    size=5,
                    colour=RED,
                    hover="member %{id}: threshold %{x:.2f} mV",
                )
            )
        title = "DIC / leak conductance" if place % columns == 0 else ""
        y = Axis(title=title, **_symmetric_log(curves[name]))
        panels.append(Panel(x=Axis(title="V (mV)", grid=False), y=y, marks=marks, title=words, bold=True))
    n = len(population)
    return Drawing(
        panels=panels,
        height=height,
        columns=columns,
        share_x=True,
        gaps=(0.08, 0.1),
        note=f"{shown.size} of {n} members" if shown.size < n else "",
    )


def _symmetric_log(values: FloatArray) -> dict[str, Any]:
    """Ticks and range of an axis of the arcsinh of these values: zero, powers of ten on both sides."""
    low, high = float(values.min()), float(values.max())
    largest = max(abs(low), abs(high), 1.0)
    # from 10 up where the axis reaches far, since 1 is then as good as 0
    powers = [10.0**k for k in range(1 if largest > 30 else 0, int(np.log10(largest)) + 1)]
    powers = powers[:: -(-len(powers) // 3)]
    marks = [0.0, *(sign * power for power in powers for sign in (-1, 1))]
    words = [f"{mark:g}".replace("-", "−") for mark in marks]
    ends = [np.arcsinh(min(low, 0.0)), np.arcsinh(max(high, 0.0))]
    pad = 0.05 * (ends[1] - ends[0])
    return {"ticks": np.arcsinh(marks), "labels": words, "range": (ends[0] - pad, ends[1] + pad)}
