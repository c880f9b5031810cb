"""What a figure shows, told once for all who draw it: panels with axes, and marks in them.

Nothing here knows who draws: `on_page` does with Plotly, `on_paper` with Matplotlib. Texts are plain, a line
break in one starts smaller print. Lengths are in pixels of a page; on paper five of them are a mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spike2pop_nb.plots.style import INK, FloatArray

__all__ = [
    "Area",
    "Axis",
    "Band",
    "Bars",
    "Cell",
    "Drawing",
    "Heat",
    "Line",
    "Mark",
    "Panel",
    "Points",
    "Regions",
    "Rule",
    "Strokes",
]


@dataclass(frozen=True)
class Axis:
    """One axis: what it says, and from where to where it goes (downwards if the first is the greater)."""

    title: str = ""
    range: tuple[float, float] | None = None
    log: bool = False
    from_zero: bool = False
    ticks: Sequence[float] | None = None
    labels: Sequence[str] | None = None
    few: int = 0  # ticks at most, where there is little room
    grid: bool = True
    hidden: bool = False
    fixed: bool = False  # zooming leaves it as it is

    @classmethod
    def holding(cls, title: str, low: float, high: float, least: float = 0.0) -> Axis:
        """An axis that holds these values: logarithmic where the highest is 8 times the lowest.

        Else it begins at zero or, if given, is ``least`` times their mean wide, since rounding differs too.
        """
        if 0 < low < high / 8:
            steps = (1, 2, 5) if high < 100 * low else (1,)
            decades = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 2)
            ticks = [step * 10.0**k for k in decades for step in steps]
            return cls(title, (0.83 * low, 1.2 * high), log=True, ticks=ticks)
        if not least:
            return cls(title, (0.0, 1.06 * high if high > 0 else 1.0))
        middle, half = 0.5 * (low + high), 0.5 * max(1.1 * (high - low), least * 0.5 * abs(low + high))
        return cls(title, (max(0.0, middle - half), middle + half))


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What all marks have; ``hover`` names values as Plotly does: ``%{x:.3g}``."""

    name: str = ""
    legend: bool = False  # those of one name stand there once
    hover: str = ""
    colour: Any = INK
    opacity: Any = 1.0
    member: Any = None  # whose it is
    values: Any = None  # told by ``hover``


@dataclass(frozen=True)
class Line(Mark):
    """A curve."""

    x: Any
    y: Any
    width: float = 1.0
    dash: str = "solid"
    steps: bool = False


@dataclass(frozen=True)
class Strokes(Mark):
    """A vertical stroke at each time."""

    times: FloatArray
    low: float = 0.0
    high: float = 1.0
    width: float = 1.2


@dataclass(frozen=True)
class Points(Mark):
    """Points, each of a member or all of one; colour and symbol may differ from each to each.

    Colours that are numbers are times, from dark to light. ``joined`` is the dash of a curve through them.
    """

    x: Any
    y: Any
    symbol: Any = "circle"
    size: float = 6.0
    filled: bool = True
    edge: str = ""
    members: Any = None
    errors: tuple[Any, Any] | None = None
    texts: Sequence[str] | None = None
    sides: Sequence[str] | None = None
    joined: str = ""


@dataclass(frozen=True)
class Area(Mark):
    """A filled layer over those of the same stack before it."""

    x: Any
    y: Any
    stack: str
    rank: int = 0


@dataclass(frozen=True)
class Bars(Mark):
    """Bars from the left, the first at the bottom, each with its name, its text and perhaps an edge."""

    lengths: Sequence[float]
    names: Sequence[str]
    texts: Sequence[str]
    edges: Sequence[str]


@dataclass(frozen=True)
class Heat(Mark):
    """A grid of colours, from one to another with a bar that says what they mean, or in steps."""

    x: FloatArray
    y: FloatArray
    z: FloatArray
    colours: Sequence[str]
    low: float
    high: float
    ticks: Sequence[float] | None = None
    labels: Sequence[str] | None = None
    texts: Any = None
    steps: bool = False
    smooth: bool = False


@dataclass(frozen=True)
class Regions(Mark):
    """The smallest regions that hold 50 and 95 % of a distribution; ``held`` (n_y, n_x) by node."""

    x: FloatArray
    y: FloatArray
    held: FloatArray


@dataclass(frozen=True)
class Rule(Mark):
    """A straight line at x, or at y, through all of the panel; or from the first to the second of both."""

    x: Any = None
    y: Any = None
    width: float = 1.2
    dash: str = "dash"
    text: str = ""
    above: bool = False
    movable: bool = False


@dataclass(frozen=True)
class Band(Mark):
    """What lies between two x."""

    x: tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """Axes with marks in them, painted in their order, a title at the left above and a note within."""

    x: Axis
    y: Axis
    marks: Sequence[Mark]
    title: str = ""
    bold: bool = False
    note: str = ""
    square: bool = False
    ground: str = ""
    place: tuple[int, int] | None = None  # row and column in the grid; one after the other by default


@dataclass(frozen=True)
class Cell:
    """A place in the grid with words in it instead of axes, on a colour and so much of it."""

    place: tuple[int, int]
    text: str
    colour: str = INK
    fill: tuple[str, float] | None = None
    bold: bool = False


@dataclass(frozen=True)
class Drawing:
    """A figure: panels in a grid, row by row; those of a column may share x, those of a row y."""

    panels: Sequence[Panel]
    height: int
    title: str = ""
    note: str = ""
    legend: bool = False
    columns: int = 1
    weights: Sequence[float] | None = None  # heights of the rows, relative to each other
    gaps: tuple[float, float] = (0.08, 0.13)  # between columns and rows, as a share of the whole
    share_x: bool = False
    share_y: bool = False
    cells: Sequence[Cell] = ()
    across: Sequence[Rule | Band] = ()  # through all panels
    empty: str = ""  # what stands there if there is nothing to draw

    @classmethod
    def nothing(cls, text: str, height: int) -> Drawing:
        """One plain sentence where a figure would be."""
        return cls((), height, empty=text)

    @property
    def places(self) -> list[tuple[int, int]]:
        """Row and column of each panel."""
        return [panel.place or divmod(i, self.columns) for i, panel in enumerate(self.panels)]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return 1 + max((row for row, _ in (*self.places, *(cell.place for cell in self.cells))), default=0)
