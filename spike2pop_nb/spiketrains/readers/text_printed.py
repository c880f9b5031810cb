"""Numbers as programs print them: R numbers lines, MATLAB columns, and others rule their tables."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from .cells import is_number
from .raw import Source

__all__ = ["less_print"]

_OF_R: Final = re.compile(r"\s*\[\d+\]\s")
_NAME_OF_R: Final = re.compile(r"\s*(?:\$`?(?P<name>[^`]+)`?|\[\[(?P<number>\d+)\]\])\s*")
_TOP: Final = 20
_RULE: Final = re.compile(r"(?=[^\n]*---)[ \t|+:=-]+$")
_COUNT: Final = re.compile(r"\s*\(\d+ rows?\)\s*")
_SCALE: Final = re.compile(r"\s*1\.0+e[+-]?\d+\s*\*\s*")
_PLAIN: Final = re.compile(r"\d+(?:\.\d+)?")
_BY_COLUMNS: Final = "the lines that number columns, as MATLAB prints them, were taken away"
_COLUMNS: Final = re.compile(r"\s*Columns? \d+(?: (?:through|to|and) \d+)?:?\s*")


def less_print(lines: list[str], source: Source) -> tuple[list[str], list[str]]:
    """The lines without what programs print around numbers, and that in words.

    Raises
    ------
    SpikeTrainError
        When a matrix was printed a few columns at a time.
    """
    said: list[str] = []
    for less in (_less_rules, _less_scale, _less_parts):
        lines, why = less(lines, source)
        said += [why] if why else []
    return lines, said


def _less_rules(lines: list[str], source: Source) -> tuple[list[str], str]:
    """Without the lines that part names from rows, and the count of rows below.

    Those between rows stay, to be refused: what they part may be trains.
    """
    if not any(_RULE.match(line) for line in lines[:_TOP]):
        return lines, ""
    filled = [line for line in lines if line.strip()]
    around = zip(filled, filled[1:], filled[2:], strict=False)
    if any(_RULE.match(rule) and _is_row(above) and _is_row(below) for above, rule, below in around):
        return lines, ""
    found = ["" if _RULE.match(line) or _COUNT.fullmatch(line) else line for line in lines]
    return found, "the lines that rule the table were taken away"


def _is_row(line: str) -> bool:
    return any(map(is_number, re.split(r"[\s|,;]+", line)))


def _less_scale(lines: list[str], source: Source) -> tuple[list[str], str]:
    """With the factor that MATLAB prints above numbers behind each of them."""
    at = next((k for k, line in enumerate(lines[:_TOP]) if _SCALE.fullmatch(line)), None)
    if at is None:
        return lines, ""
    power = lines[at].strip().rstrip("* ").partition("e")[2]
    below = [
        _PLAIN.sub(rf"\g<0>e{power}", line) if not _COLUMNS.fullmatch(line) else line
        for line in lines[at + 1 :]
    ]
    return [*lines[:at], "", *below], f"the numbers were multiplied by {lines[at].strip().rstrip('* ')}"


def _less_parts(lines: list[str], source: Source) -> tuple[list[str], str]:
    """Without the numbers of elements and columns."""
    first = list(islice((line for line in lines if line.strip()), 5))
    if first and all(_OF_R.match(line) or _NAME_OF_R.fullmatch(line) for line in first):
        return _less_r(lines, [line for line in lines if line.strip()])
    if any(_COLUMNS.fullmatch(line) for line in first):
        return _less_columns(lines, source), _BY_COLUMNS
    return lines, ""


def _less_r(lines: list[str], filled: list[str]) -> tuple[list[str], str]:
    said = "the numbers in brackets before the lines, as R prints them, were taken away"
    if all(_OF_R.match(line) for line in filled):
        return [_OF_R.sub("", line) for line in lines], said
    if not all(_OF_R.match(line) or _NAME_OF_R.fullmatch(line) for line in filled):
        return lines, ""
    found = [""] * len(lines)
    at = 0
    for k, line in enumerate(lines):
        name = _NAME_OF_R.fullmatch(line)
        if name is not None:
            at = k
            found[at] = f"{name['name'] or name['number']}:"
        elif line.strip():
            found[at] += " " + _OF_R.sub("", line).strip()
    return found, said


def _less_columns(lines: list[str], source: Source) -> list[str]:
    found = [""] * len(lines)
    at, rows = -1, 0
    for k, line in enumerate(lines):
        if _COLUMNS.fullmatch(line):
            rows = 0
        elif re.match(r"\s*[-+.\d]", line):
            at, rows = at if at >= 0 else k, rows + 1
            found[at] += f" {line.strip()}"
        else:
            found[k] = line
        if rows > 1:
            raise source.error(
                "this is a matrix as MATLAB prints it, a few columns at a time; save it with writematrix.",
                row=k + 1,
            )
    names = [k for k in range(max(at, 0)) if found[k].strip()]
    if len(names) == 1 and found[names[0]].rstrip().endswith("="):
        found[at], found[names[0]] = found[names[0]] + found[at], ""
    return found
