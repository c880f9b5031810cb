"""What pages in one file are made of: templates, Plotly's code, figures as JSON, the hashes of a policy."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from spike2pop_nb.plots.style import ON_DARK

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Picture", "page"]

_PAGE = Path(__file__).parent / "page"


def page(template: str, **content: Any) -> str:
    """Return a page made from a template in the folder ``page``, its style and code within it.

    A policy in the template forbids the browser any request, and any code but that whose hashes it holds.
    """
    script, plotly_js = _read("report.js"), _plotly_js()
    return str(
        _environment()
        .get_template(template)
        .render(
            style=_read("report.css"),
            script=script,
            plotly_js=plotly_js,
            data=json.dumps({"dark": ON_DARK}).replace("<", "\\u003c"),
            hashes=" ".join(f"'sha256-{_hash(code)}'" for code in (plotly_js, script)),
            **content,
        )
    )


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8").strip()


@lru_cache(maxsize=1)
def _plotly_js() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs().strip()


def _hash(code: str) -> str:
    return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()


@lru_cache(maxsize=1)
def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Picture(NamedTuple):
    """A figure of a page: its name, whether it takes the whole width, and its caption."""

    name: str
    wide: bool
    words: str
    drawn: go.Figure

    def entry(self, section: int) -> dict[str, Any]:
        """Return what a template shows: the figure as JSON that no HTML parser takes for anything else."""
        from plotly.utils import PlotlyJSONEncoder

        traces = [trace.to_plotly_json() for trace in self.drawn.data]
        content = {
            "data": [{key: _packed(value) for key, value in trace.items()} for trace in traces],
            "layout": self.drawn.layout.to_plotly_json(),
        }
        text = json.dumps(content, cls=PlotlyJSONEncoder)
        text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        return {
            "id": f"figure-{section}-{self.name}",
            "wide": self.wide,
            "words": self.words,
            "json": text,
        }


def _packed(value: Any) -> Any:
    """Many numbers as Plotly reads them from base64, in single precision; a gap (None) as NaN."""
    if isinstance(value, list) and len(value) > 64:
        try:
            value = np.array(value, dtype=np.float32)
        except (TypeError, ValueError):  # texts, such as names of members
            return value
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf" or value.size < 16:
        return value
    packed = {"dtype": "f4", "bdata": base64.b64encode(value.astype("<f4").tobytes()).decode()}
    return packed | ({"shape": ", ".join(map(str, value.shape))} if value.ndim > 1 else {})
