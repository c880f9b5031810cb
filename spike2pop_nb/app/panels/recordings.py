"""Choosing a file and a recording, and seeing how they were understood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.figures import FigureView
from spike2pop_nb.app.files import Upload
from spike2pop_nb.app.layout import card, field, listed, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session, Source
from spike2pop_nb.data import example_path, list_examples
from spike2pop_nb.spiketrains import MAX_FILE_BYTES, SpikeTrain, features

__all__ = ["RecordingPanel"]

_UNITS = (
    ("as the file says", "auto"),
    ("seconds (s)", "s"),
    ("milliseconds (ms)", "ms"),
    ("microseconds (µs)", "us"),
)


class RecordingPanel:
    """Step 1: the file, what was understood, and the recording."""

    def __init__(
        self, session: Session, actions: Actions, messages: Messages, on_ready: Callable[[], None]
    ) -> None:
        self.session, self.actions = session, actions
        guard = messages.guard
        self.upload = Upload(
            self._uploaded,
            messages.report,
            label="Choose or drop a file…",
            hint="A file of spike times from this computer; it stays on this computer.",
            accept=".csv,.tsv,.txt,.dat,.npy,.npz,.mat",
        )
        self.example = w.Dropdown(options=[("choose…", ""), *((name, name) for name in list_examples())])
        self.unit = w.Dropdown(options=_UNITS, value=session.unit)
        self.choice = w.Dropdown(options=[("no file yet", None)])
        self.report = text("", "s2p-report")
        self.facts = text()
        self.figure = FigureView("Choose a file or an example to see its spikes", 240, on_ready)
        limit = f"{MAX_FILE_BYTES / 1e6:.0f} MB"
        self.widget = card(
            "1",
            "Recording",
            [
                field("File of spike times", self.upload, f"CSV, TXT, NPY, NPZ or MAT, up to {limit}."),
                w.HBox(
                    [
                        field("or an example", self.example, "Real and simulated trains."),
                        field("Unit of the times", self.unit, "Change it if it was guessed wrong."),
                    ],
                ),
                self.report,
                field("Recording (id)", self.choice, "One spike train of the file."),
                self.figure.widget,
                self.facts,
            ],
        )
        self.example.observe(guard(self._example_chosen), "value")
        self.unit.observe(guard(self._unit_chosen), "value")
        self.choice.observe(guard(self._recording_chosen), "value")
        session.observe(guard(self._show_recordings), "recordings")
        session.observe(guard(self._show_train), "train")
        session.observe(guard(self._show_source), ["source", "unit"])

    def enable(self, on: bool) -> None:
        """Let the controls be used, or not."""
        self.upload.disabled = not on
        for control in (self.example, self.unit, self.choice):
            control.disabled = not on

    def _uploaded(self, data: bytes, name: str) -> None:
        self.example.value = ""
        self.actions.open(Source(data, name))

    def _example_chosen(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self.actions.open(Source(example_path(change["new"]), change["new"]))

    def _unit_chosen(self, change: dict[str, Any]) -> None:
        self.session.unit = change["new"]

    def _recording_chosen(self, change: dict[str, Any]) -> None:
        recordings = self.session.recordings
        if recordings is not None and change["new"] is not None:
            self.session.train = recordings[change["new"]]

    def _show_source(self, _change: Any) -> None:
        self.unit.value = self.session.unit

    def _show_recordings(self, _change: Any) -> None:
        recordings = self.session.recordings
        if recordings is None:
            return
        # Options are shown as plain text by the widget, so ids need no escaping here.
        options = [(f"{train.id}  ({train.n_spikes} spikes)", i) for i, train in enumerate(recordings)]
        self.choice.options = options
        report = recordings.report
        first, *others = report.sentences()
        opened = " open" if report.repairs or report.skipped or report.cautions else ""
        self.report.value = (
            f"{said([first])}<details{opened}><summary>How it was read</summary>{listed(others)}</details>"
        )

    def _show_train(self, _change: Any) -> None:
        train = self.session.train
        if train is None:
            self.figure.clear()
            self.facts.value = ""
            return
        self.figure.show(plots.recording(train, 240))
        self.facts.value = said([describe(train), *features(train).notes])


def describe(train: SpikeTrain) -> str:
    """Say in one sentence what a train is."""
    found = features(train)
    spikes = "1 spike" if train.n_spikes == 1 else f"{train.n_spikes} spikes"
    if train.n_spikes < 2:
        return f"{spikes.capitalize()}: {found.pattern}."
    if train.n_spikes < 3:  # two spikes have one interval, which does not vary
        return f"{spikes.capitalize()} in {train.duration_ms:,.0f} ms: {found.pattern}."
    return (
        f"{spikes.capitalize()} in {train.duration_ms:,.0f} ms, {found.rate_hz:.3g} Hz, "
        f"CV of intervals {found.cv:.2f}: {found.pattern}."
    )
