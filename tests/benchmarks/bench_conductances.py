"""How fast members are compensated, and reachability mapped.

python tests/benchmarks/bench_conductances.py [--members 200000]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from spike2pop_nb.conductances import baseline_population, compensate, generate_population, reachability
from spike2pop_nb.conductances.reach import _reachability
from spike2pop_nb.neurons import get_neuron, list_neurons


def best(function: Callable[[], object], repeats: int = 7) -> tuple[float, float]:
    """Return the least processor and clock seconds of several calls."""
    cpu, wall = np.inf, np.inf
    for _ in range(repeats):
        c, w = time.process_time(), time.perf_counter()
        function()
        cpu, wall = min(cpu, time.process_time() - c), min(wall, time.perf_counter() - w)
    return cpu, wall


def bench_choices(name: str, n: int) -> None:
    """Print a row for each pair that the neuron recommends."""
    rng = np.random.default_rng(0)
    neuron = get_neuron(name)
    base = np.tile(baseline_population(name, 1000, 0)[0], (n // 1000, 1))
    s, u = rng.uniform(*neuron.dic_range["g_s"], len(base)), rng.uniform(*neuron.dic_range["g_u"], len(base))
    which = neuron.modulation_index(s, u)
    for i in np.unique(which):
        pair, rows = neuron.modulation[i].compensate, which == i
        g, targets = base[rows], {"g_s": s[rows], "g_u": u[rows]}
        few = {key: value[:16] for key, value in targets.items()}
        cpu, _ = best(partial(compensate, name, g, pair, targets))
        small, _ = best(partial(compensate, name, g[:16], pair, few), 50)
        solved = compensate(name, g, pair, targets)
        print(
            f"| {name} | {', '.join(pair)} | {len(g) / cpu / 1e6:.2f} million | {solved.rounds.mean():.1f} | "
            f"{100 * solved.converged.mean():.2f} % | {1e3 * small:.2f} |"
        )


def bench_maps(name: str) -> None:
    """Print how long a population and a map of what is reached take."""
    neuron = get_neuron(name)
    target, pair = (neuron.baseline.g_s - 1.0, neuron.baseline.g_u), neuron.modulation[-1].compensate

    def fresh() -> None:
        _reachability.cache_clear()
        reachability(name, pair)

    generated, _ = best(partial(generate_population, name, target, 16, seed=1), 20)
    mapped, _ = best(fresh, 3)
    again, _ = best(partial(reachability, name, pair), 3)
    print(f"| {name} | {1e3 * generated:.1f} | {1e3 * mapped:.0f} | {1e3 * again:.3f} |")


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=200_000)
    n = parser.parse_args().members
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print("| neuron | compensated | members a second and core | mean rounds | converged | 16 members, ms |")
    print("|---|---|---|---|---|---|")
    for name in list_neurons():
        bench_choices(name, n)
    print("\n| neuron | generate 16 members, ms | reachability 41 × 41, ms | again, ms |")
    print("|---|---|---|---|")
    for name in list_neurons():
        bench_maps(name)


if __name__ == "__main__":
    main()
