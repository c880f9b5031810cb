"""What is kept of the search for one recording: its rows, its words, and what it can be restored from."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.export.report import MOST_REPORTED
from spike2pop_nb.export.results import ExportFormat, recording_files
from spike2pop_nb.export.saving import npy, session_zip
from spike2pop_nb.export.sessions import open_session
from spike2pop_nb.export.summaries import summary
from spike2pop_nb.export.tables import results_frames
from spike2pop_nb.fidelity import Result
from spike2pop_nb.files import recording_folder

__all__ = ["ENTRIES", "OF_ALL", "TABLES", "Found", "found", "restored"]

TABLES = ("population", "spike_times")
OF_ALL: tuple[ExportFormat, ...] = ("html", "md", "txt")
"""What is made from the results of all recordings."""
ENTRIES = ('\n  "recordings": [', "\n  ]\n}")
"""What comes before and after the entries of ``summary.json``; so far to the left, it is the outermost."""

_VOLTAGES = ("time_ms", "V_mV")


@dataclass(frozen=True)
class Found:
    """What was found for one recording.

    Attributes
    ----------
    place
        Of the recording among all, from 0.
    outcome
        Its row of ``outcomes.csv``.
    entry
        What ``summary.json`` says of it, as JSON.
    tables
        Its rows of `TABLES`.
    formats
        What it was written as.
    files, missing
        Files that it has by itself, and sentences on what it has not.
    session
        What its `Result` can be restored from; empty if nothing will be drawn of it.
    """

    place: int
    outcome: dict[str, Any]
    entry: str
    tables: dict[str, pd.DataFrame]
    formats: Sequence[str] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    missing: Sequence[str] = ()
    session: bytes = b""


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
