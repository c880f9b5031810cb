"""What the page can do. Long work goes to the runner, answers to the session, errors to the messages."""

from __future__ import annotations

from spike2pop_nb.app.actions.experimenting import Experimenting
from spike2pop_nb.app.actions.predicting import Predicting
from spike2pop_nb.app.actions.searching import Searching
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner
from spike2pop_nb.app.settings import DETECTING, JUDGING, READING, Settings
from spike2pop_nb.app.state import Session

__all__ = ["Actions"]


class Actions(Experimenting, Predicting, Searching):
    """Verbs of the page over one session; those that follow from a choice are done when it is made."""

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        super().__init__(session, runner, messages)
        after = messages.after
        session.follow(after(self._forget_pair), "neuron")
        session.observe(after(self.settle), "settings")
        session.follow(after(self.read), "file", *Settings.names(READING))
        session.follow(after(self.detect), *Settings.names(DETECTING))
        session.follow(after(self.predict), "neuron", "prior", "current")
        session.observe(after(self.predict), "train")
        session.follow(after(self.judge), "neuron", "refine", "judged", *Settings.names(JUDGING))
        session.observe(after(self.judge), "train")
        session.follow(after(self.survey), "neuron", "prior", "current")
        session.observe(after(self.survey), "recordings")
        session.observe(after(self.map_reach), "pair")
        session.follow(after(self.recommend), "compensate")
        session.observe(after(self.recommend), "posterior")
        session.observe(after(self.show_experiment), "result")
        session.observe(after(self.forget_ranking), "result")
