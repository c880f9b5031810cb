"""Figures of spike trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spike2pop_nb.plots.drawing import Axis, Drawing, Line, Panel, Points, Rule, Strokes
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import BLUE, MOST_MARKS, RED, decimate, thinned, time_unit
from spike2pop_nb.spiketrains import SpikeTrain

if TYPE_CHECKING:
    from spike2pop_nb.spiketrains import VoltageTrace

__all__ = ["raster", "recording", "voltage"]


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
def voltage(trace: VoltageTrace, threshold_mV: float, height: int = 240) -> Drawing:
    """A recorded voltage with the threshold at which spikes are detected; the line can be dragged.

    Parameters
    ----------
    trace : VoltageTrace
        Thinned so that every spike keeps its peak.
    threshold_mV : float
        Where the line is.
    height : int
        In pixels.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.spiketrains import VoltageTrace
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> figure = s2p.plots.voltage(trace, threshold_mV=-20.0)
    >>> len(figure.data) > 0
    True
    """
    factor, unit = time_unit(float(np.ptp(trace.times_ms)) if len(trace.times_ms) else 0.0)
    x, y = decimate(factor * trace.times_ms, trace.V_mV, MOST_MARKS)
    curve = Line(x, y, colour=BLUE, hover=f"%{{y:.3g}} {trace.unit} at %{{x:.6g}} {unit}")
    threshold = Rule(y=threshold_mV, width=2, colour=RED, movable=True, above=True)
    panel = Panel(Axis(f"time ({unit})"), Axis(f"V ({trace.unit})"), [curve, threshold])
    return Drawing([panel], height, trace.id)
