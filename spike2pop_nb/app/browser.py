"""What only the browser knows or can do: its address and colours, and files in and out of the page.

An upload is refused for its size before it is sent; a download is made when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import anywidget
from traitlets import Bool, Int, Unicode

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import MAX_FILE_BYTES

__all__ = ["Browser", "Download", "Upload", "static"]


def static(name: str) -> str:
    """A file for browsers as text; with the path of its code in its place, a widget is kept for ever."""
    return (Path(__file__).parent / "static" / name).read_text(encoding="utf-8")


class Browser(anywidget.AnyWidget):
    """An invisible widget that speaks with the browser, whether the page is still connected too.

    ``on_start`` is called once with the fragment the page was opened with.
    """

    _esm = static("browser.js")
    fragment = Unicode("").tag(sync=True)  # kept as what follows # in the address, which restores the session
    theme = Unicode("auto").tag(sync=True)  # or "light" or "dark"; remembered by the browser
    dark = Bool(False).tag(sync=True)  # what the theme comes to
    guide = Bool(False).tag(sync=True)  # open by default until it has been closed once in this browser
    unsaved = Bool(False).tag(
        sync=True
    )  # populations nobody has downloaded: the browser asks before it leaves

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


class Upload(anywidget.AnyWidget):
    """A button that takes one file, by dialog or by drop.

    ``on_file`` is called with the contents and the name of a complete file, ``on_error`` with the error when
    a file cannot be taken.
    """

    _esm = static("upload.js")
    label = Unicode("Choose a file…").tag(sync=True)
    hint = Unicode("").tag(sync=True)
    accept = Unicode("").tag(sync=True)
    disabled = Bool(False).tag(sync=True)
    limit_bytes = Int(MAX_FILE_BYTES).tag(sync=True)

    def __init__(
        self,
        on_file: Callable[[bytes, str], None],
        on_error: Callable[[BaseException], None],
        **traits: Any,
    ) -> None:
        super().__init__(**traits)
        self._on_file, self._on_error = on_file, on_error
        self._name, self._expected = "", -1
        self._parts = bytearray()
        self.on_msg(self._receive)

    def _receive(self, _widget: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        # Nothing that comes from a browser is taken for granted: sizes are checked here again.
        try:
            self._step(content, buffers)
        except Exception as error:
            self._expected, self._parts = -1, bytearray()
            self._on_error(error)

    def _step(self, content: dict[str, Any], buffers: list[Any]) -> None:
        kind = content.get("kind")
        if kind in {"start", "refused", "unreadable"}:
            self._name = PurePath(str(content.get("name", ""))).name[:200] or "the file"
            self._parts = bytearray()
            self._expected = -1
        if kind == "unreadable":
            raise SpikeTrainError(f"{self._name} could not be read by the browser; choose it again.")
        if kind in {"start", "refused"}:
            size = int(content.get("size", 0))
            if size > self.limit_bytes or kind == "refused":
                raise SpikeTrainError(
                    f"{self._name} has {size / 1e6:,.1f} MB; files of up to {self.limit_bytes / 1e6:.0f} MB "
                    "are read, so split it."
                )
            self._expected = size
        elif kind == "part" and self._expected >= 0:
            for buffer in buffers:
                self._parts += buffer
            if len(self._parts) > self._expected:
                raise SpikeTrainError(f"{self._name} arrived longer than it is; choose it again.")
        elif kind == "end" and self._expected >= 0:
            data, expected = bytes(self._parts), self._expected
            self._parts, self._expected = bytearray(), -1
            if len(data) != expected:
                raise SpikeTrainError(f"{self._name} did not arrive whole; choose it again.")
            self._on_file(data, self._name)


class Download(anywidget.AnyWidget):
    """A button that saves a file, which is made when it is asked for.

    ``on_ask`` is called when the button is pressed, and answers later with `give` or `refuse`; ``on_stop``
    when it is pressed again while the file is made, which it can be once `progress` has been told.
    """

    _esm = static("download.js")
    label = Unicode("Download").tag(sync=True)
    hint = Unicode("").tag(sync=True)
    disabled = Bool(True).tag(sync=True)
    made = Unicode("").tag(sync=True)

    def __init__(
        self, on_ask: Callable[[], None], on_stop: Callable[[], None] | None = None, **traits: Any
    ) -> None:
        super().__init__(**traits)
        self._on_ask, self._on_stop = on_ask, on_stop
        self.on_msg(self._receive)

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "ask" and not self.disabled:
            self._on_ask()
        elif isinstance(content, dict) and content.get("kind") == "stop" and self._on_stop is not None:
            self._on_stop()

    def progress(self, fraction: float) -> None:
        """Say how much of the file is made."""
        self.made = f"{100 * fraction:.0f} %"

    def give(self, content: bytes, filename: str, mime: str) -> None:
        """Have the browser save a file."""
        self.made = ""
        self.send({"kind": "file", "name": filename, "mime": mime}, [content])

    def refuse(self) -> None:
        """Let the button be pressed again, without a file."""
        self.made = ""
        self.send({"kind": "nothing"})
