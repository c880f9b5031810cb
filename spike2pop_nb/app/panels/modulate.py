"""Neuromodulation in the explorer: from the target to an end, step by step."""

from __future__ import annotations

import asyncio

import ipywidgets as w

from spike2pop_nb import plots
from spike2pop_nb.app.binding import Binding, Number, number_in
from spike2pop_nb.app.exploration import Explorer
from spike2pop_nb.app.figures import FigureView
from spike2pop_nb.app.layout import button, field, halves, row, said, text
from spike2pop_nb.app.messages import Messages

__all__ = ["ModulatePanel"]

_WAYS_PX, _COURSE_PX = 330, 620
_STEP_S = 0.3
_PLAY, _PAUSE = "Play", "Pause"


class ModulatePanel:
    """Where to, the button, the slider over the steps, and what each member does on its way."""

    def __init__(self, explorer: Explorer, messages: Messages) -> None:
        self.explorer, self.state = explorer, explorer.state
        after, state, session = messages.after, explorer.state, explorer.session
        self.g_s, self.g_u = Number(), Number()
        self.start = button("Modulate", "Move the members there and simulate them on their way", "primary")
        self.step = w.IntSlider(min=0, max=1, disabled=True)
        # the ready-made widget's buttons have no names for those who cannot see them
        self.play = button(_PLAY, "Go through the steps one after the other")
        self._playing = False
        self._tick = after(self._advance)
        self.who, self.says, self.where = (text("", "s2p-says") for _ in range(3))
        self.ways = FigureView(
            "The two conductances that move appear here",
            _WAYS_PX,
            session,
            "The two conductances that move, one against the other: a line for the way of each member",
            members=state,
        )
        self.course = FigureView(
            "Press Modulate to move the members to the end",
            _COURSE_PX,
            session,
            "Conductances and voltages of members over time, before, during and after modulation",
            members=state,
        )
        controls = row(
            field("To g_s (in units of g_leak)", self.g_s, "Each member goes there from its own DICs."),
            field("To g_u (in units of g_leak)", self.g_u, "Straight through the plane, in equal steps."),
        )
        steps = field("Step", self.step, "Move it, or press play, to watch each member on its own way.")
        playing = row(self.play, steps, kind="s2p-bar")
        left = [self.who, controls, self.start, self.says, playing, self.where, self.ways.widget]
        title = text("<h3>Neuromodulation: members move to other DICs</h3>")
        self.widget = w.VBox([title, halves(left, [self.course.widget])])
        self._tied = [
            Binding(number, self._choose, messages, self._show_end) for number in (self.g_s, self.g_u)
        ]
        self.play.on_click(after(self._toggle))
        self.start.on_click(after(explorer.modulate))
        self.step.observe(after(lambda: state.set_trait("step", self.step.value)), "value")
        state.observe(after(self._show_end), "end")
        state.observe(after(self._show), "modulated")
        state.observe(after(self._show_step), "step")
        state.observe(after(self._show_who), "population")
        session.observe(after(self._show_who), "result")
        session.follow(after(self._show_who), "explore")
        self._show_who()
        self._show_end()
        self._show()

    def _choose(self, _value: float) -> None:
        self.explorer.set_end(number_in(self.g_s), number_in(self.g_u))

    def _show_end(self) -> None:
        for tied, value in zip(self._tied, self.state.end, strict=True):
            tied.show(round(value, 3))

    def _show_who(self) -> None:
        """Say who will be moved, and by what, before anyone is."""
        explored = self.explorer.session.settings.explore.pair
        widest = "the two conductances that take most of them there"
        by = widest if explored is None else " and ".join(explored)
        self.who.value = said([f"Moves {self.explorer.moving()[1]} by {by}."])

    def _show(self) -> None:
        found = self.state.modulated
        self._stop()
        self.step.disabled = self.play.disabled = found is None
        if found is None:
            self.says.value = self.where.value = ""
            self.ways.clear()
            self.course.clear()
            return
        self.step.max = found.path.steps
        self.step.value = self.state.step
        self.says.value = said([self.state.told])
        path, step = found.path, self.state.step
        self.course.show(plots.modulation(found, step=step, most_points=1500, height=_COURSE_PX))
        self.ways.show(plots.modulation_ways(path, step, _WAYS_PX), len(plots.modulation_points(path, step)))
        self._say_step()

    def _toggle(self) -> None:
        """Play, from the start if the end is reached, or pause."""
        if self._playing:
            self._stop()
            return
        if self.step.value >= self.step.max:
            self.step.value = 0
        self._playing, self.play.description = True, _PAUSE
        self._advance()

    def _stop(self) -> None:
        self._playing, self.play.description = False, _PLAY

    def _advance(self) -> None:
        if not self._playing:
            return
        self.step.value += 1
        if self.step.value >= self.step.max:
            self._stop()
        else:
            asyncio.get_running_loop().call_later(_STEP_S, self._tick)

    def _show_step(self) -> None:
        found, step = self.state.modulated, self.state.step
        if found is None:
            return
        path = found.path
        self.ways.move(plots.modulation_points(path, step))
        figure = self.course.shown
        if len(figure.layout.shapes) > 1:
            at = (found.end_ms - found.begin_ms) / 1000.0 * step / path.steps
            figure.layout.shapes[1].update(x0=at, x1=at)
            self.course.rearrange(figure)
        self._say_step()

    def _say_step(self) -> None:
        path, step = self.state.modulated.path, self.state.step
        lost = int(((path.lost_at >= 0) & (path.lost_at <= step)).sum())
        words = f"Step {step} of {path.steps}"
        self.where.value = said([words + (f": {lost} of {len(path)} members stay behind." if lost else ".")])
