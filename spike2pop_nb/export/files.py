"""Files that are there whole or not at all, also while they grow."""

from __future__ import annotations

import shutil
from pathlib import Path

from spike2pop_nb.errors import Spike2PopError

__all__ = ["GrowingFile", "make_folder", "write_whole"]


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
        raise _refused(path, error) from None


def make_folder(folder: Path) -> Path:
    """Make a folder, and those above it, unless it is there.

    Raises
    ------
    Spike2PopError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Spike2PopError(f"The folder {folder} cannot be made: {error.strerror or error}.") from None
    return folder


class GrowingFile:
    """A file that is there whole after each addition, in a time that grows with what is added alone.

    There are two copies of it, which change places: to the one that nobody sees is added what it lacks, and
    then it is the one that is seen. The other lacks the last addition from then on.

    Parameters
    ----------
    path
        The file; what is there is replaced by the first addition.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unseen, self._kept = (path.with_name(path.name + end) for end in (".partial", ".kept"))
        self._end = 0  # of the additions in the copy that is seen
        self._lacks: bytes | None = None  # what the other lacks; None: there is no other

    def add(self, addition: bytes, head: bytes = b"", tail: bytes = b"") -> None:
        """Add to the file, between its head, which must always be as long, and its tail.

        Raises
        ------
        Spike2PopError
            If it cannot be written; it is as it was then.
        """
        try:
            if self._end and self._lacks is None:
                shutil.copyfile(self._path, self._unseen)
                self._lacks = b""
            lacks = self._lacks or b""
            start = self._end - len(lacks) if self._end else len(head)
            with self._unseen.open("r+b" if self._end else "wb") as file:
                file.write(head)
                file.seek(start)
                file.write(lacks + addition + tail)
                file.truncate()
            self._lacks = addition if self._change_places() else None
            self._end = start + len(lacks) + len(addition)
        except OSError as error:
            self.close()
            raise _refused(self._path, error) from None

    def _change_places(self) -> bool:
        """Show the copy that was written to; return whether the other was kept."""
        keeps = self._end > 0
        self._kept.unlink(missing_ok=True)
        try:
            if keeps:
                self._kept.hardlink_to(self._path)
        except (OSError, NotImplementedError):  # a file system without links
            keeps = False
        self._unseen.replace(self._path)
        if keeps:
            self._kept.replace(self._unseen)
        return keeps

    def close(self) -> None:
        """Remove the other copy."""
        self._lacks = None
        for path in (self._unseen, self._kept):
            path.unlink(missing_ok=True)


def _refused(path: Path, error: OSError) -> Spike2PopError:
    return Spike2PopError(f"{path} cannot be written: {error.strerror or error}.")
