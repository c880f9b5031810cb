"""What all figures share: colours, fonts, and thinning that keeps every peak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "BLUE",
    "CHANNEL_COLOURS",
    "CLOSED",
    "GREEN",
    "GREY",
    "INK",
    "LAYOUT",
    "MOST_MARKS",
    "ORANGE",
    "PATTERN_LOOKS",
    "PURPLE",
    "RED",
    "WHITE",
    "FloatArray",
    "by_verdict",
    "darkened",
    "decimate",
    "spread",
    "thinned",
    "ticks",
    "time_unit",
]

FloatArray = npt.NDArray[np.floating[Any]]
BLUE, ORANGE, GREEN, RED, GREY, INK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8A94A3", "#1F2937"
PURPLE, WHITE, CLOSED = "#CC79A7", "#FFFFFF", "#AEB6C2"  # the last of what cannot be reached
# Fills of channels, the leak's last: Okabe and Ito's, and some of Paul Tol's "muted" for neurons of many
# channels. Written otherwise than the colours above, so that a dark page leaves them as they are.
CHANNEL_COLOURS = (
    "rgb(0,114,178)",
    "rgb(213,94,0)",
    "rgb(0,158,115)",
    "rgb(230,159,0)",
    "rgb(86,180,233)",
    "rgb(204,121,167)",
    "rgb(240,228,66)",
    "rgb(136,34,85)",
    "rgb(153,153,51)",
    "rgb(51,34,136)",
    "rgb(153,153,153)",
)
# Fill, mark and symbol of each firing pattern: who cannot tell the colours tells the symbols.
PATTERN_LOOKS = {
    "silent": ("#DDE1E7", GREY, "x-thin"),
    "regular tonic": ("#CFE4F2", BLUE, "circle"),
    "irregular tonic": ("#FBE9BF", ORANGE, "triangle-up"),
    "bursting": ("#F6D3BC", RED, "square"),
}
MOST_MARKS = 4000
_FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
_AXIS = {
    "showline": True,
    "linecolor": "#C3CAD4",
    "gridcolor": "#EDF0F4",
    "zeroline": False,
    "ticks": "outside",
    "ticklen": 4,
    "exponentformat": "none",  # 900000, not 900k: these are no amounts of money
    "tickcolor": "#C3CAD4",
    "title": {"standoff": 6},
}
LAYOUT = {
    "font": {"family": _FONT, "size": 12, "color": INK},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "#FFFFFF",
    "colorway": [BLUE, ORANGE, GREEN, RED, GREY],
    "xaxis": _AXIS,
    "yaxis": _AXIS,
    "hoverlabel": {"font": {"family": _FONT, "size": 12}},
    "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}},
    "margin": {"l": 56, "r": 34, "t": 28, "b": 44},
    # Nothing here is selected with a box or a lasso, and some versions of Plotly offer to upload the
    # figure to a service. Of its own, Plotly makes the bar half black where the page shines through.
    # Along the right side, where no figure has anything, it covers no title.
    "modebar": {
        "orientation": "v",
        "remove": ["select2d", "lasso2d", "sendChartToCloud", "sendDataToCloud"],
        "bgcolor": "rgba(255,255,255,0.8)",
        "color": "#5A6472",
        "activecolor": BLUE,
    },
}
"""Of every figure that Plotly draws."""
# Lightness is turned around; hues stay, a little lighter, so that what is told apart stays so.
ON_DARK = {
    INK: "#E4E9F0",
    BLUE: "#4DA9E0",
    RED: "#F08A3C",
    GREEN: "#2BC79A",
    ORANGE: "#F2B733",
    "#5A6472": "#A4AFBD",
    "#FFFFFF": "#1B222C",
    "white": "#1B222C",
    "#AEB6C2": "#4A5564",
    "#C3CAD4": "#4A5564",
    "#EDF0F4": "#2B343F",
    "rgba(255,255,255,0.8)": "rgba(27,34,44,0.8)",
    "#CC79A7": "#E094BE",
    "#DDE1E7": "#39424E",
    "#CFE4F2": "#1D4562",
    "#FBE9BF": "#57461A",
    "#F6D3BC": "#5E3722",
    "rgba(0,114,178,0)": "rgba(77,169,224,0)",
    "rgba(0,114,178,0.22)": "rgba(77,169,224,0.3)",
    "rgba(0,114,178,0.5)": "rgba(77,169,224,0.6)",
}


def darkened(figure: go.Figure) -> go.Figure:
    """The same figure for a dark page.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> dark = s2p.plots.darkened(s2p.plots.placeholder("Nothing yet."))
    >>> dark.layout.annotations[0].text
    'Nothing yet.'
    """

    import plotly.graph_objects as go

    def swap(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: swap(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(swap, value)) if len(value) < 64 else value
        return ON_DARK.get(value, value) if isinstance(value, str) else value

    return go.Figure(
        data=[swap(trace.to_plotly_json()) for trace in figure.data],
        layout=swap(figure.layout.to_plotly_json()),
    )


def decimate(x: FloatArray, y: FloatArray, most: int = 4000) -> tuple[FloatArray, FloatArray]:
    """Thin a curve to at most `most` points by keeping the lowest and highest of each stretch.

    Every peak survives, which is what a spike needs.

    Parameters
    ----------
    x, y : array (n,)
        The curve.
    most : int
        Largest number of points, at least 2.

    Returns
    -------
    x, y : array (m,)
        ``m <= most``, in the order of the curve.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> x, y = s2p.plots.decimate(np.arange(10_000.0), np.zeros(10_000), most=100)
    >>> len(x) <= 100
    True
    """
    n = len(y)
    if n <= most:
        return x, y
    stretch = -(-n // (most // 2))
    whole = n // stretch
    blocks = np.asarray(y)[: whole * stretch].reshape(whole, stretch)
    start = stretch * np.arange(whole)
    keep = [start + blocks.argmin(axis=1), start + blocks.argmax(axis=1)]
    if whole * stretch < n:
        rest = np.asarray(y)[whole * stretch :]
        keep.append(whole * stretch + np.array([rest.argmin(), rest.argmax()]))
    index = np.unique(np.concatenate(keep))
    return x[index], y[index]


def spread(n: int, most: int) -> npt.NDArray[np.int64]:
    """Indices of at most `most` of n things, evenly chosen, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def thinned(times: FloatArray, most: int = MOST_MARKS) -> FloatArray:
    """At most `most` of the times: the first in each of as many equal bins."""
    if len(times) <= most:
        return times
    edges = np.linspace(times[0], times[-1], most)
    return times[np.unique(np.searchsorted(times, edges).clip(0, len(times) - 1))]


