"""Drawings by Matplotlib, as SVG, PNG or PDF files made without display or browser.

Colours are those of the page (Okabe and Ito), shapes repeat what colours say, every axis has its unit, text
in an SVG stays text, and the same drawing gives the same bytes.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from spike2pop_nb.plots import drawing as d
from spike2pop_nb.plots.style import BLUE, GREY, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DPI", "MM", "PIXELS_A_MM", "paper_figure", "rendered", "styled"]

MM = 1 / 25.4
"""Inches in a mm."""
PIXELS_A_MM = 5.0
"""Height on a page for each mm of height on paper."""
DPI = 300
"""Resolution of PNG files."""
# points on paper for each pixel of a page: a column of a journal is smaller than a window
_LINE, _DOT = 0.6, 0.42
_NARROW_MM = 120.0
_MOST_VECTORS = 3000  # nodes or dots that an SVG holds one by one

_STYLE: dict[Any, Any] = {
    "figure.constrained_layout.w_pad": 0.02,
    "figure.constrained_layout.h_pad": 0.02,
    "font.family": "sans-serif",
    # The first comes with Matplotlib, so that figures are laid out alike everywhere; the others are for who
    # opens an SVG without it, and are narrower.
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
    # names come from files, and a label set as mathematics would be single letters in an SVG
    "text.parse_math": False,
    "font.size": 7,
    "axes.labelsize": 7,
    "axes.titlesize": 7,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "legend.borderaxespad": 0.2,
    "legend.handlelength": 1.4,
    "legend.columnspacing": 1.2,
    "lines.linewidth": 0.8,
    "lines.solid_capstyle": "butt",
    "savefig.dpi": DPI,
    "svg.fonttype": "none",
    "svg.hashsalt": "spike2pop_nb",
    "pdf.fonttype": 42,
}
# Dates and versions of programs would make equal figures differ.
_NO_METADATA: dict[str, dict[str, None]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "png": {"Software": None},
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
}
# Settings of Matplotlib belong to the whole process: one figure at a time changes and restores them.
_ALONE = threading.Lock()
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SYMBOLS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "x": "x",
    "x-thin": "x",
    "cross-thin": "+",
}
_DASHES = {"solid": "-", "dash": "--", "dot": ":"}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib with the style of all publication figures, for one thread at a time."""
    import matplotlib

    with _ALONE, matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def rendered(drawn: d.Drawing, formats: Sequence[str], width_mm: float) -> list[bytes]:
    """Return a drawing as a file of each format: "svg", "png" or "pdf"."""
    with styled():
        figure = paper_figure(drawn, width_mm)
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)  # once for all formats
            figure.set_layout_engine("none")
            for axes in figure.axes:  # the solver's last digits vary, and would come into the file
                axes.set_position(np.round(axes.get_position().bounds, 6))
        return [_file(figure, format) for format in formats]


def _file(figure: Figure, format: str) -> bytes:
    sink = io.BytesIO()
    figure.savefig(sink, format=format, metadata=_NO_METADATA[format])
    content = sink.getvalue()
    if format == "svg":  # the document type names a file on the web, which some viewers would fetch
        start, end = content.index(b"<!DOCTYPE"), content.index(b"<svg")
        content = content[:start] + content[end:]
    return content


def paper_figure(drawn: d.Drawing, width_mm: float) -> Figure:
    """Draw it with Matplotlib that wide, in the style that holds."""
    from matplotlib.figure import Figure

    # many axes, and cells between them, would take the solver of the layout seconds
    layout: Any = None if drawn.cells else "constrained"
    figure = Figure(figsize=(width_mm * MM, drawn.height / PIXELS_A_MM * MM), layout=layout)
    if drawn.empty:
        figure.text(0.5, 0.5, _shown(drawn.empty), ha="center", va="center", color=GREY)
        return figure
    grid = figure.add_gridspec(drawn.rows, drawn.columns, height_ratios=drawn.weights)
    if drawn.cells:
        left, height = 10.0 / width_mm, drawn.height / PIXELS_A_MM
        grid.update(left=left, right=0.995, bottom=8 / height, top=1 - 9 / height, wspace=0.1, hspace=0.1)
    small = {"labelsize": 5.0 if width_mm >= _NARROW_MM else 3.6, "length": 1.5, "pad": 1}
    all_axes: list[Axes] = []
    at: dict[tuple[str, int], Axes] = {}
    lowest: dict[int, int] = {}
    for row, column in drawn.places:
        lowest[column] = max(row, lowest.get(column, 0))
    for panel, (row, column) in zip(drawn.panels, drawn.places, strict=True):
        shared = {
            "sharex": at.get(("x", column)) if drawn.share_x else None,
            "sharey": at.get(("y", row)) if drawn.share_y else None,
        }
        axes = figure.add_subplot(grid[row, column], **shared)
        all_axes.append(axes)
        inner_x, inner_y = drawn.share_x and row < lowest[column], drawn.share_y and ("y", row) in at
        at.setdefault(("x", column), axes), at.setdefault(("y", row), axes)
        _axis(axes, "x", panel.x, inner_x, small)
        _axis(axes, "y", panel.y, inner_y, small)
        if panel.ground:
            axes.set_facecolor(panel.ground)
        if panel.square:
            axes.set_box_aspect(1)
        for mark in (*panel.marks, *drawn.across):
            _MARKS[type(mark)](axes, mark)
        _limits(axes, panel)
        if panel.title:
            words = _shown(panel.title, round(0.7 * width_mm / drawn.columns))
            axes.set_title(words, fontsize=6.5, pad=2, fontweight="bold" if panel.bold else "normal")
    if drawn.legend:
        _legend(figure, all_axes, width_mm)
    _head(figure, all_axes, drawn, width_mm)
    for cell in drawn.cells:
        _cell(figure, grid[cell.place].get_position(figure), cell, small["labelsize"])
    if not drawn.cells:
        figure.align_ylabels(all_axes)
    return figure


