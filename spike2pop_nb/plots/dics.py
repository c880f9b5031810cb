"""The plane of slow and ultraslow DICs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from spike2pop_nb.conductances import Population, Reachability
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.plots.drawing import (
    Axis,
    Drawing,
    Heat,
    Mark,
    Panel,
    Points,
    Regions,
    by_verdict,
    figure,
    nothing,
)
from spike2pop_nb.plots.style import BLUE, CLOSED, GREEN, RED, WHITE, FloatArray

__all__ = ["course", "dic_plane", "enclosed", "plane_axes", "posterior_marks", "reached"]

Grid = tuple[FloatArray, FloatArray, FloatArray]
# A page draws the same posterior under one population after the other.
_ENCLOSED: WeakKeyDictionary[Any, dict[Any, Grid]] = WeakKeyDictionary()


@figure
def dic_plane(
    neuron: str | NeuronModel,
    posterior: Any = None,
    reach: Reachability | None = None,
    population: Population | None = None,
    height: int = 320,
    *,
    passed: Any = None,
    close: bool = False,
) -> Drawing:
    """The (g_s, g_u) plane of a neuron, with a posterior, what a choice can reach, and a population.

    Parameters
    ----------
    neuron : str or NeuronModel
        Gives the ranges of the axes.
    posterior : Posterior, optional
        Drawn as the smallest regions that hold 50 % and 95 % of it, its mean, and one standard deviation; if
        the recording drifts, its course too.
    reach : Reachability, optional
        Drawn as shading: the darker, the fewer members get there.
    population : Population, optional
        A dot per member.
    height : int
        In pixels.
    passed : (n,) bool, optional
        Members that passed are filled circles, the others open ones.
    close : bool
        Show no more of the plane than the posterior and the members take.
    """
    model = get_neuron(neuron)
    usable = posterior is not None and posterior.usable
    marks: list[Mark] = [] if reach is None else [reached(reach)]
    table = None if population is None else population.table
    points = np.zeros((0, 2)) if table is None else table[["g_s", "g_u"]].to_numpy(float)
    window = _window(model, posterior, points) if usable and close else None
    if usable:
        marks += posterior_marks(model, posterior, window)
        if getattr(posterior, "course", None) is not None and posterior.course.drifts:
            marks.append(_path(posterior.course))
    if table is not None:
        for mask, look in by_verdict(passed, len(table)):
            told = look if passed is not None else {"name": "members"}
            dots = told | {
                "colour": GREEN,
                "size": 5 if look["filled"] else 6,
                "edge": WHITE if look["filled"] else GREEN,
            }
            hover = "member %{id}: g_s %{x:.2f}, g_u %{y:.2f}"
            members = table["member"].to_numpy()[mask]
            marks.append(
                Points(
                    x=points[mask, 0], y=points[mask, 1], members=members, hover=hover, legend=True, **dots
                )
            )
    return Drawing(panels=[Panel(**plane_axes(model, window), marks=marks)], height=height, legend=usable)


@figure
def course(posterior: Any, height: int = 320) -> Drawing:
    """Slow and ultraslow DICs over the time of one recording, mean ± one standard deviation."""
    found = posterior.course
    if found is None:
        return nothing("Too short a recording to follow its DICs over time", height)
    marks = [
        Points(
            x=found.time_s,
            y=found.mean[:, i],
            errors=(None, found.std[:, i]),
            symbol=symbol,
            colour=colour,
            joined=dash,
            hover=f"{name} at %{{x:.3g}} s: %{{y:.2f}}",
            name=name,
            legend=True,
        )
        for i, (name, colour, symbol, dash) in enumerate(
            (("g_s", BLUE, "circle", "solid"), ("g_u", RED, "square", "dot"))
        )
    ]
    axes = {"x": Axis(title="time in the recording (s)"), "y": Axis(title="DIC / leak conductance")}
    return Drawing(panels=[Panel(**axes, marks=marks)], height=height, legend=True)


def _path(found: Any) -> Points:
    return Points(
        x=found.mean[:, 0],
        y=found.mean[:, 1],
        colour=np.asarray(found.time_s),
        size=7,
        edge="#5A6472",
        joined="solid",
        values=found.time_s,
        hover="at %{customdata:.3g} s: g_s %{x:.2f}, g_u %{y:.2f}",
        name="course over time",
        legend=True,
    )


def plane_axes(model: NeuronModel, window: FloatArray | None = None) -> dict[str, Axis]:
    """Axes of the (g_s, g_u) plane over the neuron's range of targets, or a window (2, 2) of it."""
    ranges = [model.dic_range[name] for name in ("g_s", "g_u")] if window is None else window
    (s_low, s_high), (u_low, u_high) = ranges
    return {
        "x": Axis(title="slow DIC / leak conductance", range=(s_low, s_high)),
        "y": Axis(title="ultraslow DIC / leak conductance", range=(u_low, u_high)),
    }


