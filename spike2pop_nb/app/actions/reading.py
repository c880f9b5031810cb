"""Reading files: what was chosen, how it is laid out, and where spikes of a voltage are detected."""

from __future__ import annotations

from typing import Any

from spike2pop_nb.app.actions.base import Acting
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import READING, Refusal, Session, Source
from spike2pop_nb.data import example_path, list_examples
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.spiketrains import (
    Recordings,
    detect_recordings,
    read_spike_trains,
    read_voltage,
)
from spike2pop_nb.spiketrains.reader import parse_file

__all__ = ["Reading"]


class Reading(Acting):
    """Actions that bring recordings into the session, and settings back."""

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        super().__init__(session, runner, messages)
        self._read = session.how()
        self._wanted: str | None = None
        self._awaited: Settings | None = None
        self._sources: dict[str, Source] = {}

    def read(self) -> None:
        """Read the session's source; if it is no file of spikes at all, what was read before stays.

        A file that another choice of options may settle stays open instead, with the sentence that says so.
        """
        session = self.session
        wanted = session.how()
        source, options = wanted[0], dict(zip(READING[1:], wanted[1:], strict=True))
        if source is None or wanted == self._read:
            return
        self.messages.clear()
        threshold = session.threshold_mV

        def work(_task: Task) -> tuple[Recordings | None, tuple[Any, ...], Refusal | None]:
            try:
                return read_spike_trains(source.data, filename=source.name, **options), (), None
            except SpikeTrainError as error:
                try:
                    voltages = tuple(read_voltage(source.data, filename=source.name))
                except SpikeTrainError:
                    return None, (), _refusal(source, error)
                return detect_recordings(voltages, threshold), voltages, None

        def done(answer: tuple[Recordings | None, tuple[Any, ...], Refusal | None]) -> None:
            recordings, voltages, refused = answer
            if self._wanted is None and session.train is not None and source is self._read[0]:
                self._wanted = session.train.id  # however the file is read, the same recording is looked at
            self._read = wanted
            self._sources[source.name] = source
            with session.hold_trait_notifications():
                session.chosen = ()
                session.voltages, session.refused = voltages, refused
                session.recordings = recordings
                session.train = None if recordings is None else self._wanted_train(recordings)

        def failed() -> None:
            with session.hold_trait_notifications():
                for name, value in zip(READING, self._read, strict=True):
                    session.set_trait(name, value)

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
        """Take another file, even one of the same name; how the last one was read says nothing about it."""
        session, awaited = self.session, self._awaited
        if awaited is None or awaited.file != source.name:
            awaited, self._wanted = Settings(), None
        self._awaited = None
        session.threshold_mV = awaited.threshold_mV
        self._set_reading(source, awaited)

    def _set_reading(self, source: Source | None, settings: Settings) -> None:
        session = self.session
        with session.hold_trait_notifications():
            for name in READING[1:]:
                session.set_trait(name, getattr(settings, name))
            session.source = source

    def apply(self, settings: Settings) -> None:
        """Restore settings; a file that only the user has must be chosen again, and is asked for by name."""
        session = self.session
        settings.checked()
        name, source = settings.file, session.source
        self._awaited = None
        if name in self._sources:
            source = self._sources[str(name)]
        elif name in list_examples():
            source = Source(example_path(str(name)), str(name))
        elif name is not None and (source is None or source.name != name):
            self._awaited = settings
            self.messages.show(f"The settings are restored; choose the file {name} again to go on with it.")
        self._wanted = settings.recording
        session.neuron = get_neuron(settings.neuron)
        session.prior = settings.prior
        session.compensate = settings.compensate
        session.size, session.seed, session.budget = settings.size, settings.seed, settings.budget
        session.refine = settings.refine
        session.explored_for = (settings.file, settings.recording)
        session.explored = settings.explore
        if self._awaited is not None:
            return  # how that file is read waits for it
        session.threshold_mV = settings.threshold_mV
        self._set_reading(source, settings)
        recordings = session.recordings
        if session.how() == self._read and recordings is not None:
            session.train = self._wanted_train(recordings)


def _refusal(source: Source, error: SpikeTrainError) -> Refusal:
    """A file with numbers may be read with other options; of any other the error stands."""
    try:
        _loaded, table = parse_file(source.data, source.name)
    except SpikeTrainError:
        raise error from None
    if all(column.kind == "text" for column in table.columns):
        raise error
    nothing_to_name = table.ragged or len(table.columns) < 2
    return Refusal(str(error), () if nothing_to_name else tuple(table.names))
