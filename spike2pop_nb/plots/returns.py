"""Return maps: each interval against the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from spike2pop_nb.plots.style import BLUE, GREY, RED, composed, log_axis, placeholder, spread
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["return_map"]

_MOST_DOTS = 6000


def return_map(
    simulated: Simulated | None, train: SpikeTrain | None = None, *, most: int = 64, height: int = 380
) -> go.Figure:
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

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> figure = s2p.plots.return_map(simulated)
    >>> len(figure.data) > 0
    True
    """
    rows = spread(len(simulated), most) if simulated is not None else np.zeros(0, dtype=int)
    share = _MOST_DOTS // max(1, rows.size)
    data: list[dict[str, Any]] = []
    ends: list[float] = []

    def add(isi: Any, **look: Any) -> None:
        if len(isi) < 2:
            return
        pairs = spread(len(isi) - 1, look.pop("share"))
        ends.extend((float(isi.min()), float(isi.max())))
        x, y = isi[:-1][pairs], isi[1:][pairs]
        data.append({"type": "scatter", "mode": "markers", "x": x, "y": y} | look)

    for row in rows:
        assert simulated is not None
        member = simulated.labels[row][1]
        add(
            np.diff(simulated.spike_times_ms[row]),
            share=share,
            marker={"color": BLUE, "size": 4, "opacity": 0.5},
            meta={"member": member},
            hovertemplate=f"member {member}: %{{x:.4g}}, then %{{y:.4g}} ms<extra></extra>",
            name="members",
            legendgroup="members",
            showlegend=not data,
        )
    if train is not None:
        add(
            train.isi_ms,
            share=_MOST_DOTS // 2,
            marker={"color": RED, "size": 6, "symbol": "cross-thin", "line": {"color": RED, "width": 1.6}},
            hovertemplate="recording: %{x:.4g}, then %{y:.4g} ms<extra></extra>",
            name="recording",
        )
    if not data:
        return placeholder("Return maps need three spikes", height)
    low, high = min(ends), max(ends)
    axis: dict[str, Any] = {"range": [0.0, 1.06 * high]}
    if 0 < low < high / 8:
        axis = log_axis(low, high) | {"range": [np.log10(low) - 0.08, np.log10(high) + 0.08]}
    line = {"type": "line", "layer": "below", "line": {"color": GREY, "width": 1, "dash": "dot"}}
    corners = (0.5 * low, 2 * high) if "type" in axis else (0.0, 2 * high)
    diagonal = line | dict(zip(("x0", "x1", "y0", "y1"), (*corners, *corners), strict=True))
    x_axis, y_axis = axis | {"title": "interval (ms)"}, axis | {"title": "next interval (ms)"}
    return composed(data, height, xaxis=x_axis, yaxis=y_axis, shapes=[diagonal], showlegend=True)
