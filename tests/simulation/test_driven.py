"""What members carry is injected whenever they are simulated, unless something else is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import Inhibition, Population, generate_population, modulation_path
from spike2pop_nb.errors import CompensationError, SimulationError
from spike2pop_nb.experiments import block, conductance_pulses, run_experiment
from spike2pop_nb.simulation import HeldCurrents, currents, simulate, simulate_modulation


@pytest.fixture(scope="module")
def quiet() -> Population:
    return generate_population("stg", (4.0, 5.0), size=3, seed=1)


@pytest.fixture(scope="module")
def driven(quiet: Population) -> Population:
    return Population.from_g(
        "stg", quiet.g, current=[-1.0, 0.0, 2.0], noise_sigma=[0.0, 4.0, 4.0], noise_seeds=[7, 8, 9]
    )


def test_a_current_is_that_of_a_schedule(quiet: Population) -> None:
    held = np.array([-1.0, 0.0, 2.0])
    one = simulate(quiet, current=held, duration_ms=900, record="spikes").spike_times_ms
    other = simulate(quiet, course=HeldCurrents(held), duration_ms=900, record="spikes").spike_times_ms
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_members_are_simulated_with_what_they_carry_and_others_instead_if_asked(
    quiet: Population, driven: Population
) -> None:
    assert driven.driven
    assert not quiet.driven
    own = simulate(driven, duration_ms=900)
    seeds = np.array([7, 8, 9], dtype=np.uint64)
    said = simulate(
        quiet, duration_ms=900, current=driven.current, noise_sigma=driven.noise_sigma, seed=seeds
    )
    np.testing.assert_array_equal(own.V_mV, said.V_mV)
    np.testing.assert_array_equal(own.noise_sigma, driven.noise_sigma)
    bare = simulate(driven, duration_ms=900, current=0.0, noise_sigma=0.0)
    np.testing.assert_array_equal(bare.V_mV, simulate(quiet, duration_ms=900).V_mV)


def test_selections_joins_experiments_and_modulation_keep_it(quiet: Population, driven: Population) -> None:
    assert driven.select([2]).current.tolist() == [2.0]
    both = Population.joined([quiet, driven])
    assert both.current.tolist() == [0.0] * 3 + [-1.0, 0.0, 2.0]
    control = run_experiment(driven, block("A", 0.5), duration_ms=600, transient_ms=300, noise_sigma=0.0)
    bare = simulate(driven, noise_sigma=0.0, duration_ms=900, transient_ms=300, record="spikes")
    assert control.made_by["noise_sigma"] == 0.0
    rates = [len(times) for times in bare.spike_times_ms]
    assert control.data["n_spikes"].sel(condition="control").to_numpy().tolist() == rates
    path = modulation_path(driven, (2.0, 5.0), steps=2)
    moved = simulate_modulation(path, before_ms=200, during_ms=200, after_ms=200)
    np.testing.assert_array_equal(moved.simulated.noise_sigma, driven.noise_sigma)


def test_the_current_flows_where_channels_are_looked_at(driven: Population) -> None:
    found = currents(driven.select([2]), 0, duration_ms=600, transient_ms=500)
    like = simulate(driven.select([2]), duration_ms=600, transient_ms=500)
    np.testing.assert_allclose(found.V_mV, like.V_mV[0], atol=1e-6)


def test_currents_are_those_under_its_own_noise(driven: Population) -> None:
    shown = simulate(driven, duration_ms=900, transient_ms=300)
    for row in range(3):
        found = currents(driven, row, like=shown)
        np.testing.assert_array_equal(found.V_mV.astype(np.float32), shown.V_mV[row])
        np.testing.assert_array_equal(found.spike_times_ms, shown.spike_times_ms[row])


@pytest.mark.parametrize("wrong", [np.nan, [0.0, 1.0], np.inf])
def test_a_current_that_is_none_is_refused(quiet: Population, wrong: object) -> None:
    with pytest.raises(SimulationError, match="current must be one number, or one per member"):
        simulate(quiet, current=wrong, duration_ms=900)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("current_uA_cm2", "x", r"row 3: current_uA_cm2 is 'x'; an injected current must be a number"),
        (
            "noise_sigma_uA_cm2",
            -1.0,
            r"row 3: noise_sigma_uA_cm2 is -1.0; noise must be a number, zero or more",
        ),
    ],
)
def test_a_table_with_a_drive_that_is_none_is_refused(
    driven: Population, column: str, value: object, words: str
) -> None:
    table = driven.to_frame().astype({column: object})
    table.loc[1, column] = value
    with pytest.raises(CompensationError, match=words):
        Population.from_frame(table)


def test_a_rhythmic_inhibition_is_that_of_conductance_pulses(quiet: Population) -> None:
    inhibition = Inhibition.of([0.2] * 3, 200.0, 0.5)
    pulses = conductance_pulses(0.2, -80.0, np.arange(0.0, 900.0, 200.0), duration_ms=100.0)
    asked = run_experiment(quiet, {"pulses": pulses}, duration_ms=900, transient_ms=0, record="spikes")
    carried = Population.from_g("stg", quiet.g, inhibition=inhibition)
    for run in (
        simulate(carried, duration_ms=900, transient_ms=0, record="spikes"),
        simulate(quiet, inhibition=inhibition, duration_ms=900, transient_ms=0, record="spikes"),
    ):
        for times, said in zip(run.spike_times_ms, asked.trains("pulses"), strict=True):
            np.testing.assert_allclose(times, said.times_ms, atol=0.05)


def test_what_is_done_to_members_comes_on_top_of_it(quiet: Population) -> None:
    followers = Population.from_g("stg", quiet.g, inhibition=Inhibition.of([0.2, 0.1, 0.0], 250.0, 0.4))
    done = run_experiment(followers, block("A", 0.5), duration_ms=600, transient_ms=300)
    bare = simulate(followers, duration_ms=900, transient_ms=300, record="spikes")
    assert done.data["n_spikes"].sel(condition="control").to_numpy().tolist() == [
        len(times) for times in bare.spike_times_ms
    ]
    less = Population.from_g(
        "stg", followers.g * np.where(np.array(followers.channel_names) == "A", 0.5, 1.0)
    )
    blocked = simulate(
        less, inhibition=followers.inhibition, duration_ms=900, transient_ms=300, record="spikes"
    )
    assert done.data["n_spikes"].isel(condition=1).to_numpy().tolist() == [
        len(times) for times in blocked.spike_times_ms
    ]
    found = currents(followers, 0, duration_ms=900, transient_ms=300)
    np.testing.assert_allclose(found.spike_times_ms, bare.spike_times_ms[0], atol=0.05)
    with pytest.raises(SimulationError, match="inhibition of 2 members, and there are 3"):
        simulate(quiet, inhibition=Inhibition.of([0.1, 0.1], 200.0, 0.5))
