"""How a member would fire, told from those simulated near it."""

from __future__ import annotations

import numpy as np

from spike2pop_nb.fidelity.evolution import cost_of
from spike2pop_nb.fidelity.forecast import Forecast


def known(n: int) -> Forecast:
    """Return a forecast from members of which two bent measures were taken, with some noise."""
    rng = np.random.default_rng(1)
    x = rng.random((n, 4)) * [1.0, 10.0, 100.0, 0.0]  # the last is the same in all
    y = np.column_stack([x[:, 0] + (x[:, 1] / 10) ** 2, x[:, 2] / 100]) + 0.01 * rng.normal(size=(n, 2))
    forecast = Forecast()
    forecast.add(x[: n // 2], y[: n // 2])
    forecast.add(x[n // 2 :], y[n // 2 :])
    return forecast


def test_a_forecast_is_near_what_is_measured_whatever_the_units() -> None:
    forecast = known(600)
    asked = np.array([[0.5, 5.0, 50.0, 0.0], [0.3, 7.0, 20.0, 0.0]])
    told = forecast.of(asked, forecast.x.std(axis=0))
    np.testing.assert_allclose(told, [[0.75, 0.5], [0.79, 0.2]], atol=0.05)


def test_few_members_tell_nothing_and_the_latest_count() -> None:
    assert not Forecast().tells
    assert not known(60).tells
    assert known(200).tells
    many = known(5000)
    assert len(many.x) == len(many.y) == 2048


def test_each_member_is_told_by_itself() -> None:
    forecast = known(600)
    asked = forecast.x[:40] + 0.01
    spread = forecast.x.std(axis=0)
    whole = forecast.of(asked, spread)
    np.testing.assert_array_equal(forecast.of(asked[7:8], spread)[0], whole[7])


def test_the_move_that_promises_most_is_made_and_chance_decides_among_good_ones() -> None:
    x = np.random.default_rng(0).random((300, 1)) * 10
    forecast = Forecast()
    forecast.add(x, x)  # what is measured is the distance from 0, and up to 1 would pass
    first, second, third = (np.array([[a], [b]]) for a, b in ((9.0, 0.5), (3.0, 0.1), (6.0, 7.0)))
    best = forecast.best_of([first, second, third], x.std(axis=0), cost_of)
    assert best.tolist() == [[3.0], [0.5]]
    assert forecast.best_of([first], x.std(axis=0), cost_of) is first


def test_costs_are_up_to_one_within_the_variability_only_whatever_the_sign() -> None:
    cost = cost_of(np.array([[0.9, -0.9], [0.2, -1.1], [-1.1, 0.2]]))
    assert cost[0] <= 1.0
    assert cost[1] == cost[2] > 1.0
