"""What neurons do at rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spike2pop_nb.conductances import dics, mean_baseline
from spike2pop_nb.errors import CompensationError, SimulationError
from spike2pop_nb.neurons import Gamma, NeuronModel, get_neuron
from spike2pop_nb.neurons.shipped import shipped_rest
from spike2pop_nb.simulation import at_rest, resting, simulate
from spike2pop_nb.spiketrains import ActivityPattern


def test_the_mean_baseline_is_a_baseline_member(neuron: NeuronModel) -> None:
    g, recipe = mean_baseline(neuron), neuron.baseline
    assert np.all(g >= 0)
    np.testing.assert_allclose(dics(neuron, g), [recipe.g_f, recipe.g_s, recipe.g_u], atol=1e-6)
    for name, spread in recipe.free.items():
        assert g[neuron.index(name)] == pytest.approx(getattr(spread, "mean", spread))


def test_what_is_said_of_a_shipped_neuron_is_what_it_does(neuron: NeuronModel) -> None:
    assert at_rest(neuron).words == shipped_rest()[neuron.name]


def test_bursts_are_timed_from_start_to_start() -> None:
    """The pre-Bötzinger neuron at a tonic drive of 0.4 nS, which pauses for 1.1 s."""
    neuron = get_neuron("prebotc")
    published = np.array([28.0, 2.8, 11.2, 0.4, 2.8]) / 21.0  # nS over the area of 21 pF
    g_f, g_s, g_u = dics(neuron, published)
    baseline = replace(
        neuron.baseline,
        free={"leak": Gamma(0.13, 0.1366667), "K": 11.2 / 21.0},
        g_f=g_f,
        g_s=g_s,
        g_u=g_u,
    )
    found = at_rest(replace(neuron, name="bursting", baseline=baseline))
    assert found.kind is ActivityPattern.BURSTING
    train = simulate(published, neuron, record="spikes").spike_times_ms[0]
    starts = train[1:][np.diff(train) > 500.0]
    assert found.period_ms == pytest.approx(np.diff(starts).mean(), rel=0.02)
    assert found.words == f"bursts every {found.period_ms / 1000:.2g} s at rest"


def test_a_silent_one_and_one_that_runs_away_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stg = get_neuron("stg")
    leak_alone = np.zeros(8)
    leak_alone[-1] = 0.01
    monkeypatch.setattr(resting, "mean_baseline", lambda _neuron: leak_alone)
    assert at_rest(stg).words == "is silent at rest"
    monkeypatch.setattr(resting, "mean_baseline", lambda _neuron: -leak_alone)
    with pytest.raises(SimulationError, match="mean baseline member of the stg neuron ran away"):
        at_rest(stg)


def test_a_baseline_without_a_mean_is_refused() -> None:
    stg = get_neuron("stg")
    impossible = replace(stg, name="odd", baseline=replace(stg.baseline, g_s=-500.0))
    with pytest.raises(CompensationError, match="mean of the baseline of the odd neuron cannot be solved"):
        at_rest(impossible)
