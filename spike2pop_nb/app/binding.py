"""Controls tied to settings both ways: each shows what is chosen, and what a user does to it is a choice.

Numbers that a person writes have a point or a comma, and are never read as another number than is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import not_
from typing import Any

import ipywidgets as w
from traitlets import Any as AnyTrait
from traitlets import dlink

from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.settings import SettingError
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import Spike2PopError

__all__ = [
    "Binding",
    "Number",
    "as_number",
    "bind",
    "in_field",
    "number_if_any",
    "number_in",
    "open_while_usable",
]


class Binding:
    """A control that tells what the user does to it, and nothing when it is only shown something.

    ``take`` is called with the value that the user chose. After that, ``again`` shows in the control what is
    chosen, so that what was refused does not stand; without it, it does, to be corrected. ``shown`` says what
    the control shows for a setting, for the limits that a refusal names; the user changes its ``trait``.
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
        control.observe(messages.after(self._moved), trait)

    def _moved(self) -> None:
        if not self._showing:
            self.take()

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
        refused: Spike2PopError | None = None
        try:
            self._take(held)
            self._shown = self._held()
        except Spike2PopError as error:
            refused = error
            label = getattr(self.control, "description", "")
            if isinstance(error, SettingError) and label:
                refused = Spike2PopError(error.of(label, held, self._as_shown))
        finally:
            self._again()
        if refused is not None:
            self._messages.report(refused)
            self._complaint = self._messages.text
            raise refused
        self._settle()

    def _settle(self) -> None:
        """Take back what was said of a value that stands here no more."""
        if self._complaint and self._complaint == self._messages.text:
            self._messages.clear()
        self._complaint = ""


def bind(
    session: Session,
    control: Any,
    name: str,
    messages: Messages,
    shown: Callable[[Any], Any] = lambda value: value,
    taken: Callable[[Any], Any] = lambda value: value,
) -> Binding:
    """Tie a control to a setting; what was refused stands in it until something else is chosen.

    ``shown`` is what the control shows for the setting, and ``taken`` the setting for what it holds.
    """

    def show() -> None:
        tied.show(shown(getattr(session.settings, name)))

    tied = Binding(control, lambda value: session.choose(**{name: taken(value)}), messages, shown=shown)
    session.observe(messages.after(show), "settings")
    show()
    return tied


def open_while_usable(session: Session, *controls: Any) -> None:
    """Let controls be used while the page may be."""
    for control in controls:
        dlink((session, "usable"), (control, "disabled"), not_)


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d*,\d{3}")


def as_number(text: str) -> float | int | str:
    """Return the number that is written, or the text itself where that is no number or could be two.

    Examples
    --------
    >>> as_number("2,5"), as_number("−16"), as_number("1,000"), as_number("1.5.2")
    (2.5, -16, '1,000', '1.5.2')
    """
    written = text.strip().replace("−", "-")
    if written.count(",") == 1 and "." not in written and not _THOUSANDS.fullmatch(written):
        written = written.replace(",", ".")
    if not _NUMBER.fullmatch(written):
        return text
    return int(written) if written.lstrip("+-").isdecimal() else float(written)


def number_if_any(text: str) -> float | int | str | None:
    """Return what `as_number` does, and None where nothing is written."""
    return as_number(text) if text.strip() else None


def in_field(value: float | None) -> str:
    """Return what a field shows of a number, or of none, as `number_if_any` takes it."""
    return "" if value is None else f"{value:.15g}"


def _from_browser(text: Any, _widget: Any) -> Any:
    return as_number(text) if isinstance(text, str) else text


def _to_browser(value: Any, _widget: Any) -> str:
    return str(value) if isinstance(value, str | int) else f"{value:.10g}"


class Number(w.Text):
    """A field for a number.

    The browser's own fields for numbers leave out what they do not take: 2,5 becomes 25, and 1.5 members 15.

    Attributes
    ----------
    value
        The number; the text as it stands where that is none.
    """

    value = AnyTrait(0).tag(sync=True, from_json=_from_browser, to_json=_to_browser)

    def __init__(self, **traits: Any) -> None:
        super().__init__(continuous_update=False, **traits)


def number_in(control: Number) -> float:
    """Return the number in a field.

    Raises
    ------
    Spike2PopError
        If there is none.
    """
    if isinstance(control.value, str):
        written = f"not {control.value.strip()[:40]!r}" if control.value.strip() else "the field is empty"
        raise Spike2PopError(f"“{control.description}” must be a number; {written}.")
    return float(control.value)
