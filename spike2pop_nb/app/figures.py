"""Plotly figures as widgets that always show the newest figure, whatever was lost on the way.

They are drawn one after the other, so that words come before them and answers pass between them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import plotly
import plotly.graph_objects as go
from traitlets import Dict, HasTraits, Int, List, Unicode

from spike2pop_nb.app.browser import static
from spike2pop_nb.app.local import PLOTLY_URL
from spike2pop_nb.plots import darkened, placeholder

if TYPE_CHECKING:
    from spike2pop_nb.app.messages import Messages
    from spike2pop_nb.app.runner import Dispatch
    from spike2pop_nb.app.state import Session

__all__ = ["NO_MEMBER", "DrawingQueue", "FigureView", "Picking"]

_PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
NO_MEMBER = -1
_STRETCHES = {"dragmode": "select", "selectdirection": "h"}
_CONFIG = {
    "responsive": False,  # the widget watches its own width
    "displaylogo": False,
    "doubleClick": "reset",  # to the axes it came with, so that a member clicked twice stays under the mouse
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "toImageButtonOptions": {"format": "svg"},
}


def packed(value: Any, _widget: Any = None) -> Any:
    """Numbers as buffers, which need no text and no rounding; all else as it is."""
    if isinstance(value, dict):
        return {key: packed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [packed(inner) for inner in value]
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "iuf" or value.ndim > 2:
            return value.tolist()
        kind = np.float64 if value.dtype.itemsize > 4 else value.dtype  # browsers have no other wide numbers
        numbers = np.ascontiguousarray(value, dtype=np.float32 if kind == np.float16 else kind)
        return {"buffer": numbers.ravel().data, "dtype": str(numbers.dtype), "shape": numbers.shape}
    return value.item() if isinstance(value, np.generic) else value


class _StateFigure(anywidget.AnyWidget):
    """A figure that sends what it is instead of how to alter it.

    Plotly's own widget sends each alteration as a message. One that arrives while the figure is being painted
    is lost, and all later ones with it. It also carries 5 MB of code in every figure, draws it anew from the
    ground up, and tells the kernel of all that plotly fills in and of every point that the mouse passes.
    """

    _esm = static("figure.js")
    _bundle_url = Unicode("").tag(sync=True)
    _bundle_code = Unicode("").tag(sync=True)
    _config: Dict[str, Any] = Dict().tag(sync=True)
    _widget_data: List[Any] = List().tag(sync=True, to_json=packed)
    _widget_moving: List[Any] = List().tag(sync=True, to_json=packed)
    _widget_layout: Dict[str, Any] = Dict().tag(sync=True, to_json=packed)
    _drawn = Int(0).tag(sync=True)
    _member = Int(NO_MEMBER).tag(sync=True)
    _says = Unicode("").tag(sync=True)
    _group = Unicode("").tag(sync=True)
    _point: List[float] = List().tag(sync=True)
    _point_heard = Int(0).tag(sync=True)
    _point_says = Unicode("").tag(sync=True)

    def __init__(self, figure: go.Figure, says: str, stretches: bool, dragged: bool) -> None:
        url = os.environ.get(PLOTLY_URL, "")
        self._stretches = stretches
        super().__init__(
            _bundle_url=url,
            _bundle_code="" if url else _bundle(),
            # a line that may be moved takes the mouse from the points beside it
            _config=_CONFIG | {"edits": {"shapePosition": dragged}},
            _widget_data=_curves(figure),
            _widget_layout=self._laid_out(figure),
            _says=says,
        )

    def replace(self, figure: go.Figure, moving: int) -> None:
        """Become another figure; the last of its curves, that many, are those which `move` replaces."""
        curves = _curves(figure)
        fixed = len(curves) - moving
        with self.hold_sync():
            self._widget_data, self._widget_moving = curves[:fixed], curves[fixed:]
            self._widget_layout = self._laid_out(figure)
            self._drawn += 1

    def move(self, figure: go.Figure) -> None:
        """Have this figure's curves in the place of those that move, which is all that is sent."""
        with self.hold_sync():
            self._widget_moving = _curves(figure)
            self._drawn += 1

    def rearrange(self, figure: go.Figure) -> None:
        """Become a figure of the same curves in another layout, which is all that is sent."""
        with self.hold_sync():
            self._widget_layout = self._laid_out(figure)
            self._drawn += 1

    def _laid_out(self, figure: go.Figure) -> dict[str, Any]:
        """Its layout, in which the mouse marks a stretch where one may be chosen."""
        layout: dict[str, Any] = figure.layout.to_plotly_json()
        return layout | _STRETCHES if self._stretches and figure.data else layout


@cache
def _bundle() -> str:
    """The code of figures, for pages that no server gives it: 5 MB, read once for all figures."""
    return _PLOTLY.read_text(encoding="utf-8")


def _curves(figure: go.Figure) -> list[dict[str, Any]]:
    return [trace.to_plotly_json() for trace in figure.data]


class Picking(HasTraits):
    """Members of which one can be picked; figures of the same ``group`` light it up together."""

    member = Int(NO_MEMBER)  # the number of the one that is picked
    group = ""


