"""Is the posterior calibrated? Neurons of the prior are recorded, and where the truth lies is counted.

    python tests/benchmarks/bench_posterior.py FOLDER --neuron stg --recordings 40

If a posterior is right, the true value has any rank in it with equal probability, and an 80 % interval holds
it in 80 % of recordings. Recordings are kept in FOLDER as they come, and found again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kstest

import spike2pop_nb as s2p
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.fidelity import MemberPrior, Variability
from spike2pop_nb.fidelity.drawn_posterior import LEVELS

_LENGTHS_MS = (6000.0, 12_000.0)
_STEP_MS = 0.01


def recorded(prior: MemberPrior, place: int) -> tuple[np.ndarray, s2p.SpikeTrain]:
    """Return a neuron of the prior, (d,), and what it fires, which is long enough to say how it varies."""
    rng = np.random.default_rng([77, place])
    while True:
        u, length_ms = rng.random((1, len(prior.names))), float(rng.uniform(*_LENGTHS_MS))
        seeds = rng.integers(0, 2**63, 1, dtype=np.uint64)
        times = np.round(prior.fired(u, seeds, length_ms)[0] / _STEP_MS) * _STEP_MS
        if len(times) < 6:
            continue
        train = s2p.SpikeTrain(f"recording {place}", times, (0.0, length_ms))
        try:
            Variability.of(train)
        except SpikeTrainError:
            continue
        return prior.values(u)[0], train


def judged(prior: MemberPrior, place: int) -> dict[str, list[float] | float]:
    """Draw the posterior of a recording; return where the truth lies, and what it took."""
    true, train = recorded(prior, place)
    begun = time.perf_counter()
    drawn = s2p.sample_posterior(train, prior.neuron)
    seconds = time.perf_counter() - begun
    values = drawn.population.table[list(prior.columns)].to_numpy(float)
    table = drawn.to_frame().set_index("value").loc[list(prior.names)]
    return {
        "true": true.tolist(),
        "rank": (drawn.weights @ (values < true)).tolist(),
        "median": table["median"].tolist(),
        "sd": table["sd"].tolist(),
        "told": table["told"].tolist(),
        "effective": drawn.n_effective,
        "within": drawn.within,
        "simulations": drawn.n_simulated,
        "inhibited": float(drawn.prior.inhibited),
        "seconds": seconds,
    }


def main() -> None:
    """Judge recordings, and print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--neuron", default="stg")
    asked.add_argument("--recordings", type=int, default=40)
    given = asked.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    prior = MemberPrior(s2p.get_neuron(given.neuron))
    rows, none = [], 0
    for place in range(given.recordings):
        kept = given.folder / f"{given.neuron}_{place}.json"
        if not kept.exists():
            try:
                row = judged(prior, place)
            except SpikeTrainError as error:
                row = {"error": str(error)}
            kept.write_text(json.dumps(row), encoding="utf-8")
            print(
                place, {name: value for name, value in row.items() if not isinstance(value, list)}, flush=True
            )
        row = json.loads(kept.read_text(encoding="utf-8"))
        none += "error" in row
        rows += [] if "error" in row else [row]
    found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    off = np.abs(found["rank"] - 0.5)
    middle = prior.values(np.full((1, len(prior.names)), 0.5))[0]
    table = pd.DataFrame({"value": prior.names})
    table["p (KS)"] = [kstest(ranks, "uniform").pvalue for ranks in found["rank"].T]
    for level in LEVELS:
        table[f"{level} % holds"] = (off <= level / 200).mean(axis=0)
    table["error of the median"] = np.abs(found["median"] - found["true"]).mean(axis=0)
    table["of a constant guess"] = np.abs(middle - found["true"]).mean(axis=0)
    table["told"] = found["told"].mean(axis=0)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
    shares = ", ".join(f"{level} %: {(off <= level / 200).mean():.3f}" for level in LEVELS)
    print(f"all values: {shares}; {len(rows)} recordings, {none} without a posterior")
    for name in ("effective", "within", "simulations", "inhibited", "seconds"):
        print(name, np.percentile(found[name], [0, 10, 50, 90, 100]).round(2).tolist())
    sd = np.percentile(found["sd"][:, -2:], [10, 50, 90], axis=0)
    print("SD of I and σ, 10, 50, 90 %:", sd.T.round(2).tolist())


if __name__ == "__main__":
    main()
