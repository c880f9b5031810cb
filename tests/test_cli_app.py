"""The command that serves the page: what it passes on, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spike2pop_nb.app import serve as module
from spike2pop_nb.cli.common import cli


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would be served."""
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(module, "serve", lambda **options: asked.append(options))
    return asked


def test_by_default_it_is_for_this_machine_and_opens_a_browser(served: list[dict[str, Any]]) -> None:
    assert CliRunner().invoke(cli, ["app"]).exit_code == 0
    (asked,) = served
    assert asked["host"] == "127.0.0.1"
    assert asked["open_browser"]
    assert not asked["own_neurons"]
    assert asked["sessions"] == module.MOST_SESSIONS
    assert not asked["names"]
    assert asked["password_file"] is asked["certfile"] is asked["keyfile"] is None


def test_what_a_lab_asks_for_is_passed_on(served: list[dict[str, Any]]) -> None:
    words = (
        "app --no-browser --host 0.0.0.0 --port 80 --sessions 4 --password-file p --certfile c --keyfile k"
    )
    names = "--name lab.example.org --name lab --base-url /spike2pop/"
    assert CliRunner().invoke(cli, [*words.split(), *names.split()]).exit_code == 0
    (asked,) = served
    assert asked == {
        "port": 80,
        "open_browser": False,
        "host": "0.0.0.0",
        "names": ["lab.example.org", "lab"],
        "base_url": "/spike2pop/",
        "password_file": Path("p"),
        "certfile": Path("c"),
        "keyfile": Path("k"),
        "sessions": 4,
        "own_neurons": False,
    }


def test_other_machines_are_refused_without_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    done = CliRunner().invoke(cli, ["app", "--host", "0.0.0.0"])
    assert done.exit_code == 1
    said = str(done.exception)
    assert "Other machines reach 0.0.0.0" in said
    assert "--password-file" in said
