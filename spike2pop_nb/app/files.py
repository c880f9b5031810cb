"""Files in and out of the page: an upload that refuses what is too large before sending it, and downloads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import anywidget
from traitlets import Bool, Int, Unicode

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import MAX_FILE_BYTES

__all__ = ["Download", "Upload"]

_STATIC = Path(__file__).parent / "static"


class Upload(anywidget.AnyWidget):
    """A button that takes one file, by dialog or by drop.

    Parameters
    ----------
    on_file
        Called with the contents and the name of a complete file.
    on_error
        Called with the error when a file cannot be taken.
    """

    _esm = (_STATIC / "upload.js").read_text(encoding="utf-8")  # a path keeps every widget for ever
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

    Parameters
    ----------
    on_ask
        Called when the button is pressed; answers later with `give`, or with `refuse`.
    on_stop
        Called when the button is pressed again while the file is made, which it can be once `progress` has
        been told.
    """

    _esm = (_STATIC / "download.js").read_text(encoding="utf-8")
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
