"""Does the ranking of compensated conductances foretell which members fire like the recording?

python tests/benchmarks/bench_choices.py [--members 48]

For every example recording, members of every choice that reaches it are simulated and scored against it.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import spike2pop_nb as s2p
from spike2pop_nb.conductances import baseline_population, modulate, rank_choices


def measure(name: str, members: int) -> pd.DataFrame:
    """Return one row a recording and choice: what the ranking says, and how its members fire."""
    neuron, predictor, rows = s2p.get_neuron(name), s2p.load_predictor(name), []
    for train in s2p.read_spike_trains(s2p.example_path(f"{name}_set.csv")):
        posterior = predictor.predict([train])[0]
        if not posterior.usable:
            continue
        draws, (base, _) = posterior.sample(512, 1), baseline_population(neuron, 512, 1)
        for choice in rank_choices(neuron, posterior).choices:
            g, _, valid = modulate(neuron, base, draws[:, 0], draws[:, 1], choice.compensate)
            if valid.sum() < 20:
                continue
            simulated = s2p.simulate(g[valid][:members], neuron, duration_ms=2000, record="spikes")
            verdict = s2p.verify(train, simulated, with_van_rossum=False)
            rows.append(
                {
                    "recording": train.id,
                    "published": choice.published,
                    "fires alike": verdict.table["score"].mean(),
                    "score": choice.score,
                    "reached": choice.reached,
                    "within": choice.within,
                    "moved": -choice.moved,
                    "condition": -choice.condition,
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, default=48)
    members = parser.parse_args().members
    names = ("score", "reached", "within", "moved", "condition")
    print(f"| neuron | {' | '.join(names)} | first of the ranking | published | best of all |")
    print("|---" * 9 + "|")
    for name in ("stg", "da"):
        table = measure(name, members)
        each = [part for _, part in table.groupby("recording") if len(part) > 3]
        told = [
            np.nanmean([part[what].corr(part["fires alike"], method="spearman") for part in each])
            for what in names
        ]
        groups = [part for _, part in table.groupby("recording")]
        first = np.mean([part.loc[part["score"].idxmax(), "fires alike"] for part in groups])
        published = table.loc[table["published"], "fires alike"].mean()
        best = np.mean([part["fires alike"].max() for part in groups])
        words = " | ".join(f"{value:.2f}" for value in told)
        print(f"| {name} | {words} | {first:.2f} | {published:.2f} | {best:.2f} |")


if __name__ == "__main__":
    main()
