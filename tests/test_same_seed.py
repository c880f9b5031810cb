"""The same seed gives the same members of a recording, to the last bit: alone or with others, in any order,
by any entrance, with one thread or two.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spike2pop_nb import (
    compare_recordings,
    example_path,
    find_population,
    generate_population,
    get_neuron,
    pattern_map,
    rank_choices,
    read_spike_trains,
    run_experiment,
    sample_posterior,
    simulate,
)
from spike2pop_nb.conductances import baseline_population, mean_threshold
from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import block, next_experiments
from spike2pop_nb.fidelity import Variability
from spike2pop_nb.inference import load_predictor
from spike2pop_nb.simulation import check_model

SIZE, SEED, BUDGET = 4, 1, 300
SEARCH = f"""
import json, sys
import numpy as np
import spike2pop_nb as s2p
trains = s2p.read_spike_trains(sys.argv[1])
found = {{}}
for train, posterior in zip(trains, s2p.load_predictor("stg").predict(trains)):
    if train.id in ("1", "3"):
        result = s2p.find_population(train, "stg", posterior, size={SIZE}, seed={SEED}, budget={BUDGET})
        found[train.id] = [value.hex() for value in result.population.g.ravel().tolist()]
print(json.dumps(found))
"""


def file_of(ids: list[str], path: Path) -> Path:
    table = pd.read_csv(example_path("stg_set.csv"), dtype=str).set_index("ID", drop=False)
    table.loc[ids].to_csv(path, index=False)
    return path


def members(g: np.ndarray) -> list[str]:
    return [value.hex() for value in np.asarray(g, dtype=float).ravel().tolist()]


@pytest.fixture(scope="module")
def alone() -> dict[str, list[str]]:
    """Each recording by itself, asked in Python without a posterior."""
    trains = read_spike_trains(example_path("stg_set.csv"))
    found = {}
    for name in ("1", "3"):
        result = find_population(trains.by_id(name), "stg", size=SIZE, seed=SEED, budget=BUDGET)
        assert result.population is not None
        found[name] = members(result.population.g)
    return found


@pytest.mark.parametrize(
    ("threads", "ids"), [(1, ["3"]), (2, ["1", "3"]), (1, ["3", "2", "5", "1"]), (2, list("54321"))]
)
def test_in_another_process_with_other_recordings_and_threads(
    threads: int, ids: list[str], alone: dict[str, list[str]], tmp_path: Path
) -> None:
    names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads))
    file = file_of(ids, tmp_path / "some.csv")
    told = subprocess.run(
        [sys.executable, "-c", SEARCH, str(file)], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout) == {name: alone[name] for name in ids if name in alone}


@pytest.mark.parametrize("ids", [["3"], ["3", "1"]])
def test_on_the_command_line(
    ids: list[str], alone: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from test_cli import spike2pop

    out = tmp_path / "out"
    options = ("--size", SIZE, "--seed", SEED, "--budget", BUDGET, "--out", out)
    status, _, said = spike2pop(capsys, "run", file_of(ids, tmp_path / "some.csv"), *options)
    assert status == 0, said
    table = pd.read_csv(out / "population.csv", dtype=str)
    channels = [f"g_{name}" for name in ("Na", "Kd", "CaT", "CaS", "KCa", "A", "H", "leak")]
    for name in ids:
        assert members(table.loc[table["id"] == name, channels].map(float).to_numpy()) == alone[name]


@pytest.mark.parametrize("ids", [["3"], ["1", "3"]])
def test_on_the_page(ids: list[str], alone: dict[str, list[str]], tmp_path: Path) -> None:
    from spike2pop_nb.app.actions import Actions
    from spike2pop_nb.app.messages import Messages
    from spike2pop_nb.app.runner import Runner
    from spike2pop_nb.app.state import Session

    class Task:
        give: object

        def __init__(self, partly: object) -> None:
            self.give = partly

        def progress(self, *_said: object) -> None:
            pass

        def cancelled(self) -> bool:
            return False

    class AtOnce(Runner):
        """Does the work where it is asked for."""

        def __init__(self) -> None:
            pass

        def submit(self, name, work, done, failed, *, started=None, partly=None, **_more):  # type: ignore
            task = Task(partly)
            if name == "reach":
                return task
            done(work(task))
            return task

    session = Session()
    session.choose(neuron="stg", size=SIZE, seed=SEED, budget=BUDGET)
    actions = Actions(session, AtOnce(), Messages())
    session.recordings = read_spike_trains(file_of(["1", "2", "3"], tmp_path / "some.csv"))
    session.train = session.recordings.by_id(ids[-1])
    session.chosen = tuple(ids) if len(ids) > 1 else ()
    actions.generate()
    found = {key_result.recording.id: key_result for key_result in session.results.values()}
    assert set(found) == set(ids)
    for name, result in found.items():
        assert members(result.population.g) == alone[name]


@pytest.mark.parametrize("neuron", ["stg", "da"])
def test_a_prediction_is_the_same_bits_in_any_batch(neuron: str) -> None:
    import torch

    rng = np.random.default_rng(0)
    sizes = [3, 4, 5, 17, 63, 64, 65, 66, 100, 129, 130, 200, 300, 520, 1500, 2049, 5000]
    trains = []
    for n in [*sizes, *rng.integers(3, 300, 40)]:
        shape = rng.uniform(1, 30)
        trains.append(np.cumsum(rng.gamma(shape, rng.uniform(5, 200) / shape, n)))
    predictor = load_predictor(neuron)
    alone = [predictor.predict([train])[0] for train in trains]
    before = torch.get_num_threads()
    try:
        for threads, share in ((1, 1.0), (2, 1.0), (2, 0.3), (1, 0.1)):
            torch.set_num_threads(threads)
            order = rng.permutation(len(trains))[: max(2, int(share * len(trains)))]
            for place, found in zip(order, predictor.predict([trains[i] for i in order]), strict=True):
                same(alone[place], found)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    other = load_predictor(neuron).predict(trains)
    for one, found in zip(alone, other, strict=True):
        same(one, found)


def same(one, other) -> None:  # type: ignore[no-untyped-def]
    for name in ("log_weights", "means", "scales"):
        np.testing.assert_array_equal(getattr(one.mixture, name), getattr(other.mixture, name))
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.cov, other.cov)
    assert one.pattern == other.pattern
    assert str(one.features) == str(other.features)  # NaN is like NaN
    assert (one.domain.score, one.domain.p_value, one.notes) == (
        other.domain.score,
        other.domain.p_value,
        other.notes,
    )
    if one.course is not None:
        np.testing.assert_array_equal(one.course.mean, other.course.mean)
        assert one.course.p_value == other.course.p_value
    assert one.p_drawn == other.p_drawn


@pytest.mark.parametrize("seed", [-1, 1.5, "1"])
def test_what_is_no_seed_is_refused_in_one_sentence(seed):
    train = read_spike_trains(example_path("stg_set.csv"))[2]
    population = generate_population("stg", (5.0, 5.0), size=4, seed=np.int64(1))
    posterior = load_predictor("stg").predict([train])[0]
    for entrance in (
        lambda: find_population(train, "stg", seed=seed),
        lambda: sample_posterior(train, "stg", seed=seed),
        lambda: compare_recordings(train, train, "stg", seed=seed),
        lambda: generate_population("stg", (5.0, 5.0), size=4, seed=seed),
        lambda: simulate(population, duration_ms=100.0, transient_ms=0.0, seed=seed),
        lambda: run_experiment(population, block("A", 0.5), duration_ms=100.0, seed=seed),
        lambda: next_experiments(population, "conductance:A", seed=seed),
        lambda: rank_choices("stg", (4.0, 5.0), n=64, seed=seed),
        lambda: pattern_map("stg", ("CaS", "H"), n_grid=3, members=1, seed=seed),
        lambda: baseline_population("stg", 4, seed),
        lambda: mean_threshold("stg", 4, seed),
        lambda: posterior.sample(4, seed),
        lambda: Variability.of(train, seed=seed),
        lambda: check_model(get_neuron("stg"), 2, seed),
    ):
        with pytest.raises(Spike2PopError, match=f"The seed must be a whole number of .* not {seed!r}"):
            entrance()
