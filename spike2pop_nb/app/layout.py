"""Small pieces that all panels are made of: cards, labelled fields, sentences, pages, work that goes on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as w
from traitlets import Bool, Unicode, link

from spike2pop_nb.app.browser import static

if TYPE_CHECKING:
    from spike2pop_nb.app.actions import Actions
    from spike2pop_nb.app.messages import Messages

__all__ = [
    "Fold",
    "Going",
    "Pager",
    "button",
    "card",
    "classed",
    "field",
    "halves",
    "jump",
    "listed",
    "row",
    "said",
    "shown_if",
    "text",
]

_CODE = re.compile("`([^`]+)`")


def classed(widget: Any, *names: str) -> Any:
    """The same widget, which the page's style knows by these names."""
    for name in names:
        widget.add_class(name)
    return widget


def shown_if(on: bool, *widgets: Any) -> None:
    """Show widgets, or have them take no room."""
    for widget in widgets:
        widget.layout.display = "" if on else "none"


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


def row(*widgets: Any, kind: str = "") -> w.HBox:
    """Widgets side by side."""
    return classed(w.HBox(widgets), *filter(None, [kind]))


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
    return row(classed(w.VBox(left), "s2p-left"), classed(w.VBox(right), "s2p-right"), kind=kind)


class _FoldHead(anywidget.AnyWidget):
    """A button that says whether what it heads is open."""

    _esm = static("fold.js")
    label = Unicode("").tag(sync=True)
    opened = Bool(False).tag(sync=True)


class Fold(w.VBox):
    """Controls that are out of the way until they are asked for, by mouse or by keyboard.

    ``build`` is called when it is first opened, to make what is in ``body``; it is None from then on.
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
        shown_if(self.opened, self.body)
        if self.build is not None:
            build, self.build = self.build, None
            build()


class Pager(w.HBox):
    """Buttons to go through the members, some at a time; ``on_turn`` is called after each.

    Attributes
    ----------
    page, pages
        The one that is shown, from 0, and how many there are.
    """

    def __init__(self, each: int, on_turn: Callable[[], None], *beside: w.Widget) -> None:
        self.each, self._on_turn = each, on_turn
        self.page = self.pages = 0
        self.back = button("‹ Back", "Show the members before these")
        self.next = button("Next ›", "Show the members after these")
        self.where = text()
        super().__init__([self.back, self.where, self.next, *beside])
        self.add_class("s2p-bar")
        self.back.on_click(lambda _button: self.turn(self.page - 1))
        self.next.on_click(lambda _button: self.turn(self.page + 1))

    def show(self, n: int) -> None:
        """Show where in so many members one is."""
        self.pages = -(-n // self.each)
        self.page = min(max(0, self.page), max(0, self.pages - 1))
        self.back.disabled, self.next.disabled = self.page <= 0, self.page >= self.pages - 1
        self.where.value = f"page {self.page + 1} of {self.pages}" if self.pages else ""

    def turn(self, page: int) -> None:
        """Go to a page."""
        self.page = page
        self._on_turn()


class Going:
    """Work that a person starts, sees going on, and can cancel: the button ``run``, and what goes with it.

    ``name`` is what the actions call it; ``cancel`` says on hover what cancelling does, ``cancelled`` that it
    was done. ``widgets`` are all of it from top to bottom: buttons, a bar, and words.
    """

    def __init__(
        self,
        run: w.Button,
        cancel: str,
        actions: Actions,
        name: str,
        messages: Messages,
        beside: Sequence[w.Widget] = (),
        cancelled: str = "Cancelled.",
    ) -> None:
        self.stop = button("Cancel", cancel)
        self.stop.disabled = True
        self.bar = w.FloatProgress(min=0.0, max=1.0, layout={"width": "100%", "height": "10px"})
        self.bar.layout.visibility = "hidden"
        self.says = text("", "s2p-says")
        self.widgets: list[w.Widget] = [row(run, self.stop, *beside, kind="s2p-buttons"), self.bar, self.says]
        self._since: float | None = None
        self._stopped, self._cancelled = False, cancelled
        self._actions, self._name = actions, name
        self.stop.on_click(messages.after(self._cancel))
        actions.on_progress[name] = messages.guard(self.progress)

    def show(self, going: bool) -> bool:
        """Show whether it goes on, and return whether that is new; if not, nothing changes."""
        if going == (self._since is not None):
            return False
        self._since = time.monotonic() if going else None
        self.stop.disabled = not going
        self.bar.value, self.bar.layout.visibility = 0.0, "visible" if going else "hidden"
        ended = [self._cancelled] if self._stopped else []
        self.says.value = said(["Starting…"] if going else ended)
        self._stopped = False
        return True

    def progress(self, fraction: float, words: str) -> None:
        """Show how far it is, unless it was cancelled."""
        if self._since is not None and not self.stop.disabled:
            self.bar.value = fraction
            self.says.value = said([f"{words} ({time.monotonic() - self._since:.0f} s)."])

    def _cancel(self) -> None:
        self.stop.disabled = self._stopped = True
        self.says.value = said(["Stopping…"])
        self._actions.stop(self._name)
