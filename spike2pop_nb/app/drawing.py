"""Figures drawn one after the other, so that words come before them and answers pass between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Dispatch
from spike2pop_nb.app.state import Session

__all__ = ["DrawingQueue"]


class DrawingQueue:
    """What waits to be drawn; the session is told in ``drawing`` whether something does."""

    def __init__(self, session: Session, dispatch: Dispatch, messages: Messages) -> None:
        self._session, self._dispatch, self._guard = session, dispatch, messages.guard
        self._waiting: dict[str, Callable[[], Any]] = {}

    def add(self, name: str, draw: Callable[[], Any]) -> None:
        """Draw once those before it are drawn, in place of what still waits under the same name."""
        self._waiting[name] = draw
        if not self._session.drawing:
            self._session.drawing = True
            self._dispatch(self._next)

    def _next(self) -> None:
        self._guard(self._waiting.pop(next(iter(self._waiting))))()
        if self._waiting:
            self._dispatch(self._next)
        else:
            self._session.drawing = False
