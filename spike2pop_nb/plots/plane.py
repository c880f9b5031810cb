"""Maps over the (g_s, g_u) plane: what a choice of conductances reaches, and how members fire there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import plotly.graph_objects as go

from spike2pop_nb.conductances import PlaneMap, Reachability
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.plots.dics import plane_axes, posterior_traces
from spike2pop_nb.plots.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, FloatArray, composed
from spike2pop_nb.spiketrains import ActivityPattern

if TYPE_CHECKING:
    from spike2pop_nb.fidelity import PatternMap

__all__ = ["LAYERS", "plane_map"]

LAYERS = {
    "reached": "members that get there (%)",
    "condition": "condition number of the solve",
    "residual": "median residual of the solve",
    "pattern": "simulated firing pattern",
    "rate": "simulated firing rate (Hz)",
}
"""Layers of `plane_map`, and what each shows: three of what is reached, two of how members fire."""
PATTERNS = tuple(ActivityPattern)
_WHITE, CLOSED = "#FFFFFF", "#AEB6C2"
# One fill, mark and symbol for each of PATTERNS: who cannot tell the colours tells the symbols.
PATTERN_FILLS = ("#DDE1E7", "#CFE4F2", "#FBE9BF", "#F6D3BC")
PATTERN_MARKS = (GREY, BLUE, ORANGE, RED)
_SYMBOLS = ("x-thin-open", "circle", "triangle-up-open", "square")


def plane_map(
    found: PlaneMap,
    height: int = 340,
    *,
    layer: str | None = None,
    posterior: Any = None,
    target: Sequence[float] | None = None,
) -> go.Figure:
    """Draw one layer of a map over the plane.

    Parameters
    ----------
    found : Reachability or PatternMap
        From `conductances.reachability` (what a choice reaches) or `fidelity.pattern_map` (how members fire).
    height : int
        In pixels.
    layer : str, optional
        One of `LAYERS`: ``"reached"``, ``"condition"`` or ``"residual"`` of the former, ``"pattern"`` (the
        most frequent at each node, fainter where members differ) or ``"rate"`` of the latter. By default
        the first.
    posterior : Posterior, optional
        Drawn over it.
    target : (g_s, g_u), optional
        A point to mark.

    Raises
    ------
    Spike2PopError
        If the map has no such layer.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> figure = s2p.plots.plane_map(s2p.reachability("stg", ("CaS", "H"), 5))
    >>> len(figure.data) > 0
    True
    """
    if isinstance(found, Reachability):
        return _plane(found.neuron, [_reached(found, layer or "reached")], posterior, target, height)
    data = _fired(cast("PatternMap", found), layer or "pattern")
    return _plane(found.neuron, data, posterior, target, height, plot_bgcolor=CLOSED)


def _reached(reach: Reachability, layer: str) -> dict[str, Any]:
    if layer == "reached":
        z, scale = 100 * reach.valid_fraction, [[0, CLOSED], [1, _WHITE]]
        bar: dict[str, Any] = {"zmin": 0, "zmax": 100, "ticks": [0, 50, 100], "text": ["0", "50", "100"]}
        hover = "%{customdata:.0f} % of members"
        told = z
    elif layer == "condition":
        told = np.where(np.isfinite(reach.condition), reach.condition, np.nan)
        z, scale = np.log10(told), [[0, _WHITE], [1, ORANGE]]
        bar = _decades(z, 0.0, 2.0)
        hover = "condition number %{customdata:.3g}"
    elif layer == "residual":
        told = np.where(np.isfinite(reach.residual), reach.residual, np.nan)
        # white up to the tolerance of the solve: what is below is rounding
        z, scale = np.log10(np.clip(told, 1e-6, None)), [[0, _WHITE], [1, PURPLE]]
        bar = _decades(z, -6.0, 0.0)
        hover = "residual %{customdata:.2g} DIC units"
    else:
        raise Spike2PopError(
            f"A map of what is reached has the layers reached, condition and residual, not {layer!r}."
        )
    return {
        "type": "heatmap",
        "x": reach.g_s,
        "y": reach.g_u,
        "z": z,
        "customdata": told,
        "colorscale": scale,
        "zmin": bar["zmin"],
        "zmax": bar["zmax"],
        "zsmooth": "fast" if np.isfinite(z).all() else False,
        "colorbar": _bar(LAYERS[layer], bar["ticks"], bar["text"]),
        "hovertemplate": "g_s %{x:.3g}, g_u %{y:.3g}: " + hover + "<extra></extra>",
        "name": layer,
    }


def _fired(found: PatternMap, layer: str) -> list[dict[str, Any]]:
    if layer not in ("pattern", "rate"):
        raise Spike2PopError(f"A map of firing has the layers pattern and rate, not {layer!r}.")
    data = _patterns(found) if layer == "pattern" else [_rates(found)]
    box = {"symbol": "square", "size": 9, "color": CLOSED, "line": {"width": 0.5, "color": GREY}}
    entry = {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "marker": box}
    return [*data, entry | {"name": "not reached", "showlegend": True}]


def _rates(found: PatternMap) -> dict[str, Any]:
    highest = float(np.nanmax(found.rate_hz, initial=1.0))
    return {
        "type": "heatmap",
        "x": found.g_s,
        "y": found.g_u,
        "z": found.rate_hz,
        "zmin": 0,
        "zmax": highest,
        "colorscale": [[0, _WHITE], [1, GREEN]],
        "colorbar": _bar(LAYERS["rate"]),
        "text": _texts(found),
        "hovertemplate": "g_s %{x:.3g}, g_u %{y:.3g}: %{text}<extra></extra>",
        "name": "rate",
    }


def _patterns(found: PatternMap) -> list[dict[str, Any]]:
    pattern = found.pattern
    n = len(PATTERNS)
    steps = [[edge, colour] for k, colour in enumerate(PATTERN_FILLS) for edge in (k / n, (k + 1) / n)]
    fill = {
        "type": "heatmap",
        "x": found.g_s,
        "y": found.g_u,
        "z": np.where(pattern >= 0, pattern, np.nan),
        "zmin": -0.5,
        "zmax": n - 0.5,
        "colorscale": steps,
        "showscale": False,
        "text": _texts(found),
        "hovertemplate": "g_s %{x:.3g}, g_u %{y:.3g}: %{text}<extra></extra>",
        "name": "pattern",
    }
    s, u = np.meshgrid(found.g_s, found.g_u)
    agreed = np.nanmax(np.nan_to_num(found.shares), axis=-1)
    size = 7.0 if len(found.g_s) <= 12 else 4.5
    marks = []
    for k, name in enumerate(PATTERNS):
        here = pattern == k
        if here.any():
            marks.append(
                {
                    "type": "scatter",
                    "x": s[here],
                    "y": u[here],
                    "mode": "markers",
                    "marker": {
                        "symbol": _SYMBOLS[k],
                        "color": PATTERN_MARKS[k],
                        "size": size,
                        "opacity": np.clip(agreed[here], 0.5, 1.0),
                        "line": {"width": 1, "color": PATTERN_MARKS[k]},
                    },
                    "hoverinfo": "skip",
                    "name": str(name),
                    "showlegend": True,
                }
            )
    return [fill, *marks]


def _texts(found: PatternMap) -> list[list[str]]:
    """What the mouse is told at each node."""
    texts = []
    for j in range(len(found.g_u)):
        row = []
        for i in range(len(found.g_s)):
            shares = found.shares[j, i]
            if not np.isfinite(shares[0]):
                row.append("no member gets there")
                continue
            words = [
                f"{PATTERNS[k]} {100 * shares[k]:.0f} %"
                for k in np.argsort(-shares, kind="stable")
                if shares[k] > 0
            ]
            reached = 100 * found.valid_fraction[j, i]
            row.append(
                f"{', '.join(words)}; {found.rate_hz[j, i]:.3g} Hz; {reached:.0f} % of members get there"
            )
        texts.append(row)
    return texts


def _decades(z: FloatArray, low: float, least: float) -> dict[str, Any]:
    """Limits and ticks of a logarithmic colour scale."""
    top = max(least, float(np.nanmax(z, initial=least)))
    every = max(1, int(np.ceil((top - low) / 5)))
    ticks = np.arange(np.ceil(low), np.floor(top) + 1, every)
    text = [f"{10**tick:g}" if -3 <= tick <= 4 else f"1e{tick:.0f}" for tick in ticks]
    return {"zmin": low, "zmax": top, "ticks": ticks, "text": text}


def _bar(title: str, ticks: Any = None, text: Any = None) -> dict[str, Any]:
    bar = {"title": {"text": title, "side": "right"}, "thickness": 9, "len": 0.95, "x": 1.01}
    bar |= {"outlinecolor": "#C3CAD4"}
    return bar if ticks is None else bar | {"tickvals": ticks, "ticktext": text}


def _plane(
    neuron: NeuronModel,
    data: list[dict[str, Any]],
    posterior: Any,
    target: Sequence[float] | None,
    height: int,
    **layout: Any,
) -> go.Figure:
    if posterior is not None and posterior.usable:
        data = [*data, *posterior_traces(neuron, posterior)]
    if target is not None:
        mark = {"symbol": "cross-thin", "size": 14, "line": {"width": 2.5, "color": INK}}
        hover = "target: g_s %{x:.2f}, g_u %{y:.2f}<extra></extra>"
        point = {"type": "scatter", "x": [target[0]], "y": [target[1]], "mode": "markers", "marker": mark}
        data = [*data, point | {"hovertemplate": hover, "name": "target", "showlegend": True}]
    named = any(trace.get("showlegend") is True for trace in data)
    return composed(
        data,
        height,
        **plane_axes(neuron),
        showlegend=named,
        legend={"y": 1.03, "font": {"size": 10}, "tracegroupgap": 0},
        margin={"t": 44},
        **layout,
    )
