"""Places for sessions: how many there may be at once, whose they are, and who waits for one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from jupyter_core.utils import ensure_async

__all__ = ["LOOKS_EVERY_S", "Kernels", "Places", "refill"]

ASKS_AGAIN_S = 5
"""A page in the line asks again after this long."""
LOOKS_EVERY_S = 10
"""So often it is looked whether a session is in store."""
_LEFT_S = 6 * ASKS_AGAIN_S
_GONE_S = 300
"""A session may have lost its page for this long before a new page of the same visitor takes its place."""


class Places:
    """As many sessions as there may be, each of one visitor; others wait in the order in which they came.

    ``most`` is how many sessions there may be, ``kernels`` Jupyter's manager of the processes behind them.
    """

    def __init__(self, most: int, kernels: Any) -> None:
        self.most = most
        self._kernels = kernels
        self._owners: dict[str, str] = {}
        self._opening = 0
        self._line: dict[str, float] = {}

    def owns(self, visitor: str, kernel: str) -> bool:
        """Return whether a session is this visitor's."""
        return self._owners.get(kernel) == visitor

    async def enter(self, visitor: str) -> int:
        """Take a place, or a place in the line.

        Returns
        -------
        int
            0 if there was a place, which is then to be used (`give`) or left (`leave`); otherwise the
            visitor's turn in the line, which is kept by asking again.
        """
        if self._free() < 1:
            await self._take_back(visitor)
        now = time.monotonic()
        self._line = {who: asked for who, asked in self._line.items() if now - asked < _LEFT_S}
        self._line[visitor] = now
        turn = 1 + list(self._line).index(visitor)
        if turn > self._free():
            return turn
        del self._line[visitor]
        self._opening += 1
        return 0

    def give(self, visitor: str, kernel: str) -> None:
        """Make a session the visitor's, in the place that was taken for it."""
        self._opening -= 1
        self._owners[kernel] = visitor

    def leave(self) -> None:
        """Give back a place for which no session came."""
        self._opening -= 1

    def _free(self) -> int:
        running = set(self._kernels.list_kernel_ids())
        self._owners = {kernel: owner for kernel, owner in self._owners.items() if kernel in running}
        return self.most - len(self._owners) - self._opening

    async def _take_back(self, visitor: str) -> None:
        """End the session of the visitor whose page has been gone for longest."""
        gone = {}
        for kernel in (kernel for kernel, owner in self._owners.items() if owner == visitor):
            silent = datetime.now(UTC) - self._kernels.get_kernel(kernel).last_activity
            if silent.total_seconds() > _GONE_S and not self._kernels.kernel_model(kernel)["connections"]:
                gone[kernel] = silent
        if gone:
            await ensure_async(self._kernels.shutdown_kernel(max(gone, key=gone.__getitem__)))


class Kernels:
    """Jupyter's manager of kernels as one page sees it: the kernel that it gets becomes its own.

    ``manager`` is what it stands for; ``given`` is called with the id of that kernel.
    """

    def __init__(self, manager: Any, given: Callable[[str], None]) -> None:
        self._manager, self._given = manager, given

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    async def start_kernel(self, **asked: Any) -> str:
        """Start a kernel for the page."""
        kernel: str = await ensure_async(self._manager.start_kernel(**asked))
        self._given(kernel)
        return kernel

    async def get_rendered_notebook(self, notebook_name: str, **_asked: Any) -> tuple[Any, list[str], str]:
        """Take the kernel that was kept ready.

        What was asked for is the environment of the next one, which another visitor gets: nothing of this
        one goes into it.
        """
        try:
            task, cells, kernel = await self._manager.get_rendered_notebook(notebook_name=notebook_name)
        except Exception:  # the kernel in store could not be started; perhaps the next one can
            await refill(self._manager)
            task, cells, kernel = await self._manager.get_rendered_notebook(notebook_name=notebook_name)
        # A kernel that waited for hours counts as idle until its page has connected.
        self._manager.get_kernel(kernel).last_activity = datetime.now(UTC)
        self._given(kernel)
        return task, cells, kernel


async def refill(manager: Any) -> None:
    """Prepare another session for the next page where the one in store could not be prepared.

    Voilà keeps what has failed until it is asked for, fails then, and puts nothing in its place: from then on
    every page would wait for a kernel of its own to start.
    """
    for notebook, store in getattr(manager, "_pools", {}).items():
        for prepared in [one for one in store if one.done()]:
            try:
                shown = prepared.result()["task"]
                if shown.done():
                    shown.result()
            except Exception as error:
                manager.log.error("A session could not be prepared in advance (%r); another one is.", error)
                store.remove(prepared)
                if prepared.exception() is None:
                    await ensure_async(manager.shutdown_kernel(prepared.result()["kernel_id"]))
        manager.fill_if_needed(notebook_name=notebook)
