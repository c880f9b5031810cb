"""JSON as a table: an object of arrays, a list of objects, an object a line."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import numpy as np

from spike2pop_nb.spiketrains.table import Table

from .builder import TableBuilder
from .raw import Source

__all__ = ["json_table"]

_MIXED: Final = "whose entries are of several kinds"
_MAX_DEPTH: Final = 12
_MANY: Final = 10
_NARROW: Final = 8
_MOST_DIGITS: Final = 19
_NAMELESS: Final = "the list"
# {'a': array([1.5, 2. ]), 2: [3.5]}, numbers, names and brackets alone.
_PRINTED: Final = re.compile(
    r"\{(?:\s*(?:'[^'\"\\]*'|\"[^'\"\\]*\"|\d+)\s*:\s*(?:(?:np\.|numpy\.)?array\s*\()?\[[\d\s.,eE+\-na]*\]"
    r"(?:\s*,\s*dtype=[\w.'\"]{1,30})?\s*\)?\s*,?)+\s*\}",
    re.ASCII,
)
_ASSIGNED: Final = re.compile(rb"([A-Za-z_][\w.]*)\s*=\s*(?=\[\s*\[|\{)")
_DTYPE: Final = re.compile(r",\s*dtype=[\w.'\"]{1,30}")


def json_table(source: Source) -> Table | None:
    """The arrays of a JSON file by their names; None for other text, and for a plain list of numbers."""
    data = source.data.lstrip(b"\xef\xbb\xbf \t\r\n")
    name = ""
    if (assigned := _ASSIGNED.match(data[:200])) is not None:  # spikes = [[12.5, 20.1], [14.1]]
        name, data = assigned[1].decode(), data[assigned.end() :].rstrip(b"; \t\r\n")
    if data[:1] not in (b"{", b"["):
        return None
    content = _parsed(data)
    plain = isinstance(content, list) and not any(isinstance(item, list | dict) for item in content)
    if plain or not isinstance(content, list | dict):
        return None
    builder = TableBuilder("JSON", source)
    _add(builder, name, content, 0)
    return builder.table("the JSON file")


def _parsed(data: bytes) -> Any:
    """The contents; None where they are no JSON, as a whole or line by line."""
    try:
        text = data.decode("utf-8-sig")
        try:
            return json.loads(text, parse_int=_integer)
        except ValueError:
            if not text.lstrip().startswith("{"):
                return None
            said = _as_printed(text)
            if said is not None:
                return said
            lines = filter(str.strip, text.splitlines())
            return [json.loads(line, parse_int=_integer) for line in lines]
    except (ValueError, RecursionError):
        return None


def _as_printed(text: str) -> Any:
    """The contents of a dictionary as Python prints it, with its arrays; None where it is none."""
    text = re.sub(r"\s+", " ", text.strip())  # the pattern is slow where many blanks stand
    if not _PRINTED.fullmatch(text) or "..." in text:
        return None
    plain = _DTYPE.sub("", text)
    plain = re.sub(r"(?:(?:np|numpy)\.)?array\s*\(", "(", plain)
    plain = re.sub(r"\bnan\b", "null", plain).replace("(", "").replace(")", "")
    plain = re.sub(r"(?<=[{,])\s*(\d+)\s*:", r' "\1":', plain)
    plain = re.sub(r"'([^'\"\\]*)'", r'"\1"', plain)
    return json.loads(re.sub(r",\s*(?=[\]}])", "", plain), parse_int=_integer)


def _integer(digits: str) -> int | float:
    """A whole number; one that no array holds is infinite, and refused as that."""
    return int(digits) if len(digits) < _MOST_DIGITS else float(digits)


def _add(builder: TableBuilder, name: str, value: Any, depth: int) -> None:
    """Keep a value under its name; what lies inside goes by ``outer/inner``."""
    if depth > _MAX_DEPTH:
        builder.skip(name, "nested too deeply")
    elif isinstance(value, dict) and isinstance(value.get("data"), list) and _names(value.get("columns")):
        rows = [row for row in value["data"] if isinstance(row, list)]
        records = [dict(zip(value["columns"], row, strict=False)) for row in rows]
        _add_list(builder, name, records, depth)  # as pandas writes a table
    elif isinstance(value, dict) and _is_numbered(value):
        _add_list(builder, name, list(value.values()), depth)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _add(builder, f"{name}/{key}" if name else str(key), inner, depth + 1)
    elif isinstance(value, str):
        builder.fact(name, value)
    elif _is_number(value) and value is not None:
        builder.fact(name, float(value))
    elif isinstance(value, list):
        _add_list(builder, name, value, depth)


def _add_list(builder: TableBuilder, name: str, items: list[Any], depth: int) -> None:
    if all(map(_is_number, items)):
        whole = bool(items) and all(isinstance(item, int) for item in items)
        values = [math.nan if item is None else float(item) for item in items]
        array = np.array(values, dtype=np.float64)
        builder.array(name, array.astype(np.int64) if whole and np.abs(array).max() < 2**53 else array)
    elif all(isinstance(item, str) for item in items):
        builder.text(name, items)
    elif all(isinstance(item, dict) for item in items):
        for key in dict.fromkeys(key for item in items for key in item):
            inside, own = [item.get(key) for item in items], f"{name}/{key}" if name else str(key)
            if any(map(_holds_records, inside)):
                _add(builder, own, _unfolded(items, key, name.rpartition("/")[2]), depth + 1)
            else:
                _add(builder, own, inside, depth + 1)
    elif all(item is None or (isinstance(item, list) and all(map(_is_number, item))) for item in items):
        rows = [
            np.array([math.nan if v is None else float(v) for v in item or ()], dtype=np.float64)
            for item in items
        ]
        sizes = {row.size for row in rows}
        if len(rows) >= _MANY and len(sizes) == 1 and min(sizes) <= _NARROW:
            builder.array(name or _NAMELESS, np.array(rows))  # rows of a table rather than trains
        else:
            builder.lists(name or _NAMELESS, rows)
    elif all(
        item is None or (isinstance(item, list) and all(isinstance(i, dict) for i in item)) for item in items
    ):
        for key in dict.fromkeys(key for item in items for inner in item or () for key in inner):
            inside = [[inner.get(key) for inner in item or ()] for item in items]
            _add(builder, f"{name}/{key}" if name else str(key), inside, depth + 1)
    else:
        builder.skip(name, _MIXED)


def _holds_records(value: Any) -> bool:
    """Whether a list holds objects that have lists or objects of their own."""
    records = isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
    return records and any(isinstance(inner, list | dict) for item in value for inner in item.values())


def _unfolded(items: list[Any], key: str, outer: str) -> list[Any]:
    """The objects in a list of each object, with the single values of the one that they lie in."""
    found = []
    for item in items:
        single = {k: v for k, v in item.items() if not isinstance(v, list | dict)}
        for inner in item.get(key) or ():
            about = {f"{outer} {k}".strip() if k in inner else k: v for k, v in single.items()}
            found.append({**about, **inner})
    return found


def _names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def _is_numbered(value: dict[str, Any]) -> bool:
    """Whether single values stand by their numbers, as pandas writes a column."""
    inner = any(isinstance(item, list | dict) for item in value.values())
    return len(value) > 2 and not inner and list(value) == [str(k) for k in range(len(value))]


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
