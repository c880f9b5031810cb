"""Several recordings searched at once: each finds what it finds alone, in order, and all can be stopped."""

from __future__ import annotations

import threading
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from test_search import Around, recording_of

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.fidelity import attempt_population, attempt_populations, find_population, together
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.simulation import simulate
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


def test_what_is_asked_for_meanwhile_is_simulated_together(monkeypatch: pytest.MonkeyPatch) -> None:
    g = generate_population("stg", (-10.0, 5.0), size=6, seed=0).g
    sizes: list[int] = []
    first, go_on = threading.Event(), threading.Event()

    def slowly(members: np.ndarray, **options):  # type: ignore[no-untyped-def]
        sizes.append(len(members))
        first.set()
        assert go_on.wait(60)
        return simulate(members, **options)

    monkeypatch.setattr(together, "simulate", slowly)
    desk, found = together.Desk(), {}
    options = {"duration_ms": 800.0, "transient_ms": 300.0, "record": "spikes"}

    def ask(name: str, rows: slice, **more: object) -> None:
        found[name] = desk(g[rows], get_neuron("stg"), **(options | more))

    asked = [threading.Thread(target=ask, args=("a", slice(0, 2)))]
    asked[0].start()
    assert first.wait(60)
    asked += [threading.Thread(target=ask, args=(name, slice(k, k + 2))) for name, k in (("b", 2), ("c", 4))]
    asked += [threading.Thread(target=ask, args=("d", slice(0, 1)), kwargs={"duration_ms": 900.0})]
    for thread in asked[1:]:
        thread.start()
    while len(desk._waiting) < 3:
        pass
    go_on.set()
    for thread in asked:
        thread.join()
    assert sorted(sizes) == [1, 2, 4]
    known = simulate(g, "stg", **options).spike_times_ms
    for name, k in (("a", 0), ("b", 2), ("c", 4)):
        for times, expected in zip(found[name].spike_times_ms, known[k : k + 2], strict=True):
            np.testing.assert_array_equal(times, expected)


def test_one_that_fails_does_not_stop_the_others_and_options_that_suit_none_are_refused(
    trains: list[SpikeTrain], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(train: SpikeTrain, *arguments: object, **options: object) -> object:
        if train.id == "1":
            raise ZeroDivisionError("secret")
        return find_population(train, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(together.search, "find_population", fails)
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
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("spike2pop-search")]
