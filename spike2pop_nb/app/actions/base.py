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

    ``on_progress`` is called, by the name of the work, with a fraction from 0 to 1 and words meanwhile.
    """

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        self.session, self.runner, self.messages = session, runner, messages
        self.on_progress: dict[str, Callable[[float, str], None]] = {}
        self._going: dict[str, str] = {}
        self._tasks: dict[str, tuple[Task, Callable[[bool], None]]] = {}

    def run(
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
        messages: Messages | None = None,
    ) -> None:
        """Queue work, and tell in words that it goes on until it is done; see `Runner.submit`.

        ``during`` names what of the session is true meanwhile; errors are told in other ``messages``, if any.
        """
        tell = messages or self.messages

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
            tell.guard(done)(answer)

        def gave_up(error: BaseException) -> None:
            going(False)
            tell.report(error)
            tell.guard(failed)()

        going(True)
        task = self.runner.submit(
            name, work, finished, gave_up, progress=tell.guard(hear), partly=tell.guard(partly), lane=lane
        )
        self._tasks[name] = task, going

    def stop(self, name: str) -> None:
        """Stop some work; what it has found so far is kept."""
        if name in self._tasks:
            self._tasks[name][0].cancel()

    def drop(self, name: str) -> None:
        """Stop some work and forget what it finds."""
        if name in self._tasks:
            task, going = self._tasks.pop(name)
            task.drop()
            going(False)

    def say(self, name: str, words: str) -> None:
        """Say that some work goes on, or with no words that it is over."""
        self._going.pop(name, None)
        if words:
            self._going[name] = words
        self._tell()

    def _tell(self) -> None:
        """Tell what goes on; of work that is done one after the other, what is first in the queue."""
        self.session.busy = next(iter(self._going.values()), "")
