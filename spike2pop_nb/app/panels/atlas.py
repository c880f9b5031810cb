"""Making the atlas of a neuron that has no network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.layout import button, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Task
from spike2pop_nb.app.state import Session
from spike2pop_nb.inference import list_predictors

__all__ = ["AtlasPanel"]

_WHY = (
    "With an atlas, DICs, current and noise are predicted for this neuron, and searches begin near the "
    "recording. Thousands of members are simulated and learned from, which takes some minutes, once."
)


class AtlasPanel:
    """A button, shown for a neuron without a network, that makes its atlas, and then stops that.

    ``on_made`` is called once it is there.
    """

    def __init__(
        self, session: Session, actions: Actions, messages: Messages, on_made: Callable[[], None]
    ) -> None:
        self.session, self._actions, self._on_made = session, actions, on_made
        self._task: Task | None = None
        self.make = button("Make its atlas", _WHY, "primary")
        self.says = text()
        self.widget = w.VBox([self.make, self.says])
        self.make.on_click(messages.guard(self._clicked))
        session.follow(messages.guard(self._show), "neuron")
        self._show(None)

    def enable(self, on: bool) -> None:
        """Let it be used, or not."""
        self.make.disabled = not on and self._task is None

    def _clicked(self, _button: Any) -> None:
        if self._task is not None:
            self._task.cancel()
            self.says.value = said(["Stopping…"])
            return
        self._task = self._actions.make_atlas(self._progress, self._over)
        self.make.description = "Stop"

    def _progress(self, fraction: float, words: str) -> None:
        if self._task is not None and not self._task.cancelled():
            self.says.value = said([f"{words}: {100 * fraction:.0f} %."])

    def _over(self) -> None:
        self._task = None
        self.make.description = "Make its atlas"
        self._show(None)
        self._on_made()

    def _show(self, _change: Any) -> None:
        if self._task is None:
            self.widget.layout.display = "none" if self.session.settings.neuron in list_predictors() else ""
            self.says.value = said([_WHY])
