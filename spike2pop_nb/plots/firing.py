"""How members fire, beside the recording: their spikes, and their intervals."""

from __future__ import annotations

from typing import Any

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
    by_verdict,
    figure,
    nothing,
    scaled,
    time_unit,
)
from spike2pop_nb.plots.style import GREY, RED, decimate, spread, thinned
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["intervals", "members", "return_map"]

_MOST_DOTS = 6000
_LEAST_WIDTH = 0.1  # of an axis of intervals, as a share of their mean


def _looks(passed: Any, n: int) -> list[dict[str, Any]]:
    """Name and colour of each of n members."""
    looks: list[dict[str, Any]] = [{}] * n
    for mask, look in by_verdict(passed, n):
        for row in np.flatnonzero(mask):
            looks[row] = look if passed is not None else look | {"name": "members"}
    return looks


@figure
def members(
    simulated: Simulated,
    train: SpikeTrain | None = None,
    *,
    most: int = 64,
    height: int = 300,
    passed: Any = None,
) -> Drawing:
    """Spikes of the members, a row each, under those of the recording, on one time axis.

    Parameters
    ----------
    simulated : Simulated
        Its spikes; time counts from the first of each train.
    train : SpikeTrain, optional
        The recording, in the top row.
    most : int
        Rows drawn at most, the first.
    height : int
        In pixels.
    passed : (n,) bool, optional
        Members that passed are blue, the others grey.
    """
    n = len(simulated)
    rows = min(n, most)
    share = max(120, 30_000 // max(1, rows))
    recorded = train.times_ms if train is not None else np.zeros(0)
    span = simulated.duration_ms - simulated.transient_ms
    until = min(span, max(1.15 * float(np.ptp(recorded)), 300.0)) if recorded.size > 1 else span
    factor, unit = time_unit(until)
    # the recording is higher above many rows, so that its label keeps clear of theirs
    lift = max(2.1, 16 * rows / max(height - 90, 1))
    half = max(0.8, 0.25 * lift)
    marks: list[Mark] = []
    if recorded.size:
        times = factor * thinned(recorded - recorded[0], share)
        stroke: dict[str, Any] = {"low": -lift - half, "high": -lift + half, "colour": RED, "width": 1.6}
        marks.append(Strokes(times=times, name="recording", hover=f"%{{x:.6g}} {unit}", **stroke))
    named: set[str] = set()
    for row, look in enumerate(_looks(passed, n)[:rows]):
        times = simulated.spike_times_ms[row]
        shown = times[times <= times[0] + until] - times[0] if len(times) else times
        member, name = simulated.labels[row][1], look["name"]
        marks.append(
            Strokes(
                times=factor * thinned(shown, share),
                low=row - 0.38,
                high=row + 0.38,
                colour=look["colour"],
                member=member,
                hover=f"member {member}, %{{x:.5g}} {unit}",
                name=name,
                legend=passed is not None and name not in named,
            )
        )
        named.add(name)
    places = list(range(0, rows, max(1, -(-rows // 8))))
    axis = Axis(
        ticks=[-lift, *places],
        labels=["recording", *(str(simulated.labels[row][1]) for row in places)],
        range=(rows - 0.3, -lift - 1.3 * half),
        title=f"member ({rows} of {n})" if rows < n else "member",
        grid=False,
    )
    limits = (-0.03 * factor * until, factor * until)
    time = Axis(title=f"time from the first spike ({unit})", range=limits, grid=False)
    return Drawing(panels=[Panel(x=time, y=axis, marks=marks)], height=height, legend=passed is not None)


@figure
def intervals(
    simulated: Simulated, train: SpikeTrain, *, most: int = 64, height: int = 300, passed: Any = None
) -> Drawing:
    """Cumulative distributions of the intervals of the recording and of the members.

    Parameters
    ----------
    simulated : Simulated
        Its spikes.
    train : SpikeTrain
        The recording, two spikes or more.
    most : int
        Members drawn at most, the first.
    height : int
        In pixels.
    passed : (n,) bool, optional
        Members that passed are blue, the others grey.
    """
    looks = _looks(passed, len(simulated))
    every = [
        (np.diff(times), member, look)
        for (_, member), times, look in zip(simulated.labels, simulated.spike_times_ms, looks, strict=True)
    ][:most]
    every.append((train.isi_ms, None, {"name": "recording", "colour": RED}))
    marks: list[Mark] = []
    ends: list[float] = []
    named: set[str] = set()
    for isi, member, look in every:
        if not isi.size:
            continue
        ordered = np.sort(isi)
        x, y = decimate(ordered, 100 * np.arange(1, isi.size + 1) / isi.size, 300)
        ends += [float(ordered[0]), float(ordered[-1])]
        who, name = "recording" if member is None else f"member {member}", look["name"]
        marks.append(
            Line(
                x=x,
                y=y,
                steps=True,
                colour=look["colour"],
                width=2.2 if member is None else 1.0,
                member=member,
                hover=f"{who}: %{{y:.0f}} % up to %{{x:.4g}} ms",
                name=name,
                legend=name not in named,
            )
        )
        named.add(name)
    scale = scaled(min(ends), max(ends), least=_LEAST_WIDTH) if ends else {}
    x_axis = Axis(title="interval (ms)", **scale)
    y_axis = Axis(title="share of intervals up to there (%)", range=(0, 102))
    return Drawing(panels=[Panel(x=x_axis, y=y_axis, marks=marks)], height=height, legend=passed is not None)


@figure
def return_map(
    simulated: Simulated | None,
    train: SpikeTrain | None = None,
    *,
    most: int = 64,
    height: int = 380,
    passed: Any = None,
) -> Drawing:
    """Each interval of the recording and of the members against the one that follows it.

    A regular train is one spot on the diagonal, alternation two spots beside it, and bursts are an L of short
    intervals, the pause, and what leads out of it.

    Parameters
    ----------
    simulated : Simulated, optional
        Its spikes.
    train : SpikeTrain, optional
        The recording.
    most : int
        Members drawn at most, evenly chosen.
    height : int
        In pixels.
    passed : (n,) bool, optional
        Members that passed are filled circles, the others open ones.
    """
    n = len(simulated) if simulated is not None else 0
    rows, looks = spread(n, most), _looks(passed, n)
    marks: list[Mark] = []
    ends: list[float] = []
    named: set[str] = set()

    def add(isi: Any, share: int, who: str, **look: Any) -> None:
        if len(isi) < 2:
            return
        pairs = spread(len(isi) - 1, share)
        ends.extend((float(isi.min()), float(isi.max())))
        hover = f"{who}: %{{x:.4g}}, then %{{y:.4g}} ms"
        shown = look["name"] not in named
        named.add(look["name"])
        marks.append(Points(x=isi[:-1][pairs], y=isi[1:][pairs], hover=hover, legend=shown, **look))

    for row in rows:
        assert simulated is not None
        member = simulated.labels[row][1]
        isi, share = np.diff(simulated.spike_times_ms[row]), _MOST_DOTS // rows.size
        add(isi, share, f"member {member}", member=member, size=4, opacity=0.6, **looks[row])
    if train is not None:
        cross: dict[str, Any] = {"symbol": "cross-thin", "colour": RED, "size": 9, "name": "recording"}
        add(train.isi_ms, _MOST_DOTS // 2, "recording", **cross)
    if not marks:
        return nothing("Return maps need three spikes", height)
    scale = scaled(min(ends), max(ends), from_zero=True)
    marks.append(Rule(x=scale["range"], y=scale["range"], colour=GREY, width=1, dash="dot"))
    x, y = Axis(title="interval (ms)", **scale), Axis(title="next interval (ms)", **scale)
    return Drawing(panels=[Panel(x=x, y=y, marks=marks, square=True)], height=height, legend=True)
