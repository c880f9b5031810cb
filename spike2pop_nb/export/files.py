"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

from spike2pop_nb.errors import Spike2PopError

__all__ = ["write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

    Raises
    ------
    Spike2PopError
        If it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Spike2PopError(f"{path} cannot be written: {error.strerror or error}.") from None
