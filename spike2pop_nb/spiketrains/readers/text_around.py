"""What stands above and below the table in a file of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from spike2pop_nb.spiketrains.names import named_unit, names_time, role_of
from spike2pop_nb.spiketrains.table import Facts

from .cells import is_number
from .raw import counted
from .text_cells import BLANK, SAMPLE_COLUMNS, cells_of
from .text_columns import units_below

if TYPE_CHECKING:
    from .text import Text

__all__ = [
    "LABEL",
    "above_table",
    "block_labels",
    "cut_foot",
    "groups_above",
    "is_setting",
    "labels_stand_apart",
    "take_fact",
]

_TOP_LINES: Final = 400
_FOOT_LINES: Final = 2_000
_SUMS: Final = frozenset(
    ["total", "sum", "mean", "average", "avg", "median", "std", "sd", "sem", "min", "max", "count", "n"]
) | {"mittelwert", "summe", "anzahl", "gesamt", "moyenne", "somme", "media", "suma", "somma", "平均", "合計"}
_LIST: Final = re.compile(r"[\d\s.,;+\-eE]+", re.ASCII)
LABEL: Final = re.compile(r"([^:=\"]{1,200}?)\s*(?:[:=]\s+|(?<=[^\d\s])[:=])(?=[+-]?\.?\d)")
_BLOCK: Final = re.compile(r"\W*(?P<stem>[^\W\d][^\d,;\t]{0,40}?)(?P<number>\d+)\W*")
_KEY: Final = re.compile(r"\s*\"?[^\W\d][^=:,;\t\"]{0,60}?\"?\s*[=:](?!\d\d:)\s*\t?(?P<value>.*)")


def _shape(line: str) -> tuple[str, tuple[bool, ...]]:
    """Delimiter of a line on its own, and which of its cells are numbers."""
    delimiter = next((c for c in ("\t", ";", ",") if c in line), BLANK)
    cells = _filled(cells_of(line[:5000], delimiter))
    return delimiter, tuple(is_number(cell) for cell in cells[:SAMPLE_COLUMNS])


def _filled(cells: list[str]) -> list[str]:
    """Cells of a line but for blank ones at its end."""
    while len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return cells


def above_table(lines: list[str], start: int) -> tuple[int, int | None] | None:
    """Where the table begins below the lines that an instrument writes first, and where its names stand.

    Returns None where the first line, or the second, already belongs to the table.
    """
    filled = [k for k in range(start, min(len(lines), start + _TOP_LINES)) if lines[k].strip()]
    shapes = [_shape(lines[k]) for k in filled]
    run = next(
        (
            i
            for i in range(len(filled) - 2)
            if shapes[i] == shapes[i + 1] == shapes[i + 2] and 2 * sum(shapes[i][1]) >= len(shapes[i][1])
        ),
        None,
    )
    if run is None or run < 2:
        return None
    if _names_columns_at_once(lines, filled):
        return None
    if run == 2 and _names_in_two_lines(lines[filled[0]], lines[filled[1]], len(shapes[run][1])):
        return filled[run], filled[1]
    delimiter, pattern = shapes[run]
    named = run
    if units_below(cells_of(lines[filled[run - 1]], delimiter), cells_of(lines[filled[run]], delimiter)):
        named -= 1  # the units stand below the names
    top = [lines[k] for k in filled[:named]]
    keys = sum(_KEY.fullmatch(line) is not None for line in top[:-1])
    first = _filled(cells_of(top[0][:5000], delimiter))
    magic = top[0].startswith("ATF")
    if not magic and len(first) == len(pattern) and 2 * keys < len(top) - 1:
        return None  # the names of columns and a faulty row below them, for the table's reader to name
    if not magic and any(s == shapes[run] for s in shapes[:run]):
        return None
    last = cells_of(top[-1], delimiter)
    names = len(last) == len(pattern) > 1 and not any(is_number(cell) or not cell.strip() for cell in last)
    if names and _KEY.fullmatch(top[-1]):
        names = False
    settings = keys > 0 and 2 * keys >= len(top) - 1 and not _KEY.fullmatch(top[-1])
    if len(pattern) == 1 and settings and len(last) <= 4 and _names_times(top[-1]):
        names = True
    # A title or two above the name of the one column.
    *titles, name = [line.strip().strip('"') for line in top]
    if len(pattern) == 1 and names_time(name) and not any(role_of(t) == "time" for t in titles):
        names = names or not any(map(_holds_number, top))
    if not magic and not names and _all_one_table(lines, filled):
        return None  # ids such as "k=1", which look like settings
    if not (magic or names or 2 * keys >= len(top)):
        return None  # other text, which nobody should skip without knowing what it is
    return filled[run], filled[named - 1] if names else None


def _holds_number(line: str) -> bool:
    return any(
        is_number(cell) for cell in cells_of(line[:5000], next((c for c in "\t;," if c in line), BLANK))
    )


def _names_times(line: str) -> bool:
    """Whether a line above one column of numbers is its name."""
    name = line.strip().strip('"')
    return role_of(name) != "" or named_unit(name) is not None


def _names_columns_at_once(lines: list[str], filled: list[int]) -> bool:
    """Whether the first line already holds the names of columns, and the second a row below them."""
    first, second = lines[filled[0]], lines[filled[1]]
    delimiter, pattern = _shape(first)
    below = cells_of(second[:5000], delimiter)
    names = len(pattern) > 1 and not any(pattern) and _KEY.fullmatch(first) is None
    return names and len(below) == len(pattern) and any(is_number(cell) for cell in below)


def _names_in_two_lines(first: str, second: str, width: int) -> bool:
    """Whether a line of cells, some of them blank, stands above one of names that repeat."""
    delimiter = _shape(second)[0]
    above, names = ([cell.strip() for cell in cells_of(line, delimiter)] for line in (first, second))
    repeated = any(role_of(name) == "time" and names.count(name) > 1 for name in names)
    words = not any(is_number(cell) for cell in names)
    return repeated and words and len(names) == width >= len(above) and any(above[:width])


def _all_one_table(lines: list[str], filled: list[int]) -> bool:
    """Whether the first line could name columns, and every other has as many cells as it."""
    delimiter, pattern = _shape(lines[filled[0]])
    if len(pattern) < 2 or any(pattern) or _KEY.fullmatch(lines[filled[0]]):
        return False
    return all(len(cells_of(lines[k][:5000], delimiter)) == len(pattern) for k in filled)


def is_setting(line: str) -> bool:
    """Whether a line is a name and its value: "Rig: 2"."""
    return _KEY.fullmatch(line) is not None


def take_fact(line: str, facts: Facts) -> None:
    parts = re.split(r"[\t=:,;]+", line.strip().strip('"'), maxsplit=1)
    if len(parts) == 2 and parts[0].strip() and parts[1].strip() and len(facts) < _TOP_LINES:
        facts.setdefault(parts[0].strip(" \"'"), parts[1].strip(" \"'\t,;")[:200])


def groups_above(lines: list[str], names: list[str], delimiter: str) -> list[str]:
    """What the line above the names of columns says of each, where names repeat; else nothing.

    A label stands for the columns to its right as well, up to the next, as in merged cells.
    """
    repeated = {name for name in names if name and names.count(name) > 1}
    line = next((line for line in reversed(lines) if line.strip()), "")
    if not repeated or delimiter in ("", BLANK) or not line:
        return []
    cells = [cell.strip() for cell in cells_of(line, delimiter)]
    cells += [""] * (len(names) - len(cells))
    if len(cells) > len(names) and any(cells[len(names) :]):
        return []
    groups: list[str] = []
    for cell in cells[: len(names)]:
        groups.append(cell or (groups[-1] if groups else ""))
    parted = [[g for g, own in zip(groups, names, strict=True) if own == name] for name in repeated]
    if any(len(set(own)) < len(own) or "" in own for own in parted):
        return []
    return groups


def cut_foot(text: Text) -> None:
    """Drop the lines below an empty row that hold no row of the table, and those that sum it up."""
    if text.delimiter in ("", BLANK) or text.width < 2:
        return
    n_sums = 0
    while len(text.lines) > text.start + 2 and n_sums < 10:
        first = (cells_of(text.lines[-1], text.delimiter) or [""])[0].strip().lower().rstrip(":")
        if first.split(" ")[0] not in _SUMS or not is_number((text.column(0) or [""])[0]):
            break
        text.lines.pop()
        n_sums += 1
    if n_sums:
        text.skipped.append(f"{counted(n_sums, 'line')} below the table that sum it up")
    numeric = [
        k for k in text.sampled if (c := text.column(k)) and 5 * sum(is_number(x) for x in c) >= 4 * len(c)
    ]
    lines = text.lines
    lowest = max(text.start, len(lines) - _FOOT_LINES)
    empty = [k for k in range(lowest, len(lines)) if not lines[k].strip(f" {text.delimiter}")]
    if not numeric or not empty:
        return
    for at in empty:
        foot = [cells_of(line, text.delimiter) for line in lines[at:] if line.strip(f" {text.delimiter}")]
        if any(k < len(row) and is_number(row[k]) for row in foot for k in numeric):
            continue
        odd = any(len(row) < text.width or any(row[k].strip() for k in numeric) for row in foot)
        if foot and odd:
            del lines[at:]
            text.skipped.append(f"{counted(len(foot), 'line')} below the table")
        return


def block_labels(text: Text) -> dict[int, str]:
    """Names that stand between columns of numbers, "Sweep 1" and "# unit 2", by their rows; else nothing.

    They are of one kind, differ in their numbers, and the first stands above the first number.
    """
    if all(mark.isdigit() for mark in {line[:1] for line in text.lines[text.start :]} - {""}):
        return {}
    above = range(max(text.start - 5, 0), text.start)
    found: dict[int, str] = {}
    stems: set[str] = set()
    for at, line in enumerate(text.lines):
        if at < text.start and at not in above:
            continue
        if line[:1].isdigit() or len(line) >= 80:
            continue
        name = None if is_number(line) else _BLOCK.fullmatch(line)
        if name is not None:
            found[at + 1] = f"{name['stem'].strip()} {name['number']}"
            stems.add(name["stem"].strip().lower())
    inside = [row for row in found if row > text.start]
    if len(stems) != 1 or not inside or len(found) < 2 or len(set(found.values())) < len(found):
        return {}
    first = next((k + 1 for k in range(text.start, len(text.lines)) if is_number(text.lines[k])), 0)
    return found if min(found) < first else {}


def labels_stand_apart(text: Text) -> bool:
    """Whether every line is a name of its own, a colon and numbers: "cell 1: 12.5, 14.1"."""
    lines = [line.strip() for line in text.lines[text.start : text.start + 60] if line.strip()]
    found = [LABEL.match(line[:300]) for line in lines if not line.startswith(("#", "%", "//"))]
    names = [match[1] for match in found if match is not None]
    if text.header is not None or len(names) < max(len(found), 2) or len(set(names)) < len(names):
        return False
    rests = [match.string[match.end() :] for match in found if match is not None]
    return all(_LIST.fullmatch(rest) and len(re.split(r"[\s,;]+", rest)) > 1 for rest in rests)
