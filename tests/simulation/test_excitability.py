"""Whether members fire without current, and at which they begin or stop."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import check_model, simulate
from spike2pop_nb.simulation.course import HeldCurrents
from spike2pop_nb.simulation.excitability import excitability


def test_members_that_fire_are_silenced_by_the_current_found(neuron: NeuronModel) -> None:
    population = generate_population(neuron, (neuron.baseline.g_s, neuron.baseline.g_u), 3, seed=1)
    found = excitability(neuron, population.g)
    assert found.fires.all()
    for member, current in enumerate(found.current_uA):
        alone = population.select([member])
        silenced = simulate(alone, course=HeldCurrents(np.array([current])), record="spikes")
        assert len(silenced.spike_times_ms[0]) < 3
        if current < -0.15:
            weaker = simulate(alone, course=HeldCurrents(np.array([current / 2])), record="spikes")
            assert len(weaker.spike_times_ms[0]) >= 3
    assert found.describe().startswith("Without current all of 3 members fire; −")


def test_silent_members_fire_from_a_current_on() -> None:
    neuron = get_neuron("stg")
    g = generate_population(neuron, (5.0, 5.0), 3, seed=1).g
    g[:2, neuron.index("H")] = 0.0
    g[:2, neuron.index("CaT")] = g[:2, neuron.index("CaS")] = 0.0
    g[:2, -1] = 0.2
    found = excitability(neuron, g)
    assert found.fires.tolist() == [False, False, True]
    assert np.all(found.current_uA[:2] > 0)
    said = found.describe().splitlines()
    assert said[0].startswith("Without current 1 of 3 members fire")
    assert said[1].startswith("Without current 2 of 3 members are silent; they fire from ")


def test_members_that_never_fire_are_said() -> None:
    neuron = get_neuron("stg")
    g = np.zeros((1, neuron.n_channels))
    g[:, -1] = 0.1
    found = excitability(neuron, g)
    assert not found.fires[0]
    assert np.isnan(found.current_uA[0])
    assert "no current up to 409.6 µA/cm² makes them fire" in found.describe()


@pytest.mark.parametrize("name", ["stg"])
def test_a_check_says_it(name: str) -> None:
    found = check_model(get_neuron(name), members=2)
    assert "Without current all of 2 members fire" in found.describe()
