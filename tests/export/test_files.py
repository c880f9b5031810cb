"""Files that grow are whole at any time, and take a time that grows with what is added alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export.files import GrowingFile


def grow(path: Path, n: int = 6) -> None:
    file = GrowingFile(path)
    wanted = b""
    for i in range(n):
        wanted += b"row %d\n" % i
        file.add(b"row %d\n" % i, b"head %d\n" % i, b"end\n")
        assert path.read_bytes() == b"head %d\n" % i + wanted + b"end\n"
    file.close()
    assert list(path.parent.iterdir()) == [path]


def test_it_is_whole_after_each_addition(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("of an earlier run")
    grow(tmp_path / "file")


def test_it_is_so_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    grow(tmp_path / "file")


def test_additions_of_nothing_and_no_head(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "file")
    for part, wanted in ((b"", b""), (b"a", b"a"), (b"", b"a"), (b"bc", b"abc")):
        file.add(part)
        assert (tmp_path / "file").read_bytes() == wanted


def test_an_addition_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = GrowingFile(tmp_path / "file")
    file.add(b"a\n")
    file.add(b"b\n")

    def refuse(self: Path, target: Path) -> None:
        raise OSError(28, "full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(Spike2PopError, match="file cannot be written: full"):
            file.add(b"c\n")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"a\nb\n"
    file.add(b"c\n")
    assert (tmp_path / "file").read_bytes() == b"a\nb\nc\n"


def test_what_is_written_does_not_grow_with_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = GrowingFile(tmp_path / "file")
    file.add(b"x" * 1000)
    file.add(b"x" * 1000)
    monkeypatch.setattr("shutil.copyfile", None)
    for _ in range(3):
        file.add(b"y" * 10)
    assert (tmp_path / "file").read_bytes() == b"x" * 2000 + b"y" * 30
