"""Controls tied to settings both ways: each shows what is chosen, and what a user does to it is a choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session

__all__ = ["Binding", "bind"]


class Binding:
    """A control that tells what the user does to it, and nothing when it is only shown something.

    Parameters
    ----------
    control
        A widget.
    take
        Called with the value that the user chose.
    messages
        Where a refusal is told.
    again
        Shows in the control, with `show`, what is chosen after that, so that what was refused does not stand;
        without it, it does, to be corrected.
    trait
        What of the widget the user changes.
    """

    def __init__(
        self,
        control: Any,
        take: Callable[[Any], None],
        messages: Messages,
        again: Callable[[], object] = lambda: None,
        trait: str = "value",
    ) -> None:
        self.control, self._trait = control, trait
        self._take, self._again = take, again
        self._showing = False
        self._shown = self._held()
        control.observe(messages.guard(lambda _change: self._moved()), trait)

    def _held(self) -> Any:
        return getattr(self.control, self._trait)

    def show(self, value: Any, **traits: Any) -> None:
        """Show a value, after options or limits that it needs."""
        with self.showing():
            for name, wanted in {**traits, self._trait: value}.items():
                if getattr(self.control, name) != wanted:  # a list that is open keeps where it is scrolled to
                    setattr(self.control, name, wanted)

    @contextmanager
    def showing(self) -> Iterator[None]:
        """What changes in the control meanwhile is no choice of the user's."""
        self._showing = True
        try:
            yield
        finally:
            self._showing = False
            self._shown = self._held()

    def take(self) -> None:
        """Take what the control holds, unless it is what was shown in it.

        Raises
        ------
        Spike2PopError
            If that cannot be.
        """
        if self._held() != self._shown:
            try:
                self._take(self._held())
                self._shown = self._held()
            finally:
                self._again()

    def _moved(self) -> None:
        if not self._showing:
            self.take()


def _same(value: Any) -> Any:
    return value


def bind(
    session: Session,
    control: Any,
    name: str,
    messages: Messages,
    shown: Callable[[Any], Any] = _same,
    taken: Callable[[Any], Any] = _same,
) -> Binding:
    """Tie a control to a setting; what was refused stands in it until something else is chosen.

    Parameters
    ----------
    session
        Holds the settings.
    control
        A widget with a ``value``.
    name
        Of the setting.
    messages
        Where a value that cannot be is told.
    shown, taken
        What the control shows for a setting, and the setting for what the control holds.
    """

    def show() -> None:
        tied.show(shown(getattr(session.settings, name)))

    tied = Binding(control, lambda value: session.choose(**{name: taken(value)}), messages)
    session.observe(messages.guard(lambda _change: show()), "settings")
    show()
    return tied
