"""The threshold of a neuron as such, and what depends on it."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import baseline_population, dics, mean_threshold, threshold_sensitivity
from spike2pop_nb.neurons import NeuronModel, get_neuron


def test_the_declared_thresholds_against_the_mean_of_members() -> None:
    stg = mean_threshold("stg")
    assert stg.mean_mV == pytest.approx(-51.1, abs=0.3)
    assert stg.found_share > 0.9
    # few drawn DA members cross at all; its published −55.5 mV is no mean of its baseline either
    assert mean_threshold("da").found_share < 0.1
    assert mean_threshold("da", 500, members="baseline").mean_mV == pytest.approx(-62.9, abs=0.3)


def test_the_same_seed_gives_the_same_threshold() -> None:
    assert mean_threshold("stg", 50, 3) == mean_threshold("stg", 50, np.random.default_rng(3))


def test_sensitivity_is_the_change_of_dics_with_the_threshold(neuron: NeuronModel) -> None:
    g, _ = baseline_population(neuron, 40, 1)
    h = 1e-3
    slope = (dics(neuron, g, neuron.V_th_mV + h) - dics(neuron, g, neuron.V_th_mV - h)) / (2 * h)
    expected = np.median(np.abs(slope[:, 1:]), axis=0)
    np.testing.assert_allclose(threshold_sensitivity(neuron, 40, 1), expected, rtol=0.1)


def test_a_neuron_without_a_threshold_says_so() -> None:
    stg = get_neuron("stg")
    found = mean_threshold(stg, 1, seed=0)
    assert found.n == 1
    assert 0 <= found.found_share <= 1
