"""Run 64 members through 20 conditions of 6 s each and the control, and print how long it takes."""

from __future__ import annotations

import os
import time

import numpy as np

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.experiments import Doses, block, constant_current, doses, noise, run_experiment
from spike2pop_nb.simulation import simulate

SERIES: dict[str, Doses] = {
    "A blocked": doses(lambda share: block("A", share), np.linspace(0.05, 1.0, 20)),
    "constant current": doses(constant_current, np.linspace(-5.0, 10.0, 20)),
    "noise for each member": doses(lambda sd: noise(sd, 5.0), np.linspace(0.1, 2.0, 20)),
}


def main() -> None:
    """Measure and print a table."""
    population = generate_population("stg", (5.0, 5.0), 64, seed=1)
    simulate(population, duration_ms=1.0, transient_ms=0.0)  # what compiles is not timed
    print("| 20 conditions and the control | seconds | processor seconds | load |")
    print("|---|---|---|---|")
    for name, series in SERIES.items():
        begin, cpu = time.perf_counter(), time.process_time()
        run_experiment(population, series, duration_ms=3000.0, transient_ms=3000.0)
        seconds, spent = time.perf_counter() - begin, time.process_time() - cpu
        print(f"| {name} | {seconds:.1f} | {spent:.1f} | {os.getloadavg()[0]:.1f} |")


if __name__ == "__main__":
    main()
