"""Members on their way through the plane."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import dics, generate_population, modulation_path, widest_modulation
from spike2pop_nb.errors import CompensationError, UnreachableTarget
from spike2pop_nb.neurons import NeuronModel, vary_neuron


def test_each_member_goes_straight_and_keeps_its_free_conductances(
    neuron: NeuronModel, step: tuple[float, float]
) -> None:
    start = (neuron.baseline.g_s + step[0], neuron.baseline.g_u)
    end = (neuron.baseline.g_s - step[0], neuron.baseline.g_u + step[1])
    population = generate_population(neuron, start, 6, seed=1)
    path = modulation_path(population, end, steps=8)
    assert path.compensate == neuron.recommend(*end)
    assert (len(path), path.steps) == (6, 8)
    assert path.arrived.all()
    assert not path.reasons
    line = np.linspace(start, end, 9)
    np.testing.assert_allclose(path.dics, np.broadcast_to(line, (6, 9, 2)), atol=1e-5)
    np.testing.assert_allclose(dics(neuron, path.g)[..., 1:], path.dics)
    moving = [neuron.index(name) for name in path.compensate]
    still = [c for c in range(neuron.n_channels) if c not in moving]
    assert np.ptp(path.g[..., still], axis=1).max() == 0
    assert np.ptp(path.g[..., moving], axis=1).min() > 0
    np.testing.assert_array_equal(path.at(0).g, population.g)
    assert path.at(8).labels == population.labels
    assert path.describe() == (
        f"6 of 6 members get to g_s {end[0]:.2f}, g_u {end[1]:.2f} by moving {' and '.join(path.compensate)}."
    )


def test_the_way_does_not_depend_on_the_steps() -> None:
    population = generate_population("stg", (5.0, 5.0), 4, seed=2)
    coarse = modulation_path(population, (-8.0, 8.0), steps=2)
    fine = modulation_path(population, (-8.0, 8.0), steps=16)
    np.testing.assert_allclose(coarse.g[:, -1], fine.g[:, -1], rtol=1e-4)


def test_who_cannot_go_on_stays_and_is_named() -> None:
    population = generate_population("stg", (5.0, 5.0), 8, seed=1)
    path = modulation_path(population, (-8.0, 8.0), compensate=("A", "H"))
    lost = np.flatnonzero(~path.arrived)
    assert 0 < lost.size < 8
    assert set(path.reasons) == set(lost.tolist())
    row = int(lost[0])
    step = int(path.lost_at[row])
    assert path.reasons[row].startswith(f"Member {row} cannot go on at step {step} of 40")
    assert "g_A would have to be negative" in path.reasons[row]
    assert np.all(path.g >= 0)
    assert np.ptp(path.g[row, step - 1 :], axis=0).max() == 0
    assert path.reasons[row] in path.describe()


def test_a_variation_goes_by_its_own_threshold() -> None:
    population = generate_population("stg", (5.0, 5.0), 3, V_mV=-49.0)
    path = modulation_path(population, (0.0, 5.0), steps=4)
    assert path.neuron is path.at(2).neuron is vary_neuron("stg", V_th_mV=-49.0)
    np.testing.assert_allclose(path.dics[:, -1], [[0.0, 5.0]] * 3, atol=1e-5)
    np.testing.assert_allclose(dics("stg", path.g[:, -1], -49.0)[:, 1:], [[0.0, 5.0]] * 3, atol=1e-5)


def test_what_cannot_be_done_is_refused_in_one_sentence() -> None:
    population = generate_population("stg", (5.0, 5.0), 2)
    with pytest.raises(CompensationError, match="one finite pair"):
        modulation_path(population, (np.inf, 1.0))
    with pytest.raises(CompensationError, match="steps must be from 1 to 1000, not 0"):
        modulation_path(population, (1.0, 1.0), steps=0)
    with pytest.raises(CompensationError, match="no member to modulate"):
        modulation_path(population.select([]), (1.0, 1.0))
    with pytest.raises(CompensationError, match="cannot set g_s and g_u"):
        modulation_path(population, (1.0, 1.0), compensate=("Na", "Kd"))
    with pytest.raises(UnreachableTarget, match="takes no member towards"):
        modulation_path(population, (5.0, -500.0), steps=2, compensate=("A", "H"))
    with pytest.raises(CompensationError, match="steps 0 to 4, not 9"):
        modulation_path(population, (4.0, 5.0), steps=4).at(9)


def test_the_choice_that_takes_most_members_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    population = generate_population("stg", (6.0, 3.0), 5, ("A", "H"), seed=1)
    end = (-10.0, 3.0)
    assert not modulation_path(population, end, compensate=("A", "H")).arrived.any()
    path = widest_modulation(population, end, first=[("A", "H")])
    assert path.compensate == ("CaS", "H")
    assert path.arrived.all()
    # one that is preferred stands, as long as no other takes more
    assert widest_modulation(population, end, first=[("CaS", "A")]).compensate == ("CaS", "A")
    with pytest.raises(CompensationError, match="one finite pair"):
        widest_modulation(population, (np.nan, 1.0))
    monkeypatch.setattr("spike2pop_nb.neurons.NeuronModel.recommend", lambda *_: ("A", "H"))
    monkeypatch.setattr("spike2pop_nb.conductances.modulation.solvable_pairs", lambda _neuron: [("A", "H")])
    with pytest.raises(UnreachableTarget, match="No two conductances of the stg neuron take a member"):
        widest_modulation(population, (6.0, -500.0), steps=2)


def test_of_many_that_stay_behind_the_first_are_named() -> None:
    population = generate_population("stg", (6.0, 3.0), 5, ("A", "H"), seed=1)
    path = modulation_path(population, (-10.0, 3.0), compensate=("A", "H"))
    assert path.describe().startswith("0 of 5 members get to g_s -10.00")
    assert path.describe().count("cannot go on at step") == 2
    assert path.describe().endswith(f"So it is with 3 more, from step {path.lost_at.min()} on.")
