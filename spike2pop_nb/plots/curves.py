"""DICs of members over voltage."""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.conductances import Population, find_threshold
from spike2pop_nb.conductances import dic_curves as compute_curves
from spike2pop_nb.plots.drawing import Axis, Drawing, Line, Mark, Panel, Points, Rule
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, GREY, RED, FloatArray, spread

__all__ = ["dic_curves"]

_PANELS = {"g_f": "fast", "g_s": "slow", "g_u": "ultraslow", "g_t": "total"}
_AROUND_MV, _STEP_MV = 25.0, 0.5


@figure
def dic_curves(
    population: Population,
    passed: Any = None,
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

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> figure = s2p.plots.dic_curves(population)
    >>> len(figure.data) > 0
    True
    """
    if not len(population):
        return Drawing.nothing("There are no members", height)
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
            Rule(x=model.V_th_mV, text=text, colour=RED),
            Rule(y=0.0, width=0.6, dash="solid", colour=GREY),
        ]
        for row in np.argsort(good, kind="stable"):  # those that passed above the others
            member, values = int(members[row]), curves[name][row].astype(np.float32)
            told: dict[str, Any] = {"member": member, "colour": BLUE if good[row] else GREY, "values": values}
            hover = f"member {member}: %{{customdata:.3g}} at %{{x:.3g}} mV"
            marks.append(Line(V, np.arcsinh(values), hover=hover, **told))
        if name == "g_t":
            look: dict[str, Any] = {"members": members[crossing], "colour": RED}
            look["hover"] = "member %{id}: threshold %{x:.2f} mV"
            marks.append(Points(thresholds[crossing], np.zeros(crossing.sum()), "diamond", 5, **look))
        y = _symmetric_log("DIC / leak conductance" if place % columns == 0 else "", curves[name])
        panels.append(Panel(Axis("V (mV)", grid=False), y, marks, words, bold=True))
    n = len(population)
    note = f"{shown.size} of {n} members" if shown.size < n else ""
    return Drawing(panels, height, note=note, columns=columns, share_x=True, gaps=(0.08, 0.1))


def _symmetric_log(title: str, values: FloatArray) -> Axis:
    """An axis of the arcsinh of these values, with zero and powers of ten on both sides."""
    low, high = float(values.min()), float(values.max())
    largest = max(abs(low), abs(high), 1.0)
    # from 10 up where the axis reaches far, since 1 is then as good as 0
    powers = [10.0**k for k in range(1 if largest > 30 else 0, int(np.log10(largest)) + 1)]
    powers = powers[:: -(-len(powers) // 3)]
    marks = [0.0, *(sign * power for power in powers for sign in (-1, 1))]
    words = [f"{mark:g}".replace("-", "−") for mark in marks]
    ends = [np.arcsinh(min(low, 0.0)), np.arcsinh(max(high, 0.0))]
    pad = 0.05 * (ends[1] - ends[0])
    return Axis(title, (ends[0] - pad, ends[1] + pad), ticks=np.arcsinh(marks).tolist(), labels=words)
