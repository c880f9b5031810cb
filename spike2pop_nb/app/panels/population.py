"""How many members, from which seed; the button that starts the search, and the one that stops it."""

from __future__ import annotations

import time
from typing import Any

import ipywidgets as w

from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.layout import button, field, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.settings import MAX_MEMBERS
from spike2pop_nb.app.state import Session

__all__ = ["PopulationPanel"]


class PopulationPanel:
    """Second half of step 3: size, seed, budget, refinement, Generate and Cancel, progress."""

    def __init__(self, session: Session, actions: Actions, messages: Messages) -> None:
        self.session, self.actions = session, actions
        guard = messages.guard
        self.size = w.IntText(value=session.size)
        self.seed = w.IntText(value=session.seed)
        self.budget = w.IntText(value=session.budget)
        self.refine = w.Checkbox(value=session.refine, indent=False)
        self.generate = button("Generate", "Search members that fire like the recording", "primary")
        self.stop = button("Cancel", "Stop the search and keep what was found")
        self.bar = w.FloatProgress(min=0.0, max=1.0, layout={"width": "100%", "height": "10px"})
        self.says = text("", "s2p-says")
        self._since = 0.0
        buttons = w.HBox([self.generate, self.stop])
        buttons.add_class("s2p-buttons")
        self.widget = w.VBox(
            [
                w.HBox(
                    [
                        field("Members", self.size, f"1 to {MAX_MEMBERS}."),
                        field("Seed", self.seed, "Same seed, same result."),
                        field("Budget", self.budget, "Most simulations; 0: automatic."),
                    ]
                ),
                field(
                    "Refine",
                    self.refine,
                    "Change members a little until they fire within 1 % of the recording.",
                ),
                buttons,
                self.bar,
                self.says,
            ]
        )
        for name in ("size", "seed", "budget", "refine"):
            control = getattr(self, name)
            control.observe(guard(lambda change, name=name: session.set_trait(name, change["new"])), "value")
        self.generate.on_click(guard(lambda _button: actions.generate()))
        self.stop.on_click(guard(self._stop))
        actions.on_progress = guard(self._progress)
        session.observe(guard(self._show), ["generating", "train", "ready", "result", "chosen"])
        session.observe(guard(self._show_numbers), ["size", "seed", "budget", "refine"])
        self._show(None)

    def _show_numbers(self, change: dict[str, Any]) -> None:
        getattr(self, change["name"]).value = change["new"]

    def enable(self, on: bool) -> None:
        """Let the controls be used, or not."""
        for control in (self.size, self.seed, self.budget, self.refine):
            control.disabled = not on

    def _stop(self, _button: Any) -> None:
        self.stop.disabled = True
        self.says.value = said(["Stopping…"])
        self.actions.cancel()

    def _progress(self, fraction: float, words: str) -> None:
        if not self.session.generating or self.stop.disabled:
            return
        self.bar.value = fraction
        gone = time.monotonic() - self._since
        self.says.value = said([f"{words} ({gone:.0f} s)."])

    def _show(self, change: Any) -> None:
        session = self.session
        going = session.generating
        # Open while DICs are still predicted: the search predicts its own, and no click must be lost.
        self.generate.disabled = going or not session.ready or session.train is None
        self.stop.disabled = not going
        several = len(session.chosen)
        self.generate.description = f"Generate for {several} recordings" if several > 1 else "Generate"
        self.bar.layout.visibility = "visible" if going else "hidden"
        if going and change is not None and change["name"] == "generating":
            self._since = time.monotonic()
            self.bar.value = 0.0
            self.says.value = said(["Starting…"])
        elif not going:
            if session.result is not None:
                how = "Cancelled" if session.result.cancelled else "Done"
                state = f"{how}; the results are below."
            elif session.train is not None:
                state = "Ready to generate."
            else:
                state = "Waits for a recording."
            self.says.value = said([state])
