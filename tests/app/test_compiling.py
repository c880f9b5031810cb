"""The simulator is compiled beside the page: once, heard of by all who wait, and never waited for in vain."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from spike2pop_nb.app import compiling
from spike2pop_nb.app.provisioner import can_fork
from spike2pop_nb.errors import Cancelled

SLOW = "import sys; sys.stdin.close(); import time; time.sleep(30)"


@pytest.fixture
def slow(monkeypatch):
    """A machine on which nothing is compiled yet, and compiling takes long."""
    monkeypatch.setattr(compiling, "needs_compiling", lambda: True)
    monkeypatch.setattr(compiling, "_process", None)
    monkeypatch.setattr(compiling, "_CODE", SLOW)
    compiling.begin()
    yield compiling._process
    compiling._process.kill()
    compiling._process.wait()


def test_what_is_compiled_is_not_compiled_again(monkeypatch):
    monkeypatch.setattr(compiling, "needs_compiling", lambda: False)
    monkeypatch.setattr(compiling, "_process", None)
    compiling.begin()
    assert compiling._process is None
    assert not compiling.going()
    compiling.wait(lambda: False)


def test_it_is_begun_once_and_waited_for(slow):
    compiling.begin()
    assert compiling._process is slow
    assert compiling.going()
    said = []

    def meanwhile():
        said.append(1)
        slow.kill()

    compiling.wait(lambda: False, meanwhile)
    assert said
    assert not compiling.going()
    assert slow.returncode is not None


def test_who_cancels_waits_no_longer(slow):
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        compiling.wait(lambda: True)
    assert time.monotonic() - begun < 5
    assert compiling.going()


@pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux alone")
def test_forked_processes_see_the_end_too():
    code = (
        "import os, time; from spike2pop_nb.app import compiling as c; c.needs_compiling = lambda: True;"
        f"c._CODE = {SLOW!r}; c.begin(); child = os.fork()\n"
        "if not child:\n"
        "    before = c.going(); c.wait(lambda: False); os._exit(not before)\n"
        "time.sleep(0.5); c._process.kill()\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_a_search_waits_with_words_and_can_be_cancelled_meanwhile(dashboard, loop, slow):
    dashboard.recordings.example.value = "stg_set.csv"
    loop.until(lambda: dashboard.session.posterior is not None and not dashboard.session.busy)
    dashboard.population.generate.click()
    loop.until(lambda: "Compiling the simulator" in dashboard.population.says.value)
    dashboard.population.stop.click()
    loop.until(lambda: not dashboard.session.generating)
    assert dashboard.session.result is None
    assert "Ready to generate." in dashboard.population.says.value
    assert not dashboard.population.generate.disabled
