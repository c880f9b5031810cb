"""How the file was understood, and the options to have it read otherwise."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as w

from spike2pop_nb.app.binding import Binding, bind
from spike2pop_nb.app.controls import LABELS
from spike2pop_nb.app.layout import Fold, field, listed, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.number import in_field, number_if_any
from spike2pop_nb.app.panels.unit import UnitQuestion
from spike2pop_nb.app.settings import READING, Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.spiketrains import ReadReport, Recordings
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
    ("a list of times per row (list)", "list"),
    ("a row per spike (long)", "long"),
    ("a column per train (columns)", "columns"),
    ("a train per line (rows)", "rows"),
    ("one train (single)", "single"),
    ("trials one after another (trials)", "trials"),
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
            "sheets": w.SelectMultiple(options=[], rows=5),
            "time_column": w.Dropdown(options=[_AS_READ]),
            "ids": w.Dropdown(options=_IDS),
            "id_columns": w.SelectMultiple(options=[], rows=5),
            "start_s": w.Text(placeholder="the beginning", continuous_update=False),
            "stop_s": w.Text(placeholder="the end", continuous_update=False),
            "voltage_unit": w.Dropdown(options=_VOLTAGE_UNITS),
        }
        helps = {
            "unit": "What you choose is used, whatever the file says.",
            "other": "A unit or a multiple of one, such as 0.1 ms or 10 us.",
            "sampling_rate_hz": "How many samples make a second.",
            "layout": "How the table is laid out.",
            "sheets": "None chosen: all that hold spike times. Hold Ctrl (⌘ on a Mac) to choose several.",
            "time_column": "Or the array, or the variable.",
            "ids": "What tells one train from another.",
            "id_columns": "Hold Ctrl (⌘ on a Mac) to choose several.",
            "start_s": "Of the stretch that is used.",
            "stop_s": "On the recording's own clock.",
            "voltage_unit": "What you choose is used, whatever the file says.",
        }
        labels = LABELS | {
            "other": "Unit in words",
            "ids": LABELS["id_columns"],
            "id_columns": "These columns together",
        }
        fields = {name: field(labels[name], self.how[name], helps[name]) for name in self.how}
        self.fields = fields
        self.fold = Fold(
            "Choose how it is read",
            [
                fields["unit"],
                fields["other"],
                fields["sampling_rate_hz"],
                fields["layout"],
                fields["sheets"],
                fields["time_column"],
                fields["ids"],
                fields["id_columns"],
                w.HBox([fields["start_s"], fields["stop_s"]]),
                fields["voltage_unit"],
            ],
        )
        self.widget = w.VBox([self.question.widget, self.refusal, self.report, self.fold])
        self._enabled = False
        self._asked: set[str] = set()  # controls that were asked for and in which nothing is chosen yet
        for name in ("layout", "voltage_unit"):
            bind(session, self.how[name], name, messages)
        for name in ("sampling_rate_hz", "start_s", "stop_s"):
            bind(session, self.how[name], name, messages, in_field, number_if_any)
        takes = {
            "unit": self._take_unit,
            "other": self._take_other,
            "time_column": lambda name: session.choose(time_column=name or None),
            "sheets": lambda names: session.choose(sheets=names or None),
            "ids": self._take_ids,
            "id_columns": lambda names: session.choose(id_columns=names or None),
        }
        self._tied = {
            name: Binding(self.how[name], take, messages, self._show_options) for name, take in takes.items()
        }
        session.follow(guard(self._changed), "file", *Settings.names(READING))
        session.observe(guard(self._changed), ["source", "recordings", "refused", "voltages"])
        session.observe(guard(self._show_report), ["recordings", "refused"])
        self._show_options()
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

    def _sheets(self) -> tuple[str, ...]:
        """Sheets of the workbook; none where there is nothing to choose."""
        session = self.session
        held = session.refused if session.refused is not None else session.recordings
        found = held.report.sheets if isinstance(held, Recordings) else held.sheets if held else ()
        return found if len(found) > 1 else ()

    def _take_unit(self, value: str) -> None:
        if value == _OTHER:
            self._asked.add("other")
            return
        self._asked.discard("other")
        choices: dict[str, Any] = {"unit": value}
        if value != SAMPLES and not self.session.voltages:  # samples of a voltage may need it as well
            choices["sampling_rate_hz"] = None
        self.session.choose(**choices)

    def _take_other(self, value: str) -> None:
        if value.strip():
            self._take_unit(Settings.choice("unit", value))

    def _take_ids(self, value: str) -> None:
        if value == "these":
            self._asked.add("id_columns")
        else:
            self._asked.discard("id_columns")
            self.session.choose(id_columns=() if value == "none" else None)

    def _changed(self, _change: Any) -> None:
        self._asked.clear()
        self._show_options()

    def _show_options(self) -> None:
        """Bring the controls in line with what is chosen, and show those that it calls for."""
        settings, show = self.session.settings, {name: tied.show for name, tied in self._tied.items()}
        in_words = "other" in self._asked or settings.unit not in [unit for _label, unit in _UNITS]
        show["unit"](_OTHER if in_words else settings.unit)
        show["other"](shown_unit(settings.unit) if in_words and "other" not in self._asked else "")
        # Options are shown as plain text by the widgets, so names need no escaping here.
        names = tuple((name, name) for name in dict.fromkeys(self._columns()))
        column, ids = settings.time_column, settings.id_columns
        show["time_column"](column if (column, column) in names else "", options=(_AS_READ, *names))
        sheets = self._sheets()
        chosen = tuple(name for name in settings.sheets or () if name in sheets)
        show["sheets"](chosen, options=tuple((name, name) for name in sheets))
        named = bool(ids) or "id_columns" in self._asked
        show["ids"]("these" if named else "auto" if ids is None else "none")
        show["id_columns"](tuple(name for name, _value in names if name in (ids or ())), options=names)
        self._reveal(in_words, named)
        self._allow()

    def _reveal(self, in_words: bool, named: bool) -> None:
        session = self.session
        asked = frozenset() if session.refused is None else session.refused.settings
        units = {session.settings.unit, session.recordings.report.unit if session.recordings else ""}
        rated = session.settings.sampling_rate_hz is not None or "sampling_rate_hz" in asked
        needed = {
            "other": in_words,
            "sampling_rate_hz": SAMPLES in units or rated,
            "id_columns": named,
            "sheets": bool(self._sheets()),
            "voltage_unit": bool(session.voltages) or session.settings.voltage_unit != "auto",
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


def understood(report: ReadReport) -> str:
    """What was understood of a file as HTML: what to check first, then what was read, then all else."""
    first, *others = report.describe().splitlines()
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
