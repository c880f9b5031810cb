"""What all actions share: the session, the runner, the messages, and words shown while something runs."""

from __future__ import annotations

from typing import Any

from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.state import Session

__all__ = ["Acting"]


class Acting:
    """Actions over one session.

    Parameters
    ----------
    session
        Settings are read from it, results written to it.
    runner
        Where long work runs.
    messages
        Where errors go.
    """

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        self.session, self.runner, self.messages = session, runner, messages

    def _run(self, name: str, text: str, work: Any, done: Any, failed: Any = None, **more: Any) -> Task:
        """Queue work with its words shown while it runs."""
        session = self.session

        def started() -> None:
            session.busy = text

        def finished(answer: Any) -> None:
            session.busy = ""
            self.messages.guard(done)(answer)

        def gave_up(error: BaseException) -> None:
            session.busy = ""
            self.messages.report(error)
            if failed is not None:
                failed()

        return self.runner.submit(name, work, finished, gave_up, started=started, **more)
