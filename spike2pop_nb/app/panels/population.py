"""Step 3: which two conductances are solved for, how members are searched, and the buttons for that."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import ipywidgets as w

from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.binding import Binding, Number, bind, in_field, number_if_any, open_while_usable
from spike2pop_nb.app.layout import Fold, Going, button, field, jump, row, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.settings import MAX_MEMBERS, Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.conductances import solvable_pairs
from spike2pop_nb.fidelity import PassRule, pass_rule
from spike2pop_nb.inference import find_atlas
from spike2pop_nb.neurons import NeuronModel

__all__ = ["CompensationPanel", "PopulationPanel"]

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
_LABELS = {
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


@lru_cache(maxsize=16)
def _pairs(neuron: NeuronModel) -> tuple[tuple[str, str], ...]:
    return tuple(solvable_pairs(neuron))


class CompensationPanel:
    """First half of step 3: the compensated pair."""

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        after = messages.after
        self.pair = w.Dropdown()
        self.says = text("", "s2p-says")
        hint = (
            "Solved for, so that each member has the wanted DICs; the others vary freely. Explore, below, "
            "ranks all choices."
        )
        self.widget = w.VBox([field(_LABELS["compensate"], self.pair, hint), self.says])
        self._tied = Binding(self.pair, self._choose, messages, self._list_pairs)
        open_while_usable(session, self.pair)
        session.follow(after(self._list_pairs), "neuron")
        session.observe(after(self._list_pairs), ["posterior", "pair"])
        session.observe(after(self._say), ["reach", "pair", "posterior"])
        self._list_pairs()

    def _recommended(self) -> tuple[str, str] | None:
        posterior = self.session.posterior
        if posterior is None or not posterior.usable:
            return None
        return self.session.neuron.recommend(posterior.g_s, posterior.g_u)

    def _list_pairs(self) -> None:
        recommended, chosen = self._recommended(), self.session.pair
        pairs = list(_pairs(self.session.neuron))
        # The pair may be declared in the other order than the list has it.
        for pair in (recommended, chosen):
            if pair is not None and pair not in pairs:
                pairs = [pair, *(other for other in pairs if set(other) != set(pair))]
        if recommended is not None:
            pairs = [recommended, *(pair for pair in pairs if pair != recommended)]
        options = tuple(
            (f"{a} and {b}" + (" (published heuristic)" if (a, b) == recommended else ""), (a, b))
            for a, b in pairs
        )
        self._tied.show(chosen or pairs[0], options=options)

    def _choose(self, pair: tuple[str, str] | None) -> None:
        if pair is not None:
            self.session.choose(compensate=None if pair == self._recommended() else pair)

    def _say(self) -> None:
        reach, posterior = self.session.reach, self.session.posterior
        if reach is None:
            self.says.value = said(["Mapping what this choice can reach…"]) if self.session.pair else ""
            return
        points = posterior.sample(256, 0) if posterior is not None and posterior.usable else None
        self.says.value = said([reach.describe(points)])


class PopulationPanel:
    """Second half of step 3: size, seed, budget, refinement, Generate and Cancel, progress."""

    def __init__(self, session: Session, actions: Actions, messages: Messages) -> None:
        self.session, self.actions = session, actions
        after = messages.after
        self.size, self.seed, self.budget = Number(), Number(), Number()
        self.refine = w.Checkbox(indent=False)
        self.judged = w.Dropdown(options=_JUDGED)
        self.inhibition = w.Dropdown(options=_INHIBITION)
        self.current = w.Text(placeholder="unknown", continuous_update=False)
        self.rate, self.isi, self.burst = Number(), Number(), Number()
        self.generate = button("Generate", "Search members that fire like the recording", "primary")
        self.how = text("", "s2p-says")
        kept = "Stop the search and keep what was found"
        self._going = Going(self.generate, kept, actions, "generate", messages)
        self.stop, self.says = self._going.stop, self._going.says
        percent = (
            lambda share: round(100 * share, 6),
            lambda percent: percent if isinstance(percent, str) else percent / 100,
        )
        self._tied: list[Binding] = []

        def tied(name: str, control: Any, help: str, *ways: Any) -> w.VBox:
            """A control as a field, tied to a setting."""
            made = field(_LABELS[name], control, help)
            self._tied.append(bind(session, control, name, messages, *ways))
            return made

        self.widget = w.VBox(
            [
                row(
                    tied("size", self.size, f"1 to {MAX_MEMBERS}; the command spike2pop run makes more."),
                    tied("seed", self.seed, "Same seed, same result."),
                    tied("budget", self.budget, "Most simulations, also for a posterior; 0: automatic."),
                ),
                tied(
                    "refine",
                    self.refine,
                    "Change members until they fire within 1 % of the recording, or, of one that varies, "
                    "within its own variability; those then have a current and noise.",
                ),
                self.how,
                Fold(
                    "How members are judged, and what they receive",
                    [
                        tied(
                            "judged",
                            self.judged,
                            "Automatic: its own variability if it is no clock, unless Refine is off or a "
                            "number is given below.",
                        ),
                        row(
                            tied("rate_tolerance", self.rate, _automatic("rate", 100), *percent),
                            tied("isi_tolerance", self.isi, _automatic("isi")),
                            tied("burst_tolerance", self.burst, _automatic("burst", 100), *percent),
                        ),
                        tied(
                            "inhibition",
                            self.inhibition,
                            "Of members of a bursting recording that are judged by its own variability, as "
                            "cells have that follow a rhythm.",
                        ),
                        tied(
                            "current",
                            self.current,
                            "That all members receive, such as 0 of a cell that was left alone. DICs are "
                            "told given it. Where it is unknown, each member has one that makes it fire like "
                            "the recording.",
                            in_field,
                            number_if_any,
                        ),
                    ],
                ),
                *self._going.widgets,
            ]
        )
        open_while_usable(session, *(tied.control for tied in self._tied))
        self.generate.on_click(after(self._generate))
        session.observe(after(self._show), ["generating", "train", "ready", "result", "chosen", "posterior"])
        session.follow(after(self._show), *Settings.of_search())
        session.observe(after(self._show_how), "judging")
        self._show()

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
            words = "Waits for a recording." if session.train is None else "Ready to generate."
            if session.posterior is not None and not session.posterior.usable:
                words = "This recording is silent, so no population can be made of it."
            self.says.value = said([words])

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
            _LABELS[name]
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
