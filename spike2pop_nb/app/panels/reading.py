"""How the file was understood, and the options to have it read otherwise.

A unit that the file does not name is a question to the user, with what each answer would mean.
"""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any, Final

import ipywidgets as w
import numpy as np

from spike2pop_nb.app.binding import Binding, bind, in_field, number_if_any, open_while_usable
from spike2pop_nb.app.layout import Fold, button, classed, field, listed, row, said, shown_if, text
from spike2pop_nb.app.messages import LABELS, Messages
from spike2pop_nb.app.settings import READING, Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import Spike2PopError, three_digits
from spike2pop_nb.spiketrains import ReadReport, Recordings
from spike2pop_nb.spiketrains.units import SAMPLES, ms_per_unit, shown_unit

__all__ = ["ReadingPanel", "UnitQuestion"]

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
_LABELS = LABELS | {
    "other": "Unit in words",
    "ids": LABELS["id_columns"],
    "id_columns": "These columns together",
}
_ASKED_UNITS: Final = ("s", "ms", "us")
_USUAL_HZ: Final = "30000"
_NO_UNIT: Final = "the file names no unit"


class ReadingPanel:
    """The question for the unit, the refusal, the report, and the options of reading.

    ``how`` are the controls, by the names of the settings; beside them "other", for a unit in words, and
    "ids", for whether columns are named.
    """

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        after = messages.after
        self.question = UnitQuestion(session, messages)
        self.refusal = text("", "s2p-refusal")
        self.report = text("", "s2p-report")
        as_chosen = "What you choose is used, whatever the file says."
        several = "Hold Ctrl (⌘ on a Mac) to choose several."
        made = {
            "unit": (w.Dropdown(options=_UNITS), as_chosen),
            "other": (_text("0.1 ms"), "A unit or a multiple of one, such as 0.1 ms or 10 us."),
            "sampling_rate_hz": (_text("30000"), "How many samples make a second."),
            "layout": (w.Dropdown(options=_LAYOUTS), "How the table is laid out."),
            "sheets": (w.SelectMultiple(rows=5), f"None chosen: all that hold spike times. {several}"),
            "time_column": (w.Dropdown(options=[_AS_READ]), "Or the array, or the variable."),
            "ids": (w.Dropdown(options=_IDS), "What tells one train from another."),
            "id_columns": (w.SelectMultiple(rows=5), several),
            "start_s": (_text("the beginning"), "Of the stretch that is used."),
            "stop_s": (_text("the end"), "On the recording's own clock."),
            "voltage_unit": (w.Dropdown(options=_VOLTAGE_UNITS), as_chosen),
        }
        self.how: dict[str, Any] = {name: control for name, (control, _help) in made.items()}
        self.fields = fields = {name: field(_LABELS[name], *of) for name, of in made.items()}
        *others, start, stop, voltage = fields.values()
        self.fold = Fold("Choose how it is read", [*others, row(start, stop), voltage])
        self.widget = w.VBox([self.question.widget, self.refusal, self.report, self.fold])
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
        session.follow(after(self._changed), "file", *Settings.names(READING))
        session.observe(after(self._changed), ["source", "recordings", "refused", "voltages"])
        session.observe(after(self._show_report), ["recordings", "refused"])
        session.observe(after(self._allow), "usable")
        self._show_options()
        self._show_report()

    def _allow(self) -> None:
        """There is nothing to choose without a file, and a recorded voltage is laid out in one way only."""
        session = self.session
        possible = session.usable and session.source is not None
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

    def _changed(self) -> None:
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
            shown_if(on, self.fields[name])

    def _show_report(self) -> None:
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


