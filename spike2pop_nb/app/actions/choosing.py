"""What to do to the cell, ranked by what it would tell; and a population narrowed by that."""

from __future__ import annotations

from typing import Any

import numpy as np

from spike2pop_nb.app import compiling
from spike2pop_nb.app.actions.experimenting import Experimenting
from spike2pop_nb.app.runner import Task
from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["Choosing"]

_LANE = "ranking"
_SILENT_MS = 10_000.0


class Choosing(Experimenting):
    """Actions that say which experiment to do next; both count as the work "ranking"."""

    def rank(self) -> None:
        """Rank experiments by what they would tell of the population that is looked at."""
        session, population = self.session, self.left()
        ask, result = session.settings.ask.checked(session.neuron), session.result
        rig = ask.rig(population.neuron)
        self.messages.clear()

        def work(task: Task) -> Any:
            from spike2pop_nb.experiments import next_experiments

            compiling.wait(task.cancelled, lambda: task.progress(0, 1, compiling.WORDS))
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

        def done(found: Any) -> None:
            if session.result is result:
                session.ranking = found
                self.not_taken(result)

        self._run("ranking", "Ranking experiments…", work, done, lane=_LANE, during="ranks")

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

        Parameters
        ----------
        experiment
            Its name.
        recording
            Id of the recording in the file that is open; of none, the cell was silent for ten seconds.
        """
        session, population = self.session, self.left()
        result, ranking, recordings = session.result, session.ranking, session.recordings
        if ranking is None or recordings is None:
            raise Spike2PopError("Rank experiments first, and choose the recording of the one that was done.")
        (protocol,) = (one.protocol for one in ranking.experiments if one.name == experiment)
        train = SpikeTrain("silent", np.zeros(0), (0.0, _SILENT_MS))
        if recording is not None:
            train = recordings.by_id(recording)
        self.messages.clear()

        def work(task: Task) -> Any:
            from spike2pop_nb.experiments import narrow

            compiling.wait(task.cancelled, lambda: task.progress(0, 1, compiling.WORDS))
            return narrow(
                population,
                protocol,
                train,
                progress=lambda done, total: task.progress(done, total, f"Simulating members, {experiment}"),
                cancel=task.cancelled,
            )

        def done(found: Any) -> None:
            if session.result is result:
                session.narrowed = found
                self.not_taken(result)

        self._run("ranking", "Narrowing the population…", work, done, lane=_LANE, during="ranks")

    def forget_ranking(self) -> None:
        """Forget a ranking and what it was narrowed to, which belong to one population."""
        self.session.ranking = self.session.narrowed = None

    def forget_narrowed(self) -> None:
        """Go back to all members."""
        self.session.narrowed = None
