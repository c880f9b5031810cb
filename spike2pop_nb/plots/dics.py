"""DICs: the plane of slow and ultraslow ones, their course over time, and all of them over voltage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from spike2pop_nb.conductances import Population, Reachability, find_threshold
from spike2pop_nb.conductances import dic_curves as compute_curves
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.plots.drawing import Axis, Drawing, Heat, Line, Mark, Panel, Points, Regions, Rule
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, CLOSED, GREEN, GREY, RED, WHITE, FloatArray, by_verdict, spread

__all__ = ["course", "dic_curves", "dic_plane", "enclosed", "plane_axes", "posterior_marks", "reached"]

_PANELS = {"g_f": "fast", "g_s": "slow", "g_u": "ultraslow", "g_t": "total"}
_AROUND_MV, _STEP_MV = 25.0, 0.5  # of curves
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
        look: dict[str, Any] = {"symbol": symbol, "colour": colour, "joined": dash, "name": name}
        hover, errors = f"{name} at %{{x:.3g}} s: %{{y:.2f}}", (None, found.std[:, i])
        marks.append(Points(found.time_s, found.mean[:, i], errors=errors, hover=hover, legend=True, **look))
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
        g_s, g_u = (np.linspace(low, high, n) for low, high in window)
        density = np.exp(posterior.log_prob(np.stack(np.meshgrid(g_s, g_u), axis=-1)))
        order = np.argsort(density, axis=None)[::-1]
        held = np.empty(density.size)
        held[order] = np.cumsum(density.ravel()[order]) / density.sum()
        of_posterior[key] = g_s, g_u, held.reshape(density.shape)
    return of_posterior[key]


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
