"""What a run leaves behind: population.csv, spike_times.csv and summary.json, in a folder or one zip."""

from __future__ import annotations

import io
import json
import platform
import sys
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb import __version__
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.fidelity import Result

__all__ = ["results_frames", "results_zip", "summary", "versions", "write_results", "write_table"]

_LIBRARIES = ("numpy", "scipy", "numba", "torch", "pandas", "elephant", "plotly")


def versions() -> dict[str, str]:
    """Return the versions of this package, Python, and the libraries that results rest on."""
    found = {"spike2pop_nb": __version__, "python": platform.python_version(), "platform": sys.platform}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def results_frames(results: Sequence[Result]) -> dict[str, pd.DataFrame]:
    """Return the tables ``population`` and ``spike_times`` of all recordings that have a population.

    ``population`` has id, member, g_* in mS/cm², g_s, g_u, score, passed and the errors behind the score;
    ``spike_times`` has id, member and time_ms from the start of the simulation.
    """
    populations, spikes = [], []
    for result in results:
        if result.population is None or result.verdict is None or result.simulated is None:
            continue
        scores = result.verdict.table.drop(columns=["id", "member"])
        populations.append(pd.concat([result.population.table, scores], axis=1))
        spikes.append(result.simulated.spikes_frame())
    if not populations:
        empty = pd.DataFrame({"id": [], "member": []})
        return {"population": empty.assign(score=[], passed=[]), "spike_times": empty.assign(time_ms=[])}
    return {
        "population": pd.concat(populations, ignore_index=True),
        "spike_times": pd.concat(spikes, ignore_index=True),
    }


def _number(value: Any) -> float | None:
    """Return a finite float, or None, since JSON knows no NaN."""
    number = float(value)
    return number if np.isfinite(number) else None


def _describe(result: Result) -> dict[str, Any]:
    train, posterior = result.recording, result.posterior
    entry: dict[str, Any] = {
        "id": train.id,
        "n_spikes": train.n_spikes,
        "duration_ms": train.duration_ms,
        "rate_hz": _number(train.rate_hz),
        "usable": result.usable,
        "message": result.message,
        "asked": result.n_asked,
        "tried": result.n_tried,
        "passed": result.n_passed,
        "kept": 0 if result.population is None else len(result.population),
        "kept_passed": result.n_kept_passed,
        "acceptance": _number(result.acceptance),
        "reasons_of_others": result.reasons,
        "cancelled": result.cancelled,
    }
    if train.provenance is not None:
        entry["source"] = {"file": train.provenance.source, "location": train.provenance.location}
    if posterior is not None and getattr(posterior, "usable", False):
        entry["dics"] = {
            "g_s": _number(posterior.mean[0]),
            "g_u": _number(posterior.mean[1]),
            "g_s_std": _number(posterior.std[0]),
            "g_u_std": _number(posterior.std[1]),
            "pattern": posterior.pattern,
            "notes": list(posterior.notes),
        }
    if result.verdict is not None:
        found = result.verdict.recording
        entry["pattern"] = str(found.pattern)
        entry["pattern_notes"] = list(found.notes)
        entry["rule"] = result.verdict.rule.describe()
    return entry


def summary(results: Sequence[Result], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``summary.json`` holds: versions, options with the seed, and each recording's story."""
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "options": dict(options),
        "units": {"g_*": "mS/cm²", "g_s, g_u": "dimensionless (divided by g_leak)", "time_ms": "ms"},
        "recordings": [_describe(result) for result in results],
    }


def _files(results: Sequence[Result], options: Mapping[str, Any]) -> dict[str, str]:
    frames = results_frames(results)
    return {
        "population.csv": frames["population"].to_csv(index=False, lineterminator="\n"),
        "spike_times.csv": frames["spike_times"].to_csv(index=False, lineterminator="\n"),
        "summary.json": json.dumps(summary(results, options), indent=2, ensure_ascii=False) + "\n",
    }


def _replace(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Spike2PopError(f"{path} cannot be written: {error.strerror or error}.") from None


def write_results(results: Sequence[Result], out_dir: str | Path, options: Mapping[str, Any]) -> list[Path]:
    """Write the three files into a folder; return their paths.

    Raises
    ------
    Spike2PopError
        If the folder cannot be written to.
    """
    out = Path(out_dir)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Spike2PopError(f"The folder {out} cannot be made: {error.strerror or error}.") from None
    files = _files(results, options)
    for name, text in files.items():
        _replace(out / name, text)
    return [out / name for name in files]


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write one CSV table so that it is there whole or not at all.

    Raises
    ------
    Spike2PopError
        If the file cannot be written.
    """
    _replace(Path(path), table.to_csv(index=False, lineterminator="\n"))


def results_zip(results: Sequence[Result], options: Mapping[str, Any]) -> bytes:
    """Return the three files as one zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _files(results, options).items():
            archive.writestr(name, text)
    return buffer.getvalue()
