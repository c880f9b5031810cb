"""Files are there whole or not at all, and one run at a time has a folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.export.provenance import summary_json
from spike2pop_nb.files import (
    check_place,
    check_room,
    locked,
    ready,
    whole_file,
    write_files,
    write_whole,
)

HOLDS = """
import sys, time
from pathlib import Path
from spike2pop_nb.files import locked
with locked(Path(sys.argv[1])):
    print("has it", flush=True)
    time.sleep(60)
"""


def refuse(*_arguments: object, **_options: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_whole(file, b"before")
    with whole_file(file) as growing:
        growing.write(b"after")
        assert file.read_bytes() == b"before"
    assert file.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("what", ["replace", "open"])
def test_a_file_that_cannot_be_written_leaves_what_was_there(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(tmp_path / "file", b"before")
    with monkeypatch.context() as patch:
        patch.setattr(Path, what, refuse)
        with pytest.raises(Spike2PopError, match=r"file cannot be written: No space left on device\.$"):
            write_whole(tmp_path / "file", b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"before"


def test_several_files_that_are_written_side_by_side_change_together(tmp_path: Path) -> None:
    def both() -> None:
        with whole_file(tmp_path / "a") as a, whole_file(tmp_path / "b"):
            a.write(b"1")
            refuse()

    with pytest.raises(Spike2PopError, match="No space left"):
        both()
    assert not list(tmp_path.iterdir())


def test_a_folder_without_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_room(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(Spike2PopError, match="No space left on device; nothing was computed"):
        check_room(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_that_could_not_be_written_is_refused_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there.csv"
    there.write_text("what was there stays", encoding="utf-8")
    check_place(there)
    check_place(tmp_path / "new.csv")
    assert there.read_text(encoding="utf-8") == "what was there stays"
    with pytest.raises(Spike2PopError, match="there is no folder "):
        check_place(tmp_path / "none" / "new.csv")
    with pytest.raises(Spike2PopError, match="it is a folder; nothing was computed"):
        check_place(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("spike2pop_nb.files.tempfile.NamedTemporaryFile", refuse)
        with pytest.raises(Spike2PopError, match="No space left on device; nothing was computed"):
            check_place(there)
    assert [path.name for path in tmp_path.iterdir()] == ["there.csv"]


def test_one_process_at_a_time_has_a_folder_and_a_dead_one_has_none(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "has it\n"
        with pytest.raises(Spike2PopError, match="Another run is writing into"), locked(tmp_path):
            pass
    finally:
        os.kill(holder.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        holder.communicate()
    for _ in range(2):
        with locked(tmp_path):
            pass


def test_a_folder_is_made_ready_before_and_taken_away_where_nothing_came_of_it(tmp_path: Path) -> None:
    with pytest.raises(KeyError), ready(tmp_path / "new"):
        raise KeyError
    assert not (tmp_path / "new").exists()
    (tmp_path / "kept").mkdir()
    with pytest.raises(KeyError), ready(tmp_path / "kept"):
        raise KeyError
    assert (tmp_path / "kept").exists()
    with pytest.raises(KeyError), ready(tmp_path / "begun"):
        raise KeyError((tmp_path / "begun" / "one.csv").write_text("1"))
    assert (tmp_path / "begun" / "one.csv").read_text() == "1"
    words = "Another run is writing into"
    with ready(tmp_path / "held"), pytest.raises(Spike2PopError, match=words), ready(tmp_path / "held"):
        raise AssertionError
    assert (tmp_path / "held").exists()
    assert write_files(tmp_path / "more", {"a/b.txt": b"1"}) == [tmp_path / "more" / "a" / "b.txt"]


def test_a_summary_has_no_number_that_json_lacks() -> None:
    told = json.loads(summary_json({"seed": np.int64(1)}, {"bits": [np.nan, 1.0, np.float32(np.inf)]}))
    assert told["options"] == {"seed": 1}
    assert told["bits"] == [None, 1.0, None]
    assert told["versions"]["spike2pop_nb"]
