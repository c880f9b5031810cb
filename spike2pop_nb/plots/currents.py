"""Currentscapes: which currents flow when in one member."""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.plots.drawing import Area, Axis, Drawing, Line, Panel
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import CHANNEL_COLOURS, FloatArray, spread
from spike2pop_nb.simulation import Currents

__all__ = ["channel_colour", "currentscape", "moments", "window_of"]

_LONGEST_MS, _SPIKES = 2000.0, 30
_HEIGHTS = (0.19, 0.11, 0.255, 0.255, 0.12)  # of the panels
_LEAST_TOTAL = 1e-3  # µA/cm²: what is below lies under the axis of totals


def window_of(currents: Currents) -> tuple[float, float]:
    """Return the stretch in ms that a currentscape shows by default: some spikes, up to two seconds."""
    first, last = float(currents.time_ms[0]), float(currents.time_ms[-1])
    spikes = currents.spike_times_ms
    if not spikes.size:
        return first, min(last, first + _LONGEST_MS)
    start = max(first, float(spikes[0]) - 30.0)
    end = float(spikes[min(_SPIKES, len(spikes)) - 1]) + 30.0
    return start, min(last, start + _LONGEST_MS, max(end, start + 300.0))


def moments(currents: Currents, window_ms: tuple[float, float], most: int) -> np.ndarray[Any, Any]:
    """Return the samples (m,) to draw, ``m <= most``: more where voltage or shares move, and peaks.

    Equal distances along the path of voltage, shares and time together, so that a spike of one millisecond
    keeps its shape within seconds of rest.
    """
    start, end = window_ms
    inside = np.flatnonzero((currents.time_ms >= start) & (currents.time_ms <= end))
    if inside.size <= most:
        return inside
    V = currents.V_mV[inside]
    moved = np.abs(np.diff(V)) / max(float(np.ptp(V)), 1.0)
    for share in currents.shares():
        moved = moved + 0.5 * np.abs(np.diff(share[:, inside], axis=1)).sum(axis=0)
    path = np.concatenate([[0.0], np.cumsum(moved)])
    path = path / max(float(path[-1]), 1e-9) + np.linspace(0, 0.5, inside.size)
    peaks = 1 + np.flatnonzero((V[1:-1] >= V[:-2]) & (V[1:-1] > V[2:]) & (V[1:-1] > 0))
    peaks = peaks[spread(peaks.size, most // 4)]
    at = np.searchsorted(path, np.linspace(0, path[-1], most - peaks.size))
    return inside[np.unique(np.concatenate([at.clip(0, inside.size - 1), peaks]))]


@figure
def currentscape(
    currents: Currents,
    *,
    window_ms: tuple[float, float] | None = None,
    most_points: int = 1600,
    height: int = 560,
) -> Drawing:
    """Voltage of one member, its total currents, and what each channel carries of them over time.

    After Alonso and Marder (2019), doi:10.7554/eLife.42722: voltage on top, then the sum of all outward
    currents, its shares, the shares of the inward current, and the sum of all inward currents.

    Parameters
    ----------
    currents : Currents
        Of `spike2pop_nb.simulation.recorded_currents`.
    window_ms : (start, end), optional
        Stretch shown, from the start of the simulation; some spikes, up to two seconds, by default.
    most_points : int
        Samples drawn at most; more where currents change fast, and the peak of every spike.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> found = s2p.currents(population, 0, duration_ms=600, transient_ms=500)
    >>> figure = s2p.plots.currentscape(found)
    >>> len(figure.data) > 0
    True
    """
    window = window_of(currents) if window_ms is None else window_ms
    at = moments(currents, window, most_points)
    t = (currents.time_ms[at] - window[0]).astype(np.float32)
    time = Axis("time (ms)", (0.0, window[1] - window[0]), grid=False)
    names = currents.neuron.channel_names

    def shares(share: FloatArray, direction: str) -> Panel:
        marks = []
        for c in map(int, np.flatnonzero(share[:, at].any(axis=1))):
            look: dict[str, Any] = {"colour": channel_colour(c, len(names)), "name": names[c], "legend": True}
            hover, y = f"{names[c]}: %{{y:.0f}} % of the {direction} current", 100 * share[c, at]
            marks.append(Area(t, y.astype(np.float32), direction, c, hover=hover, **look))
        ends = (0.0, 100.0) if direction == "outward" else (100.0, 0.0)
        return Panel(time, Axis(f"{direction} (%)", ends, ticks=(50, 100), fixed=True, grid=False), marks)

    def total(values: FloatArray, direction: str) -> Panel:
        above = np.maximum(values[at], _LEAST_TOTAL).astype(np.float32)
        curve = Line(t, above, hover=f"{direction} %{{y:.3g}} µA/cm²", name=direction)
        return Panel(time, _totals(currents, at, direction == "inward"), [curve], note=f"total {direction}")

    V = Line(t, currents.V_mV[at].astype(np.float32), hover="%{y:.1f} mV", name="V")
    V_axis = Axis("V (mV)", ticks=(-80, -40, 0, 40), fixed=True, grid=False)
    outward, inward = currents.shares()
    panels = [
        Panel(time, V_axis, [V]),
        total(currents.outward, "outward"),
        shares(outward, "outward"),
        shares(inward, "inward"),
        total(currents.inward, "inward"),
    ]
    return Drawing(panels, height, weights=_HEIGHTS, gaps=(0, 0.0175), share_x=True, legend=True)


def channel_colour(channel: int, n_channels: int) -> str:
    """Return the colour of a channel; the last is the leak, which is grey."""
    if channel == n_channels - 1:
        return CHANNEL_COLOURS[-1]
    return CHANNEL_COLOURS[channel % (len(CHANNEL_COLOURS) - 1)]


def _totals(currents: Currents, at: np.ndarray[Any, Any], downwards: bool = False) -> Axis:
    """Logarithmic axis of a sum of currents, the same for both directions."""
    totals = np.concatenate([currents.outward[at], currents.inward[at]])
    positive = totals[totals > _LEAST_TOTAL]
    low = float(np.log10(np.quantile(positive, 0.005))) if positive.size else -1.0
    high = float(np.log10(positive.max())) + 0.2 if positive.size else 1.0
    decades = [10.0**k for k in range(int(np.floor(low)), int(np.ceil(high)) + 1)]
    decades = decades[:: -(-len(decades) // 3)]
    ends = (10 ** (low - 0.1), 10.0**high)
    labels, limits = [f"{decade:g}" for decade in decades], ends[::-1] if downwards else ends
    return Axis("µA/cm²", limits, log=True, ticks=decades, labels=labels, fixed=True)
