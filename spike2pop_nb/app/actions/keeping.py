"""What can be taken away: files of what was found, and a session as a file, which is opened again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from spike2pop_nb.app.actions import predicting
from spike2pop_nb.app.actions.reading import Reading
from spike2pop_nb.app.browser import Download
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Session, Source, key
from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.spiketrains import MAX_FILE_BYTES

if TYPE_CHECKING:
    from spike2pop_nb.export import SavedSession
    from spike2pop_nb.fidelity import Result

__all__ = ["Keeping"]

_NAMELESS = "recordings.csv"


class Keeping(Reading):
    """Actions that make files, and that restore a session without a search.

    ``taken`` are the results that were taken away whole; ``on_taken`` is called when these change.
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

        self.run(f"download {what}", "Making the file…", work, give, button.refuse, progress=progress)

    def save(self, button: Download) -> None:
        """Make the file of this session: recordings, settings, populations, spikes and verdicts."""
        session = self.session
        source, settings = session.source, session.settings.to_json()
        mine = {at: result for at, result in session.results.items() if at[0] == source}
        results = list(mine.values())
        experiments = [list(session.experiments.get(at, {}).values()) for at in mine]
        posteriors = [session.posteriors.get(at) for at in mine]
        if source is None:
            button.refuse()
            raise Spike2PopError("There is nothing to save yet: choose a recording first.")

        def work(_task: Task) -> bytes:
            from spike2pop_nb import export

            data = source.data if isinstance(source.data, bytes) else Path(source.data).read_bytes()
            told: dict[str, Any] = {"settings": settings, "experiments": experiments}
            told["posteriors"] = posteriors
            whole = export.session_zip(results, file=(source.name, data), **told)
            # what is too large to be opened again goes without the file: the trains are kept beside it
            return whole if len(whole) <= MAX_FILE_BYTES else export.session_zip(results, **told)

        ranked = {} if session.ranking is None else {"the ranking of experiments": session.result}
        if session.narrowed is not None:
            ranked["what the population was narrowed to"] = session.result
        left_out = [*ranked, *(["the comparison of two recordings"] if session.comparison else [])]

        def done(made: bytes) -> None:
            button.give(made, f"{PurePath(source.name).stem[:60]}.s2p.zip", "application/zip")
            self.taken.update(result for result in results if result not in ranked.values())
            self.on_taken()
            if left_out:
                self.messages.show(
                    f"Saved without {' and '.join(left_out)}: Everything (zip) holds that too."
                )

        self.run("save", "Saving this session…", work, done, button.refuse)

    def reopen(self, data: bytes, name: str) -> None:
        """Restore what `save` made."""
        self.messages.clear()

        def predict(neuron: Any, train: Any, prior: Any, current: Any) -> Any:
            from spike2pop_nb.inference import attempt_predictions

            network = predicting.network(neuron.name, current)
            return attempt_predictions(network, [train], prior=prior)[0]

        def work(_task: Task) -> tuple[SavedSession, Source | None, Settings]:
            from spike2pop_nb import export

            saved = export.open_session(data, name=name, predict=predict)
            return saved, *_opened(saved)

        def opened(answer: tuple[SavedSession, Source | None, Settings]) -> None:
            from spike2pop_nb import export

            saved, source, settings = answer
            if source is None:
                self.apply(settings)
                return
            found = {
                key(source, result.recording, result.neuron.name, prior or settings.prior): result
                for result, prior in zip(saved.results, saved.priors, strict=True)
            }
            done = {
                at: {export.experiment_title(one): one for one in experiments}
                for at, experiments in zip(found, saved.experiments, strict=True)
                if experiments
            }
            drawn = {at: one for at, one in zip(found, saved.posteriors, strict=True) if one is not None}
            self.taken.update(found.values())
            self.session.posteriors = {**self.session.posteriors, **drawn}
            self.session.experiments = {**self.session.experiments, **done}
            self.session.searched = {
                **self.session.searched,
                **{at: _searched(settings, result) for at, result in found.items()},
            }
            self.session.results = {**self.session.results, **found}
            self.open(source, settings)
            # once it is read, as one thing is done after the other
            self.run("reopened", "", lambda _task: None, lambda _none: self._check(source, found))

        self.run("reopen", f"Opening {name}…", work, opened)

    def _check(self, source: Source, found: dict[tuple[Any, ...], Result]) -> None:
        """Say which recordings are not those that populations were saved for."""
        session = self.session
        if session.source != source or session.recordings is None:
            return
        read = {key(source, train, "", "")[:4] for train in session.recordings}
        if lost := sorted({at[1] for at in found if at[:4] not in read}):
            self.messages.show(
                f"The recordings {', '.join(lost[:5])} are read otherwise now than when this was saved, so "
                "the populations saved for them are not shown."
            )


def _in(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files in a folder."""
    return {f"{folder}/{name}": content for name, content in files.items()}


def _searched(settings: Settings, result: Result) -> Settings:
    """Settings by which a population was searched, as far as it tells: others may have been chosen since."""
    told = {"size": result.n_asked, "seed": result.options.get("seed", settings.seed)}
    return settings.model_copy(update=told)


def _opened(saved: SavedSession) -> tuple[Source | None, Settings]:
    """The file that the recordings are read from, if there are any, and what is chosen with it."""
    settings = Settings.from_json(saved.settings) if saved.settings else Settings()
    if not saved.settings and saved.results:
        settings = settings.changed(neuron=saved.results[0].neuron.name)
    if saved.file is not None:
        source = Source(saved.file[1], PurePath(saved.file[0]).name[:200] or _NAMELESS)
        return source, settings.model_copy(update={"file": source.name})
    if not saved.results:
        return None, settings
    from spike2pop_nb.export.tables import recorded_spikes, table_csv

    own = list({result.recording.id: result for result in saved.results}.values())
    source = Source(table_csv(recorded_spikes(own)).encode(), _NAMELESS)
    as_told = Settings(file=source.name, recording=settings.recording, neuron=settings.neuron)
    return source, settings.with_file_of(as_told)
