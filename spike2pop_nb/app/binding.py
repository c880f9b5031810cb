"""Controls tied to settings both ways: each shows what is chosen, and what a user does to it is a choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.settings import SettingError
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import Spike2PopError

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
    shown
        What the control shows for a setting; for the limits that a refusal names.
    """

    def __init__(
        self,
        control: Any,
        take: Callable[[Any], None],
        messages: Messages,
        again: Callable[[], object] = lambda: None,
        trait: str = "value",
        shown: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self.control, self._trait = control, trait
        self._take, self._again, self._as_shown = take, again, shown
        self._messages, self._complaint = messages, ""
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
            self._settle()

    def take(self) -> None:
        """Take what the control holds, unless it is what was shown in it.

        Raises
        ------
        Spike2PopError
            If that cannot be.
        """
        held = self._held()
        if held == self._shown:
            self._settle()
            return
        refused = None
        try:
            self._take(held)
            self._shown = self._held()
        except Spike2PopError as error:
            refused = self._in_words(error, held)
        finally:
            self._again()
        if refused is not None:
            self._messages.report(refused)
            self._complaint = self._messages.text
            raise refused
        self._settle()

    def _in_words(self, error: Spike2PopError, held: Any) -> Spike2PopError:
        """A refusal that names the control."""
        label = getattr(self.control, "description", "")
        if not (isinstance(error, SettingError) and label):
            return error
        return Spike2PopError(error.of(label, held, self._as_shown))

    def _settle(self) -> None:
        """Take back what was said of a value that stands here no more."""
        if self._complaint and self._complaint == self._messages.text:
            self._messages.clear()
        self._complaint = ""

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

    tied = Binding(control, lambda value: session.choose(**{name: taken(value)}), messages, shown=shown)
    session.observe(messages.guard(lambda _change: show()), "settings")
    show()
    return tied
