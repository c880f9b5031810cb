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
        self, dispatch: Dispatch, said: Callable[[float, str], None], gave: Callable[[Any], None]
    ) -> None:
        self._dispatch, self._said, self._gave = dispatch, said, gave
        self._cancel = threading.Event()
        self.dropped = False  # then nobody waits for the answer any more
        self._last = 0.0

    def cancel(self) -> None:
        """Ask the work to stop; what it returns still counts."""
        self._cancel.set()

    def drop(self) -> None:
        """Ask the work to stop and forget its answer."""
        self.dropped = True
        self._cancel.set()

    def cancelled(self) -> bool:
        """Whether the work should stop; made to be polled."""
        return self._cancel.is_set()

    def progress(self, done: float, total: float, text: str) -> None:
        """Report progress; reports that come too fast for the eye are left out, the last never is."""
        now = time.monotonic()
        if now - self._last >= _PROGRESS_EVERY_S or done >= total:
            self._last = now
            self.answer(self._said, done / total if total else 0.0, text)

    def give(self, part: Any) -> None:
        """Hand over a part of the answer before the rest is there."""
        self.answer(self._gave, part)

    def answer(self, hear: Callable[..., None], *told: Any) -> None:
        """Tell it on the event loop, unless nobody waits for it by then."""
        self._dispatch(lambda: None if self.dropped else hear(*told))


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
        task = Task(self._dispatch, progress, partly)
        if name in self._latest:
            self._latest[name].drop()
        self._latest[name] = task

        def run() -> None:
            if task.dropped:
                return
            try:
                answer = work(task)
            except BaseException as error:
                task.answer(failed, error)
            else:
                task.answer(done, answer)

        if lane not in self._lanes:
            self._lanes[lane] = queue.Queue()
            threading.Thread(
                target=_work_off, args=(self._lanes[lane],), name="spike2pop-runner", daemon=True
            ).start()
        self._lanes[lane].put(run)
        return task


def _work_off(waiting: queue.Queue[Callable[[], None]]) -> None:
    while True:
        waiting.get()()
