"""Text as programs print it: with numbers of lines or columns, rules, or names above each block."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from spike2pop_nb.spiketrains.names import role_of

from .cells import is_number
from .raw import Source
from .text_cells import cells_of

__all__ = ["less_print", "with_block_names"]

_MOST_SETTINGS: Final = 50
_NAMES: Final = re.compile(r"^[ \"]*[^\W\d][^\n]*[\t;,][^\n]*\d[^\n]*$", re.MULTILINE)
_OF_R: Final = re.compile(r"\s*\[\d+\]\s")
_NAME_OF_R: Final = re.compile(r"\s*(?:\$`?(?P<name>[^`]+)`?|\[\[(?P<number>\d+)\]\])\s*")
_TOP: Final = 20
_RULE: Final = re.compile(r"(?=[^\n]*---)[ \t|+:=-]+$")
_COUNT: Final = re.compile(r"\s*\(\d+ rows?\)\s*")
_SCALE: Final = re.compile(r"\s*1\.0+e[+-]?\d+\s*\*\s*")
_PLAIN: Final = re.compile(r"\d+(?:\.\d+)?")
_BY_COLUMNS: Final = "the lines that number columns, as MATLAB prints them, were taken away"
_COLUMNS: Final = re.compile(r"\s*Columns? \d+(?: (?:through|to|and) \d+)?:?\s*")


def with_block_names(content: str, lines: list[str]) -> list[str] | None:
    """The lines with the name of its block before each row, under one line of names; None for other text.

    ``t, Spikes 21`` above rows and ``t, Spikes 22`` above others, as MC_DataTool writes the spikes of
    electrodes. Lines keep their numbers.
    """
    first = _NAMES.search(content)
    if first is None or _NAMES.search(content, first.end()) is None:
        return None
    starts = _starts(lines)
    if len(starts) < 2:
        return None
    mark = next(c for c in "\t;," if c in lines[starts[0]])
    names = [[cell.strip() for cell in cells_of(lines[at], mark)] for at in starts]
    odd = [k for k, cells in enumerate(zip(*names, strict=True)) if len(set(cells)) > 1]
    labels = [" ".join(own[k] for k in odd) for own in names]
    if role_of(names[0][0]) != "time" or 0 in odd or len(set(labels)) < len(labels):
        return None
    found = [*lines[: starts[0]], *[""] * (len(lines) - starts[0])]
    plain = [re.sub(r"\s*\d+", "", name) if k in odd else name for k, name in enumerate(names[0])]
    found[starts[0]] = mark.join(["block", *plain])
    units, rows = "", 0
    for label, start, end in zip(labels, starts, [*starts[1:], len(lines)], strict=True):
        for at in range(start + 1, end):
            line = lines[at]
            if not line.strip():
                continue
            cells = cells_of(line, mark)
            if at == start + 1 and not any(map(is_number, cells)):
                if units not in ("", line):
                    return None
                if not units:
                    found[at] = mark + line
                units = line
            elif len(cells) > len(names[0]) or not is_number(cells[0]):
                return None
            else:
                found[at] = f"{label}{mark}{line}"
                rows += 1
    return found if rows else None


def _starts(lines: list[str]) -> list[int]:
    """Where lines of names stand that differ in their numbers alone."""
    by_shape: dict[str, list[int]] = {}
    others = 0
    for at, line in enumerate(lines):
        if not _NAMES.match(line):
            continue
        if any(map(is_number, re.split(r"[\t;,]", line))):
            others += 1  # a setting, or a row that begins with a word
        else:
            by_shape.setdefault(re.sub(r"\d+", "#", line), []).append(at)
        if others > _MOST_SETTINGS or len(by_shape) > 2:
            return []
    return max(by_shape.values(), key=len, default=[])


def less_print(lines: list[str], source: Source) -> tuple[list[str], list[str]]:
    """The lines without what programs print around numbers, and that in words."""
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
