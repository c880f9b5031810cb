"""Small pieces that all panels are made of: cards, labelled fields, sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as w
from traitlets import Bool, Unicode, link

__all__ = ["Fold", "button", "card", "classed", "field", "halves", "jump", "listed", "said", "text"]

_CODE = re.compile("`([^`]+)`")


def classed(widget: Any, *names: str) -> Any:
    """The same widget, which the page's style knows by these names."""
    for name in names:
        widget.add_class(name)
    return widget


def text(html: str = "", *classes: str) -> w.HTML:
    """Prose; `html` must be escaped already."""
    return classed(w.HTML(html), "s2p-text", *classes)


def said(sentences: Sequence[str]) -> str:
    """Plain sentences as paragraphs of HTML; what stands between ` in them is code."""
    shown = (_CODE.sub(r"<code>\1</code>", escape(sentence)) for sentence in sentences)
    return "".join(f"<p>{sentence}</p>" for sentence in shown)


def listed(items: Sequence[str]) -> str:
    """Plain sentences as a list of HTML."""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>" if items else ""


def field(label: str, control: Any, help: str) -> w.VBox:
    """A control with its name and unit above it and one sentence of help below."""
    control.layout.width = "100%"
    hint = text(f'<div class="s2p-help">{escape(help)}</div>')
    if hasattr(control, "description"):
        # The widget ties its own label to its input, for screen readers and for a click on the name.
        control.description = label
        parts = [control, hint]
    else:
        parts = [text(f"<label>{escape(label)}</label>"), control, hint]
    return classed(w.VBox(parts), "s2p-field")


def jump(label: str, to: str) -> str:
    """A button as HTML that brings the reader to the part of the page with the class `to`."""
    return f'<button type="button" class="s2p-jump" data-to="{escape(to)}">{escape(label)}</button>'


def button(label: str, help: str, kind: str = "") -> w.Button:
    """A button that says on hover what it does."""
    made = w.Button(description=label, tooltip=help, button_style=kind)
    made.layout.width = "auto"
    return made


def card(step: str, title: str, children: Sequence[Any], *classes: str) -> w.VBox:
    """One numbered part of the page."""
    head = text(f'<h2><span class="s2p-step">{escape(step)}</span>{escape(title)}</h2>')
    return classed(w.VBox([head, *children]), "s2p-card", *classes)


def halves(left: Sequence[Any], right: Sequence[Any], kind: str = "s2p-halves") -> w.HBox:
    """Two columns side by side, where there is room."""
    columns = [classed(w.VBox(left), "s2p-left"), classed(w.VBox(right), "s2p-right")]
    return classed(w.HBox(columns), kind)


class _FoldHead(anywidget.AnyWidget):
    """A button that says whether what it heads is open."""

    _esm = (Path(__file__).parent / "static" / "fold.js").read_text(encoding="utf-8")
    label = Unicode("").tag(sync=True)
    opened = Bool(False).tag(sync=True)


class Fold(w.VBox):
    """Controls that are out of the way until they are asked for, by mouse or by keyboard.

    Attributes
    ----------
    opened
        Whether they are shown.
    build
        Called when it is first opened, to make what is in ``body``; None from then on.
    """

    opened = Bool(False)

    def __init__(
        self, title: str, children: Sequence[Any] = (), build: Callable[[], Any] | None = None
    ) -> None:
        self.build = build
        self.head = _FoldHead(label=title)
        self.body = w.VBox(list(children), layout={"display": "none"})
        super().__init__([self.head, self.body])
        self.add_class("s2p-fold")
        link((self, "opened"), (self.head, "opened"))
        self.observe(self._show, "opened")

    def _show(self, _change: Any) -> None:
        self.body.layout.display = "" if self.opened else "none"
        if self.build is not None:
            build, self.build = self.build, None
            build()
