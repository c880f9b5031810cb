"""A session written into one file: recordings, populations, spikes, verdicts and settings.

The file is a zip archive of JSON, Parquet and NPY, so that reading one runs nothing that it holds. Voltages
are left out, since they are many times as large as all the rest and can be simulated again; so is what the
network says, which is asked again. Of experiments protocols, spikes, and who lost the rhythm are kept, of
posteriors members with weights, what each fires, and how well they are known.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from spike2pop_nb.conductances import neuron_cells
from spike2pop_nb.experiments import Experiment
from spike2pop_nb.export.archive import SESSION, packed
from spike2pop_nb.export.provenance import as_json, network_of, versions
from spike2pop_nb.export.tables import table_parquet
from spike2pop_nb.fidelity import DrawnPosterior, Result, Verdict
from spike2pop_nb.files import write_whole
from spike2pop_nb.inference import Posterior

__all__ = [
    "COUNTS",
    "FILE",
    "FLAGS",
    "NUMBERS",
    "RUN",
    "TEXTS",
    "WORDS",
    "Asked",
    "Drawn",
    "Entry",
    "Run",
    "Story",
    "npy",
    "save_session",
    "session_zip",
]

FILE = "recordings"
COUNTS = ("n_asked", "n_tried", "n_passed", "n_simulated", "n_crosses", "n_late")
WORDS = ("usable", "outcome", "reasons", "cancelled", "exhausted", "failure", "options")
RUN = ("duration_ms", "transient_ms", "dt_ms", "accuracy")
TEXTS, FLAGS = ("pattern", "reasons"), ("passed",)
NUMBERS = ("length_ms", "n_effective", "tolerance", "n_simulated", "within")


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Run(_Checked):
    duration_ms: float = Field(gt=0, allow_inf_nan=False)
    transient_ms: float = Field(ge=0, allow_inf_nan=False)
    dt_ms: float = Field(gt=0, allow_inf_nan=False)
    accuracy: str
    failed: dict[str, str]


class Train(_Checked):
    id: str
    window_ms: tuple[FiniteFloat, FiniteFloat] | None = Field(strict=False)
    provenance: dict[str, str] | None


class Asked(_Checked):
    """What is said of one experiment; its spikes lie beside the population it was done on."""

    members: list[int]
    protocols: dict[str, dict[str, Any]]
    doses: dict[str, Any] | None
    made_by: dict[str, Any]
    crash: list[list[str]]


class Drawn(_Checked):
    """What is said of a posterior; its members and their spikes lie beside it."""

    period_ms: float | None = Field(gt=0, allow_inf_nan=False)
    current: float | None = Field(default=None, allow_inf_nan=False)
    length_ms: float = Field(gt=0, allow_inf_nan=False)
    n_effective: float = Field(ge=0, allow_inf_nan=False)
    tolerance: float = Field(ge=0, allow_inf_nan=False)
    n_simulated: int = Field(ge=0)
    within: float = Field(ge=0, le=1)
    made_by: dict[str, Any]


class Entry(_Checked):
    """What is said of one result; its tables and spikes lie in ``folder``."""

    folder: str
    recording: Train
    neuron: dict[str, Any]
    prior: str | None
    network: str | None
    n_asked: int = Field(ge=0)
    n_tried: int = Field(ge=0)
    n_passed: int = Field(ge=0)
    n_simulated: int = Field(ge=0)
    n_crosses: int = Field(ge=0)
    n_late: int = Field(ge=0)
    usable: bool
    outcome: str
    reasons: dict[str, int]
    cancelled: bool
    exhausted: str
    failure: str
    options: dict[str, Any]
    made_by: dict[str, Any]
    unrefined_by: dict[str, Any]
    rule: dict[str, Any] | None
    scores: list[str]
    run: Run | None
    experiments: list[Asked] = []
    drawn: Drawn | None = None


class Story(_Checked):
    spike2pop_session: int = Field(ge=1, le=1)
    versions: dict[str, str]
    file: str | None
    settings: str
    results: list[Entry]


def session_zip(
    results: Sequence[Result],
    *,
    settings: str = "",
    file: tuple[str, bytes] | None = None,
    experiments: Sequence[Sequence[Experiment]] = (),
    posteriors: Sequence[DrawnPosterior | None] = (),
) -> bytes:
    """Return a session as the content of one file, which `open_session` reads.

    Parameters
    ----------
    results
        Results of `find_population`, also of recordings for which no population was made.
    settings
        JSON text of what was chosen on the page.
    file
        Name and contents of the file that the recordings were read from.
    experiments
        For each result, in their order, those done on its population.
    posteriors
        For each result, in their order, that drawn for its recording; None for none.

    Examples
    --------
    >>> from spike2pop_nb.export import is_session, session_zip
    >>> is_session(session_zip([]))
    True
    """
    files: dict[str, bytes] = {SESSION: b""}  # first, so that the file is known by its beginning
    entries = []
    for place, result in enumerate(results, 1):
        folder = f"populations/{place:04d}"
        done = experiments[place - 1] if len(experiments) >= place and result.population is not None else ()
        entry = {**_entry(result, folder), "experiments": list(map(_experiment_entry, done))}
        contents = _contents(result)
        if len(posteriors) >= place and (drawn := posteriors[place - 1]) is not None:
            entry["drawn"] = _posterior_entry(drawn)
            contents["drawn.parquet"] = table_parquet(drawn.population.to_frame())
            contents |= _spikes(drawn.spike_times_ms, "drawn_")
        for k, one in enumerate(done):
            every = [times for times_of in one.spike_times_ms.values() for times in times_of]
            contents |= _spikes(every, f"asked{k}_")
            for name in ("crash_ms", "failed"):
                contents[f"asked{k}_{name}.npy"] = npy(one.data[name].values)
        entries.append(entry)
        files |= {f"{folder}/{name}": content for name, content in contents.items()}
    if file is not None:
        files[FILE] = file[1]
    story = {
        "spike2pop_session": 1,
        "versions": versions(),
        "file": None if file is None else file[0],
        "settings": settings,
        "results": entries,
    }
    files[SESSION] = json.dumps(story, indent=1, ensure_ascii=False, default=as_json).encode()
    return packed(files)


def _entry(result: Result, folder: str) -> dict[str, Any]:
    train, posterior, run = result.recording, result.posterior, result.simulated
    network = network_of(result)
    made = result.population is not None and run is not None and result.verdict is not None
    return {
        "folder": folder,
        "recording": {
            "id": train.id,
            "window_ms": train.window_ms,
            "provenance": None if train.provenance is None else asdict(train.provenance),
        },
        "neuron": neuron_cells(result.neuron),
        "prior": posterior.prior if isinstance(posterior, Posterior) else None,
        "network": None if network is None else network.sha256,
        **{name: getattr(result, name) for name in (*COUNTS, *WORDS)},
        "made_by": dict(result.population.made_by) if result.population is not None else {},
        "unrefined_by": dict(result.unrefined.made_by) if result.unrefined is not None else {},
        "rule": result.verdict.rule.model_dump() if made and result.verdict is not None else None,
        "scores": _scores(result.verdict) if made and result.verdict is not None else [],
        "run": {name: getattr(run, name) for name in RUN}
        | {"failed": {str(row): run.reasons.get(row, "") for row in np.flatnonzero(run.failed).tolist()}}
        if made
        else None,
    }


def _experiment_entry(experiment: Experiment) -> dict[str, Any]:
    """Return what is said of an experiment, as `Asked` has it."""
    return {
        "members": [int(member) for _, member in experiment.population.labels],
        "protocols": {name: protocol.to_dict() for name, protocol in experiment.protocols.items()},
        "doses": None if experiment.doses is None else experiment.doses.to_dict(),
        "made_by": dict(experiment.made_by),
        "crash": experiment.data["crash"].values.astype(str).tolist(),
    }


def _posterior_entry(drawn: DrawnPosterior) -> dict[str, Any]:
    """Return what is said of a posterior, as `Drawn` has it."""
    numbers = {name: getattr(drawn, name) for name in NUMBERS}
    return {
        "period_ms": drawn.prior.period_ms,
        "current": drawn.prior.current,
        **numbers,
        "made_by": dict(drawn.population.made_by),
    }


def _scores(verdict: Verdict) -> list[str]:
    return [str(name) for name in verdict.table.columns.drop(["id", "member"])]


def _contents(result: Result) -> dict[str, bytes]:
    files = {"recording.npy": npy(result.recording.times_ms)}
    population, simulated, verdict = result.population, result.simulated, result.verdict
    if population is None or simulated is None or verdict is None:
        return files
    scores = verdict.table[_scores(verdict)]
    files["population.parquet"] = table_parquet(pd.concat([population.to_frame(), scores], axis=1))
    files |= _spikes(simulated.spike_times_ms)
    if result.unrefined is not None:
        files["unrefined.parquet"] = table_parquet(result.unrefined.to_frame())
    return files


def _spikes(trains_ms: Sequence[npt.NDArray[np.float64]], whose: str = "") -> dict[str, bytes]:
    """Return trains as a file of all spikes, and one of how many each has."""
    return {
        f"{whose}spikes.npy": npy(np.concatenate([np.zeros(0), *trains_ms])),
        f"{whose}counts.npy": npy(np.array([len(times) for times in trains_ms], dtype=np.int64)),
    }


def npy(array: npt.NDArray[Any]) -> bytes:
    """Return an array as the content of an NPY file."""
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=False)
    return sink.getvalue()


def save_session(
    path: str | Path,
    results: Sequence[Result],
    *,
    settings: str = "",
    file: tuple[str, bytes] | None = None,
    experiments: Sequence[Sequence[Experiment]] = (),
    posteriors: Sequence[DrawnPosterior | None] = (),
) -> None:
    """Write results into one file, from which `open_session` and the page restore them without a search.

    Parameters
    ----------
    path
        Best with the ending .s2p.zip; a file of this name is replaced.
    results, settings, file, experiments, posteriors
        As in `session_zip`.

    Raises
    ------
    Spike2PopError
        If the file cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> path = Path(mkdtemp()) / "cell.s2p.zip"
    >>> s2p.save_session(path, [result])
    >>> s2p.open_session(path).results[0].n_kept_passed
    2
    """
    told: dict[str, Any] = {"settings": settings, "experiments": experiments, "posteriors": posteriors}
    write_whole(Path(path), session_zip(results, file=file, **told))
