"""The simulator compiled by a process of its own, once on a machine, while the page is already looked at."""

from __future__ import annotations

import select
import subprocess
import sys
import time
from collections.abc import Callable

from spike2pop_nb.errors import Cancelled
from spike2pop_nb.simulation import keeps_compiled, needs_compiling

__all__ = ["WORDS", "begin", "going", "wait"]

WORDS = "Compiling the simulator, once on this machine (about ten seconds)"
_CODE = """
import numpy
from spike2pop_nb.neurons import get_neuron, list_neurons
from spike2pop_nb.simulation import simulate
neuron = get_neuron(list_neurons()[0])
simulate(numpy.ones((1, neuron.n_channels)), neuron, duration_ms=1.0, transient_ms=0.0)
"""
_process: subprocess.Popen[bytes] | None = None


def begin() -> None:
    """Have it compiled and kept on disk, unless it is or is being compiled, or cannot be kept."""
    global _process
    if _process is None and needs_compiling() and keeps_compiled():
        _process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CODE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def going() -> bool:
    """Whether it is being compiled by this process or by the one that this was forked from."""
    if _process is None:
        return False
    if sys.platform == "win32":
        return _process.poll() is None
    # The pipe ends with the process, also for those who may not wait for it, since it is not their child.
    assert _process.stdout is not None
    ended = bool(select.select([_process.stdout], [], [], 0)[0])
    if ended:
        _process.poll()
    return not ended


def wait(cancelled: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
    """Return once nothing is being compiled.

    Raises
    ------
    Cancelled
        If ``cancelled`` says that this is no longer waited for.
    """
    while going():
        if cancelled():
            raise Cancelled("Cancelled before the simulator was compiled.")
        meanwhile()
        time.sleep(0.05)
