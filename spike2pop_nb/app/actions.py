"""What the page can do. Long work goes to the runner, answers to the session, errors to the messages."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from spike2pop_nb.app.figures import NO_MEMBER
from spike2pop_nb.app.files import Download
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.settings import MAX_MEMBERS, Settings
from spike2pop_nb.app.state import Session, Source
from spike2pop_nb.conductances import Population, reachability
from spike2pop_nb.data import example_path, list_examples
from spike2pop_nb.errors import Spike2PopError, SpikeTrainError
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.spiketrains import (
    Recordings,
    detect_recordings,
    overview,
    read_spike_trains,
    read_voltage,
)

__all__ = ["MAX_MEMBERS", "MAX_TRACE_BYTES", "Actions"]

MAX_TRACE_BYTES = 256_000_000
"""Voltages kept in one session; older ones are dropped, the spikes of all members stay."""
_AT_ONCE = 256


@lru_cache(maxsize=8)
def _predictor(neuron: str) -> Any:
    # PyTorch takes seconds to import, so it comes with the first prediction and not with the page.
    from spike2pop_nb.inference import load_predictor

    return load_predictor(neuron)


class Actions:
    """Verbs of the page over one session.

    Parameters
    ----------
    session
        Settings are read from it, results written to it.
    runner
        Where long work runs.
    messages
        Where errors go.
    on_progress
        Called with a fraction and a text while populations are searched.
    """

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        self.session, self.runner, self.messages = session, runner, messages
        self.on_progress: Any = lambda _fraction, _text: None
        self._search: Task | None = None
        self._read = session.how()
        self._wanted: str | None = None
        self._sources: dict[str, Source] = {}
        guard = messages.guard
        session.observe(guard(lambda _change: self._forget_pair()), "neuron")
        session.observe(guard(lambda _change: self.predict()), ["train", "neuron", "prior"])
        session.observe(guard(lambda _change: self.survey()), ["recordings", "neuron", "prior"])
        session.observe(
            guard(lambda _change: self.read()), ["source", "unit", "layout", "id_column", "time_column"]
        )
        session.observe(guard(lambda _change: self.detect()), "threshold_mV")
        session.observe(guard(lambda _change: self.map_reach()), "pair")
        session.observe(guard(lambda _change: self.recommend()), ["posterior", "compensate"])

    def _run(self, name: str, text: str, work: Any, done: Any, failed: Any = None, **more: Any) -> Task:
        """Queue work with its words shown while it runs."""
        session = self.session

        def started() -> None:
            session.busy = text

        def finished(answer: Any) -> None:
            session.busy = ""
            self.messages.guard(done)(answer)

        def gave_up(error: BaseException) -> None:
            session.busy = ""
            self.messages.report(error)
            if failed is not None:
                failed()

        return self.runner.submit(name, work, finished, gave_up, started=started, **more)

    def warm_up(self) -> None:
        """Import what is slow to import while the user looks at the page."""

        def work(_task: Task) -> None:
            import elephant.spike_train_dissimilarity  # noqa: F401

            from spike2pop_nb.simulation import needs_compiling, simulate

            with suppress(Spike2PopError):  # said when a prediction is asked for
                _predictor(self.session.neuron.name)
            neuron = self.session.neuron
            if not needs_compiling():  # which would keep the first file waiting
                simulate(np.ones((1, neuron.n_channels)), neuron, duration_ms=1.0, transient_ms=0.0)

        self._run("warm up", "Loading the network and the simulator…", work, lambda _answer: None)

    def read(self) -> None:
        """Read the session's source; if that fails, what was read before stays."""
        session = self.session
        source, unit, layout, id_column, time_column = wanted = session.how()
        if source is None or wanted == self._read:
            return
        self.messages.clear()
        threshold = session.threshold_mV

        def work(_task: Task) -> tuple[Recordings, tuple[Any, ...]]:
            try:
                found = read_spike_trains(
                    source.data,
                    filename=source.name,
                    unit=unit,
                    layout=layout,
                    id_column=id_column,
                    time_column=time_column,
                )
                return found, ()
            except SpikeTrainError as error:
                try:
                    voltages = tuple(read_voltage(source.data, filename=source.name))
                except SpikeTrainError:
                    raise error from None
                return detect_recordings(voltages, threshold), voltages

        def done(answer: tuple[Recordings, tuple[Any, ...]]) -> None:
            self._read = wanted
            self._sources[source.name] = source
            with session.hold_trait_notifications():
                session.chosen = ()
                session.voltages = answer[1]
                session.recordings = answer[0]
                session.train = self._wanted_train(answer[0])

        def failed() -> None:
            with session.hold_trait_notifications():
                session.source, session.unit, session.layout = self._read[:3]
                session.id_column, session.time_column = self._read[3:]

        self._run("read", f"Reading {source.name}…", work, done, failed)

    def detect(self) -> None:
        """Detect the spikes of a voltage anew, at another threshold."""
        session = self.session
        voltages, threshold = session.voltages, session.threshold_mV
        if not voltages:
            return
        self._wanted = session.train.id if session.train else None

        def work(_task: Task) -> Recordings:
            return detect_recordings(voltages, threshold)

        def done(recordings: Recordings) -> None:
            with session.hold_trait_notifications():
                session.recordings = recordings
                session.train = self._wanted_train(recordings)

        self._run("detect", "Detecting spikes…", work, done)

    def _wanted_train(self, recordings: Recordings) -> Any:
        """The train that settings ask for, else the first."""
        wanted, self._wanted = self._wanted, None
        if wanted in recordings.ids:
            return recordings.by_id(str(wanted))
        return recordings[0] if len(recordings) else None

    def open(self, source: Source) -> None:
        """Take another file, even one of the same name."""
        session = self.session
        session.threshold_mV = None
        with session.hold_trait_notifications():
            session.layout, session.id_column, session.time_column = "auto", None, None
            session.source = source

    def apply(self, settings: Settings) -> None:
        """Restore settings; a file that only the user has must be chosen again, and is asked for by name."""
        session = self.session
        settings.checked()
        name = settings.file
        if name in self._sources:
            source: Source | None = self._sources[str(name)]
        elif name in list_examples():
            source = Source(example_path(str(name)), str(name))
        else:
            source = session.source
            if name is not None and (source is None or source.name != name):
                self.messages.show(
                    f"The settings are restored; choose the file {name} again to go on with it."
                )
        self._wanted = settings.recording
        session.neuron = get_neuron(settings.neuron)
        session.prior = settings.prior
        session.compensate = settings.compensate
        session.size, session.seed, session.budget = settings.size, settings.seed, settings.budget
        session.refine = settings.refine
        session.threshold_mV = settings.threshold_mV
        with session.hold_trait_notifications():
            session.unit, session.layout = settings.unit, settings.layout
            session.id_column, session.time_column = settings.id_column, settings.time_column
            session.source = source
        recordings = session.recordings
        if session.how() == self._read and recordings is not None:
            session.train = self._wanted_train(recordings)

    def predict(self) -> None:
        """Predict the DICs of the recording that is looked at, with the chosen neuron's network."""
        session = self.session
        train, neuron, prior = session.train, session.neuron, session.prior
        session.member = NO_MEMBER
        session.result = None if train is None else session.results.get(session.key(train))
        session.posterior = None
        if train is None:
            return

        def work(_task: Task) -> Any:
            return _predictor(neuron.name).predict([train], prior=prior)[0]

        def done(posterior: Any) -> None:
            session.posterior = posterior

        self._run("predict", "Predicting the dynamic input conductances…", work, done)

    def survey(self) -> None:
        """Measure all recordings of the file and predict their DICs, for the table."""
        session = self.session
        recordings, neuron, prior = session.recordings, session.neuron, session.prior
        session.survey = None
        if recordings is None or not len(recordings):
            return

        def work(task: Task) -> Any:
            table = overview(recordings)
            predictor = _predictor(neuron.name)
            found: list[Any] = []
            for at in range(0, len(recordings), _AT_ONCE):
                if task.cancelled():
                    return None
                found += predictor.predict(recordings[at : at + _AT_ONCE], prior=prior)
            table["g_s"] = [p.g_s for p in found]
            table["g_u"] = [p.g_u for p in found]
            table["in_domain"] = [p.domain is None or p.domain.inside for p in found]
            return table

        def done(table: Any) -> None:
            session.survey = table

        self._run("survey", "Looking through all recordings…", work, done)

    def _forget_pair(self) -> None:
        """Channels of another neuron mean nothing to this one."""
        self.session.compensate = None
        self.session.pair = None
        self.recommend()

    def recommend(self) -> None:
        """Take the chosen pair, or the one recommended for what was predicted, or for the middle of all."""
        session = self.session
        neuron, posterior = session.neuron, session.posterior
        if session.compensate is not None:
            session.pair = session.compensate
        elif posterior is not None and posterior.usable:
            session.pair = neuron.recommend(posterior.g_s, posterior.g_u)
        elif session.pair is None:
            middle = (0.5 * sum(neuron.dic_range[name]) for name in ("g_s", "g_u"))
            session.pair = neuron.recommend(*middle)

    def map_reach(self) -> None:
        """Map what the chosen pair reaches."""
        session = self.session
        neuron, pair = session.neuron, session.pair
        session.reach = None
        if pair is None:
            return

        def work(_task: Task) -> Any:
            return reachability(neuron, pair)

        def done(reach: Any) -> None:
            session.reach = reach

        self._run("reach", f"Mapping what {' and '.join(pair)} can reach…", work, done)

    def generate(self) -> None:
        """Search a population for the recording that is looked at, or for each of those chosen."""
        session = self.session
        recordings = session.recordings
        if session.train is None or session.posterior is None or recordings is None:
            raise Spike2PopError("Choose a recording first, and wait for its DICs.")
        if session.size > MAX_MEMBERS:
            raise Spike2PopError(
                f"The page generates up to {MAX_MEMBERS} members at once, not {session.size}; "
                "the command spike2pop run makes larger populations."
            )
        self.messages.clear()
        trains = (
            [recordings.by_id(name) for name in session.chosen]
            if len(session.chosen) > 1
            else [session.train]
        )
        neuron, prior, size, seed = session.neuron, session.prior, session.size, session.seed
        compensate, budget, refine = session.compensate, session.budget or None, session.refine
        keys = [session.key(train) for train in trains]
        session.generating = True

        def work(task: Task) -> None:
            from spike2pop_nb.fidelity import attempt_population

            posteriors = _predictor(neuron.name).predict(trains, prior=prior)
            for i, (train, posterior) in enumerate(zip(trains, posteriors, strict=True)):
                where = f"Recording {i + 1} of {len(trains)}: " if len(trains) > 1 else ""

                def progress(done: int, total: int, words: str, i: int = i, where: str = where) -> None:
                    task.progress(i + done / max(total, 1), len(trains), where + words)

                result = attempt_population(
                    train,
                    neuron,
                    posterior,
                    size=size,
                    compensate=compensate,
                    seed=seed,
                    budget=budget,
                    refine=refine,
                    progress=progress,
                    cancel=task.cancelled,
                )
                task.give((keys[i], result))
                if task.cancelled():
                    return

        def partly(found: tuple[tuple[Any, ...], Any]) -> None:
            key, result = found
            session.results = _lighter({**session.results, key: result})
            if session.train is not None and key == session.key(session.train):
                session.member = NO_MEMBER
                session.result = session.results[key]

        def over(_answer: Any = None) -> None:
            session.generating = False

        self._search = self._run(
            "generate",
            "Searching the population…" if len(trains) == 1 else f"Searching {len(trains)} populations…",
            work,
            over,
            over,
            progress=lambda fraction, text: self.on_progress(fraction, text),
            partly=self.messages.guard(partly),
        )

    def follow_traces(self, result: Any, rows: list[int], done: Any) -> None:
        """Simulate some members of a result again, for the voltages that it does not hold."""
        like = result.simulated

        def work(task: Task) -> Any:
            from spike2pop_nb.simulation import simulate

            return simulate(
                result.population.select(rows),
                duration_ms=like.duration_ms,
                transient_ms=like.transient_ms,
                accuracy=like.accuracy,
                cancel=task.cancelled,
            )

        self._run("traces", "Recording the voltages of the members shown…", work, done)

    def follow_currents(self, result: Any, row: int, done: Any) -> None:
        """Compute the currents of one member of a result."""

        def work(_task: Task) -> Any:
            from spike2pop_nb.simulation import currents

            return currents(result.population, row, like=result.simulated)

        self._run("currents", "Computing the currents of a member…", work, done)

    def download(self, what: str, button: Download) -> None:
        """Make one of the files to take away, of all recordings of the file that were run as is now chosen.

        What was made of other files, or for another neuron or prior, stays out: ids would stand twice.
        """
        session = self.session
        shown = session.result
        found = [session.results.get(session.key(train)) for train in session.recordings or ()]
        results = [result for result in found if result is not None and result.usable]
        if shown is None or not results:
            button.refuse()
            return
        settings = session.settings().to_json()

        def work(_task: Task) -> tuple[bytes, str, str]:
            from spike2pop_nb import export

            if what == "everything":
                return (
                    export.results_zip(results, shown.options, settings=settings),
                    "spike2pop.zip",
                    "application/zip",
                )
            if what == "report":
                text = export.html_report(results, options=shown.options)
                return text.encode(), "spike2pop_report.html", "text/html;charset=utf-8"
            if what == "simulators":
                from spike2pop_nb.export.simulators import simulators_zip

                members = Population.joined([result.population for result in results])
                return simulators_zip(members), "spike2pop_simulators.zip", "application/zip"
            table = {"population": "population", "spikes": "spike_times"}[what]
            text = export.table_csv(export.results_frames(results)[table])
            return text.encode("utf-8"), f"{table}.csv", "text/csv;charset=utf-8"

        def done(made: tuple[bytes, str, str]) -> None:
            button.give(*made)

        self._run(f"download {what}", "Making the file…", work, done, button.refuse)

    def cancel(self) -> None:
        """Stop the search; what it found so far is kept."""
        if self._search is not None:
            self._search.cancel()


def _lighter(results: dict[Any, Any]) -> dict[Any, Any]:
    """The same results, the oldest of them without voltages if all together hold too much."""
    held = 0
    kept: dict[Any, Any] = {}
    for key, result in reversed(results.items()):
        simulated = result.simulated
        if simulated is not None and simulated.V_mV.nbytes:
            held += simulated.V_mV.nbytes
            if held > MAX_TRACE_BYTES and kept:
                result = replace(
                    result,
                    simulated=replace(
                        simulated, time_ms=np.zeros(0), V_mV=np.zeros((len(simulated), 0), np.float32)
                    ),
                )
        kept[key] = result
    return dict(reversed(kept.items()))
