"""What a run leaves behind, in a folder or one zip: tables, traces, figures, words and settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from spike2pop_nb.errors import Cancelled, Spike2PopError, check_installed, failure_in_words
from spike2pop_nb.experiments import Experiment
from spike2pop_nb.export.archive import packed
from spike2pop_nb.export.experiments import experiment_files, experiment_frames
from spike2pop_nb.export.figures import drawn_formats, figure_files
from spike2pop_nb.export.guide import guide
from spike2pop_nb.export.methods import methods_paragraph
from spike2pop_nb.export.nwb import nwb_of_result
from spike2pop_nb.export.report import html_report
from spike2pop_nb.export.summaries import experiments_on, summary
from spike2pop_nb.export.tables import recorded_spikes, results_frames, table_files, traces_npz
from spike2pop_nb.fidelity import Result
from spike2pop_nb.files import recording_folder, write_files

__all__ = [
    "EVERYTHING",
    "ExportFormat",
    "check_formats",
    "documents",
    "recording_files",
    "results_zip",
    "write_results",
]

ExportFormat = Literal["csv", "parquet", "npz", "nwb", "svg", "png", "pdf", "md", "html", "txt"]
"""What results can be written as."""

EVERYTHING: tuple[ExportFormat, ...] = ("csv", "parquet", "npz", "svg", "png", "md", "html", "txt")
"""Tables as CSV and Parquet, traces as NPZ, figures as SVG and PNG, methods, report and README.txt."""


def check_formats(formats: Sequence[ExportFormat]) -> None:
    """Refuse a format that results cannot have, or that needs a package which is not installed."""
    for format in formats:
        if format not in get_args(ExportFormat):
            known = ", ".join(get_args(ExportFormat))
            raise Spike2PopError(f"The format of a result must be one of {known}, not {format!r}.")
    if "nwb" in formats:
        check_installed("NWB files", "pynwb", "nwb")
    if "html" in formats:
        check_installed("Reports", "plotly")
        check_installed("Reports", "mistune")
    if drawn_formats(formats):
        check_installed("Figures", "matplotlib")


def _files(
    results: Sequence[Result],
    options: Mapping[str, Any],
    formats: Sequence[ExportFormat],
    settings: Mapping[str, Any] | str | None,
    *,
    experiments: Mapping[str, Sequence[Experiment]] | None = None,
    beside: Mapping[str, bytes] | None = None,
    recorded: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, bytes]:
    """Contents of the files by name; `tick` is called before the tables, each recording and the report."""
    if not results:
        raise Spike2PopError("There are no results to write: make a population for a recording first.")
    check_formats(formats)
    tick()
    frames = results_frames(results)
    files = table_files({"recordings": recorded_spikes(results)}) if recorded else {}
    files |= table_files(frames, formats)
    missing: list[str] = []
    ids: dict[str, str] = {}
    for place, result in enumerate(results, 1):
        tick()
        folder = recording_folder(place, len(results), result.recording.id)
        ids[folder] = result.recording.id
        made, lacking = recording_files(result, folder, formats)
        files |= made
        missing += lacking
    if done := [one for result in results for one in experiments_on(result, experiments)]:
        tick()
        made = experiment_files(done, formats)
        files |= {f"experiments/{name}": content for name, content in made.items()}
        frames |= {f"experiments/{name}": frame for name, frame in experiment_frames(done).items()}
    tick()
    text = json.dumps(summary(results, options, experiments), indent=2, ensure_ascii=False)
    files["summary.json"] = f"{text}\n".encode()
    if settings is not None:
        text = settings if isinstance(settings, str) else json.dumps(settings, indent=2, ensure_ascii=False)
        files["settings.json"] = f"{text.rstrip()}\n".encode()
    files |= dict(beside or {})
    files |= documents(results, options, formats, frames, [*files], ids, missing, experiments)
    return files


def recording_files(
    result: Result, folder: str, formats: Sequence[ExportFormat]
) -> tuple[dict[str, bytes], list[str]]:
    """Return the files that one recording has by itself, by name, and sentences on what it has not.

    These are traces, NWB and figures, called as `recording_folder` says.
    """
    files: dict[str, bytes] = {}
    missing: list[str] = []
    if "npz" in formats and result.simulated is not None:
        if (traces := traces_npz(result)) is not None:
            files[f"traces/{folder}.npz"] = traces
        else:
            missing.append(f"{folder}: no traces, since its voltages were not kept.")
    if "nwb" in formats and result.population is not None and result.simulated is not None:
        files[f"nwb/{folder}.nwb"] = nwb_of_result(result)
    if drawn := drawn_formats(formats):
        try:
            made = figure_files(result, drawn)
        except Spike2PopError:
            raise
        except Exception as error:  # those of the others are drawn
            made = {}
            missing.append(f"{folder}: no figures, since drawing them failed: {failure_in_words(error)}")
        files |= {f"figures/{folder}/{name}": content for name, content in made.items()}
    return files, missing


def documents(
    results: Sequence[Result],
    options: Mapping[str, Any],
    formats: Sequence[ExportFormat],
    frames: Mapping[str, pd.DataFrame],
    names: Sequence[str],
    ids: Mapping[str, str],
    missing: Sequence[str],
    experiments: Mapping[str, Sequence[Experiment]] | None = None,
) -> dict[str, bytes]:
    """Return what describes all results: ``methods.md``, ``report.html`` and ``README.txt``.

    Of what is there already are given the tables, the names of all files, the recording behind each
    `recording_folder`, and sentences on what could not be written; all else as in `write_results`.
    """
    files: dict[str, bytes] = {}
    if "md" in formats:
        files["methods.md"] = methods_paragraph(results, experiments, shared="nwb" in formats).encode()
    if "html" in formats:
        files["report.html"] = html_report(results, options=options, experiments=experiments).encode()
    if "txt" in formats:
        files["README.txt"] = guide([*names, *files], frames, ids, missing).encode()
    return files


def write_results(
    results: Sequence[Result],
    out_dir: str | Path,
    options: Mapping[str, Any],
    *,
    formats: Sequence[ExportFormat] = ("csv",),
    settings: Mapping[str, Any] | str | None = None,
    experiments: Mapping[str, Sequence[Experiment]] | None = None,
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
        ``"csv"`` and ``"parquet"`` for population and spike_times, ``"npz"`` for traces, ``"nwb"`` for an NWB
        file of each recording (which needs pynwb), ``"svg"``, ``"png"`` and ``"pdf"`` for figures, ``"md"``
        for methods.md, ``"html"`` for report.html, ``"txt"`` for README.txt; or `EVERYTHING`.
    settings
        What restores the session, or its JSON text, for ``settings.json``.
    experiments
        ``{id: experiments}`` that were done on the populations of recordings; they get a folder
        ``experiments``, and stand in the other files too.

    Raises
    ------
    Spike2PopError
        If there are no results, the folder cannot be written to, or a format is not known.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import write_results
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> [file.name for file in write_results([result], mkdtemp(), {"seed": 1})]
    ['population.csv', 'spike_times.csv', 'summary.json']
    """
    files = _files(results, options, formats, settings, experiments=experiments)
    return write_files(Path(out_dir), files)


