"""Searches from file to population, beside those of another checkout in the same run, in turn.

Each checkout answers in a process of its own, which has read, compiled and loaded all it needs once before.
Every recording of the bundled files is searched alone, and all recordings of a file in one call, as
``spike2pop run`` does. Ratios are of seconds by the clock on all cores, and of seconds of computing, which
other work on the machine changes less.

    python tests/benchmarks/bench_search.py [--beside FOLDER] [--sizes 16,64] [--seeds 1,2,3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

ANSWER = r"""
import json, sys, time
import numpy as np
import spike2pop_nb as s2p
from spike2pop_nb.fidelity import attempt_population
try:
    from spike2pop_nb.fidelity import attempt_populations
except ImportError:
    def attempt_populations(trains, neuron, posteriors, **options):
        for train, posterior in zip(trains, posteriors, strict=True):
            yield attempt_population(train, neuron, posterior, **options)

def told(result):
    known = result.verdict is not None
    table = result.verdict.table[result.verdict.passed] if known else None
    return {
        "passed": result.n_kept_passed, "simulations": result.n_simulated, "tried": result.n_tried,
        "R": float(np.mean(table["van_rossum"])) if known and len(table) else None,
        "score": float(np.mean(table["score"])) if known and len(table) else None,
        "crosses": result.n_crosses, "late": result.n_late, "failure": result.failure,
        "spread": result.diversity.least_spread if result.diversity is not None else None,
    }

for line in sys.stdin:
    asked = json.loads(line)
    begin, cpu = time.perf_counter(), time.process_time()
    trains = list(s2p.read_spike_trains(s2p.example_path(asked["file"])))
    if asked["ids"]:
        trains = [train for train in trains if train.id in asked["ids"]]
    posteriors = s2p.load_predictor(asked["neuron"]).predict(trains)
    found = list(attempt_populations(trains, asked["neuron"], posteriors, **asked["options"]))
    seconds = time.perf_counter() - begin
    cpu = time.process_time() - cpu
    said = {"seconds": seconds, "cpu": cpu, "found": {result.recording.id: told(result) for result in found}}
    print(json.dumps(said), flush=True)
"""
FILES = {"stg": "stg_set.csv", "da": "da_set.csv"}


class Checkout:
    """A process that searches with the code of one folder."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", ANSWER],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, neuron: str, ids: list[str], **options: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"file": FILES[neuron], "neuron": neuron, "ids": ids, "options": options}
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said


def main() -> None:
    """Print a row a search."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beside", type=Path, help="Another checkout.")
    parser.add_argument("--sizes", default="16,64")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--neurons", default="stg,da")
    options = parser.parse_args()
    here = Path(__file__).resolve().parents[2]
    folders = [here, *([options.beside.resolve()] if options.beside else [])]
    checkouts = [Checkout(folder) for folder in folders]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for neuron in options.neurons.split(","):
        for checkout in checkouts:
            ids = list(checkout.ask(neuron, [], size=2, seed=0, budget=2)["found"])
        for size in map(int, options.sizes.split(",")):
            ratios: dict[str, list[float]] = {}
            for seed in map(int, options.seeds.split(",")):
                for name in ["", *ids]:
                    chosen = [name] if name else []
                    said = [one.ask(neuron, chosen, size=size, seed=seed) for one in checkouts]
                    row(neuron, size, seed, name or "all", said, ratios)
            for kind, values in ratios.items():
                mean = np.exp(np.mean(np.log(values)))
                print(f"{neuron}, {size} members, {kind}: {mean:.2f} times as fast (geometric mean)")
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def row(
    neuron: str, size: int, seed: int, what: str, said: list[dict[str, Any]], ratios: dict[str, list[float]]
) -> None:
    """Print what each checkout took and found."""
    parts = []
    for one in said:
        found = list(one["found"].values())
        close = [each["R"] for each in found if each["R"] is not None]
        passed, simulations = (sum(each[name] for each in found) for name in ("passed", "simulations"))
        parts.append(
            f"{one['seconds']:6.2f} s {one['cpu']:6.2f} cpu {passed:4d} passed {simulations:5d} simulations, "
            f"van Rossum {np.mean(close):.3f}, spread {min(each['spread'] or np.nan for each in found):.2f}"
        )
    if len(said) > 1:
        by = {name: said[1][name] / said[0][name] for name in ("seconds", "cpu")}
        for name, ratio in by.items():
            ratios.setdefault(f"{'all' if what == 'all' else 'one'}, {name}", []).append(ratio)
        parts.append(f"ratios {by['seconds']:.2f} and {by['cpu']:.2f}")
    print(f"{neuron} {size:3d} seed {seed} recording {what:>3}: " + " | ".join(parts), flush=True)


if __name__ == "__main__":
    main()
