"""Experiments on the population found: what is done at which doses, and what its members do then."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w
import numpy as np

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.binding import Binding, number_if_any
from spike2pop_nb.app.figures import NO_MEMBER, DrawingQueue, FigureView
from spike2pop_nb.app.layout import (
    Fold,
    Going,
    Pager,
    button,
    card,
    field,
    halves,
    listed,
    row,
    said,
    shown_if,
    text,
)
from spike2pop_nb.app.messages import Messages
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
_Q10S = {
    "rate_q10": ("Q10 of gates", "By which gates are faster 10 °C up."),
    "conductance_q10": ("Q10 of conductances", "By which they are larger."),
    "declared_C": ("Neuron holds at (°C)", "As it is declared."),
}
_BEFORE = "Voltages of members in the control, and beside it at the dose that is looked at"


class ExperimentsPanel:
    """Step 5: experiments on the population, built when it is first opened."""

    def __init__(self, session: Session, actions: Actions, messages: Messages, drawing: DrawingQueue) -> None:
        self.session, self.actions, self._messages = session, actions, messages
        self._drawing = drawing
        title = "Block a channel, inject a current, warm it, raise potassium: who keeps the rhythm?"
        self.fold = Fold(title, build=messages.after(self._build))
        self.widget = card("5", "Experiments", [self.fold], "s2p-experiments")
        session.follow(messages.after(self._show_restored), "ask")

    def _show_restored(self) -> None:
        """Open on choices that were made before the panel was ever opened: those that were restored."""
        if self.fold.build is not None and self.session.settings.ask != Asked():
            self.fold.opened = True

    def _build(self) -> None:
        session, after = self.session, self._messages.after
        self.kind = w.Dropdown(options=[(kind.title, name) for name, kind in QUESTIONS.items()])
        self.channel = w.Dropdown()
        self.range = w.FloatRangeSlider(readout_format=".4", continuous_update=False)
        self.n = w.IntSlider(min=1, max=MOST_DOSES, continuous_update=False)
        self.q10s = {name: w.Text(continuous_update=False, placeholder="none") for name in _Q10S}
        self.doses, self.whom, self.found = (text("", "s2p-says") for _ in range(3))
        self.lacks, self.who = text("", "s2p-warning"), text()
        tip = "Simulate every member at every dose, and a control"
        self.run = button("Run the experiment", tip, "primary")
        kept = "Stop this experiment; those before it are kept"
        self._going = Going(self.run, kept, self.actions, "experiment", self._messages)
        self.stop, self.says = self._going.stop, self._going.says
        self.shown = w.SelectionSlider(options=[("–", "")], disabled=True)
        self.pager = Pager(_MEMBERS_A_PAGE, after(self._show_page))
        self.back, self.next, self.where = self.pager.back, self.pager.next, self.pager.where
        self.traces = FigureView("Members before and after appear here", _TRACES_PX, session, _BEFORE)
        self.sides = {
            name: FigureView(f"{title}: appears here", _SIDE_PX, session, says)
            for name, (title, says) in _FIGURES.items()
        }
        self.choosing = NextPart(session, self.actions, self._messages, self._drawing)
        self.fold.body.children = [*self._compose(), self.choosing.widget]
        self._tied = {name: self._tie(name, control, number_if_any) for name, control in self.q10s.items()}
        self._tied["kind"] = self._tie("kind", self.kind, range=None)
        self._tied["channel"] = self._tie("channel", self.channel)
        self._tied["range"] = self._tie("range", self.range, tuple)
        self._tied["n"] = self._tie("n", self.n)
        self.run.on_click(after(self.actions.ask))
        self._looked_at = Binding(self.shown, lambda _condition: self._show_condition(), self._messages)
        session.follow(after(self._show_asked), "ask", "neuron")
        session.observe(after(self._show_going), ["experimenting", "result", "ready"])
        session.observe(after(self._show), "experiment")
        session.observe(after(self._show_member), "member")
        self._show_asked()
        self._show_going()
        self._show()

    def _tie(
        self, name: str, control: Any, taken: Callable[[Any], Any] = lambda value: value, **others: Any
    ) -> Binding:
        """Tie a control to what is asked; ``others`` are chosen with it."""

        def take(value: Any) -> None:
            self.session.choose_of("ask", **{name: taken(value)}, **others)

        return Binding(control, take, self._messages, self._show_asked)

    def _compose(self) -> list[w.Widget]:
        self._of_block = field("Channel", self.channel, "Which is blocked, by the share that the dose says.")
        self._of_warmth = row(*(field(label, self.q10s[name], hint) for name, (label, hint) in _Q10S.items()))
        what = row(field("What is done", self.kind, "To every member, all the time."), self._of_block)
        doses = row(
            field("Doses from, to", self.range, "The lowest and the highest."),
            field("How many doses", self.n, "Evenly spaced; a control comes beside them."),
        )
        asked = [what, doses, self.doses, self.lacks, self._of_warmth]
        going = [self.whom, *self._going.widgets, self.found, self.who]
        whose = "For the members below, and who loses the rhythm at it."
        shown = field("Dose that is looked at", self.shown, whose)
        boxes = {
            name: w.VBox([text(f"<h3>{title}</h3>"), self.sides[name].widget])
            for name, (title, _says) in _FIGURES.items()
        }
        self._curves = boxes["f_I"]
        sides = [boxes[name] for name in ("doses", "f_I", "ranking")]
        columns = halves([shown, self.pager, self.traces.widget], sides, "s2p-columns")
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
        shown_if(ask.kind == "block", self._of_block)
        self.doses.value = said([f"{kind.dose[0].upper()}{kind.dose[1:]}: {_listed(ask.doses)}."])
        lacking = ask.question(neuron).lacking(neuron)
        self.lacks.value = said([lacking]) if lacking else ""
        assumed = any(getattr(ask, name) is not None for name in _Q10S)
        shown_if(ask.kind == "temperature" and (bool(lacking) or assumed), self._of_warmth)
        self._show_going()

    # going on

    def _show_going(self) -> None:
        """Say who can be asked, or what goes on."""
        session, whom = self.session, self.actions.asked()
        going, ask = session.experimenting, session.settings.ask
        lacking = ask.question(session.neuron).lacking(session.neuron)
        self.run.disabled = going or whom is None or bool(lacking) or not session.ready
        self._going.show(going)
        first = "Generate a population first; then it can be asked."
        self.whom.value = said([first if whom is None else f"Asks {whom[1]}."])

    # what came of it

    def _show(self) -> None:
        experiment = self.session.experiment
        shown_if(experiment is not None, self._results)
        self.pager.page = 0
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
        injects = next(iter(experiment.doses.protocols)).actions[-1].kind == "step"
        shown_if(injects, self._curves)
        options = tuple((name, name) for name in experiment.conditions[1:])
        split = most_split(experiment)
        self._looked_at.show(split, options=options, disabled=len(options) < 2)
        self._draw("doses", lambda: plots.dose_response(experiment, _SIDE_PX))
        if injects:
            self._draw("f_I", lambda: plots.f_I_curves(experiment, _SIDE_PX))
        self._show_condition()
        self._draw("raster", lambda: plots.experiment_raster(experiment, most=16))

    def _draw(self, name: str, make: Callable[[], Any]) -> None:
        self._drawing.add(f"experiment {name}", lambda: self.sides[name].show(make()), "experiment")

    def _show_condition(self) -> None:
        """Show members, and who loses the rhythm, at the dose that is looked at."""
        experiment, condition = self.session.experiment, self.shown.value
        if experiment is None or condition not in experiment.protocols:
            return
        kept = experiment.kept(condition)
        population, words = experiment.population, plots.KEPT_OR_LOST
        self._draw("ranking", lambda: plots.who_crashes(experiment, condition, _SIDE_PX))
        self._draw(
            "conductances", lambda: plots.conductances(population, kept, _SIDE_PX, words=words, most=200)
        )
        numbers = experiment.members
        lines = [f"At {condition}, {kept.sum()} of {len(kept)} keep their rhythm: {_some(numbers[kept])}."]
        became = np.array(became_of(experiment, condition), dtype=object)
        for what in dict.fromkeys(became[~kept]):
            these = numbers[~kept & (became == what)]
            lines.append(f"{len(these)} lose it and are then {what}: {_some(these)}.")
        self.who.value = said(lines)
        self._drawing.add("experiment traces", self._show_page)

    @property
    def page(self) -> int:
        """Which page of the members is shown, from 0."""
        return self.pager.page

    def _show_page(self) -> None:
        """Show the members of a page, before and after."""
        experiment, condition = self.session.experiment, self.shown.value
        if experiment is None or condition not in experiment.protocols:
            return
        self.pager.show(len(experiment))
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
            self.pager.turn(page)


def _listed(doses: tuple[float, ...]) -> str:
    return ", ".join(f"{dose:g}".replace("-", "−") for dose in doses)


def _some(numbers: Any) -> str:
    """Numbers of members in a row; of many, the first."""
    more = len(numbers) - _MOST_LISTED
    return (", ".join(map(str, numbers[:_MOST_LISTED])) + (f" and {more} more" if more > 0 else "")) or "none"
