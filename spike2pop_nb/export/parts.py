"""What a run has found so far, in Parquet: kept recording by recording, read in their order at the end.

Three tables grow side by side, in folders of their own: ``population``, ``spike_times``, ``outcomes``. Each
addition is one small file of each; that of the outcomes comes last, and without it the other two do not
count. So whatever ends a run, each recording is there whole or not at all. Many small files are joined to one
from time to time. Of a recording that is there twice, since it failed at first, the later counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spike2pop_nb.export.tables import arrow_table
from spike2pop_nb.files import make_folder, whole_file, write_whole

__all__ = ["TABLES", "Found", "Parts"]

TABLES = ("population", "spike_times")
_OUTCOMES = "outcomes"
_JOINED, _SMALL_BYTES = 128, 400_000  # so many files become one, if each is so small
_AT_ONCE = 128  # recordings that are read together


@dataclass(frozen=True)
class Found:
    """What was found for one recording."""

    place: int
    """Of the recording among all, from 0."""
    outcome: dict[str, Any]
    """Its row of ``outcomes.csv``."""
    entry: str
    """What ``summary.json`` says of it, as JSON."""
    tables: dict[str, pd.DataFrame]
    """Its rows of `TABLES`."""
    formats: Sequence[str]
    """What it was written as."""
    files: dict[str, bytes]
    """Those that it has by itself."""
    missing: Sequence[str]
    """Sentences on what it has not."""
    session: bytes
    """What its `Result` can be restored from; empty if nothing will be drawn of it."""


class Parts:
    """The tables in a folder.

    Parameters
    ----------
    folder
        Where they are, or will be; what is left of an addition that was interrupted is removed.
    n
        Recordings in all.

    Attributes
    ----------
    failed
        Places of recordings that a fault ended.
    formats
        By place, what was written of each.
    """

    def __init__(self, folder: Path, n: int) -> None:
        self.folder, self.n = folder, n
        self.failed: set[int] = set()
        self.formats: dict[int, str] = {}
        self._part = np.full(n, -1, dtype=np.int64)  # in which each recording is
        for name in (*TABLES, _OUTCOMES):
            for partial in make_folder(folder / name).glob("*.partial"):
                partial.unlink(missing_ok=True)
        numbers = sorted(int(path.stem) for path in (folder / _OUTCOMES).glob("*.parquet"))
        for number in numbers:
            try:
                known = self._read(_OUTCOMES, number, columns=["place", "failed", "formats"])
            except (pa.ArrowInvalid, OSError):  # a machine that lost its power may leave one without content
                continue
            self._note(number, *(known[name].to_pylist() for name in ("place", "failed", "formats")))
        self._next = max(numbers, default=-1) + 1
        self._remove(set(self._part.tolist()), kept=True)
        self._small = [number for number in np.unique(self._part).tolist() if self._is_small(number)]

    def __len__(self) -> int:
        return int((self._part >= 0).sum())

    def __contains__(self, place: int) -> bool:
        return bool(self._part[place] >= 0)

    def add(self, found: Sequence[Found]) -> None:
        """Keep what was found for some recordings.

        Raises
        ------
        Spike2PopError
            If it cannot be written; what was there before stays.
        """
        number = self._next
        rows = [
            {
                "place": one.place,
                **one.outcome,
                "formats": " ".join(one.formats),
                "missing": json.dumps(list(one.missing)),
                "columns": json.dumps(
                    [list(one.tables[name].columns) if len(one.tables[name]) else [] for name in TABLES]
                ),
                "entry": one.entry,
            }
            for one in found
        ]
        tables = {
            name: pa.concat_tables(
                [
                    pa.schema({"place": pa.int64()}).empty_table(),
                    *(_placed(one.tables[name], one.place) for one in found if len(one.tables[name])),
                ],
                promote_options="permissive",
            )
            for name in TABLES
        }
        for one in found:
            if one.session:
                write_whole(self._session(one.place), one.session)
        self._write(number, tables | {_OUTCOMES: pa.Table.from_pylist(rows)})
        self._note(number, *([row[name] for row in rows] for name in ("place", "failed", "formats")))
        if self._is_small(number):
            self._small.append(number)
        if len(self._small) >= _JOINED:
            self._join()

    def session(self, place: int) -> bytes:
        """Return what a recording's result can be restored from."""
        return self._session(place).read_bytes()

    def outcomes(self, *columns: str) -> Iterator[list[dict[str, Any]]]:
        """Give columns of the outcomes, a row a recording, of so many at once and in their order."""
        for places in self._blocks():
            rows = self._rows(_OUTCOMES, places, ["place", *columns])
            yield rows.select(list(columns)).to_pylist()

    def rows(self, name: str, schema: pa.Schema) -> Iterator[pa.Table]:
        """Give the rows of a table, those of so many recordings at once, in their order."""
        for places in self._blocks():
            rows = self._rows(name, places)
            if rows.num_rows:
                whole = pa.concat_tables([schema.empty_table(), rows], promote_options="permissive")
                yield whole.select(schema.names).cast(schema)

    def schema(self, name: str) -> pa.Schema:
        """Return the columns of a table, in the order in which its recordings have them."""
        names: dict[str, None] = {}
        told = (row["columns"] for rows in self.outcomes("columns") for row in rows)
        for columns in dict.fromkeys(told):
            names |= dict.fromkeys(json.loads(columns)[TABLES.index(name)])
        numbers = np.unique(self._part[self._part >= 0]).tolist()
        found = pa.unify_schemas(
            [pq.read_schema(self._path(name, number)) for number in numbers], promote_options="permissive"
        )
        return pa.schema([found.field(column) for column in names])

    def _blocks(self) -> Iterator[list[int]]:
        for first in range(0, self.n, _AT_ONCE):
            places = [place for place in range(first, min(first + _AT_ONCE, self.n)) if place in self]
            if places:
                yield places

    def _rows(self, name: str, places: list[int], columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of recordings in their order."""
        wanted = [("place", ">=", places[0]), ("place", "<=", places[-1])]
        parts = [
            self._own(name, number, columns, wanted) for number in np.unique(self._part[places]).tolist()
        ]
        rows = pa.concat_tables(parts, promote_options="permissive")
        rows = rows.take(pa.array(np.argsort(rows["place"].to_numpy(), kind="stable")))
        return rows if columns is not None else rows.drop(["place"])

    def _own(
        self, name: str, number: int, columns: Sequence[str] | None = None, filters: Any = None
    ) -> pa.Table:
        """Return the rows of a part that are of the recordings that it counts for."""
        rows = self._read(name, number, columns=columns, filters=filters)
        return rows.filter(pa.array(self._part[rows["place"].to_numpy()] == number))

    def _join(self) -> None:
        """Make one part of the small ones."""
        old, number = self._small, self._next
        tables = {
            name: pa.concat_tables([self._own(name, part) for part in old], promote_options="permissive")
            for name in (*TABLES, _OUTCOMES)
        }
        self._write(number, tables)
        self._part[np.isin(self._part, old)] = number
        self._small = []
        self._remove(set(old))

    def _note(self, number: int, places: list[int], failed: list[bool], formats: list[str]) -> None:
        self._part[places] = number
        for place, fault, written in zip(places, failed, formats, strict=True):
            self.formats[place] = written
            (self.failed.add if fault else self.failed.discard)(place)

    def _path(self, name: str, number: int) -> Path:
        return self.folder / name / f"{number:07d}.parquet"

    def _session(self, place: int) -> Path:
        return make_folder(self.folder / "sessions") / f"{place:07d}.s2p.zip"

    def _is_small(self, number: int) -> bool:
        paths = [self._path(name, number) for name in (*TABLES, _OUTCOMES)]
        return number >= 0 and sum(path.stat().st_size for path in paths) < _SMALL_BYTES

    def _read(self, name: str, number: int, **chosen: Any) -> pa.Table:
        return pq.read_table(self._path(name, number), partitioning=None, **chosen)

    def _write(self, number: int, tables: dict[str, pa.Table]) -> None:
        """Write a part, the outcomes last."""
        self._next = number + 1
        try:
            for name, table in tables.items():
                texts = [f.name for f in table.schema if pa.types.is_string(f.type)]
                with whole_file(self._path(name, number)) as file:
                    pq.write_table(table, file, compression="zstd", use_dictionary=texts)
        except BaseException:
            self._remove({number})
            raise

    def _remove(self, numbers: set[int], kept: bool = False) -> None:
        """Remove parts, or with ``kept`` all others."""
        for name in (_OUTCOMES, *TABLES):
            for path in (self.folder / name).glob("*.parquet"):
                if (int(path.stem) in numbers) != kept:
                    path.unlink(missing_ok=True)


def _placed(frame: pd.DataFrame, place: int) -> pa.Table:
    """Rows with the place of their recording, as Arrow has them."""
    table = arrow_table(frame)
    return table.add_column(0, "place", pa.array(np.full(len(frame), place, dtype=np.int64)))