class UnitQuestion:
    """Stands until it is answered; meanwhile the page works with what the intervals suggest."""

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        after = messages.after
        self._interval: float | None = None
        self.asks = text("", "s2p-asks")
        self.yes = button("Yes", "Keep this unit", "primary")
        self.others = {unit: button("", f"The times are in {shown_unit(unit)}") for unit in _ASKED_UNITS}
        self.samples = button("", "The times count samples at this rate")
        self.rate = w.Text(value=_USUAL_HZ)
        rate = field("or samples, at a rate (Hz) of", self.rate, "How many samples make a second.")
        self._counted = row(rate, self.samples)
        parts = [self.asks, row(self.yes, *self.others.values()), self._counted]
        self.widget = classed(w.VBox(parts), "s2p-question")
        self.yes.on_click(after(lambda: self._answer(self._report().unit)))
        for unit, other in self.others.items():
            other.on_click(after(partial(self._answer, unit)))
        self.samples.on_click(after(lambda: self._answer(SAMPLES, self._rate_hz())))
        self.rate.observe(after(self._name_samples), "value")
        open_while_usable(session, self.yes, *self.others.values(), self.rate)
        session.observe(after(self._name_samples), "usable")
        session.observe(after(self._show), "recordings")
        self._name_samples()
        self._show()

    def _report(self) -> ReadReport:
        assert self.session.recordings is not None
        return self.session.recordings.report

    def _rate_hz(self) -> float | None:
        """The rate that is written, None where that is none."""
        try:
            rate: float | None = Settings.choice("sampling_rate_hz", number_if_any(self.rate.value))
        except Spike2PopError:
            return None
        return rate

    def _answer(self, unit: str, rate_hz: float | None = None) -> None:
        self.session.choose(unit=unit, sampling_rate_hz=rate_hz)

    def _show(self) -> None:
        recordings = self.session.recordings
        asked = recordings is not None and recordings.report.unit_assumed
        shown_if(asked, self.widget)
        if recordings is None or not asked:
            return
        report = recordings.report
        self._interval = _median_interval(recordings)
        caution = report.cautions[0] if report.cautions else _NO_UNIT
        because = _NO_UNIT if caution.startswith(_NO_UNIT) else caution
        by = ""
        if self._interval is not None:
            median = three_digits(self._interval * ms_per_unit(report.unit))
            by = f"{self._as_rate(', a rate of ', report.unit)} by the median interval, {median} ms"
        taken = f"Taken for {shown_unit(report.unit)}{by}."
        self.asks.value = (
            f'<div role="status">{said([f"{because[0].upper()}{because[1:]}. {taken} Is that right?"])}</div>'
        )
        self.yes.description = f"Yes, {shown_unit(report.unit)}"
        for unit, other in self.others.items():
            shown_if(unit != report.unit, other)
            other.description = f"No, {shown_unit(unit)}{self._as_rate(': ', unit)}"
        shown_if(_may_count(recordings), self._counted)
        self._name_samples()

    def _name_samples(self) -> None:
        rate_hz = self._rate_hz()
        self.samples.disabled = not self.session.usable or rate_hz is None
        means = "" if rate_hz is None else self._as_rate(": ", SAMPLES, rate_hz)
        self.samples.description = f"No, samples{means}"

    def _as_rate(self, before: str, unit: str, sampling_rate_hz: float | None = None) -> str:
        """What the median interval would be as a rate, behind some words; "" where there is no interval."""
        if self._interval is None:
            return ""
        rate = 1000.0 / (self._interval * ms_per_unit(unit, sampling_rate_hz))
        return f"{before}{rate:,.0f} Hz" if 100 <= rate < 1e7 else f"{before}{rate:.3g} Hz"


def _median_interval(recordings: Recordings) -> float | None:
    """Of all trains, in the file's unit."""
    gaps = [train.isi_ms for train in recordings if train.n_spikes > 1]
    if not gaps:
        return None
    return float(np.median(np.concatenate(gaps))) / ms_per_unit(recordings.report.unit)


def _may_count(recordings: Recordings) -> bool:
    """Whether all times of the file are whole numbers, as those that count samples are."""
    per_unit = ms_per_unit(recordings.report.unit)
    times = [train.times_ms / per_unit for train in recordings]
    return all(np.allclose(one, np.rint(one), rtol=1e-12, atol=1e-9) for one in times)


def _text(usual: str) -> w.Text:
    """A field in which something stands that could be written."""
    return w.Text(placeholder=usual, continuous_update=False)


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
