"""Nothing but numbers, over as many lines as it takes: one train, as people paste it."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.limits import MAX_SPIKES
from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import unit_from_name

from .columns import is_time_name
from .numbers import is_number, to_floats
from .raw import RawRecording, RawTrain, Source
from .text import BLANK, COMMENT_MARKS, SAMPLE_ROWS, Text

__all__ = ["read_plain"]

_ASSIGNED: Final = re.compile(
    r"^\s*([^\W\d][\w .()µμ-]{0,60}?)\s*=\s*(?=[\[(+\-.\d]|(?:np\.|numpy\.)?array\()"
)
_OPENING: Final = re.compile(r"^\s*(?:(?:np\.|numpy\.)?array\s*)?\(?\s*[\[(]")
_CLOSING: Final = re.compile(r"[\])]\s*(?:,\s*dtype=[\w.'\"]+\s*)?\)?\s*[,;]?\s*$")
_MAYBE_DECIMAL: Final = re.compile(r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?")
_DECIMAL_COMMAS: Final = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_BLANK_PLACE: Final = re.compile(r"[,;]\s*(?=[,;])")
_CHARACTERS: Final = re.compile(r"[\d\s.,;+\-eE]*")


def read_plain(text: Text, source: Source, format_: str, *, asked: bool, ids: bool) -> RawRecording | None:
    """Read numbers that are one train.

    A line of numbers is a train; so are several lines of them if the numbers grow from each to the next,
    line after line, or stand in one pair of brackets. Blanks, commas and semicolons may stand between them,
    and the name of a variable before them.

    Parameters
    ----------
    text : Text
        The file; a header, if it has one, is a single name.
    source : Source
        Names the file in errors.
    format_ : str
        For the report.
    asked : bool
        Whether the caller wants one train, so that the numbers need not grow.
    ids : bool
        Whether the lines seem to begin with ids, so that only one line or pair of brackets is taken.

    Returns
    -------
    RawRecording or None
        None when this is something else, for the other readers to judge.
    """
    start, name = text.start, ""
    if text.header is not None:
        line = text.lines[start - 1]
        name = " ".join(text.header)
        if _OPENING.match(line) or _ASSIGNED.match(line):
            start, name = start - 1, ""
        elif len(text.header) > 1 and not (text.delimiter == BLANK and is_time_name(name)):
            return None
    if _one_per_line(text.lines[start : start + SAMPLE_ROWS]):
        return None  # read elsewhere
    lines = [(n, line) for n, line in enumerate(text.lines[start:], start + 1) if line.strip()]
    body = [(n, line) for n, line in lines if not line.lstrip().startswith(COMMENT_MARKS)]
    found = _ASSIGNED.match(body[0][1]) if body else None
    if found and not name:
        name, body[0] = found[1], (body[0][0], body[0][1][found.end() :])
    bracketed = bool(body) and _unbracket(body)
    if not body or not all(_CHARACTERS.fullmatch(line) for _, line in body):
        return None
    rows, cells = _cells(body)
    if len(cells) > MAX_SPIKES:
        source.check_counts(len(cells))
    if len(body) < 3 and not bracketed and all(_DECIMAL_COMMAS.fullmatch(line.strip()) for _, line in body):
        return None  # 1,5 may well be one number
    if not all(is_number(cell) for cell in cells):
        return None
    blanks = sum(len(_BLANK_PLACE.findall(line)) for _, line in body)
    times, commas = to_floats(cells, source, rows, "a list of times")
    sure = asked or bracketed or len(body) == 1
    if not sure and (ids or not (np.diff(times) > 0).all()):
        return None
    raw = _recording(times, rows, len(body), name, source, format_)
    raw.note_counts(commas, blanks, ("blank place", "between times"), comments=len(lines) - len(body))
    return raw


def _one_per_line(lines: list[str]) -> bool:
    filled = [line for line in lines if line.strip() and not line.lstrip().startswith(COMMENT_MARKS)]
    if not filled or _OPENING.match(filled[0]) or _ASSIGNED.match(filled[0]):
        return False
    return all(len(re.split(r"[;,\s]+", line.strip(" ,;\t\r"))) == 1 for line in filled)


def _unbracket(body: list[tuple[int, str]]) -> bool:
    """Take one pair of brackets off in place; False when there is none."""
    whole = sum(line.count("[") + line.count("(") for _, line in body)
    first, last = _OPENING.match(body[0][1]), _CLOSING.search(body[-1][1])
    if first is None or last is None or whole > first[0].count("[") + first[0].count("("):
        return False
    body[-1] = (body[-1][0], body[-1][1][: last.start()])
    body[0] = (body[0][0], body[0][1][first.end() :])
    return True


def _cells(body: list[tuple[int, str]]) -> tuple[list[int], list[str]]:
    rows: list[int] = []
    cells: list[str] = []
    for row, line in body:
        parts = [part for part in re.split(r"[;\s]+", line) if part.strip(",")]
        # In 1,5 2,5 and 1; 2,5 the comma is part of the number; in 1,5 alone and in 1, 2 it separates.
        decimal = len(parts) > 1 and all(_MAYBE_DECIMAL.fullmatch(part) for part in parts)
        if not decimal:
            parts = [cell for part in parts for cell in part.split(",") if cell]
        cells += parts
        rows += [row] * len(parts)
        if len(cells) > MAX_SPIKES:
            break
    return rows, cells


def _recording(
    times: FloatArray, rows: list[int], n_lines: int, name: str, source: Source, format_: str
) -> RawRecording:
    stem, unit = unit_from_name(name)
    own_name = name and not is_time_name(name)
    train = RawTrain(
        source.id(stem or name) if own_name else source.id(source.stem),
        times,
        "a list of times",
        np.array(rows, dtype=np.int64),
    )
    over = "" if n_lines == 1 else f" that runs on over {n_lines:,} lines"
    raw = RawRecording(format_, "single", f"one train, a list of times{over}", [train])
    if name:
        raw.columns["time"] = name
    if unit is not None:
        raw.unit, raw.unit_reason = unit, f"as the name {name!r} says"
    return raw
