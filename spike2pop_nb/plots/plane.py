"""Maps over the (g_s, g_u) plane: what a choice of conductances reaches, and how members fire there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from spike2pop_nb.conductances import PlaneMap, Reachability
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.plots.dics import plane_axes, posterior_marks, reached
from spike2pop_nb.plots.drawing import Drawing, Heat, Mark, Panel, Points
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import (
    CLOSED,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PATTERN_LOOKS,
    PURPLE,
    WHITE,
    FloatArray,
)
from spike2pop_nb.spiketrains import ActivityPattern

if TYPE_CHECKING:
    from spike2pop_nb.fidelity import PatternMap

__all__ = ["LAYERS", "plane_map", "plane_maps"]

LAYERS = {
    "reached": "members that get there (%)",
    "condition": "condition number of the solve",
    "residual": "median residual of the solve",
    "pattern": "simulated firing pattern",
    "rate": "simulated firing rate (Hz)",
}
"""Layers of `plane_map`, and what each shows: three of what is reached, two of how members fire."""
_LOOKS = {kind: PATTERN_LOOKS[str(kind)] for kind in ActivityPattern}


@figure
def plane_map(
    found: PlaneMap,
    height: int = 340,
    *,
    layer: str | None = None,
    posterior: Any = None,
    target: Sequence[float] | None = None,
) -> Drawing:
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
    panel = _panel(found, layer, posterior, target)
    return Drawing([panel], height, legend=any(mark.legend for mark in panel.marks))


def plane_maps(
    reach: Reachability,
    firing: PatternMap | None,
    posterior: Any,
    target: Sequence[float] | None,
    columns: int = 3,
    side: int = 215,
) -> Drawing:
    """What a choice reaches, how well it is solved, and how members fire where that was simulated."""
    layers: list[tuple[PlaneMap, str]] = [(reach, layer) for layer in ("reached", "condition", "residual")]
    layers += [] if firing is None else [(firing, "pattern"), (firing, "rate")]
    panels = [_panel(found, layer, posterior, target, named=False) for found, layer in layers]
    tall = (side + 60) * -(-len(panels) // columns) + (40 if firing is not None else 0)
    return Drawing(panels, tall, columns=columns, share_x=True, share_y=True, legend=firing is not None)


def _panel(
    found: PlaneMap, layer: str | None, posterior: Any, target: Sequence[float] | None, named: bool = True
) -> Panel:
    marks: list[Mark]
    if isinstance(found, Reachability):
        marks = [_reached(found, layer or "reached")]
    else:
        marks = _fired(cast("PatternMap", found), layer or "pattern")
    if posterior is not None and posterior.usable:
        marks += posterior_marks(found.neuron, posterior, legend=named)
    if target is not None:
        hover = "target: g_s %{x:.2f}, g_u %{y:.2f}"
        look: dict[str, Any] = {"symbol": "cross-thin", "size": 14, "colour": INK, "name": "target"}
        marks.append(Points([target[0]], [target[1]], hover=hover, legend=named, **look))
    title = LAYERS["pattern"] if layer == "pattern" and not named else ""  # the others have bars that say so
    ground = "" if isinstance(found, Reachability) else CLOSED
    return Panel(*plane_axes(found.neuron), marks, title, ground=ground)


def _reached(reach: Reachability, layer: str) -> Heat:
    if layer == "reached":
        return reached(reach)
    if layer == "condition":
        told = np.where(np.isfinite(reach.condition), reach.condition, np.nan)
        z, colour, hover = np.log10(told), ORANGE, "condition number %{customdata:.3g}"
        bar = _decades(z, 0.0, 2.0)
    elif layer == "residual":
        told = np.where(np.isfinite(reach.residual), reach.residual, np.nan)
        # white up to the tolerance of the solve: what is below is rounding
        z, colour, hover = np.log10(np.clip(told, 1e-6, None)), PURPLE, "residual %{customdata:.2g} DIC units"
        bar = _decades(z, -6.0, 0.0)
    else:
        raise Spike2PopError(
            f"A map of what is reached has the layers reached, condition and residual, not {layer!r}."
        )
    look: dict[str, Any] = {"smooth": bool(np.isfinite(z).all()), "name": LAYERS[layer]} | bar
    hover = "g_s %{x:.3g}, g_u %{y:.3g}: " + hover
    return Heat(reach.g_s, reach.g_u, z, (WHITE, colour), values=told, hover=hover, **look)


def _fired(found: PatternMap, layer: str) -> list[Mark]:
    if layer not in ("pattern", "rate"):
        raise Spike2PopError(f"A map of firing has the layers pattern and rate, not {layer!r}.")
    texts = [[_text(found, j, i) for i in range(len(found.g_s))] for j in range(len(found.g_u))]
    told: dict[str, Any] = {"texts": texts, "hover": "g_s %{x:.3g}, g_u %{y:.3g}: %{text}"}
    closed = Points([None], [None], "square", 9, edge=GREY, colour=CLOSED, name="not reached", legend=True)
    if layer == "rate":
        told |= {"low": 0, "high": float(np.nanmax(found.rate_hz, initial=1.0)), "name": LAYERS["rate"]}
        return [Heat(found.g_s, found.g_u, found.rate_hz, (WHITE, GREEN), **told), closed]
    pattern = found.pattern
    fills = tuple(fill for fill, _, _ in _LOOKS.values())
    told |= {"low": -0.5, "high": len(fills) - 0.5, "steps": True, "name": "pattern"}
    marks: list[Mark] = [Heat(found.g_s, found.g_u, np.where(pattern >= 0, pattern, np.nan), fills, **told)]
    s, u = np.meshgrid(found.g_s, found.g_u)
    agreed = np.nanmax(np.nan_to_num(found.shares), axis=-1).clip(0.5, 1.0)
    for k, (kind, (_, colour, symbol)) in enumerate(_LOOKS.items()):
        here = pattern == k
        if here.any():
            filled = symbol in ("circle", "square")
            look: dict[str, Any] = {"filled": filled, "edge": colour, "colour": colour}
            look |= {"size": min(7.0, 140 / len(found.g_s)), "opacity": agreed[here], "name": str(kind)}
            marks.append(Points(s[here], u[here], symbol, legend=True, **look))
    return [*marks, closed]


def _text(found: PatternMap, j: int, i: int) -> str:
    """What the mouse is told at a node."""
    shares, kinds = found.shares[j, i], list(_LOOKS)
    if not np.isfinite(shares[0]):
        return "no member gets there"
    order = [k for k in np.argsort(-shares, kind="stable") if shares[k] > 0]
    words = ", ".join(f"{kinds[k]} {100 * shares[k]:.0f} %" for k in order)
    reaches = 100 * found.valid_fraction[j, i]
    return f"{words}; {found.rate_hz[j, i]:.3g} Hz; {reaches:.0f} % of members get there"


def _decades(z: FloatArray, low: float, least: float) -> dict[str, Any]:
    """Limits and ticks of a logarithmic colour scale."""
    top = max(least, float(np.nanmax(z, initial=least)))
    every = max(1, int(np.ceil((top - low) / 5)))
    ticks = np.arange(np.ceil(low), np.floor(top) + 1, every)
    labels = [f"{10**tick:g}" if -3 <= tick <= 4 else f"1e{tick:.0f}" for tick in ticks]
    return {"low": low, "high": top, "ticks": ticks, "labels": labels}