def _shown(text: str, most: int = 0) -> str:
    """A text that may come from a file, without characters that XML cannot hold, of bounded length."""
    text = _NOT_IN_XML.sub("\ufffd", text)
    return text if not most or len(text) <= most else text[: most - 1] + "…"


def _axis(axes: Axes, which: str, axis: d.Axis, inner: bool, small: dict[str, Any]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

    its = getattr(axes, f"{which}axis")
    if axis.log:
        getattr(axes, f"set_{which}scale")("log")
        its.set_minor_locator(NullLocator())
        its.set_minor_formatter(NullFormatter())
        its.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    if axis.ticks is not None:
        its.set_major_locator(FixedLocator(list(axis.ticks)))
        if axis.labels is not None:
            names = dict(zip(map(float, axis.ticks), map(_shown, axis.labels), strict=True))
            its.set_major_formatter(FuncFormatter(lambda value, _place: names.get(float(value), "")))
    elif axis.few:
        its.set_major_locator(MaxNLocator(axis.few - 1))
    if axis.few:
        its.set_tick_params(**small)
    if inner:
        its.set_tick_params(labelleft=False, labelbottom=False)
    elif axis.title:
        size = {"fontsize": small["labelsize"] * 1.2} if axis.few == 3 else {}
        getattr(axes, f"set_{which}label")(_shown(axis.title), **size)
    if axis.hidden:
        axes.set_axis_off()


def _limits(axes: Axes, panel: d.Panel) -> None:
    if any(isinstance(mark, d.Bars) for mark in panel.marks):
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-0.6, None)
    for which, axis in (("x", panel.x), ("y", panel.y)):
        limit = getattr(axes, f"set_{which}lim")
        if axis.range is not None:
            limit(*axis.range)
        elif axis.from_zero:
            limit(0, None)


def _colour(text: str) -> Any:
    """A colour as the page names it: "#rrggbb", "rgb(r,g,b)" or "rgba(r,g,b,a)"."""
    if not text.startswith("rgb"):
        return text
    red, green, blue, *alpha = (float(part) for part in text[text.index("(") + 1 : -1].split(","))
    return (red / 255, green / 255, blue / 255, *alpha)


def _label(mark: d.Mark) -> str | None:
    return _shown(mark.name) if mark.legend else None


def _line(axes: Axes, mark: d.Line) -> None:
    style = {"linestyle": _DASHES[mark.dash], "drawstyle": "steps-post" if mark.steps else "default"}
    axes.plot(
        mark.x,
        mark.y,
        color=_colour(mark.colour),
        linewidth=_LINE * mark.width,
        alpha=mark.opacity,
        label=_label(mark),
        **style,
    )


def _strokes(axes: Axes, mark: d.Strokes) -> None:
    # a single broken line keeps files small
    x, y = np.repeat(mark.times, 3), np.tile([mark.low, mark.high, np.nan], len(mark.times))
    axes.plot(x, y, color=_colour(mark.colour), linewidth=0.5 * mark.width, label=_label(mark))


