"""What came out: traces beside the recording, conductances, scores, and files to take away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import ipywidgets as w
import numpy as np

from spike2pop_nb import plots
from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.browser import Download
from spike2pop_nb.app.figures import NO_MEMBER, DrawingQueue, FigureView
from spike2pop_nb.app.layout import Pager, card, classed, halves, listed, row, said, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.panels.pictures import PicturesPanel
from spike2pop_nb.app.panels.posterior import PosteriorPanel
from spike2pop_nb.app.state import Session
from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import three_digits

__all__ = ["DOWNLOADS", "MEMBERS_A_PAGE", "ResultsPanel", "injected"]

MEMBERS_A_PAGE = 6
_TRACES_PX, _SIDE_PX = 700, 230
_MOST_NAMED = 4
DOWNLOADS = (
    (
        "everything",
        "Everything (zip)",
        "Tables, traces, figures, the recordings, a report, a methods paragraph, settings and versions",
    ),
    (
        "report",
        "Report (one HTML file)",
        "Figures, DICs, counts, options, versions and methods; opens anywhere",
    ),
    ("population", "Population (CSV)", "Conductances, DICs and scores of every member"),
    ("spikes", "Spikes (CSV)", "Spike times of every member"),
    (
        "simulators",
        "For other simulators (zip)",
        "Every member as a model for NEURON, Brian2, Jaxley and, if it has no noise, NeuroML 2",
    ),
    (
        "clamp",
        "Dynamic clamp (zip)",
        "Each channel of the picked member (or the first) for a living cell: C and plugins of RTXI, "
        "with what it is predicted to do",
    ),
    ("nwb", "NWB (zip)", "Voltages, spikes and conductances of every member, for sharing on DANDI"),
)


class ResultsPanel:
    """Step 4: the members kept, page by page, and how they were judged."""

    def __init__(self, session: Session, actions: Actions, messages: Messages, drawing: DrawingQueue) -> None:
        self.session, self.actions, self._drawing = session, actions, drawing
        guard, after = messages.guard, messages.after
        self.says = text("", "s2p-says")
        self.why = text()
        self.picked = text("", "s2p-picked")
        says = "Voltage of some members over time, under the spikes of the recording"
        self.traces = FigureView("Simulated voltages appear here", _TRACES_PX, session, says)
        sides = (
            ("conductances", "Conductances", "Conductances of the members, each relative to its median"),
            ("scores", "Scores", "Score of each member, 1 for one that fires like the recording"),
            ("intervals", "Intervals", "Distributions of the intervals of the recording and of the members"),
            ("raster", "Spikes", "Spikes of all members under those of the recording"),
        )
        self.sides = {
            name: FigureView(f"{title} appear here", _SIDE_PX, session, says) for name, title, says in sides
        }
        orders = [("as found", "found"), ("worst first", "worst")]
        self.order = w.Dropdown(options=orders, description="order", layout={"width": "190px"})
        self.pager = Pager(MEMBERS_A_PAGE, after(self._show_page), self.order)
        self.back, self.next, self.where = self.pager.back, self.pager.next, self.pager.where
        self.downloads = {
            name: Download(
                guard(lambda name=name: actions.download(name, self.downloads[name])),
                guard(lambda name=name: actions.stop(f"download {name}")),
                label=label,
                hint=tip,
            )
            for name, label, tip in DOWNLOADS
        }
        bar = row(text("<b>Download</b>"), *self.downloads.values(), kind="s2p-bar")
        pairs = [w.VBox([text(f"<h3>{title}</h3>"), self.sides[name].widget]) for name, title, _says in sides]
        for wide in (pairs[0], pairs[-1]):
            wide.add_class("s2p-wide")
        grid = classed(w.GridBox(pairs), "s2p-sides")
        columns = halves([self.pager, self.traces.widget], [self.picked, grid], "s2p-columns")
        self.closer = PicturesPanel(session, actions, messages, drawing)
        self.posterior = PosteriorPanel(session, actions)
        summary = row(self.says, bar, kind="s2p-summary")
        parts = [summary, self.why, columns, self.closer.widget, self.posterior.widget]
        self.widget = card("4", "Population", parts, "s2p-results")
        self.order.observe(after(lambda: self.pager.turn(0)), "value")
        session.observe(after(self._show), ["result"])
        session.observe(after(self._say_nothing), ["results"])
        session.observe(after(self._show_member), ["member", "result"])
        self._show()
        self._show_member()

    def _show(self) -> None:
        result = self.session.result
        self.pager.page = 0
        usable = result is not None and result.usable
        for download in self.downloads.values():
            download.disabled = not usable
        if not usable:
            self._say_nothing()
            self.why.value = ""
            for figure in [self.traces, *self.sides.values()]:
                figure.clear()
            self._count(0)
            return
        from spike2pop_nb.export.methods_of_members import fell_by

        table = result.verdict.table
        share = 100 * result.acceptance
        self.says.value = (
            f"<p class='s2p-big'>{result.n_kept_passed} of the {len(table)} members fire like recording "
            f"{escape(result.recording.id)}</p><p>{escape(result.outcome)}</p>"
        )
        fell = [f"{why}: {count}" for why, count in list(result.reasons.items())[:8]]
        scores = "A score of 1 is a perfect match; 0.5 is just within what is allowed."
        judged = [result.verdict.rule.describe(), scores]
        if result.diversity is not None:
            judged.append(f"The members kept are {result.diversity.describe()}")
        if fell:
            judged.append(f"{fell_by(result)}:")
        self.why.value = (
            f"<details><summary>{result.n_tried} members were tried, {share:.0f} % accepted; "
            f"how they were judged</summary>{said(judged)}{listed(fell)}</details>"
        )
        passed = np.asarray(result.verdict.passed, dtype=bool)
        spikes = (result.simulated, result.recording)
        figures: dict[str, Callable[[], Any]] = {
            "conductances": lambda: plots.conductances(result.population, passed, _SIDE_PX),
            "scores": lambda: plots.scores(result.verdict, _SIDE_PX),
            "intervals": lambda: plots.intervals(*spikes, height=_SIDE_PX),
            "raster": lambda: plots.members(*spikes, height=_SIDE_PX),
        }
        self._count(len(table))
        self._drawing.add("traces", self._show_page)
        for name, make in figures.items():
            self._drawing.add(name, partial(self._draw, name, make), "result")

    def _draw(self, name: str, make: Callable[[], Any]) -> None:
        self.sides[name].show(make())

    def _say_nothing(self) -> None:
        """Say that there are no members to show, and which there are of other choices."""
        result = self.session.result
        if result is not None:
            if not result.usable:
                self.says.value = said([result.outcome])
            return
        found = [at for at, one in self.session.results.items() if one.usable]
        kept = list(dict.fromkeys(f"recording {at[1]} of {at[0].name}" for at in found))
        if not kept:
            self.says.value = said(["Nothing has been generated yet."])
            return
        more = f" and {len(kept) - _MOST_NAMED} more" if len(kept) > _MOST_NAMED else ""
        named = ", ".join(kept[:_MOST_NAMED]) + more
        self.says.value = said(
            [
                "Nothing has been generated yet for what is chosen above.",
                f"Kept is what was found for {named}: choose the same file, neuron model and prior again, or "
                "press Undo, to see it.",
            ]
        )

    def _rows(self) -> np.ndarray:
        """Rows of the members in the order of the pages."""
        table = self.session.result.verdict.table
        if self.order.value == "worst":
            return np.argsort(table["score"].to_numpy(float), kind="stable")
        return np.arange(len(table))

    def _show_page(self) -> None:
        result = self.session.result
        if result is None or not result.usable:
            return
        table = result.verdict.table
        self._count(len(table))
        page = self.pager.page
        shown = self._rows()[page * MEMBERS_A_PAGE :][:MEMBERS_A_PAGE]
        labels = [
            f"member {table['member'].iloc[at]} · score {table['score'].iloc[at]:.2f}"
            + ("" if table["passed"].iloc[at] else f" · {_first(str(table['reasons'].iloc[at]))}")
            for at in shown
        ]

        def draw(simulated: Any, rows: list[int]) -> None:
            figure = plots.traces(simulated, result.recording, rows=rows, labels=labels, height=_TRACES_PX)
            self.traces.show(figure)

        draw(result.simulated, shown.tolist())
        if not result.simulated.V_mV.size:  # left out when the search was cancelled, or dropped since

            def came(simulated: Any) -> None:
                if self.session.result is result and self.pager.page == page:
                    draw(simulated, list(range(len(shown))))

            self.actions.follow_traces(result, shown.tolist(), came)

    def _count(self, n: int) -> None:
        self.pager.show(n)
        self.order.disabled = not n

    def _show_member(self) -> None:
        member, result = self.session.member, self.session.result
        if result is None or not result.usable:
            self.picked.value = ""
            return
        table = result.verdict.table
        found = np.flatnonzero(table["member"].to_numpy() == member)
        if member == NO_MEMBER or not found.size:
            self.picked.value = said(["Click a member in any figure to see it in all of them."])
            return
        at = int(found[0])
        page = int(np.flatnonzero(self._rows() == at)[0]) // MEMBERS_A_PAGE
        if page != self.pager.page:
            self.pager.turn(page)
        verdict, g = table.iloc[at], result.population.g[at]
        made = result.population.table.iloc[at]
        names = result.population.channel_names
        conductances = ", ".join(f"{escape(name)} {value:.4g}" for name, value in zip(names, g, strict=True))
        judged = "passed" if verdict["passed"] else f"not passed: {escape(str(verdict['reasons']))}"
        self.picked.value = (
            f"<p><b>Member {member}</b>: {escape(str(verdict['pattern']))}, {verdict['rate_hz']:.3g} Hz, "
            f"score {verdict['score']:.2f}, {judged}; g<sub>s</sub> {made['g_s']:.2f}, g<sub>u</sub> "
            f"{made['g_u']:.2f}, in units of g<sub>leak</sub>.</p>"
            f"<p>Conductances in mS/cm²: {conductances}.</p>{said(injected(result.population, at))}"
        )


def injected(population: Population, row: int) -> list[str]:
    """What is injected into a member, without which it would fire otherwise."""
    if not population.driven:
        return []
    current, noise = (three_digits(of[row]) for of in (population.current, population.noise_sigma))
    words = f"Injected: a constant current of {current.replace('-', '−')} µA/cm², noise of σ {noise} µA/cm²"
    given = population.inhibition
    if given is not None and given.conductance[row]:
        words += (
            f", and an inhibition of {three_digits(given.conductance[row])} mS/cm² for "
            f"{100 * given.share[row]:.0f} % of every {given.period_ms[row]:.0f} ms"
        )
    return [f"{words}."]


def _first(reasons: str) -> str:
    """The first reason why a member fell, and how many more there are."""
    first, *more = reasons.split("; ")
    return f"not passed: {first}" + (f" and {len(more)} more" if more else "")
