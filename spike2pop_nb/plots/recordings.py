"""Figures of spike trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spike2pop_nb.plots.drawing import Axis, Drawing, Line, Mark, Panel, Points, Rule, Strokes
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, MOST_MARKS, RED, FloatArray, decimate, thinned, time_unit
from spike2pop_nb.spiketrains import SpikeTrain

if TYPE_CHECKING:
    from spike2pop_nb.spiketrains import Detected, VoltageTrace

__all__ = ["raster", "recording", "voltage", "voltages"]

_STROKE = 0.05, 0.13  # from where to where above the highest voltage, in shares of its range
_AROUND = 500  # points on each side of what is looked at


@figure
def recording(train: SpikeTrain, height: int = 280) -> Drawing:
    """Raster of one train, and its inter-spike intervals over the same time axis.

    Parameters
    ----------
    train : SpikeTrain
        The recording.
    height : int
        In pixels.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> figure = s2p.plots.recording(train)
    >>> len(figure.data) > 0
    True
    """
    times, isi = train.times_ms, train.isi_ms
    factor, unit = time_unit(float(np.ptp(times)) if times.size else 0.0)
    strokes = Strokes(factor * thinned(times), hover=f"%{{x:.6g}} {unit}")
    axis, dots = Axis("interval (ms)"), []
    if isi.size:
        hover = f"%{{y:.4g}} ms before the spike at %{{x:.6g}} {unit}"
        x, y = decimate(factor * times[1:], isi, MOST_MARKS)
        dots = [Points(x, y, size=5, colour=BLUE, opacity=0.75, hover=hover)]
        axis = Axis.holding("interval (ms)", float(isi.min()), float(isi.max()))
    time, hidden = Axis(f"time ({unit})", grid=False), Axis(range=(0.0, 1.0), hidden=True)
    panels = [Panel(time, hidden, [strokes]), Panel(time, axis, dots)]
    title = f"recording {train.id}"
    return Drawing(panels, height, title, weights=(0.22, 0.78), gaps=(0, 0.05), share_x=True)


@figure
def raster(trains: Sequence[SpikeTrain], height: int | None = None, align: bool = False) -> Drawing:
    """One row of strokes per train.

    Parameters
    ----------
    trains : sequence of SpikeTrain
        Drawn from the top down.
    height : int, optional
        In pixels.
    align : bool
        Start every train at its first spike.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> figure = s2p.plots.raster(trains)
    >>> len(figure.data) > 0
    True
    """
    share = max(200, 40_000 // max(1, len(trains)))
    all_times = [train.times_ms - train.times_ms[:1].sum() if align else train.times_ms for train in trains]
    ends = [end for times in all_times if times.size for end in (times[0], times[-1])]
    factor, unit = time_unit(max(ends) - min(ends) if ends else 0.0)
    marks = [
        Strokes(factor * thinned(times, share), row - 0.38, row + 0.38, 1.0, hover=f"%{{x:.6g}} {unit}")
        for row, times in enumerate(all_times)
    ]
    n = len(trains)
    rows = Axis(range=(n - 0.4, -0.6), ticks=range(n), labels=[train.id for train in trains], grid=False)
    time = Axis(f"time from the first spike ({unit})" if align else f"time ({unit})")
    return Drawing([Panel(time, rows, marks)], height or 90 + 22 * n)


@figure
def voltage(
    trace: VoltageTrace,
    threshold_mV: float | None = None,
    height: int = 240,
    *,
    spikes: SpikeTrain | None = None,
    window_ms: tuple[float, float] | None = None,
) -> Drawing:
    """A recorded voltage, the threshold at which spikes are detected, and a stroke above it for each spike.

    Parameters
    ----------
    trace : VoltageTrace
        Thinned to the lowest and highest sample of each short stretch, so that every spike keeps its peak.
    threshold_mV : float, optional
        Where the line is, which can be dragged on the page.
    height : int
        In pixels.
    spikes : SpikeTrain, optional
        Those that were detected.
    window_ms : (start, stop), optional
        What is looked at: there the trace is thinned less, and else more.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.spiketrains import VoltageTrace
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> train = s2p.detect_spikes(trace, threshold_mV=-20.0)
    >>> figure = s2p.plots.voltage(trace, threshold_mV=-20.0, spikes=train)
    >>> [curve.name for curve in figure.data]
    ['voltage', 'detected spikes']
    """
    panel = _panel(trace, threshold_mV, spikes, window_ms)
    return Drawing([panel], height, f"recording {trace.id}")


def voltages(found: Sequence[Detected]) -> Drawing:
    """A panel with the voltage, the threshold and the spikes of each trace."""
    panels = []
    for one in found:
        threshold = None if one.detection is None else one.detection.threshold
        panels.append(_panel(one.trace, threshold, one.train, None, one.train.id))
    return Drawing(panels, 60 + 180 * len(panels))


def _panel(
    trace: VoltageTrace,
    threshold: float | None,
    spikes: SpikeTrain | None,
    window_ms: tuple[float, float] | None,
    title: str = "",
) -> Panel:
    factor, unit = time_unit(float(np.ptp(trace.times_ms)) if len(trace.times_ms) else 0.0)
    times, volts = _thinned_around(trace.times_ms, trace.V_mV, window_ms)
    hover = f"%{{y:.3g}} {trace.unit} at %{{x:.6g}} {unit}"
    marks: list[Mark] = [Line(factor * times, volts, colour=BLUE, hover=hover, name="voltage")]
    if spikes is not None:
        low, high = float(trace.V_mV.min()), float(trace.V_mV.max())
        foot, head = high + _STROKE[0] * (high - low), high + _STROKE[1] * (high - low)
        shown = spikes.times_ms
        if window_ms is not None:
            inside = (shown >= window_ms[0]) & (shown <= window_ms[1])
            shown = np.sort(np.concatenate([thinned(shown[inside]), thinned(shown[~inside], _AROUND)]))
        hover = f"a spike at %{{x:.6g}} {unit}"
        marks.append(Strokes(factor * thinned(shown), foot, head, hover=hover, name="detected spikes"))
    if threshold is not None:
        marks.append(Rule(y=threshold, width=2, colour=RED, movable=True, above=True))
    return Panel(Axis(f"time ({unit})"), Axis(f"V ({trace.unit})"), marks, title)


def _thinned_around(
    x: FloatArray, y: FloatArray, window: tuple[float, float] | None
) -> tuple[FloatArray, FloatArray]:
    """A curve, thinned less within a window than around it."""
    if window is None:
        return decimate(x, y, MOST_MARKS)
    first, last = np.searchsorted(x, window)
    parts = ((slice(0, first), _AROUND), (slice(first, last), MOST_MARKS), (slice(last, None), _AROUND))
    thin = [decimate(x[part], y[part], most) for part, most in parts]
    return np.concatenate([one for one, _ in thin]), np.concatenate([one for _, one in thin])
