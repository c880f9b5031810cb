"""Predictors and what they answer pickle, and go on in a fresh process to the last bit."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spike2pop_nb import example_path, read_spike_trains
from spike2pop_nb.inference import Posterior, load_predictor
from spike2pop_nb.inference.weights import WEIGHTS_FOLDER, load_network


def trains() -> list[np.ndarray]:
    """Regular, strange, long and silent recordings."""
    rng = np.random.default_rng(0)
    regular = [train.times_ms for train in read_spike_trains(example_path("stg_set.csv"))][:3]
    return [*regular, np.cumsum(rng.exponential(50.0, 400)), np.array([1.0, 2.0])]


def numbers(posterior: Posterior) -> list[object]:
    """All that a posterior holds, to the last bit."""
    mixtures = [posterior.mixture, posterior.rival]
    arrays = [getattr(m, name) for m in mixtures if m for name in ("log_weights", "means", "scales")]
    if posterior.course is not None:
        arrays += [posterior.course.mean, posterior.course.std]
    return [
        *(array.tobytes() for array in arrays),
        posterior.pattern,
        posterior.notes,
        repr(posterior.features),
    ]


@pytest.mark.parametrize("name", ["stg", "da"])
def test_a_predictor_answers_the_same_to_the_last_bit(name: str) -> None:
    predictor = load_predictor(name)
    wanted = [numbers(posterior) for posterior in predictor.predict(trains())]
    for other in (pickle.loads(pickle.dumps(predictor)), copy.deepcopy(predictor)):
        assert [numbers(posterior) for posterior in other.predict(trains())] == wanted
        assert (other.neuron, other.priors, other.metadata) == (name, predictor.priors, predictor.metadata)


def test_a_network_that_is_not_fused_pickles() -> None:
    loaded = load_network(WEIGHTS_FOLDER / "stg.safetensors")
    again = pickle.loads(pickle.dumps(loaded))
    state, other = loaded.network.state_dict(), again.network.state_dict()
    assert all(bool((state[key] == other[key]).all()) for key in state)


def test_posteriors_pickle_small_with_their_reasons() -> None:
    for posterior in load_predictor("stg").predict(trains()):
        content = pickle.dumps(posterior)
        assert len(content) < 20_000  # not with the recordings that a strange one is compared to
        again = pickle.loads(content)
        assert numbers(again) == numbers(posterior)
        assert again.id == posterior.id
        if posterior.usable:
            np.testing.assert_array_equal(again.sample(5, 1), posterior.sample(5, 1))
            assert again.credible_region().threshold == posterior.credible_region().threshold


def test_a_fresh_process_predicts_the_same(tmp_path: Path) -> None:
    predictor = load_predictor("stg")
    posteriors = predictor.predict(trains())
    file = tmp_path / "kept.pickle"
    file.write_bytes(pickle.dumps((predictor, trains(), posteriors)))
    code = """
import pickle, sys
predictor, trains, posteriors = pickle.load(open(sys.argv[1], "rb"))
for old, new in zip(posteriors, predictor.predict(trains), strict=True):
    same = old.usable is new.usable and old.notes == new.notes
    if old.usable:
        same &= old.mixture.means.tobytes() == new.mixture.means.tobytes()
    print(same)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["True"] * len(posteriors), done.stderr
