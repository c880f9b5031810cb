"""The plane of slow and ultraslow DICs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from spike2pop_nb.conductances import Population, Reachability
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.plots.drawing import Axis, Drawing, Heat, Mark, Panel, Points, Regions
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, CLOSED, GREEN, RED, WHITE, FloatArray, by_verdict

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

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> figure = s2p.plots.dic_plane("stg", population=population)
    >>> len(figure.data) > 0
    True
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
        for mask, look in by_verdict(passed, len(table), "members"):
            dots = look | {"colour": GREEN, "edge": WHITE if look["filled"] else GREEN, "size": 5.5}
            hover, members = "member %{id}: g_s %{x:.2f}, g_u %{y:.2f}", table["member"].to_numpy()[mask]
            x, y = points[mask].T
            marks.append(Points(x, y, members=members, hover=hover, legend=True, **dots))
    return Drawing([Panel(*plane_axes(model, window), marks)], height, legend=usable)


@figure
def course(posterior: Any, height: int = 320) -> Drawing:
    """Slow and ultraslow DICs over the time of one recording, mean ± one standard deviation.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> posterior = s2p.load_predictor("stg").predict([train])[0]
    >>> figure = s2p.plots.course(posterior)
    >>> figure.layout.height
    320
    """
    found = posterior.course
    if found is None:
        return Drawing.nothing("Too short a recording to follow its DICs over time", height)
    looks = (("g_s", BLUE, "circle", "solid"), ("g_u", RED, "square", "dot"))
    marks = []
    for i, (name, colour, symbol, dash) in enumerate(looks):
        look: dict[str, Any] = {
            "symbol": symbol,
            "colour": colour,
            "joined": dash,
            "name": name,
            "legend": True,
        }
        hover, errors = f"{name} at %{{x:.3g}} s: %{{y:.2f}}", (None, found.std[:, i])
        marks.append(Points(found.time_s, found.mean[:, i], errors=errors, hover=hover, **look))
    panel = Panel(Axis("time in the recording (s)"), Axis("DIC / leak conductance"), marks)
    return Drawing([panel], height, legend=True)


def _path(found: Any) -> Points:
    time = np.asarray(found.time_s)
    look: dict[str, Any] = {"size": 7, "edge": "#5A6472", "joined": "solid", "name": "course over time"}
    hover = "at %{customdata:.3g} s: g_s %{x:.2f}, g_u %{y:.2f}"
    x, y = found.mean.T
    return Points(x, y, colour=time, values=time, hover=hover, legend=True, **look)


def plane_axes(model: NeuronModel, window: FloatArray | None = None) -> tuple[Axis, Axis]:
    """Axes of the (g_s, g_u) plane over the neuron's range of targets, or a window (2, 2) of it."""
    ranges = [model.dic_range[name] for name in ("g_s", "g_u")] if window is None else window
    words = ("slow DIC / leak conductance", "ultraslow DIC / leak conductance")
    x, y = (Axis(title, (float(low), float(high))) for title, (low, high) in zip(words, ranges, strict=True))
    return x, y


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
    (s, u), (ds, du) = posterior.mean, posterior.std
    look: dict[str, Any] = {"symbol": "diamond", "size": 10, "colour": RED, "edge": WHITE}
    hover, errors = "mean: g_s %{x:.2f}, g_u %{y:.2f}", ([ds], [du])
    return [
        Regions(g_s, g_u, held, name="50, 95 %", legend=legend, opacity=0.6 if window is None else 1.0),
        Points([s], [u], errors=errors, name="mean ± s.d.", legend=legend, hover=hover, **look),
    ]


def reached(reach: Reachability) -> Heat:
    """Shading of the plane: the darker, the fewer members get there."""
    where = reach.g_s, reach.g_u, 100 * reach.valid_fraction
    hover = "g_s %{x:.3g}, g_u %{y:.3g}: %{z:.0f} % of members"
    bar: dict[str, Any] = {"low": 0, "high": 100, "ticks": (0, 50, 100), "labels": ("0", "50", "100")}
    name = "members that get there (%)"
    return Heat(*where, (CLOSED, WHITE), smooth=True, hover=hover, name=name, **bar)
