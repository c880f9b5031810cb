"""Drawings by Plotly: what is told of a figure in, `plotly.graph_objects.Figure` out.

All texts are escaped, because Plotly renders some HTML in them and names come from files.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.plots import drawing as d
from spike2pop_nb.plots.style import BLUE, GREY, INK, LAYOUT, ticks

__all__ = ["TEMPLATE", "PageFigure", "on_page", "placeholder", "traces"]

TEMPLATE = go.layout.Template(layout=LAYOUT)
"""Plotly's template of all figures here."""
_GROUND = "rgba(255,255,255,0.8)"
_LONGEST = 50  # letters of a title: a phone has room for no more
_OUTSIDE = ("", "browser", "firefox", "chrome", "chromium", "iframe", "iframe_connected")  # of a notebook


class PageFigure(go.Figure):
    """A Plotly figure that can be drawn without a browser, so that a saved notebook holds a picture of it.

    Where Plotly's renderer is ``"png"`` or ``"svg"`` (``PLOTLY_RENDERER=png``), notebooks hold only that.
    """

    _drawing: d.Drawing | None = None

    def picture(self, format: str = "svg", width_mm: float = 180.0, dpi: int | None = None) -> bytes:
        """Return this figure as the content of an SVG, PNG or PDF file.

        Parameters
        ----------
        format : str
            "svg", "png" or "pdf".
        width_mm : float
            Width on paper; the height follows from that on the page.
        dpi : int, optional
            Resolution of a PNG; 300 by default.

        Raises
        ------
        Spike2PopError
            If the figure was altered since it was made: the picture would not show that.

        Examples
        --------
        >>> from spike2pop_nb import SpikeTrain, plots
        >>> plots.recording(SpikeTrain("a", [10.0, 20.0, 40.0])).picture("png")[1:4]
        b'PNG'
        """
        from spike2pop_nb.plots.on_paper import rendered

        if self._drawing is None or on_page(self._drawing).to_json() != self.to_json():
            raise Spike2PopError("This figure was altered after it was made, so there is no picture of it.")
        return rendered(self._drawing, [format], width_mm, dpi)[0]

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        kind = pio.renderers.default
        static = {"png": "image/png", "svg": "image/svg+xml"}
        try:
            content = self.picture("svg" if kind == "svg" else "png", dpi=130)
        except Spike2PopError:
            return dict(super()._repr_mimebundle_(*args, **kwargs))
        if kind == "svg":
            return {static["svg"]: content.decode()}
        drawn = {static["png"]: base64.b64encode(content).decode()}
        return drawn if kind == "png" else dict(super()._repr_mimebundle_(*args, **kwargs)) | drawn

    def _ipython_display_(self) -> None:
        from IPython.display import display

        names = str(pio.renderers.default or "").split("+")
        if not pio.renderers.render_on_display or any(name in _OUTSIDE for name in names):
            super()._ipython_display_()
        else:
            display(self._repr_mimebundle_(), raw=True)


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
    """Empty figure with one plain sentence in its middle.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> s2p.plots.placeholder("Nothing yet.").layout.annotations[0].text
    'Nothing yet.'
    """
    hidden = {"visible": False, "fixedrange": True}
    note = _words(text, 13, GREY, x=0.5, y=0.5)
    layout = {"template": TEMPLATE, "height": height, "autosize": True, "annotations": [note]}
    return go.Figure(layout=layout | {"xaxis": hidden, "yaxis": hidden})


def traces(marks: Sequence[d.Mark], named: set[str] | None = None) -> list[dict[str, Any]]:
    """What Plotly draws of some marks as curves; each name stands in the legend once."""
    named = set() if named is None else named
    return [_trace(mark, named) for mark in marks if not isinstance(mark, (d.Rule, d.Band))]


