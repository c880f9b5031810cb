"""Correlations between the conductances of a population."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import Population, generate_population, pair_correlations


def test_they_are_those_of_numpy_over_the_members_that_count() -> None:
    population = generate_population("stg", (-5.0, 4.0), 12, seed=3)
    counted = np.arange(12) != 4
    table = pair_correlations(population, counted)
    assert len(table) == 8 * 7 / 2
    g = population.g[counted]
    ranks = g.argsort(axis=0).argsort(axis=0)
    for i, (a, b) in enumerate(zip(table["a"], table["b"], strict=True)):
        x, y = population.channel_names.index(a), population.channel_names.index(b)
        assert table["pearson"][i] == pytest.approx(np.corrcoef(g[:, x], g[:, y])[0, 1])
        assert table["spearman"][i] == pytest.approx(np.corrcoef(ranks[:, x], ranks[:, y])[0, 1])
    assert (table["significant"] == (table["p_spearman"] * 28 < 0.05)).all()


def test_scaling_with_the_leak_is_taken_away() -> None:
    shape = np.random.default_rng(0).uniform(1, 2, (200, 8))
    shape[:, -1] = 1.0
    leak = np.random.default_rng(1).uniform(0.005, 0.02, (200, 1))
    population = Population.from_g("stg", shape * leak)
    assert (pair_correlations(population)["spearman"] > 0.4).all()
    table = pair_correlations(population, by_leak=True)
    assert len(table) == 7 * 6 / 2
    assert "leak" not in {*table["a"], *table["b"]}
    assert (table["spearman"].abs() < 0.25).all()


def test_there_is_none_of_few_members_or_of_what_does_not_vary() -> None:
    population = generate_population("stg", (-5.0, 4.0), 6, seed=3)
    few = pair_correlations(population, np.arange(3))
    assert few[["pearson", "spearman", "p_spearman"]].isna().all(axis=None)
    assert not few["significant"].any()
    g = population.g
    g[:, 1] = 100.0
    table = pair_correlations(Population.from_g("stg", g))
    assert (table["spearman"].isna() == ((table["a"] == "Kd") | (table["b"] == "Kd"))).all()
