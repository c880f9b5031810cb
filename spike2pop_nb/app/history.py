"""Undo: the settings as they were before each of the last changes."""

from __future__ import annotations

import time
from collections.abc import Callable

from spike2pop_nb.app.settings import Settings

__all__ = ["History"]

_AT_ONCE_S = 0.1
_MOST = 100


class History:
    """Remembers settings; what changes within a tenth of a second is one change, since one choice of the user
    can bring others with it.

    Parameters
    ----------
    now
        Gives the settings as they are.
    restore
        Makes them what they were.
    on_change
        Called when what can be undone changes.
    """

    def __init__(
        self, now: Callable[[], Settings], restore: Callable[[Settings], None], on_change: Callable[[], None]
    ) -> None:
        self._now, self._restore, self._on_change = now, restore, on_change
        self._current = now()
        self._before: list[Settings] = []
        self._when = -1.0
        self._held = False

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return bool(self._before)

    def note(self) -> None:
        """Take note that a setting may have changed."""
        settings = self._now()
        if self._held or settings == self._current:
            return
        now = time.monotonic()
        if now - self._when > _AT_ONCE_S:
            self._before = [*self._before[1 - _MOST :], self._current]
        self._current, self._when = settings, now
        self._on_change()

    def undo(self) -> None:
        """Go back by one change."""
        if not self._before:
            return
        self._held = True
        try:
            self._restore(self._before.pop())
        finally:
            self._held = False
            self._current, self._when = self._now(), -1.0
            self._on_change()