def _trace(mark: d.Mark, named: set[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "scatter", "name": escape(mark.name), "customdata": mark.values}
    made["showlegend"] = mark.legend and mark.name not in named
    if mark.legend:
        named.add(mark.name)
        made["legendgroup"] = mark.name
    if mark.member is not None:
        made["meta"] = {"member": mark.member}
    if mark.hover:
        made["hovertemplate"] = _lines(mark.hover) + "<extra></extra>"
    else:
        made["hoverinfo"] = "skip"
    return {key: value for key, value in (made | _of(mark)).items() if value is not None}


def _of(mark: Any) -> dict[str, Any]:
    made: dict[str, Any]
    match mark:
        case d.Line():
            line = {"color": mark.colour, "width": mark.width, "dash": mark.dash}
            line |= {"shape": "hv"} if mark.steps else {}
            return {"mode": "lines", "x": mark.x, "y": mark.y, "line": line}
        case d.Strokes():
            x, y = ticks(mark.times, mark.low, mark.high)
            return {"mode": "lines", "x": x, "y": y, "line": {"color": mark.colour, "width": mark.width}}
        case d.Points():
            return _points(mark)
        case d.Area():
            made = {"mode": "lines", "x": mark.x, "y": mark.y, "line": {"width": 0}, "fillcolor": mark.colour}
            return made | {"stackgroup": mark.stack, "legendrank": mark.rank}
        case d.Bars():
            colours, widths = [edge or INK for edge in mark.edges], [3 * bool(edge) for edge in mark.edges]
            names = [escape(name) for name in mark.names]
            made = {"type": "bar", "orientation": "h", "x": mark.lengths, "y": names}
            made |= {"text": mark.texts, "textposition": "outside", "cliponaxis": False}
            return made | {"marker": {"color": mark.colour, "line": {"color": colours, "width": widths}}}
        case d.Heat():
            return _heat(mark)
        case d.Regions():
            return _regions(mark)
    raise TypeError(f"{type(mark).__name__} is no curve")


def _points(mark: d.Points) -> dict[str, Any]:
    symbol, timed = mark.symbol, isinstance(mark.colour, np.ndarray)
    marker: dict[str, Any] = {"size": mark.size, "color": mark.colour, "opacity": mark.opacity}
    if str(symbol).endswith("thin"):
        marker["line"] = {"width": 0.27 * mark.size**0.8, "color": mark.colour}
    elif mark.edge:
        marker["line"] = {"width": 0.5, "color": mark.edge}
    marker |= {"colorscale": "Cividis"} if timed else {}
    marker["symbol"] = symbol if mark.filled else f"{symbol}-open"
    made: dict[str, Any] = {"x": mark.x, "y": mark.y, "marker": marker, "textposition": mark.sides}
    if mark.texts is not None:
        made["text"] = [_lines(text) for text in mark.texts]
    if mark.members is not None:
        made["ids"] = [str(member) for member in mark.members]
    bar = {"type": "data", "visible": True, "thickness": 1.6, "width": 4, "color": mark.colour}
    for axis, error in zip("xy", mark.errors or (None, None), strict=True):
        made |= {} if error is None else {f"error_{axis}": bar | {"array": error}}
    if mark.joined:
        made["line"] = {"color": INK if timed else mark.colour, "width": 1, "dash": mark.joined}
    return made | {"mode": "lines+" * bool(mark.joined) + "markers" + "+text" * bool(mark.sides)}


def _heat(mark: d.Heat) -> dict[str, Any]:
    n = len(mark.colours)
    edges = [[k / n, (k + 1) / n] for k in range(n)] if mark.steps else [[k / (n - 1)] for k in range(n)]
    scale = [[edge, colour] for at, colour in zip(edges, mark.colours, strict=True) for edge in at]
    made: dict[str, Any] = {"type": "heatmap", "x": mark.x, "y": mark.y, "z": mark.z, "showlegend": None}
    made |= {"zmin": mark.low, "zmax": mark.high, "colorscale": scale, "showscale": not mark.steps}
    made |= {"zsmooth": "best" if mark.smooth else False, "text": mark.texts}
    if not mark.steps:
        bar = {"title": {"text": escape(mark.name), "side": "right"}, "thickness": 9, "len": 0.95, "x": 1.01}
        bar |= {"outlinecolor": "#C3CAD4"}
        bar |= {} if mark.ticks is None else {"tickvals": mark.ticks, "ticktext": mark.labels}
        made["colorbar"] = bar
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
    # panels of one column may share their x axis, those of one row their y axis
    x_keys = [column if drawn.share_x else i for i, (_, column) in enumerate(drawn.places)]
    y_keys = [row if drawn.share_y else i for i, (row, _) in enumerate(drawn.places)]
    x_ids, y_ids = list(dict.fromkeys(x_keys)), list(dict.fromkeys(y_keys))
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"shapes": [], "annotations": []}
    named: set[str] = set()
    for i, (panel, (row, column)) in enumerate(zip(drawn.panels, drawn.places, strict=True)):
        x, y = _id("x", x_ids.index(x_keys[i])), _id("y", y_ids.index(y_keys[i]))
        data += [curve | {"xaxis": x, "yaxis": y} for curve in traces(panel.marks, named)]
        # an axis that several panels share stands at the lowest of them, or at the leftmost
        layout[_key(x)] = _axis(panel.x) | {"domain": across[column], "anchor": y}
        layout.setdefault(_key(y), _axis(panel.y) | {"domain": down[row], "anchor": x})
        if panel.square:
            layout[_key(x)]["constrain"] = "domain"
            layout[_key(y)] |= {"constrain": "domain", "scaleanchor": x}
        if panel.ground:
            layout["plot_bgcolor"] = panel.ground
        for mark in panel.marks:
            _mark(layout, mark, x, y)
        place: dict[str, Any] = {"xref": f"{x} domain", "yref": f"{y} domain", "bgcolor": _GROUND}
        if panel.title:
            place |= {"x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": -2}
            layout["annotations"].append(_words(panel.title, 11, bold=panel.bold, **place))
        if panel.note:
            place |= {"x": 1, "y": 1, "xanchor": "right", "yanchor": "top"}
            layout["annotations"].append(_words(panel.note, 10, **place))
    for rule in drawn.across:
        _mark(layout, rule, "x", "paper")
    _cells(layout, drawn, across, down)
    return data, layout | _margins(drawn)


