"""What an atlas's network would tell of neurons without drive, had it learned from such neurons alone.

    python tests/benchmarks/bench_alone.py [--neuron stg] [--size 24576]

As many members as an atlas has are simulated without current and noise. A network of the shape of an atlas's
learns from them for as long, and is asked, beside the neuron's large one, about others.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

from spike2pop_nb import get_neuron
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.inference.mixture import Box
from spike2pop_nb.inference.predictor import Predictor
from spike2pop_nb.inference.threads import one_thread
from spike2pop_nb.inference.weights import load_network
from spike2pop_nb.training import atlas
from spike2pop_nb.training.atlas_card import fresh_members
from spike2pop_nb.training.batches import split_of
from spike2pop_nb.training.loop import Run
from spike2pop_nb.training.scores import score_all

SEED, TEST_SEED, TESTED = 0, 8_000_010, 1000


def main() -> None:
    """Print the errors of g_s and g_u of both networks, by firing pattern."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neuron", default="stg")
    parser.add_argument("--size", type=int, default=atlas.SIZE)
    parser.add_argument("--epochs", type=int, default=atlas._EPOCHS)
    options = parser.parse_args()
    trains = fresh_members(options.neuron, options.size, SEED, driven=False)
    box = Box.from_ranges(dict(get_neuron(options.neuron).dic_range))
    test = fresh_members(options.neuron, TESTED, TEST_SEED, driven=False)
    test = test.take(~test.drawn)
    with tempfile.TemporaryDirectory() as folder, one_thread():
        data = atlas._run_data(trains, split_of(trains.group), box, SEED)
        run = Run(
            data,
            Path(folder),
            options.neuron,
            None,
            atlas._OPTIONS,
            SEED,
            torch.device("cpu"),
            resume=False,
        )
        alone = load_network(run.go(options.epochs, None, 1e9, None, None, None))
    for name, predictor in (("alone", Predictor(alone)), ("large", load_predictor(options.neuron))):
        for pattern, row in score_all(test, predictor.predict(test.listed())).items():
            print(name, pattern, row["trains"], "{:.2f}, {:.2f}".format(*row["mae"]["median"]))


if __name__ == "__main__":
    main()
