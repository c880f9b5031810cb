"""What the page can do. Long work goes to the runner, answers to the session, errors to the messages."""

from __future__ import annotations

from spike2pop_nb.app.actions.predicting import Predicting
from spike2pop_nb.app.actions.reading import Reading
from spike2pop_nb.app.actions.searching import MAX_TRACE_BYTES, Searching
from spike2pop_nb.app.actions.taking import Taking
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner
from spike2pop_nb.app.settings import MAX_MEMBERS
from spike2pop_nb.app.state import DETECTING, READING, Session

__all__ = ["MAX_MEMBERS", "MAX_TRACE_BYTES", "Actions"]


class Actions(Reading, Predicting, Searching, Taking):
    """Verbs of the page over one session; those that follow from a choice are done when it is made."""

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        super().__init__(session, runner, messages)
        guard = messages.guard
        session.observe(guard(lambda _change: self._forget_pair()), "neuron")
        session.observe(guard(lambda _change: self.predict()), ["train", "neuron", "prior"])
        session.observe(guard(lambda _change: self.survey()), ["recordings", "neuron", "prior"])
        session.observe(guard(lambda _change: self.read()), list(READING))
        session.observe(guard(lambda _change: self.detect()), list(DETECTING))
        session.observe(guard(lambda _change: self.map_reach()), "pair")
        session.observe(guard(lambda _change: self.recommend()), ["posterior", "compensate"])
