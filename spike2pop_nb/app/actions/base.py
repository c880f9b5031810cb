"""What all actions share: the session, the runner, the messages, and words shown while something runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.state import Session

__all__ = ["Acting"]


class Acting:
    """Actions over one session: settings are read from it, results written to it, and errors told.

    Attributes
    ----------
    on_progress
        Called, by the name of the work, with a fraction from 0 to 1 and words while it goes on.
    """

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        self.session, self.runner, self.messages = session, runner, messages
        self.on_progress: dict[str, Callable[[float, str], None]] = {}
        self._going: dict[str, str] = {}
        self._tasks: dict[str, Task] = {}

    def _run(
        self,
        name: str,
        words: str,
        work: Callable[[Task], Any],
        done: Callable[[Any], None],
        failed: Callable[[], None] = lambda: None,
        partly: Callable[[Any], None] = lambda _part: None,
        progress: Callable[[float, str], None] | None = None,
        lane: str = "",
        during: str = "",
    ) -> Task:
        """Queue work, and tell in words that it goes on until it is done; see `Runner.submit`.

        ``during`` names what of the session is true meanwhile.
        """
        guard = self.messages.guard

        def hear(fraction: float, text: str) -> None:
            told = progress or self.on_progress.get(name)
            if told is not None:
                told(fraction, text)

        def going(on: bool) -> None:
            if during:
                setattr(self.session, during, on)
            self.say(name, words if on else "")

        def finished(answer: Any) -> None:
            going(False)
            guard(done)(answer)

        def gave_up(error: BaseException) -> None:
            going(False)
            self.messages.report(error)
            guard(failed)()

        going(True)
        self._tasks[name] = self.runner.submit(
            name, work, finished, gave_up, progress=guard(hear), partly=guard(partly), lane=lane
        )
        return self._tasks[name]

    def stop(self, name: str) -> None:
        """Stop some work; what it has found so far is kept."""
        if name in self._tasks:
            self._tasks[name].cancel()

    def say(self, name: str, words: str) -> None:
        """Say that some work goes on, or with no words that it is over."""
        self._going.pop(name, None)
        if words:
            self._going[name] = words
        self._tell()

    def _tell(self) -> None:
        """Tell what goes on; of work that is done one after the other, what is first in the queue."""
        self.session.busy = next(iter(self._going.values()), "")
