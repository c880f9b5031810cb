"""Drawings by Plotly: what is told of a figure in, `plotly.graph_objects.Figure` out.

All texts are escaped, because Plotly renders some HTML in them and names come from files.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.plots import drawing as d
from spike2pop_nb.plots.style import BLUE, GREY, INK, TEMPLATE, ticks

__all__ = ["PageFigure", "on_page", "placeholder", "trace", "traces"]

_GROUND = "rgba(255,255,255,0.8)"
_PAPER_MM = 180.0


class PageFigure(go.Figure):
    """A Plotly figure that can be drawn without a browser too."""

    _drawing: d.Drawing | None = None

    def picture(self, format: str = "svg", width_mm: float = _PAPER_MM) -> bytes:
        """Return this figure as it was first drawn, as the content of an SVG, PNG or PDF file.

        Parameters
        ----------
        format : str
            "svg", "png" (300 dpi) or "pdf".
        width_mm : float
            Width on paper; the height follows from that of the page.

        Raises
        ------
        Spike2PopError
            If it was altered since, so that the picture would not show what the figure does.
        """
        from spike2pop_nb.plots.on_paper import rendered

        if self._drawing is None or len(self.data) != self._n_drawn:
            raise Spike2PopError("Curves were added to this figure or removed, so there is no picture of it.")
        return rendered(self._drawing, [format], width_mm)[0]

    @property
    def _n_drawn(self) -> int:
        assert self._drawing is not None
        return sum(len(traces(panel.marks)) for panel in self._drawing.panels)


def on_page(drawn: d.Drawing) -> PageFigure:
    """Draw it with Plotly; all at once, since adding curves one by one takes ten times as long."""
    if drawn.empty:
        found = PageFigure(placeholder(drawn.empty, drawn.height))
    else:
        data, layout = _panels(drawn)
        common = {"template": TEMPLATE, "height": drawn.height, "autosize": True, "showlegend": drawn.legend}
        found = PageFigure(data=data, layout=common | layout)
    found._drawing = drawn
    return found


def placeholder(text: str, height: int = 300) -> go.Figure:
    """Empty figure with one plain sentence in its middle."""
    hidden = {"visible": False, "fixedrange": True}
    note = _words(text, 0.5, 0.5, 13, GREY)
    layout = {"template": TEMPLATE, "height": height, "autosize": True, "annotations": [note]}
    return go.Figure(layout=layout | {"xaxis": hidden, "yaxis": hidden})


def traces(marks: Sequence[d.Mark]) -> list[dict[str, Any]]:
    """What Plotly draws of some marks as curves."""
    return [trace(mark) for mark in marks if not isinstance(mark, (d.Rule, d.Band, d.Text))]


def trace(mark: d.Mark) -> dict[str, Any]:
    """A mark as Plotly's curve."""
    made: dict[str, Any] = {"type": "scatter", "name": escape(mark.name), "showlegend": mark.legend}
    if mark.legend:
        made["legendgroup"] = mark.name
    if mark.hover:
        made["hovertemplate"] = _lines(mark.hover) + "<extra></extra>"
    else:
        made["hoverinfo"] = "skip"
    made |= _of(mark)
    return {key: value for key, value in made.items() if value is not None}


def _of(mark: Any) -> dict[str, Any]:
    match mark:
        case d.Line():
            line = {"color": mark.colour, "width": mark.width, "dash": mark.dash}
            line |= {"shape": "hv"} if mark.steps else {}
            return {
                "mode": "lines",
                "x": mark.x,
                "y": mark.y,
                "line": line,
                "customdata": mark.values,
            } | _meta(mark)
        case d.Strokes():
            x, y = ticks(mark.times, mark.low, mark.high)
            return {
                "mode": "lines",
                "x": x,
                "y": y,
                "line": {"color": mark.colour, "width": mark.width},
            } | _meta(mark)
        case d.Points():
            return _points(mark)
        case d.Area():
            fill = {
                "line": {"width": 0},
                "fillcolor": mark.colour,
                "stackgroup": mark.stack,
                "legendrank": mark.rank,
            }
            return fill | {"mode": "lines", "x": mark.x, "y": mark.y, "legendgroup": mark.name}
        case d.Bars():
            edge = {
                "color": [edge or INK for edge in mark.edges],
                "width": [3 if edge else 0 for edge in mark.edges],
            }
            look = {"color": list(mark.colour), "line": edge}
            made = {
                "type": "bar",
                "orientation": "h",
                "x": mark.lengths,
                "y": [escape(name) for name in mark.names],
            }
            made |= {"marker": look, "text": mark.texts, "textposition": "outside", "cliponaxis": False}
            return made | {"customdata": mark.values}
        case d.Heat():
            return _heat(mark)
        case d.Regions():
            return _regions(mark)
    raise TypeError(f"{type(mark).__name__} is no curve")


