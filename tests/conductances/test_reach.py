"""What a choice of conductances reaches."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import baseline_population, compensate, reachability, solvable_pairs
from spike2pop_nb.errors import CompensationError
from spike2pop_nb.neurons import NeuronModel, vary_neuron


def test_map_covers_the_plane(neuron: NeuronModel) -> None:
    pair = neuron.recommend(neuron.baseline.g_s, neuron.baseline.g_u)
    found = reachability(neuron, pair, 9)
    assert (found.neuron, found.compensate) == (neuron, pair)
    assert (found.g_s[0], found.g_s[-1]) == neuron.dic_range["g_s"]
    assert (found.g_u[0], found.g_u[-1]) == neuron.dic_range["g_u"]
    assert found.valid_fraction.shape == found.condition.shape == (9, 9)
    assert np.all((found.valid_fraction >= 0) & (found.valid_fraction <= 1))
    assert np.nanmin(found.condition) >= 1
    assert found.at([(neuron.baseline.g_s, neuron.baseline.g_u)])[0] > 0.5


def test_map_agrees_with_compensating_there(neuron: NeuronModel) -> None:
    pair = neuron.modulation[-1].compensate
    found = reachability(neuron, pair, 5)
    base, _ = baseline_population(neuron, 2000, 9)
    for j, g_u in enumerate(found.g_u):
        for i, g_s in enumerate(found.g_s):
            valid = compensate(neuron, base, pair, {"g_s": g_s, "g_u": g_u}).valid.mean()
            assert found.valid_fraction[j, i] == pytest.approx(valid, abs=0.35)  # of 32 members
            if valid in (0.0, 1.0):
                assert found.valid_fraction[j, i] == pytest.approx(valid, abs=0.1)


def test_map_is_cached(neuron: NeuronModel) -> None:
    pair = neuron.modulation[-1].compensate
    assert reachability(neuron, pair, 5) is reachability(neuron.name, list(pair), 5)


def test_description_is_one_sentence(neuron: NeuronModel) -> None:
    pair = neuron.modulation[-1].compensate
    found = reachability(neuron, pair, 5)
    text = found.describe()
    assert text.startswith(f"Compensating {pair[0]} and {pair[1]} reaches ")
    assert f"{100 * found.share:.0f} % of the plane" in text
    assert "at this recording's DICs" in found.describe([(1.0, 4.0)])


def test_recommended_pairs_can_all_be_solved(neuron: NeuronModel) -> None:
    pairs = solvable_pairs(neuron)
    assert len(pairs) == len(set(pairs)) > (3 if neuron.n_channels > 5 else 1)
    for entry in neuron.modulation:
        assert any(set(entry.compensate) == set(pair) for pair in pairs)
    assert all("leak" not in pair for pair in pairs)


def test_pairs_without_hold_on_slow_dics_are_left_out() -> None:
    assert ("Na", "Kd") not in solvable_pairs("stg")
    with pytest.raises(CompensationError, match="Na and Kd of the stg neuron cannot set g_s and g_u"):
        reachability("stg", ("Na", "Kd"))


def test_a_choice_that_often_has_no_finite_solution_is_mapped_all_the_same() -> None:
    found = reachability("stg", ("H", "leak"), 5)
    assert not np.isnan(found.condition).any()
    assert np.isinf(found.condition).any()
    assert "median condition number infinite" in found.describe()


def test_bad_choices_are_refused(neuron: NeuronModel) -> None:
    with pytest.raises(CompensationError, match="takes two conductances, not 1"):
        reachability(neuron, ("Na",))
    with pytest.raises(CompensationError, match="2 to 201 nodes a side, not 1000"):
        reachability(neuron, neuron.modulation[-1].compensate, 1000)
    with pytest.raises(CompensationError, match="has no channel 'X'"):
        reachability(neuron, ("X", "Na"))


def test_residuals_tell_where_a_choice_is_solved(neuron: NeuronModel) -> None:
    pair = neuron.modulation[-1].compensate
    found = reachability(neuron, pair, 5)
    assert found.residual.shape == (5, 5)
    assert np.all(found.residual >= 0)
    assert np.all(found.residual[found.valid_fraction > 0.5] <= 1e-6)


def test_a_variation_has_its_own_map() -> None:
    varied = vary_neuron("stg", V_th_mV=-48.0)
    assert not np.array_equal(
        reachability(varied, ("CaS", "H"), 9).condition, reachability("stg", ("CaS", "H"), 9).condition
    )