def _margins(drawn: d.Drawing) -> dict[str, Any]:
    """Room for the title, the legend, the longest label, and to the right for Plotly's own buttons."""
    marks = [mark for panel in drawn.panels for mark in panel.marks]
    left = [panel.y.labels or () for panel in drawn.panels if not panel.y.hidden]
    left += [mark.names for mark in marks if isinstance(mark, d.Bars)]
    bars = any(isinstance(mark, d.Heat) and not mark.steps for mark in marks)
    below = any("\n" in label for panel in drawn.panels for label in panel.x.labels or ())
    top = 28 if drawn.legend or drawn.note or drawn.title else 20 if drawn.panels[0].title else 10
    longest = max((len(label) for labels in left for label in labels), default=0)
    margin: dict[str, Any] = {"l": max(56, 24 + 5.8 * longest)}
    margin |= {"r": 100 if bars else 34, "t": top, "b": 60 if below else 44}
    if drawn.note and drawn.legend:  # one above the other, for narrow pages
        return {"margin": margin | {"t": 52}, "legend": {"yref": "container", "y": 1, "yanchor": "top"}}
    if not drawn.title:
        return {"margin": margin}
    shown = f"{drawn.title[:1].upper()}{drawn.title[1:]}"
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    title: dict[str, Any] = {"text": escape(shown), "font": {"size": 12}}
    title |= {"x": 0.01, "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 7}}
    return {"margin": margin | {"t": top + 20 * drawn.legend}, "title": title}


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


def _axis(axis: d.Axis) -> dict[str, Any]:
    made: dict[str, Any] = {"showgrid": axis.grid, "fixedrange": axis.fixed or axis.hidden}
    made |= {"title": {"text": escape(axis.title)}} if axis.title else {}
    made |= {"visible": False} if axis.hidden else {}
    made |= {"type": "log"} if axis.log else {}
    made |= {"rangemode": "tozero"} if axis.from_zero else {}
    made |= {"nticks": axis.few, "tickfont": {"size": 9}, "tickangle": 0} if axis.few else {}
    if axis.range is not None:
        made["range"] = [float(np.log10(end)) if axis.log else float(end) for end in axis.range]
    if axis.ticks is not None:
        made["tickvals"] = list(axis.ticks)
    if axis.labels is not None:
        made["ticktext"] = [_lines(label) for label in axis.labels]
        made["automargin"] = True  # on a narrow page they are turned, and the title makes way
    return made


def _mark(layout: dict[str, Any], mark: Any, x: str, y: str) -> None:
    """Add what Plotly draws as a shape."""
    whole = y if y == "paper" else f"{y} domain"
    if isinstance(mark, d.Band):
        shape = {"type": "rect", "xref": x, "yref": whole, "x0": mark.x[0], "x1": mark.x[1], "y0": 0, "y1": 1}
        layout["shapes"].append(shape | {"fillcolor": mark.colour, "line": {"width": 0}, "layer": "below"})
    elif isinstance(mark, d.Rule):
        ends = (np.broadcast_to((0, 1) if at is None else at, 2).tolist() for at in (mark.x, mark.y))
        (x0, x1), (y0, y1) = ends
        refs = {"xref": f"{x} domain" if mark.x is None else x, "yref": whole if mark.y is None else y}
        shape = refs | {"type": "line", "x0": x0, "x1": x1, "y0": y0, "y1": y1}
        shape["line"] = {"color": mark.colour, "width": mark.width, "dash": mark.dash}
        shape |= {"layer": "above" if mark.above else "below"} | ({"editable": True} if mark.movable else {})
        layout["shapes"].append(shape)
        if mark.text:
            place: dict[str, Any] = refs | {"x": x0, "y": 1, "xanchor": "left", "yanchor": "top", "xshift": 3}
            layout["annotations"].append(_words(mark.text, 10, mark.colour, **place))


def _cells(layout: dict[str, Any], drawn: d.Drawing, across: list[Any], down: list[Any]) -> None:
    for cell in drawn.cells:
        (x0, x1), (y0, y1) = across[cell.place[1]], down[cell.place[0]]
        if cell.fill is not None:
            colour, share = cell.fill
            rgb = ",".join(str(int(colour[k : k + 2], 16)) for k in (1, 3, 5))
            field = {"type": "rect", "xref": "paper", "yref": "paper", "layer": "below", "line": {"width": 0}}
            field |= {"x0": x0, "x1": x1, "y0": y0, "y1": y1, "fillcolor": f"rgba({rgb},{share:.2f})"}
            layout["shapes"].append(field)
        place: dict[str, Any] = {"x": (x0 + x1) / 2, "y": (y0 + y1) / 2}
        layout["annotations"].append(_words(cell.text, 12, cell.colour, cell.bold, **place))
    if drawn.note:
        place = {"x": 1.0, "y": 1.0, "xanchor": "right", "yanchor": "bottom"}
        layout["annotations"].append(_words(drawn.note, 10, **place))


def _words(text: str, size: int, colour: str = INK, bold: bool = False, **place: Any) -> dict[str, Any]:
    shown = f"<b>{escape(text)}</b>" if bold else _lines(text)
    where = {"xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "middle", "showarrow": False}
    return where | {"text": shown, "font": {"size": size, "color": colour}} | place


def _lines(text: str) -> str:
    """Text as HTML, smaller from its second line on."""
    first, *rest = escape(text).split("\n")
    return "<br>".join([first, *(f"<span style='font-size:10px'>{line}</span>" for line in rest)])
