"""README.txt beside exported files: what each of them is, and the unit of every column and array."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pandas as pd

from spike2pop_nb.export.experiments import EXPERIMENT_FIGURES
from spike2pop_nb.export.figures import FIGURES
from spike2pop_nb.export.tables import TRACE_ARRAYS, Column, describe_column

__all__ = ["guide", "guide_of_tables"]

_TABLES = {
    "population": "The members of each recording's population, one per row.",
    "spike_times": "The spikes of each member, one per row.",
    "experiments/members": "What each member did in each experiment, one row per condition.",
    "experiments/doses": "How many members fire in each pattern, and keep their rhythm, by condition.",
    "experiments/who_crashes": "How well each conductance tells who loses the rhythm.",
    "experiments/f_I": "The firing rate of each member at each injected current.",
}
_OTHERS = {
    "recordings.csv": "The recorded spikes as read (id, time_ms in ms on the recording's own clock). "
    "This file can be opened instead of the original.",
    "outcomes.csv": "What was found for each recording, why not, and how long it took (took_s, in seconds).",
    "summary.json": "Versions, options, and for each recording its DICs, counts and pass rule, for programs.",
    "settings.json": "Settings that restore the session in which these files were made.",
    "report.html": "A report with interactive figures. Open it in a browser; no internet is needed.",
    "methods.md": "A methods paragraph with references, to paste into a paper (Markdown).",
}
_FOLDERS = {
    "next": "Which experiment would tell the most about the population, with what its members would do.",
    "narrowed": "The population narrowed by a recording of one: population.csv has the members that remain.",
    "comparison": "What changed between two recordings, and members before and after (pairs.csv).",
}
_CSV_NOTE = (
    "In CSV files, text that a spreadsheet could take for a formula (it begins with =, +, - or @) has an "
    "apostrophe before it, but for ids, which are as in the recording's file: import their column as text."
)


def guide(
    names: Iterable[str],
    frames: Mapping[str, pd.DataFrame],
    folders: Mapping[str, str],
    missing: Iterable[str],
) -> str:
    """Describe files by their paths, and the tables among them.

    ``folders`` has the recording behind each folder or file of its own, ``missing`` sentences on what could
    not be written.
    """
    names = list(names)
    parts = ["FILES"]
    for table, words in _TABLES.items():
        if files := [name for name in names if name.startswith(f"{table}.")]:
            columns = "\n".join(_line(name, describe_column(name)) for name in frames[table].columns)
            parts.append(f"{' and '.join(files)}\n    {words}\n{columns}")
    if any(name.startswith("traces/") for name in names):
        arrays = "\n".join(_line(name, column) for name, column in TRACE_ARRAYS.items())
        parts.append(
            f"traces/*.npz\n    Voltages of the members (numpy.load), a file for each recording.\n{arrays}"
        )
    if any(name.startswith("nwb/") for name in names):
        parts.append(
            "nwb/*.nwb\n    Members and their simulated recordings as NWB, a file for each recording, for "
            "DANDI:\n    voltages (icephys), spikes, conductances, DICs and drive (units), settings (notes)."
        )
    for folder, figures in (("figures", FIGURES), ("experiments/figures", EXPERIMENT_FIGURES)):
        paths = [PurePosixPath(name) for name in names if name.startswith(f"{folder}/")]
        for name, (_width, words) in figures.items():
            if kinds := sorted({path.suffix for path in paths if path.stem == name}):
                drawn = ", ".join(f"{folder}/*/{name}{kind}" for kind in kinds)
                parts.append(f"{drawn}\n    {words[0].upper()}{words[1:]}.")
    for folder, words in _FOLDERS.items():
        if files := [name for name in names if name.startswith(f"{folder}/")]:
            parts.append(f"{', '.join(files)}\n    {words}")
    parts += [f"{name}\n    {words}" for name, words in _OTHERS.items() if name in names]
    if used := [folder for folder in folders if any(f"/{folder}" in name for name in names)]:
        listed = "\n".join(f"    {folder}: recording {folders[folder]}" for folder in used)
        parts.append(f"RECORDINGS AND THEIR FOLDERS AND FILES\n{listed}")
    notes = [*([_CSV_NOTE] if any(name.endswith(".csv") for name in names) else []), *missing]
    if notes:
        parts.append("\n".join(["NOTES", *(f"    {note}" for note in notes)]))
    return "\n\n".join(parts) + "\n"


def guide_of_tables(
    tables: Mapping[str, tuple[str, Iterable[str]]],
    columns: Mapping[str, Column],
    others: Mapping[str, str],
) -> str:
    """Describe a few tables, by what each holds and the names of its columns, and other files.

    ``columns`` says what columns hold that is not what `describe_column` says.
    """
    parts = ["FILES"]
    for file, (words, names) in tables.items():
        lines = [_line(name, columns.get(name) or describe_column(name)) for name in names]
        parts.append("\n".join([file, f"    {words}", *lines]))
    parts += [f"{file}\n    {words}" for file, words in ({**_OTHERS, **others}).items() if file in others]
    return "\n\n".join([*parts, f"NOTES\n    {_CSV_NOTE}"]) + "\n"


def _line(name: str, column: Column) -> str:
    return f"        {name}{f' ({column.unit})' if column.unit else ''}: {column.meaning}"
