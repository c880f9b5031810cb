"""Where spikes of a recorded voltage are detected: the levels, and which way spikes point."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np

from spike2pop_nb.app.binding import Binding, bind
from spike2pop_nb.app.controls import LABELS
from spike2pop_nb.app.layout import button, field
from spike2pop_nb.app.levels import level_of, with_level
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.number import Number, number_if_any, number_in
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import Spike2PopError, SpikeTrainError
from spike2pop_nb.spiketrains import VoltageTrace
from spike2pop_nb.spiketrains.detection import Detection, choose_detection

__all__ = ["DetectionPanel"]

_POLARITIES = (
    ("as the trace suggests", "auto"),
    ("up", "up"),
    ("down", "down"),
    ("both ways", "both"),
)


class DetectionPanel:
    """Threshold, reset and polarity of the trace that is looked at, or that has no levels yet.

    Where its unit is of unknown size, the levels wait until both are confirmed; else each is used at once.

    Attributes
    ----------
    trace
        The voltage that is looked at; None where it is none.
    """

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        guard = messages.guard
        self.threshold = Number()
        self.reset = w.Text(continuous_update=False)
        self.polarity = w.Dropdown(options=_POLARITIES)
        self.use = button("Detect spikes at these levels", "Use the threshold and the reset above", "primary")
        self.widget = w.VBox(
            [
                field(
                    LABELS["threshold_mV"],
                    self.threshold,
                    "Or drag the dashed line in the figure. Strokes: detected spikes.",
                ),
                field(
                    LABELS["reset_mV"],
                    self.reset,
                    "What the voltage must come back to before the next spike.",
                ),
                field(LABELS["polarity"], self.polarity, "Beside a cell they may point down, or both ways."),
                self.use,
            ]
        )
        self.trace: VoltageTrace | None = None
        self._proposed: str | None = None
        self._asks = False
        self._level = 0.0  # the number that was last in it
        self._threshold = Binding(self.threshold, lambda _value: self._take_threshold(), messages, self.show)
        self._reset = Binding(self.reset, self._take_reset, messages, self.show)
        bind(session, self.polarity, "polarity", messages)
        self.use.on_click(guard(lambda _button: self._take_both()))
        self.show()

    def enable(self, on: bool) -> None:
        """Let the controls be used, or not."""
        for control in (self.threshold, self.reset, self.polarity, self.use):
            control.disabled = not on

    def show(self) -> VoltageTrace | None:
        """Bring the controls in line with what is looked at, and return its trace."""
        self.trace = trace = self._looked_at()
        self.widget.layout.display = "" if trace is not None else "none"
        if trace is None:
            self._proposed = None
            return None
        settings = self.session.settings
        self._asks = self.session.refused is not None and trace.unit != "mV"
        self.use.layout.display = "" if self._asks else "none"
        threshold, reset = level_of(settings.threshold_mV, trace.id), level_of(settings.reset_mV, trace.id)
        found = None if self._asks else _detection(trace, threshold, reset, settings.polarity)
        self.threshold.description = f"{LABELS['threshold_mV']} ({trace.unit})"
        self.reset.description = f"{LABELS['reset_mV']} ({trace.unit})"
        if not self._asks or self._proposed != trace.id:  # what is being written there stays
            if threshold is None:
                threshold = _half_way(trace) if found is None else found.threshold
            self._show_level(float(f"{threshold:.6g}"))
            self._reset.show("" if reset is None else f"{reset:.10g}")
        self._proposed = trace.id if self._asks else None
        self.reset.placeholder = "" if found is None else f"{found.reset:.4g}, as the threshold suggests"
        return trace

    def dragged(self, threshold: float) -> None:
        """Take another threshold."""
        trace = self.trace
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

    def _looked_at(self) -> VoltageTrace | None:
        session = self.session
        if session.refused is not None:
            return session.refused.trace
        train = session.train
        return next((v for v in session.voltages if train is not None and v.id == train.id), None)

    def _set(self, trace: VoltageTrace, **levels: Any) -> None:
        """Choose levels for the channel of a trace."""
        session = self.session
        chosen = {
            name: with_level(
                getattr(session.settings, name), session.voltages, trace, Settings.choice(name, level)
            )
            for name, level in levels.items()
        }
        session.choose(**chosen)

    def _take_reset(self, text: str) -> None:
        trace, reset = self.trace, number_if_any(text)
        if trace is None or self._asks:
            return
        levels: dict[str, Any] = {"reset_mV": reset}
        if reset is not None and level_of(self.session.settings.threshold_mV, trace.id) is None:
            levels["threshold_mV"] = self.threshold.value  # it is for this one
        self._set(trace, **levels)

    def _take_both(self) -> None:
        trace = self.trace
        if trace is None:
            return
        if not self.reset.value.strip():
            raise SpikeTrainError(
                f"The reset is missing; give it in {trace.unit}, between the threshold and the level at rest."
            )
        self._set(trace, reset_mV=number_if_any(self.reset.value), threshold_mV=self.threshold.value)


def _detection(
    trace: VoltageTrace, threshold: float | None, reset: float | None, polarity: Any
) -> Detection | None:
    """How spikes are detected; None where the trace has none to set levels by."""
    try:
        return choose_detection(trace, threshold, reset, polarity)
    except SpikeTrainError:
        return None


def _half_way(trace: VoltageTrace) -> float:
    """Where the line stands until it is moved: half-way from the median to the peak."""
    return 0.5 * float(np.median(trace.V_mV) + trace.V_mV.max())
