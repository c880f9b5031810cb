"""Tables one below the other whose names of columns differ in the number of a channel or sweep alone."""

from __future__ import annotations

import re
from typing import Final

from spike2pop_nb.spiketrains.names import role_of

from .cells import is_number
from .text_cells import cells_of

__all__ = ["with_block_names"]

_MOST_SETTINGS: Final = 50
_NAMES: Final = re.compile(r"^[ \"]*[^\W\d][^\n]*[\t;,][^\n]*\d[^\n]*$", re.MULTILINE)


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