class FigureView:
    """One figure on the page, dark if that is; `show` replaces what it shows.

    Points whose ``ids`` begin with a member's number, and traces whose ``meta`` holds one, are picked by a
    click and lit up together in all figures of these members.

    Parameters
    ----------
    text, height
        What stands in its place before there is anything to show, and how high it is in pixels.
    session
        Says whether the page is dark, and which member of the results is picked.
    says
        What the figure shows, for those who cannot see it.
    members
        Those it shows, if they are not those of the results.
    on_drag, on_point
        Called with the height to which the figure's line was dragged, and with the coordinates to which its
        point was moved; see `point`.
    on_stretch
        Called with the ends of what was marked along the figure, in the unit of its axis; with it, the mouse
        marks until another of the figure's own buttons is pressed.
    on_zoom
        Called with the ends of what is looked at, in the unit of the axis; with None once it is all of it.
    """

    def __init__(
        self,
        text: str,
        height: int,
        session: Session,
        says: str = "",
        *,
        members: Picking | None = None,
        on_drag: Callable[[float], None] | None = None,
        on_point: Callable[[float, float], None] | None = None,
        on_stretch: Callable[[float, float], None] | None = None,
        on_zoom: Callable[[tuple[float, float] | None], None] | None = None,
    ) -> None:
        self._empty = (text, height)
        self._on_drag, self._on_point = on_drag, on_point
        self._on_stretch, self._on_zoom = on_stretch, on_zoom
        self._session = session
        self._shown, self._moving = placeholder(text, height), 0
        placed = self._lit(self._shown)
        self.widget = _StateFigure(placed, says, on_stretch is not None, on_drag is not None)
        self.widget.add_class("s2p-figure")
        self.widget.on_msg(self._receive)
        session.observe(lambda _change: self.show(self._shown, self._moving), "dark")
        self._members: Picking = session if members is None else members
        self._members.observe(self._light, "member")
        self._light()

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        try:
            if kind == "pick":
                self._members.member = int(content["member"])
            elif kind == "drag" and self._on_drag is not None:
                self._on_drag(float(content["y"]))
            elif kind == "point" and self._on_point is not None:
                x, y, told = float(content["x"]), float(content["y"]), int(content["told"])
                if math.isfinite(x) and math.isfinite(y):
                    self._on_point(x, y)
                self.widget._point_heard = told
            elif kind == "stretch" and self._on_stretch is not None:
                self._on_stretch(*_stretch((content["from"], content["to"])))
            elif kind == "zoom" and self._on_zoom is not None:
                self._on_zoom(None if content["ends"] is None else _stretch(content["ends"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            return  # no page of ours sends that

    @property
    def shown(self) -> go.Figure:
        """The figure that is shown, as it is on a light page."""
        return self._shown

    def show(self, figure: go.Figure, moving: int = 0) -> None:
        """Show another figure; the last of its curves, that many, are those which `move` replaces."""
        self._shown, self._moving = figure, moving
        self.widget.replace(self._lit(figure), moving)

    def move(self, curves: Sequence[dict[str, Any]]) -> None:
        """Have other curves in the place of those that move, while all else stays as it is."""
        shown = self._shown
        fixed = shown.data[: len(shown.data) - self._moving]
        self._shown, self._moving = go.Figure([*fixed, *curves], shown.layout), len(curves)
        self.widget.move(self._lit(go.Figure(list(curves))))

    def rearrange(self, figure: go.Figure) -> None:
        """Show the same curves in another layout."""
        self._shown = figure
        self.widget.rearrange(self._lit(figure))

    def _lit(self, figure: go.Figure) -> go.Figure:
        return darkened(figure) if self._session.dark else figure

    def point(self, x: float, y: float, says: str) -> None:
        """Put a point there that the user can move; `says` names it for those who cannot see it."""
        self.widget._point_says = says
        self.widget._point = [x, y]

    def clear(self, text: str | None = None) -> None:
        """Show a sentence instead of a figure."""
        self.show(placeholder(text or self._empty[0], self._empty[1]))

    def show_members(self, members: Picking) -> None:
        """Have a click pick one of these members, and light up the one that is picked."""
        self._members.unobserve(self._light, "member")
        self._members = members
        members.observe(self._light, "member")
        self._light()

    def _light(self, _change: Any = None) -> None:
        self.widget._group, self.widget._member = self._members.group, self._members.member


def _stretch(ends: Sequence[Any]) -> tuple[float, float]:
    low, high = sorted(map(float, ends))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError("no stretch")
    return low, high


class DrawingQueue:
    """What waits to be drawn; the session is told in ``drawing`` whether something does."""

    def __init__(self, session: Session, dispatch: Dispatch, messages: Messages) -> None:
        self._session, self._dispatch, self._guard = session, dispatch, messages.guard
        self._waiting: dict[str, Callable[[], Any]] = {}

    def add(self, name: str, draw: Callable[[], Any], of: str = "") -> None:
        """Draw once those before it are drawn, in place of what still waits under the same name.

        What is drawn ``of`` something that the session holds is not, if that is another by then.
        """
        held = getattr(self._session, of, None)

        def unless_gone() -> None:
            if getattr(self._session, of, None) is held:
                draw()

        self._waiting[name] = unless_gone
        if not self._session.drawing:
            self._session.drawing = True
            self._dispatch(self._next)

    def _next(self) -> None:
        self._guard(self._waiting.pop(next(iter(self._waiting))))()
        if self._waiting:
            self._dispatch(self._next)
        else:
            self._session.drawing = False
