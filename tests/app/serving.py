"""A real server for tests, and what can be seen of it from outside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass
class Served:
    """A server that runs."""

    printed: str
    """The address that it printed, with the token if there is one."""
    process: subprocess.Popen[str]
    log: Path | None
    """What it wrote."""

    @property
    def address(self) -> str:
        return self.printed.partition("?")[0]

    @property
    def token(self) -> str:
        return self.printed.partition("token=")[2]

    def kernels(self) -> set[int]:
        """Processes of sessions."""
        return kernels(self.process)

    def settled(self) -> set[int]:
        """The kernels once none has come or gone for a while: the next one is in store then."""
        return settled(self.process)


def kernels(process: subprocess.Popen[str]) -> set[int]:
    """Processes of a server's sessions."""

    def is_kernel(child: psutil.Process) -> bool:
        try:
            words = " ".join(child.cmdline())
            # a forked kernel has the command line of the process that it was forked from
            return "ipykernel" in words or ("forkserver" in words and child.ppid() != process.pid)
        except psutil.Error:  # it ended while it was looked at
            return False

    return {child.pid for child in psutil.Process(process.pid).children(recursive=True) if is_kernel(child)}


def settled(process: subprocess.Popen[str], for_s: float = 2.0) -> set[int]:
    """The kernels once none has come, gone or been prepared for a while: the next one is in store then."""

    def prepared() -> float:
        """The work that has gone into what kernels are forked from, in tenths of a second."""
        found = 0.0
        for child in psutil.Process(process.pid).children():
            with suppress(psutil.Error):
                if "forkserver" not in " ".join(child.cmdline()):
                    continue
                found += sum(child.cpu_times()[:2])
        return round(10 * found)

    found, since = (kernels(process), prepared()), time.monotonic()
    while time.monotonic() - since < for_s:
        time.sleep(0.2)
        if (now := (kernels(process), prepared())) != found:
            found, since = now, time.monotonic()
    return found[0]


@contextmanager
def serving(options: str = "", log: Path | None = None, **environment: str) -> Iterator[Served]:
    """Serve with further options of `spike2pop_nb.app.serve.serve`, as they would be written in its call."""
    code = f"from spike2pop_nb.app.serve import serve; serve(open_browser=False, {options})"
    errors = log.open("a") if log else None
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"https?://\S+", line)
        assert found, f"the server said {line!r}"
        yield Served(found.group(), process, log)
    finally:
        process.terminate()
        process.wait(60)
        if errors is not None:
            errors.close()
