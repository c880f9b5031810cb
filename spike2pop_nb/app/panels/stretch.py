"""The stretch of the recording that is used: marked in its figure, and given up with one click."""

from __future__ import annotations

import math

import ipywidgets as w
import numpy as np

from spike2pop_nb.app.layout import button, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session
from spike2pop_nb.plots.style import time_unit
from spike2pop_nb.spiketrains.stretch import Stretch

__all__ = ["StretchPanel"]

_DIGITS = 3  # of what is marked: a pixel is no more


class StretchPanel:
    """Says which stretch is used, and how to choose one."""

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        guard = messages.guard
        self.says = text("", "s2p-says")
        self.whole = button("Whole recording", "Use the recordings from their beginning to their end again")
        self.widget = w.VBox([self.says, self.whole])
        self.whole.on_click(guard(lambda _button: session.choose(start_s=None, stop_s=None)))
        session.follow(guard(lambda _change: self._show()), "start_s", "stop_s")
        session.observe(guard(lambda _change: self._show()), ["train", "refused"])
        self._show()

    def enable(self, on: bool) -> None:
        """Let it be used, or not."""
        self.whole.disabled = not on

    def marked(self, low: float, high: float) -> None:
        """Use what lies between two ends in the figure; one that leaves nothing out stays as it is."""
        times_ms = self._times_ms()
        if self.whole.disabled or times_ms is None or not times_ms.size:
            return
        per_ms, _unit = time_unit(float(np.ptp(times_ms)))
        step = 10.0 ** (math.floor(math.log10((high - low) / per_ms)) - _DIGITS)
        low_s, high_s = (round(end / per_ms / step) * step / 1000.0 for end in (low, high))
        settings = self.session.settings
        self.session.choose(
            start_s=settings.start_s if 1000.0 * low_s <= times_ms[0] else round(low_s, 12),
            stop_s=settings.stop_s if 1000.0 * high_s > times_ms[-1] else round(high_s, 12),
        )

    def _times_ms(self) -> np.ndarray | None:
        """Of what the figure shows: samples of a voltage, or spikes."""
        session = self.session
        if session.refused is not None:
            return None if session.refused.trace is None else session.refused.trace.times_ms
        if session.train is None:
            return None
        voltage = next((trace for trace in session.voltages if trace.id == session.train.id), None)
        return session.train.times_ms if voltage is None else voltage.times_ms

    def _show(self) -> None:
        settings = self.session.settings
        stretch = Stretch(None, settings.start_s, settings.stop_s)
        self.widget.layout.display = "" if stretch.is_part or self._times_ms() is not None else "none"
        self.whole.layout.display = "" if stretch.is_part else "none"
        self.says.value = said(
            [
                f"Used of each recording: {stretch}."
                if stretch.is_part
                else "To use a stretch alone, drag over it in the figure, or give its start and stop above."
            ]
        )
