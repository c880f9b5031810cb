"""Experiments on populations as files and in words: tables, figures, a summary, a methods text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb import plots
from spike2pop_nb.conductances import neuron_cells
from spike2pop_nb.errors import ExperimentError, Spike2PopError
from spike2pop_nb.experiments import (
    CONTROL,
    Experiment,
    Prediction,
    dose_response,
    f_I_curve,
    most_split,
    split,
    who_crashes,
)
from spike2pop_nb.export.figures import ColumnWidth, FigureFormat, drawn_files, drawn_formats
from spike2pop_nb.export.formatting import figure, plain, series
from spike2pop_nb.export.provenance import told_files
from spike2pop_nb.export.tables import table_files
from spike2pop_nb.files import write_files
from spike2pop_nb.plots.drawing import Drawing

__all__ = [
    "EXPERIMENT_FIGURES",
    "experiment_figures",
    "experiment_files",
    "experiment_frames",
    "experiment_summary",
    "experiment_title",
    "experiments_in_words",
    "write_experiments",
]

EXPERIMENT_FIGURES: dict[str, tuple[ColumnWidth, str]] = {
    "dose_response": ("one", "share of members that keep their rhythm, and firing patterns, over the doses"),
    "raster": ("two", "spikes of members under each condition"),
    "before_and_after": ("two", "voltages of up to eight members in the control and under a condition"),
    "f_I_curves": ("one", "firing rate of every member over the injected current"),
    "who_crashes": ("one", "conductances ranked by how well they tell who loses the rhythm (AUROC)"),
    "conductances": (
        "two",
        "maximal conductances of members that keep their rhythm, and of those that do not",
    ),
}
"""Width and content of each figure of an experiment."""
_MOST_TRACES, _SHOWN_MS = 8, 2000.0
_TELLING = 0.05  # q up to which a conductance tells


def experiment_title(experiment: Experiment) -> str:
    """Return what was done in an experiment, briefly: what its doses are, or its conditions.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> from spike2pop_nb.export import experiment_title
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=2, seed=1)
    >>> experiment_title(s2p.run_experiment(population, block("A", 0.5), duration_ms=500, transient_ms=100))
    'A −50 %'
    """
    if experiment.doses is not None:
        return experiment.doses.what
    return ", ".join(name for name in experiment.conditions if name != CONTROL) or CONTROL


def experiment_frames(experiments: Sequence[Experiment]) -> dict[str, pd.DataFrame]:
    """Return the tables of some experiments.

    ``members`` has a row for each member under each condition, ``doses`` for each condition how many fire in
    which pattern and keep their rhythm, ``who_crashes`` for each conductance how well it tells who loses it,
    ``f_I`` the rate of each member at each current. Tables without rows are left out.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> from spike2pop_nb.export import experiment_frames
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=2, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=500, transient_ms=100)
    >>> len(experiment_frames([found])["members"])
    4
    """
    parts: dict[str, list[pd.DataFrame]] = {"members": [], "doses": [], "who_crashes": [], "f_I": []}
    for experiment in experiments:
        title, ids = experiment_title(experiment), _ids(experiment)
        parts["members"].append(experiment.to_frame().assign(experiment=title))
        counts = split(experiment)
        kinds = counts.columns.drop(["condition", "dose", "kept", "entropy_bits"])
        counts = counts.rename(columns={kind: f"n_{kind.replace(' ', '_')}" for kind in kinds})
        parts["doses"].append(counts.assign(experiment=title, id=ids))
        for condition in experiment.conditions[1:]:
            try:
                ranked = who_crashes(experiment, condition)
            except ExperimentError:
                continue  # all or none
            ranked = ranked.rename(columns={"crashed": "g_of_crashed", "kept": "g_of_kept"})
            parts["who_crashes"].append(ranked.assign(experiment=title, id=ids, condition=condition))
        try:
            rates = f_I_curve(experiment).to_frame()
        except ExperimentError:
            continue  # no currents
        names = [name for name, _member in experiment.population.labels]
        rates["id"] = np.repeat(np.array(names, dtype=object), len(rates) // len(experiment))
        parts["f_I"].append(rates.assign(experiment=title))
    frames = {}
    for name, found in parts.items():
        if found:
            table = pd.concat(found, ignore_index=True)
            counted = [column for column in table.columns if column.startswith("n_") and name == "doses"]
            table = table.fillna(dict.fromkeys(counted, 0)).astype(dict.fromkeys(counted, int))
            first = [column for column in ("experiment", "id", "member", "condition") if column in table]
            frames[name] = table[[*first, *table.columns.drop(first)]]
    return frames


def _ids(experiment: Experiment) -> str:
    """Names of the recordings whose members they are."""
    return ", ".join(dict.fromkeys(str(name) for name, _ in experiment.population.labels))


def experiment_summary(experiment: Experiment) -> dict[str, Any]:
    """Return what was done and what became of it, for programs: protocols, how many keep their rhythm.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> from spike2pop_nb.export import experiment_summary
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=2, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=500, transient_ms=100)
    >>> experiment_summary(found)["conditions"][1]["protocol"]
    {'actions': [{'kind': 'block', 'channel': 'A', 'blocked': 0.5}]}
    """
    counts, data = split(experiment), experiment.data
    kinds = counts.columns.drop(["condition", "dose", "kept", "entropy_bits"])
    conditions = []
    for at, (name, protocol) in enumerate(experiment.protocols.items()):
        crashes = pd.Series(data["crash"].values[:, at]).value_counts()
        dose = float(data["dose"].values[at])
        conditions.append(
            {
                "condition": name,
                "dose": dose if np.isfinite(dose) else None,
                "protocol": protocol.to_dict(),
                "words": protocol.describe(),
                "judged_ms": [float(data["from_ms"].values[at]), float(data["to_ms"].values[at])],
                "patterns": {str(kind): int(counts[kind][at]) for kind in kinds if counts[kind][at]},
                "kept": int(counts["kept"][at]),
                "crashed": {str(how): int(n) for how, n in crashes.items() if how},
                "entropy_bits": float(counts["entropy_bits"][at]),
            }
        )
    entry: dict[str, Any] = {
        "experiment": experiment_title(experiment),
        "recordings": _ids(experiment),
        "neuron": neuron_cells(experiment.population.neuron),
        "members": len(experiment),
        "made_by": dict(experiment.made_by),
        "conditions": conditions,
    }
    if experiment.doses is not None:
        response = dose_response(experiment)
        entry["half_lost_at"] = response.half if np.isfinite(response.half) else None
        entry["message"] = response.describe()
    condition = most_split(experiment)
    try:
        first = who_crashes(experiment, condition).iloc[0]
    except ExperimentError:
        return entry
    entry["most_telling"] = {
        "condition": condition,
        "channel": str(first["channel"]),
        **{name: float(first[name]) for name in ("auroc", "p", "q")},
    }
    return entry


def experiment_figures(
    experiment: Experiment, formats: Sequence[FigureFormat] = ("svg", "png"), *, condition: str | None = None
) -> dict[str, bytes]:
    """Draw the `EXPERIMENT_FIGURES` that there are of an experiment.

    Parameters
    ----------
    experiment
        What was done.
    formats
        Of "svg", "png" and "pdf".
    condition
        Of which members are shown; the one that splits them most evenly by default.

    Returns
    -------
    dict
        ``{"raster.svg": content, …}``.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> from spike2pop_nb.export import experiment_figures
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=2, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=500, transient_ms=100)
    >>> "raster.svg" in experiment_figures(found, ["svg"])
    True
    """
    files: dict[str, bytes] = {}
    for name, drawing in _drawings(experiment, condition or most_split(experiment)).items():
        if not drawing.empty:
            files |= drawn_files(name, drawing, formats, EXPERIMENT_FIGURES[name][0])
    return files


def _drawings(experiment: Experiment, condition: str) -> dict[str, Drawing]:
    rows = list(range(min(_MOST_TRACES, len(experiment))))
    return {
        "dose_response": plots.dose_response.drawing(experiment, 300),
        "raster": plots.experiment_raster.drawing(experiment),
        "before_and_after": plots.before_and_after.drawing(
            experiment, condition, rows=rows, until_ms=_SHOWN_MS
        ),
        "f_I_curves": plots.f_I_curves.drawing(experiment, 300),
        "who_crashes": plots.who_crashes.drawing(experiment, condition),
        "conductances": plots.conductances.drawing(
            experiment.population, experiment.kept(condition), most=400, words=plots.KEPT_OR_LOST
        ),
    }


def experiment_files(
    experiments: Sequence[Experiment], formats: Sequence[str] = ("csv", "svg", "png")
) -> dict[str, bytes]:
    """Return tables and figures of experiments as files, by name.

    Parameters
    ----------
    experiments
        What was done.
    formats
        "csv" and "parquet" of tables; "svg", "png" and "pdf" of figures, which lie in a folder for each
        experiment. Others are passed over.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> from spike2pop_nb.export import experiment_files
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=2, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=500, transient_ms=100)
    >>> list(experiment_files([found], ["csv"]))[:2]
    ['members.csv', 'doses.csv']
    """
    files = table_files(experiment_frames(experiments), formats)
    drawn = drawn_formats(formats)
    for place, experiment in enumerate(experiments, 1) if drawn else ():
        title = experiment_title(experiment).replace("µ", "u")
        slug = re.sub(r"[^A-Za-z0-9]+", "_", title)[:40].strip("_")
        for name, content in experiment_figures(experiment, drawn).items():
            files[f"figures/{place:02d}_{slug}/{name}"] = content
    return files


def experiments_in_words(experiments: Sequence[Experiment], predictions: Sequence[Prediction] = ()) -> str:
    """Return a paragraph for each experiment, as Markdown: what was done, how it was judged, what came of it.

    How the cell was predicted by them stands in one more, if it was.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> from spike2pop_nb.export.experiments import experiments_in_words
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=2, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=500, transient_ms=100)
    >>> "50 % of A is blocked throughout" in experiments_in_words([found])
    True
    """
    several = len({name for one in experiments for name, _ in one.population.labels}) > 1
    paragraphs = []
    for one in experiments:
        ids = dict.fromkeys(str(name) for name, _ in one.population.labels)
        whose = f"Of the recording “{plain(next(iter(ids)))}”: " if several and len(ids) == 1 else ""
        paragraphs.append(f"{whose}{plain(one.methods())} {_became(one)}".rstrip())
    if predictions:
        paragraphs.append(plain(predictions[0].methods()))
    return "\n\n".join(paragraphs)


def _became(experiment: Experiment) -> str:
    n, conditions = len(experiment), experiment.conditions[1:]
    if not conditions:
        return ""
    kept = [int(experiment.kept(name).sum()) for name in conditions]
    if experiment.doses is not None:
        response = dose_response(experiment)
        said = f"Of {n} members, {series([str(k) for k in kept])} kept their rhythm at these doses"
        if np.isfinite(response.half):
            said += f"; half had lost it at {figure(response.half)} (linear between doses)"
    else:
        named = series([f"{k} under “{plain(name)}”" for k, name in zip(kept, conditions, strict=True)])
        said = f"Of {n} members, {named} kept their rhythm"
    condition = most_split(experiment)
    try:
        first = who_crashes(experiment, condition).iloc[0]
    except ExperimentError:
        return f"{said}."
    way = "more" if first["auroc"] > 0.5 else "less"
    where, q = plain(experiment.protocols[condition].label), float(first["q"])
    told = (
        f"those that lost it were told best by their g_{first['channel']}, of which they had {way}"
        if q <= _TELLING
        else f"no conductance told those that lost it beyond chance; the best was g_{first['channel']}"
    )
    return (
        f"{said}. Under “{where}” {told} (AUROC {figure(float(first['telling']))}; Mann–Whitney, "
        f"q = {figure(q, 2)} with the false discovery rate over all conductances)."
    )


def write_experiments(
    experiments: Sequence[Experiment],
    out_dir: str | Path,
    options: Mapping[str, Any],
    *,
    formats: Sequence[str] = ("csv", "svg", "png"),
    predictions: Sequence[Prediction] = (),
) -> list[Path]:
    """Write experiments into a folder: tables, figures, ``summary.json`` and ``methods.md``.

    Parameters
    ----------
    experiments
        What was done.
    out_dir
        Made if it is not there; files of the same names are replaced.
    options
        What was chosen, for ``summary.json``.
    formats
        As in `experiment_files`.
    predictions
        What each of them predicts, for ``predictions.csv``.

    Raises
    ------
    Spike2PopError
        If there is no experiment, or the folder cannot be written to.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block
    >>> from spike2pop_nb.export import write_experiments
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=2, seed=1)
    >>> found = s2p.run_experiment(population, block("A", 0.5), duration_ms=500, transient_ms=100)
    >>> [file.name for file in write_experiments([found], mkdtemp(), {}, formats=["csv"])]
    ['members.csv', 'doses.csv', 'methods.md', 'summary.json']
    """
    if not experiments:
        raise Spike2PopError("There are no experiments to write: run one first.")
    files = experiment_files(experiments, formats)
    if predictions:
        tables = [one.to_frame().assign(experiment=experiment_title(one.experiment)) for one in predictions]
        files |= table_files({"predictions": pd.concat(tables, ignore_index=True)})
    told = {"experiments": [experiment_summary(experiment) for experiment in experiments]}
    files |= told_files(experiments_in_words(experiments, predictions), options, told)
    return write_files(Path(out_dir), files)
