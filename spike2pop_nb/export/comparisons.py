"""Comparisons of two recordings as files: changes, members before and after, summary, methods text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.experiments import Comparison
from spike2pop_nb.export.formatting import Citations, count, figure, interval, percent, plain, series
from spike2pop_nb.export.guide import guide_of_tables
from spike2pop_nb.export.provenance import told_files, versions
from spike2pop_nb.export.references import BRANDOIT, CRANMER, DRION, KUNSCH, STORN, ZHANG
from spike2pop_nb.export.tables import Column, table_files
from spike2pop_nb.files import make_folder, write_files

__all__ = [
    "comparison_files",
    "comparison_frames",
    "comparison_in_words",
    "comparison_summary",
    "write_comparison",
]

_OF_PAIR = ("condition", "explanation", "distance", "fires_alike")
_TABLES = {
    "changes": "By how much each conductance, the current and the noise changed, the most probable first.",
    "pairs": "Members before and after, two rows each; it can be read as a population.",
}
_COLUMNS = {
    "rank": Column("", "1 for the most probable"),
    "what": Column("", "channel, or the constant current or the noise"),
    "unit": Column("", "of median, low and high: factor, of a maximal conductance, or µA/cm² of a shift"),
    "probability": Column("", "that it changed, alone or with another"),
    "median": Column("see unit", "by how much, if it changed"),
    "low": Column("see unit", "lower end of the 80 % interval of that"),
    "high": Column("see unit", "upper end of the 80 % interval of that"),
    "in_set": Column("", "whether it is in the set of explanations that holds the true one in 80 %"),
    "reached": Column("fraction", "members that fire like the recording after with this change alone"),
    "reaches_dics": Column("fraction", "members that this change can bring to the DICs predicted after"),
    "condition": Column("", "before or after"),
    "explanation": Column("", "what was changed in the member"),
    "distance": Column("tolerances", "to the recording; up to 1 is within its variability"),
    "fires_alike": Column("", "whether the member fires like both recordings, before and after"),
    "change_current": Column("µA/cm²", "what was added to its constant current"),
    "change_noise": Column("µA/cm²", "what was added to its noise"),
}


def comparison_frames(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Return the tables of a comparison.

    ``changes`` is `Comparison.to_frame`; ``pairs``, where there are any, has two rows for each member, before
    and after, with its conductances, drive and DICs, and can be read as a population.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import comparison_frames
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[3], "stg", size=0)
    >>> list(comparison_frames(found))
    ['changes']
    """
    frames = {"changes": comparison.to_frame()}
    if comparison.pairs is not None:
        pairs = comparison.pairs
        changes = [str(column) for column in pairs.table if str(column).startswith("change_")]
        parts = []
        for condition, members in (("before", pairs.before), ("after", pairs.after)):
            part = members.to_frame()
            part["member"] = pairs.table["member"].to_numpy()
            part["condition"] = condition
            part["distance"] = pairs.table[f"distance_{condition}"].to_numpy()
            part[["explanation", "fires_alike"]] = pairs.table[["explanation", "fires_alike"]].to_numpy()
            still = [1.0 if name[len("change_") :] in members.channel_names else 0.0 for name in changes]
            part[changes] = still if condition == "before" else pairs.table[changes].to_numpy()
            parts.append(part)
        table = pd.concat(parts, ignore_index=True)
        table["fires_alike"] = table["fires_alike"].astype(bool)
        first = ["id", "member", *_OF_PAIR]
        frames["pairs"] = table[[*first, *table.columns.drop(first)]]
    return frames


def comparison_summary(comparison: Comparison) -> dict[str, Any]:
    """Return what was compared and what was found, for programs.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import comparison_summary
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[2], "stg", size=0)
    >>> comparison_summary(found)["verdict"]
    'unchanged'
    """
    pairs = comparison.pairs
    return {
        "before": comparison.before.id,
        "after": comparison.after.id,
        "neuron": comparison.neuron.name,
        "known": {"words": comparison.known.describe(), "protocol": comparison.known.to_dict()},
        "verdict": comparison.verdict,
        "words": comparison.describe(),
        "explanations": [
            {
                "changed": list(one),
                "probability": share,
                "in_set": one in comparison.alike,
                "reached": None if pairs is None else pairs.reached.get(one),
            }
            for one, share in comparison.shares.items()
        ],
        "pairs": 0 if pairs is None else len(pairs.table),
        "pairs_alike": 0 if pairs is None else int(pairs.table["fires_alike"].sum()),
        "notes": list(comparison.notes),
        "made_by": dict(comparison.made_by),
    }


