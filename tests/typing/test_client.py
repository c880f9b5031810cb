"""A user's editor sees the types of everything public."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import spike2pop_nb

CLIENT = Path(__file__).with_name("client.py")
PACKAGE = Path(spike2pop_nb.__file__).parent


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_a_strict_client_has_no_untyped_name(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    pytest.importorskip("mypy")
    # An installed package is found by itself; one that is only on the path has to be named.
    installed = PACKAGE.parent.name == "site-packages"
    env = os.environ if installed else {**os.environ, "MYPYPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    if pytestconfig.cache is not None:
        command.append(f"--cache-dir={pytestconfig.cache.mkdir('mypy')}")
    done = subprocess.run([*command, str(CLIENT)], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
