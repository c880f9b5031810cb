"""Igor Pro's text files: named waves, each a column between BEGIN and END."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from spike2pop_nb.spiketrains.table import Column, Table

from .cells import value_of
from .raw import Source, shown

__all__ = ["igor_table", "is_igor_text"]

_WAVES: Final = re.compile(r"\s*WAVES(?P<kind>(?:/[\w=(),]+)*)\s+(?P<names>.+)", re.IGNORECASE)
_SCALE: Final = re.compile(
    r"\s*X\s+SetScale.*?\"(?P<unit>[^\"]*)\"\s*,\s*'?(?P<wave>[^';\s]+)", re.IGNORECASE
)


def is_igor_text(source: Source) -> bool:
    """Whether the file begins as Igor's text files do."""
    return re.match(rb"(?:\xef\xbb\xbf)?\s*IGOR\s*[\r\n]", source.data[:40]) is not None


def igor_table(source: Source) -> Table:
    """Parse a text file of Igor: an array per wave, its unit as ``SetScale d`` says.

    Raises
    ------
    SpikeTrainError
        When a wave is not closed, a row has more or fewer numbers than there are waves, or one is no number.
    """
    lines = source.data.decode("utf-8-sig", errors="replace").splitlines()
    columns: list[Column] = []
    units: dict[str, str] = {}
    left: list[str] = []
    at = 1
    while at < len(lines):
        waves = _WAVES.fullmatch(lines[at])
        scale = _SCALE.match(lines[at])
        if scale and "setscale d" in lines[at].lower().replace("/", " "):
            units[scale["wave"]] = scale["unit"]
        at += 1
        if waves is None:
            continue
        names = [
            name.strip(" '") for name in re.split(r"[,\t ]+", waves["names"].strip()) if name.strip(" '")
        ]
        end = next((k for k in range(at, len(lines)) if lines[k].strip().upper() == "END"), None)
        if end is None or lines[at].strip().upper() != "BEGIN":
            raise source.error(f"the wave {shown(names[:1])} is not closed by END.", row=at)
        if "/T" in waves["kind"].upper().split("=")[0]:  # words
            left += names
            at = end + 1
            continue
        rows = []
        for k in range(at + 1, end):
            cells = lines[k].split()
            values = [value_of(cell) for cell in cells]
            numbers = [v for v, cell in zip(values, cells, strict=True) if cell.lower() != "nan"]
            if len(cells) != len(names) or not np.isfinite(numbers).all():
                raise source.error(f"{shown([lines[k]])} is not a row of {len(names)} numbers.", row=k + 1)
            rows.append(values)
        source.check_counts(len(rows) * len(names), len(columns) + len(names))
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
        columns += [Column(name, table[:, k].copy()) for k, name in enumerate(names)]
        at = end + 1
    if not columns:
        raise source.error("this text file of Igor holds no waves, so no spike times.")
    for column in columns:
        column.unit = units.get(column.name, "")
    skipped = [f"{shown(left)}, waves of text"] if left else []
    return Table("Igor text", columns, skipped=skipped)
