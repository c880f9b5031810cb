"""Long work beside the page: one background thread, with progress, cancel, and answers on the event loop."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["Dispatch", "Runner", "Task", "on_this_loop"]

Dispatch = Callable[[Callable[[], None]], None]
_PROGRESS_EVERY_S = 0.1


def on_this_loop() -> Dispatch:
    """Return a way for any thread to have something done on the event loop that is running now.

    Widgets are only ever touched there. Without a running loop (a plain script) things are done at once.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return lambda act: act()

    def dispatch(act: Callable[[], None]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(act)

    return dispatch


class Task:
    """One piece of work; what the worker function gets to report and to look for a wish to stop."""

    def __init__(
        self, name: str, say: Callable[[Task, float, str], None], give: Callable[[Task, Any], None]
    ) -> None:
        self.name = name
        self._say, self._give = say, give
        self._cancel = threading.Event()
        self._dropped = False
        self._last = 0.0

    def cancel(self) -> None:
        """Ask the work to stop; what it returns still counts."""
        self._cancel.set()

    def drop(self) -> None:
        """Ask the work to stop and forget its answer."""
        self._dropped = True
        self._cancel.set()

    @property
    def dropped(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._dropped

    def cancelled(self) -> bool:
        """Whether the work should stop; made to be polled."""
        return self._cancel.is_set()

    def progress(self, done: float, total: float, text: str) -> None:
        """Report progress; reports that come too fast for the eye are left out, the last never is."""
        now = time.monotonic()
        if now - self._last >= _PROGRESS_EVERY_S or done >= total:
            self._last = now
            self._say(self, done / total if total else 0.0, text)

    def give(self, part: Any) -> None:
        """Hand over a part of the answer before the rest is there."""
        self._give(self, part)


class Runner:
    """Runs tasks one after the other in a daemon thread, or in one for each lane.

    A task replaces an earlier one of the same name, whether that one waits or runs.

    Parameters
    ----------
    dispatch
        How answers get back to the thread that owns the widgets; see `on_this_loop`.
    """

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._lanes: dict[str, queue.Queue[Callable[[], None]]] = {}
        self._latest: dict[str, Task] = {}

    def submit(
        self,
        name: str,
        work: Callable[[Task], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
        progress: Callable[[float, str], None] = lambda _fraction, _words: None,
        partly: Callable[[Any], None] = lambda _part: None,
        lane: str = "",
    ) -> Task:
        """Queue some work.

        Parameters
        ----------
        name
            Kind of work; the latest of a kind replaces the others.
        work
            Called with its `Task` in the background thread.
        done, failed
            Called on the event loop with the answer, or with the exception; never for a dropped task.
        progress
            Called on the event loop with a fraction from 0 to 1 and a text.
        partly
            Called on the event loop with each part that the work gives.
        lane
            Work in different lanes goes on side by side.
        """

        def say(task: Task, fraction: float, text: str) -> None:
            self._answer(task, lambda: progress(fraction, text))

        def give(task: Task, part: Any) -> None:
            self._answer(task, lambda: partly(part))

        task = Task(name, say, give)
        earlier = self._latest.get(name)
        if earlier is not None:
            earlier.drop()
        self._latest[name] = task

        def run() -> None:
            if task.dropped:
                return
            try:
                answer = work(task)
            except BaseException as error:
                # The name is gone once the block ends, and the answer is called later.
                caught = error
                self._answer(task, lambda: failed(caught))
            else:
                self._answer(task, lambda: done(answer))

        if lane not in self._lanes:
            self._lanes[lane] = queue.Queue()
            threading.Thread(
                target=_work_off, args=(self._lanes[lane],), name="spike2pop-runner", daemon=True
            ).start()
        self._lanes[lane].put(run)
        return task

    def _answer(self, task: Task, act: Callable[[], None]) -> None:
        def unless_dropped() -> None:
            if not task.dropped:
                act()

        self._dispatch(unless_dropped)


def _work_off(waiting: queue.Queue[Callable[[], None]]) -> None:
    while True:
        waiting.get()()
