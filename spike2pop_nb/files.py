"""Files that are there whole or not at all, and folders that one run at a time writes into."""

from __future__ import annotations

import errno
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from spike2pop_nb.errors import Spike2PopError, printable

__all__ = [
    "check_name",
    "check_place",
    "check_room",
    "locked",
    "made_folder",
    "make_folder",
    "ready",
    "recording_folder",
    "whole_file",
    "write_files",
    "write_whole",
]

LOCK = ".lock"
_ROOM_BYTES, _BLOCK_BYTES = 1_000_000, 4096


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

    Raises
    ------
    Spike2PopError
        If it cannot be written.
    """
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that has its name once all is written; until then what was there stays.

    Raises
    ------
    Spike2PopError
        If it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        try:
            with partial.open("wb") as file:
                yield file
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Spike2PopError(f"{path} cannot be written: {error.strerror or error}.") from None


def check_name(folder: Path) -> None:
    """Refuse a folder for Parquet whose name is no text in the encoding of this system.

    Raises
    ------
    Spike2PopError
        If it is not.
    """
    if printable(str(folder)) != str(folder):
        raise Spike2PopError(
            f"The name of the folder {printable(str(folder))} is no text that Parquet can be written to; "
            "choose another folder."
        )


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


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files by their names below a folder, which is made if it is not there; return where they are.

    Raises
    ------
    Spike2PopError
        If one cannot be written.
    """
    paths = [folder / name for name in files]
    for path, content in zip(paths, files.values(), strict=True):
        make_folder(path.parent)
        write_whole(path, content)
    return paths


def recording_folder(place: int, n: int, name: str) -> str:
    """A file name for one of n recordings: its place, from 1, and of its id what any file system takes."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9]+", "_", plain)[:40].strip("_")
    return f"{place:0{len(str(n))}d}_{slug}".rstrip("_")


def check_place(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed that it would hold.

    Raises
    ------
    Spike2PopError
        If there is no such folder, or a file cannot be written there.
    """
    if not path.parent.is_dir():
        raise Spike2PopError(f"{path} cannot be written: there is no folder {path.parent}.")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".trial") as file:
            file.write(bytes(_BLOCK_BYTES))
            file.flush()
    except OSError as error:
        raise Spike2PopError(
            f"{path} cannot be written: {error.strerror or error}; nothing was computed."
        ) from None


def check_room(folder: Path) -> None:
    """Refuse a folder that cannot be written to, or has no room for a megabyte.

    Raises
    ------
    Spike2PopError
        If a file cannot be written there.
    """
    trial = folder / ".trial"
    try:
        try:
            trial.write_bytes(bytes(_ROOM_BYTES))
        finally:
            trial.unlink(missing_ok=True)
    except OSError as error:
        raise Spike2PopError(
            f"Nothing can be written into {folder}: {error.strerror or error}; nothing was computed."
        ) from None


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder before anything is computed; where nothing came of it, it is taken away again.

    Raises
    ------
    Spike2PopError
        If it cannot be written to.
    """
    new = not folder.exists()
    check_room(make_folder(folder))
    try:
        yield
    except BaseException:
        if new and {path.name for path in folder.iterdir()} <= {LOCK}:
            shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def ready(folder: Path) -> Iterator[None]:
    """Make a folder, as `made_folder` does, and keep it for this process.

    Raises
    ------
    Spike2PopError
        If it cannot be written to, or another process has it.
    """
    with made_folder(folder), locked(folder):
        yield


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder for this process; a lock ends with its process, however that ends.

    Raises
    ------
    Spike2PopError
        If another process has it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Spike2PopError(
            f"Another run is writing into {folder}; wait for it to end, or choose another folder."
        ) from None
    except OSError as error:
        raise Spike2PopError(
            f"Nothing can be written into {folder}: {error.strerror or error}; nothing was computed."
        ) from None
    try:
        yield
    finally:
        lock.release()
