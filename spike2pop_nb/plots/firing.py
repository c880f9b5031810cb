"""How members fire, beside the recording: their spikes, and their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.plots.drawing import Axis, Drawing, Line, Mark, Panel, Points, Rule, Strokes
from spike2pop_nb.plots.figures import figure
from spike2pop_nb.plots.style import GREY, RED, by_verdict, decimate, spread, thinned, time_unit
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["intervals", "members", "return_map"]

_MOST_DOTS = 6000
_LEAST_WIDTH = 0.1  # of an axis of intervals, as a share of their mean


def _looks(passed: Any, n: int) -> list[dict[str, Any]]:
    """Name, colour and filling of each of n members."""
    groups = by_verdict(passed, n, "members")
    return [look for row in range(n) for mask, look in groups if mask[row]]


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

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> figure = s2p.plots.members(simulated)
    >>> len(figure.data) > 0
    True
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
        ends = (-lift - half, -lift + half)
        marks.append(Strokes(times, *ends, 1.6, colour=RED, name="recording", hover=f"%{{x:.6g}} {unit}"))
    for row, look in enumerate(_looks(passed, n)[:rows]):
        times = simulated.spike_times_ms[row]
        shown = thinned(times[times <= times[0] + until] - times[0] if len(times) else times, share)
        member = simulated.labels[row][1]
        who: dict[str, Any] = {"member": member, "hover": f"member {member}, %{{x:.5g}} {unit}"}
        who |= {"name": look["name"], "colour": look["colour"], "legend": passed is not None}
        marks.append(Strokes(factor * shown, row - 0.38, row + 0.38, **who))
    places = list(range(0, rows, max(1, -(-rows // 8))))
    labels = ["recording", *(str(simulated.labels[row][1]) for row in places)]
    title = f"member ({rows} of {n})" if rows < n else "member"
    axis = Axis(title, (rows - 0.3, -lift - 1.3 * half), ticks=[-lift, *places], labels=labels, grid=False)
    limits = (-0.03 * factor * until, factor * until)
    time = Axis(f"time from the first spike ({unit})", limits, grid=False)
    return Drawing([Panel(time, axis, marks)], height, legend=passed is not None)


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

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> figure = s2p.plots.intervals(simulated, simulated.train(0))
    >>> len(figure.data) > 0
    True
    """
    each = zip(_looks(passed, len(simulated)), simulated.labels, simulated.spike_times_ms, strict=True)
    every: list[Any] = [(np.diff(times), member, look) for look, (_, member), times in each][:most]
    every.append((train.isi_ms, None, {"name": "recording", "colour": RED}))
    marks: list[Mark] = []
    ends: list[float] = []
    for isi, member, look in every:
        if not isi.size:
            continue
        ordered = np.sort(isi)
        x, y = decimate(ordered, 100 * np.arange(1, isi.size + 1) / isi.size, 300)
        ends += [float(ordered[0]), float(ordered[-1])]
        who, width = ("recording", 2.2) if member is None else (f"member {member}", 1.0)
        told: dict[str, Any] = {"hover": f"{who}: %{{y:.0f}} % up to %{{x:.4g}} ms", "member": member}
        told |= {"name": look["name"], "colour": look["colour"], "legend": True}
        marks.append(Line(x, y, width, steps=True, **told))
    x_axis = Axis.holding("interval (ms)", min(ends, default=0), max(ends, default=1), least=_LEAST_WIDTH)
    y_axis = Axis("cumulative share (%)", (0, 102))
    return Drawing([Panel(x_axis, y_axis, marks)], height, legend=passed is not None)


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

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> figure = s2p.plots.return_map(simulated)
    >>> len(figure.data) > 0
    True
    """
    n = len(simulated) if simulated is not None else 0
    rows, looks = spread(n, most), _looks(passed, n)
    marks: list[Mark] = []
    ends: list[float] = []

    def add(isi: Any, share: int, who: str, **look: Any) -> None:
        if len(isi) < 2:
            return
        pairs = spread(len(isi) - 1, share)
        ends.extend((float(isi.min()), float(isi.max())))
        hover = f"{who}: %{{x:.4g}}, then %{{y:.4g}} ms"
        marks.append(Points(isi[:-1][pairs], isi[1:][pairs], hover=hover, legend=True, **look))

    for row in rows:
        assert simulated is not None
        member = simulated.labels[row][1]
        isi, share = np.diff(simulated.spike_times_ms[row]), _MOST_DOTS // rows.size
        add(isi, share, f"member {member}", member=member, size=4, opacity=0.6, **looks[row])
    if train is not None:
        cross: dict[str, Any] = {"symbol": "cross-thin", "colour": RED, "size": 9}
        add(train.isi_ms, _MOST_DOTS // 2, "recording", name="recording", **cross)
    if not marks:
        return Drawing.nothing("Return maps need three spikes", height)
    x, y = (Axis.holding(title, min(ends), max(ends)) for title in ("interval (ms)", "next interval (ms)"))
    marks.append(Rule(x.range, x.range, 1.0, "dot", colour=GREY))
    return Drawing([Panel(x, y, marks, square=True)], height, legend=True)
