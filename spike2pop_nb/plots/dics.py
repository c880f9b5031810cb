"""The plane of slow and ultraslow DICs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import plotly.graph_objects as go

from spike2pop_nb.conductances import Population, Reachability
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.plots.style import BLUE, GREEN, RED, FloatArray, finish, placeholder

__all__ = ["course", "dic_plane", "enclosed", "plane_axes", "posterior_traces"]

Grid = tuple[FloatArray, FloatArray, FloatArray]
# A page draws the same posterior under one population after the other.
_ENCLOSED: WeakKeyDictionary[Any, dict[Any, Grid]] = WeakKeyDictionary()


def dic_plane(
    neuron: str | NeuronModel,
    posterior: Any = None,
    reach: Reachability | None = None,
    population: Population | None = None,
    height: int = 320,
) -> go.Figure:
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

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> figure = s2p.plots.dic_plane("stg", population=population)
    >>> len(figure.data) > 0
    True
    """
    model = get_neuron(neuron)
    figure = go.Figure()
    if reach is not None:
        figure.add_heatmap(
            x=reach.g_s,
            y=reach.g_u,
            z=100 * reach.valid_fraction,
            zmin=0,
            zmax=100,
            colorscale=[[0, "#AEB6C2"], [1, "#FFFFFF"]],
            zsmooth="best",
            colorbar={
                "title": {"text": "reached (%)", "side": "right"},
                "thickness": 9,
                "len": 0.95,
                "x": 1.01,
                "tickvals": [0, 50, 100],
                "outlinecolor": "#C3CAD4",
            },
            hovertemplate="g_s %{x:.3g}, g_u %{y:.3g}: %{z:.0f} % of members<extra></extra>",
            name="reach",
        )
    if posterior is not None and posterior.usable:
        figure.add_traces(posterior_traces(model, posterior))
        if posterior.course is not None and posterior.course.drifts:
            _add_course(figure, posterior.course)
    if population is not None:
        table = population.table
        figure.add_scatter(
            x=table["g_s"],
            y=table["g_u"],
            ids=[str(member) for member in table["member"]],
            mode="markers",
            marker={"size": 5, "color": GREEN, "line": {"color": "white", "width": 0.5}},
            hovertemplate="member %{id}: g_s %{x:.2f}, g_u %{y:.2f}<extra></extra>",
            name="members",
        )
    return finish(
        figure,
        height,
        **plane_axes(model),
        showlegend=posterior is not None and posterior.usable,
        legend={"y": 1.03, "font": {"size": 10}, "tracegroupgap": 0},
        margin={"t": 44},
    )


def course(posterior: Any, height: int = 320) -> go.Figure:
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
        return placeholder("Too short a recording to follow its DICs over time", height)
    figure = go.Figure()
    for i, (name, colour) in enumerate((("g<sub>s</sub>", BLUE), ("g<sub>u</sub>", RED))):
        figure.add_scatter(
            x=found.time_s,
            y=found.mean[:, i],
            error_y={"array": found.std[:, i], "thickness": 1, "width": 0, "color": colour},
            mode="lines+markers",
            marker={"symbol": ("circle", "square")[i], "color": colour},
            line={"color": colour, "dash": ("solid", "dot")[i]},
            hovertemplate="%{x:.3g} s: %{y:.2f}<extra>" + name + "</extra>",
            name=name,
        )
    return finish(
        figure,
        height,
        xaxis={"title": "time in the recording (s)"},
        yaxis={"title": "DIC (in units of g<sub>leak</sub>)"},
        showlegend=True,
        margin={"t": 26},
    )


def _add_course(figure: go.Figure, found: Any) -> None:
    figure.add_scatter(
        x=found.mean[:, 0],
        y=found.mean[:, 1],
        mode="lines+markers",
        line={"color": "#5A6472", "width": 1},
        marker={"color": found.time_s, "colorscale": "Cividis", "size": 7, "line": {"width": 0.5}},
        customdata=found.time_s,
        hovertemplate="at %{customdata:.3g} s: g_s %{x:.2f}, g_u %{y:.2f}<extra></extra>",
        name="course over time",
    )


def plane_axes(model: NeuronModel) -> dict[str, Any]:
    """Axes of the (g_s, g_u) plane over the neuron's range of targets."""
    x = {"title": "g<sub>s</sub>, slow DIC (in units of g<sub>leak</sub>)"}
    y = {"title": "g<sub>u</sub>, ultraslow DIC"}
    return {
        "xaxis": x | {"range": list(model.dic_range["g_s"])},
        "yaxis": y | {"range": list(model.dic_range["g_u"])},
    }


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


def posterior_traces(model: NeuronModel, posterior: Any) -> list[dict[str, Any]]:
    """The smallest regions that hold 50 % and 95 % of a posterior, and its mean ± one standard deviation."""
    g_s, g_u, held = enclosed(posterior, [model.dic_range[name] for name in ("g_s", "g_u")], 121)
    none, light, strong = "rgba(0,114,178,0)", "rgba(0,114,178,0.22)", "rgba(0,114,178,0.5)"
    regions = {
        "type": "contour",
        "x": g_s,
        "y": g_u,
        # Fills are painted one over the other from the lowest up, so what is outside must be low.
        "z": (1.0 - held).astype(np.float32),
        # Two levels, hence three fills; a fill takes the colour of the middle of its band.
        "contours": {"start": 0.05, "end": 0.5, "size": 0.45, "coloring": "fill", "showlines": True},
        "zmin": -0.175,
        "zmax": 0.725,
        "colorscale": [[0, none], [0.5, light], [1, strong]],
        "line": {"color": BLUE, "width": 0.8},
        "showscale": False,
        "hoverinfo": "skip",
        "name": "50, 95 %",
        "showlegend": True,
    }
    mean, std = posterior.mean, posterior.std
    bar = {"type": "data", "visible": True, "thickness": 1.6, "width": 4, "color": RED}
    centre = {
        "type": "scatter",
        "x": [mean[0]],
        "y": [mean[1]],
        "error_x": bar | {"array": [std[0]]},
        "error_y": bar | {"array": [std[1]]},
        "mode": "markers",
        "marker": {"symbol": "diamond", "size": 10, "color": RED, "line": {"color": "white", "width": 1}},
        "hovertemplate": "mean: g_s %{x:.2f}, g_u %{y:.2f}<extra></extra>",
        "name": "mean ± s.d.",
    }
    return [regions, centre]
