"""What atlases tell of members that none was learned from, and which trains they call strange.

Members are drawn as those of an atlas, with another seed. Errors are mean absolute ones of the median, beside
those of always answering the middle of the members' own; AUROCs are of the test for strange recordings, of
trains that no neuron fires, made from these members', against theirs. Neurons that have a large network are
also asked without drive, which that network was trained on, and both answers stand side by side.

    python tests/benchmarks/bench_atlas.py [--neurons stg,da] [--members 1500]
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb import get_neuron
from spike2pop_nb.inference import find_atlas, load_atlas, load_predictor
from spike2pop_nb.inference.atlas import WINDOW_MS
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.weight_files import list_atlases
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.simulation import simulate
from spike2pop_nb.training.atlas import drawn_members, trains_of
from spike2pop_nb.training.batches import Trains
from spike2pop_nb.training.disturbances import strange

SEED = 8_000_009
LARGE = ("stg", "da")


def fired(name: str, n: int, *, driven: bool) -> Trains:
    """Members that fire, and what they fire."""
    neuron = get_neuron(name)
    table, drive, rng = drawn_members(neuron, n, SEED)
    start = neuron.recording_window_ms[0]
    run = simulate(
        table[list(neuron.g_columns)].to_numpy(float),
        neuron,
        current=drive[:, 0] * driven,
        noise_sigma=drive[:, 1] * driven,
        seed=rng,
        transient_ms=start,
        duration_ms=start + WINDOW_MS,
        record="spikes",
    )
    times = [np.zeros(0) if bad else t - start for t, bad in zip(run.spike_times_ms, run.failed, strict=True)]
    dics, drawn = table[["g_s", "g_u"]].to_numpy(float), table["monte_carlo"].to_numpy(bool)
    return trains_of(times, dics, drive[:, 1] * driven, drawn)


def errors(predictor: Predictor, trains: Trains) -> np.ndarray:
    """Mean absolute errors of g_s and g_u."""
    told = np.array([[p.g_s, p.g_u] for p in predictor.predict(trains.listed())])
    return np.asarray(np.abs(told - trains.targets).mean(axis=0))


def row(name: str, n: int) -> dict[str, Any]:
    """What one atlas tells."""
    path = find_atlas(name)
    assert path is not None
    small = Predictor(load_network(path))
    trains = fired(name, n, driven=True)
    made = trains.take(~trains.drawn)
    usual = np.abs(made.targets - np.median(made.targets, axis=0)).mean(axis=0)
    found: dict[str, Any] = {
        "neuron": name,
        "fire": f"{100 * load_atlas(name).about['share_firing']:.0f} %",
        "members asked": len(made),
        "g_s, g_u": "{:.2f}, {:.2f}".format(*errors(small, made)),
        "always the median": "{:.2f}, {:.2f}".format(*usual),
    }
    told = strange(small, trains, most=600, seed=SEED)
    found |= {kind: f"{values['auroc']:.2f}" for kind, values in told["kinds"].items()}
    found["own flagged"] = f"{100 * told['false_alarms']['all']:.1f} %"
    if name in LARGE:
        found["large network"] = "{:.2f}, {:.2f}".format(*errors(load_predictor(name), made))
        still = fired(name, n, driven=False)
        still = still.take(~still.drawn)
        for what, predictor in (("atlas", small), ("large network", load_predictor(name))):
            found[f"no drive: {what}"] = "{:.2f}, {:.2f}".format(*errors(predictor, still))
    return found


def main() -> None:
    """Print a row for each neuron."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", default=",".join(list_atlases()))
    parser.add_argument("--members", type=int, default=1500)
    options = parser.parse_args()
    rows = []
    for name in options.neurons.split(","):
        rows.append(row(name, options.members))
        print(rows[-1], flush=True)
    print(pd.DataFrame(rows).fillna("").to_markdown(index=False))


if __name__ == "__main__":
    main()