def _meta(mark: Any) -> dict[str, Any]:
    return {"opacity": None if mark.opacity == 1 else mark.opacity} | (
        {} if mark.member is None else {"meta": {"member": mark.member}}
    )


def _points(mark: d.Points) -> dict[str, Any]:
    thin = isinstance(mark.symbol, str) and mark.symbol.endswith("thin")
    symbol = mark.symbol if mark.filled or not isinstance(mark.symbol, str) else f"{mark.symbol}-open"
    marker: dict[str, Any] = {
        "symbol": symbol,
        "size": mark.size,
        "color": mark.colour,
        "opacity": mark.opacity,
    }
    if thin:
        marker["line"] = {"width": 0.27 * mark.size**0.8, "color": mark.colour}
    elif mark.edge:
        marker["line"] = {"width": 0.5, "color": mark.edge}
    if isinstance(mark.colour, np.ndarray):
        marker["colorscale"] = "Cividis"
    made = {"x": mark.x, "y": mark.y, "marker": marker, "customdata": mark.values, "text": mark.texts}
    if mark.texts is not None:
        made["text"] = [_lines(text) for text in mark.texts]
    if mark.members is not None:
        made["ids"] = [str(member) for member in mark.members]
    if mark.member is not None:
        made["meta"] = {"member": mark.member}
    if mark.errors is not None:
        bar = {"type": "data", "visible": True, "thickness": 1.6, "width": 4, "color": mark.colour}
        for axis, error in zip("xy", mark.errors, strict=True):
            if error is not None:
                made[f"error_{axis}"] = bar | {"array": error}
    if mark.joined:
        colour = INK if isinstance(mark.colour, np.ndarray) else mark.colour
        made["line"] = {"color": colour, "width": 1, "dash": mark.joined}
    mode = "lines+markers" if mark.joined else "markers"
    return made | {"mode": f"{mode}+text" if mark.sides else mode, "textposition": mark.sides}


def _heat(mark: d.Heat) -> dict[str, Any]:
    n = len(mark.colours)
    edges = [[k / n, (k + 1) / n] for k in range(n)] if mark.steps else [[k / (n - 1)] for k in range(n)]
    scale = [[edge, colour] for at, colour in zip(edges, mark.colours, strict=True) for edge in at]
    made: dict[str, Any] = {"type": "heatmap", "x": mark.x, "y": mark.y, "z": mark.z, "showlegend": None}
    made |= {"zmin": mark.low, "zmax": mark.high, "colorscale": scale, "showscale": not mark.steps}
    made |= {"zsmooth": "best" if mark.smooth else False, "customdata": mark.values, "text": mark.texts}
    if not mark.steps:
        bar = {"title": {"text": escape(mark.name), "side": "right"}, "thickness": 9, "len": 0.95, "x": 1.01}
        bar |= {"outlinecolor": "#C3CAD4"}
        made["colorbar"] = (
            bar if mark.ticks is None else bar | {"tickvals": mark.ticks, "ticktext": mark.labels}
        )
    return made


def _regions(mark: d.Regions) -> dict[str, Any]:
    none, light, strong = "rgba(0,114,178,0)", "rgba(0,114,178,0.22)", "rgba(0,114,178,0.5)"
    return {
        "type": "contour",
        "x": mark.x,
        "y": mark.y,
        # Fills are painted one over the other from the lowest up, so what is outside must be low.
        "z": (1.0 - mark.held).astype(np.float32),
        # Two levels, hence three fills; a fill takes the colour of the middle of its band.
        "contours": {"start": 0.05, "end": 0.5, "size": 0.45, "coloring": "fill", "showlines": True},
        "zmin": -0.175,
        "zmax": 0.725,
        "colorscale": [[0, none], [0.5, light], [1, strong]],
        "line": {"color": BLUE, "width": 0.8},
        "showscale": False,
    }


