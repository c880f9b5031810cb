"""How many members, from which seed; the button that starts the search, and the one that stops it."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.binding import bind
from spike2pop_nb.app.going import Going
from spike2pop_nb.app.layout import Fold, button, field, jump, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.number import Number, in_field, number_if_any
from spike2pop_nb.app.settings import MAX_MEMBERS, Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.fidelity import PassRule, pass_rule
from spike2pop_nb.inference import find_atlas

__all__ = ["PopulationPanel"]

_JUDGED = [("automatic", "automatic"), ("its own variability", "own")]
_INHIBITION = [
    ("if none bursts like the cell without", "if needed"),
    ("for all members", "always"),
    ("never", "never"),
]


_BY_EVOLUTION = (
    "Members will be judged by the recording's own variability and found by evolution, which does not use "
    "the compensated conductances chosen above."
)
_NOR_DICS = "Nor does it use the predicted DICs."
_CHOICES = {
    "compensate": "Compensated conductances",
    "size": "Members",
    "seed": "Seed",
    "budget": "Budget",
    "refine": "Refine",
    "judged": "Judged by",
    "inhibition": "Rhythmic inhibition",
    "current": "Known current (µA/cm²)",
    "rate_tolerance": "Rate (%)",
    "isi_tolerance": "ln(ISI)",
    "burst_tolerance": "Bursts (%)",
}
"""What the settings of a search are called above."""


class PopulationPanel:
    """Second half of step 3: size, seed, budget, refinement, Generate and Cancel, progress."""

    def __init__(self, session: Session, actions: Actions, messages: Messages) -> None:
        self.session, self.actions = session, actions
        guard = messages.guard
        self.size, self.seed, self.budget = Number(), Number(), Number()
        self.refine = w.Checkbox(indent=False)
        self.judged = w.Dropdown(options=_JUDGED)
        self.inhibition = w.Dropdown(options=_INHIBITION)
        self.current = w.Text(placeholder="unknown", continuous_update=False)
        self.rate, self.isi, self.burst = Number(), Number(), Number()
        self.generate = button("Generate", "Search members that fire like the recording", "primary")
        self.how = text("", "s2p-says")
        kept = "Stop the search and keep what was found"
        self._going = Going(self.generate, kept, lambda: actions.stop("generate"), messages)
        self.stop, self.says = self._going.stop, self._going.says
        self.widget = w.VBox(
            [
                w.HBox(
                    [
                        field(
                            "Members", self.size, f"1 to {MAX_MEMBERS}; the command spike2pop run makes more."
                        ),
                        field("Seed", self.seed, "Same seed, same result."),
                        field("Budget", self.budget, "Most simulations, also for a posterior; 0: automatic."),
                    ]
                ),
                field(
                    "Refine",
                    self.refine,
                    "Change members until they fire within 1 % of the recording, or, of one that varies, "
                    "within its own variability; those then have a current and noise.",
                ),
                self.how,
                Fold(
                    "How members are judged, and what they receive",
                    [
                        field(
                            "Judged by",
                            self.judged,
                            "Automatic: its own variability if it is no clock, unless Refine is off or a "
                            "number is given below.",
                        ),
                        w.HBox(
                            [
                                field("Rate (%)", self.rate, _automatic("rate", 100)),
                                field("ln(ISI)", self.isi, _automatic("isi")),
                                field("Bursts (%)", self.burst, _automatic("burst", 100)),
                            ]
                        ),
                        field(
                            "Rhythmic inhibition",
                            self.inhibition,
                            "Of members of a bursting recording that are judged by its own variability, as "
                            "cells have that follow a rhythm.",
                        ),
                        field(
                            _CHOICES["current"],
                            self.current,
                            "That all members receive, such as 0 of a cell that was left alone. Where it is "
                            "unknown, each has one that makes it fire like the recording.",
                        ),
                    ],
                ),
                *self._going.widgets,
            ]
        )
        percent = (
            lambda share: round(100 * share, 6),
            lambda percent: percent if isinstance(percent, str) else percent / 100,
        )
        self._tied = [
            bind(session, self.size, "size", messages),
            bind(session, self.seed, "seed", messages),
            bind(session, self.budget, "budget", messages),
            bind(session, self.refine, "refine", messages),
            bind(session, self.judged, "judged", messages),
            bind(session, self.inhibition, "inhibition", messages),
            bind(session, self.current, "current", messages, in_field, number_if_any),
            bind(session, self.rate, "rate_tolerance", messages, *percent),
            bind(session, self.isi, "isi_tolerance", messages),
            bind(session, self.burst, "burst_tolerance", messages, *percent),
        ]
        self.generate.on_click(guard(lambda _button: self._generate()))
        actions.on_progress["generate"] = guard(self._going.progress)
        session.observe(
            guard(lambda _change: self._show()), ["generating", "train", "ready", "result", "chosen"]
        )
        session.follow(guard(lambda _change: self._show()), *Settings.of_search())
        session.observe(guard(lambda _change: self._show_how()), "judging")
        self._show()

    def enable(self, on: bool) -> None:
        """Let the controls be used, or not."""
        for tied in self._tied:
            tied.control.disabled = not on

    def _generate(self) -> None:
        for tied in self._tied:
            tied.take()  # a number that was refused is refused again, lest another one is searched with
        self.actions.generate()

    def _show(self) -> None:
        session = self.session
        going = session.generating
        # Open while DICs are predicted: the search predicts its own, and a click meanwhile must not be lost.
        self.generate.disabled = going or not session.ready or session.train is None
        several = len(session.chosen)
        self.generate.description = f"Generate for {several} recordings" if several > 1 else "Generate"
        self._going.show(going)
        if not going:
            if session.result is not None:
                told = [_outcome(session.result), *self._changed_since()]
                self.says.value = said(told) + jump("Show the results", "s2p-results")
                return
            waits = session.train is None
            self.says.value = said(["Waits for a recording." if waits else "Ready to generate."])

    def _show_how(self) -> None:
        """Say what of the choices above has no meaning for the recording."""
        judging = self.session.judging
        if isinstance(judging, str):
            self.how.value = said([judging])
        elif judging is None or isinstance(judging, PassRule):
            self.how.value = ""
        else:
            without = find_atlas(self.session.neuron) is not None
            self.how.value = said([_BY_EVOLUTION, *([_NOR_DICS] if without else [])])

    def _changed_since(self) -> list[str]:
        """Which of the choices above the members below were not searched by."""
        session = self.session
        if session.train is None:  # another file is being opened
            return []
        searched = session.searched.get(session.key(session.train), session.settings)
        evolved = session.result.options.get("found_by") == "evolution"
        changed = [
            _CHOICES.get(name, name)
            for name in Settings.of_search()
            if not (evolved and name == "compensate")
            and getattr(searched, name) != getattr(session.settings, name)
        ]
        if not changed:
            return []
        named = " and ".join(filter(None, (", ".join(changed[:-1]), changed[-1])))
        return [f"Changed since: {named}. Press Generate for members that follow."]


def _outcome(result: Any) -> str:
    """What came out of a search, in a sentence."""
    how = "Cancelled" if result.cancelled else "Done"
    if not result.usable:
        return f"{how}, and no member was found; see below why."
    if not result.n_kept_passed:
        return f"{how}, and no member fires like the recording; the nearest are below, with what they lack."
    return f"{how}; the results are below."


def _automatic(tolerance: str, scale: float = 1) -> str:
    """What a tolerance is if it is left to the program."""
    refined, unrefined = (scale * getattr(pass_rule(refine), tolerance) for refine in (True, False))
    others = "" if refined == unrefined else f" if refined, else {unrefined:g}"
    return f"0: {refined:g}{others}."
