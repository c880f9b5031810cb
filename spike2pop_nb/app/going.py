"""What the page shows of work that takes a while: Cancel, a bar, and words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import ipywidgets as w

from spike2pop_nb.app.layout import button, classed, said, text
from spike2pop_nb.app.messages import Messages

__all__ = ["Going"]


class Going:
    """Work that a person starts, sees going on, and can cancel.

    Parameters
    ----------
    run
        The button that starts it.
    cancel
        What the button beside it says on hover.
    end
        Called to cancel it.
    messages
        Where errors are shown.
    beside
        What stands beside the buttons.

    Attributes
    ----------
    stop, bar, says
        The button that cancels it, how far it is, and the words below.
    widgets
        All of that, from top to bottom.
    """

    def __init__(
        self,
        run: w.Button,
        cancel: str,
        end: Callable[[], None],
        messages: Messages,
        beside: Sequence[w.Widget] = (),
    ) -> None:
        self.stop = button("Cancel", cancel)
        self.stop.disabled = True
        self.bar = w.FloatProgress(min=0.0, max=1.0, layout={"width": "100%", "height": "10px"})
        self.bar.layout.visibility = "hidden"
        self.says = text("", "s2p-says")
        buttons = classed(w.HBox([run, self.stop, *beside]), "s2p-buttons")
        self.widgets: list[w.Widget] = [buttons, self.bar, self.says]
        self._since: float | None = None
        self._stopped = False
        self._end = end
        self.stop.on_click(messages.guard(lambda _button: self._cancel()))

    def show(self, going: bool) -> None:
        """Show whether it goes on; of what goes on already, nothing changes."""
        if going == (self._since is not None):
            return
        self._since = time.monotonic() if going else None
        self.stop.disabled = not going
        self.bar.value, self.bar.layout.visibility = 0.0, "visible" if going else "hidden"
        self.says.value = said(["Starting…"]) if going else said(["Cancelled."]) if self._stopped else ""
        self._stopped = False

    def progress(self, fraction: float, words: str) -> None:
        """Show how far it is, unless it was cancelled."""
        if self._since is not None and not self.stop.disabled:
            self.bar.value = fraction
            self.says.value = said([f"{words} ({time.monotonic() - self._since:.0f} s)."])

    def _cancel(self) -> None:
        self.stop.disabled = self._stopped = True
        self.says.value = said(["Stopping…"])
        self._end()
