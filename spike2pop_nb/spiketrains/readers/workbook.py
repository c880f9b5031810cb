"""Excel workbooks, handed on as the text of a sheet; openpyxl reads them in the sandbox."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any, Final, NamedTuple

from spike2pop_nb.spiketrains.limits import MAX_CELLS
from spike2pop_nb.spiketrains.table import Table

from .archive import Archive
from .cells import is_number
from .measured import measured
from .raw import Source, shown
from .sandbox import Parser, parsed, require

__all__ = ["Workbook", "holds_workbook", "is_workbook", "parse_workbook", "read_workbook"]

_FEWEST: Final = 5
"""Numbers below each other that make a sheet a table."""

_PARSER: Final = Parser(
    f"{__package__}.workbook",
    "parse_workbook",
    "Excel workbook",
    ("openpyxl",),
    "the Excel workbook is damaged; save its sheet as CSV.",
    seconds=5,
)


class Workbook(NamedTuple):
    """A sheet as tab-separated text, its name, and what is to be said about the workbook."""

    text: str
    sheet: str
    cautions: list[str]


def holds_workbook(archive: Archive) -> bool:
    """Whether a ZIP archive is an Excel workbook."""
    return any(name.startswith("xl/") for name in archive.names)


def is_workbook(source: Source) -> bool:
    """Whether a file is an Excel workbook; a damaged or hostile archive is refused."""
    return source.data.startswith(b"PK\x03\x04") and holds_workbook(Archive(source))


def read_workbook(source: Source) -> Workbook:
    """The first sheet of an Excel workbook that has numbers in it, as text.

    Raises
    ------
    SpikeTrainError
        When openpyxl is missing, the file is damaged, or no sheet holds numbers.
    """
    Archive(source)  # refuses what unpacks to too much
    require("openpyxl", "Excel workbooks", source)
    table = parsed(source, _PARSER, suffix=".xlsx")
    return Workbook(table.comments[0], str(table.facts["sheet"]), table.cautions)


def parse_workbook(source: Source) -> Table:
    """What `read_workbook` gives, inside the sandbox: the text as the table's one comment."""
    import openpyxl

    assert source.path is not None
    with source.path.open("rb") as stream:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        found: dict[str, str] = {}
        full: set[str] = set()
        n_cells = 0
        for sheet in book.worksheets:
            text = io.StringIO()
            writer = csv.writer(text, delimiter="\t", lineterminator="\n")
            numbers: Counter[int] = Counter()
            for row in sheet.iter_rows(values_only=True):
                n_cells += len(row)
                if n_cells > MAX_CELLS // 4:
                    raise source.error(f"the workbook has more than {MAX_CELLS // 4:,} cells; split it.")
                numbers.update(k for k, cell in enumerate(row) if _is_number(cell))
                cells = [_written(cell) for cell in row]
                while cells and not cells[-1]:
                    cells.pop()
                writer.writerow(cells)
            if numbers:
                found[sheet.title] = text.getvalue()
                if max(numbers.values()) >= _FEWEST:
                    full.add(sheet.title)
    if not found:
        raise source.error("no sheet of the Excel workbook holds numbers.")
    # Dates and settings on a sheet of their own are no table.
    (name, text_found), *others = sorted(found.items(), key=lambda item: bool(full) and item[0] not in full)
    cautions = []
    if others:
        cautions.append(
            f"the workbook has {len(found)} sheets with numbers, of which {name!r} is read and "
            f"{shown([other for other, _ in others])} not; save another as CSV to read it"
        )
    return Table("XLSX", [], {"sheet": name}, [text_found], cautions=cautions)


def _is_number(cell: Any) -> bool:
    """Whether a cell holds a number, be it as text, or a time or date."""
    if isinstance(cell, str):
        return is_number(cell) or measured(cell) is not None
    return isinstance(cell, int | float | time | datetime | timedelta) and not isinstance(cell, bool)


def _written(cell: Any) -> str:
    """A cell as text: numbers with all their digits, whole ones without a point."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell)
