"""Which two conductances are solved for, and what that can reach."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import ipywidgets as w

from spike2pop_nb.app.binding import Binding
from spike2pop_nb.app.layout import field, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session
from spike2pop_nb.conductances import solvable_pairs
from spike2pop_nb.neurons import NeuronModel

__all__ = ["CompensationPanel"]


@lru_cache(maxsize=16)
def _pairs(neuron: NeuronModel) -> tuple[tuple[str, str], ...]:
    return tuple(solvable_pairs(neuron))


class CompensationPanel:
    """First half of step 3: the compensated pair."""

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        guard = messages.guard
        self.pair = w.Dropdown()
        self.says = text("", "s2p-says")
        self.widget = w.VBox(
            [
                field(
                    "Compensated conductances",
                    self.pair,
                    "Solved for, so that each member has the wanted DICs; the others vary freely. "
                    "Explore, below, ranks all choices.",
                ),
                self.says,
            ]
        )
        self._tied = Binding(self.pair, self._choose, messages, self._list_pairs)
        session.follow(guard(self._list_pairs), "neuron")
        session.observe(guard(self._list_pairs), ["posterior", "pair"])
        session.observe(guard(self._say), ["reach", "pair", "posterior"])
        self._list_pairs()

    def enable(self, on: bool) -> None:
        """Let the controls be used, or not."""
        self.pair.disabled = not on

    def _recommended(self) -> tuple[str, str] | None:
        posterior = self.session.posterior
        if posterior is None or not posterior.usable:
            return None
        return self.session.neuron.recommend(posterior.g_s, posterior.g_u)

    def _list_pairs(self, _change: Any = None) -> None:
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

    def _say(self, _change: Any) -> None:
        reach, posterior = self.session.reach, self.session.posterior
        if reach is None:
            self.says.value = said(["Mapping what this choice can reach…"]) if self.session.pair else ""
            return
        points = posterior.sample(256, 0) if posterior is not None and posterior.usable else None
        self.says.value = said([reach.describe(points)])