def results_zip(
    results: Sequence[Result],
    options: Mapping[str, Any],
    *,
    formats: Sequence[ExportFormat] = EVERYTHING,
    settings: Mapping[str, Any] | str | None = None,
    experiments: Mapping[str, Sequence[Experiment]] | None = None,
    beside: Mapping[str, bytes] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> bytes:
    """Return the files of `write_results`, and the spikes that they were made from, as one zip archive.

    The same results give the same bytes, but for the dates in ``summary.json`` and ``report.html``.

    Parameters
    ----------
    results, options, formats, settings, experiments
        As in `write_results`; ``recordings.csv`` (id, time_ms) comes with any formats.
    beside
        Other files to put into it, by name, such as those of `ranking_files` and `comparison_files`.
    progress
        Called with (done, total) while the files are made.
    cancel
        Asked between files; true ends it.

    Raises
    ------
    Spike2PopError
        If there are no results, or a format is not known.
    Cancelled
        If ``cancel`` asked for it.

    Examples
    --------
    >>> from io import BytesIO
    >>> from zipfile import ZipFile
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import results_zip
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> ZipFile(BytesIO(results_zip([result], {"seed": 1}, formats=("csv",)))).namelist()
    ['recordings.csv', 'population.csv', 'spike_times.csv', 'summary.json']
    """
    asked = any(experiments_on(result, experiments) for result in results)
    total = len(results) + 3 + asked  # the tables, each recording, experiments, the report, the archive
    begun = count()

    def tick() -> None:
        if cancel is not None and cancel():
            raise Cancelled
        if progress is not None:
            progress(next(begun), total)

    files = _files(
        results,
        options,
        formats,
        settings,
        experiments=experiments,
        beside=beside,
        recorded=True,
        tick=tick,
    )
    tick()
    return packed(files)
