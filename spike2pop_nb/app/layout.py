"""Small pieces that all panels are made of: cards, labelled fields, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as w

__all__ = ["button", "card", "field", "folded", "listed", "said", "text"]


def text(html: str = "", *classes: str) -> w.HTML:
    """Prose; `html` must be escaped already."""
    widget = w.HTML(html)
    for name in ("s2p-text", *classes):
        widget.add_class(name)
    return widget


def said(sentences: Sequence[str]) -> str:
    """Plain sentences as paragraphs of HTML."""
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


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
    box = w.VBox(parts)
    box.add_class("s2p-field")
    return box


def button(label: str, help: str, kind: str = "") -> w.Button:
    """A button that says on hover what it does."""
    made = w.Button(description=label, tooltip=help, button_style=kind)
    made.layout.width = "auto"
    return made


def card(step: str, title: str, children: Sequence[Any], *classes: str) -> w.VBox:
    """One numbered part of the page."""
    head = text(f'<h2><span class="s2p-step">{escape(step)}</span>{escape(title)}</h2>')
    box = w.VBox([head, *children])
    for name in ("s2p-card", *classes):
        box.add_class(name)
    return box


def folded(title: str, children: Sequence[Any]) -> w.Accordion:
    """Controls that are out of the way until they are asked for."""
    box = w.Accordion([w.VBox(list(children))], titles=(title,), selected_index=None)
    box.add_class("s2p-fold")
    return box
