"""Figures of experiments on a population: doses, before and after, f–I curves, and what tells who crashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spike2pop_nb import experiments
from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments import CONTROL, Experiment
from spike2pop_nb.plots.drawing import Axis, Bars, Drawing, Line, Mark, Panel, Points, Rule, Strokes
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.populations import V_AXIS
from spike2pop_nb.plots.style import (
    BLUE,
    GREY,
    INK,
    PATTERN_LOOKS,
    RED,
    decimate,
    spread,
    thinned,
    time_unit,
)

__all__ = [
    "KEPT_OR_LOST",
    "before_and_after",
    "dose_response",
    "experiment_raster",
    "f_I_curves",
    "who_crashes",
]

KEPT_OR_LOST = ("keep their rhythm", "lose their rhythm")
"""What figures of conductances call members by who crashes; see ``words`` of `conductances`."""
_FAILED = ("", INK, "diamond")  # look of a voltage that ran away
_MOST_STROKES = 40_000
_TELLING = 0.05  # q from which on an order is not told from chance


@figure
def dose_response(experiment: Experiment, height: int = 320) -> Drawing:
    """Share of members that keep their rhythm over the doses, and how many fire in which pattern.

    The dashed line stands at the dose at which half of the members have lost their rhythm.

    Parameters
    ----------
    experiment : Experiment
        A series of doses; of others the figure is empty.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block, doses
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = s2p.run_experiment(population, doses(lambda x: block("A", x), [0.25, 0.75]), duration_ms=1000)
    >>> len(s2p.plots.dose_response(found).data) > 0
    True
    """
    if experiment.doses is None:
        return Drawing.nothing("A dose–response needs a series of doses", height)
    found, table = experiments.dose_response(experiment), experiments.split(experiment)
    n = len(experiment)
    marks: list[Mark] = []
    for kind in [name for name in table.columns if name in PATTERN_LOOKS or name == "failed"]:
        _fill, colour, symbol = PATTERN_LOOKS.get(kind, _FAILED)
        counts = table[kind].to_numpy()[1:]
        look: dict[str, Any] = {"colour": colour, "name": kind, "legend": True, "joined": "dot", "size": 7}
        hover = f"%{{y:.0f}} % ({{}} of {n}) {kind} at %{{x:.4g}}"
        told: dict[str, Any] = {"values": counts, "hover": hover.replace("{}", "%{customdata}")}
        marks.append(Points(found.dose, 100 * counts / n, symbol, **look, **told))
    kept = found.kept.sum(axis=0)
    hover = f"%{{customdata}} of {n} keep their rhythm at %{{x:.4g}}"
    keep: dict[str, Any] = {"values": kept, "hover": hover, "name": KEPT_OR_LOST[0], "legend": True}
    marks.append(Line(found.dose, 100 * found.share, 2.6, colour=INK, **keep))
    if found.dose.size == 1:
        marks[-1] = Points(found.dose, 100 * found.share, "square", 11, filled=False, **keep)
    if np.isfinite(found.half):
        marks.append(Rule(x=found.half, text=f"half at {found.half:.3g}", colour=INK))
    low, high = float(found.dose[0]), float(found.dose[-1])
    pad = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    x = Axis(found.what, (low - pad, high + pad), grid=False)
    y = Axis("share of members (%)", (-3.0, 104.0))
    return Drawing([Panel(x, y, marks)], height, legend=True)


@figure
def experiment_raster(
    experiment: Experiment,
    *,
    members: Sequence[int] | None = None,
    most: int = 24,
    height: int | None = None,
    until_ms: float | None = None,
) -> Drawing:
    """Spikes under each condition: a block of rows for each, the control at the top, a row for each member.

    Members that keep their rhythm are blue, those that lose it orange.

    Parameters
    ----------
    experiment : Experiment
        What was done.
    members : sequence of int, optional
        Rows of the members drawn; some spread over all by default.
    most : int
        Members drawn at most.
    height : int, optional
        In pixels.
    until_ms : float, optional
        End of the stretch shown; that of the recording by default.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=1000)
    >>> len(s2p.plots.experiment_raster(found).data) > 0
    True
    """
    rows = spread(len(experiment), most) if members is None else np.asarray(members, dtype=int)
    conditions, numbers = experiment.conditions, experiment.members
    until = experiment.duration_ms if until_ms is None else min(until_ms, experiment.duration_ms)
    factor, unit = time_unit(until)
    share = max(40, _MOST_STROKES // max(1, rows.size * len(conditions)))
    step = rows.size + max(1.0, 0.15 * rows.size)
    marks: list[Mark] = []
    middles = []
    for place, condition in enumerate(conditions):
        kept = experiment.kept(condition)
        middles.append(place * step + 0.5 * (rows.size - 1))
        for at, row in enumerate(rows):
            name, colour = (KEPT_OR_LOST[0], BLUE) if kept[row] else (KEPT_OR_LOST[1], RED)
            times = experiment.spike_times_ms[condition][row]
            shown = factor * thinned(times[(times >= 0) & (times <= until)], share)
            if not shown.size:
                continue
            y = place * step + at
            who: dict[str, Any] = {"member": int(numbers[row]), "name": name, "legend": True}
            hover = f"member {numbers[row]}, {condition}: %{{x:.5g}} {unit}"
            marks.append(Strokes(shown, y - 0.42, y + 0.42, 1.0, colour=colour, hover=hover, **who))
    ends = (len(conditions) * step - 0.4 * (step - rows.size) - 0.5, -0.5 - 0.3 * (step - rows.size))
    title = "condition" if experiment.doses is None else experiment.doses.what
    y_axis = Axis(title, ends, ticks=middles, labels=[_short(name) for name in conditions], grid=False)
    x_axis = Axis(f"time in the recording ({unit})", (0.0, factor * until), grid=False)
    tall = height or round(110 + len(conditions) * max(26, 5 * rows.size))
    some = f"{rows.size} of {len(experiment)} members" if rows.size < len(experiment) else ""
    return Drawing([Panel(x_axis, y_axis, marks)], tall, note=some, legend=True)


@figure
def before_and_after(
    experiment: Experiment,
    condition: str | None = None,
    *,
    rows: Sequence[int] | None = None,
    until_ms: float | None = None,
    most_points: int = 2000,
    height: int | None = None,
) -> Drawing:
    """Voltage of members in the control and, beside it, under a condition.

    Parameters
    ----------
    experiment : Experiment
        What was done; of one that kept no voltages the spikes are drawn.
    condition : str, optional
        Which; the last by default.
    rows : sequence of int, optional
        Which members; the first 8 by default.
    until_ms : float, optional
        End of the stretch shown; that of the recording by default.
    most_points : int
        Per trace; thinned so that every spike keeps its peak.
    height : int, optional
        In pixels.

    Raises
    ------
    ExperimentError
        If there is no such condition.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=1000)
    >>> len(s2p.plots.before_and_after(found, rows=[0, 2]).data)
    4
    """
    condition = experiment.conditions[-1] if condition is None else condition
    at = experiment.place(condition)
    chosen = list(range(min(8, len(experiment)))) if rows is None else [int(row) for row in rows]
    until = experiment.duration_ms if until_ms is None else min(until_ms, experiment.duration_ms)
    factor, unit = time_unit(until)
    numbers, pattern = experiment.members, experiment.data["pattern"].values
    kept = experiment.kept(condition)
    times_of = [
        Axis(f"{where}: time ({unit})", (0.0, factor * until), few=4, grid=False)
        for where in (CONTROL, _said(experiment, condition))
    ]
    panels: list[Panel] = []
    for place, row in enumerate(chosen):
        for column, (name, k) in enumerate(((CONTROL, 0), (condition, at))):
            colour = BLUE if column == 0 or kept[row] else RED
            who: dict[str, Any] = {"member": int(numbers[row]), "colour": colour}
            times = experiment.spike_times_ms[name][row]
            mark: Mark = Strokes(factor * times[times <= until], -60.0, 40.0, 1.0, **who)
            if "V_mV" in experiment.data:
                t = experiment.data["time"].values
                near = (t >= 0) & (t <= until)
                x, y = decimate(factor * t[near], experiment.data["V_mV"].values[row, k][near], most_points)
                mark = Line(x, y, hover=f"%{{y:.0f}} mV at %{{x:.5g}} {unit}", **who)
            text = f"member {numbers[row]}: {pattern[row, k]}" if column == 0 else f"{pattern[row, k]}"
            axis = replace(V_AXIS, title="V (mV)" if not place and not column else "")
            panels.append(Panel(times_of[column], axis, [mark], text))
    tall = height or 90 + 78 * len(chosen)
    gaps = (0.04, min(0.05, 0.3 / max(1, len(chosen))))
    return Drawing(panels, tall, columns=2, gaps=gaps, share_x=True, share_y=True)


@figure
def f_I_curves(experiment: Experiment, height: int = 320) -> Drawing:
    """Firing rate of every member over the injected current, with the median of all.

    Parameters
    ----------
    experiment : Experiment
        Conditions that each inject one current; of others the figure is empty.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import constant_current, doses
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = s2p.run_experiment(population, doses(constant_current, [1, 2]), duration_ms=1000)
    >>> len(s2p.plots.f_I_curves(found).data)
    5
    """
    try:
        found = experiments.f_I_curve(experiment)
    except ExperimentError:
        return Drawing.nothing("f–I curves need injected currents", height)
    numbers = found.member
    marks: list[Mark] = []
    for row, rate in enumerate(found.rate_Hz):
        hover = f"member {numbers[row]}: %{{y:.3g}} Hz at %{{x:.4g}} {found.unit}"
        who: dict[str, Any] = {"member": int(numbers[row]), "name": "members", "legend": True}
        marks.append(Points(found.current, rate, size=4, joined="solid", colour=BLUE, hover=hover, **who))
    middle = np.nanmedian(found.rate_Hz, axis=0)
    hover = f"median: %{{y:.3g}} Hz at %{{x:.4g}} {found.unit}"
    marks.append(Line(found.current, middle, 2.6, colour=INK, name="median", legend=True, hover=hover))
    x = Axis(f"current ({found.unit})", grid=False)
    top = float(np.nanmax(found.rate_Hz, initial=1.0))
    return Drawing(
        [Panel(x, Axis("firing rate (Hz)", (-0.02 * top, 1.06 * top)), marks)], height, legend=True
    )


@figure
def who_crashes(experiment: Experiment, condition: str | None = None, height: int | None = None) -> Drawing:
    """Rank conductances by how well each tells which members lose their rhythm.

    The length of a bar is the area under the ROC curve, whichever way: 0.5 tells nothing, 1 everything. Those
    that lose it have more of an orange conductance and less of a blue one; grey ones could be by chance
    (5 % false discoveries).

    Parameters
    ----------
    experiment : Experiment
        What was done.
    condition : str, optional
        Under which condition; the one that splits the members most evenly by default.
    height : int, optional
        In pixels.

    Raises
    ------
    ExperimentError
        If there is no such condition.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=8, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=1000)
    >>> len(s2p.plots.who_crashes(found).data)
    1
    """
    tall = height or 90 + 22 * experiment.population.neuron.n_channels
    condition = experiments.most_split(experiment) if condition is None else condition
    experiment.place(condition)
    try:
        table = experiments.who_crashes(experiment, condition)[::-1]
    except ExperimentError:
        return Drawing.nothing("All or no members keep their rhythm, so nothing tells them apart", tall)
    more, told = table["auroc"] > 0.5, table["q"] <= _TELLING
    columns = table[["crashed", "kept", "q"]].to_numpy()
    bars = Bars(
        table["telling"].tolist(),
        [f"g_{name}" for name in table["channel"]],
        [
            f"{value:.2f}{', more' if up else ', less'}"
            for value, up in zip(table["telling"], more, strict=True)
        ],
        [""] * len(table),
        colour=np.where(told, np.where(more, RED, BLUE), GREY).tolist(),
        values=columns.tolist(),
        hover="%{y}: median %{customdata[0]:.4g} mS/cm² in those that lose their rhythm, "
        "%{customdata[1]:.4g} in those that keep it (q %{customdata[2]:.2g})",
    )
    x = Axis("AUROC (those that lose it have …)", (0.0, 1.25), ticks=(0, 0.5, 1))
    n, lost = len(experiment), int((~experiment.kept(condition)).sum())
    note = f"{_said(experiment, condition)}: {lost} of {n} lose it"
    return Drawing([Panel(x, Axis(grid=False), [Rule(x=0.5, width=0.8, colour=GREY), bars])], tall, note=note)


def _said(experiment: Experiment, condition: str) -> str:
    """What is done under a condition, in as few words as can be."""
    return experiment.protocols[condition].label if condition != CONTROL else CONTROL


def _short(name: str, most: int = 14) -> str:
    name = name.replace("-", "−") if name[:1] == "-" else name
    return name if len(name) <= most else f"{name[: most - 1]}…"
