"""Compile the kernel of a neuron for a GPU that need not be here: `python compile_for_gpu.py NEURON FILE`."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import numba.cuda.dispatcher
import numpy as np
from numba import cuda

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the neuron that uses everything

from rich_neuron import RICH

from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.simulation import gpu
from spike2pop_nb.simulation.plan import make_plan
from spike2pop_nb.simulation.runner import Runner
from spike2pop_nb.simulation.simulator import time_step_ms

CAPABILITY = (9, 0)


class Launched(Exception):
    """What a kernel was to be launched with."""


class Kernel:
    """A kernel that is not launched."""

    def __getitem__(self, _shape: tuple[int, int]) -> Any:
        return self

    def __call__(self, *arguments: Any) -> None:
        raise Launched(*arguments)


def ptx(name: str) -> str:
    """Return the PTX of a neuron's kernel, for the types with which it is launched."""
    neuron = RICH if name == "rich" else get_neuron(name)
    dt, n = time_step_ms(neuron, "standard"), 4
    gpu.cuda = SimpleNamespace(
        to_device=lambda array: array,
        device_array=lambda shape, dtype, order: np.zeros(shape, dtype, order=order),
    )
    kernel, gpu._kernel = gpu._kernel, lambda _plan: Kernel()
    runner = Runner(neuron, dt, 0.0, 100.0, 0.1, np.ones(n), np.zeros(n, dtype=np.uint64), tiles=gpu.GpuTiles)
    try:
        runner.run(np.ones((n, neuron.n_channels)), np.arange(n))
    except Launched as launched:
        types = tuple(map(numba.typeof, launched.args))
    gpu.cuda, gpu._kernel = cuda, kernel
    # functions that a kernel calls are compiled for the GPU at hand
    numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=CAPABILITY)
    made, _returned = cuda.compile_ptx(gpu.thread_of(make_plan(neuron, dt)), types, cc=CAPABILITY)
    return str(made)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(ptx(sys.argv[1]))
