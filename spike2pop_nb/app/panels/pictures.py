"""A closer look at the members: one picture at a time, made only when it is looked at."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.figures import DrawingQueue, FigureView
from spike2pop_nb.app.layout import Fold, classed, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session

__all__ = ["PICTURES", "PicturesPanel"]

_HEIGHT_PX, _MOST_KEPT = 560, 8
PICTURES = {
    "currents": (
        "Currents",
        "What each channel carries of the outward and of the inward current, between the totals on a "
        "logarithmic scale (a currentscape). Pick a member in any figure to see its currents.",
    ),
    "pairs": (
        "Conductance pairs",
        "Each pair of conductances, and opposite each its correlations; fields are coloured where the rank "
        "correlation is significant. All conductances of a member scale with its leak as they are drawn, "
        "which alone makes them correlate.",
    ),
    "pairs by leak": (
        "Pairs over the leak",
        "The same for conductances divided by the member's leak, without the scaling that was put in.",
    ),
    "dic_curves": (
        "DIC curves",
        "DICs of the members over voltage, on a scale that is linear around zero and logarithmic beyond. "
        "Dashed: the threshold at which the population's DICs are set; diamonds: each member's own.",
    ),
    "return_map": (
        "Return map",
        "Each interval against the next, of the recording and of the members.",
    ),
}
"""What each button says, and what its picture shows."""


class PicturesPanel:
    """Folded under the results; the figure comes with the first opening, its content with each choice."""

    def __init__(self, session: Session, actions: Actions, messages: Messages, drawing: DrawingQueue) -> None:
        self.session, self.actions, self._drawing = session, actions, drawing
        after = messages.after
        self._followed: dict[int, Any] = {}
        self.figure: FigureView | None = None
        self.choice = w.ToggleButtons(options=[(label, name) for name, (label, _) in PICTURES.items()])
        self.says = text("", "s2p-help")
        self.body = classed(w.VBox([self.choice, self.says]), "s2p-closer")
        self.widget = Fold("A closer look: currents, conductance pairs, DIC curves, return map", [self.body])
        self.widget.observe(after(self._show), "opened")
        self.choice.observe(after(self._show), "value")
        session.observe(after(self._new_result), "result")
        session.observe(after(self._new_member), "member")

    def _new_result(self) -> None:
        self._followed = {}
        result = self.session.result
        if result is not None and result.usable:
            self._drawing.add("closer", self._show)
        else:
            self._show()

    def _new_member(self) -> None:
        if self.choice.value == "currents":
            self._show()

    def _show(self) -> None:
        if not self.widget.opened:
            return
        if self.figure is None:
            self.figure = FigureView("Pictures of the members appear here", _HEIGHT_PX, self.session)
            self.body.children = [self.choice, self.says, self.figure.widget]
        name, result = str(self.choice.value), self.session.result
        label, words = PICTURES[name]
        self.says.value = said([words])
        self.figure.widget._says = f"{label} of the members. {words}"
        if result is None or not result.usable:
            self.figure.clear()
            return
        passed = np.asarray(result.verdict.passed, dtype=bool)
        if name == "currents":
            self._show_currents(result)
        elif name == "dic_curves":
            self.figure.show(plots.dic_curves(result.population, passed, height=_HEIGHT_PX))
        elif name == "return_map":
            self.figure.show(plots.return_map(result.simulated, result.recording, height=_HEIGHT_PX))
        else:
            by_leak = name == "pairs by leak"
            tall = max(_HEIGHT_PX, 60 * result.neuron.n_channels)
            self.figure.show(plots.conductance_pairs(result.population, passed, by_leak=by_leak, height=tall))

    def _show_currents(self, result: Any) -> None:
        """Show the currents of the member that is picked, or else of the best."""
        assert self.figure is not None
        members = result.population.table["member"].to_numpy()
        picked = np.flatnonzero(members == self.session.member)
        row = int(picked[0]) if picked.size else result.verdict.best
        who = f"member {members[row]}" + ("" if picked.size else ", the one with the best score")
        if row in self._followed:
            self.says.value = said([f"Of {who}. {PICTURES['currents'][1]}"])
            self.figure.show(plots.currentscape(self._followed[row], height=_HEIGHT_PX))
            return
        self.figure.clear(f"The currents of member {members[row]} are being computed…")

        def done(currents: Any) -> None:
            if self.session.result is not result:
                return
            if len(self._followed) >= _MOST_KEPT:
                del self._followed[next(iter(self._followed))]
            self._followed[row] = currents
            if self.choice.value == "currents":
                self._show()

        self.actions.follow_currents(result, row, done)