def _window(model: NeuronModel, posterior: Any, points: FloatArray) -> FloatArray:
    """Limits (2, 2) that hold all but 2 % of the posterior, and the members."""
    ranges = np.array([model.dic_range[name] for name in ("g_s", "g_u")], dtype=float)
    g_s, g_u, held = enclosed(posterior, ranges, 121)
    inside = held <= 0.98
    inside.flat[held.argmin()] = True
    limits = []
    for i, (grid, within) in enumerate(((g_s, inside.any(axis=0)), (g_u, inside.any(axis=1)))):
        shown = np.concatenate([grid[within], points[:, i]])
        pad = 0.02 * np.ptp(ranges[i]) + 0.06 * np.ptp(shown)
        limits.append([shown.min() - pad, shown.max() + pad])
    return np.array(limits)


def enclosed(posterior: Any, window: Sequence[Sequence[float]] | FloatArray, n: int) -> Grid:
    """Grid (n,), (n,) over a window, and the probability of the smallest region that holds each point."""
    of_posterior = _ENCLOSED.setdefault(posterior, {})
    key = (*np.ravel(window).tolist(), n)
    if key not in of_posterior:
        of_posterior[key] = _enclosed(posterior, window, n)
    return of_posterior[key]


def _enclosed(posterior: Any, window: Sequence[Sequence[float]] | FloatArray, n: int) -> Grid:
    g_s, g_u = (np.linspace(low, high, n) for low, high in window)
    density = np.exp(posterior.log_prob(np.stack(np.meshgrid(g_s, g_u), axis=-1)))
    order = np.argsort(density, axis=None)[::-1]
    held = np.empty(density.size)
    held[order] = np.cumsum(density.ravel()[order]) / density.sum()
    return g_s, g_u, held.reshape(density.shape)


def posterior_marks(
    model: NeuronModel, posterior: Any, window: FloatArray | None = None, legend: bool = True
) -> list[Mark]:
    """The smallest regions that hold 50 % and 95 % of a posterior, and its mean ± one standard deviation."""
    whole = [model.dic_range[name] for name in ("g_s", "g_u")]
    g_s, g_u, held = enclosed(posterior, whole if window is None else window, 121 if window is None else 201)
    mean, std = posterior.mean, posterior.std
    return [
        Regions(
            x=g_s,
            y=g_u,
            held=held,
            name="50, 95 %",
            legend=legend,
            opacity=1.0 if window is not None else 0.6,
        ),
        Points(
            x=[mean[0]],
            y=[mean[1]],
            errors=([std[0]], [std[1]]),
            symbol="diamond",
            size=10,
            colour=RED,
            edge=WHITE,
            hover="mean: g_s %{x:.2f}, g_u %{y:.2f}",
            name="mean ± s.d.",
            legend=legend,
        ),
    ]


def reached(reach: Reachability) -> Heat:
    """Shading of the plane: the darker, the fewer members get there."""
    z = 100 * reach.valid_fraction
    return Heat(
        x=reach.g_s,
        y=reach.g_u,
        z=z,
        low=0,
        high=100,
        colours=(CLOSED, WHITE),
        smooth=True,
        ticks=(0, 50, 100),
        labels=("0", "50", "100"),
        hover="g_s %{x:.3g}, g_u %{y:.3g}: %{z:.0f} % of members",
        name="members that get there (%)",
    )
