"""A session in one file: recordings, populations, spikes, verdicts and settings, to be opened again.

The file is a zip archive of JSON, Parquet and NPY, so that reading one runs nothing that it holds. Voltages
are left out, since they are many times as large as all the rest and can be simulated again; so is what the
network says, which is asked again and only taken where it is the network that was asked before.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from spike2pop_nb.conductances import Population, neuron_cells
from spike2pop_nb.conductances.member_table import neuron_of
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import Experiment
from spike2pop_nb.export.archive import SESSION, is_session, packed
from spike2pop_nb.export.files import write_whole
from spike2pop_nb.export.provenance import network_of, versions
from spike2pop_nb.export.saved_experiments import Asked, described, restored, spikes_of
from spike2pop_nb.export.tables import table_parquet
from spike2pop_nb.fidelity import PassRule, Result, Verdict
from spike2pop_nb.inference import Posterior
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import MAX_FILE_BYTES, Provenance, SpikeTrain, features
from spike2pop_nb.spiketrains.readers.archive import Archive
from spike2pop_nb.spiketrains.readers.raw import Source

__all__ = ["SavedSession", "open_session", "save_session", "session_zip"]

_FILE = "recordings"
_COUNTS = ("n_asked", "n_tried", "n_passed", "n_simulated", "n_crosses", "n_late")
_WORDS = ("usable", "outcome", "reasons", "cancelled", "exhausted", "failure", "options")
_RUN = ("duration_ms", "transient_ms", "dt_ms", "accuracy")
_TEXTS, _FLAGS = ("pattern", "reasons"), ("passed",)

Predict = Callable[[NeuronModel, SpikeTrain, str], Any]


@dataclass(frozen=True)
class SavedSession:
    """What a file of a session holds.

    Attributes
    ----------
    results
        As they were, without voltages; ``posterior`` is None where another network would be asked today.
    priors
        Of each result, the prior that the network was asked under, or "".
    experiments
        Of each result, those done on its population, without voltages.
    settings
        JSON text of what was chosen on the page, or "".
    file
        Name and contents of the file that the recordings were read from; None if it was not kept.

    Examples
    --------
    >>> from spike2pop_nb.export import SavedSession
    >>> SavedSession().results
    []
    """

    results: list[Result] = field(default_factory=list)
    priors: list[str] = field(default_factory=list)
    experiments: list[list[Experiment]] = field(default_factory=list)
    settings: str = ""
    file: tuple[str, bytes] | None = None


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Run(_Checked):
    duration_ms: float = Field(gt=0, allow_inf_nan=False)
    transient_ms: float = Field(ge=0, allow_inf_nan=False)
    dt_ms: float = Field(gt=0, allow_inf_nan=False)
    accuracy: str
    failed: dict[str, str]


class _Train(_Checked):
    id: str
    window_ms: tuple[FiniteFloat, FiniteFloat] | None = Field(strict=False)
    provenance: dict[str, str] | None


class _Entry(_Checked):
    """What is said of one result; its tables and spikes lie in ``folder``."""

    folder: str
    recording: _Train
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
    rule: dict[str, float] | None
    scores: list[str]
    run: _Run | None
    experiments: list[Asked] = []


class _Story(_Checked):
    spike2pop_session: int = Field(ge=1, le=1)
    versions: dict[str, str]
    file: str | None
    settings: str
    results: list[_Entry]


def session_zip(
    results: Sequence[Result],
    *,
    settings: str = "",
    file: tuple[str, bytes] | None = None,
    experiments: Sequence[Sequence[Experiment]] = (),
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
        entries.append({**_entry(result, folder), "experiments": [described(one) for one in done]})
        files |= {f"{folder}/{name}": content for name, content in _contents(result).items()}
        for k, one in enumerate(done):
            files |= {f"{folder}/asked{k}_{name}.npy": _npy(array) for name, array in spikes_of(one).items()}
    if file is not None:
        files[_FILE] = file[1]
    story = {
        "spike2pop_session": 1,
        "versions": versions(),
        "file": None if file is None else file[0],
        "settings": settings,
        "results": entries,
    }
    files[SESSION] = json.dumps(story, indent=1, ensure_ascii=False, default=_plain).encode()
    return packed(files)


def _plain(value: Any) -> Any:
    """Numbers of NumPy, tuples and what else describes itself, as JSON has them."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


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
        **{name: getattr(result, name) for name in (*_COUNTS, *_WORDS)},
        "made_by": dict(result.population.made_by) if result.population is not None else {},
        "unrefined_by": dict(result.unrefined.made_by) if result.unrefined is not None else {},
        "rule": result.verdict.rule.model_dump() if made and result.verdict is not None else None,
        "scores": _scores(result.verdict) if made and result.verdict is not None else [],
        "run": {name: getattr(run, name) for name in _RUN}
        | {"failed": {str(row): run.reasons.get(row, "") for row in np.flatnonzero(run.failed).tolist()}}
        if made
        else None,
    }


