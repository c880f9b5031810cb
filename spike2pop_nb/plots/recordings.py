"""Figures of spike trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spike2pop_nb.plots.drawing import (
    Axis,
    Drawing,
    Line,
    Mark,
    Panel,
    Points,
    Rule,
    Strokes,
    figure,
    scaled,
    time_unit,
)
from spike2pop_nb.plots.style import BLUE, INK, MOST_MARKS, RED, decimate, thinned
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
    """
    times, isi = train.times_ms, train.isi_ms
    factor, unit = time_unit(float(np.ptp(times)) if times.size else 0.0)
    strokes = Strokes(times=factor * thinned(times), colour=INK, hover=f"%{{x:.6g}} {unit}")
    intervals: list[Mark] = []
    scale = {}
    if isi.size:
        at, shown = decimate(factor * times[1:], isi, MOST_MARKS)
        hover = f"%{{y:.4g}} ms before the spike at %{{x:.6g}} {unit}"
        intervals = [Points(x=at, y=shown, colour=BLUE, size=5, opacity=0.75, hover=hover)]
        scale = scaled(float(isi.min()), float(isi.max()), from_zero=True)
    time = Axis(title=f"time ({unit})", grid=False)
    return Drawing(
        panels=[
            Panel(x=time, y=Axis(hidden=True, range=(0.0, 1.0)), marks=[strokes]),
            Panel(x=time, y=Axis(title="interval (ms)", **scale), marks=intervals),
        ],
        height=height,
        title=f"recording {train.id}",
        weights=(0.22, 0.78),
        gaps=(0, 0.05),
        share_x=True,
    )


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
    """
    share = max(200, 40_000 // max(1, len(trains)))
    all_times = [train.times_ms - train.times_ms[:1].sum() if align else train.times_ms for train in trains]
    ends = [end for times in all_times if times.size for end in (times[0], times[-1])]
    factor, unit = time_unit(max(ends) - min(ends) if ends else 0.0)
    marks = [
        Strokes(
            times=factor * thinned(times, share),
            low=row - 0.38,
            high=row + 0.38,
            width=1.0,
            hover=f"%{{x:.6g}} {unit}",
        )
        for row, times in enumerate(all_times)
    ]
    n = len(trains)
    rows = Axis(ticks=range(n), labels=[train.id for train in trains], range=(n - 0.4, -0.6), grid=False)
    time = Axis(title=f"time from the first spike ({unit})" if align else f"time ({unit})")
    return Drawing(panels=[Panel(x=time, y=rows, marks=marks)], height=height or 90 + 22 * n)


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
    """
    factor, unit = time_unit(float(np.ptp(trace.times_ms)) if len(trace.times_ms) else 0.0)
    x, y = decimate(factor * trace.times_ms, trace.V_mV, MOST_MARKS)
    curve = Line(x=x, y=y, colour=BLUE, hover=f"%{{y:.3g}} {trace.unit} at %{{x:.6g}} {unit}")
    threshold = Rule(y=threshold_mV, colour=RED, width=2, movable=True, above=True)
    axes = {"x": Axis(title=f"time ({unit})"), "y": Axis(title=f"V ({trace.unit})")}
    return Drawing(panels=[Panel(**axes, marks=[curve, threshold])], height=height, title=trace.id)
