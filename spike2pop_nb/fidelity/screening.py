"""What a search sees of members on its way: longer time steps, and no more of their firing than is needed.

Where members are moved, and which of them are thrown away, is decided on simulations at the accuracy
``"screening"``. How much of each is simulated is found once, on the first members of a search: the shortest
transient and window on which they fire as they do on those by which members are judged. Whoever misses the
recording by less than `WIDER` tolerances there is simulated again as it is judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spike2pop_nb.fidelity.scores import PassRule
from spike2pop_nb.fidelity.summaries import AIM, Spikes, Summaries

__all__ = ["WIDER", "Window", "shortest_window", "up_to_whole", "wider"]

FloatArray = npt.NDArray[np.float64]

WIDER = 1.5
"""Tolerances within which a screened member must be to be simulated as it is judged."""

_GRID_MS = 250.0  # windows of different recordings that are nearly as long become one
_SHARES = (1 / 3, 1 / 2, 1.0)  # of the transient, and of what is recorded
_FEWEST = 8  # members of the recording's firing pattern that must agree
_OTHERWISE = 0.03  # share of members that may fire in another pattern
# Quantile of the members, and share of the tolerance by which those may be off: a third of what is aimed at.
_MOST, _OFF = 0.9, AIM / 3


@dataclass(frozen=True)
class Window:
    """How members are simulated: accuracy, and times in ms between which spikes are kept."""

    accuracy: str
    transient_ms: float
    duration_ms: float

    def later(self, ms: float) -> Window:
        """Return the window after a transient that is so much longer."""
        return Window(self.accuracy, self.transient_ms + ms, self.duration_ms + ms)

    def cut(self, spikes: Spikes) -> Spikes:
        """Return the spikes of longer trains that lie within."""
        return [times[(times >= self.transient_ms) & (times < self.duration_ms)] for times in spikes]


def up_to_whole(ms: float) -> float:
    """Return a time rounded up to the grid of windows.

    Examples
    --------
    >>> from spike2pop_nb.fidelity.screening import up_to_whole
    >>> up_to_whole(3263.1)
    3500.0
    """
    return _GRID_MS * float(np.ceil(ms / _GRID_MS - 1e-9))


def wider(rule: PassRule) -> PassRule:
    """Return the rule that a screened member is thrown away by."""
    return PassRule(**{name: WIDER * value for name, value in rule.model_dump().items()})


def shortest_window(whole: Window, spikes: Spikes, summaries: Summaries) -> Window:
    """Return the shortest window on which members fire as on all of it.

    Parameters
    ----------
    whole
        All of it.
    spikes
        Spikes of some members from the start of the simulation, transient included.
    summaries
        What of them counts.
    """
    y = summaries.measure(whole.cut(spikes))
    alike = summaries.alike(y)
    if alike.sum() < _FEWEST:
        return whole
    recorded = whole.duration_ms - whole.transient_ms
    starts = [up_to_whole(share * whole.transient_ms) for share in _SHARES]
    windows = [
        Window(whole.accuracy, start, min(start + up_to_whole(share * recorded), whole.duration_ms))
        for start in starts
        for share in _SHARES[1:]
    ]
    for window in sorted(windows, key=lambda window: window.duration_ms):
        found = summaries.measure(window.cut(spikes))
        both = alike & summaries.alike(found)
        if (alike != summaries.alike(found)).sum() > _OTHERWISE * len(y) or not both.any():
            continue
        off = AIM * np.abs((found - y)[both] / summaries.tolerance).max(axis=1)
        if np.quantile(off, _MOST) <= _OFF:
            return window
    return whole