def _panels(drawn: d.Drawing) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    across, down = _shares(drawn)
    places = drawn.places
    columns = [column if drawn.share_x else i for i, (_, column) in enumerate(places)]
    rows = [row if drawn.share_y else i for i, (row, _) in enumerate(places)]
    x_of, y_of = ({key: k for k, key in enumerate(dict.fromkeys(keys))} for keys in (columns, rows))
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"shapes": [], "annotations": []}
    left = first = 0.0
    for i, (panel, (row, column)) in enumerate(zip(drawn.panels, places, strict=True)):
        x, y = _id("x", x_of[columns[i]]), _id("y", y_of[rows[i]])
        data += [curve | {"xaxis": x, "yaxis": y} for curve in traces(panel.marks)]
        # an axis that several panels share stands at the lowest of them, or at the leftmost
        layout[_key(x)] = _axis(panel.x, panel.title == "") | {"domain": across[column], "anchor": y}
        if _key(y) not in layout:
            layout[_key(y)] = _axis(panel.y, True) | {"domain": down[row], "anchor": x}
        if panel.square:
            layout[_key(x)]["constrain"] = layout[_key(y)]["constrain"] = "domain"
            layout[_key(y)] |= {"scaleanchor": x, "scaleratio": 1}
        if panel.ground:
            layout["plot_bgcolor"] = panel.ground
        for mark in panel.marks:
            _mark(layout, mark, x, y)
        if panel.title:
            words = f"<b>{escape(panel.title)}</b>" if panel.bold else _lines(panel.title)
            place = {"xref": f"{x} domain", "yref": f"{y} domain", "xanchor": "left", "yanchor": "bottom"}
            note = _words("", 0, 1, 11) | place | {"text": words, "yshift": -2, "bgcolor": _GROUND}
            layout["annotations"].append(note)
            first = max(first, 18.0 if row == 0 else 0.0)
        labels = panel.y.labels or [
            name for mark in panel.marks if isinstance(mark, d.Bars) for name in mark.names
        ]
        left = max(left, 24 + 5.8 * max(map(len, labels), default=0) * (not panel.y.hidden))
    for mark in drawn.across:
        _mark(layout, mark, "x", "paper")
    _cells(layout, drawn, across, down)
    bars = any(isinstance(mark, d.Heat) and not mark.steps for panel in drawn.panels for mark in panel.marks)
    below = any("\n" in label for panel in drawn.panels for label in panel.x.labels or ())
    title = f"{drawn.title[:1].upper()}{drawn.title[1:]}"
    top = 28 if drawn.legend or drawn.note or title else first or 10
    if title:
        look = {
            "font": {"size": 12},
            "x": 0.01,
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
        }
        layout["title"] = look | {"text": escape(title), "pad": {"t": 7}}
        top += 20 if drawn.legend else 0
    # to the right there is room for Plotly's own buttons
    layout["margin"] = {"l": max(56, left), "r": 100 if bars else 34, "t": top, "b": 60 if below else 44}
    return data, layout


def _id(letter: str, place: int) -> str:
    return letter if place == 0 else f"{letter}{place + 1}"


def _key(axis: str) -> str:
    return f"{axis[0]}axis{axis[1:]}"


def _shares(drawn: d.Drawing) -> tuple[list[list[float]], list[list[float]]]:
    """Domains of the columns and of the rows."""
    n, m = drawn.columns, drawn.rows
    gap_x, gap_y = drawn.gaps
    weights = np.asarray(drawn.weights or [1.0] * m, dtype=float)
    wide, tall = (1 - gap_x * (n - 1)) / n, (1 - gap_y * (m - 1)) * weights / weights.sum()
    lefts = [i * (wide + gap_x) for i in range(n)]
    tops = [1 - tall[:i].sum() - i * gap_y for i in range(m)]
    return (
        [[max(0.0, low), min(1.0, low + wide)] for low in lefts],
        [[max(0.0, float(high - h)), min(1.0, float(high))] for high, h in zip(tops, tall, strict=True)],
    )


