"""What a run keeps of each recording, and the files of all made from it, a few recordings at a time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spike2pop_nb.export.parts import TABLES, Found, Parts
from spike2pop_nb.export.report import MOST_REPORTED
from spike2pop_nb.export.results import ExportFormat, documents, recording_files
from spike2pop_nb.export.saving import npy, session_zip
from spike2pop_nb.export.sessions import open_session
from spike2pop_nb.export.summaries import summary
from spike2pop_nb.export.tables import growing_table, results_frames
from spike2pop_nb.fidelity import Result
from spike2pop_nb.files import recording_folder, whole_file, write_whole

__all__ = ["found", "gather"]

OF_ALL: tuple[ExportFormat, ...] = ("html", "md", "txt")
"""What is made from the results of all recordings."""
ENTRIES = ('\n  "recordings": [', "\n  ]\n}")
"""What comes before and after the entries of ``summary.json``; so far to the left, it is the outermost."""
_VOLTAGES = ("time_ms", "V_mV")
_OUTCOMES = ("id", "n_spikes", "duration_ms", "asked", "passed", "kept", "tried", "simulations", "took_s")


def found(result: Result, place: int, n: int, took_s: float, formats: Sequence[ExportFormat]) -> Found:
    """Return what is kept of the result of the recording at a place, from 0, among n."""
    train = result.recording
    outcome = {
        "id": train.id,
        "n_spikes": train.n_spikes,
        "duration_ms": float(train.duration_ms),
        "asked": result.n_asked,
        "kept": 0 if result.population is None else len(result.population),
        "passed": result.n_kept_passed,
        "tried": result.n_tried,
        "simulations": result.n_simulated,
        "took_s": round(took_s, 3),
        "failed": bool(result.failure),
        "message": result.outcome,
    }
    files, missing = recording_files(result, recording_folder(place + 1, n, train.id), formats)
    text = json.dumps(summary([result], {}), indent=2, ensure_ascii=False)
    return Found(
        place,
        outcome,
        text.partition(ENTRIES[0])[2].removesuffix(ENTRIES[1]),
        results_frames([result]),
        formats,
        files,
        missing,
        _session(result, place) if set(OF_ALL) & set(formats) else b"",
    )


def _session(result: Result, place: int) -> bytes:
    """What a result is restored from; with voltages, where the report will show them."""
    content = session_zip([result])
    if place >= MOST_REPORTED or result.simulated is None or not result.simulated.V_mV.size:
        return content
    sink = io.BytesIO(content)
    with zipfile.ZipFile(sink, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in _VOLTAGES:
            archive.writestr(f"{name}.npy", npy(getattr(result.simulated, name)))
    return sink.getvalue()


def restored(session: bytes, predict: Callable[[Any], Any]) -> Result:
    """Return a result from its session; ``predict`` gives what the network says of its recording."""
    result = open_session(session, predict=lambda _neuron, train, *_told: predict(train)).results[0]
    with zipfile.ZipFile(io.BytesIO(session)) as archive:
        if f"{_VOLTAGES[0]}.npy" not in archive.namelist():
            return result
        arrays = {
            name: np.load(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False) for name in _VOLTAGES
        }
    return replace(result, simulated=replace(result.simulated, **arrays))


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
    whole = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
    lacking = any(rows[field.name].null_count for field in rows.schema if field.type in whole)
    return rows.to_pandas(ignore_metadata=True, types_mapper=whole.get if lacking else None)


def _write_parquet(file: BinaryIO, empty: pd.DataFrame, schema: pa.Schema, tables: Any) -> None:
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
