"""Reading files: what was chosen, how it is laid out, and where spikes of a voltage are detected."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from spike2pop_nb.app.actions.base import Acting
from spike2pop_nb.app.levels import Levels, asked_for, levels_for
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import DETECTING, READING, Refusal, Session, Source
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
from spike2pop_nb.spiketrains.sides import Polarity
from spike2pop_nb.spiketrains.voltage import VoltageTraces

__all__ = ["Reading"]

_Answer: TypeAlias = tuple[Recordings | None, VoltageTraces, Refusal | None]

_ANY_HZ = 20_000.0
_OF_SPIKES = ("layout", "id_columns", "time_column")
"""Whoever chooses one of these says that the file holds spike times."""


class Reading(Acting):
    """Actions that bring recordings into the session, and settings back."""

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        super().__init__(session, runner, messages)
        self._read, self._detected = session.how(), session.levels()
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
        voltage_unit = options.pop("voltage_unit")
        common = {name: options[name] for name in ("sampling_rate_hz", "start_s", "stop_s")}
        common |= {"unit": voltage_unit, "time_unit": options["unit"]}
        of_spikes = any(options[name] != Settings.model_fields[name].default for name in _OF_SPIKES)
        known = bool(session.voltages) and source is self._read[0] and not of_spikes
        if source is None or wanted == self._read:
            return
        self.messages.clear()
        levels = session.levels()

        def work(_task: Task) -> _Answer:
            none, refused = VoltageTraces(), None
            try:
                if not known:
                    return read_spike_trains(source.data, filename=source.name, **options), none, None
            except SpikeTrainError as error:
                refused = error
            if refused is not None and of_spikes:
                return None, none, _refusal(source, refused)
            try:
                voltages = read_voltage(source.data, filename=source.name, **common)
            except SpikeTrainError as error:
                if refused is None:
                    return None, none, Refusal(_here(error))
                return None, none, _refusal(source, refused, error)
            try:
                recordings, asked = _spikes(voltages, *levels)
            except SpikeTrainError as error:
                return None, voltages, Refusal(_here(error), trace=voltages[0])
            return recordings, voltages, asked

        def done(answer: _Answer) -> None:
            recordings, voltages, refused = answer
            if self._wanted is None and session.train is not None and source is self._read[0]:
                self._wanted = session.train.id  # however the file is read, the same recording is looked at
            self._read, self._detected = wanted, levels
            self._sources[source.name] = source
            with session.hold_trait_notifications():
                session.chosen = ()
                session.voltages, session.refused = voltages, refused
                session.recordings = recordings
                session.train = None if recordings is None else self._wanted_train(recordings)
            self.detect()  # what was chosen meanwhile

        def failed() -> None:
            with session.hold_trait_notifications():
                for name, value in zip((*READING, *DETECTING), (*self._read, *self._detected), strict=True):
                    session.set_trait(name, value)

        self._run("read", f"Reading {source.name}…", work, done, failed)

    def detect(self) -> None:
        """Detect the spikes of a voltage anew, at other levels; where that fails, the last ones come back."""
        session = self.session
        voltages, levels = session.voltages, session.levels()
        if not voltages or levels == self._detected or session.how() != self._read:
            return
        self._wanted = session.train.id if session.train else self._wanted

        def work(_task: Task) -> tuple[Recordings | None, Refusal | None]:
            return _spikes(voltages, *levels)

        def done(answer: tuple[Recordings | None, Refusal | None]) -> None:
            recordings, refused = answer
            if voltages is not session.voltages:
                return  # another file has been read
            self._detected = levels
            with session.hold_trait_notifications():
                session.recordings, session.refused = recordings, refused
                session.train = None if recordings is None else self._wanted_train(recordings)

        def failed() -> None:
            with session.hold_trait_notifications():
                for name, value in zip(DETECTING, self._detected, strict=True):
                    session.set_trait(name, value)

        self._run("detect", "Detecting spikes…", work, done, failed)

    def _wanted_train(self, recordings: Recordings) -> Any:
        """The train that settings ask for, else the first."""
        wanted, self._wanted = self._wanted, None
        if wanted in recordings.ids:
            return recordings.by_id(str(wanted))
        return recordings[0] if len(recordings) else None

    def open(self, source: Source) -> None:
        """Take another file, even one of the same name; how the last one was read says nothing about it."""
        awaited = self._awaited
        if awaited is None or awaited.file != source.name:
            awaited, self._wanted = Settings(), None
        self._awaited = None
        self._set_reading(source, awaited)

    def _set_reading(self, source: Source | None, settings: Settings) -> None:
        session = self.session
        with session.hold_trait_notifications():
            for name in (*READING[1:], *DETECTING):
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
        self._set_reading(source, settings)
        recordings = session.recordings
        if session.how() == self._read and recordings is not None:
            session.train = self._wanted_train(recordings)


def _spikes(
    voltages: VoltageTraces, thresholds: Levels, resets: Levels, polarity: Polarity
) -> tuple[Recordings | None, Refusal | None]:
    """Spike trains of voltages, or what must be given first."""
    trace = asked_for(voltages, thresholds, resets)
    if trace is not None:
        return None, Refusal(
            f"The trace {trace.id!r} is in {trace.unit}, whose size in mV is not known: give the threshold "
            "and the reset of its spikes in the same, or the unit of the voltage.",
            trace=trace,
        )
    levels = levels_for(thresholds, voltages), levels_for(resets, voltages)
    return detect_recordings(voltages, *levels, polarity=polarity), None


def _here(error: SpikeTrainError | None) -> str:
    """A sentence without the names of options that this page does not have."""
    said = re.sub(
        r"; name the channel \(channels.*",
        "; name the channel with --channels on the command line, or give a file with its voltage.",
        str(error),
    )
    return re.sub(r" \([^()]*--[^()]*\)", "", said)


def _refusal(source: Source, error: SpikeTrainError, of_voltage: SpikeTrainError | None = None) -> Refusal:
    """A file with numbers may be read with other options; of any other the error stands."""
    try:
        _loaded, table = parse_file(source.data, source.name)
    except SpikeTrainError:
        raise error from None
    if all(column.kind == "text" for column in table.columns):
        raise error
    sentence = str(error)
    no_rate = of_voltage is not None and "sampling rate" in str(of_voltage)
    if of_voltage is not None and ("read_voltage" in sentence or (no_rate and _is_voltage(source))):
        return Refusal(_here(of_voltage))
    if no_rate:
        sentence += f" If it is a voltage: {_here(of_voltage).removeprefix(f'{source.name}: ')}"
    nothing_to_name = table.ragged or len(table.columns) < 2
    return Refusal(sentence, () if nothing_to_name else tuple(table.names))


def _is_voltage(source: Source) -> bool:
    """Whether what lacks a rate is a voltage for sure."""
    try:
        traces = read_voltage(source.data, filename=source.name, sampling_rate_hz=_ANY_HZ)
    except SpikeTrainError:
        return False
    return any(trace.unit == "mV" for trace in traces)