def ticks(times: FloatArray, low: float, high: float) -> tuple[list[float | None], list[float | None]]:
    """Coordinates of one vertical stroke per time, as a single broken line."""
    shown = thinned(times)
    x = np.repeat(shown, 3).astype(object)
    y = np.tile(np.array([low, high, None], dtype=object), len(shown))
    x[2::3] = None
    return x.tolist(), y.tolist()


def by_verdict(
    passed: Any, n: int, unknown: str = "passed", words: tuple[str, str] = ("passed", "did not pass")
) -> list[tuple[Any, dict[str, Any]]]:
    """Which of n members passed, which did not, and how they are marked; all alike if nothing is known."""
    good = np.ones(n, dtype=bool) if passed is None else np.asarray(passed, dtype=bool)
    yes: dict[str, Any] = {"name": unknown if passed is None else words[0], "colour": BLUE, "filled": True}
    no = {"name": words[1], "colour": GREY if words[0] == "passed" else RED, "filled": False}
    return [(mask, look) for mask, look in ((good, yes), (~good, no)) if mask.any()]


def time_unit(span_ms: float) -> tuple[float, str]:
    """What to multiply ms by, and the unit, for an axis of this length."""
    return (1e-3, "s") if span_ms >= 10_000 else (1.0, "ms")