def _axis(axis: d.Axis, _plain: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"showgrid": axis.grid}
    made |= {"title": {"text": escape(axis.title)}} if axis.title else {}
    made |= {"visible": False} if axis.hidden else {}
    made |= {"fixedrange": True} if axis.fixed or axis.hidden else {}
    made |= {"type": "log"} if axis.log else {}
    made |= {"rangemode": "tozero"} if axis.from_zero else {}
    made |= {"nticks": axis.few, "tickfont": {"size": 9}, "tickangle": 0} if axis.few else {}
    if axis.range is not None:
        made["range"] = [float(np.log10(end)) if axis.log else float(end) for end in axis.range]
    if axis.ticks is not None:
        made["tickvals"] = list(axis.ticks)
    if axis.labels is not None:
        made["ticktext"] = [_lines(label) for label in axis.labels]
    return made


def _mark(layout: dict[str, Any], mark: Any, x: str, y: str) -> None:
    """Add what Plotly draws as a shape or a note."""
    whole = y if y == "paper" else f"{y} domain"
    if isinstance(mark, d.Text):
        place = {"xref": f"{x} domain", "yref": f"{y} domain", "xanchor": "right", "yanchor": "top"}
        layout["annotations"].append(_words(mark.text, 1, 1, 10, mark.colour) | place | {"bgcolor": _GROUND})
    elif isinstance(mark, d.Band):
        shape = {"type": "rect", "xref": x, "yref": whole, "x0": mark.x[0], "x1": mark.x[1], "y0": 0, "y1": 1}
        layout["shapes"].append(shape | {"fillcolor": mark.colour, "line": {"width": 0}, "layer": "below"})
    elif isinstance(mark, d.Rule):
        shape = {"type": "line", "line": {"color": mark.colour, "width": mark.width, "dash": mark.dash}}
        (x0, x1), (y0, y1) = (
            (0, 1) if at is None else np.broadcast_to(at, 2).tolist() for at in (mark.x, mark.y)
        )
        refs = {"xref": f"{x} domain" if mark.x is None else x, "yref": whole if mark.y is None else y}
        shape |= refs | {"x0": x0, "x1": x1, "y0": y0, "y1": y1}
        layout["shapes"].append(
            shape | ({} if mark.above else {"layer": "below"}) | ({"editable": True} if mark.movable else {})
        )
        if mark.text:
            note = _words(mark.text, x0, 1, 10, mark.colour) | refs | {"xanchor": "left", "yanchor": "top"}
            layout["annotations"].append(note | {"xshift": 3})


def _cells(
    layout: dict[str, Any], drawn: d.Drawing, across: list[list[float]], down: list[list[float]]
) -> None:
    for cell in drawn.cells:
        (x0, x1), (y0, y1) = across[cell.place[1]], down[cell.place[0]]
        if cell.fill is not None:
            colour, share = cell.fill
            red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
            field = {"type": "rect", "xref": "paper", "yref": "paper", "layer": "below", "line": {"width": 0}}
            field |= {
                "x0": x0,
                "x1": x1,
                "y0": y0,
                "y1": y1,
                "fillcolor": f"rgba({red},{green},{blue},{share:.2f})",
            }
            layout["shapes"].append(field)
        text = f"<b>{escape(cell.text)}</b>" if cell.bold else _lines(cell.text)
        note = _words("", (x0 + x1) / 2, (y0 + y1) / 2, 12, cell.colour)
        layout["annotations"].append(note | {"text": text})
    if drawn.note:
        note = _words(drawn.note, 1.0, 1.0, 10 if not drawn.cells else 11)
        layout["annotations"].append(note | {"xanchor": "right", "yanchor": "bottom"})


def _words(text: str, x: float, y: float, size: int, colour: str = INK) -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": "center", "yanchor": "middle"}
    return place | {"text": escape(text), "font": {"size": size, "color": colour}, "showarrow": False}


def _lines(text: str) -> str:
    """Text as HTML, smaller from its second line on."""
    first, *rest = escape(text).split("\n")
    return "<br>".join([first, *(f"<span style='font-size:10px'>{line}</span>" for line in rest)])
