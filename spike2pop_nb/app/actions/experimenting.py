"""Asking a population: what is done to its members at a series of doses, and which of that to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from spike2pop_nb.app import compiling
from spike2pop_nb.app.actions.keeping import Keeping
from spike2pop_nb.app.runner import Task
from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["Experimenting"]

_LANE, _RANKING = "experiments", "ranking"  # of their own, so that neither keeps the others waiting
_SILENT_MS = 10_000.0
_SAMPLE_MS = 0.5
_MOST_TRACE_BYTES = 128_000_000


class Experimenting(Keeping):
    """Actions that do experiments, and that say which to do next; these count as the work "ranking"."""

    def asked(self) -> tuple[Population, str] | None:
        """Whom an experiment is done on: the members that passed, or else all; and who that is in words."""
        result = self.session.result
        if result is None or not result.usable:
            return None
        passed = np.flatnonzero(np.asarray(result.verdict.passed, dtype=bool))
        population, name = result.population, result.recording.id
        if passed.size in (0, len(population)):
            kind = "members that fire like" if passed.size else "nearest members found for"
            return population, f"the {len(population)} {kind} recording {name}"
        words = f"the {passed.size} of {len(population)} members that fire like recording {name}"
        return population.select(passed), words

    def ask(self) -> None:
        """Do the experiment that is chosen on the population that is looked at."""
        session = self.session
        whom, train = self.asked(), session.train
        if whom is None or train is None:
            raise Spike2PopError("There is no population to ask yet: generate one for this recording first.")
        population, chosen = whom[0], session.settings.ask.checked(session.neuron)
        question = chosen.question(population.neuron)
        if lacking := question.lacking(population.neuron):
            raise Spike2PopError(lacking)
        doses = question.doses(chosen.doses)
        result, key = session.result, session.key(train)
        low, high = population.neuron.recording_window_ms
        samples = len(population) * (len(doses) + 1) * (high - low) / _SAMPLE_MS
        self.messages.clear()

        def work(task: Task) -> Any:
            from spike2pop_nb.experiments import run_experiment

            compiling.wait(task.cancelled, lambda: task.progress(0, 1, compiling.WORDS))
            runs = f"{len(population)} members under {len(doses) + 1} conditions"
            return run_experiment(
                population,
                doses,
                record="traces" if 4 * samples <= _MOST_TRACE_BYTES else "spikes",
                sample_ms=_SAMPLE_MS,
                progress=lambda done, total: task.progress(done, total, f"Simulating {runs}"),
                cancel=task.cancelled,
            )

        def done(found: Any) -> None:
            kept = {title: _lighter(other) for title, other in session.experiments.get(key, {}).items()}
            kept.pop(found.doses.what, None)
            session.experiments = {**session.experiments, key: {**kept, found.doses.what: found}}
            self.not_taken(result)
            if session.result is result:
                session.experiment = found

        self.run("experiment", "Asking the population…", work, done, lane=_LANE, during="experimenting")

    def show_experiment(self) -> None:
        """Look at the last experiment on the population that is looked at."""
        session = self.session
        done = {} if session.train is None else session.experiments.get(session.key(session.train), {})
        session.experiment = next(reversed(done.values()), None) if session.result is not None else None

    def rank(self) -> None:
        """Rank experiments by what they would tell of the population that is looked at."""
        session, population = self.session, self.left()
        ask = session.settings.ask.checked(session.neuron)
        rig = ask.rig(population.neuron)

        def find(task: Task) -> Any:
            from spike2pop_nb.experiments import next_experiments

            return next_experiments(
                population,
                ask.target,
                experiments=rig,
                by=ask.by,
                progress=lambda done, total: task.progress(
                    done, total, f"Simulating members in {len(rig)} experiments"
                ),
                cancel=task.cancelled,
            )

        self._find("ranking", "Ranking experiments…", find)

    def left(self) -> Population:
        """Return the members that are left of the population that is looked at.

        Raises
        ------
        Spike2PopError
            If there is none.
        """
        whom, narrowed = self.asked(), self.session.narrowed
        if whom is None:
            raise Spike2PopError("There is no population to ask yet: generate one for this recording first.")
        return whom[0] if narrowed is None else narrowed.population

    def narrow(self, experiment: str, recording: str | None) -> None:
        """Narrow the population that is looked at by a recording of an experiment that was ranked.

        The recording has an id in the file that is open; of none, the cell was silent for ten seconds.
        """
        session, population = self.session, self.left()
        ranking, recordings = session.ranking, session.recordings
        if ranking is None or recordings is None:
            raise Spike2PopError("Rank experiments first, and choose the recording of the one that was done.")
        (protocol,) = (one.protocol for one in ranking.experiments if one.name == experiment)
        silent = SpikeTrain("silent", np.zeros(0), (0.0, _SILENT_MS))
        train = silent if recording is None else recordings.by_id(recording)

        def find(task: Task) -> Any:
            from spike2pop_nb.experiments import narrow

            return narrow(
                population,
                protocol,
                train,
                progress=lambda done, total: task.progress(done, total, f"Simulating members, {experiment}"),
                cancel=task.cancelled,
            )

        self._find("narrowed", "Narrowing the population…", find)

    def _find(self, what: str, words: str, find: Callable[[Task], Any]) -> None:
        """Find something of the session that belongs to the population that is looked at."""
        session, result = self.session, self.session.result
        self.messages.clear()

        def work(task: Task) -> Any:
            compiling.wait(task.cancelled, lambda: task.progress(0, 1, compiling.WORDS))
            return find(task)

        def done(found: Any) -> None:
            if session.result is result:
                session.set_trait(what, found)
                self.not_taken(result)

        self.run("ranking", words, work, done, lane=_RANKING, during="ranks")

    def forget_ranking(self) -> None:
        """Forget a ranking and what it was narrowed to, which belong to one population."""
        self.session.ranking = self.session.narrowed = None


def _lighter(experiment: Any) -> Any:
    """The same experiment without its voltages, of which those of the last alone are kept."""
    return replace(experiment, data=experiment.data.drop_vars(["V_mV", "time"], errors="ignore"))