def _points(axes: Axes, mark: d.Points) -> None:
    x, y = (np.asarray(values, dtype=float) for values in (mark.x, mark.y))
    size, label = _DOT * mark.size, _label(mark)
    if mark.errors is not None:
        dx, dy = mark.errors
        bar = {"ecolor": mark.colour, "elinewidth": 0.9, "capsize": 1.5, "fmt": "none", "zorder": 2.5}
        axes.errorbar(x, y, xerr=dx, yerr=dy, **bar)
    if mark.joined:
        colour = INK if isinstance(mark.colour, np.ndarray) else mark.colour
        axes.plot(x, y, color=colour, linewidth=_LINE, linestyle=_DASHES[mark.joined])
    if isinstance(mark.colour, np.ndarray):
        look: dict[str, Any] = {"linewidths": 0.3, "edgecolors": INK, "cmap": "cividis", "zorder": 3}
        axes.scatter(x, y, s=size**2, c=mark.colour, label=label, **look)
    else:
        looks = list(zip(*np.broadcast_arrays(mark.symbol, mark.colour, x)[:2], strict=True))
        for look_of in dict.fromkeys(looks):
            these = np.array([look == look_of for look in looks])
            opacity = mark.opacity if np.ndim(mark.opacity) == 0 else float(np.mean(mark.opacity))
            _dots(axes, x[these], y[these], *map(str, look_of), mark, size, opacity, label)
    for text, side, *place in zip(mark.texts or (), mark.sides or (), x, y, strict=False):
        down, across = side.split()
        shift = ({"left": -3, "right": 3}.get(across, 0), {"top": 3, "bottom": -3}.get(down, 0))
        ends = {"left": "right", "right": "left"}.get(across, "center"), {"top": "bottom", "bottom": "top"}
        style = {"ha": ends[0], "va": ends[1].get(down, "center"), "fontsize": 5.5}
        axes.annotate(_shown(text), place, shift, textcoords="offset points", **style)


def _dots(
    axes: Axes,
    x: Any,
    y: Any,
    symbol: str,
    colour: str,
    mark: d.Points,
    size: float,
    opacity: float,
    label: Any,
) -> None:
    thin = symbol in ("x", "x-thin", "cross-thin")
    edge = mark.edge or colour
    look: dict[str, Any] = {
        "markerfacecolor": colour if mark.filled else "none",
        "markeredgecolor": colour if thin else edge,
    }
    look |= {"markeredgewidth": 0.9 if thin else 0.4, "alpha": opacity, "label": label, "zorder": 3}
    axes.plot(
        x,
        y,
        _SYMBOLS[symbol.removesuffix("-open")],
        markersize=size,
        rasterized=len(x) > _MOST_VECTORS,
        **look,
    )


def _area(axes: Axes, mark: d.Area) -> None:
    bases: dict[str, Any] = axes.__dict__.setdefault("_s2p_bases", {})
    base = bases.get(mark.stack, 0.0)
    bases[mark.stack] = base + mark.y
    look = {"color": _colour(mark.colour), "linewidth": 0, "label": _label(mark)}
    cast(Any, axes.fill_between(mark.x, base, base + mark.y, **look)).rank = mark.rank


def _bars(axes: Axes, mark: d.Bars) -> None:
    bars = axes.barh(range(len(mark.lengths)), mark.lengths, 0.7, color=mark.colour)
    for bar, edge in zip(bars, mark.edges, strict=True):
        if edge:
            bar.set(edgecolor=edge, linewidth=1.2)
    axes.bar_label(bars, mark.texts, padding=2, fontsize=6)
    axes.set_yticks(range(len(mark.names)), [_shown(name) for name in mark.names])


def _heat(axes: Axes, mark: d.Heat) -> None:
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap
    from matplotlib.ticker import FixedFormatter, FixedLocator

    made = ListedColormap(mark.colours) if mark.steps else LinearSegmentedColormap.from_list("", mark.colours)
    ends = {"vmin": mark.low, "vmax": mark.high, "rasterized": mark.z.size > _MOST_VECTORS}
    area = axes.pcolormesh(mark.x, mark.y, np.ma.masked_invalid(mark.z), cmap=made, shading="nearest", **ends)
    if mark.steps:
        return
    figure: Any = axes.figure
    bar = figure.colorbar(area, ax=axes, pad=0.02, aspect=30)
    bar.ax.minorticks_off()
    if mark.ticks is not None and mark.labels is not None:
        bar.ax.yaxis.set_major_locator(FixedLocator(list(mark.ticks)))
        bar.ax.yaxis.set_major_formatter(FixedFormatter(list(mark.labels)))
    axes.set_title(_shown(mark.name))


def _regions(axes: Axes, mark: d.Regions) -> None:
    # solid fills, since some programs that open PDF files have no transparent ones
    strong, light = "#8FC1E0", "#D6E8F4"
    axes.contourf(
        mark.x, mark.y, mark.held, levels=[0, 0.5, 0.95], colors=[strong, light], alpha=mark.opacity
    )
    axes.contour(mark.x, mark.y, mark.held, levels=[0.5, 0.95], colors=[BLUE], linewidths=0.6)
    if mark.legend:
        for fill, label in ((strong, "50 %"), (light, "95 %")):
            axes.fill([np.nan], [np.nan], facecolor=fill, edgecolor=BLUE, linewidth=0.6, label=label)


