"""The simulator on an NVIDIA GPU beside the CPU, on the same members, in the same run.

Rates are simulated neuron-seconds a second by the clock, spikes alone, with what goes to the GPU and back;
what is compiled first is told by itself. Of each member with as many spikes on both, the largest relative
difference of its intervals is taken: told are the median and the largest of these, and how many members have
a spike more or less.

    python tests/benchmarks/bench_gpu.py [--members 131072] [--seconds 3] [--neurons stg da rich]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from spike2pop_nb.conductances import baseline_population
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.simulation.simulator import tiles_on

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the neuron that uses everything

from rich_neuron import RICH

WANTED = 300_000  # neuron-seconds a second of the STG neuron on an H100


def rate(neuron: NeuronModel, g: np.ndarray, seconds: float, device: str, noise: float) -> float:
    """Return simulated neuron-seconds a second."""
    begin = time.perf_counter()
    simulate(
        g,
        neuron,
        duration_ms=1000.0 * seconds,
        transient_ms=0.0,
        record="spikes",
        noise_sigma=noise,
        device=device,
    )
    return len(g) * seconds / (time.perf_counter() - begin)


def differences(neuron: NeuronModel, g: np.ndarray, noise: float) -> tuple[float, float, int]:
    """Return the median and the largest difference of intervals, and in how many members counts differ."""
    both = [
        simulate(
            g,
            neuron,
            duration_ms=3000.0,
            transient_ms=1000.0,
            record="spikes",
            noise_sigma=noise,
            device=device,
        ).spike_times_ms
        for device in ("cpu", "cuda")
    ]
    off, others = [], 0
    for known, found in zip(*both, strict=True):
        if len(known) != len(found):
            others += 1
        elif len(known) > 2:
            off.append(float(np.abs(np.diff(found) / np.diff(known) - 1.0).max()))
    return float(np.median(off)), float(np.max(off)), others


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=131_072)
    parser.add_argument("--compared", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--neurons", nargs="+", default=["stg", "da", "pyloric", "rich"])
    options = parser.parse_args()
    try:
        tiles_on("cuda")
    except SimulationError as error:
        sys.exit(str(error))
    from numba import cuda

    card = cuda.get_current_device().name
    card = card.decode() if isinstance(card, bytes) else card
    print(f"{card}; {options.members} members, {options.seconds:g} s each\n")
    print("| neuron | noise | compiling, s | GPU | CPU | intervals, median | largest | other counts |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.neurons:
        neuron = RICH if name == "rich" else get_neuron(name)
        g = baseline_population(neuron, options.members, np.random.default_rng(1))[0]
        few = g[: options.compared]
        begin = time.perf_counter()
        simulate(few[:1], neuron, duration_ms=1.0, transient_ms=0.0, record="spikes", device="cuda")
        compiling = time.perf_counter() - begin
        for noise in (0.0, 1.0):
            median, largest, others = differences(neuron, few, noise)
            fast = max(rate(neuron, g, options.seconds, "cuda", noise) for _ in range(options.repeats))
            slow = max(rate(neuron, few, options.seconds, "cpu", noise) for _ in range(options.repeats))
            said = f" ({fast / WANTED:.2f} of {WANTED})" if name == "stg" and not noise else ""
            print(
                f"| {name} | {noise:g} | {compiling:.1f} | {fast:.0f}{said} | {slow:.0f} | {median:.1e} | "
                f"{largest:.1e} | {others} of {len(few)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
