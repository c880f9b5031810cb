"""Members are found by cheaper simulations, and judged by those at the accuracy asked for."""

from __future__ import annotations

import numpy as np
import pytest
from test_search import Around, recording_of

from spike2pop_nb.fidelity import REFINED_RULE, Summaries, find_population, judging, refine_members, verify
from spike2pop_nb.fidelity.screening import WIDER, Window, shortest_window, up_to_whole, wider
from spike2pop_nb.simulation import Simulated, simulate
from spike2pop_nb.spiketrains import SpikeTrain

WHOLE = Window("screening", 3000.0, 6000.0)


def tonic(period_ms: float, settled_ms: float = 0.0, stop_ms: float = 6000.0) -> np.ndarray:
    """Spikes whose intervals are a tenth shorter at first."""
    isi = period_ms * np.where(np.cumsum(np.full(600, period_ms)) < settled_ms, 0.9, 1.0)
    times = np.cumsum(isi)
    return times[times < stop_ms]


def summaries() -> Summaries:
    return Summaries.of(SpikeTrain("cell", tonic(50.0)), REFINED_RULE)


def test_no_more_is_simulated_than_it_takes_to_see_how_members_fire() -> None:
    periods = np.linspace(40.0, 60.0, 20)
    steady = [tonic(period) for period in periods]
    assert shortest_window(WHOLE, steady, summaries()) == Window("screening", 1000.0, 2500.0)
    late = [tonic(period, settled_ms=2200.0) for period in periods]
    assert shortest_window(WHOLE, late, summaries()).transient_ms == 3000.0
    assert shortest_window(WHOLE, steady[:4], summaries()) == WHOLE, "too few to say"
    slow = [tonic(1200.0 + period) for period in periods]
    assert shortest_window(WHOLE, slow, summaries()).duration_ms > 5000.0


def test_windows_lie_on_a_grid_and_move_as_a_whole() -> None:
    assert [up_to_whole(ms) for ms in (0.0, 250.0, 250.1)] == [0.0, 250.0, 500.0]
    assert WHOLE.later(100.0) == Window("screening", 3100.0, 6100.0)
    np.testing.assert_array_equal(WHOLE.cut([np.array([2999.0, 3000.0, 6000.0])])[0], [3000.0])
    assert wider(REFINED_RULE).rate == pytest.approx(WIDER * REFINED_RULE.rate)


def test_members_arrive_by_the_simulation_that_judges_them_where_the_two_differ() -> None:
    rng = np.random.default_rng(0)
    g = np.exp(0.2 * rng.standard_normal((40, 3)))

    def fire(members: np.ndarray, faster: float = 1.0) -> list[np.ndarray]:
        return [np.arange(30) * 100.0 / rate for rate in faster * np.prod(members, axis=1)]

    finally_asked: list[int] = []

    def judge_by(members: np.ndarray) -> list[np.ndarray]:
        finally_asked.append(len(members))
        return fire(members, 1.008)

    wanted = Summaries.of(SpikeTrain("cell", np.arange(30) * 80.0), REFINED_RULE)
    refined = refine_members(g, fire(g), wanted, fire, finally_simulate=judge_by)
    assert refined.final.all()
    assert refined.arrived.all()
    np.testing.assert_allclose(refined.off, [np.log(1.008)], atol=1e-9)
    for times, judged in zip(refined.spike_times_ms, fire(refined.g, 1.008), strict=True):
        np.testing.assert_allclose(times, judged)
    assert sum(finally_asked) <= 3 * len(g)


@pytest.mark.parametrize("accuracy", ["standard", "exact"])
def test_all_that_is_kept_is_judged_at_the_accuracy_asked_for(
    accuracy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = recording_of("stg", (-10.0, 5.0))
    asked: list[str] = []

    def simulator(g: np.ndarray, *neuron: object, **options: object) -> Simulated:
        asked.append(str(options["accuracy"]))
        return simulate(g, *neuron, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "simulate", simulator)
    result = find_population(train, "stg", Around((-10.0, 5.0)), size=6, seed=1, accuracy=accuracy)
    assert set(asked) == {"screening", accuracy}
    assert result.simulated.accuracy == accuracy
    again = simulate(
        result.population,
        duration_ms=result.simulated.duration_ms,
        transient_ms=result.simulated.transient_ms,
        accuracy=accuracy,
    )
    np.testing.assert_array_equal(again.V_mV, result.simulated.V_mV)
    np.testing.assert_array_equal(again.time_ms, result.simulated.time_ms)
    for ours, theirs in zip(again.spike_times_ms, result.simulated.spike_times_ms, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (verify(train, again, REFINED_RULE).passed == result.verdict.passed).all()
    asked.clear()
    find_population(train, "stg", Around((-10.0, 5.0)), size=2, seed=1, refine=False)
    assert set(asked) == {"standard"}


def test_a_small_window_of_a_long_recording_is_not_taken_for_all_of_it() -> None:
    bursts = [np.concatenate([at + np.arange(k) * 10.0 for at in range(0, 6000, 400)]) for k in (3, 4, 5) * 4]
    for train in bursts[::2]:
        train[train > 4200.0] += 120.0  # it changes late
    found = Summaries.of(SpikeTrain("cell", bursts[1]), REFINED_RULE)
    assert shortest_window(WHOLE, bursts, found).duration_ms == 6000.0
