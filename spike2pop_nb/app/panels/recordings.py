"""Choosing a file and a recording, and seeing how they were understood."""

from __future__ import annotations

from html import escape

import ipywidgets as w
import numpy as np

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.binding import Binding, open_while_usable
from spike2pop_nb.app.browser import Upload
from spike2pop_nb.app.figures import FigureView
from spike2pop_nb.app.layout import Fold, button, card, classed, field, listed, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.panels.detection import DetectionPanel, StretchPanel
from spike2pop_nb.app.panels.reading import ReadingPanel
from spike2pop_nb.app.settings import DETECTING, Settings, is_settings
from spike2pop_nb.app.state import Session, Source
from spike2pop_nb.data import example_path, list_examples
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.export.archive import is_session
from spike2pop_nb.plots.style import time_unit
from spike2pop_nb.spiketrains import (
    MAX_FILE_BYTES,
    PatternReport,
    SpikeTrain,
    VoltageTrace,
    describe_pattern,
    features,
)

__all__ = ["PASTED", "RecordingPanel"]

PASTED = "the pasted times"
_NOTHING = (("no file is read yet", -1),)


class RecordingPanel:
    """Step 1: the file, what was understood, and the recording."""

    def __init__(self, session: Session, actions: Actions, messages: Messages) -> None:
        self.session, self.actions = session, actions
        guard, after = messages.guard, messages.after
        self.upload = Upload(
            self._uploaded,
            messages.report,
            label="Choose or drop a file…",
            hint="A file of spike times or voltages from this computer; it stays on this computer.",
        )
        self.example = w.Dropdown(options=[("choose…", ""), *((name, name) for name in list_examples())])
        self.pasted = w.Textarea(placeholder="12.1 15.4 19.0 …", layout={"width": "100%", "height": "64px"})
        self.take = button("Read these times", "Take what is written above as the spike times of one neuron")
        self.detection = DetectionPanel(session, messages)
        self.threshold = self.detection.threshold
        self.reading = ReadingPanel(session, messages)
        self.stretch = StretchPanel(session, messages)
        self.choice = w.Dropdown(options=_NOTHING)
        self.facts = text()
        self.figure = FigureView(
            "Choose a file or an example to see its spikes",
            220,
            session,
            "Spikes of the recording over time, with the intervals between them or their voltage",
            on_drag=guard(self.detection.dragged),
            on_stretch=guard(self.stretch.marked),
            on_zoom=guard(self._zoomed),
        )
        limit = f"{MAX_FILE_BYTES / 1e6:.0f} MB"
        formats = (
            "CSV, TXT, Excel, JSON, MAT, NPY, NPZ, NWB, Phy or Kilosort as a zip, ABF, what else Neo reads, "
            "a session"
        )
        self._threshold = self.detection.widget
        self.widget = card(
            "1",
            "Recording",
            [
                field("File", self.upload, f"{formats}, up to {limit}."),
                field("or an example", self.example, "Simulated; hard_set.csv has strange ones too."),
                Fold(
                    "or paste spike times",
                    [field("Spike times", self.pasted, "Of one neuron, in any unit."), self.take],
                ),
                self.reading.widget,
                field("Recording (id)", self.choice, "One spike train of the file."),
                self._threshold,
                classed(self.figure.widget, "s2p-recording"),
                self.stretch.widget,
                self.facts,
            ],
        )
        self._example = Binding(self.example, self._open_example, messages, self._show_file)
        self._choice = Binding(self.choice, self._choose, messages, self._list_recordings)
        open_while_usable(session, self.upload, self.example, self.choice, self.pasted, self.take)
        self.take.on_click(after(self._take_pasted))
        session.observe(after(self._show_train), ["train", "recordings", "voltages", "refused"])
        session.follow(after(self._show_voltage), *Settings.names(DETECTING))
        session.follow(after(self._show_file), "file")

    def _uploaded(self, data: bytes, name: str) -> None:
        if is_session(data):
            self.actions.reopen(data, name)
        elif is_settings(data):
            self.actions.apply(Settings.from_json(data))
        else:
            self.actions.open(Source(data, name))

    def _open_example(self, name: str) -> None:
        if name:
            self.actions.open(Source(example_path(name), name))

    def _take_pasted(self) -> None:
        if not self.pasted.value.strip():
            raise SpikeTrainError("There is nothing to read; paste the spike times of one neuron first.")
        self.actions.open(Source(self.pasted.value.encode(), PASTED))

    def _choose(self, place: int | None) -> None:
        recordings = self.session.recordings
        if recordings is not None and place is not None and place >= 0:
            self.session.choose(recording=recordings[place].id)

    def _show_file(self) -> None:
        name = self.session.settings.file
        self._example.show(name if name in list_examples() else "")

    def _list_recordings(self) -> None:
        """List the recordings with the one that is looked at."""
        recordings, train = self.session.recordings, self.session.train
        if train is None:
            self._choice.show(-1, options=_NOTHING)
        elif recordings is not None and train.id in recordings.ids:
            # Options are shown as plain text by the widget, so ids need no escaping here.
            options = tuple((f"{one.id}  ({one.n_spikes} spikes)", i) for i, one in enumerate(recordings))
            self._choice.show(recordings.ids.index(train.id), options=options)

    def _show_voltage(self) -> VoltageTrace | None:
        voltage = self.detection.show()
        if voltage is not None:
            drawn = plots.voltage(voltage, self.threshold.value, 220, spikes=self.session.train)
            self.figure.show(drawn, moving=len(drawn.data))
        return voltage

    def _zoomed(self, ends: tuple[float, float] | None) -> None:
        """Draw what is looked at of a voltage in more detail."""
        voltage = self.session.voltage
        if voltage is None:
            return
        if ends is not None:
            per_ms, _unit = time_unit(float(np.ptp(voltage.times_ms)))
            ends = ends[0] / per_ms, ends[1] / per_ms
        drawn = plots.voltage(voltage, spikes=self.session.train, window_ms=ends)
        self.figure.move([curve.to_plotly_json() for curve in drawn.data])

    def _show_train(self) -> None:
        train = self.session.train
        self._list_recordings()
        voltage = self._show_voltage()
        if train is None:
            if voltage is None:
                self.figure.clear()
            self.facts.value = ""
            return
        if voltage is None:
            self.figure.show(plots.recording(train, 220))
        report = describe_pattern(train)
        self.facts.value = (
            said([describe(train, report), *report.notes])
            + f"<details><summary>Why {escape(str(report.kind))}</summary>"
            + listed([*report.reasons, *features(train).notes])
            + "</details>"
        )


def describe(train: SpikeTrain, report: PatternReport) -> str:
    """Say in one sentence what a train is."""
    kind = f"{report.kind}, though uncertain" if report.uncertain else str(report.kind)
    spikes = "1 spike" if train.n_spikes == 1 else f"{train.n_spikes} spikes"
    if train.n_spikes < 2:
        return f"{spikes.capitalize()}: {kind}."
    if train.n_spikes < 3:  # two spikes have one interval, which does not vary
        return f"{spikes.capitalize()} in {train.duration_ms:,.0f} ms: {kind}."
    found = features(train)
    return (
        f"{spikes.capitalize()} in {train.duration_ms:,.0f} ms, {found.rate_hz:.3g} Hz, "
        f"CV of intervals {found.cv:.2f}: {kind}."
    )
