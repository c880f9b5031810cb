"""Figures of a comparison of two recordings: what changed, members before and after, and their ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from spike2pop_nb.experiments import Comparison
from spike2pop_nb.plots.drawing import Axis, Bars, Drawing, Line, Mark, Panel, Points, Strokes
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.populations import V_AXIS
from spike2pop_nb.plots.style import BLUE, GREY, INK, RED, decimate, time_unit
from spike2pop_nb.simulation import Simulated

__all__ = ["changes", "changes_plane", "pair_traces"]


@figure
def changes(comparison: Comparison, height: int | None = None) -> Drawing:
    """Probability that each conductance, the current or the noise changed, and by how much if it did.

    Those of the 80 % set are blue, or orange where members need less of them; others are grey. The top bar is
    the probability that nothing changed.

    Parameters
    ----------
    comparison : Comparison
        What was found.
    height : int, optional
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[3], "stg", size=0)
    >>> len(s2p.plots.changes(found).data)
    1
    """
    table = comparison.to_frame()[::-1]
    factor = table["unit"] == "factor"
    less = np.where(factor, table["median"] < 1.0, table["median"] < 0.0)
    colours = np.where(table["in_set"], np.where(less, RED, BLUE), GREY).tolist()
    texts = [
        f"{_number(share)}, ×{by:.2g}" if is_factor else f"{_number(share)}, {by:+.2g} µA/cm²"
        for share, by, is_factor in zip(table["probability"], table["median"], factor, strict=True)
    ]
    values = table[["low", "high"]].to_numpy().tolist()
    bars = Bars(
        [*table["probability"], comparison.unchanged],
        [
            *(f"g_{name}" if of_g else name for name, of_g in zip(table["what"], factor, strict=True)),
            "nothing",
        ],
        [*texts, _number(comparison.unchanged)],
        [""] * (len(table) + 1),
        colour=[*colours, INK],
        values=[*values, [np.nan, np.nan]],
        hover="%{y}: 80 % interval %{customdata[0]:.3g} to %{customdata[1]:.3g}",
    )
    x = Axis("probability that it changed", (0.0, 1.45), ticks=(0, 0.5, 1))
    tall = height or 90 + 22 * (len(table) + 1)
    return Drawing([Panel(x, Axis(grid=False), [bars])], tall)


@figure
def changes_plane(comparison: Comparison, height: int = 340) -> Drawing:
    """Ways of the members through the plane of slow and ultraslow DICs, from before to after.

    Parameters
    ----------
    comparison : Comparison
        What was found; without pairs the figure is empty.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[3], "stg", size=2)
    >>> len(s2p.plots.changes_plane(found).data)
    4
    """
    found = comparison.pairs
    if found is None:
        return Drawing.nothing("Members before and after have ways through the plane", height)
    paths, marks = comparison.paths(), list[Mark]()
    for row, path in enumerate(paths):
        member = int(found.table["member"].iloc[row])
        what = f"member {member}: {found.table['explanation'].iloc[row]}"
        marks.append(Line(path[:, 0], path[:, 1], 1.2, colour=GREY, member=member, hover=what))
    members = found.table["member"]
    for end, name, colour in ((0, "before", BLUE), (-1, "after", RED)):
        look: dict[str, Any] = {"colour": colour, "name": name, "legend": True, "members": members}
        at = paths[:, end]
        marks.append(Points(at[:, 0], at[:, 1], size=7, hover="g_s %{x:.3g}, g_u %{y:.3g}", **look))
    axes = Axis("g_s (slow DIC)"), Axis("g_u (ultraslow DIC)")
    return Drawing([Panel(*axes, marks)], height, legend=True)


@figure
def pair_traces(
    comparison: Comparison,
    simulated: tuple[Simulated, Simulated] | None = None,
    *,
    until_ms: float = 2000.0,
    most_points: int = 1500,
    height: int | None = None,
) -> Drawing:
    """Spikes of the recordings, and voltages of members before and, beside them, after their change.

    Parameters
    ----------
    comparison : Comparison
        What was found; without pairs the figure is empty.
    simulated : (Simulated, Simulated), optional
        Voltages of `Comparison.simulated`; of the first four members by default.
    until_ms : float
        End of the stretch shown.
    most_points : int
        Per trace; thinned so that every spike keeps its peak.
    height : int, optional
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[3], "stg", size=2)
    >>> len(s2p.plots.pair_traces(found, until_ms=500).data)
    6
    """
    found = comparison.pairs
    if found is None:
        return Drawing.nothing("Members before and after appear here", height or 300)
    simulated = comparison.simulated(duration_ms=until_ms) if simulated is None else simulated
    factor, unit = time_unit(until_ms)
    trains = (comparison.before, comparison.after)
    panels: list[Panel] = []
    axes = [
        Axis(f"{train.id}: time from the first spike ({unit})", (0.0, factor * until_ms), few=4, grid=False)
        for train in trains
    ]
    for train, axis in zip(trains, axes, strict=True):
        times = train.times_ms - train.times_ms[0] if train.n_spikes else train.times_ms
        strokes = Strokes(factor * times[times <= until_ms], colour=INK)
        panels.append(Panel(axis, Axis(range=(-0.1, 1.1), hidden=True), [strokes], f"recording {train.id}"))
    for row in range(len(simulated[0])):
        member, what = (found.table[name].iloc[row] for name in ("member", "explanation"))
        for side, (run, colour) in enumerate(zip(simulated, (BLUE, RED), strict=True)):
            spikes = run.spike_times_ms[row]
            start = float(spikes[0]) if len(spikes) else run.transient_ms
            t = run.time_ms - start
            near = (t >= 0) & (t <= until_ms)
            x, y = decimate(factor * t[near], run.V_mV[row][near], most_points)
            text = f"member {member}" if not side else f"{what} changed"
            axis = replace(V_AXIS, title="V (mV)" if not row and not side else "")
            panels.append(Panel(axes[side], axis, [Line(x, y, colour=colour, member=int(member))], text))
    n = len(simulated[0])
    gaps = (0.04, min(0.05, 0.3 / max(1, n)))
    weights = [0.45, *([1.0] * n)]
    tall = height or 120 + 78 * n
    return Drawing(panels, tall, columns=2, weights=weights, gaps=gaps, share_x=True)


def _number(share: float) -> str:
    return f"{100 * share:.0f} %"
