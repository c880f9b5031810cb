"""What a constant current, noise and a rhythmic inhibition cost, beside members that receive nothing.

    python tests/benchmarks/bench_driven.py [NEURON …]

128 members of a neuron's atlas fire for 10 s at *screening*, as while a search moves them. All four are done
in turn, six times over; the least processor time of each counts.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

import spike2pop_nb as s2p
from spike2pop_nb.conductances import Inhibition
from spike2pop_nb.inference import load_atlas

MEMBERS, SECONDS, ROUNDS = 128, 10.0, 6


def cost_us(neuron: str) -> dict[str, float]:
    """Processor time of a simulated neuron-second in µs, of each drive."""
    rng = np.random.default_rng(0)
    inhibition = Inhibition.of(0.2 * rng.random(MEMBERS), 730.0, rng.uniform(0.1, 0.9, MEMBERS))
    drives: dict[str, dict[str, Any]] = {
        "nothing": {},
        "a current": {"current": 1.0},
        "a current and noise": {"current": 1.0, "noise_sigma": 2.0},
        "a current, noise and inhibition": {"current": 1.0, "noise_sigma": 2.0, "inhibition": inhibition},
    }
    g = load_atlas(neuron).members.g[:MEMBERS].astype(float)
    least = dict.fromkeys(drives, np.inf)
    for _ in range(ROUNDS):
        for name, drive in drives.items():
            begun = time.process_time()
            s2p.simulate(
                g,
                neuron,
                transient_ms=0.0,
                duration_ms=1e3 * SECONDS,
                accuracy="screening",
                record="spikes",
                seed=1,
                **drive,
            )
            least[name] = min(least[name], 1e6 * (time.process_time() - begun) / MEMBERS / SECONDS)
    return least


def main() -> None:
    for neuron in sys.argv[1:] or ("pyloric", "stg", "da"):
        found = cost_us(neuron)
        for name, us in found.items():
            print(f"{neuron}, {name}: {us:.0f} µs, {us / found['nothing']:.2f} times as much as with nothing")


if __name__ == "__main__":
    main()