def comparison_files(comparison: Comparison, options: Mapping[str, Any]) -> dict[str, bytes]:
    """Return tables, summary and methods text of a comparison as files, by name.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import comparison_files
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[3], "stg", size=0)
    >>> list(comparison_files(found, {}))
    ['changes.csv', 'methods.md', 'summary.json', 'README.txt']
    """
    frames = comparison_frames(comparison)
    files = table_files(frames)
    files |= told_files(comparison_in_words(comparison), options, comparison_summary(comparison))
    factors = {
        f"change_{name}": Column("factor", f"by which its conductance of {name} was multiplied")
        for name in comparison.neuron.channel_names
    }
    tables = {f"{name}.csv": (_TABLES[name], map(str, frame.columns)) for name, frame in frames.items()}
    others = {
        "methods.md": "How it was done, with references (Markdown).",
        "summary.json": "Versions, options and what was found, for programs.",
    }
    files["README.txt"] = guide_of_tables(tables, _COLUMNS | factors, others).encode()
    return files


def comparison_in_words(comparison: Comparison) -> str:
    """Return how two recordings were compared and what was found, as Markdown with its references.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.comparisons import comparison_in_words
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[3], "stg", size=0)
    >>> "## References" in comparison_in_words(found)
    True
    """
    cited, made = Citations(), comparison.made_by
    neuron, learned = comparison.neuron, made["learned"]
    one, other = plain(comparison.before.id), plain(comparison.after.id)
    tested = learned["tested"]
    said = [
        f"What changed between the recordings “{one}” and “{other}” was inferred with spike2pop_nb "
        f"{versions()['spike2pop_nb']}, taking the cell for a {plain(neuron.title)} "
        f"{cited.mark(BRANDOIT)}. A perceptron on interval statistics of both recordings had learned from "
        f"simulated pairs {cited.mark(CRANMER)}: {learned['members']} neurons, each with one or two of its "
        "maximal conductances multiplied by 0.2 to 3, its constant current or its noise shifted, or nothing "
        "changed, recorded with drift of rate, jitter, and spikes missing or false. Its probabilities were "
        f"calibrated on pairs of other neurons; on {tested['pairs']} further pairs the most probable "
        f"candidate had changed in {percent(tested['first'])}, one of the three most probable in "
        f"{percent(tested['among_three'])}, and sets of explanations of 80 % held the true one in "
        f"{percent(tested['in_set'])}."
    ]
    if comparison.known:
        said.append(
            f"Of the second recording it was known: {plain(comparison.known.describe()[:-1])}; what is told "
            "is what changed beyond. The same was done to all members below."
        )
    if (pairs := comparison.pairs) is not None:
        alike = int(pairs.table["fires_alike"].sum())
        said.append(
            "Members that fire like the first recording, within its own variability (block bootstrap "
            f"{cited.mark(KUNSCH)}), were found by differential evolution {cited.mark(STORN, ZHANG)}; in "
            "each the smallest change was sought, with the same noise, with which it fires like the second. "
            f"Of {count(len(pairs.table), 'member')}, {alike} do so before and after; dynamic input "
            f"conductances {cited.mark(DRION)} of all are reported for both."
        )
    said.append(_found(comparison))
    return f"{' '.join(said)}\n\n## References\n\n{cited.listed()}"


def _found(comparison: Comparison) -> str:
    first = comparison.table.iloc[0]
    if comparison.verdict == "unchanged":
        return f"Nothing was found to have changed (probability {percent(comparison.unchanged)})."
    if comparison.verdict == "changed":
        low, high = float(first["low"]), float(first["high"])
        by = f"{figure(float(first['median']))} (80 % interval {interval(*np.sort([low, high]))})"
        what = f"factor {by}" if first["unit"] == "factor" else f"shift of {by} {first['unit']}"
        return f"Most probably {first['what']} changed (probability {percent(first['probability'])}; {what})."
    rows = comparison.table.head(3)
    named = [f"{row['what']} ({percent(row['probability'])})" for _i, row in rows.iterrows()]
    return f"Which conductance changed could not be told; the most probable were {series(named)}."


def write_comparison(comparison: Comparison, out_dir: str | Path, options: Mapping[str, Any]) -> list[Path]:
    """Write a comparison into a folder: its tables, ``methods.md``, ``summary.json`` and ``README.txt``.

    Parameters
    ----------
    comparison
        What was found.
    out_dir
        Made if it is not there; files of the same names are replaced.
    options
        What was chosen, for ``summary.json``.

    Raises
    ------
    Spike2PopError
        If the folder cannot be written to.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import write_comparison
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))
    >>> found = s2p.compare_recordings(trains[2], trains[3], "stg", size=0)
    >>> [file.name for file in write_comparison(found, mkdtemp(), {})]
    ['changes.csv', 'methods.md', 'summary.json', 'README.txt']
    """
    files, out = comparison_files(comparison, options), make_folder(Path(out_dir))
    if "pairs.csv" not in files:  # of an earlier comparison
        (out / "pairs.csv").unlink(missing_ok=True)
    return write_files(out, files)
