"""Ranking what could be done to the cell by what it would tell."""

from __future__ import annotations

from typing import Any

from spike2pop_nb.app import compiling
from spike2pop_nb.app.actions.experimenting import Experimenting
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import Spike2PopError

__all__ = ["Choosing"]

_LANE = "ranking"


class Choosing(Experimenting):
    """Actions that say which experiment to do next.

    Attributes
    ----------
    on_ranked
        Called with a fraction and a text while experiments are ranked.
    """

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        super().__init__(session, runner, messages)
        self.on_ranked: Any = lambda _fraction, _text: None
        self._ranking: Task | None = None

    def rank(self) -> None:
        """Rank experiments by what they would tell of the population that is looked at."""
        session, whom = self.session, self.asked()
        if whom is None:
            raise Spike2PopError("There is no population to ask yet: generate one for this recording first.")
        population, ask, result = whom[0], session.settings.ask.checked(session.neuron), session.result
        rig = ask.rig(population.neuron)
        self.messages.clear()
        session.ranks = True

        def work(task: Task) -> Any:
            from spike2pop_nb.experiments import next_experiments

            compiling.wait(task.cancelled, lambda: task.progress(0, 1, compiling.WORDS))
            return next_experiments(
                population,
                ask.target,
                experiments=rig,
                by=ask.by,
                progress=lambda done, total: task.progress(
                    done, total, f"Simulating members in {len(rig)} experiments"
                ),
                cancel=task.cancelled,
            )

        def done(found: Any) -> None:
            session.ranks = False
            if session.result is result:
                session.ranking = found

        def failed() -> None:
            session.ranks = False

        self._ranking = self._run(
            "ranking",
            "Ranking experiments…",
            work,
            done,
            failed,
            progress=lambda fraction, words: self.on_ranked(fraction, words),
            lane=_LANE,
        )

    def stop_ranking(self) -> None:
        """Stop the ranking."""
        if self._ranking is not None:
            self._ranking.cancel()

    def forget_ranking(self) -> None:
        """Forget a ranking, which belongs to one population."""
        self.session.ranking = None
