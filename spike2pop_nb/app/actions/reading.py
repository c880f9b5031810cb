"""Reading files: what was chosen, how it is laid out, and where spikes of a voltage are detected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from spike2pop_nb.app.actions.base import Acting
from spike2pop_nb.app.levels import Levels, asked_for, levels_for
from spike2pop_nb.app.messages import Messages, control
from spike2pop_nb.app.runner import Runner, Task
from spike2pop_nb.app.settings import DETECTING, READING, Settings
from spike2pop_nb.app.state import Refusal, Session, Source
from spike2pop_nb.data import example_path, list_examples
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import (
    Recordings,
    detect_recordings,
    read_spike_trains,
    read_voltage,
)
from spike2pop_nb.spiketrains.detection import size_unknown
from spike2pop_nb.spiketrains.reader import parse_file
from spike2pop_nb.spiketrains.sides import Polarity
from spike2pop_nb.spiketrains.trace import VoltageTrace
from spike2pop_nb.spiketrains.voltage import VoltageTraces

__all__ = ["Reading"]

_Answer: TypeAlias = tuple[Recordings | None, VoltageTraces, Refusal | None]

_ANY_HZ = 20_000.0
_OF_SPIKES = ("layout", "sheets", "id_columns", "time_column")
"""Whoever chooses one of these says that the file holds spike times."""


class Reading(Acting):
    """Actions that bring recordings into the session, and settings back."""

    def __init__(self, session: Session, runner: Runner, messages: Messages) -> None:
        super().__init__(session, runner, messages)
        self._sources: dict[str, Source] = {}
        self._opening: Source | None = None
        self._awaited: Settings | None = None
        # what the recordings rest on, and the settings that were last there with it
        self._read: tuple[Source | None, dict[str, Any]] = None, {}
        self._detected: dict[str, Any] = session.settings.part(DETECTING)
        self._last = session.settings

    def _source(self, name: str | None) -> Source | None:
        """A file by its name; None where only the user has it."""
        if self._opening is not None and self._opening.name == name:
            return self._opening
        if name in list_examples():
            self._sources.setdefault(str(name), Source(example_path(str(name)), str(name)))
        return self._sources.get(str(name))

    def _wanted(self) -> tuple[Source | None, dict[str, Any]]:
        """The file that is chosen, and how it is read."""
        settings = self.session.settings
        return self._source(settings.file), settings.part(READING)

    def settle(self) -> None:
        """Keep settings that fit what was read; look at the recording that they choose."""
        session = self.session
        if self._wanted() == self._read:
            session.look()
            if session.settings.part(DETECTING) == self._detected:
                self._last = session.settings

    def read(self) -> None:
        """Read the file that is chosen; if it is no file of spikes at all, what was read before stays.

        A file that another choice of options may settle stays open instead, with the sentence that says so.
        """
        session = self.session
        wanted = source, options = self._wanted()
        if source is None or wanted == self._read:
            return
        of_spikes = any(options[name] != Settings.model_fields[name].default for name in _OF_SPIKES)
        known = bool(session.voltages) and source == self._read[0] and not of_spikes
        levels = session.settings.part(DETECTING)
        self.messages.clear()

        def work(_task: Task) -> _Answer:
            return _recordings(source, options, levels, known, of_spikes)

        def done(answer: _Answer) -> None:
            if self._wanted() != wanted:
                return  # it was undone meanwhile
            recordings, voltages, refused = answer
            self._sources[source.name], self._opening = source, None
            self._read, self._detected = wanted, levels
            with session.hold_trait_notifications():
                session.source, session.chosen = source, ()
                session.voltages, session.refused = voltages, refused
                session.recordings = recordings
                session.look()
            self.settle()
            self.detect()  # what was chosen meanwhile

        def failed() -> None:
            if self._wanted() == wanted:
                self._opening = None
                session.settings = session.settings.with_file_of(self._last)

        self.run("read", f"Reading {source.name}…", work, done, failed)

    def detect(self) -> None:
        """Detect the spikes of a voltage anew, at other levels; where that fails, the last ones come back."""
        session = self.session
        voltages, levels = session.voltages, session.settings.part(DETECTING)
        if not voltages or levels == self._detected or self._wanted() != self._read:
            return

        def work(_task: Task) -> tuple[Recordings | None, Refusal | None]:
            return _spikes(voltages, **levels)

        def done(answer: tuple[Recordings | None, Refusal | None]) -> None:
            if voltages is not session.voltages or session.settings.part(DETECTING) != levels:
                return  # another file has been read, or it was undone
            self._detected = levels
            with session.hold_trait_notifications():
                session.recordings, session.refused = answer
                session.look()
            self.settle()

        def failed() -> None:
            session.choose(**self._detected)

        self.run("detect", "Detecting spikes…", work, done, failed)

    def open(self, source: Source, settings: Settings | None = None) -> None:
        """Take another file, even one of the same name; how the last one was read says nothing about it.

        With settings, those are chosen with it.
        """
        self.messages.clear()
        session, awaited = self.session, self._awaited
        if awaited is None or awaited.file != source.name:
            awaited = Settings(file=source.name)
        self._awaited, self._opening = None, source
        if source == self._read[0]:
            self._read = None, {}  # whoever chooses it again wants it read again
        read = session.settings.file, session.settings.part(READING)
        session.settings = settings or session.settings.with_file_of(awaited)
        if read == (session.settings.file, session.settings.part(READING)):
            self.read()

    def apply(self, settings: Settings) -> None:
        """Restore settings; a file that only the user has must be chosen again, and is asked for by name."""
        session = self.session
        settings.checked()
        self.messages.clear()
        self._awaited = None
        if settings.file is None:  # whatever is open goes on
            settings = settings.model_copy(update={"file": session.settings.file})
        elif self._source(settings.file) is None:
            self._awaited = settings  # how that file is read waits for it
            settings = settings.with_file_of(session.settings)
            self.messages.show(
                f"The settings are restored; choose the file {self._awaited.file} again to go on with it."
            )
        session.settings = settings


def _recordings(
    source: Source,
    options: dict[str, Any],
    levels: dict[str, Any],
    of_voltage: bool,
    of_spikes: bool,
) -> _Answer:
    """Read a file of spike times, or else one of voltages, or say what must be chosen first.

    Parameters
    ----------
    options, levels
        How it is read, and where spikes of a voltage are detected.
    of_voltage
        Whether it is known to hold voltages; then it is not tried for spike times again.
    of_spikes
        Whether it was said to hold spike times.
    """
    none, refused = VoltageTraces(), None
    of_times = {name: value for name, value in options.items() if name != "voltage_unit"}
    try:
        if not of_voltage:
            return read_spike_trains(source.data, filename=source.name, **of_times), none, None
    except SpikeTrainError as error:
        refused = error
    if refused is not None and of_spikes:
        return None, none, _refusal(source, refused, options)
    try:
        voltages = read_voltage(
            source.data,
            filename=source.name,
            unit=options["voltage_unit"],
            time_unit=options["unit"],
            **{name: options[name] for name in ("sampling_rate_hz", "start_s", "stop_s")},
        )
    except SpikeTrainError as error:
        return None, none, _told(error) if refused is None else _refusal(source, refused, options, error)
    try:
        recordings, asked = _spikes(voltages, **levels)
    except SpikeTrainError as error:
        return None, voltages, _told(error, trace=voltages[0])
    return recordings, voltages, asked


def _spikes(
    voltages: VoltageTraces, threshold_mV: Levels, reset_mV: Levels, polarity: Polarity
) -> tuple[Recordings | None, Refusal | None]:
    """Spike trains of voltages, or what must be given first."""
    trace = asked_for(voltages, threshold_mV, reset_mV)
    if trace is not None:
        return None, _told(size_unknown(trace), trace=trace)
    levels = levels_for(threshold_mV, voltages), levels_for(reset_mV, voltages)
    return detect_recordings(voltages, *levels, polarity=polarity), None


def _told(error: SpikeTrainError, *, trace: VoltageTrace | None = None) -> Refusal:
    """An error as the page says it."""
    return Refusal(error.told(control), error.settings, trace=trace)


def _refusal(
    source: Source,
    error: SpikeTrainError,
    options: dict[str, Any],
    of_voltage: SpikeTrainError | None = None,
) -> Refusal:
    """A file with numbers may be read with other options; of any other the error stands."""
    try:
        _loaded, table = parse_file(source.data, source.name)
    except SpikeTrainError:
        raise error from None
    if all(column.kind == "text" for column in table.columns):
        raise error
    refusal = _told(error)
    if of_voltage is not None:
        no_rate = "sampling_rate_hz" in of_voltage.settings
        if "voltage" in error.settings or (no_rate and _is_voltage(source)):
            return _told(of_voltage)
        if no_rate:
            if_voltage = of_voltage.told(control).removeprefix(f"{source.name}: ")
            refusal = Refusal(
                f"{refusal.sentence} If it is a voltage: {if_voltage}", error.settings | of_voltage.settings
            )
    nothing_to_name = table.ragged or len(table.columns) < 2
    chosen = any(value != Settings.model_fields[name].default for name, value in options.items())
    if nothing_to_name and not refusal.settings and not chosen:
        raise error  # no other choice would settle it
    return replace(refusal, columns=() if nothing_to_name else tuple(table.names), sheets=table.sheets)


def _is_voltage(source: Source) -> bool:
    """Whether what lacks a rate is a voltage for sure."""
    try:
        traces = read_voltage(source.data, filename=source.name, sampling_rate_hz=_ANY_HZ)
    except SpikeTrainError:
        return False
    return any(trace.unit == "mV" for trace in traces)
