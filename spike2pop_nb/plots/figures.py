"""Functions that say what to draw, as functions that draw it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, cast

from spike2pop_nb.plots.drawing import Drawing

if TYPE_CHECKING:
    from spike2pop_nb.plots.on_page import PageFigure

__all__ = ["Figure", "figure"]

P = ParamSpec("P")


class Figure(Protocol[P]):
    """A function that returns a Plotly figure; its ``drawing`` returns what is to be drawn."""

    drawing: Callable[P, Drawing]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> PageFigure: ...


def figure(describe: Callable[P, Drawing]) -> Figure[P]:
    """Make a function that says what to draw into one that draws it for a page."""

    @wraps(describe)
    def draw(*args: P.args, **kwargs: P.kwargs) -> PageFigure:
        from spike2pop_nb.plots.on_page import on_page

        return on_page(describe(*args, **kwargs))

    made = cast(Any, draw)
    made.drawing = describe
    made.__annotations__ = describe.__annotations__ | {"return": "PageFigure"}
    return cast(Figure[P], made)
