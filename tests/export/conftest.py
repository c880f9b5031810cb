"""Results of every kind: by a network, by a given distribution with a hostile id, too few, and none."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.data import example_path
from spike2pop_nb.fidelity import Result, find_population
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.simulation import simulate
from spike2pop_nb.spiketrains import SpikeTrain, read_spike_trains

HOSTILE = "=1+1|<b>$x^$\ufffe"


class Here:
    """A posterior that is one point."""

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        return np.tile([5.0, 5.0], (n, 1))


@pytest.fixture(scope="session")
def inferred() -> list[Result]:
    """Two recordings of one file that names no unit, with the network's posteriors and the same options."""
    example = example_path("stg_set")
    unnamed = example.read_bytes().replace(b"spiking_times_ms", b"spiking_times")
    read = read_spike_trains(unnamed, filename=example.name)
    trains = [train for train in read if train.id in ("1", "5")]
    posteriors = load_predictor("stg").predict(trains)
    return [
        find_population(train, "stg", posterior, size=8, seed=7, budget=100)
        for train, posterior in zip(trains, posteriors, strict=True)
    ]


@pytest.fixture(scope="session")
def given() -> Result:
    """Made from one point that no network predicted, for a recording with a hostile id."""
    member = generate_population("stg", (5.0, 5.0), size=1, seed=5)
    train = SpikeTrain(HOSTILE, simulate(member, record="spikes").spike_times_ms[0])
    return find_population(train, "stg", Here(), size=2, seed=1)


@pytest.fixture(scope="session")
def silent() -> Result:
    """No population."""
    return find_population(SpikeTrain("quiet", [1.0]), "stg", Here(), size=2)
