"""Refined and unrefined populations of recordings never seen: how well they fire alike, and at what cost.

Recordings are members of fresh populations, simulated for the neuron's own window. R_VR is the mean van
Rossum distance of members over that of the recording's true siblings (16 members with its own DICs);
"shuffled" is that of the same members with another recording.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import UnreachableTarget
from spike2pop_nb.fidelity import find_population, van_rossum_ratio
from spike2pop_nb.fidelity.scores import BURST_FEATURES
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain, features


def recordings(name: str, n: int, seed: int) -> list[tuple[SpikeTrain, list[np.ndarray]]]:
    """Return trains of three spikes or more, each with those of its siblings."""
    neuron, rng = get_neuron(name), np.random.default_rng(seed)
    found: list[tuple[SpikeTrain, list[np.ndarray]]] = []
    while len(found) < n:
        target = [rng.uniform(*neuron.dic_range[dic]) for dic in ("g_s", "g_u")]
        try:
            members = generate_population(neuron, target, size=17, seed=rng)
        except UnreachableTarget:
            continue
        own, *siblings = simulate(members, record="spikes").spike_times_ms
        if len(own) >= 3:
            found.append((SpikeTrain(str(len(found)), own), siblings))
    return found


def measure(name: str, n: int, size: int, seed: int) -> pd.DataFrame:
    """Return a row a recording and kind of population."""
    chosen = recordings(name, n, seed)
    posteriors = load_predictor(name).predict([train for train, _ in chosen])
    stop = get_neuron(name).recording_window_ms[1]
    rows = []
    for i, ((train, siblings), posterior) in enumerate(zip(chosen, posteriors, strict=True)):
        other, others = chosen[i - 1]
        wanted = features(train)
        for refine in (False, True):
            start, cpu = time.perf_counter(), time.process_time()
            result = find_population(train, name, posterior, size=size, seed=seed, refine=refine)
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
            if not result.usable:
                continue
            members = [times[times < stop] for times in result.simulated.spike_times_ms]
            fired = [features(times) for times in members]
            row = {
                "refined": refine,
                "pattern": str(wanted.pattern),
                "R_VR": van_rossum_ratio(train, members, siblings),
                "shuffled": van_rossum_ratio(other, members, others),
                "rate error": np.mean([abs(one.rate_hz / wanted.rate_hz - 1) for one in fired]),
                "same pattern": np.mean([one.pattern is wanted.pattern for one in fired]),
                "passed": result.n_kept_passed / size,
                "simulations": result.n_simulated / max(result.n_passed, 1),
                "seconds": seconds,
                "seconds of computing": cpu,
            }
            if wanted.n_bursts:
                errors = [[getattr(one, f) / getattr(wanted, f) - 1 for f in BURST_FEATURES] for one in fired]
                row["burst error"] = np.nanmean(np.abs(errors))
            if refine and result.diversity is not None:
                row["least spread"] = result.diversity.least_spread
                row["spread"] = result.diversity.table["spread"].median()
            rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recordings", type=int, default=40)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--neurons", default="stg,da")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    for name in options.neurons.split(","):
        found = measure(name, options.recordings, options.size, options.seed)
        print(f"\n{name}, {options.recordings} recordings, medians (passed, same pattern: means)")
        for keys in (["refined"], ["refined", "pattern"]):
            groups = found.groupby(keys)
            table = groups.median(numeric_only=True)
            table[["passed", "same pattern"]] = groups[["passed", "same pattern"]].mean()
            table["recordings"] = groups.size()  # those of which any population was found
            print(table.round(3).T.to_string())


if __name__ == "__main__":
    main()
