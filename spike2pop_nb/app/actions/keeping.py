"""A session as a file, and such a file as a session again."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from spike2pop_nb.app.actions import predicting
from spike2pop_nb.app.actions.downloading import Downloading
from spike2pop_nb.app.actions.reading import Reading
from spike2pop_nb.app.files import Download
from spike2pop_nb.app.runner import Task
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Source, key
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.spiketrains import MAX_FILE_BYTES

if TYPE_CHECKING:
    from spike2pop_nb.export import SavedSession
    from spike2pop_nb.fidelity import Result

__all__ = ["Keeping"]

_NAMELESS = "recordings.csv"


class Keeping(Reading, Downloading):
    """Actions that save all that was found for the file that is open, and restore it without a search."""

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

        self._run("save", "Saving this session…", work, done, button.refuse)

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
            self._run("reopened", "", lambda _task: None, lambda _none: self._check(source, found))

        self._run("reopen", f"Opening {name}…", work, opened)

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
