"""Many recordings searched, by as many processes as there are, into one folder that can be gone on with."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from spike2pop_nb import __version__
from spike2pop_nb.conductances import DICSampler
from spike2pop_nb.errors import Spike2PopError, WayOut
from spike2pop_nb.export.gathering import found, gather
from spike2pop_nb.export.parts import Found, Parts
from spike2pop_nb.export.results import ExportFormat, check_formats
from spike2pop_nb.fidelity import PassRule, Result, Variability, attempt_population, check_search
from spike2pop_nb.files import check_name, check_room, locked, make_folder, write_whole
from spike2pop_nb.inference import find_atlas, find_network
from spike2pop_nb.inference.published import sha256_of
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.spiketrains import SpikeTrain
from spike2pop_nb.workers import Lost, cores, worked

__all__ = ["Ran", "run_recordings"]

Piece = tuple[int, SpikeTrain, DICSampler | None]
_PREDICTED = 256  # recordings at once
_FOR_A_WORKER = 4  # recordings that pay for starting a process


@dataclass
class Ran:
    """What a run did.

    Attributes
    ----------
    n, n_before, n_done, n_whole
        Recordings; those that were there before; those that are there now; and those of which as many
        members as asked for fire like the recording.
    failed
        Ids of recordings that a fault ended.
    outcomes
        (id, how its search went) of each recording, in their order.

    Examples
    --------
    >>> from spike2pop_nb.export import Ran
    >>> Ran(n=5).failed
    []
    """

    n: int
    n_before: int = 0
    n_done: int = 0
    n_whole: int = 0
    failed: list[str] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)


def run_recordings(
    recordings: Sequence[SpikeTrain],
    neuron: str | NeuronModel,
    out_dir: str | Path,
    *,
    prior: str = "compensated",
    size: int = 16,
    compensate: Sequence[str] | None = None,
    seed: int = 1,
    budget: int | None = None,
    accuracy: str = "standard",
    refine: bool = True,
    rule: PassRule | Variability | Literal["own"] | None = None,
    inhibition: bool | None = None,
    current: float | None = None,
    formats: Sequence[ExportFormat] = ("csv",),
    told: Mapping[str, Any] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    predicted: Callable[[Sequence[SpikeTrain], Any], None] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Ran:
    """Search a population for each of many recordings, and write all of them into a folder.

    Each recording is kept in the folder ``parts`` once it is done. If the run is stopped, in whatever way,
    the same call goes on with it and searches nothing twice but what failed. At the end the files of
    `write_results` are made from the parts, and ``outcomes.csv``: for each recording what was found, why not,
    and how long it took. The members of a recording are those that `find_population` gives.

    Parameters
    ----------
    recordings, neuron
        Whose populations, and of which neuron.
    out_dir
        Folder for all files; one run at a time has it.
    prior
        Of the network, if the neuron has one; see `Predictor.predict`.
    size, compensate, seed, budget, accuracy, refine, rule, inhibition, current
        As `find_population` has them.
    formats
        As `write_results`.
    told
        What was chosen, for ``summary.json``.
    workers
        Processes on this machine; by default one a core, but no more than pay for their start. With 1 the
        work is done in this process, with a thread a core.
    scheduler
        Address of a Dask scheduler, whose workers are used instead.
    fresh
        Start anew instead of going on.
    predicted
        Called with some of the recordings, before they are searched, and with what the network says of them.
    progress
        Called with (recordings done, in all, words).

    Returns
    -------
    Ran

    Raises
    ------
    Spike2PopError
        If an option is not possible, the folder cannot be written to, has another run in it, or is written
        into by one; or if the disk is full, and then what is done stays.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import run_recordings
    >>> trains = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2:4]
    >>> out = mkdtemp()
    >>> run_recordings(trains, "stg", out, size=2, seed=1, refine=False).n_whole
    2
    >>> run_recordings(trains, "stg", out, size=2, seed=1, refine=False).n_before
    2
    """
    model, out = get_neuron(neuron), Path(out_dir)
    check_search(model, size, budget, compensate, accuracy, rule, current, seed)
    check_formats(formats)
    if not len(recordings):
        raise Spike2PopError("There are no recordings to search.")
    options: dict[str, Any] = {
        "size": size,
        "compensate": None if compensate is None else list(compensate),
        "seed": seed,
        "budget": budget,
        "accuracy": accuracy,
        "refine": refine,
        "rule": rule,
        "inhibition": inhibition,
        "current": current,
    }
    network = _Network(model, prior, current)
    check_name(out)
    folder = make_folder(make_folder(out) / "parts")
    with locked(folder):
        check_room(folder)
        _begin(folder, out, _identity(recordings, model, network, options), fresh)
        parts = Parts(folder, len(recordings))
        wanted = {format for format in formats if format not in ("csv", "parquet")}
        todo = [
            place
            for place in range(len(recordings))
            if place not in parts or place in parts.failed or not wanted <= set(parts.formats[place].split())
        ]
        n_before = len(recordings) - len(todo)
        said = options if told is None else told
        try:
            if todo:
                asked = _predicted(recordings, todo, network, predicted)
                search = partial(_search_one, neuron=model, options=options, formats=tuple(formats))
                _search(asked, search, parts, out, len(todo), workers, scheduler, progress)
            gather(parts, out, network, formats=formats, told=said)
        except KeyboardInterrupt:
            if len(parts):
                gather(parts, out, network, formats=("csv",), told=said)
            raise
        except Spike2PopError as error:
            if len(parts):
                raise type(error)(
                    f"{error} {len(parts)} of {len(recordings)} recordings are kept in {folder}; the same "
                    "command goes on with them."
                ) from error
            raise
        ran = Ran(len(recordings), n_before, len(parts))
        for rows in parts.outcomes("id", "message", "asked", "passed", "failed"):
            ran.outcomes += [(row["id"], row["message"]) for row in rows]
            ran.n_whole += sum(row["passed"] >= row["asked"] for row in rows)
            ran.failed += [row["id"] for row in rows if row["failed"]]
        return ran


class _Network:
    """The network of a neuron, loaded once it is asked; there need not be one."""

    def __init__(self, neuron: NeuronModel, prior: str, current: float | None) -> None:
        self.neuron, self.prior, self.current = neuron, prior, current
        self.path = find_network(neuron.name, current)
        self._predictor: Any = None
        if self.path is not None:
            self([])  # whether it knows the prior

    def __call__(self, trains: Sequence[SpikeTrain]) -> Sequence[Any]:
        from spike2pop_nb.inference import attempt_predictions, load_predictor

        if self.path is None:
            return [None] * len(trains)
        if self._predictor is None:
            self._predictor = load_predictor(self.neuron.name, current=self.current)
        return attempt_predictions(self._predictor, trains, prior=self.prior)


def _identity(
    recordings: Sequence[SpikeTrain], neuron: NeuronModel, network: _Network, options: Mapping[str, Any]
) -> dict[str, Any]:
    """What must be the same for results to lie in one folder."""
    digest = hashlib.sha256()
    for train in recordings:
        digest.update(json.dumps([train.id, train.window_ms, train.n_spikes], default=float).encode())
        digest.update(np.ascontiguousarray(train.times_ms, dtype=float).tobytes())
    rule, atlas = options["rule"], find_atlas(neuron)
    return {
        "recordings": digest.hexdigest(),
        "neuron": neuron.name,
        "declaration": neuron.declaration,
        "network": network.path and sha256_of(network.path),
        "atlas": atlas and sha256_of(atlas),
        "spike2pop_nb": __version__,
        "prior": network.prior,
        **{name: value for name, value in options.items() if name != "rule"},
        "tolerance": rule.model_dump() if isinstance(rule, PassRule | Variability) else rule,
    }


_OTHERS = {
    "recordings": "of other recordings",
    "declaration": "with another declaration of that neuron",
    "network": "with another network",
    "atlas": "with another atlas",
    "spike2pop_nb": "by another version of spike2pop_nb",
}


def _begin(folder: Path, out: Path, identity: dict[str, Any], fresh: bool) -> None:
    """Start a run in a folder, or check that it is the one that is there."""
    file = folder / "run.json"
    if fresh:
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}
    now = json.loads(json.dumps(identity))
    changed = [name for name in now if before.get(name) != now[name]]
    if changed and any((folder / "outcomes").glob("*.parquet")):
        named = [name for name in changed if name not in _OTHERS]
        words = [_OTHERS[name] for name in changed if name in _OTHERS]
        words += [f"with {name} {_told(before.get(name))}, not {_told(now[name])}" for name in named]
        raise Spike2PopError(
            f"{out} holds a run {', and '.join(words)}",
            *([WayOut("give what was given then", tuple(named))] if named else []),
            WayOut("start anew", ("fresh",)),
            WayOut("choose another folder"),
        )
    if changed:
        write_whole(file, json.dumps(now, indent=2).encode())


def _told(value: Any) -> str:
    return "as it is by default" if value is None else json.dumps(value)


def _predicted(
    recordings: Sequence[SpikeTrain],
    places: Sequence[int],
    network: _Network,
    predicted: Callable[[Sequence[SpikeTrain], Any], None] | None,
) -> Iterator[Piece]:
    """Give recordings with what the network says of each; it is asked for many at once."""
    for first in range(0, len(places), _PREDICTED):
        some = places[first : first + _PREDICTED]
        trains = [recordings[place] for place in some]
        posteriors = network(trains)
        if predicted is not None and network.path is not None:
            predicted(trains, posteriors)
        yield from zip(some, trains, posteriors, strict=True)


def _search(
    asked: Iterator[Piece],
    search: partial[Found],
    parts: Parts,
    out: Path,
    n_asked: int,
    workers: int | None,
    scheduler: str | None,
    progress: Callable[[int, int, str], None] | None,
) -> None:
    """Search recordings, and keep what was found as it comes."""
    n, n_done = parts.n, parts.n - n_asked
    if workers is None:
        workers = min(cores(), n_asked // _FOR_A_WORKER)
    if progress is not None and workers <= 1 and scheduler is None:
        search = partial(search, say=lambda words: progress(n_done, n, words))
    for done in worked(partial(search, n=n), asked, workers=workers, scheduler=scheduler):
        some = [
            _lost(piece, search.keywords, answer) if isinstance(answer, Lost) else answer
            for piece, answer in done
        ]
        for one in some:
            for name, content in one.files.items():
                write_whole(make_folder((out / name).parent) / Path(name).name, content)
        parts.add(some)
        for one in some:
            n_done += 1
            if progress is not None:
                said = one.outcome
                progress(n_done, n, f"{said['id']}, {said['passed']} of {said['asked']} members")


def _search_one(
    piece: Piece,
    *,
    neuron: NeuronModel,
    options: Mapping[str, Any],
    formats: Sequence[ExportFormat],
    n: int,
    say: Callable[[str], None] | None = None,
) -> Found:
    """Search one recording, wherever this runs."""
    place, train, posterior = piece
    progress = None if say is None else (lambda _done, _total, words: say(f"{train.id}: {words}"))
    begun = time.perf_counter()
    result = attempt_population(train, neuron, posterior, progress=progress, **options)
    return found(result, place, n, time.perf_counter() - begun, formats)


def _lost(piece: Piece, search: Mapping[str, Any], lost: Lost) -> Found:
    place, train, posterior = piece
    words = f"Recording {train.id!r} failed: {lost.why}."
    size = search["options"]["size"]
    result = Result(train, search["neuron"], posterior, False, words, size, failure=lost.why)
    return found(result, place, 1, float("nan"), ())
