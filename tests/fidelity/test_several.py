"""Several recordings searched in one call: each finds what it finds alone, in order; all can be stopped."""

from __future__ import annotations

import threading
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from test_search import Around, recording_of

from spike2pop_nb.errors import CompensationError
from spike2pop_nb.fidelity import attempt_population, attempt_populations, find_population, several
from spike2pop_nb.spiketrains import SpikeTrain

PLACES = [(-10.0, 5.0), (5.0, 6.0), (-8.0, 5.0)]


@pytest.fixture(scope="module")
def trains() -> list[SpikeTrain]:
    found = [recording_of("stg", place) for place in PLACES]
    return [SpikeTrain(str(k), train.times_ms) for k, train in enumerate(found)]


def posteriors() -> list[Around]:
    return [Around(place) for place in PLACES]


def test_each_recording_gets_what_it_gets_alone(trains: list[SpikeTrain]) -> None:
    options = {"size": 4, "seed": 1, "budget": 120}
    said: list[tuple[int, str]] = []
    every = list(
        attempt_populations(
            trains, "stg", posteriors(), progress=lambda i, d, t, words: said.append((i, words)), **options
        )
    )
    assert [result.recording.id for result in every] == ["0", "1", "2"]
    assert {place for place, _words in said} == {0, 1, 2}
    for train, posterior, result in zip(trains, posteriors(), every, strict=True):
        alone = attempt_population(train, "stg", posterior, **options)
        np.testing.assert_array_equal(result.population.g, alone.population.g)
        np.testing.assert_array_equal(result.simulated.V_mV, alone.simulated.V_mV)
        np.testing.assert_array_equal(result.simulated.time_ms, alone.simulated.time_ms)
        pd.testing.assert_frame_equal(result.verdict.table, alone.verdict.table)
        assert result.simulated.labels == alone.simulated.labels


def test_one_that_fails_does_not_stop_the_others_and_options_that_suit_none_are_refused(
    trains: list[SpikeTrain], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(train: SpikeTrain, *arguments: object, **options: object) -> object:
        if train.id == "1":
            raise ZeroDivisionError("secret")
        return find_population(train, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(several.search, "find_population", fails)
    found = list(attempt_populations(trains, "stg", posteriors(), size=1, refine=False))
    assert ["ZeroDivisionError" in result.failure for result in found] == [False, True, False]
    with pytest.raises(CompensationError, match="size"):
        list(attempt_populations(trains, "stg", posteriors(), size=0))


def test_cancelling_gives_what_was_found_and_begins_no_more(trains: list[SpikeTrain]) -> None:
    stopped = threading.Event()
    many = [SpikeTrain(str(k), trains[k % 3].times_ms) for k in range(20)]
    found = []
    for result in attempt_populations(
        many, "stg", [Around(PLACES[k % 3]) for k in range(20)], size=2, refine=False, cancel=stopped.is_set
    ):
        found.append(result)
        stopped.set()
    assert found[0].n_kept_passed == 2
    assert 1 <= len(found) < 20


def test_who_takes_no_more_results_waits_for_no_more(trains: list[SpikeTrain]) -> None:
    results = attempt_populations(trains, "stg", posteriors(), size=2, seed=1)
    first = list(islice(results, 1))
    results.close()  # type: ignore[attr-defined]
    assert first[0].recording.id == "0"
