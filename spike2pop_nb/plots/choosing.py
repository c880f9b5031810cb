"""Figures of which experiment next: how much each would tell, and why members answer it differently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spike2pop_nb.experiments import CONTROL, Ranking
from spike2pop_nb.experiments.observed import KINDS_OF_FIRING
from spike2pop_nb.plots.drawing import Axis, Bars, Drawing, Mark, Panel, Strokes
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, GREY, INK, PATTERN_LOOKS, spread, thinned, time_unit

__all__ = ["answers_of_members", "next_experiments"]

_MOST_STROKES = 20_000
_FIRING = [PATTERN_LOOKS[kind][1] for kind in ("silent", "regular tonic", "bursting")]
_COLOURS = dict(zip(KINDS_OF_FIRING, (*_FIRING, INK), strict=True))


@figure
def next_experiments(ranking: Ranking, most: int = 32, height: int | None = None) -> Drawing:
    """How many bits each experiment is expected to tell, the most telling at the top.

    Parameters
    ----------
    ranking : Ranking
        What `spike2pop_nb.experiments.next_experiments` found.
    most : int
        Experiments drawn at most.
    height : int, optional
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=6, seed=1)
    >>> rig = [one for one in s2p.experiments.feasible_experiments("stg") if one.kind == "current"]
    >>> found = s2p.experiments.next_experiments(population, experiments=rig, duration_ms=1000)
    >>> len(s2p.plots.next_experiments(found).data)
    1
    """
    table = ranking.to_frame().head(most)[::-1]
    column = ranking.by
    unit = "bits" if column == "bits" else "bits for the price"
    values = table[column].to_numpy()
    labels = {one.name: one.label for one in ranking.experiments}
    first = np.arange(len(table)) == len(table) - 1
    bars = Bars(
        values.tolist(),
        [labels[name] for name in table["experiment"]],
        [f"{value:.2f}" for value in values],
        [""] * len(table),
        colour=np.where(first, BLUE, GREY).tolist(),
        values=[list(row) for row in table[["bits", "price", "why"]].itertuples(index=False)],
        hover="%{y}: %{customdata[0]:.2f} bits, price %{customdata[1]:.4g}; %{customdata[2]}",
    )
    top = 1.15 * float(values.max(initial=0.1))
    x = Axis(f"{unit} about {ranking.target.describe()}", (0.0, top))
    return Drawing([Panel(x, Axis(grid=False), [bars])], height or 90 + 18 * len(table))


@figure
def answers_of_members(
    ranking: Ranking,
    experiments: Sequence[str] | None = None,
    *,
    most: int = 16,
    until_ms: float | None = None,
    height: int | None = None,
) -> Drawing:
    """Spikes of the same members under some experiments side by side, to see what splits them.

    Members stand in the order of their answer to the first of them, silent ones at the bottom; colours say
    how they fire.

    Parameters
    ----------
    ranking : Ranking
        What `spike2pop_nb.experiments.next_experiments` found.
    experiments : sequence of str, optional
        Which; the control and the three most telling by default.
    most : int
        Members drawn at most.
    until_ms : float, optional
        End of the stretch shown; 2 s by default.
    height : int, optional
        In pixels.

    Raises
    ------
    ExperimentError
        If there is no such experiment.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=6, seed=1)
    >>> rig = [one for one in s2p.experiments.feasible_experiments("stg") if one.kind == "current"]
    >>> found = s2p.experiments.next_experiments(population, experiments=rig, duration_ms=1000)
    >>> len(s2p.plots.answers_of_members(found).data) > 0
    True
    """
    made, best = ranking.experiment, [one.name for one in ranking.experiments[:3]]
    names = [CONTROL, *best] if experiments is None else list(experiments)
    for name in names:
        made.place(name)
    until = min(2000.0 if until_ms is None else until_ms, made.duration_ms)
    factor, unit = time_unit(until)
    leading = made.place(names[min(1, len(names) - 1)])
    kinds, values = ranking.answers.at(leading)
    n = len(made)
    order = np.lexsort((np.nan_to_num(values[:n, 0], nan=-np.inf), kinds[:n]))
    rows = order[spread(n, most)]
    share = max(20, _MOST_STROKES // max(1, len(rows) * len(names)))
    bits = {one.name: value for one, value in zip(ranking.experiments, ranking.bits, strict=True)}
    labels = {one.name: one.label for one in ranking.experiments}
    panels: list[Panel] = []
    for name in names:
        at = made.place(name)
        marks: list[Mark] = []
        for y, row in enumerate(rows.tolist()):
            times = made.spike_times_ms[name][row]
            kind = KINDS_OF_FIRING[ranking.answers.kinds[row, at]]
            shown = factor * thinned(times[(times >= 0) & (times <= until)], share)
            if shown.size:
                member = int(made.members[row])
                hover = f"member {member}, {kind}: %{{x:.5g}} {unit}"
                look: dict[str, Any] = {"colour": _COLOURS[kind], "name": kind, "legend": True}
                marks.append(Strokes(shown, y - 0.42, y + 0.42, 1.0, hover=hover, member=member, **look))
        title = f"{labels[name]}: {bits[name]:.2f} bits" if name in bits else name
        x = Axis(f"time ({unit})", (0.0, factor * until), few=4, grid=False)
        whose: dict[str, Any] = {
            "ticks": range(len(rows)),
            "labels": [str(made.members[row]) for row in rows],
        }
        y_axis = Axis("" if panels else "member", (-0.6, len(rows) - 0.4), grid=False, **whose)
        panels.append(Panel(x, y_axis, marks, title))
    tall = height or 120 + 14 * len(rows)
    return Drawing(panels, tall, legend=True, columns=len(panels), gaps=(0.03, 0.1), share_y=True)
