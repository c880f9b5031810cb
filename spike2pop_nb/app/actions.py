"""What the page can do. Long work goes to the runner, answers to the session, errors to the messages."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any

from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.state import Session, Source
from spike2pop_nb.conductances import reachability
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.spiketrains import Recordings, read_spike_trains

__all__ = ["MAX_MEMBERS", "Actions"]

MAX_MEMBERS = 1000
"""Most members that the page generates at once, so that their traces fit in memory and in the browser."""


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
        Called with a fraction and a text while a population is searched.
    """

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        self.session, self.runner, self.messages = session, runner, messages
        self.on_progress: Any = lambda _fraction, _text: None
        self._search: Task | None = None
        self._current: tuple[Source | None, str] = (None, "auto")
        guard = messages.guard
        session.observe(guard(lambda _change: self._forget_pair()), "neuron")
        session.observe(guard(lambda _change: self.predict()), ["train", "neuron", "prior"])
        session.observe(guard(lambda _change: self.read()), ["source", "unit"])
        session.observe(guard(lambda _change: self.map_reach()), "pair")
        session.observe(guard(lambda _change: self._recommend()), ["posterior"])

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

            with suppress(Spike2PopError):  # said when a prediction is asked for
                _predictor(self.session.neuron.name)

        self._run("warm up", "Loading the network…", work, lambda _answer: None)

    def read(self) -> None:
        """Read the session's source; if that fails, what was read before stays."""
        session = self.session
        source, unit = wanted = session.source, session.unit
        if source is None or wanted == self._current:
            return
        self.messages.clear()

        def work(_task: Task) -> Recordings:
            return read_spike_trains(source.data, filename=source.name, unit=unit)  # type: ignore[arg-type]

        def done(recordings: Recordings) -> None:
            self._current = wanted
            session.recordings = recordings
            session.train = recordings[0] if len(recordings) else None

        def failed() -> None:
            with session.hold_trait_notifications():
                session.source, session.unit = self._current

        self._run("read", f"Reading {source.name}…", work, done, failed)

    def open(self, source: Source) -> None:
        """Take another file, even one of the same name."""
        self.session.source = source

    def predict(self) -> None:
        """Predict the DICs of the chosen recording with the chosen neuron's network."""
        session = self.session
        train, neuron, prior = session.train, session.neuron, session.prior
        session.result = None
        session.posterior = None
        if train is None:
            return

        def work(_task: Task) -> Any:
            return _predictor(neuron.name).predict([train], prior=prior)[0]

        def done(posterior: Any) -> None:
            session.posterior = posterior

        self._run("predict", "Predicting the dynamic input conductances…", work, done)

    def _forget_pair(self) -> None:
        """Channels of another neuron mean nothing to this one."""
        self.session.pair = None
        self._recommend()

    def _recommend(self) -> None:
        """Choose the pair recommended for what was predicted, or for the middle of the neuron's range."""
        session = self.session
        neuron, posterior = session.neuron, session.posterior
        if posterior is not None and posterior.usable:
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
        """Search a population that fires like the recording."""
        session = self.session
        train, posterior = session.train, session.posterior
        if train is None or posterior is None:
            raise Spike2PopError("Choose a recording first, and wait for its DICs.")
        if session.size > MAX_MEMBERS:
            raise Spike2PopError(
                f"The page generates up to {MAX_MEMBERS} members at once, not {session.size}; "
                "the command spike2pop run makes larger populations."
            )
        self.messages.clear()
        neuron, pair, size, seed = session.neuron, session.pair, session.size, session.seed
        budget = session.budget or None
        session.generating = True

        def work(task: Task) -> Any:
            from spike2pop_nb.fidelity import find_population

            return find_population(
                train,
                neuron,
                posterior,
                size=size,
                compensate=pair,
                seed=seed,
                budget=budget,
                progress=task.progress,
                cancel=task.cancelled,
            )

        def done(result: Any) -> None:
            session.generating = False
            session.result = result

        def failed() -> None:
            session.generating = False

        self._search = self._run(
            "generate",
            "Searching the population…",
            work,
            done,
            failed,
            progress=lambda fraction, text: self.on_progress(fraction, text),
        )

    def cancel(self) -> None:
        """Stop the search; what it found so far is kept."""
        if self._search is not None:
            self._search.cancel()
