"""Lines of text as cells: the delimiter, decimal commas, lists in brackets."""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from typing import Final

from .cells import is_number, measured, value_of

__all__ = ["BLANK", "SAMPLE_COLUMNS", "cells_of", "delimiter_of", "with_quoted_lists"]

BLANK: Final = " "
"""Stands for "any run of blanks" as a delimiter."""

SAMPLE_COLUMNS: Final = 200
"""Cells of a line that are looked at."""
# Each class leaves out what opens it, so that a line of brackets alone takes no longer than any other.
_NESTED: Final = re.compile(r'"[^"]*"|\[[^\[\]]*\]|\([^()]*\)|"[^"]*$')
_BARE_LIST: Final = re.compile(r"(^|[,;\t])[ ]*([\[(][^\[\](){}\"]*[\])])[ ]*(?=$|[,;\t])")
_BLANK_CELL: Final = re.compile(r'"[^"]*"|[\[(][^\[\]()]*[\])]|\S+')
_FEW, _NO_ZERO = 8, 40
"""Numbers without a zero in front that are hardly decimals: one in seventy times."""
_STATEMENT: Final = re.compile(r"\s*\w+\s*=\s*x;\s*")
_LONG_CELL: Final = re.compile(r'"([^"]{2000})[^"]*"?')


def delimiter_of(lines: list[str]) -> str:
    """The delimiter that the first line and enough of the others hold, outside quotes and lists."""
    bare = [_NESTED.sub("x", line) for line in lines]
    found = ""
    for candidate in ("\t", ";", "|", ","):
        if candidate not in bare[0]:
            continue
        if candidate == ";" and all(_STATEMENT.fullmatch(line) for line in bare):
            continue  # u1 = [12.5 20.1];
        holding = sum(candidate in line.strip() for line in bare)
        # Below column names, rows may be short: one that holds the delimiter is enough.
        if 2 * holding >= len(bare) or (holding > 1 and not is_number(bare[0].split(candidate)[0])):
            found = candidate
            break
    if found == "\t" and all(re.search(r"(?<![,;])\t", line) is None for line in bare):
        found = next((mark for mark in ",;" if bare[0].count(f"{mark}\t") == bare[0].count(mark)), found)
    if found == "\t" and len({line.count("\t") for line in bare}) > 1:
        widths = {len(line.split()) for line in bare}
        found = BLANK if len(widths) == 1 and widths != {1} else found  # a tab here, blanks there
    if not found and all(measured(line) for line in lines[1:] or lines):
        return ""  # 12.5 ms
    several = [len(line.split()) > 1 for line in bare]
    data = several[1:] or several
    if found == ",":
        # 1,5 2,5 and 7;1,5: here the comma is part of the number.
        tokens = [token for line in bare for token in line.split()]
        if 2 * sum(several) >= len(several) and all(re.fullmatch(r"[+-]?\d+(,\d+)?", t) for t in tokens):
            return BLANK
        if all(re.fullmatch(r"\s*[+-]?\d+,\d+\s*", line) for line in bare) and _decimal_commas(bare):
            return ""
        # 2,717036e-01: whole numbers are printed without an exponent.
        if all(re.fullmatch(r"\s*[+-]?\d,\d+[eEdD][+-]?\d+\s*", line) for line in bare[1:] or bare):
            return ""
    if not found and (all(several) or 2 * sum(data) > len(data)):
        found = BLANK
    return found


def _decimal_commas(lines: list[str]) -> bool:
    """Whether 373,9 on every line is a number with a decimal comma, and not two columns."""
    if len(lines) < 2:
        return False
    numbers = [value_of(line) for line in lines]
    behind = [line.strip().rpartition(",")[2] for line in lines]
    if _are_ids(behind):
        return False
    grows = _share(numbers)
    second = _share([float(digits[:15]) for digits in behind])
    if grows >= 0.65 > second:
        return True
    # Whole numbers that repeat, with a digit behind the comma that never makes them fall: no ids.
    whole = [line.partition(",")[0] for line in lines]
    if len(lines) >= 20 and 10 * len(set(whole)) < 7 * len(lines) and numbers == sorted(numbers):
        return True
    # Numbers printed with as many digits behind the comma each, zeros among them, are no whole numbers.
    printed = len({len(digits) for digits in behind}) == 1 and any(digits[0] == "0" for digits in behind)
    return printed and len(behind[0]) > 1 and grows > 0.9


def _are_ids(behind: list[str]) -> bool:
    """Whether digits behind commas are whole numbers of their own rather than decimals.

    Decimals have zeros in front, one in ten of them; they are all as long as each other or have no zero at
    their end; and few of them part a unit evenly.
    """
    longest = max(map(len, behind))
    long = [digits for digits in behind if len(digits) > 1]
    if any(digits[0] == "0" for digits in long):
        return False
    if len(long) < len(behind) and any(digits[-1] == "0" for digits in long):
        return True
    if len(long) >= _NO_ZERO or 10 * sum(len(digits) == longest for digits in behind) < 6 * len(behind):
        return True
    parts = {int(digits) / 10 ** len(digits) for digits in behind if len(digits) < 10}
    expected = 10**longest * (1 - (1 - 10.0**-longest) ** len(behind))
    if len(behind) < _FEW or not 1 < len(parts) < 0.6 * expected:
        return False
    return 0.0 not in parts or max(parts) < 0.9 * (1 - 1 / len(parts))


def _share(values: list[float]) -> float:
    return sum(b > a for a, b in pairwise(values)) / (len(values) - 1)


def cells_of(line: str, delimiter: str) -> list[str]:
    """Cells of a line."""
    if delimiter == "":
        return [line.strip().strip('"')]
    if delimiter == BLANK:
        # A list in brackets is one cell, blanks and all.
        return [cell.strip('"') for cell in _BLANK_CELL.findall(line)]
    if '"' not in line and ("[" in line or "(" in line):
        line = with_quoted_lists(line)
    line = _LONG_CELL.sub(r'"\1"', line)  # the start of a list tells enough, and csv has a limit per cell
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return line.split(delimiter)


def with_quoted_lists(line: str) -> str:
    """The line with quotes around lists in brackets, which hold the delimiter."""
    return _BARE_LIST.sub(r'\1"\2"', line)
