"""Where spikes of a recorded voltage are detected: the levels, and which way spikes point."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np

from spike2pop_nb.app.layout import button, field
from spike2pop_nb.app.levels import level_of, with_level
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import SpikeTrainError
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
    """

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        guard = messages.guard
        self.threshold = w.FloatText(step=1.0)
        self.reset = w.Text(continuous_update=False)
        self.polarity = w.Dropdown(options=_POLARITIES)
        self.use = button("Detect spikes at these levels", "Use the threshold and the reset above", "primary")
        self.widget = w.VBox(
            [
                field("Spike threshold", self.threshold, "Or drag the dashed line in the figure."),
                field("Reset", self.reset, "What the voltage must come back to before the next spike."),
                field("Spikes point", self.polarity, "Beside a cell they may point down, or both ways."),
                self.use,
            ]
        )
        self._trace: VoltageTrace | None = None
        self._proposed: str | None = None
        self._asks = self._filling = False
        self.threshold.observe(guard(lambda change: self.dragged(change["new"])), "value")
        self.reset.observe(guard(lambda _change: self._take_reset()), "value")
        self.polarity.observe(guard(self._take_polarity), "value")
        self.use.on_click(guard(lambda _button: self._take_both()))
        self.show()

    def enable(self, on: bool) -> None:
        """Let the controls be used, or not."""
        for control in (self.threshold, self.reset, self.polarity, self.use):
            control.disabled = not on

    def show(self) -> VoltageTrace | None:
        """Bring the controls in line with what is looked at, and return its trace."""
        self._trace = trace = self._looked_at()
        self.widget.layout.display = "" if trace is not None else "none"
        if trace is None:
            self._proposed = None
            return None
        session = self.session
        refused = session.refused
        self._asks = refused is not None and trace.unit != "mV"
        self.use.layout.display = "" if self._asks else "none"
        threshold, reset = level_of(session.threshold_mV, trace.id), level_of(session.reset_mV, trace.id)
        found = None if self._asks else _detection(trace, threshold, reset, session.polarity)
        self._filling = True
        try:
            self.polarity.value = session.polarity
            self.threshold.description = f"Spike threshold ({trace.unit})"
            self.reset.description = f"Reset ({trace.unit})"
            given = "" if reset is None else f"{reset:.10g}"
            if threshold is None:
                threshold = _half_way(trace) if found is None else found.threshold
            if not self._asks or self._proposed != trace.id:  # what is being written there stays
                self.threshold.value = round(threshold, 3)
                self.reset.value = given
            self._proposed = trace.id if self._asks else None
            suggested = "" if found is None else f"{found.reset:.4g}, as the threshold suggests"
            self.reset.placeholder = suggested
        finally:
            self._filling = False
        return trace

    def dragged(self, threshold: float) -> None:
        """Take another threshold."""
        trace = self._trace
        if trace is None or self._filling:
            return
        if self._asks:
            self.threshold.value = float(threshold)
        else:
            self._set("threshold_mV", trace, threshold)

    def _looked_at(self) -> VoltageTrace | None:
        session = self.session
        if session.refused is not None:
            return session.refused.trace
        train = session.train
        return next((v for v in session.voltages if train is not None and v.id == train.id), None)

    def _set(self, name: str, trace: VoltageTrace, level: Any) -> None:
        levels = Settings.choice(name, level)
        session = self.session
        session.set_trait(name, with_level(getattr(session, name), session.voltages, trace, levels))

    def _take_reset(self) -> None:
        trace = self._trace
        if trace is None or self._filling or self._asks:
            return
        text = self.reset.value.strip()
        with self.session.hold_trait_notifications():
            self._set("reset_mV", trace, text or None)
            if text and level_of(self.session.threshold_mV, trace.id) is None:
                self._set("threshold_mV", trace, self.threshold.value)  # it is for this one

    def _take_both(self) -> None:
        trace = self._trace
        if trace is None:
            return
        if not self.reset.value.strip():
            raise SpikeTrainError(
                f"The reset is missing; give it in {trace.unit}, between the threshold and the level at rest."
            )
        with self.session.hold_trait_notifications():
            self._set("reset_mV", trace, self.reset.value.strip())
            self._set("threshold_mV", trace, self.threshold.value)

    def _take_polarity(self, change: Any) -> None:
        if not self._filling:
            self.session.polarity = change["new"]


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
