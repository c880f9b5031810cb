"""What only the browser knows or can do: address, colours, whether the page is still connected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
from traitlets import Bool, Unicode

__all__ = ["Browser"]


class Browser(anywidget.AnyWidget):
    """An invisible widget that speaks with the browser.

    Attributes
    ----------
    fragment
        Kept as the part of the address after #, so that the address restores the session.
    theme
        "auto", "light" or "dark"; remembered by the browser.
    dark
        What the theme comes to.
    guide
        Whether the guide is open; by default until it has been closed once in this browser.
    unsaved
        Whether there are populations that nobody has downloaded; then the browser asks before it leaves.

    Parameters
    ----------
    on_start
        Called once with the fragment the page was opened with.
    """

    _esm = (Path(__file__).parent / "static" / "browser.js").read_text(encoding="utf-8")
    fragment = Unicode("").tag(sync=True)
    theme = Unicode("auto").tag(sync=True)
    dark = Bool(False).tag(sync=True)
    guide = Bool(False).tag(sync=True)
    unsaved = Bool(False).tag(sync=True)

    def __init__(self, on_start: Callable[[str], None], **traits: Any) -> None:
        super().__init__(**traits)
        self._on_start = on_start
        self._started = False
        self.on_msg(self._receive)

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        if kind == "beat":
            self.send({"kind": "beat"})
        elif kind == "start" and not self._started:
            self._started = True
            self._on_start(str(content.get("fragment", "")))
