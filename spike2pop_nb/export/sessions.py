"""A session opened again from one file.

What the network said is not in it: the network is asked again, and only taken where it is the one that was
asked before.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError

from spike2pop_nb.conductances import Population
from spike2pop_nb.conductances.member_table import neuron_of
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import Doses, Experiment, Protocol
from spike2pop_nb.export.archive import SESSION, is_session
from spike2pop_nb.export.saving import (
    COUNTS,
    FILE,
    FLAGS,
    NUMBERS,
    RUN,
    TEXTS,
    WORDS,
    Asked,
    Entry,
    Story,
)
from spike2pop_nb.fidelity import DrawnPosterior, MemberPrior, PassRule, Result, Variability, Verdict
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import MAX_FILE_BYTES, Provenance, SpikeTrain, features
from spike2pop_nb.spiketrains.readers.archive import Archive
from spike2pop_nb.spiketrains.readers.raw import Source

__all__ = ["SavedSession", "open_session"]

Predict = Callable[[NeuronModel, SpikeTrain, str, float | None], Any]


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
    posteriors
        Of each result, that drawn for its recording; None for none.
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
    posteriors: list[DrawnPosterior | None] = field(default_factory=list)
    settings: str = ""
    file: tuple[str, bytes] | None = None


def asked_again(neuron: NeuronModel, train: SpikeTrain, prior: str, current: float | None) -> Any:
    """Return what the network says of a recording."""
    from spike2pop_nb.inference import attempt_predictions, load_predictor  # PyTorch takes seconds to import

    return attempt_predictions(load_predictor(neuron.name, current=current), [train], prior=prior)[0]


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
        Called with a neuron, a recording, a prior and a known current (µA/cm², or None) for what the network
        says.

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
        story = Story.model_validate_json(archive.read(SESSION))
        file = None if story.file is None else (story.file, archive.read(FILE))
        results = [_result(archive, entry, name, predict) for entry in story.results]
        done = [_asked(archive, *both) for both in zip(story.results, results, strict=True)]
        drawn = [_drawn(archive, *both, name) for both in zip(story.results, results, strict=True)]
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
    return SavedSession(results, priors, done, drawn, story.settings, file)


def _result(archive: Archive, entry: Entry, name: str, predict: Predict) -> Result:
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
        **{key: getattr(entry, key) for key in (*COUNTS, *WORDS)},
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
    kinds = {**dict.fromkeys(TEXTS, "OTU"), **dict.fromkeys(FLAGS, "b")}
    kinds_of = {column: scores[column].dtype.kind for column in entry.scores}
    if not wanted <= set(kinds_of) or any(kind not in kinds.get(c, "fi") for c, kind in kinds_of.items()):
        raise Spike2PopError(
            f"{name} is a damaged file of a session (scores of {train.id!r}); save it again."
        )
    n, reasons = len(population), {int(row): why for row, why in entry.run.failed.items()}
    simulated = _simulated(
        population,
        _spikes(archive, f"{entry.folder}/", n),
        np.isin(np.arange(n), list(reasons)),
        {key: getattr(entry.run, key) for key in RUN},
        reasons=reasons,
        noise_sigma=population.noise_sigma,
    )
    rule = Variability(**entry.rule) if "wanted" in entry.rule else PassRule(**entry.rule)
    return replace(
        result,
        population=population,
        unrefined=unrefined,
        simulated=simulated,
        verdict=Verdict(features(train), scores, rule),
    )


def _asked(archive: Archive, entry: Entry, result: Result) -> list[Experiment]:
    """Experiments done on the population of a result."""
    population = result.population
    if population is None:
        return []
    return [
        _experiment(archive, f"{entry.folder}/asked{k}_", said, population)
        for k, said in enumerate(entry.experiments)
    ]


def _experiment(archive: Archive, whose: str, said: Asked, population: Population) -> Experiment:
    numbers = [member for _, member in population.labels]
    members = population.select([numbers.index(member) for member in said.members])
    protocols = {name: Protocol.from_dict(values) for name, values in said.protocols.items()}
    n, k, run = len(members), len(protocols), said.made_by
    begin = float(run["transient_ms"])
    failed = archive.array(f"{whose}failed.npy", "failed")
    simulated = _simulated(
        members,
        [times + begin for times in _spikes(archive, whose, n * k)],
        np.asarray(failed, dtype=bool).T.reshape(n * k),
        {name: run[name] for name in RUN} | {"duration_ms": float(run["duration_ms"]) + begin},
    )
    doses = None if said.doses is None else Doses.from_dict(said.doses)
    found = Experiment.judged(members, protocols, doses, simulated, run, traces=False)
    # what only voltages tell: a block from silence, and when one ran away
    known = {
        "crash": np.array(said.crash, dtype=object),
        "crash_ms": archive.array(f"{whose}crash_ms.npy", "crash_ms"),
    }
    for name, values in known.items():
        if values.shape != (n, k):
            raise ValueError("members and conditions differ")
        found.data[name] = found.data[name].copy(data=values)
    return found


def _drawn(archive: Archive, entry: Entry, result: Result, name: str) -> DrawnPosterior | None:
    """Return the posterior that was drawn for the recording of a result."""
    said = entry.drawn
    if said is None:
        return None
    table = _table(archive, f"{entry.folder}/drawn.parquet")
    population = _population(table, result.neuron, result.recording, said.made_by, name)
    spikes = _spikes(archive, f"{entry.folder}/drawn_", len(population))
    prior = MemberPrior(population.neuron, said.period_ms, said.current)
    if not set(prior.columns) <= set(population.table.columns):
        raise ValueError("members without what the prior has")
    numbers = {key: getattr(said, key) for key in NUMBERS}
    return DrawnPosterior(result.recording, prior, population, spike_times_ms=spikes, **numbers)


def _posterior(entry: Entry, neuron: NeuronModel, train: SpikeTrain, predict: Predict) -> Any:
    """What the network says, if it is the one that was asked."""
    if entry.prior is None:
        return None
    try:
        found = predict(neuron, train, entry.prior, entry.options.get("current"))
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


def _spikes(archive: Archive, whose: str, n: int) -> list[npt.NDArray[np.float64]]:
    """Return the trains of n members whose files begin so."""
    times, counts = _floats(archive, f"{whose}spikes.npy"), archive.array(f"{whose}counts.npy", "counts")
    if counts.shape != (n,) or counts.dtype.kind != "i":
        raise ValueError("counts and members differ")
    if (counts < 0).any() or (counts > len(times)).any() or counts.sum() != len(times):
        raise ValueError("spikes and members differ")
    spikes = [part.copy() for part in np.split(times, np.cumsum(counts)[:-1])]
    if not all(np.isfinite(one).all() and (np.diff(one) > 0).all() for one in spikes):
        raise ValueError("spikes that do not follow each other")
    return spikes


def _simulated(
    population: Population,
    spikes: list[npt.NDArray[np.float64]],
    failed: npt.NDArray[np.bool_],
    run: Mapping[str, Any],
    **more: Any,
) -> Simulated:
    """Return what a simulation gave, but for voltages; of members once or under several conditions."""
    return Simulated(
        neuron=population.neuron,
        labels=population.labels * (len(spikes) // len(population)),
        spike_times_ms=spikes,
        failed=failed,
        time_ms=np.zeros(0),
        V_mV=np.zeros((len(spikes), 0), dtype=np.float32),
        **run,
        **{"reasons": {}, **more},
    )
