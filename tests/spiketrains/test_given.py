"""Trains of other libraries, wherever a train is taken: with their units and masks, or refused."""

from __future__ import annotations

import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq

from spike2pop_nb import generate_population, load_predictor, simulate, verify
from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import SpikeTrain
from spike2pop_nb.spiketrains.given import as_train, as_trains

TIMES_MS = np.cumsum(np.random.default_rng(0).gamma(16, 7.5, 40)) + 5
NEO = neo.SpikeTrain(TIMES_MS / 1000 * pq.s, t_stop=10 * pq.s, name="PD")
MASKED = np.ma.array(TIMES_MS, mask=[True] + [False] * 39)


@pytest.mark.parametrize(
    "given",
    [
        NEO,
        TIMES_MS / 1000 * pq.s,
        TIMES_MS * pq.ms,
        pd.Series(TIMES_MS, name="t_ms"),
        TIMES_MS,
        list(TIMES_MS),
    ],
)
def test_a_train_of_any_library(given: object) -> None:
    train = SpikeTrain("x", given)  # type: ignore[arg-type]
    assert train.times_ms == pytest.approx(TIMES_MS)
    assert as_train(given).n_spikes == 40


def test_masks_are_obeyed() -> None:
    assert SpikeTrain("x", MASKED).times_ms == pytest.approx(TIMES_MS[1:])


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (TIMES_MS * pq.mV, "unit of time"),
        ({"a": TIMES_MS, "b": TIMES_MS}, "2 trains"),
        (pd.DataFrame({"unit": [1, 2] * 20, "time_ms": TIMES_MS}), "2 trains"),
        ([NEO, "x"], "numbers"),
    ],
)
def test_what_is_no_train(given: object, part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part):
        SpikeTrain("x", given)  # type: ignore[arg-type]


def test_several_trains_keep_their_names_and_units() -> None:
    found = as_trains([NEO, TIMES_MS / 1000 * pq.s, TIMES_MS, SpikeTrain("own", TIMES_MS)])
    assert [getattr(train, "id", None) for train in found] == ["PD", "1", None, "own"]
    frame = pd.DataFrame({"unit": [7, 8] * 20, "time_s": TIMES_MS / 1000})
    assert [train.id for train in as_trains(frame)] == ["7", "8"]
    with pytest.raises(SpikeTrainError, match="names no unit"):
        as_trains({"a": TIMES_MS, "b": TIMES_MS})
    with pytest.raises(SpikeTrainError, match="Series names no unit"):
        as_train(pd.Series(TIMES_MS))
    assert SpikeTrain("x", pd.Series(TIMES_MS)).n_spikes == 40  # type: ignore[arg-type]
    with pytest.raises(SpikeTrainError, match="2 are given"):
        as_train([NEO, NEO])
    with pytest.raises(SpikeTrainError, match="not int"):
        as_train(5)


def test_predictions_and_verdicts_take_them() -> None:
    predictor = load_predictor("stg")
    own = predictor.predict([SpikeTrain("x", NEO)])[0]
    for given in (NEO, [NEO], [TIMES_MS / 1000 * pq.s], [np.ma.array(TIMES_MS, mask=False)]):
        assert predictor.predict(given)[0].mean == pytest.approx(own.mean, abs=1e-12)
    simulated = simulate(generate_population("stg", (5.0, 5.0), size=2, seed=1), duration_ms=1500)
    scores = [verify(given, simulated).table["score"].tolist() for given in (NEO, TIMES_MS)]  # type: ignore[arg-type]
    assert scores[0] == pytest.approx(scores[1])


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (np.rint(TIMES_MS * 30).astype(int), "sample numbers"),
        ([np.rint(TIMES_MS * 30).astype(int)], "sample numbers"),
        (TIMES_MS / 1000, "no neuron fires so fast"),
        (np.ma.array(TIMES_MS, mask=True), "masked"),
        (TIMES_MS * pq.dimensionless, "without a unit"),
        (pd.DataFrame({"unit": 1, "time": pd.Timestamp(2024, 1, 1) + pd.to_timedelta(TIMES_MS)}), "dates"),
        (pd.Series([1, 2] * 20, index=TIMES_MS), "index"),
    ],
)
def test_what_may_mean_something_else_is_refused(given: object, part: str) -> None:
    with pytest.raises(SpikeTrainError, match=part):
        as_trains(given)


def test_columns_of_one_name_and_units_beside_times() -> None:
    frame = pd.DataFrame(np.column_stack([TIMES_MS, TIMES_MS + 1]), columns=["u_ms", "u_ms"])
    assert [train.id for train in as_trains(frame)] == ["u_ms", "u_ms (2)"]
    train = SpikeTrain("x", {"unit": "s", "times": TIMES_MS / 1000})  # type: ignore[arg-type]
    assert train.times_ms == pytest.approx(TIMES_MS)
