"""Experiments on the population found: what is done at which doses, and what its members do then."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import ipywidgets as w
import numpy as np

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.binding import Binding
from spike2pop_nb.app.drawing import DrawingQueue
from spike2pop_nb.app.figures import NO_MEMBER, FigureView
from spike2pop_nb.app.going import Going
from spike2pop_nb.app.layout import Fold, button, card, classed, field, halves, listed, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.number import number_if_any
from spike2pop_nb.app.panels.next_experiment import NextPart
from spike2pop_nb.app.parts import MOST_DOSES, Asked
from spike2pop_nb.app.state import Session
from spike2pop_nb.experiments import QUESTIONS, became_of

__all__ = ["ExperimentsPanel"]

_TRACES_PX, _SIDE_PX, _SHOWN_MS = 560, 260, 2000.0
_MEMBERS_A_PAGE, _MOST_LISTED = 6, 40
_FIGURES = {
    "doses": (
        "Who keeps the rhythm",
        "Share of members that keep their rhythm, and patterns, over the doses",
    ),
    "ranking": (
        "Which conductance tells who loses it",
        "Conductances ranked by how well they tell who loses",
    ),
    "conductances": ("Conductances of those that keep it and lose it", "Conductances of the members by that"),
    "f_I": ("f–I curves", "Firing rate of every member over the injected current"),
    "raster": ("Spikes over doses", "Spikes of the members under each condition, the control at the top"),
}
_Q10S = ("rate_q10", "conductance_q10", "declared_C")


class ExperimentsPanel:
    """Step 5: experiments on the population, built when it is first opened."""

    def __init__(self, session: Session, actions: Actions, messages: Messages, drawing: DrawingQueue) -> None:
        self.session, self.actions, self._messages = session, actions, messages
        self._drawing = drawing
        self.page = 0
        self.fold = Fold(
            "Block a channel, inject a current, warm it, raise potassium: who keeps the rhythm?",
            build=messages.guard(self._build),
        )
        self.widget = card("5", "Experiments", [self.fold], "s2p-experiments")
        session.follow(messages.guard(lambda _change: self._show_restored()), "ask")

    def _show_restored(self) -> None:
        """Open on choices that were made before the panel was ever opened: those that were restored."""
        if self.fold.build is not None and self.session.settings.ask != Asked():
            self.fold.opened = True

    def _build(self) -> None:
        session, guard = self.session, self._messages.guard
        self.kind = w.Dropdown(options=[(kind.title, name) for name, kind in QUESTIONS.items()])
        self.channel = w.Dropdown()
        self.range = w.FloatRangeSlider(readout_format=".4", continuous_update=False)
        self.n = w.IntSlider(min=1, max=MOST_DOSES, continuous_update=False)
        self.q10s = {name: w.Text(continuous_update=False, placeholder="none") for name in _Q10S}
        self.doses, self.lacks, self.whom = (
            text("", "s2p-says"),
            text("", "s2p-warning"),
            text("", "s2p-says"),
        )
        self.run = button(
            "Run the experiment", "Simulate every member at every dose, and a control", "primary"
        )
        kept = "Stop this experiment; those before it are kept"
        self._going = Going(self.run, kept, lambda: self.actions.stop("experiment"), self._messages)
        self.stop, self.says = self._going.stop, self._going.says
        self.found, self.who = text("", "s2p-says"), text()
        self.shown = w.SelectionSlider(options=[("–", "")], disabled=True)
        self.back = button("‹ Back", "Show the members before these")
        self.next = button("Next ›", "Show the members after these")
        self.where = text()
        self.traces = FigureView("Members before and after appear here", _TRACES_PX, session, _BEFORE)
        self.sides = {
            name: FigureView(f"{title}: appears here", _SIDE_PX, session, says)
            for name, (title, says) in _FIGURES.items()
        }
        self.choosing = NextPart(session, self.actions, self._messages, self._drawing)
        self.fold.body.children = [*self._compose(), self.choosing.widget]
        self._tied = {
            "kind": self._tie(self.kind, lambda kind: {"kind": kind, "range": None}),
            "channel": self._tie(self.channel, lambda channel: {"channel": channel}),
            "range": self._tie(self.range, lambda ends: {"range": tuple(ends)}),
            "n": self._tie(self.n, lambda n: {"n": n}),
            **{name: self._tie(made, partial(_named, name)) for name, made in self.q10s.items()},
        }
        self.run.on_click(guard(lambda _button: self.actions.ask()))
        self.back.on_click(guard(lambda _button: self._turn(-1)))
        self.next.on_click(guard(lambda _button: self._turn(1)))
        self._looked_at = Binding(self.shown, lambda _condition: self._show_condition(), self._messages)
        self.actions.on_progress["experiment"] = guard(self._going.progress)
        session.follow(guard(lambda _change: self._show_asked()), "ask", "neuron")
        session.observe(guard(lambda _change: self._show_going()), ["experimenting", "result", "ready"])
        session.observe(guard(lambda _change: self._show()), "experiment")
        session.observe(guard(lambda _change: self._show_member()), "member")
        self._show_asked()
        self._show_going()
        self._show()

    def _tie(self, control: Any, taken: Callable[[Any], dict[str, Any]]) -> Binding:
        """Tie a control to what is asked; ``taken`` makes choices of what it holds."""

        def take(value: Any) -> None:
            session = self.session
            session.choose(ask={**dict(session.settings.ask), **taken(value)})

        return Binding(control, take, self._messages, self._show_asked)

    def _compose(self) -> list[w.Widget]:
        self._of_block = field("Channel", self.channel, "Which is blocked, by the share that the dose says.")
        hints = ("By which gates are faster 10 °C up.", "By which they are larger.", "As it is declared.")
        names = ("Q10 of gates", "Q10 of conductances", "Neuron holds at (°C)")
        assumed = [
            field(label, self.q10s[name], hint) for name, label, hint in zip(_Q10S, names, hints, strict=True)
        ]
        self._of_warmth = w.HBox(assumed)
        what = w.HBox([field("What is done", self.kind, "To every member, all the time."), self._of_block])
        doses = w.HBox(
            [
                field("Doses from, to", self.range, "The lowest and the highest."),
                field("How many doses", self.n, "Evenly spaced; a control comes beside them."),
            ]
        )
        asked = [what, doses, self.doses, self.lacks, self._of_warmth]
        going = [self.whom, *self._going.widgets, self.found, self.who]
        shown = field(
            "Dose that is looked at", self.shown, "For the members below, and who loses the rhythm at it."
        )
        pager = classed(w.HBox([self.back, self.where, self.next]), "s2p-bar")
        boxes = {
            name: w.VBox([text(f"<h3>{title}</h3>"), self.sides[name].widget])
            for name, (title, _says) in _FIGURES.items()
        }
        self._curves = boxes["f_I"]
        sides = [boxes[name] for name in ("doses", "f_I", "ranking")]
        columns = halves([shown, pager, self.traces.widget], sides, "s2p-columns")
        self._results = w.VBox([columns, boxes["conductances"], boxes["raster"]])
        return [halves(asked, going), self._results]

    # what is asked

    def _show_asked(self) -> None:
        """Show what is chosen, its doses, and what the neuron lacks for it."""
        session = self.session
        ask, neuron = session.settings.ask, session.neuron
        kind = QUESTIONS[ask.kind]
        self._tied["kind"].show(ask.kind)
        self._tied["channel"].show(ask.blocked(neuron), options=neuron.channel_names)
        low, high = kind.limits
        with self._tied["range"].showing():
            self.range.min, self.range.max = min(low, self.range.min), max(high, self.range.max)
            self.range.value = ask.ends
            self.range.min, self.range.max, self.range.step = low, high, kind.step
        self.range.description = f"From, to: {kind.dose}"
        self._tied["n"].show(ask.n)
        for name in _Q10S:
            value = getattr(ask, name)
            self._tied[name].show("" if value is None else f"{value:.10g}")
        self._of_block.layout.display = "" if ask.kind == "block" else "none"
        self.doses.value = said([f"{kind.dose[0].upper()}{kind.dose[1:]}: {_listed(ask.doses)}."])
        lacking = ask.question(neuron).lacking(neuron)
        self.lacks.value = said([lacking]) if lacking else ""
        assumes = ask.kind == "temperature" and (
            bool(lacking) or any(getattr(ask, name) is not None for name in _Q10S)
        )
        self._of_warmth.layout.display = "" if assumes else "none"
        self._show_going()

    # going on

    def _show_going(self) -> None:
        """Say who can be asked, or what goes on."""
        session, whom = self.session, self.actions.asked()
        going = session.experimenting
        ask = session.settings.ask
        lacking = ask.question(session.neuron).lacking(session.neuron)
        self.run.disabled = going or whom is None or bool(lacking) or not session.ready
        self._going.show(going)
        self.whom.value = said(
            ["Generate a population first; then it can be asked." if whom is None else f"Asks {whom[1]}."]
        )

    # what came of it

    def _show(self) -> None:
        experiment = self.session.experiment
        self._results.layout.display = "none" if experiment is None else ""
        self.page = 0
        if experiment is None:
            self.found.value = self.who.value = ""
            return
        self.says.value = ""
        from spike2pop_nb.experiments import dose_response, most_split

        self.found.value = (
            f"<p class='s2p-big'>{escape(experiment.doses.what[0].upper() + experiment.doses.what[1:])}</p>"
            + said([dose_response(experiment).describe()])
            + f"<details><summary>What became of the members at each dose</summary>"
            f"{listed(experiment.describe().splitlines())}</details>"
        )
        self._curves.layout.display = "" if self._kind(experiment) == "step" else "none"
        options = tuple((name, name) for name in experiment.conditions[1:])
        split = most_split(experiment)
        self._looked_at.show(split, options=options, disabled=len(options) < 2)
        self._draw(experiment, "doses", lambda: plots.dose_response(experiment, _SIDE_PX))
        if self._kind(experiment) == "step":
            self._draw(experiment, "f_I", lambda: plots.f_I_curves(experiment, _SIDE_PX))
        self._show_condition()
        self._draw(experiment, "raster", lambda: plots.experiment_raster(experiment, most=16))

    @staticmethod
    def _kind(experiment: Any) -> str:
        return str(next(iter(experiment.doses.protocols)).actions[-1].kind)

    def _draw(self, experiment: Any, name: str, make: Callable[[], Any]) -> None:
        def draw() -> None:
            if self.session.experiment is experiment:  # else there is another one to draw by now
                self.sides[name].show(make())

        self._drawing.add(f"experiment {name}", draw)

    def _show_condition(self) -> None:
        """Show members, and who loses the rhythm, at the dose that is looked at."""
        experiment, condition = self.session.experiment, self.shown.value
        if experiment is None or condition not in experiment.protocols:
            return
        kept = experiment.kept(condition)
        self._draw(experiment, "ranking", lambda: plots.who_crashes(experiment, condition, _SIDE_PX))
        self._draw(
            experiment,
            "conductances",
            lambda: plots.conductances(
                experiment.population, kept, _SIDE_PX, words=plots.KEPT_OR_LOST, most=200
            ),
        )
        numbers = experiment.members
        lines = [f"At {condition}, {kept.sum()} of {len(kept)} keep their rhythm: {_some(numbers[kept])}."]
        became = np.array(became_of(experiment, condition), dtype=object)
        for what in dict.fromkeys(became[~kept]):
            these = numbers[~kept & (became == what)]
            lines.append(f"{len(these)} lose it and are then {what}: {_some(these)}.")
        self.who.value = said(lines)
        self._drawing.add("experiment traces", lambda: self._turn(0))

    def _turn(self, by: int) -> None:
        """Show the members of another page, before and after."""
        experiment, condition = self.session.experiment, self.shown.value
        if experiment is None or condition not in experiment.protocols:
            return
        pages = -(-len(experiment) // _MEMBERS_A_PAGE)
        self.page = min(max(0, self.page + by), pages - 1)
        self.back.disabled, self.next.disabled = self.page <= 0, self.page >= pages - 1
        self.where.value = f"page {self.page + 1} of {pages}"
        rows = range(len(experiment))[self.page * _MEMBERS_A_PAGE :][:_MEMBERS_A_PAGE]
        self.traces.show(
            plots.before_and_after(
                experiment, condition, rows=rows, until_ms=_SHOWN_MS, most_points=1500, height=_TRACES_PX
            )
        )

    def _show_member(self) -> None:
        """Turn to the page of the member that is picked."""
        experiment, member = self.session.experiment, self.session.member
        if experiment is None or member == NO_MEMBER:
            return
        found = np.flatnonzero(experiment.members == member)
        if found.size and (page := int(found[0]) // _MEMBERS_A_PAGE) != self.page:
            self._turn(page - self.page)


_BEFORE = "Voltages of members in the control, and beside it at the dose that is looked at"


def _named(name: str, value: str) -> dict[str, float | str | None]:
    """A number that may be left out, by its name."""
    return {name: number_if_any(value)}


def _listed(doses: tuple[float, ...]) -> str:
    return ", ".join(f"{dose:g}".replace("-", "−") for dose in doses)


def _some(numbers: Any) -> str:
    """Numbers of members in a row; of many, the first."""
    more = len(numbers) - _MOST_LISTED
    return (", ".join(map(str, numbers[:_MOST_LISTED])) + (f" and {more} more" if more > 0 else "")) or "none"
