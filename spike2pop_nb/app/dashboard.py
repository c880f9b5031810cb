"""The page: all panels over one session, in the order of the story."""

from __future__ import annotations

from html import escape

import ipywidgets as w

from spike2pop_nb.app.actions import Actions
from spike2pop_nb.app.browser import Browser, static
from spike2pop_nb.app.figures import DrawingQueue
from spike2pop_nb.app.layout import card, classed, row, text
from spike2pop_nb.app.messages import Messages
from spike2pop_nb.app.panels.comparing import ComparisonPanel
from spike2pop_nb.app.panels.dics import DICPanel
from spike2pop_nb.app.panels.experiments import ExperimentsPanel
from spike2pop_nb.app.panels.explore import ExplorePanel
from spike2pop_nb.app.panels.population import CompensationPanel, PopulationPanel
from spike2pop_nb.app.panels.recordings import RecordingPanel
from spike2pop_nb.app.panels.results import ResultsPanel
from spike2pop_nb.app.panels.table import TablePanel
from spike2pop_nb.app.panels.toolbar import Toolbar
from spike2pop_nb.app.runner import Dispatch, Runner, on_this_loop
from spike2pop_nb.app.state import Session

__all__ = ["Dashboard", "page"]


class Dashboard:
    """The whole page; ``widget`` is what to show.

    Parameters
    ----------
    dispatch
        How background work reaches the widgets; by default over the event loop that is running now.

    Examples
    --------
    >>> from spike2pop_nb.app import Dashboard
    >>> dashboard = Dashboard()
    >>> dashboard.session.neuron.name
    'stg'
    """

    def __init__(self, dispatch: Dispatch | None = None) -> None:
        self.session = Session()
        self.messages = Messages()
        dispatch = dispatch or on_this_loop()
        self.runner = Runner(dispatch)
        self.actions = Actions(self.session, self.runner, self.messages)
        guard, after = self.messages.guard, self.messages.after
        drawing = DrawingQueue(self.session, dispatch, self.messages)
        self.browser = Browser(guard(self._opened))
        self.toolbar = Toolbar(self.session, self.actions, self.messages, self.browser)
        self.recordings = RecordingPanel(self.session, self.actions, self.messages)
        self.dics = DICPanel(self.session, self.actions, self.messages, drawing)
        self.compensation = CompensationPanel(self.session, self.messages)
        self.population = PopulationPanel(self.session, self.actions, self.messages)
        self.table = TablePanel(self.session, self.messages, drawing, self.population.generate)
        self.results = ResultsPanel(self.session, self.actions, self.messages, drawing)
        self.experiments = ExperimentsPanel(self.session, self.actions, self.messages, drawing)
        self.explore = ExplorePanel(self.session, self.runner)
        self.comparison = ComparisonPanel(self.session, self.actions)
        self.status = text("", "s2p-status")
        self.session.observe(after(self._show_status), ["busy", "ready", "drawing"])
        self.session.observe(after(self._warn_of_loss), "results")
        self.actions.on_taken = guard(self._warn_of_loss)
        self._show_status()
        self.widget = self._compose()

    def _compose(self) -> w.VBox:
        brand = text(
            "<h1>spike2pop</h1><p>From the spike times of one neuron to a verified, degenerate population of "
            "conductance-based models</p>"
        )
        head = row(brand, self.toolbar.widget, self.status, kind="s2p-head")
        made = card("3", "Compensation and search", [self.compensation.widget, self.population.widget])
        steps = row(self.recordings.widget, self.dics.widget, made, kind="s2p-steps")
        style = w.HTML(f"<style>{static('style.css')}</style>", layout={"display": "none"})
        head_parts = [style, self.browser, head, self.messages.widget, self.toolbar.guide, steps]
        panels = (self.table, self.results, self.experiments, self.explore, self.comparison)
        return classed(w.VBox([*head_parts, *(panel.widget for panel in panels)]), "s2p-page")

    def _opened(self, fragment: str) -> None:
        """The page stands in a browser; figures need not, since they are drawn as what they are by then."""
        self.dics.look_again()
        self.messages.guard(self.toolbar.start)(fragment)
        self.session.ready = True  # who may use the page sees what its address says
        self.actions.warm_up()
        self.actions.recommend()

    def _warn_of_loss(self) -> None:
        """Have the browser ask before it leaves populations that nobody has taken away."""
        found = [result for result in self.session.results.values() if result.usable]
        self.browser.unsaved = any(result not in self.actions.taken for result in found)

    def _show_status(self) -> None:
        session = self.session
        words = session.busy or ("Drawing the figures…" if session.drawing else "")
        words = words or ("Ready" if session.ready else "Preparing the page…")
        kind = "s2p-idle" if words == "Ready" else "s2p-busy"
        if not session.ready:
            kind += " s2p-preparing"  # figures wait for that to end
        self.status.value = f'<div class="{kind}" role="status">{escape(words)}</div>'


def page() -> w.Widget:
    """Return the dashboard to show in a notebook; if it cannot be built, one sentence that says so.

    Examples
    --------
    >>> from spike2pop_nb.app import page
    >>> page()  # doctest: +SKIP
    """
    try:
        return Dashboard().widget
    except Exception as error:
        messages = Messages()
        messages.report(error)
        return messages.widget
