"""Plotly figures as widgets that always show the newest figure, whatever was lost on the way."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
from traitlets import Int, List, Unicode, observe

from spike2pop_nb.app.figures_url import PLOTLY_URL
from spike2pop_nb.plots import darkened, placeholder

__all__ = ["NO_MEMBER", "FigureView"]

_BUNDLE = Path(plotly.__file__).parent / "package_data" / "widgetbundle.js"
NO_MEMBER = -1


class _StateFigure(go.FigureWidget):
    """A FigureWidget that sends what it is instead of how to alter it.

    Plotly's own widget sends each alteration as a message. One that arrives while the figure is being painted
    is lost, and all later ones with it. It also carries 5 MB of code in every figure, and tells the kernel of
    every point that the mouse passes.
    """

    _esm = Path(__file__).parent / "static" / "figure.js"
    _bundle_url = Unicode("").tag(sync=True)
    _bundle_code = Unicode("").tag(sync=True)
    _drawn = Int(0).tag(sync=True)
    _member = Int(NO_MEMBER).tag(sync=True)
    _says = Unicode("").tag(sync=True)
    _group = Unicode("").tag(sync=True)
    _point: List = List().tag(sync=True)
    _point_says = Unicode("").tag(sync=True)

    def __init__(self, figure: go.Figure, on_answer: Callable[[], None]) -> None:
        self._on_answer = on_answer
        super().__init__(figure)
        self._bundle_url = os.environ.get(PLOTLY_URL, "")
        if not self._bundle_url:
            self._bundle_code = _BUNDLE.read_text(encoding="utf-8")
        self._config = {
            "responsive": True,
            "displaylogo": False,
            "showSendToCloud": False,
            "plotlyServerURL": "",
            "edits": {"shapePosition": True},
            "toImageButtonOptions": {"format": "svg"},
        }

    def replace(self, figure: go.Figure) -> None:
        """Become another figure."""
        with self.hold_sync():
            # Only what is sent matters: taking the figure into this one would check all of it once more.
            self._widget_data = [
                {**trace.to_plotly_json(), "uid": str(i)} for i, trace in enumerate(figure.data)
            ]
            self._widget_layout = figure.layout.to_plotly_json()
            self._drawn += 1

    def rearrange(self, figure: go.Figure) -> None:
        """Become a figure of the same curves in another layout, which is all that is sent."""
        with self.hold_sync():
            self._widget_layout = figure.layout.to_plotly_json()
            self._drawn += 1

    @observe("_js2py_traceDeltas")
    def _handler_js2py_traceDeltas(self, change: dict[str, Any]) -> None:
        # Sent after each painting. The defaults it tells are of no use here; that it comes is.
        if change["new"]:
            self._on_answer()

    @observe("_js2py_layoutDelta")
    def _handler_js2py_layoutDelta(self, change: dict[str, Any]) -> None:
        pass

    def _silent(self, *_args: Any, **_kwargs: Any) -> None:
        pass

    _send_addTraces_msg = _send_deleteTraces_msg = _send_moveTraces_msg = _silent
    _send_relayout_msg = _send_restyle_msg = _send_update_msg = _send_animate_msg = _silent


class FigureView:
    """One figure on the page; `show` replaces what it shows.

    Points whose ``ids`` begin with a member's number, and traces whose ``meta`` holds one, are picked by a
    click and lit up together in all figures.

    Parameters
    ----------
    text
        What stands in its place before there is anything to show.
    height
        In pixels.
    on_ready
        Called once, when the figure has been painted in a browser.
    on_pick
        Called with the number of a member that was clicked, or `NO_MEMBER`.
    on_drag
        Called with the height to which the figure's line was dragged.
    on_point
        Called with the coordinates to which the figure's point was moved; see `point`.
    says
        What the figure shows, for those who cannot see it.
    group
        Members are lit up together in the figures of one group, since another's are others.
    """

    def __init__(
        self,
        text: str,
        height: int,
        on_ready: Callable[[], None] | None = None,
        on_pick: Callable[[int], None] | None = None,
        on_drag: Callable[[float], None] | None = None,
        on_point: Callable[[float, float], None] | None = None,
        says: str = "",
        group: str = "",
    ) -> None:
        self._empty = (text, height)
        self._on_ready, self._on_pick, self._on_drag = on_ready, on_pick, on_drag
        self._on_point = on_point
        self._dark = False
        self.ready = False
        self.shown = placeholder(text, height)
        self.widget = _StateFigure(self.shown, self.answered)
        self.widget._says = says
        self.widget._group = group
        self.widget.add_class("s2p-figure")
        self.widget.on_msg(self._receive)

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        try:
            if kind == "pick" and self._on_pick is not None:
                self._on_pick(int(content["member"]))
            elif kind == "drag" and self._on_drag is not None:
                self._on_drag(float(content["y"]))
            elif kind == "point" and self._on_point is not None:
                x, y = float(content["x"]), float(content["y"])
                if math.isfinite(x) and math.isfinite(y):
                    self._on_point(x, y)
        except (KeyError, TypeError, ValueError, OverflowError):
            return  # no page of ours sends that

    def answered(self) -> None:
        """Note that a browser has painted the figure."""
        if not self.ready:
            self.ready = True
            if self._on_ready is not None:
                self._on_ready()

    def show(self, figure: go.Figure) -> None:
        """Show another figure."""
        self.shown = figure
        self.widget.replace(darkened(figure) if self._dark else figure)

    def rearrange(self, figure: go.Figure) -> None:
        """Show the same curves in another layout."""
        self.shown = figure
        self.widget.rearrange(darkened(figure) if self._dark else figure)

    def point(self, x: float, y: float, says: str) -> None:
        """Put a point there that the user can move; `says` names it for those who cannot see it."""
        self.widget._point_says = says
        self.widget._point = [x, y]

    def clear(self, text: str | None = None) -> None:
        """Show a sentence instead of a figure."""
        self.show(placeholder(text or self._empty[0], self._empty[1]))

    def pick(self, member: int) -> None:
        """Light up one member."""
        self.widget._member = member

    def dark(self, on: bool) -> None:
        """Show it on a dark page, or on a light one."""
        if on != self._dark:
            self._dark = on
            self.show(self.shown)
