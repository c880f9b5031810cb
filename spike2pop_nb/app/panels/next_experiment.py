"""Which experiment next: what it shall tell and may cost, why it splits the members, and what it told."""

from __future__ import annotations

from functools import partial
from typing import Any

import ipywidgets as w

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.binding import Binding, Number
from spike2pop_nb.app.figures import DrawingQueue, FigureView
from spike2pop_nb.app.layout import Fold, Going, button, field, halves, row, said, shown_if, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session
from spike2pop_nb.experiments import PRICES

__all__ = ["NextPart"]

_BARS_PX, _ANSWERS_PX = 560, 360
_ONE, _SILENT = "conductance:", ""
_BOTH = (
    "If the cell fired in that experiment, open one file with both recordings, this one and that of the "
    "experiment; the same seed finds the same members again."
)


class NextPart:
    """The part of the panel Experiments that ranks what could be done next."""

    def __init__(self, session: Session, actions: Actions, messages: Messages, drawing: DrawingQueue) -> None:
        self.session, self.actions, self._drawing = session, actions, drawing
        self.target = w.Dropdown()
        self.by = w.Dropdown(options=[("bits", "bits"), ("bits for the price", "bits_per_price")])
        self.prices = {name: Number() for name in PRICES}
        self.run = button("Rank experiments", "Simulate members in each, and rank what they tell", "primary")
        self._going = Going(self.run, "Stop ranking", actions, "ranking", messages)
        self.stop, self.says, self.found = self._going.stop, self._going.says, text("", "s2p-says")
        self.bars = FigureView(
            "Bits of each experiment appear here", _BARS_PX, session, "Bits that experiments would tell"
        )
        says = "Spikes of members in the control and the first three"
        self.answers = FigureView("Members' answers appear here", _ANSWERS_PX, session, says)
        after = messages.after
        self.done, self.recording = w.Dropdown(), w.Dropdown()
        tip = "Weigh members by how probable this recording is for them"
        self.narrow = button("Narrow the population", tip)
        self.all = button("All members again", "Forget what the population was narrowed to")
        self.left = text("", "s2p-says")
        self._tied = {
            "target": Binding(self.target, partial(self._choose, "target"), messages, self.show),
            "by": Binding(self.by, partial(self._choose, "by"), messages, self.show),
            **{
                name: Binding(control, partial(self._price, name), messages, self.show)
                for name, control in self.prices.items()
            },
        }
        self.run.on_click(after(actions.rank))
        self.narrow.on_click(
            after(lambda: actions.narrow(str(self.done.value), self.recording.value or None))
        )
        self.all.on_click(after(lambda: session.set_trait("narrowed", None)))
        self.widget = self._compose()
        session.follow(after(self.show), "ask", "neuron")
        session.observe(after(self._show_going), ["ranks", "result", "ready"])
        session.observe(after(self._show_found), "ranking")
        session.observe(after(self._show_left), ["narrowed", "ranking", "recordings", "train"])
        self.show()
        self._show_going()
        self._show_found()
        self._show_left()

    def _compose(self) -> w.Widget:
        usual = "0 if your rig cannot do it."
        each = (field(name.capitalize(), control, usual) for name, control in self.prices.items())
        prices = Fold("Prices", [row(*each)])
        asked = row(
            field("What it shall tell", self.target, "About which its answer says the most."),
            field("Ranked by", self.by, "A current costs 1, a blocker 10, or what you say below."),
        )
        top = halves([asked, prices], [*self._going.widgets, self.found])
        which = row(
            field("Done", self.done, "One of those that were ranked."),
            field("Recording of it", self.recording, "Of the same cell, in the file that is open."),
        )
        narrowing = row(self.narrow, self.all, kind="s2p-buttons")
        told = w.VBox([text("<h3>What came of it?</h3>"), which, narrowing, self.left])
        self._results = w.VBox([self.answers.widget, self.bars.widget, told])
        return w.VBox([text("<h3>Which experiment next?</h3>"), top, self._results])

    def _choose(self, name: str, value: Any) -> None:
        self.session.choose_of("ask", **{name: value})

    def _price(self, name: str, value: float) -> None:
        self._choose("prices", {**self.session.settings.ask.prices, name: value})

    def show(self) -> None:
        """Show what is chosen."""
        ask, neuron = self.session.settings.ask, self.session.neuron
        options = [("all conductances", "conductances"), ("g_s and g_u", "dics")]
        options += [(f"g_{name}", f"{_ONE}{name}") for name in neuron.channel_names]
        if ask.target not in {value for _, value in options}:
            options.append((ask.target, ask.target))
        self._tied["target"].show(ask.target, options=tuple(options))
        self._tied["by"].show(ask.by)
        for name, usual in PRICES.items():
            self._tied[name].show(ask.prices.get(name, usual))

    def _show_going(self) -> None:
        session, going = self.session, self.session.ranks
        self.run.disabled = going or self.actions.asked() is None or not session.ready
        self._going.show(going)
        self.narrow.disabled = going or session.ranking is None
        self.all.disabled = going or session.narrowed is None

    def _show_found(self) -> None:
        ranking = self.session.ranking
        shown_if(ranking is not None, self._results)
        self.found.value = "" if ranking is None else said(ranking.describe().splitlines())
        if ranking is None:
            return
        self.says.value = ""

        def draw() -> None:
            self.answers.show(plots.answers_of_members(ranking, height=_ANSWERS_PX))
            self.bars.show(plots.next_experiments(ranking, height=_BARS_PX))

        self._drawing.add("ranking", draw, "ranking")

    def _show_left(self) -> None:
        """Show what can be narrowed by, and what was."""
        session = self.session
        ranking, narrowed = session.ranking, session.narrowed
        there = [train.id for train in session.recordings or () if train is not session.train]
        done = [] if ranking is None else [(one.label, one.name) for one in ranking.experiments]
        recorded = [*((name, name) for name in there), ("none: it was silent for 10 s", _SILENT)]
        for control, options in ((self.done, done), (self.recording, recorded)):
            chosen, values = control.value, [value for _name, value in options]
            control.options = options
            control.value = chosen if chosen in values else next(iter(values), None)
        words = [] if there else [_BOTH]
        if narrowed is not None:
            words = [narrowed.describe(), "These members are ranked from now on."]
        self.left.value = said(words)
        self._show_going()
