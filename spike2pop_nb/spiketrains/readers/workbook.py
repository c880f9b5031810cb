"""Excel workbooks, handed on as the text of each sheet; openpyxl reads them in the sandbox."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any, Final

from spike2pop_nb.spiketrains.limits import MAX_CELLS
from spike2pop_nb.spiketrains.table import Column, Table

from .archive import Archive
from .builder import texts
from .cells import is_list, is_number, measured
from .raw import Source, Subtable
from .sandbox import Parser, parsed, require

__all__ = ["holds_workbook", "is_workbook", "parse_workbook", "read_workbook"]

_FEWEST: Final = 5

_PARSER: Final = Parser(
    f"{__package__}.workbook",
    "parse_workbook",
    "Excel workbook",
    ("openpyxl",),
    "the Excel workbook is damaged; save its sheet as CSV.",
    seconds=5,
)


def holds_workbook(archive: Archive) -> bool:
    """Whether a ZIP archive is an Excel workbook."""
    return any(name.startswith("xl/") for name in archive.names)


def is_workbook(source: Source) -> bool:
    """Whether a file is an Excel workbook; a damaged or hostile archive is refused."""
    return source.data.startswith(b"PK\x03\x04") and holds_workbook(Archive(source))


def read_workbook(source: Source) -> list[Subtable]:
    """The sheets of an Excel workbook, in its order."""
    Archive(source)  # refuses what unpacks to too much
    require("openpyxl", "Excel workbooks", source)
    table = parsed(source, _PARSER, suffix=".xlsx")
    names, kinds = ([str(word) for word in column.values] for column in table.columns)
    return [Subtable(*sheet) for sheet in zip(names, table.comments, kinds, strict=True)]


def parse_workbook(source: Source) -> Table:
    """What `read_workbook` gives, inside the sandbox: the texts as the table's comments."""
    import openpyxl

    assert source.path is not None
    with source.path.open("rb") as stream:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        found: list[Subtable] = []
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
            most = max(numbers.values(), default=0)
            kind = "table" if most >= _FEWEST else "few" if most else "words"
            found.append(Subtable(sheet.title, text.getvalue(), kind))
    if all(sheet.kind == "words" for sheet in found):
        raise source.error("no sheet of the Excel workbook holds numbers.")
    columns = [Column(name, texts([getattr(one, name) for one in found])) for name in ("name", "kind")]
    return Table("XLSX", columns, comments=[one.text for one in found])


def _is_number(cell: Any) -> bool:
    """Whether a cell holds a number, be it as text, a list of them, or a time or date."""
    if isinstance(cell, str):
        return is_number(cell) or is_list(cell) or measured(cell) is not None
    return isinstance(cell, int | float | time | datetime | timedelta) and not isinstance(cell, bool)


def _written(cell: Any) -> str:
    """A cell as text: numbers with all their digits, whole ones without a point."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell)
