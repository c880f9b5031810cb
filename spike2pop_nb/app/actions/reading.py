"""Reading files: what was chosen, how it is laid out, and where spikes of a voltage are detected."""

from __future__ import annotations

from typing import Any

from spike2pop_nb.app.actions.base import Acting
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Session, Source
from spike2pop_nb.data import example_path, list_examples
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.spiketrains import (
    Recordings,
    detect_recordings,
    read_spike_trains,
    read_voltage,
)

__all__ = ["Reading"]


class Reading(Acting):
    """Actions that bring recordings into the session, and settings back."""

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        super().__init__(session, runner, messages)
        self._read = session.how()
        self._wanted: str | None = None
        self._sources: dict[str, Source] = {}

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
        session.explored_for = (settings.file, settings.recording)
        session.explored = settings.explore
        session.threshold_mV = settings.threshold_mV
        with session.hold_trait_notifications():
            session.unit, session.layout = settings.unit, settings.layout
            session.id_column, session.time_column = settings.id_column, settings.time_column
            session.source = source
        recordings = session.recordings
        if session.how() == self._read and recordings is not None:
            session.train = self._wanted_train(recordings)