def _rule(axes: Axes, mark: d.Rule) -> None:
    style: dict[str, Any] = {
        "color": mark.colour,
        "linewidth": _LINE * mark.width,
        "linestyle": _DASHES[mark.dash],
    }
    style["zorder"] = 4 if mark.above else 0
    if mark.x is None:
        axes.axhline(mark.y, **style)
    elif mark.y is None:
        axes.axvline(mark.x, **style)
    else:
        axes.plot(mark.x, mark.y, **style)
    if mark.text:
        place: dict[str, Any] = {"ha": "left", "va": "top", "fontsize": 6, "color": mark.colour}
        axes.text(mark.x, 1, f" {mark.text}", transform=axes.get_xaxis_transform(), **place)


def _band(axes: Axes, mark: d.Band) -> None:
    axes.axvspan(*mark.x, facecolor=_colour(mark.colour), linewidth=0, zorder=0)


def _text(axes: Axes, mark: d.Text) -> None:
    clear = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.8}
    place: dict[str, Any] = {"ha": "right", "va": "top", "fontsize": 6, "color": mark.colour, "bbox": clear}
    axes.text(0.995, 0.95, _shown(mark.text), transform=axes.transAxes, **place)


_MARKS: dict[type, Any] = {
    d.Line: _line,
    d.Strokes: _strokes,
    d.Points: _points,
    d.Area: _area,
    d.Bars: _bars,
    d.Heat: _heat,
    d.Regions: _regions,
    d.Rule: _rule,
    d.Band: _band,
    d.Text: _text,
}


def _legend(figure: Figure, all_axes: Sequence[Axes], width_mm: float) -> None:
    """Name each thing once above the figure, in as many columns as fit."""
    handles: dict[str, Any] = {}
    for axes in all_axes:
        for handle in (*axes.lines, *axes.patches, *axes.collections):
            label = str(handle.get_label())
            if not label.startswith("_"):
                handles.setdefault(label, handle)
    handles = dict(sorted(handles.items(), key=lambda item: getattr(item[1], "rank", 0)))
    room = max(len(label) for label in handles) * 1.25 + 6 if handles else 1
    columns = max(1, min(len(handles), int(width_mm / room)))
    if not handles:
        return
    where: dict[str, Any] = {"loc": "outside upper center"}
    if figure.get_layout_engine() is None:  # under the note
        where = {"loc": "upper left", "bbox_to_anchor": (0.0, 1 - 3 * MM / figure.get_figheight())}
    keys = [_key(handle) for handle in handles.values()]
    figure.legend(keys, handles.keys(), ncols=columns, **where)


def _key(handle: Any) -> Any:
    """What stands for something in the legend: the same, seen at once."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if isinstance(handle, Patch):
        return Patch(facecolor=handle.get_facecolor(), edgecolor=handle.get_edgecolor(), linewidth=0.6)
    if isinstance(handle, Line2D):
        key = Line2D([], [])
        key.update_from(handle)
        key.set(alpha=None, linewidth=max(1.4, handle.get_linewidth()))
        return key
    return handle


def _head(figure: Figure, all_axes: Sequence[Axes], drawn: d.Drawing, width_mm: float) -> None:
    """The title at the left above the first panel, the note at the right above the last of its row."""
    size = 6.0 if drawn.cells else 6.5
    if drawn.note and drawn.cells:
        narrow = 1.0 if width_mm >= _NARROW_MM else 0.6
        figure.text(0.995, 0.99, drawn.note, ha="right", va="top", fontsize=size * narrow)
    elif drawn.note:
        all_axes[drawn.columns - 1].set_title(drawn.note, loc="right", fontsize=size)
    if drawn.title and not drawn.cells and all_axes:
        words = _shown(drawn.title, round(0.4 * width_mm) + 10)
        first = all_axes[0]
        first.set_title(f"{words}\n{first.get_title('left')}".rstrip("\n"), loc="left")


def _cell(figure: Figure, box: Any, cell: d.Cell, small: float) -> None:
    from matplotlib.patches import Rectangle

    if cell.fill is not None:
        colour, share = cell.fill
        look: dict[str, Any] = {"facecolor": colour, "alpha": share, "linewidth": 0}
        figure.add_artist(Rectangle((box.x0, box.y0), box.width, box.height, **look))
    weight: Any = "bold" if cell.bold else "normal"
    lines = cell.text.split("\n")
    heights = (0.5,) if len(lines) == 1 else (0.6, 0.26)
    for line, up, size in zip(lines, heights, (1.4 * small, small), strict=False):
        place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": size, "color": cell.colour}
        x, y = box.x0 + 0.5 * box.width, box.y0 + up * box.height
        figure.text(x, y, _shown(line), fontweight=weight, **place)
