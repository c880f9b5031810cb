"""Where the server of the dashboard writes."""

from __future__ import annotations

import os
import platform
import tempfile
from pathlib import Path

import pytest
from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir

from spike2pop_nb.app.serve import _Server, places_to_write, serve
from spike2pop_nb.errors import Spike2PopError


def test_folders_that_can_be_written_stay(monkeypatch, tmp_path):
    for name in ("DATA", "RUNTIME", "CONFIG"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / name))
    with places_to_write():
        assert jupyter_data_dir() == str(tmp_path / "DATA")


def test_others_are_replaced_as_long_as_it_serves(monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", os.devnull + "/data")
    monkeypatch.delenv("JUPYTER_RUNTIME_DIR", raising=False)
    with places_to_write():
        made = Path(jupyter_data_dir()).parent
        assert made.is_dir()
        assert Path(jupyter_runtime_dir()).parent == Path(os.environ["IPYTHONDIR"]).parent == made
    assert not made.exists()
    assert os.environ["JUPYTER_DATA_DIR"] == os.devnull + "/data"
    assert "JUPYTER_RUNTIME_DIR" not in os.environ


ADDRESS = "http://127.0.0.1:8866/?token=secret"


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Where a server sends the browser of this machine."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("VSCODE_IPC_HOOK_CLI", raising=False)
    return lambda: _Server._unseen(_Server(), ADDRESS)


@pytest.mark.skipif(os.name != "posix", reason="rights of files are those of POSIX")
def test_the_token_is_in_a_file_that_nobody_else_can_read(opened, tmp_path):
    address = opened()
    (file,) = tmp_path.iterdir()
    assert address == file.as_uri()
    assert file.stat().st_mode & 0o077 == 0
    assert f"url={ADDRESS}" in file.read_text()


def test_a_browser_that_sees_no_files_gets_the_address(opened, monkeypatch, tmp_path):
    monkeypatch.setenv("VSCODE_IPC_HOOK_CLI", "/run/socket")
    assert opened() == ADDRESS
    monkeypatch.delenv("VSCODE_IPC_HOOK_CLI")
    monkeypatch.setattr(platform, "release", lambda: "5.15.153.1-microsoft-standard-WSL2")
    assert opened() == ADDRESS
    monkeypatch.setattr(platform, "release", lambda: "6.1.0")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert opened() == ADDRESS
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"port": 70000}, "The port must be a number from 0 to 65535, not 70000"),
        ({"sessions": 0}, "room for one session at least, not for 0"),
        ({"host": "0.0.0.0"}, "name a password with --password-file FILE"),
        ({"host": "192.0.2.1", "password_file": "password"}, r"listen on port \d+ of 192\.0\.2\.1"),
    ],
)
def test_what_cannot_be_served_is_said_before_anything_starts(asked, says, monkeypatch, tmp_path):
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    (tmp_path / "password").write_text("long enough\n")
    asked = {name: tmp_path / value if name == "password_file" else value for name, value in asked.items()}
    with pytest.raises(Spike2PopError, match=says):
        serve(**{"open_browser": False, **asked})
