"""Neuromodulation: the ways of members through the plane, and what they do on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import ModulationPath
from spike2pop_nb.plots import on_page
from spike2pop_nb.plots.dics import plane_axes
from spike2pop_nb.plots.drawing import Axis, Band, Drawing, Line, Mark, Panel, Points, Rule, Strokes
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.populations import V_AXIS
from spike2pop_nb.plots.style import BLUE, GREEN, RED, WHITE, decimate, spread
from spike2pop_nb.simulation import Modulated

__all__ = [
    "modulation",
    "modulation_plane",
    "modulation_points",
    "modulation_ways",
    "path_points",
    "path_ways",
]

_MOST_PANELS = 6
_SIDES = ("top center", "bottom center", "middle right", "middle left")


def _at(path: ModulationPath, step: int | None) -> int:
    return path.steps if step is None else int(np.clip(step, 0, path.steps))


def _lost(path: ModulationPath, at: int) -> npt.NDArray[np.bool_]:
    return (path.lost_at >= 0) & (path.lost_at <= at)


def _moving(path: ModulationPath) -> tuple[int, int]:
    first, second = path.compensate
    return path.neuron.index(first), path.neuron.index(second)


def path_ways(path: ModulationPath) -> list[dict[str, Any]]:
    """Plotly's curves of the ways of all members through the plane of DICs.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> len(s2p.plots.path_ways(path)) > 0
    True
    """
    return on_page.traces(_ways(path))


def path_points(path: ModulationPath, step: int | None = None) -> list[dict[str, Any]]:
    """Plotly's curves of where members are in the plane of DICs after a step (the last if none).

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> len(s2p.plots.path_points(path, 2)) > 0
    True
    """
    return on_page.traces(_places(path, step))


def modulation_points(path: ModulationPath, step: int | None = None) -> list[dict[str, Any]]:
    """The curve of `modulation_ways` that depends on the step: where each member is.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> len(s2p.plots.modulation_points(path, 2)) > 0
    True
    """
    return on_page.traces([_marked(path, step)])


def _ways(path: ModulationPath) -> list[Mark]:
    each = zip(path.labels, path.dics, strict=True)
    return [Line(dics[:, 0], dics[:, 1], dash="dot", member=member) for (_, member), dics in each]


def _places(path: ModulationPath, step: int | None) -> list[Mark]:
    """Where members are after a step, those apart who cannot go on."""
    at = _at(path, step)
    lost = _lost(path, at)
    members = np.array([member for _, member in path.labels])
    marks: list[Mark] = []
    looks = ((~lost, "circle", GREEN, "members"), (lost, "x", RED, "cannot go on"))
    for mask, symbol, colour, name in looks:
        if mask.any():
            look: dict[str, Any] = {"edge": WHITE, "colour": colour, "members": members[mask], "name": name}
            hover = "member %{id}: g_s %{x:.2f}, g_u %{y:.2f}"
            x, y = path.dics[mask, at, :2].T
            marks.append(Points(x, y, symbol, 8, hover=hover, legend=True, **look))
    return marks


@figure
def modulation_plane(path: ModulationPath, step: int | None = None, height: int = 360) -> Drawing:
    """The ways of members through the plane, and where they are after a step (the last if none).

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> figure = s2p.plots.modulation_plane(path)
    >>> len(figure.data) > 0
    True
    """
    marks = [*_ways(path), *_places(path, step)]
    return Drawing([Panel(*plane_axes(path.neuron), marks)], height, legend=True)


@figure
def modulation_ways(path: ModulationPath, step: int | None = None, height: int = 330) -> Drawing:
    """The way of each member through the plane of its two moving conductances, marked where it is at a step.

    Members start from different places and go different ways to the same DICs: that is degeneracy.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> figure = s2p.plots.modulation_ways(path)
    >>> len(figure.data) > 0
    True
    """
    first, second = _moving(path)
    each = zip(path.g, path.arrived, path.labels, strict=True)
    ways = [
        Line(g[:, first], g[:, second], 1.2, colour=BLUE if arrived else RED, member=member)
        for g, arrived, (_, member) in each
    ]
    x, y = (Axis(f"g_{name} (mS/cm²)", from_zero=True) for name in path.compensate)
    return Drawing([Panel(x, y, [*ways, _marked(path, step)])], height)


def _marked(path: ModulationPath, step: int | None) -> Points:
    """Where each member is in the plane of its two moving conductances after a step."""
    at = _at(path, step)
    lost = _lost(path, at)
    members = [str(member) for _, member in path.labels]
    here_x, here_y = (path.g[:, at, index] for index in _moving(path))
    # members that lie on each other have their numbers on different sides
    sides = np.empty(len(members), dtype=object)
    sides[np.lexsort((here_y, here_x))] = np.resize(_SIDES, len(members))
    symbols, colours = np.where(lost, "x", "circle").tolist(), np.where(lost, RED, GREEN).tolist()
    who: dict[str, Any] = {"members": members, "texts": members, "sides": list(sides)}
    hover = "member %{id}: %{x:.4g} and %{y:.4g} mS/cm²"
    return Points(here_x, here_y, symbols, 8, colour=colours, hover=hover, **who)


@figure
def modulation(
    found: Modulated,
    *,
    rows: Sequence[int] | None = None,
    step: float | None = None,
    most_points: int = 2500,
    height: int | None = None,
) -> Drawing:
    """What members do while they are modulated: their two moving conductances, and their voltages.

    Time counts from the start of modulation; the stretch in which it goes on is shaded.

    Parameters
    ----------
    found : Modulated
        From `simulate_modulation`.
    rows : sequence of int, optional
        Members whose voltages are drawn; some spread over all of them by default.
    step : float, optional
        Step of the path to mark.
    most_points : int
        Per trace; thinned so that every spike keeps its peak.
    height : int, optional
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> path = s2p.modulation_path(population, (0.0, 5.0), steps=4)
    >>> found = s2p.simulate_modulation(path, before_ms=500, during_ms=500, after_ms=500)
    >>> figure = s2p.plots.modulation(found)
    >>> len(figure.data) > 0
    True
    """
    path, simulated = found.path, found.simulated
    chosen = list(spread(len(path), _MOST_PANELS)) if rows is None else [int(row) for row in rows]
    start, stop = ((ms - found.begin_ms) / 1000.0 for ms in (simulated.transient_ms, simulated.duration_ms))
    moving = (found.end_ms - found.begin_ms) / 1000.0
    at = np.concatenate([[start], (found.time_ms() - found.begin_ms) / 1000.0, [stop]])
    time = Axis("time from the start of modulation (s)", (start, stop), grid=False)
    panels = []
    for name in path.compensate:
        course = path.g[:, :, path.neuron.index(name)]
        course = np.concatenate([course[:, :1], course, course[:, -1:]], axis=1)
        curves = []
        for row, (_, member) in enumerate(path.labels):
            hover = f"member {member}: %{{y:.4g}} mS/cm² at %{{x:.2f}} s"
            colour = BLUE if path.arrived[row] else RED
            curves.append(Line(at, course[row], 1.4, colour=colour, member=member, hover=hover))
        panels.append(Panel(time, Axis("mS/cm²", from_zero=True, few=4), curves, f"g_{name} of all members"))
    before, after = found.before(), found.after()
    for place, row in enumerate(chosen):
        member = path.labels[row][1]
        spikes = (simulated.spike_times_ms[row] - found.begin_ms) / 1000.0
        drawn: Mark = Strokes(spikes, -60.0, 40.0, 1.0, colour=BLUE, member=member, hover="%{x:.4g} s")
        if simulated.V_mV.size:
            seconds = (simulated.time_ms - found.begin_ms) / 1000.0
            x, y = decimate(seconds, simulated.V_mV[row], most_points)
            drawn = Line(x, y, colour=BLUE, member=member, hover="%{y:.0f} mV at %{x:.4g} s")
        text = f"member {member}: {before[row].kind}, then {after[row].kind}"
        if not path.arrived[row]:
            text += f" (stays at step {path.lost_at[row] - 1})"
        panels.append(Panel(time, replace(V_AXIS, title="V (mV)" if place == 0 else ""), [drawn], text))
    across: list[Band | Rule] = [Band((0, moving), colour="rgba(138,148,163,0.14)")]
    if step is not None:
        across.append(Rule(moving * step / path.steps, width=1.5, colour=RED, above=True))
    tall, gaps = height or 90 + 80 * len(panels), (0, min(0.03, 0.24 / len(panels)))
    weights = [1.2] * 2 + [1.0] * len(chosen)
    return Drawing(panels, tall, weights=weights, gaps=gaps, share_x=True, across=across)
