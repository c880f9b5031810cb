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
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

_STYLE = Path(__file__).with_name("paper.mplstyle")
# Dates and versions of programs would make equal figures differ.
_NO_METADATA: dict[str, dict[str, None]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "png": {"Software": None},
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
}
# Settings of Matplotlib belong to the whole process: one figure at a time changes and restores them.
_ALONE = threading.Lock()
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SYMBOLS = {"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^"}
_SYMBOLS |= {"x": "x", "x-thin": "x", "cross-thin": "+"}
_DASHES = {"solid": "-", "dash": "--", "dot": ":"}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib with the style of all publication figures, for one thread at a time."""
    import matplotlib

    with _ALONE, matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(matplotlib.rc_params_from_file(_STYLE, use_default_template=False))
        yield


def rendered(
    drawn: d.Drawing, formats: Sequence[str], width_mm: float, dpi: int | None = None
) -> list[bytes]:
    """Return a drawing as a file of each format: "svg", "png" or "pdf"."""
    with styled():
        figure = paper_figure(drawn, width_mm)
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)  # once for all formats
            figure.set_layout_engine(None)
            for axes in figure.axes:  # the solver's last digits vary, and would come into the file
                axes.set_position(np.round(axes.get_position().bounds, 6))
        return [_file(figure, format, dpi or DPI) for format in formats]


def _file(figure: Figure, format: str, dpi: int) -> bytes:
    sink = io.BytesIO()
    figure.savefig(sink, format=format, metadata=_NO_METADATA[format], dpi=dpi)
    content = sink.getvalue()
    if format == "svg":  # the document type names a file on the web, which some viewers would fetch
        start, end = content.index(b"<!DOCTYPE"), content.index(b"<svg")
        content = content[:start] + content[end:]
    return content


def paper_figure(drawn: d.Drawing, width_mm: float) -> Figure:
    """Draw it with Matplotlib that wide, in the style that holds."""
    from matplotlib.figure import Figure

    height_mm = drawn.height / PIXELS_A_MM
    # many axes, and cells between them, would take the solver of the layout seconds
    layout: Any = None if drawn.cells or drawn.empty else "constrained"
    figure = Figure(figsize=(width_mm * MM, height_mm * MM), layout=layout)
    if drawn.empty:
        figure.text(0.5, 0.5, _shown(drawn.empty), ha="center", va="center", color=GREY)
        return figure
    grid = figure.add_gridspec(drawn.rows, drawn.columns, height_ratios=drawn.weights)
    if drawn.cells:
        ends = {"left": 10 / width_mm, "right": 0.995, "bottom": 8 / height_mm, "top": 1 - 9 / height_mm}
        grid.update(**ends, wspace=0.1, hspace=0.1)
    small = 5.0 if width_mm >= _NARROW_MM else 3.6
    all_axes: list[Axes] = []
    shared: dict[tuple[str, int], Axes] = {}
    lowest = dict(sorted((column, row) for row, column in drawn.places))
    for panel, (row, column) in zip(drawn.panels, drawn.places, strict=True):
        inner_x, inner_y = drawn.share_x and row < lowest[column], drawn.share_y and ("y", row) in shared
        with_x = shared.get(("x", column)) if drawn.share_x else None
        axes = figure.add_subplot(
            grid[row, column], sharex=with_x, sharey=shared.get(("y", row)) if inner_y else None
        )
        all_axes.append(axes)
        shared.setdefault(("x", column), axes)
        shared.setdefault(("y", row), axes)
        _axis(axes, "x", panel.x, inner_x, small)
        _axis(axes, "y", panel.y, inner_y, small)
        axes.set_facecolor(panel.ground or "white")
        axes.set_box_aspect(1 if panel.square else None)
        for mark in (*panel.marks, *drawn.across):
            _draw(axes, mark)
        _limits(axes, panel)
        if panel.title:
            words = _shown(panel.title, round(0.7 * width_mm / drawn.columns))
            axes.set_title(words, fontsize=6.5, pad=2, fontweight="bold" if panel.bold else "normal")
        if panel.note:
            clear = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.8}
            place: dict[str, Any] = {"ha": "right", "va": "top", "fontsize": 6, "bbox": clear}
            axes.text(0.995, 0.95, _shown(panel.note), transform=axes.transAxes, **place)
    if drawn.legend:
        _legend(figure, all_axes, width_mm)
    if drawn.cells:
        figure.text(0.995, 0.99, drawn.note, ha="right", va="top", fontsize=1.2 * small)
        for cell in drawn.cells:
            _cell(figure, grid[cell.place].get_position(figure), cell, small)
        return figure
    if drawn.note:
        all_axes[drawn.columns - 1].set_title(drawn.note, loc="right", fontsize=6.5)
    if drawn.title:
        title, first = _shown(drawn.title, round(0.4 * width_mm) + 10), all_axes[0].get_title("left")
        all_axes[0].set_title(f"{title}\n{first}".rstrip("\n"), loc="left")
    figure.align_ylabels(all_axes)
    return figure


def _shown(text: str, most: int = 0) -> str:
    """A text that may come from a file, without characters that XML cannot hold, of bounded length."""
    text = _NOT_IN_XML.sub("\ufffd", text)
    return text if not most or len(text) <= most else text[: most - 1] + "…"


def _axis(axes: Axes, which: str, axis: d.Axis, inner: bool, small: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    its = getattr(axes, f"{which}axis")
    if axis.log:
        getattr(axes, f"set_{which}scale")("log")
        its.set_minor_locator(NullLocator())
        its.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    if axis.ticks is not None:
        its.set_major_locator(FixedLocator(list(axis.ticks)))
    elif axis.few:
        its.set_major_locator(MaxNLocator(axis.few - 1))
    if axis.ticks is not None and axis.labels is not None:
        names = dict(zip(map(float, axis.ticks), map(_shown, axis.labels), strict=True))
        its.set_major_formatter(FuncFormatter(lambda value, _place: names.get(float(value), "")))
    if axis.few == 3:  # one of many panels
        its.set_tick_params(labelsize=small, length=1.5, pad=1)
        its.label.set_fontsize(1.2 * small)
    if inner:
        its.set_tick_params(labelleft=False, labelbottom=False)
    else:
        its.set_label_text(_shown(axis.title))
    if axis.hidden:
        axes.set_axis_off()


def _limits(axes: Axes, panel: d.Panel) -> None:
    for which, axis in (("x", panel.x), ("y", panel.y)):
        if axis.range is not None:
            getattr(axes, f"set_{which}lim")(*axis.range)
        elif axis.from_zero:
            getattr(axes, f"set_{which}lim")(0, None)


def _colour(text: str) -> Any:
    """A colour as the page names it: "#rrggbb", "rgb(r,g,b)" or "rgba(r,g,b,a)"."""
    if not text.startswith("rgb"):
        return text
    red, green, blue, *alpha = (float(part) for part in text[text.index("(") + 1 : -1].split(","))
    return (red / 255, green / 255, blue / 255, *alpha)


def _draw(axes: Axes, mark: Any) -> None:
    label = _shown(mark.name) if mark.legend else None
    match mark:
        case d.Line():
            style: dict[str, Any] = {"color": mark.colour, "linewidth": _LINE * mark.width, "label": label}
            style |= {"linestyle": _DASHES[mark.dash], "alpha": mark.opacity}
            axes.plot(mark.x, mark.y, drawstyle="steps-post" if mark.steps else "default", **style)
        case d.Strokes():  # a single broken line keeps files small
            x, y = np.repeat(mark.times, 3), np.tile([mark.low, mark.high, np.nan], len(mark.times))
            axes.plot(x, y, color=mark.colour, linewidth=0.5 * mark.width, label=label)
        case d.Points():
            _points(axes, mark, label)
        case d.Area():
            stacks: dict[str, Any] = axes.__dict__.setdefault("stacks", {})
            base = stacks.get(mark.stack, 0.0)
            stacks[mark.stack] = base + mark.y
            look = {"color": _colour(mark.colour), "linewidth": 0, "label": label}
            area: Any = axes.fill_between(mark.x, base, stacks[mark.stack], **look)
            area.rank = mark.rank
        case d.Bars():
            bars = axes.barh(range(len(mark.lengths)), mark.lengths, 0.7, color=mark.colour)
            for bar, edge in zip(bars, mark.edges, strict=True):
                bar.set(edgecolor=edge or "none", linewidth=1.2 if edge else 0)
            axes.bar_label(bars, mark.texts, padding=2, fontsize=6)
            axes.set_yticks(range(len(mark.names)), [_shown(name) for name in mark.names])
            axes.tick_params(axis="y", length=0)
            axes.set_ylim(-0.6, len(mark.names) - 0.4)
        case d.Heat():
            _heat(axes, mark)
        case d.Regions():  # solid fills, since some programs that open PDF files have no transparent ones
            strong, light = "#8FC1E0", "#D6E8F4"
            grid = (mark.x, mark.y, mark.held)
            axes.contourf(*grid, levels=[0, 0.5, 0.95], colors=[strong, light], alpha=mark.opacity)
            axes.contour(*grid, levels=[0.5, 0.95], colors=[BLUE], linewidths=0.6)
            for fill, held in ((strong, "50 %"), (light, "95 %")) if mark.legend else ():
                axes.fill([np.nan], [np.nan], facecolor=fill, edgecolor=BLUE, linewidth=0.6, label=held)
        case d.Band():
            axes.axvspan(*mark.x, facecolor=_colour(mark.colour), linewidth=0, zorder=0)
        case d.Rule():
            _rule(axes, mark)


def _points(axes: Axes, mark: d.Points, label: str | None) -> None:
    x, y = (np.asarray(values, dtype=float) for values in (mark.x, mark.y))
    timed = isinstance(mark.colour, np.ndarray)
    if mark.errors is not None:
        bar: dict[str, Any] = {"ecolor": mark.colour, "elinewidth": 0.9, "capsize": 1.5, "fmt": "none"}
        axes.errorbar(x, y, xerr=mark.errors[0], yerr=mark.errors[1], zorder=2.5, **bar)
    if mark.joined:
        axes.plot(x, y, color=INK if timed else mark.colour, linewidth=_LINE, linestyle=_DASHES[mark.joined])
    if timed:
        look: dict[str, Any] = {"linewidths": 0.3, "edgecolors": INK, "cmap": "cividis", "zorder": 3}
        axes.scatter(x, y, s=(_DOT * mark.size) ** 2, c=mark.colour, label=label, **look)
    else:
        each = np.stack(np.broadcast_arrays(mark.symbol, mark.colour, x)[:2])
        for symbol, colour in dict.fromkeys(zip(*each.tolist(), strict=True)):
            these = (each[0] == symbol) & (each[1] == colour)
            thin = symbol in ("x", "x-thin", "cross-thin")
            look = {"markerfacecolor": colour if mark.filled else "none", "markersize": _DOT * mark.size}
            look |= {"markeredgecolor": mark.edge if mark.edge and not thin else colour, "label": label}
            look |= {"markeredgewidth": 0.9 if thin else 0.4, "alpha": float(np.mean(mark.opacity))}
            look |= {"rasterized": len(x) > _MOST_VECTORS, "zorder": 3}
            axes.plot(x[these], y[these], _SYMBOLS[symbol], **look)
    for text, side, at_x, at_y in zip(mark.texts or (), mark.sides or (), x, y, strict=False):
        down, across = side.split()
        shift = ({"left": -3, "right": 3}.get(across, 0), {"top": 3, "bottom": -3}.get(down, 0))
        look = {"ha": {"left": "right", "right": "left"}.get(across, "center"), "fontsize": 5.5}
        look["va"] = {"top": "bottom", "bottom": "top"}.get(down, "center")
        axes.annotate(_shown(text), (at_x, at_y), shift, textcoords="offset points", **look)


def _heat(axes: Axes, mark: d.Heat) -> None:
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap
    from matplotlib.ticker import FixedFormatter, FixedLocator

    made = LinearSegmentedColormap.from_list("", mark.colours)
    cmap = ListedColormap(mark.colours) if mark.steps else made
    look: dict[str, Any] = {"cmap": cmap, "shading": "nearest"}
    look |= {"vmin": mark.low, "vmax": mark.high, "rasterized": mark.z.size > _MOST_VECTORS}
    area = axes.pcolormesh(mark.x, mark.y, np.ma.masked_invalid(mark.z), **look)
    if mark.steps:
        return
    figure: Any = axes.figure
    bar = figure.colorbar(area, ax=axes, pad=0.02, aspect=30)
    bar.ax.minorticks_off()
    if mark.ticks is not None and mark.labels is not None:
        bar.ax.yaxis.set_major_locator(FixedLocator(list(mark.ticks)))
        bar.ax.yaxis.set_major_formatter(FixedFormatter(list(mark.labels)))
    axes.set_title(_shown(mark.name))


def _rule(axes: Axes, mark: d.Rule) -> None:
    style: dict[str, Any] = {"color": mark.colour, "linewidth": _LINE * mark.width}
    style |= {"linestyle": _DASHES[mark.dash], "zorder": 4 if mark.above else 0}
    if mark.x is None:
        axes.axhline(mark.y, **style)
    elif mark.y is None:
        axes.axvline(mark.x, **style)
    else:
        axes.plot(mark.x, mark.y, **style)
    if mark.text:
        place: dict[str, Any] = {"ha": "left", "va": "top", "fontsize": 6, "color": mark.colour}
        axes.text(mark.x, 1, f" {mark.text}", transform=axes.get_xaxis_transform(), **place)


def _legend(figure: Figure, all_axes: Sequence[Axes], width_mm: float) -> None:
    """Name each thing once above the figure, in as many columns as fit."""
    found = [handle for axes in all_axes for handle in (*axes.lines, *axes.patches, *axes.collections)]
    named = {str(handle.get_label()): handle for handle in reversed(found)}
    handles = {label: named[label] for label in map(str, (h.get_label() for h in found)) if label[:1] != "_"}
    handles = dict(sorted(handles.items(), key=lambda item: getattr(item[1], "rank", 0)))
    if not handles:
        return
    columns = max(1, min(len(handles), int(width_mm / (1.25 * max(map(len, handles)) + 6))))
    where: dict[str, Any] = {"loc": "outside upper center"}
    if figure.get_layout_engine() is None:  # under the note
        where = {"loc": "upper left", "bbox_to_anchor": (0.0, 1 - 3 * MM / figure.get_figheight())}
    figure.legend([_key(handle) for handle in handles.values()], handles.keys(), ncols=columns, **where)


def _key(handle: Any) -> Any:
    """What stands for something in the legend: the same, seen at once."""
    from matplotlib.lines import Line2D

    if not isinstance(handle, Line2D):
        return handle
    key = Line2D([], [])
    key.update_from(handle)
    key.set(alpha=None, linewidth=max(1.4, handle.get_linewidth()))
    return key


def _cell(figure: Figure, box: Any, cell: d.Cell, small: float) -> None:
    from matplotlib.patches import Rectangle

    if cell.fill is not None:
        colour, share = cell.fill
        field = Rectangle((box.x0, box.y0), box.width, box.height, facecolor=colour, alpha=share, linewidth=0)
        figure.add_artist(field)
    lines = cell.text.split("\n")
    look: dict[str, Any] = {"ha": "center", "va": "center", "color": cell.colour}
    look["fontweight"] = "bold" if cell.bold else "normal"
    for line, up, size in zip(lines, (0.6, 0.26) if len(lines) > 1 else (0.5,), (1.4, 1.0), strict=False):
        x, y = box.x0 + 0.5 * box.width, box.y0 + up * box.height
        figure.text(x, y, _shown(line), fontsize=size * small, **look)
