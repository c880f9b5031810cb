"""Searching populations, and what a closer look at their members takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spike2pop_nb.app import compiling
from spike2pop_nb.app.actions import predicting
from spike2pop_nb.app.actions.base import Acting
from spike2pop_nb.app.figures import NO_MEMBER
from spike2pop_nb.app.runner import Task
from spike2pop_nb.app.settings import SEARCHING
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.fidelity import rule_in_words

__all__ = ["MAX_TRACE_BYTES", "Searching", "seconds_left"]

MAX_TRACE_BYTES = 256_000_000
"""Voltages kept in one session; older ones are dropped, the spikes of all members stay."""
_FOR_TRACES = 0.1
"""Share of a search's bar for what comes after its last member has passed."""


class Searching(Acting):
    """Actions that simulate."""

    def generate(self) -> None:
        """Search a population for the recording that is looked at, or for each of those chosen."""
        session = self.session
        recordings = session.recordings
        if session.train is None or recordings is None:
            raise Spike2PopError("Choose a recording first.")
        self.messages.clear()
        trains = (
            [recordings.by_id(name) for name in session.chosen]
            if len(session.chosen) > 1
            else [session.train]
        )
        neuron, prior, current = session.neuron, session.settings.prior, session.settings.current
        options = session.settings.part(SEARCHING)
        options["budget"] = options["budget"] or None
        options["inhibition"] = session.settings.inhibited
        own = "own" if session.settings.judged == "own" else None
        rule = rule_in_words(own, options["refine"], **session.settings.tolerances())
        keys, chosen = [session.key(train) for train in trains], session.settings

        def work(task: Task) -> None:
            from spike2pop_nb.fidelity import attempt_populations
            from spike2pop_nb.inference import attempt_predictions, list_predictors

            compiling.wait(task.cancelled, lambda: task.progress(0, 1, compiling.WORDS))
            posteriors: Sequence[Any] = [None] * len(trains)  # without a network, members come from anywhere
            if neuron.name in list_predictors():
                network = predicting.network(neuron.name, current)
                posteriors = attempt_predictions(network, trains, prior=prior)
            begun = since = time.monotonic()
            shares, n_done = [0.0] * len(trains), 0

            def progress(place: int, done: int, total: int, words: str) -> None:
                shares[place] = (1 - _FOR_TRACES) * done / max(total, 1)
                left = seconds_left(n_done, len(trains), since - begun, time.monotonic() - since)
                where = f"{n_done} of {len(trains)} recordings searched" if len(trains) > 1 else ""
                start = f"{where}, about {left:.0f} s left: " if left >= 1 else where and f"{where}: "
                task.progress(n_done + sum(shares[n_done:]), len(trains), start + words)

            for result in attempt_populations(
                trains,
                neuron,
                posteriors,
                **options,
                rule=rule,
                progress=progress,
                cancel=task.cancelled,
            ):
                task.give((keys[n_done], result))
                n_done, since = n_done + 1, time.monotonic()

        def partly(found: tuple[tuple[Any, ...], Any]) -> None:
            key, result = found
            session.searched = {**session.searched, key: chosen}
            session.results = _lighter({**session.results, key: result})
            session.experiments = {of: done for of, done in session.experiments.items() if of != key}
            if result.failure:
                self.messages.show(result.outcome)
            if session.train is not None and key == session.key(session.train):
                session.member = NO_MEMBER
                session.result = session.results[key]

        words = "Searching the population…" if len(trains) == 1 else f"Searching {len(trains)} populations…"
        self.run("generate", words, work, lambda _none: None, partly=partly, during="generating")

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

        self.run("traces", "Recording the voltages of the members shown…", work, done)

    def follow_currents(self, result: Any, row: int, done: Any) -> None:
        """Compute the currents of one member of a result."""

        def work(_task: Task) -> Any:
            from spike2pop_nb.simulation import currents

            return currents(result.population, row, like=result.simulated)

        self.run("currents", "Computing the currents of a member…", work, done)


def seconds_left(n_done: int, n: int, took_s: float, current_s: float) -> float:
    """Return how long recordings will still take that take as long as those before; 0 if nobody can say.

    Within one recording nobody can: its members pass many at a time, at the end of a round or never.

    Parameters
    ----------
    n_done, n
        Recordings that are done, and all.
    took_s, current_s
        What those that are done took together, and the next one so far.
    """
    if not n_done:
        return 0.0
    each_s = took_s / n_done
    return each_s * (n - n_done - 1) + max(each_s - current_s, 0.0)


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
