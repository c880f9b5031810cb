"""What a run leaves behind, in a folder or one zip: tables, traces, figures, words and settings."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import neuron_cells
from spike2pop_nb.errors import Spike2PopError, failure_in_words
from spike2pop_nb.export.archive import packed
from spike2pop_nb.export.figures import FigureFormat, figure_files
from spike2pop_nb.export.files import write_whole
from spike2pop_nb.export.guide import guide
from spike2pop_nb.export.methods import methods_paragraph
from spike2pop_nb.export.provenance import network_of, versions
from spike2pop_nb.export.report import html_report
from spike2pop_nb.export.tables import (
    describe_column,
    results_frames,
    table_csv,
    table_parquet,
    traces_npz,
)
from spike2pop_nb.fidelity import Diversity, Result
from spike2pop_nb.fidelity.differences import beyond_range
from spike2pop_nb.inference import Posterior

__all__ = ["EVERYTHING", "ExportFormat", "results_zip", "summary", "write_results"]

ExportFormat = Literal["csv", "parquet", "npz", "svg", "png", "pdf", "md", "html", "txt"]
EVERYTHING: tuple[ExportFormat, ...] = ("csv", "parquet", "npz", "svg", "png", "md", "html", "txt")
"""Tables as CSV and Parquet, traces as NPZ, figures as SVG and PNG, methods, report and README.txt."""


def _number(value: Any) -> float | None:
    """Return a finite float, or None, since JSON knows no NaN."""
    number = float(value)
    return number if np.isfinite(number) else None


def _describe(result: Result) -> dict[str, Any]:
    train, posterior = result.recording, result.posterior
    entry: dict[str, Any] = {
        "id": train.id,
        "neuron": neuron_cells(result.neuron),
        "n_spikes": train.n_spikes,
        "duration_ms": train.duration_ms,
        "rate_hz": _number(train.rate_hz),
        "usable": result.usable,
        "message": result.outcome,
        "asked": result.n_asked,
        "tried": result.n_tried,
        "passed": result.n_passed,
        "simulations": result.n_simulated,
        "kept": 0 if result.population is None else len(result.population),
        "kept_passed": result.n_kept_passed,
        "kept_crosses": result.n_crosses,
        "kept_late": result.n_late,
        "acceptance": _number(result.acceptance),
        "reasons_of_others": result.reasons,
        "cancelled": result.cancelled,
    }
    if result.failure:
        entry["failure"] = result.failure
    if train.provenance is not None:
        origin = train.provenance
        entry["source"] = {"file": origin.source, "location": origin.location, "unit": origin.unit}
        if origin.reading:
            entry["source"]["reading"] = origin.reading
    if posterior is not None and getattr(posterior, "usable", False):
        entry["dics"] = {
            "g_s": _number(posterior.mean[0]),
            "g_u": _number(posterior.mean[1]),
            "g_s_std": _number(posterior.std[0]),
            "g_u_std": _number(posterior.std[1]),
            "pattern": posterior.pattern,
            "notes": list(posterior.notes),
        }
        if (network := network_of(result)) is not None:
            entry["network"] = {
                "file": network.file,
                "sha256": network.sha256,
                "trained_on": {"trains": network.n_trains, "data_sha256": dict(network.data)},
            }
            if network.base:
                entry["network"]["adapts"] = network.base
        if isinstance(posterior, Posterior):
            low, high = posterior.quantile(0.025), posterior.quantile(0.975)
            entry["dics"] |= {
                f"{name}_interval_95": [_number(low[i]), _number(high[i])]
                for i, name in enumerate(("g_s", "g_u"))
            }
    for name, members in (("kept", result.population), ("unrefined", result.unrefined)):
        if members is not None:  # compensating may already take members above it
            entry[f"{name}_above_declared_range"] = beyond_range(result.neuron, members.g)
    if result.diversity is not None:
        entry["diversity"] = _diversity(result.diversity)
    if result.verdict is not None:
        found = result.verdict.recording
        entry["pattern"] = str(found.pattern)
        entry["pattern_notes"] = list(found.notes)
        entry["rule"] = result.verdict.rule.describe()
    if result.simulated is not None:
        entry["transient_ms"] = result.simulated.transient_ms
    return entry


def _diversity(found: Diversity) -> dict[str, Any]:
    """How different the members kept are; of a refined population also against the unrefined one."""
    entry: dict[str, Any] = {
        "effective_sample_size": found.effective_sample_size,
        "least_distance": _number(found.least_distance),
        "dimensions": _number(found.dimensions),
        "correlations": _matrix(found.correlations),
    }
    if found.correlations_unrefined is not None and found.dimensions_unrefined is not None:
        by_channel = zip(found.table["channel"], found.table["spread"], strict=True)
        entry["spread_against_unrefined"] = {str(name): _number(value) for name, value in by_channel}
        entry["dimensions_unrefined"] = _number(found.dimensions_unrefined)
        entry["correlations_unrefined"] = _matrix(found.correlations_unrefined)
    return entry


def _matrix(frame: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Return {channel: {channel: value}}; None for a channel that does not vary."""
    return {
        str(row): {str(column): _number(frame.loc[row, column]) for column in frame.columns}
        for row in frame.index
    }


