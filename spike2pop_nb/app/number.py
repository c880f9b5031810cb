"""Numbers that a person writes: with a point or a comma, and never read as another number than is written."""

from __future__ import annotations

import re
from typing import Any

import ipywidgets as w
from traitlets import Any as AnyTrait

from spike2pop_nb.errors import Spike2PopError

__all__ = ["Number", "as_number", "in_field", "number_if_any", "number_in"]

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
