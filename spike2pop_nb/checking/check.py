"""What was checked: one line each, and all of them as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Check", "Checks", "Found"]

_MARKS = {True: "ok", False: "NOT OK", None: "note"}


class Found(NamedTuple):
    """What a check found."""

    expected: str
    got: str
    ok: bool | None
    """None if it is told alone, and nothing can be wrong with it."""


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    what
        Is checked.
    expected, got
        In words, with numbers.
    ok
        Whether it holds; None if it is told alone.
    took_s
        In seconds.

    Examples
    --------
    >>> from spike2pop_nb.checking import Check
    >>> print(Check("one and one", "2", "3", False).describe())
    NOT OK  one and one: expected 2, got 3
    """

    what: str
    expected: str
    got: str
    ok: bool | None
    took_s: float = 0.0

    def describe(self) -> str:
        """Say it in one line."""
        wanted = f"expected {self.expected}, got {self.got}" if self.expected else self.got
        return f"{_MARKS[self.ok]:6}  {self.what}: {wanted}"


class Checks(list[Check]):
    """All that was checked, in order.

    Attributes
    ----------
    versions
        Of this package, its weights, Python, and the libraries that results rest on.

    Examples
    --------
    >>> from spike2pop_nb.checking import Check, Checks
    >>> Checks([Check("one and one", "2", "2", True)]).ok
    True
    """

    def __init__(self, checks: list[Check] | None = None, versions: Mapping[str, str] | None = None) -> None:
        super().__init__(checks or [])
        self.versions = dict(versions or {})

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.ok is not False for check in self)

    def summary(self) -> str:
        """Say in a sentence how many failed."""
        asked = [check for check in self if check.ok is not None]
        wrong = [check.what for check in asked if not check.ok]
        if wrong:
            return f"{len(wrong)} of {len(asked)} checks failed: {'; '.join(wrong)}."
        return f"This installation gives the published numbers ({len(asked)} checks)."

    def describe(self) -> str:
        """Say each in a line, and all of them in a sentence."""
        return "\n".join([*(check.describe() for check in self), self.summary()])

    def to_frame(self) -> pd.DataFrame:
        """Table of a row per check: what, expected, got, ok, took_s."""
        import pandas as pd

        columns = list(Check.__dataclass_fields__)
        table = pd.DataFrame([asdict(check) for check in self], columns=columns)
        return table.astype({"ok": "boolean"})

    def to_json(self) -> str:
        """All as JSON: ``ok``, ``versions``, ``checks``."""
        whole: dict[str, Any] = {
            "ok": self.ok,
            "versions": self.versions,
            "checks": [asdict(check) for check in self],
        }
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
