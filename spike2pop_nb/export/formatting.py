"""Numbers, counts, lists, names and citations as a paper writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

__all__ = ["Citations", "count", "doi", "figure", "fixed", "interval", "percent", "plain", "series"]

_DOI = re.compile(r"doi:(10\.[^\s,;)]+)", re.IGNORECASE)
_MARKUP = re.compile(r"[\\`*\[\]<>&$|~#]|(?<![^\W_])_|_(?![^\W_])")


class Citations:
    """References numbered in the order of their first mention, each once."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def mark(self, *texts: str) -> str:
        """Return the numbers of some references, such as ``[1, 3]``; "" for none."""
        self._texts += [text for text in dict.fromkeys(texts) if text not in self._texts]
        numbers = sorted({self._texts.index(text) + 1 for text in texts})
        return f"[{', '.join(map(str, numbers))}]" if numbers else ""

    def listed(self) -> str:
        """Return all references as a numbered list."""
        return "\n".join(f"{place}. {text}" for place, text in enumerate(self._texts, 1))


def doi(text: str) -> str:
    """Return the DOI in a reference, in small letters; "" if it has none."""
    found = _DOI.search(text)
    return found.group(1).rstrip(".").lower() if found else ""


def figure(value: float, digits: int = 3) -> str:
    """Return a number to some significant digits, never in powers of ten: 6660, 0.0102, −4.5."""
    text = np.format_float_positional(float(f"{value:z.{digits}g}"), trim="-")
    return text.replace("-", "−")


def fixed(value: float) -> str:
    """Return a number with two decimals."""
    return f"{value:z.2f}".replace("-", "−")


def interval(low: float, high: float) -> str:
    """Return "low to high", or one number if both read alike."""
    ends = figure(low), figure(high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def percent(share: float) -> str:
    """Return a share as a percentage; what is neither none nor all does not read as such."""
    value = 100 * share
    if 0 < value < 1:
        return "under 1 %"
    return f"{min(value, 99) if value < 100 else value:.0f} %"


def count(n: int, noun: str) -> str:
    """Return "1 member", "2 members"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def series(items: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def plain(text: str) -> str:
    """Return a text from a file as Markdown that shows it as it is, on one line."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
