"""A unit that the file does not name is a question to the user, with what each answer would mean."""

from __future__ import annotations

from typing import Final

import ipywidgets as w
import numpy as np

from spike2pop_nb.app.layout import button, classed, field, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.number import number_if_any
from spike2pop_nb.app.settings import Settings
from spike2pop_nb.app.state import Session
from spike2pop_nb.errors import Spike2PopError, three_digits
from spike2pop_nb.spiketrains import ReadReport, Recordings
from spike2pop_nb.spiketrains.units import SAMPLES, ms_per_unit, shown_unit

__all__ = ["UnitQuestion"]

_UNITS: Final = ("s", "ms", "us")
_USUAL_HZ: Final = "30000"
_NO_UNIT: Final = "the file names no unit"


class UnitQuestion:
    """Stands until it is answered; meanwhile the page works with what the intervals suggest."""

    def __init__(self, session: Session, messages: Messages) -> None:
        self.session = session
        guard = messages.guard
        self._interval: float | None = None
        self.asks = text("", "s2p-asks")
        self.yes = button("Yes", "Keep this unit", "primary")
        self.others = {unit: button("", f"The times are in {shown_unit(unit)}") for unit in _UNITS}
        self.samples = button("", "The times count samples at this rate")
        self.rate = w.Text(value=_USUAL_HZ)
        rate = field("or samples, at a rate (Hz) of", self.rate, "How many samples make a second.")
        self._counted = w.HBox([rate, self.samples])
        parts = [self.asks, w.HBox([self.yes, *self.others.values()]), self._counted]
        self.widget = classed(w.VBox(parts), "s2p-question")
        self.yes.on_click(guard(lambda _button: self._answer(self._report().unit)))
        for unit, other in self.others.items():
            other.on_click(guard(lambda _button, unit=unit: self._answer(unit)))
        self.samples.on_click(guard(lambda _button: self._answer(SAMPLES, self._rate_hz())))
        self.rate.observe(guard(lambda _change: self._name_samples()), "value")
        session.observe(guard(lambda _change: self._show()), "recordings")
        self._enabled = False
        self._show()

    def enable(self, on: bool) -> None:
        """Let it be answered, or not."""
        self._enabled = on
        for control in (self.yes, *self.others.values(), self.rate):
            control.disabled = not on
        self._name_samples()

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
        self.widget.layout.display = "" if asked else "none"
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
            other.layout.display = "none" if unit == report.unit else ""
            other.description = f"No, {shown_unit(unit)}{self._as_rate(': ', unit)}"
        self._counted.layout.display = "" if _may_count(recordings) else "none"
        self._name_samples()

    def _name_samples(self) -> None:
        rate_hz = self._rate_hz()
        self.samples.disabled = not self._enabled or rate_hz is None
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
