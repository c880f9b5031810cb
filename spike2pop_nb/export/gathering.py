"""The files of all recordings made from the parts that a run has left, a few recordings at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from spike2pop_nb.export.found import ENTRIES, OF_ALL, TABLES, restored
from spike2pop_nb.export.parts import Parts
from spike2pop_nb.export.results import ExportFormat, documents
from spike2pop_nb.export.summaries import summary
from spike2pop_nb.export.tables import growing_table, results_frames
from spike2pop_nb.files import recording_folder, whole_file, write_whole

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["gather"]

_OUTCOMES = ("id", "n_spikes", "duration_ms", "asked", "passed", "kept", "tried", "simulations", "took_s")


def gather(
    parts: Parts,
    out: Path,
    predict: Callable[[Sequence[Any]], Sequence[Any]],
    *,
    formats: Sequence[ExportFormat],
    told: Mapping[str, Any],
) -> None:
    """Write the tables, the summary and the documents of all recordings that are done into a folder.

    ``predict`` gives what the network says of recordings, if a document needs it; ``formats`` and ``told``
    are as in `run_recordings`.

    Raises
    ------
    Spike2PopError
        If they cannot be written; then those that were there stay.
    """
    text = json.dumps(summary([], told), indent=2, ensure_ascii=False)
    head = text.removesuffix("[]\n}").removesuffix(ENTRIES[0][:-1])
    frames = {name: results_frames([])[name] for name in TABLES}
    with ExitStack() as files:

        def opened(name: str) -> BinaryIO:
            return files.enter_context(whole_file(out / name))

        for name in TABLES:
            schema = parts.schema(name)
            if schema.names:
                frames[name] = pd.DataFrame(columns=schema.names)
            if "csv" in formats:
                add = files.enter_context(growing_table(out / f"{name}.csv"))
                add(frames[name])
                for rows in parts.rows(name, schema):
                    add(_frame(rows))
            if "parquet" in formats:
                _write_parquet(opened(f"{name}.parquet"), frames[name], schema, parts.rows(name, schema))
        add, described = files.enter_context(growing_table(out / "outcomes.csv")), opened("summary.json")
        described.write(f"{head}{ENTRIES[0]}".encode())
        for place, told_of in enumerate(parts.outcomes(*_OUTCOMES, "failed", "message", "entry")):
            entries = ",".join(row.pop("entry") for row in told_of)
            described.write(f"{',' if place else ''}{entries}".encode())
            add(pd.DataFrame(told_of))
        described.write(f"{ENTRIES[1]}\n".encode())
    if set(OF_ALL) & set(formats):
        for name, content in _documents(parts, out, predict, formats, told, frames).items():
            write_whole(out / name, content)


def _frame(rows: pa.Table) -> pd.DataFrame:
    """Rows as pandas has them; whole numbers that some lack keep all their digits."""
    import pyarrow as pa

    whole = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
    lacking = any(rows[field.name].null_count for field in rows.schema if field.type in whole)
    return rows.to_pandas(ignore_metadata=True, types_mapper=whole.get if lacking else None)


def _write_parquet(file: BinaryIO, empty: pd.DataFrame, schema: pa.Schema, tables: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not schema.names:
        schema = pa.Schema.from_pandas(empty, preserve_index=False)
    with pq.ParquetWriter(file, schema) as writer:
        for table in tables:
            writer.write_table(table)


def _documents(
    parts: Parts,
    out: Path,
    predict: Callable[[Sequence[Any]], Sequence[Any]],
    formats: Sequence[ExportFormat],
    told: Mapping[str, Any],
    frames: Mapping[str, pd.DataFrame],
) -> dict[str, bytes]:
    results = [restored(parts.session(place), lambda train: predict([train])[0]) for place in range(parts.n)]
    ids = {
        recording_folder(place, parts.n, result.recording.id): result.recording.id
        for place, result in enumerate(results, 1)
    }
    names = [f"{name}.{format}" for name in TABLES for format in ("csv", "parquet") if format in formats]
    names += ["outcomes.csv", "summary.json"]
    for folder in ids:
        own = [out / "traces" / f"{folder}.npz", *sorted((out / "figures" / folder).glob("*.*"))]
        names += [path.relative_to(out).as_posix() for path in own if path.exists()]
    missing = [
        sentence
        for rows in parts.outcomes("missing")
        for row in rows
        for sentence in json.loads(row["missing"])
    ]
    return documents(results, told, formats, frames, names, ids, missing)
