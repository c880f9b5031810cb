"""What of a recording is used: at which levels spikes of a voltage are detected, and in which stretch."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets as w
import numpy as np

from spike2pop_nb.app.binding import Binding, Number, bind, number_if_any, number_in, open_while_usable
from spike2pop_nb.app.layout import button, field, said, shown_if, text
from spike2pop_nb.app.levels import level_of, with_level
from spike2pop_nb.app.messages import LABELS, Messages
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import Spike2PopError, SpikeTrainError
from spike2pop_nb.plots.style import time_unit
from spike2pop_nb.spiketrains import VoltageTrace
from spike2pop_nb.spiketrains.detection import Detection, choose_detection
from spike2pop_nb.spiketrains.stretch import Stretch

__all__ = ["DetectionPanel", "StretchPanel"]

_POLARITIES = (
    ("as the trace suggests", "auto"),
    ("up", "up"),
    ("down", "down"),
    ("both ways", "both"),
)
_DIGITS = 3  # of a stretch that is marked: a pixel is no more


class DetectionPanel:
    """Threshold, reset and polarity of the trace that is looked at, or that has no levels yet.

    Where its unit is of unknown size, the levels wait until both are confirmed; else each is used at once.
    """

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        self.threshold = Number()
        self.reset = w.Text(continuous_update=False)
        self.polarity = w.Dropdown(options=_POLARITIES)
        self.use = button("Detect spikes at these levels", "Use the threshold and the reset above", "primary")
        drag = "Or drag the dashed line in the figure. Strokes: detected spikes."
        back = "What the voltage must come back to before the next spike."
        self.widget = w.VBox(
            [
                field(LABELS["threshold_mV"], self.threshold, drag),
                field(LABELS["reset_mV"], self.reset, back),
                field(LABELS["polarity"], self.polarity, "Beside a cell they may point down, or both ways."),
                self.use,
            ]
        )
        self._proposed: str | None = None
        self._asks = False
        self._level = 0.0  # the number that was last in it
        self._threshold = Binding(self.threshold, lambda _value: self._take_threshold(), messages, self.show)
        self._reset = Binding(self.reset, self._take_reset, messages, self.show)
        bind(session, self.polarity, "polarity", messages)
        open_while_usable(session, self.threshold, self.reset, self.polarity, self.use)
        self.use.on_click(messages.after(self._take_both))
        self.show()

    def show(self) -> VoltageTrace | None:
        """Bring the controls in line with what is looked at, and return its trace."""
        trace = self.session.voltage
        shown_if(trace is not None, self.widget)
        if trace is None:
            self._proposed = None
            return None
        settings = self.session.settings
        self._asks = self.session.refused is not None and trace.unit != "mV"
        shown_if(self._asks, self.use)
        threshold, reset = level_of(settings.threshold_mV, trace.id), level_of(settings.reset_mV, trace.id)
        found = None if self._asks else _detection(trace, threshold, reset, settings.polarity)
        self.threshold.description = f"{LABELS['threshold_mV']} ({trace.unit})"
        self.reset.description = f"{LABELS['reset_mV']} ({trace.unit})"
        if not self._asks or self._proposed != trace.id:  # what is being written there stays
            if threshold is None and found is not None:
                threshold = found.threshold
            elif threshold is None:  # half-way from the median to the peak, until it is moved
                threshold = 0.5 * float(np.median(trace.V_mV) + trace.V_mV.max())
            self._show_level(float(f"{threshold:.6g}"))
            self._reset.show("" if reset is None else f"{reset:.10g}")
        self._proposed = trace.id if self._asks else None
        self.reset.placeholder = "" if found is None else f"{found.reset:.4g}, as the threshold suggests"
        return trace

    def dragged(self, threshold: float) -> None:
        """Take another threshold."""
        trace = self.session.voltage
        if trace is None:
            return
        if self._asks:
            self._show_level(float(threshold))
        else:
            self._set(trace, threshold_mV=threshold)

    def _show_level(self, level: float) -> None:
        self._level = level
        self._threshold.show(level)

    def _take_threshold(self) -> None:
        try:
            level = number_in(self.threshold)
        except Spike2PopError:
            self._threshold.show(self._level)
            raise
        self.dragged(level)

    def _set(self, trace: VoltageTrace, **levels: Any) -> None:
        """Choose levels for the channel of a trace."""
        settings, traces = self.session.settings, self.session.voltages
        chosen = {
            name: with_level(getattr(settings, name), traces, trace, Settings.choice(name, level))
            for name, level in levels.items()
        }
        self.session.choose(**chosen)

    def _take_reset(self, text: str) -> None:
        trace, reset = self.session.voltage, number_if_any(text)
        if trace is None or self._asks:
            return
        levels: dict[str, Any] = {"reset_mV": reset}
        if reset is not None and level_of(self.session.settings.threshold_mV, trace.id) is None:
            levels["threshold_mV"] = self.threshold.value  # it is for this one
        self._set(trace, **levels)

    def _take_both(self) -> None:
        trace = self.session.voltage
        if trace is None:
            return
        if not self.reset.value.strip():
            raise SpikeTrainError(
                f"The reset is missing; give it in {trace.unit}, between the threshold and the level at rest."
            )
        self._set(trace, reset_mV=number_if_any(self.reset.value), threshold_mV=self.threshold.value)


class StretchPanel:
    """Says which stretch is used, and how to choose one."""

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        after = messages.after
        self.says = text("", "s2p-says")
        self.whole = button("Whole recording", "Use the recordings from their beginning to their end again")
        self.widget = w.VBox([self.says, self.whole])
        self.whole.on_click(after(lambda: session.choose(start_s=None, stop_s=None)))
        session.follow(after(self._show), "start_s", "stop_s")
        session.observe(after(self._show), ["train", "refused"])
        open_while_usable(session, self.whole)
        self._show()

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
        session, voltage = self.session, self.session.voltage
        if voltage is None and session.refused is None and session.train is not None:
            return session.train.times_ms
        return None if voltage is None else voltage.times_ms

    def _show(self) -> None:
        settings = self.session.settings
        stretch = Stretch(None, settings.start_s, settings.stop_s)
        shown_if(stretch.is_part or self._times_ms() is not None, self.widget)
        shown_if(stretch.is_part, self.whole)
        how = "To use a stretch alone, drag over it in the figure, or give its start and stop above."
        self.says.value = said([f"Used of each recording: {stretch}." if stretch.is_part else how])


def _detection(
    trace: VoltageTrace, threshold: float | None, reset: float | None, polarity: Any
) -> Detection | None:
    """How spikes are detected; None where the trace has none to set levels by."""
    try:
        return choose_detection(trace, threshold, reset, polarity)
    except SpikeTrainError:
        return None
