"""What a cell will do: bands over members, as wide as they must be, with others beside them."""

from __future__ import annotations

import numpy as np
import pytest

import spike2pop_nb as s2p
from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import ExperimentError, UnreachableTarget
from spike2pop_nb.experiments import (
    block,
    constant_current,
    doses,
    predict_answer,
    predicted,
    prediction,
    reference_populations,
    run_experiment,
)
from spike2pop_nb.experiments.observed import MEASURES
from spike2pop_nb.experiments.prediction import LEVELS, band_of, widening


@pytest.fixture(scope="module")
def population() -> Population:
    return generate_population("stg", (5.0, 5.0), size=8, seed=1)


def test_bands_hold_more_of_the_members_the_surer_they_are() -> None:
    values = np.random.default_rng(0).standard_normal(4000)
    even = np.full(4000, 1 / 4000)
    for measure, name in enumerate(MEASURES):
        held = []
        for band in LEVELS:
            low, middle, high = band_of(values, even, measure, band)
            assert low <= middle <= high
            held.append(np.mean((values >= low) & (values <= high)))
            assert widening(name, band) >= 0
        assert np.all(np.diff(held) >= 0)


def test_a_member_without_weight_is_not_counted(population: Population) -> None:
    weights = np.zeros(8)
    weights[:4] = 1.0
    weighted = Population(population.neuron, population.table.assign(weight=weights))
    some = predict_answer(population.select(range(4)), constant_current(2), duration_ms=1500).to_frame()
    found = predict_answer(weighted, constant_current(2), duration_ms=1500).to_frame()
    for column in ("median", "low", "high"):
        assert found[column].tolist() == pytest.approx(some[column].tolist())


def test_a_table_says_all_measures_of_all_populations(population: Population) -> None:
    series = doses(lambda share: block("A", share), [0.5, 1.0])
    others = {"unrefined": population.select(range(4))}
    found = predict_answer(population, series, references=others, duration_ms=2000)
    table = found.to_frame()
    assert table["population"].unique().tolist() == ["members", "unrefined"]
    assert table["condition"].unique().tolist() == ["control", "0.5", "1"]
    shares = table[table["measure"].str.startswith("share_")]
    assert shares.groupby(["condition", "population"])["median"].sum().tolist() == pytest.approx([1.0] * 6)
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()
    assert {"rate_Hz", "burst_period_ms"} <= set(table["measure"])
    words = found.describe()
    assert "bands hold it in 80 %" in words
    assert "Beside them in the table: unrefined" in words
    assert "conformal" in found.methods()


def test_an_experiment_that_was_run_predicts(population: Population) -> None:
    made = run_experiment(population, block("A", 0.5), duration_ms=2000, record="spikes")
    found = predicted(made, 0.9).to_frame()
    same = predict_answer(population, block("A", 0.5), band=0.9, duration_ms=2000).to_frame()
    assert found.equals(same)
    narrower = predicted(made, 0.5).to_frame()
    assert (narrower["high"] - narrower["low"] <= found["high"] - found["low"]).all()


def test_references_are_made_where_they_can_be(population: Population) -> None:
    train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    found = reference_populations(population, train, size=6)
    assert {name: len(one) for name, one in found.items()} == {"unrefined": 6, "shuffled": 6}
    assert np.allclose(found["unrefined"].table[["g_s", "g_u"]], 5.0, atol=0.05)
    assert list(reference_populations(population)) == ["unrefined"]


def test_a_reference_that_cannot_be_had_is_said(
    population: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_args: object, **_options: object) -> Population:
        raise UnreachableTarget("These DICs cannot be reached.")

    monkeypatch.setattr(prediction, "generate_population", unreachable)
    with pytest.warns(UserWarning, match=r"no population 'unrefined' to compare with: These DICs"):
        assert reference_populations(population) == {}


@pytest.mark.parametrize("band", [0.2, 0.99])
def test_bands_that_were_not_learnt_are_refused(population: Population, band: float) -> None:
    with pytest.raises(ExperimentError, match="A band holds"):
        predict_answer(population, block("A", 0.5), band=band)
    with pytest.raises(ExperimentError, match="cannot be called"):
        predict_answer(population, block("A", 0.5), references={"members": population})
