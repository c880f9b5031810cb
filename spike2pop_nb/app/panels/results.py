"""What came out: traces beside the recording, conductances, scores, and files to take away."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w
import numpy as np

from spike2pop_nb import plots
from spike2pop_nb.app.figures import FigureView
from spike2pop_nb.app.files import Download
from spike2pop_nb.app.layout import button, card, listed, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.state import Session

__all__ = ["MEMBERS_A_PAGE", "ResultsPanel"]

MEMBERS_A_PAGE = 6
_TRACES_PX, _SIDE_PX = 570, 295


class ResultsPanel:
    """Step 4: the members kept, page by page, and how they were judged."""

    def __init__(self, session: Session, messages: Messages, on_ready: Callable[[], None]) -> None:
        self.session = session
        guard = messages.guard
        self.page = 0
        self.says = text("", "s2p-says")
        self.why = text()
        self.traces = FigureView("Simulated voltages appear here", _TRACES_PX, on_ready)
        self.conductances = FigureView("Conductances of the members appear here", _SIDE_PX, on_ready)
        self.scores = FigureView("A score per member appears here", _SIDE_PX, on_ready)
        self.back = button("‹ Back", "Show the members before these")
        self.next = button("Next ›", "Show the members after these")
        self.where = text()
        self.order = w.Dropdown(options=[("as found", "found"), ("worst first", "worst")])
        self.order.layout.width = "130px"
        self.downloads = {
            name: Download(label=label, filename=filename, mime=mime, hint=tip)
            for name, label, filename, mime, tip in (
                ("population", "population.csv", "population.csv", "text/csv", "Conductances and scores"),
                ("spikes", "spike_times.csv", "spike_times.csv", "text/csv", "Spikes of every member"),
                ("zip", "all as zip", "spike2pop.zip", "application/zip", "Both tables and summary.json"),
            )
        }
        bar = w.HBox([text("<label>Download results</label>"), *self.downloads.values()])
        pager = w.HBox([self.back, self.where, self.next, text("<label>order</label>"), self.order])
        left = w.VBox([pager, self.traces.widget])
        right = w.VBox([self.scores.widget, self.conductances.widget])
        columns = w.HBox([left, right])
        for box, name in (
            (bar, "s2p-bar"),
            (pager, "s2p-bar"),
            (left, "s2p-left"),
            (right, "s2p-right"),
            (columns, "s2p-columns"),
        ):
            box.add_class(name)
        self.widget = card("4", "Population", [w.HBox([self.says, bar]), self.why, columns], "s2p-results")
        self.widget.children[1].add_class("s2p-summary")
        self.back.on_click(guard(lambda _button: self._turn(-1)))
        self.next.on_click(guard(lambda _button: self._turn(1)))
        self.order.observe(guard(lambda _change: self._turn(-self.page)), "value")
        session.observe(guard(self._show), ["result"])
        self._show(None)

    @property
    def figures(self) -> list[FigureView]:
        """The figures of this panel."""
        return [self.traces, self.conductances, self.scores]

    def _show(self, _change: Any) -> None:
        result = self.session.result
        self.page = 0
        if result is None or not result.usable:
            sentence = result.message if result is not None else "Nothing has been generated yet."
            self.says.value = said([sentence])
            self.why.value = ""
            for figure in self.figures:
                figure.clear()
            for download in self.downloads.values():
                download.content = b""
            self._pager(0)
            return
        table = result.verdict.table
        share = 100 * result.acceptance
        self.says.value = (
            f"<p class='s2p-big'>{result.n_kept_passed} of the {len(table)} members fire like recording "
            f"{escape(result.recording.id)}</p><p>{escape(result.message)}</p>"
        )
        fell = [f"{why}: {count}" for why, count in list(result.reasons.items())[:8]]
        rule = result.verdict.rule.describe() if hasattr(result.verdict, "rule") else ""
        self.why.value = (
            f"<details><summary>{result.n_tried} members were tried, {share:.0f} % accepted; "
            f"how they were judged</summary>{said([rule])}{listed(fell)}</details>"
        )
        passed = np.asarray(result.verdict.passed, dtype=bool)
        self.conductances.show(plots.conductances(result.population, passed, _SIDE_PX))
        self.scores.show(plots.scores(result.verdict, _SIDE_PX))
        self._turn(0)
        self._offer(result)

    def _offer(self, result: Any) -> None:
        from spike2pop_nb.export import results_frames, results_zip

        frames = results_frames([result])
        for name, table in (("population", "population"), ("spikes", "spike_times")):
            text_ = frames[table].to_csv(index=False, lineterminator="\n")
            self.downloads[name].content = text_.encode("utf-8")
        self.downloads["zip"].content = results_zip([result], self.session.settings() | result.options)

    def _turn(self, by: int) -> None:
        result = self.session.result
        if result is None or not result.usable:
            return
        table = result.verdict.table
        rows = np.arange(len(table))
        if self.order.value == "worst":
            rows = np.argsort(table["score"].to_numpy(float), kind="stable")
        pages = -(-len(rows) // MEMBERS_A_PAGE)
        self.page = min(max(0, self.page + by), pages - 1)
        shown = rows[self.page * MEMBERS_A_PAGE :][:MEMBERS_A_PAGE]
        labels = [
            f"member {table['member'].iloc[row]} · score {table['score'].iloc[row]:.2f}"
            + ("" if table["passed"].iloc[row] else f" · not passed: {table['reasons'].iloc[row]}")
            for row in shown
        ]
        figure = plots.traces(
            result.simulated, result.recording, rows=list(shown), labels=labels, height=_TRACES_PX
        )
        self.traces.show(figure)
        self._pager(pages)

    def _pager(self, pages: int) -> None:
        self.back.disabled = self.page <= 0
        self.next.disabled = self.page >= pages - 1
        self.order.disabled = not pages
        self.where.value = f"page {self.page + 1} of {pages}" if pages else ""
