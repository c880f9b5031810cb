"""Machine code is kept where it can be; where it cannot, everything works all the same."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numba.core import caching

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.data import example_path
from spike2pop_nb.jit import is_kept, jit, words

# What a user meets who has neither a home nor an entry in the list of users, where nothing can be written.
NOWHERE = """
import os, pwd, sys
def unknown(_uid):
    raise KeyError
pwd.getpwuid = unknown
os.environ.pop("HOME", None)
from numba.core import caching
caching.CacheImpl._locator_classes = []
from spike2pop_nb import cli
sys.argv[0] = "spike2pop"
cli.main()
"""


def double(x: float) -> float:
    return 2 * x


def test_what_can_be_kept_is_kept() -> None:
    made = jit(nogil=True)(double)
    assert made(2.0) == 4.0
    assert is_kept(made)
    assert "once on this machine" in words(made)


def test_without_a_place_it_is_compiled_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    made = jit(nogil=True)(double)
    assert made(2.0) == 4.0
    assert not is_kept(made)
    assert "at each start" in words(made)
    assert "NUMBA_CACHE_DIR" in words(made)


def test_a_full_disk_loses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    assert jit(nogil=True)(lambda x: 3 * x)(2.0) == 6.0


@pytest.mark.skipif(sys.platform == "win32", reason="there, users always have a home")
def test_commands_work_without_a_home_and_without_a_place_for_compiled_code(tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        command = [sys.executable, "-c", NOWHERE, *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    run("predict", example_path("stg_set"), "--out", "dics.csv")
    assert len(pd.read_csv(tmp_path / "dics.csv")) == 5
    generate_population("stg", (5.0, 5.0), size=1, seed=1).to_csv(tmp_path / "population.csv")
    said = run("simulate", "population.csv", "--duration-ms", 300, "--transient-ms", 0, "--out", "spikes.csv")
    assert said.count("at each start") == 1
    assert np.all(pd.read_csv(tmp_path / "spikes.csv")["time_ms"] < 300)
    file = tmp_path / "one.csv"
    file.write_text("id,time_ms\n" + "\n".join(f"a,{80 * i}" for i in range(1, 30)))
    run("run", file, "--size", 1, "--budget", 8, "--out", "out", "--report")
    assert (tmp_path / "out" / "report.html").is_file()
