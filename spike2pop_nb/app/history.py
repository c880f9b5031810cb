"""Undo: the settings as they were before each of the last changes."""

from __future__ import annotations

import time
from collections.abc import Callable

from spike2pop_nb.app.settings import PARTS, Settings

__all__ = ["History"]

_AT_ONCE_S, _AGAIN_S = 0.1, 1.0
_MOST = 100


def _names(settings: Settings, before: Settings) -> set[str]:
    """Names of what differs."""
    found = {name for name in Settings.model_fields if getattr(settings, name) != getattr(before, name)}
    for part in found & set(PARTS):
        now, then = getattr(settings, part), getattr(before, part)
        found |= {f"{part}.{name}" for name, value in now if value != getattr(then, name)}
    return found


class History:
    """Remembers settings; what changes within a tenth of a second is one change, since one choice of the user
    can bring others with it. So is what changes again within a second, as a point that is dragged does.

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
        self._what: set[str] = set()
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
        now, what = time.monotonic(), _names(settings, self._current)
        if now - self._when > (_AGAIN_S if what == self._what else _AT_ONCE_S):
            self._before = [*self._before[1 - _MOST :], self._current]
            self._what = set()
        self._current, self._when = settings, now
        self._what |= what
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
            self._current, self._when, self._what = self._now(), -1.0, set()
            self._on_change()
