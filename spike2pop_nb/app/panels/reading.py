"""How the file was understood, and the options to have it read otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as w

from spike2pop_nb.app.layout import Fold, field, listed, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.panels.unit import UnitQuestion
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import READING, Session
from spike2pop_nb.spiketrains import ReadReport
from spike2pop_nb.spiketrains.units import SAMPLES, shown_unit

__all__ = ["ReadingPanel"]

_OTHER = "other"
_UNITS = (
    ("as the file says", "auto"),
    ("seconds (s)", "s"),
    ("milliseconds (ms)", "ms"),
    ("microseconds (µs)", "us"),
    ("nanoseconds (ns)", "ns"),
    ("minutes (min)", "min"),
    ("samples", SAMPLES),
    ("another…", _OTHER),
)
_LAYOUTS = (
    ("as understood", "auto"),
    ("a list of times per row", "list"),
    ("a row per spike", "long"),
    ("a column per train", "columns"),
    ("a train per line", "rows"),
    ("one train", "single"),
    ("trials one after another", "trials"),
)
_VOLTAGE_UNITS = (
    ("as the file says", "auto"),
    ("V", "V"),
    ("mV", "mV"),
    ("µV", "uV"),
    ("nV", "nV"),
)
_AS_READ = ("as understood", "")  # a list whose value is None shows nothing as chosen
_IDS = (("as understood", "auto"), ("no column", "none"), ("these columns", "these"))
_NUMBERS = ("sampling_rate_hz", "start_s", "stop_s")


class ReadingPanel:
    """The question for the unit, the refusal, the report, and the options of reading.

    Attributes
    ----------
    how
        The controls, by the names of the settings; beside them "other", for a unit in words, and "ids", for
        whether columns are named.
    """

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        guard = messages.guard
        self.question = UnitQuestion(session, messages)
        self.refusal = text("", "s2p-refusal")
        self.report = text("", "s2p-report")
        self.how: dict[str, Any] = {
            "unit": w.Dropdown(options=_UNITS),
            "other": w.Text(placeholder="0.1 ms", continuous_update=False),
            "sampling_rate_hz": w.Text(placeholder="30000", continuous_update=False),
            "layout": w.Dropdown(options=_LAYOUTS),
            "time_column": w.Dropdown(options=[_AS_READ]),
            "ids": w.Dropdown(options=_IDS),
            "id_columns": w.SelectMultiple(options=[], rows=5),
            "start_s": w.Text(placeholder="the beginning", continuous_update=False),
            "stop_s": w.Text(placeholder="the end", continuous_update=False),
            "voltage_unit": w.Dropdown(options=_VOLTAGE_UNITS),
        }
        helps = {
            "unit": ("Unit of the times", "What you choose is used, whatever the file says."),
            "other": ("Unit in words", "A unit or a multiple of one, such as 0.1 ms or 10 us."),
            "sampling_rate_hz": ("Sampling rate (Hz)", "How many samples make a second."),
            "layout": ("Layout", "How the table is laid out."),
            "time_column": ("Column of times", "Or the array, or the variable."),
            "ids": ("Columns of ids", "What tells one train from another."),
            "id_columns": ("These columns together", "Hold Ctrl (⌘ on a Mac) to choose several."),
            "start_s": ("Start (s)", "Of the stretch that is used."),
            "stop_s": ("Stop (s)", "On the recording's own clock."),
            "voltage_unit": ("Unit of the voltage", "What you choose is used, whatever the file says."),
        }
        fields = {name: field(*helps[name][:1], self.how[name], helps[name][1]) for name in self.how}
        self.fields = fields
        self.fold = Fold(
            "Choose how it is read",
            [
                fields["unit"],
                fields["other"],
                fields["sampling_rate_hz"],
                fields["layout"],
                fields["time_column"],
                fields["ids"],
                fields["id_columns"],
                w.HBox([fields["start_s"], fields["stop_s"]]),
                fields["voltage_unit"],
            ],
        )
        self.widget = w.VBox([self.question.widget, self.refusal, self.report, self.fold])
        self._enabled = self._filling = False
        takes = {
            "unit": self._take_unit,
            "other": self._take_other,
            "ids": self._take_ids,
            "id_columns": self._take_columns,
        }
        for name, control in self.how.items():
            take = takes.get(name, lambda value, name=name: self._take(name, value))
            control.observe(guard(lambda change, take=take: self._chosen(take, change["new"])), "value")
        session.observe(guard(self._show_options), [*READING, "recordings", "refused", "voltages"])
        session.observe(guard(self._show_report), ["recordings", "refused"])
        self._show_options(None)
        self._show_report(None)

    def enable(self, on: bool) -> None:
        """Let the controls be used, or not."""
        self._enabled = on
        self.question.enable(on)
        self._allow()

    def _allow(self) -> None:
        """There is nothing to choose without a file, and a recorded voltage is laid out in one way only."""
        session = self.session
        possible = self._enabled and session.source is not None
        columns = bool(self._columns())
        for name, control in self.how.items():
            of_columns = name in ("time_column", "ids", "id_columns")
            usable = columns if of_columns else not (name == "layout" and session.voltages)
            control.disabled = not (possible and usable)

    def _columns(self) -> tuple[str, ...]:
        """Columns of the file that can be named."""
        session = self.session
        if session.refused is not None:
            return session.refused.columns
        return () if session.recordings is None else session.recordings.report.candidates

    def _chosen(self, take: Any, value: Any) -> None:
        if not self._filling:
            take(value)

    def _take(self, name: str, value: Any) -> None:
        value = value.strip() or None if name in _NUMBERS else value or None
        self.session.set_trait(name, Settings.choice(name, value))

    def _take_unit(self, value: str) -> None:
        if value == _OTHER:
            self._reveal()
            return
        session = self.session
        with session.hold_trait_notifications():
            session.unit = value
            if value != SAMPLES and not session.voltages:  # samples of a voltage may need it as well
                session.sampling_rate_hz = None

    def _take_other(self, value: str) -> None:
        if value.strip():
            self._take_unit(Settings.choice("unit", value))

    def _take_ids(self, value: str) -> None:
        if value == "these":
            self._reveal()
            return
        self.session.set_trait("id_columns", () if value == "none" else None)

    def _take_columns(self, value: Sequence[str]) -> None:
        columns = Settings.choice("id_columns", list(value)) if value else None
        self.session.set_trait("id_columns", columns)

    def _show_options(self, _change: Any) -> None:
        """Bring the controls in line with what is chosen."""
        session, how, columns = self.session, self.how, self._columns()
        self._filling = True
        try:
            listed_units = [value for _label, value in _UNITS]
            how["unit"].value = session.unit if session.unit in listed_units else _OTHER
            how["other"].value = "" if session.unit in listed_units else shown_unit(session.unit)
            how["layout"].value = session.layout
            how["voltage_unit"].value = session.voltage_unit
            for name in _NUMBERS:
                number = getattr(session, name)
                how[name].value = "" if number is None else f"{number:.15g}"
            # Options are shown as plain text by the widgets, so names need no escaping here.
            names = dict.fromkeys(columns)
            _refill(how["time_column"], (_AS_READ, *((name, name) for name in names)))
            _refill(how["id_columns"], tuple((name, name) for name in names))
            how["time_column"].value = session.time_column if session.time_column in names else ""
            chosen = session.id_columns
            how["ids"].value = "auto" if chosen is None else "these" if chosen else "none"
            how["id_columns"].value = tuple(name for name in names if name in (chosen or ()))
        finally:
            self._filling = False
        self._reveal()
        self._allow()

    def _reveal(self) -> None:
        """Show the controls that what is chosen calls for."""
        session, how = self.session, self.how
        refused = "" if session.refused is None else session.refused.sentence
        report = None if session.recordings is None else session.recordings.report
        counted = how["unit"].value == SAMPLES or (report is not None and report.unit == SAMPLES)
        needed = {
            "other": how["unit"].value == _OTHER,
            "sampling_rate_hz": counted or session.sampling_rate_hz is not None or "sampling rate" in refused,
            "id_columns": how["ids"].value == "these",
            "voltage_unit": bool(session.voltages) or session.voltage_unit != "auto",
        }
        for name, on in needed.items():
            self.fields[name].layout.display = "" if on else "none"

    def _show_report(self, _change: Any) -> None:
        session = self.session
        refused = session.refused
        self.refusal.value = ""
        if refused is not None:
            self.refusal.value = (
                '<div class="s2p-warning" role="alert"><p><b>Not read yet.</b> '
                f"{escape(refused.sentence)}</p><p>Settle it here, or take another file.</p></div>"
            )
            if refused.trace is None:  # else it is settled beside the figure
                self.fold.opened = True
        self.report.value = "" if session.recordings is None else understood(session.recordings.report)


def _refill(control: Any, options: tuple[tuple[str, str], ...]) -> None:
    """Give a control other options; one that has them already keeps where it is scrolled to."""
    if tuple(control.options) != options:
        control.options = options


def understood(report: ReadReport) -> str:
    """What was understood of a file as HTML: what to check first, then what was read, then all else."""
    first, *others = report.sentences()
    n_cautions = len(report.cautions)
    cautions = others[len(others) - n_cautions :]
    if report.unit_assumed and report.cautions:
        cautions = cautions[1:]  # the question for the unit says it
    others = others[: len(others) - n_cautions]
    # of a voltage it says how its spikes were found
    shown = ("Key: ", "Unit: ", *(["Layout: "] if report.layout == "voltage" else []))
    main = [line for line in others if line.startswith(shown)]
    rest = [line for line in others if line not in main]
    opened = " open" if report.repairs or report.skipped else ""
    warning = f'<div class="s2p-warning">{said(cautions)}</div>' if cautions else ""
    return (
        f"{warning}{said([first, *main])}"
        f"<details{opened}><summary>How it was read</summary>{listed(rest)}</details>"
    )