def _scores(verdict: Verdict) -> list[str]:
    return [str(name) for name in verdict.table.columns.drop(["id", "member"])]


def _contents(result: Result) -> dict[str, bytes]:
    files = {"recording.npy": _npy(result.recording.times_ms)}
    population, simulated, verdict = result.population, result.simulated, result.verdict
    if population is None or simulated is None or verdict is None:
        return files
    scores = verdict.table[_scores(verdict)]
    files["population.parquet"] = table_parquet(pd.concat([population.to_frame(), scores], axis=1))
    spikes = simulated.spike_times_ms
    files["spikes.npy"] = _npy(np.concatenate([np.zeros(0), *spikes]))
    files["counts.npy"] = _npy(np.array([len(times) for times in spikes], dtype=np.int64))
    if result.unrefined is not None:
        files["unrefined.parquet"] = table_parquet(result.unrefined.to_frame())
    return files


def _npy(array: npt.NDArray[Any]) -> bytes:
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
) -> None:
    """Write results into one file, from which `open_session` and the page restore them without a search.

    Parameters
    ----------
    path
        Best with the ending .s2p.zip; a file of this name is replaced.
    results, settings, file, experiments
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
    write_whole(Path(path), session_zip(results, settings=settings, file=file, experiments=experiments))


def asked_again(neuron: NeuronModel, train: SpikeTrain, prior: str) -> Any:
    """Return what the network says of a recording."""
    from spike2pop_nb.inference import attempt_predictions, load_predictor  # PyTorch takes seconds to import

    return attempt_predictions(load_predictor(neuron.name), [train], prior=prior)[0]


def open_session(
    source: str | Path | bytes, *, name: str = "The file", predict: Predict = asked_again
) -> SavedSession:
    """Read a file of `save_session`; nothing is searched or simulated.

    Parameters
    ----------
    source
        Path, or the content.
    name
        What messages call the content.
    predict
        Called with a neuron, a recording and a prior for what the network says.

    Raises
    ------
    Spike2PopError
        If it is no such file, or damaged, or of a neuron that is not registered or was declared otherwise.

    Examples
    --------
    >>> from spike2pop_nb.export import open_session, session_zip
    >>> open_session(session_zip([], settings="{}")).settings
    '{}'
    """
    if isinstance(source, bytes):
        data = source
    else:
        name = Path(source).name
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise Spike2PopError(f"{name} cannot be read: {error.strerror or error}.") from None
    if not is_session(data) or len(data) > MAX_FILE_BYTES:
        raise Spike2PopError(f"{name} is no file of a session; choose one that was saved as such.")
    try:
        archive = Archive(Source(name, data))
        story = _Story.model_validate_json(archive.read(SESSION))
        file = None if story.file is None else (story.file, archive.read(_FILE))
        results = [_result(archive, entry, name, predict) for entry in story.results]
        done = [_asked(archive, *both) for both in zip(story.results, results, strict=True)]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))[:60]
        raise Spike2PopError(
            f"{name} is a damaged file of a session ({where}: {first['msg'][:100].lower()}); save it again."
        ) from None
    except Spike2PopError as error:
        raise (error if name in str(error) else Spike2PopError(f"{name}: {error}")) from None
    except Exception as error:  # what is damaged fails in many ways, all meaning the same
        raise Spike2PopError(
            f"{name} is a damaged file of a session ({type(error).__name__}); save it again."
        ) from None
    priors = [entry.prior or "" for entry in story.results]
    return SavedSession(results, priors, done, story.settings, file)


def _result(archive: Archive, entry: _Entry, name: str, predict: Predict) -> Result:
    said = entry.recording
    train = SpikeTrain(
        said.id,
        _floats(archive, f"{entry.folder}/recording.npy"),
        said.window_ms,
        None if said.provenance is None else Provenance(**said.provenance),
    )
    neuron = neuron_of(pd.DataFrame([entry.neuron]), None, name)
    result = Result(
        train,
        neuron,
        _posterior(entry, neuron, train, predict),
        **{key: getattr(entry, key) for key in (*_COUNTS, *_WORDS)},
    )
    if entry.run is None or entry.rule is None:
        return replace(result, usable=False)
    table = _table(archive, f"{entry.folder}/population.parquet")
    population = _population(table, neuron, train, entry.made_by, name)
    unrefined = None
    if (path := f"{entry.folder}/unrefined.parquet") in archive.names:
        unrefined = _population(_table(archive, path), neuron, train, entry.unrefined_by, name)
    scores = table[["id", "member", *entry.scores]].astype({"id": str})
    wanted = {"score", "passed", "pattern", "rate_hz", "reasons"}
    kinds = {**dict.fromkeys(_TEXTS, "OTU"), **dict.fromkeys(_FLAGS, "b")}
    kinds_of = {column: scores[column].dtype.kind for column in entry.scores}
    if not wanted <= set(kinds_of) or any(kind not in kinds.get(c, "fi") for c, kind in kinds_of.items()):
        raise Spike2PopError(
            f"{name} is a damaged file of a session (scores of {train.id!r}); save it again."
        )
    return replace(
        result,
        population=population,
        unrefined=unrefined,
        simulated=_simulated(archive, entry, entry.run, population),
        verdict=Verdict(features(train), scores, PassRule(**entry.rule)),
    )


def _asked(archive: Archive, entry: _Entry, result: Result) -> list[Experiment]:
    """Experiments done on the population of a result."""

    def read(name: str) -> npt.NDArray[Any]:
        return archive.array(f"{entry.folder}/{name}.npy", name)

    found: list[Experiment] = []
    for k, said in enumerate(entry.experiments if result.population is not None else ()):
        found.append(restored(said, result.population, lambda name, k=k: read(f"asked{k}_{name}")))  # type: ignore[arg-type, misc]
    return found


def _posterior(entry: _Entry, neuron: NeuronModel, train: SpikeTrain, predict: Predict) -> Any:
    """What the network says, if it is the one that was asked."""
    if entry.prior is None:
        return None
    try:
        found = predict(neuron, train, entry.prior)
    except Spike2PopError:  # there is no network of it here
        return None
    network = getattr(found, "network", None)
    return found if (None if network is None else network.sha256) == entry.network else None


def _population(
    table: pd.DataFrame, neuron: NeuronModel, train: SpikeTrain, made_by: Mapping[str, Any], name: str
) -> Population:
    found = replace(Population.from_frame(table, neuron, file=name), made_by=made_by)
    if found.labels != [(train.id, member) for member in range(len(found))]:
        raise Spike2PopError(
            f"{name} is a damaged file of a session (members of {train.id!r}); save it again."
        )
    return found


def _table(archive: Archive, path: str) -> pd.DataFrame:
    import pyarrow.parquet as pq

    # by its columns alone: what else the file says of them is not looked at
    return pq.read_table(io.BytesIO(archive.read(path))).to_pandas(ignore_metadata=True)


def _floats(archive: Archive, path: str) -> npt.NDArray[np.float64]:
    array = archive.array(path, path)
    if array.dtype != np.float64 or array.ndim != 1:
        raise ValueError("not a list of times")
    return array.copy()


def _simulated(archive: Archive, entry: _Entry, run: _Run, population: Population) -> Simulated:
    n = len(population)
    times, counts = (archive.array(f"{entry.folder}/{part}.npy", part) for part in ("spikes", "counts"))
    if counts.shape != (n,) or counts.dtype.kind != "i" or times.dtype != np.float64 or times.ndim != 1:
        raise ValueError("spikes and members differ")
    if (counts < 0).any() or (counts > len(times)).any() or counts.sum() != len(times):
        raise ValueError("spikes and members differ")
    spikes = [part.copy() for part in np.split(times, np.cumsum(counts)[:-1])]
    if not all(np.isfinite(one).all() and (np.diff(one) > 0).all() for one in spikes):
        raise ValueError("spikes that do not follow each other")
    reasons = {int(row): why for row, why in run.failed.items()}
    return Simulated(
        neuron=population.neuron,
        labels=population.labels,
        spike_times_ms=spikes,
        failed=np.isin(np.arange(n), list(reasons)),
        reasons=reasons,
        time_ms=np.zeros(0),
        V_mV=np.zeros((n, 0), dtype=np.float32),
        **{key: getattr(run, key) for key in _RUN},
        noise_sigma=np.zeros(n),
    )