def summary(results: Sequence[Result], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``summary.json`` holds: versions, options with the seed, and each recording's story."""
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "options": dict(options),
        "units": {
            "g_*": describe_column("g_leak").unit,
            "g_s, g_u": describe_column("g_s").unit,
            "time_ms": describe_column("time_ms").unit,
        },
        "recordings": [_describe(result) for result in results],
    }


def _folders(results: Sequence[Result]) -> list[str]:
    """A file name for each recording: its place, and of its id what any file system takes."""
    width = len(str(len(results)))
    names = []
    for place, result in enumerate(results, 1):
        plain = unicodedata.normalize("NFKD", result.recording.id).encode("ascii", "ignore").decode()
        slug = re.sub(r"[^A-Za-z0-9]+", "_", plain)[:40].strip("_")
        names.append(f"{place:0{width}d}_{slug}".rstrip("_"))
    return names


def _checked(formats: Sequence[ExportFormat]) -> None:
    for format in formats:
        if format not in get_args(ExportFormat):
            known = ", ".join(get_args(ExportFormat))
            raise Spike2PopError(f"The format of a result must be one of {known}, not {format!r}.")


def _files(
    results: Sequence[Result],
    options: Mapping[str, Any],
    formats: Sequence[ExportFormat],
    settings: Mapping[str, Any] | str | None,
) -> dict[str, bytes]:
    if not results:
        raise Spike2PopError("There are no results to write: make a population for a recording first.")
    _checked(formats)
    frames = results_frames(results)
    files: dict[str, bytes] = {}
    missing: list[str] = []
    for name, frame in frames.items():
        if "csv" in formats:
            files[f"{name}.csv"] = table_csv(frame).encode()
        if "parquet" in formats:
            files[f"{name}.parquet"] = table_parquet(frame)
    folders = _folders(results)
    drawn = [cast(FigureFormat, format) for format in formats if format in get_args(FigureFormat)]
    for folder, result in zip(folders, results, strict=True):
        if "npz" in formats and result.simulated is not None:
            if (traces := traces_npz(result)) is not None:
                files[f"traces/{folder}.npz"] = traces
            else:
                missing.append(f"{folder}: no traces, since its voltages were not kept.")
        if drawn:
            try:
                made = figure_files(result, drawn)
            except Spike2PopError:
                raise
            except Exception as error:  # those of the others are drawn
                made = {}
                missing.append(f"{folder}: no figures, since drawing them failed: {failure_in_words(error)}")
            files |= {f"figures/{folder}/{name}": content for name, content in made.items()}
    if "md" in formats:
        files["methods.md"] = methods_paragraph(results).encode()
    if "html" in formats:
        files["report.html"] = html_report(results, options=options).encode()
    text = json.dumps(summary(results, options), indent=2, ensure_ascii=False)
    files["summary.json"] = f"{text}\n".encode()
    if settings is not None:
        text = settings if isinstance(settings, str) else json.dumps(settings, indent=2, ensure_ascii=False)
        files["settings.json"] = f"{text.rstrip()}\n".encode()
    if "txt" in formats:
        ids = dict(zip(folders, (result.recording.id for result in results), strict=True))
        files["README.txt"] = guide(files, frames, ids, missing).encode()
    return files


def write_results(
    results: Sequence[Result],
    out_dir: str | Path,
    options: Mapping[str, Any],
    *,
    formats: Sequence[ExportFormat] = ("csv",),
    settings: Mapping[str, Any] | str | None = None,
) -> list[Path]:
    """Write results into a folder; return the paths of the files.

    Parameters
    ----------
    results
        One or more, also of recordings for which no population was made.
    out_dir
        Made if it is not there; files of the same names are replaced.
    options
        What was chosen, for ``summary.json``, which is always written. Under ``"read"`` may stand how the
        file was understood, the lines of `Recordings.describe`, which ``report.html`` shows too.
    formats
        ``"csv"`` and ``"parquet"`` for population and spike_times, ``"npz"`` for traces, ``"svg"``, ``"png"``
        and ``"pdf"`` for figures, ``"md"`` for methods.md, ``"html"`` for report.html, ``"txt"`` for
        README.txt; or `EVERYTHING`.
    settings
        What restores the session, or its JSON text, for ``settings.json``.

    Raises
    ------
    Spike2PopError
        If there are no results, the folder cannot be written to, or a format is not known.
    """
    files = _files(results, options, formats, settings)
    out = Path(out_dir)
    for name, content in files.items():
        path = out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Spike2PopError(
                f"The folder {path.parent} cannot be made: {error.strerror or error}."
            ) from None
        write_whole(path, content)
    return [out / name for name in files]


def results_zip(
    results: Sequence[Result],
    options: Mapping[str, Any],
    *,
    formats: Sequence[ExportFormat] = EVERYTHING,
    settings: Mapping[str, Any] | str | None = None,
) -> bytes:
    """Return the files of `write_results` as one zip archive.

    The same results give the same bytes, but for the dates in ``summary.json`` and ``report.html``.

    Raises
    ------
    Spike2PopError
        If there are no results, or a format is not known.
    """
    return packed(_files(results, options, formats, settings))
