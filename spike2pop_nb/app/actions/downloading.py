"""Files to take away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from spike2pop_nb.app.actions.base import Acting
from spike2pop_nb.app.files import Download
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.state import Session
from spike2pop_nb.conductances import Population

__all__ = ["Downloading"]


class Downloading(Acting):
    """The action that makes files.

    Attributes
    ----------
    taken
        Results that were taken away whole.
    on_taken
        Called when these change.
    """

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        super().__init__(session, runner, messages)
        self.taken: WeakSet[Any] = WeakSet()
        self.on_taken: Any = lambda: None

    def not_taken(self, result: Any) -> None:
        """What was found since for a result is in no file that was taken away."""
        self.taken.discard(result)
        self.on_taken()

    def download(self, what: str, button: Download) -> None:
        """Make one of the files to take away, of all recordings of the file that were run as is now chosen.

        What was made of other files, or for another neuron or prior, stays out: ids would stand twice.
        """
        session = self.session
        shown = session.result
        found = [session.results.get(session.key(train)) for train in session.recordings or ()]
        results = [result for result in found if result is not None and result.usable]
        if shown is None or session.train is None or not results:
            button.refuse()
            self.messages.show(
                "There is nothing to download yet: generate a population for this recording first."
            )
            return
        assert session.recordings is not None
        searched = session.searched.get(session.key(session.train), session.settings)
        settings = session.settings.with_search_of(searched).to_json()
        done = {
            train.id: list(session.experiments.get(session.key(train), {}).values())
            for train in session.recordings or ()
        }
        members = [number for _name, number in shown.population.labels]
        picked = members.index(session.member) if session.member in members else 0
        ranking, narrowed, comparison = session.ranking, session.narrowed, session.comparison
        posteriors = [session.posteriors.get(session.key(train)) for train in session.recordings]
        drawn = [one for one in posteriors if one is not None]
        options = {**shown.options, "read": session.recordings.report.describe().splitlines()}

        def work(task: Task) -> tuple[bytes, str, str]:
            from spike2pop_nb import export

            if what == "everything":
                beside: dict[str, bytes] = {}
                for place, one in enumerate(drawn, 1):  # its summary says of which recording
                    folder = "posterior" if len(drawn) == 1 else f"posterior/{place:02d}"
                    beside |= _in(folder, export.posterior_files(one, options={}))
                if ranking is not None:
                    beside |= _in("next", export.ranking_files(ranking, options={}))
                if narrowed is not None:
                    beside |= _in("narrowed", export.narrowed_files(narrowed, {}))
                if comparison is not None:
                    beside |= _in("comparison", export.comparison_files(comparison, {}))
                whole = export.results_zip(
                    results,
                    options,
                    settings=settings,
                    experiments=done,
                    beside=beside,
                    progress=lambda done, total: task.progress(done, total, ""),
                    cancel=task.cancelled,
                )
                return whole, "spike2pop.zip", "application/zip"
            if what == "report":
                text = export.html_report(results, options=options, experiments=done)
                return text.encode(), "spike2pop_report.html", "text/html;charset=utf-8"
            if what == "simulators":
                from spike2pop_nb.export.simulators import simulators_zip

                members = Population.joined([result.population for result in results])
                return simulators_zip(members), "spike2pop_simulators.zip", "application/zip"
            if what == "clamp":
                from spike2pop_nb.export.clamp import clamps_zip

                return clamps_zip(shown.population, picked), "spike2pop_clamp.zip", "application/zip"
            if what == "nwb":
                whole = export.results_zip(results, options, formats=("nwb", "md", "txt"), settings=settings)
                return whole, "spike2pop_nwb.zip", "application/zip"
            table = {"population": "population", "spikes": "spike_times"}[what]
            text = export.table_csv(export.results_frames(results)[table])
            return text.encode("utf-8"), f"{table}.csv", "text/csv;charset=utf-8"

        def give(made: tuple[bytes, str, str]) -> None:
            button.give(*made)
            if what == "everything":
                self.taken.update(results)
                self.on_taken()

        def progress(fraction: float, _words: str) -> None:
            button.progress(fraction)

        self._run(f"download {what}", "Making the file…", work, give, button.refuse, progress=progress)


def _in(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files in a folder."""
    return {f"{folder}/{name}": content for name, content in files.items()}
