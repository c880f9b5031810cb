"""One place on the page for what went wrong, around every callback and all background work.

It names settings by the labels of their controls, which are listed here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from html import escape
from typing import Any, Final

import ipywidgets as w
from traitlets.log import get_logger

from spike2pop_nb.errors import Cancelled, Spike2PopError

__all__ = ["GENERAL", "LABELS", "Messages", "control"]

GENERAL = (
    "Something went wrong inside the program; your recording and settings are kept, so you can go on. "
    "The details are in the log of the server (the window in which it was started)."
)

LABELS: Final = {
    "neuron": "Neuron model",
    "unit": "Unit of the times",
    "sampling_rate_hz": "Sampling rate (Hz)",
    "layout": "Layout",
    "sheets": "Sheets",
    "time_column": "Column of times",
    "id_columns": "Columns of ids",
    "start_s": "Start (s)",
    "stop_s": "Stop (s)",
    "voltage_unit": "Unit of the voltage",
    "threshold_mV": "Spike threshold",
    "reset_mV": "Reset",
    "polarity": "Spikes point",
}
_OTHERS: Final = {"time_unit": "unit", "voltage": "layout"}


def control(setting: str) -> str:
    """The control for a setting of the library, in quotes; of what the page has none, the option."""
    label = LABELS.get(_OTHERS.get(setting, setting))
    return f"--{setting.replace('_', '-')} on the command line" if label is None else f"“{label}”"


class Messages:
    """The error panel: a sentence for the user, and a traceback only in the server's log."""

    def __init__(self) -> None:
        self._text = w.HTML()
        self._close = w.Button(description="Dismiss", tooltip="Hide this message", layout={"width": "auto"})
        self._close.on_click(lambda _button: self.clear())
        self.widget = w.HBox([self._text, self._close])
        self.widget.add_class("s2p-error")
        self.clear()

    @property
    def text(self) -> str:
        """What is shown, as HTML; empty when nothing is."""
        return self._text.value if self.widget.layout.display != "none" else ""

    def show(self, sentence: str) -> None:
        """Show a plain sentence."""
        self._text.value = f'<div role="alert">{escape(sentence)}</div>'
        self.widget.layout.display = "flex"

    def clear(self) -> None:
        """Hide the panel."""
        self.widget.layout.display = "none"
        self._text.value = ""

    def report(self, error: BaseException) -> None:
        """Show what an exception means to the user."""
        if isinstance(error, Cancelled):
            return
        if isinstance(error, Spike2PopError):
            self.show(error.told(control))
            return
        # In a kernel this logger writes to the server's terminal, not to the page.
        get_logger().error("The dashboard met an unexpected error.", exc_info=error)
        self.show(GENERAL)

    def guard(self, act: Callable[..., Any]) -> Callable[..., None]:
        """Return `act` such that nothing it raises is lost."""

        @wraps(act)
        def guarded(*args: Any, **kwargs: Any) -> None:
            try:
                act(*args, **kwargs)
            except Exception as error:
                self.report(error)

        return guarded

    def after(self, act: Callable[[], Any]) -> Callable[..., None]:
        """Return what does it after an event, whatever that tells, such that nothing it raises is lost."""
        return self.guard(lambda *_told: act())
