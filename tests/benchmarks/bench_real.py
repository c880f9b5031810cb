"""Real recordings, judged by their own variability: members found, how fast, and what they are worth.

    python tests/benchmarks/bench_real.py FOLDER [SEED …]

FOLDER holds text files of spike times in seconds, a time per line. Each is searched with every neuron named
below, from which the best is taken. Members are then simulated with noise that neither moved nor judged them,
and members found on the first half of a recording are compared with its second half.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

import spike2pop_nb as s2p
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.fidelity import Result, Variability
from spike2pop_nb.fidelity.evolution import window_ms

NEURONS = ("pyloric", "da")


def searched(train: s2p.SpikeTrain, seed: int) -> tuple[Result, float]:
    """Search with each neuron until one has all members; return the best result, and seconds it took."""
    best, seconds = None, 0.0
    for neuron in NEURONS:
        begun = time.perf_counter()
        found = s2p.find_population(train, neuron, size=16, seed=seed, rule="own")
        seconds = time.perf_counter() - begun
        if best is None or found.n_kept_passed > best[0].n_kept_passed:
            best = (found, seconds)
        if found.n_kept_passed == 16:
            break
    assert best is not None
    return best


def share_within(result: Result, own: Variability, train: s2p.SpikeTrain) -> float:
    """Share of members that pass on one window with other noise."""
    if result.population is None or not result.n_kept_passed:
        return float("nan")
    members = result.population.select(range(result.n_kept_passed))
    runs = [
        s2p.simulate(members, seed=seed, duration_ms=window_ms(train, own), record="spikes")
        for seed in (101, 102, 103)
    ]
    return float(np.mean([s2p.verify(train, run, own, with_van_rossum=False).passed for run in runs]))


def halves(train: s2p.SpikeTrain, seed: int) -> str:
    """Whether the second half passes against the first, and members found on the first against the second."""
    middle = 0.5 * (train.times_ms[0] + train.times_ms[-1])
    one, two = (train.times_ms[part] for part in (train.times_ms < middle, train.times_ms >= middle))
    first, second = s2p.SpikeTrain("first", one), s2p.SpikeTrain("second", two)
    try:
        own, others = Variability.of(first), Variability.of(second)
    except SpikeTrainError:
        return "too short"
    alike = "yes" if own.distance(two) <= 1 else "no"
    found, _seconds = searched(first, seed)
    return f"{alike}, {100 * share_within(found, others, second):.0f} %"


def main() -> None:
    """Print a row for each recording and seed."""
    folder, seeds = Path(sys.argv[1]), [int(seed) for seed in sys.argv[2:]] or [1]
    rows = []
    for path in sorted(folder.glob("*.txt")):
        train = s2p.read_spike_trains(path, unit="s")[0]
        own = Variability.of(train)
        for seed in seeds:
            found, seconds = searched(train, seed)
            row = {
                "recording": path.stem,
                "seed": seed,
                "neuron": found.neuron.name,
                "passed": found.n_kept_passed,
                "seconds": round(seconds, 1),
                "other noise": f"{100 * share_within(found, own, train):.0f} %",
                "halves alike, members of one on the other": halves(train, seed) if seed == seeds[0] else "",
                "in the way": ", ".join(list(found.reasons)[:2]) if found.n_kept_passed < 16 else "",
            }
            rows.append(row)
            print(row, flush=True)
    print(pd.DataFrame(rows).to_markdown(index=False))


if __name__ == "__main__":
    main()
