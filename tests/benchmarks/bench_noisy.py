"""Recordings of simulated neurons with noise: do members keep the firing pattern, and is the noise found?

    python tests/benchmarks/bench_noisy.py [--neuron da] [--recordings 24] [--sigma 5]

Neurons made by compensation, with DICs anywhere in the neuron's range, fire for 15 s with noise alone.
Each is searched for 16 members. Those that are kept, and as many made from the predicted DICs without a
search and given that noise, are simulated three times with noise that neither moved nor judged them.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

import spike2pop_nb as s2p
from spike2pop_nb.inference import drives_of
from spike2pop_nb.inference.atlas import WINDOW_MS
from spike2pop_nb.spiketrains import ActivityPattern, describe_pattern

SEED = 7_000_003
FEWEST = 20


def recordings(name: str, n: int, sigma: float) -> list[s2p.SpikeTrain]:
    """Trains of neurons that fire enough to be told."""
    neuron = s2p.get_neuron(name)
    rng = np.random.default_rng(SEED)
    low, high = np.array(list(neuron.dic_range.values())).T
    trains: list[s2p.SpikeTrain] = []
    while len(trains) < n:
        made = s2p.generate_population(
            neuron, tuple(rng.uniform(low, high)), size=1, seed=int(rng.integers(1e6))
        )
        times = fired(made, sigma, rng)[0]
        if len(times) >= FEWEST:
            trains.append(s2p.SpikeTrain(str(len(trains)), times))
    return trains


def fired(members: s2p.Population, sigma: float | None, seed: int | np.random.Generator) -> list[np.ndarray]:
    """Spike times of members in ms from the start of the window; noise other than theirs if it is given."""
    start = members.neuron.recording_window_ms[0]
    run = s2p.simulate(
        members,
        noise_sigma=sigma,
        seed=seed,
        transient_ms=start,
        duration_ms=start + WINDOW_MS,
        record="spikes",
    )
    return [times - start for times in run.spike_times_ms]


def bursts(train: s2p.SpikeTrain) -> bool:
    """Whether it bursts; else it is tonic, regular or not."""
    return describe_pattern(train).kind is ActivityPattern.BURSTING


def share_of_pattern(members: s2p.Population, train: s2p.SpikeTrain, sigma: float | None = None) -> float:
    """Share of members that burst or do not as the recording, over three runs with other noise."""
    wanted = bursts(train)
    same = [
        len(times) > 2 and bursts(s2p.SpikeTrain("member", times)) is wanted
        for seed in (101, 102, 103)
        for times in fired(members, sigma, seed)
    ]
    return float(np.mean(same))


def row(train: s2p.SpikeTrain, neuron: str, sigma: float, seed: int) -> dict[str, Any]:
    """What is found of one recording."""
    begun = time.perf_counter()
    found = s2p.find_population(train, neuron, size=16, seed=seed, rule="own")
    seconds = time.perf_counter() - begun
    told = drives_of(neuron, [train])[0]
    posterior = s2p.load_predictor(neuron).predict([train])[0]
    plain = s2p.generate_population(s2p.get_neuron(neuron), posterior, size=16, seed=seed)
    kept = found.n_kept_passed
    members = None if found.population is None or not kept else found.population.select(range(kept))
    return {
        "recording": train.id,
        "pattern": "bursting" if bursts(train) else "tonic",
        "passed": kept,
        "seconds": round(seconds, 1),
        "same pattern": np.nan if members is None else share_of_pattern(members, train),
        "as generated": share_of_pattern(plain, train, sigma),
        "σ told": told.noise_sigma,
        "σ of members": np.nan if members is None else float(np.median(members.noise_sigma)),
        "I told": told.current,
        "I of members": np.nan if members is None else float(np.median(members.current)),
    }


def main() -> None:
    """Print a row for each recording, and means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neuron", default="da")
    parser.add_argument("--recordings", type=int, default=24)
    parser.add_argument("--sigma", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rows = []
    for train in recordings(options.neuron, options.recordings, options.sigma):
        rows.append(row(train, options.neuron, options.sigma, options.seed))
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    print(table.round(2).to_markdown(index=False))
    print(table.drop(columns=["recording", "pattern"]).mean().round(3).to_string())
    for what in ("σ told", "σ of members"):
        print(f"{what}: off by {(table[what] - options.sigma).abs().mean() / options.sigma:.0%} on average")


if __name__ == "__main__":
    main()
