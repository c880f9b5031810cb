"""f–I curves, sag, adaptation, resonance and phase response, on members and on membranes known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments import (
    adaptation,
    block,
    chirp,
    constant_current,
    doses,
    f_I_curve,
    phase_response,
    resonance,
    run_experiment,
    sag_and_rebound,
    step,
)
from spike2pop_nb.neurons import get_neuron


@pytest.fixture(scope="module")
def population() -> Population:
    return generate_population("stg", (5.0, 5.0), 6, seed=1)


@pytest.fixture(scope="module")
def membrane() -> Population:
    """A leak and nothing else: 0.05 mS/cm², so that tau is 20 ms."""
    neuron = get_neuron("stg")
    g = np.zeros((1, neuron.n_channels))
    g[0, -1] = 0.05
    return Population.from_g(neuron, g)


def test_rheobase_and_gain(population: Population) -> None:
    series = doses(constant_current, [-10, -5, 2, 4, 8])
    found = run_experiment(population, series, duration_ms=1500, transient_ms=1000)
    curve = f_I_curve(found)
    assert curve.current.tolist() == [-10, -5, 0, 2, 4, 8]
    assert np.all(curve.rate_Hz[:, 0] == 0)
    assert np.all(curve.rheobase == 0)
    assert np.all(curve.gain > 0)
    assert np.all(np.diff(curve.rate_Hz[:, 2:], axis=1) > 0)
    assert "6 of 6 members fire, from 0 µA/cm² on" in curve.describe()
    assert len(curve.to_frame()) == 36
    with pytest.raises(ExperimentError, match="one current"):
        f_I_curve(run_experiment(population, block("A", 0.5), duration_ms=500))


def test_an_f_i_curve_beside_a_block_has_no_control(population: Population) -> None:
    series = doses(lambda current: block("A", 0.5) + constant_current(current), [-5, 0, 5])
    found = run_experiment(population, series, duration_ms=1000, transient_ms=500)
    curve = f_I_curve(found)
    assert curve.current.tolist() == [-5, 0, 5]
    np.testing.assert_array_equal(curve.rate_Hz[:, 1], found.data["rate_Hz"].values[:, 2])
    assert not np.array_equal(curve.rate_Hz[:, 1], found.data["rate_Hz"].values[:, 0])
    mixed = {"alone": constant_current(1.0), "beside": block("A", 0.5) + constant_current(2.0)}
    with pytest.raises(ExperimentError, match="the same done beside it"):
        f_I_curve(run_experiment(population, mixed, duration_ms=500))


def test_tables_name_members_by_their_numbers(population: Population) -> None:
    some = population.select([5, 2])
    found = run_experiment(some, {"up": step(4, 200, 800)}, duration_ms=1000, transient_ms=500)
    assert found.members.tolist() == [5, 2]
    tables = (
        found.to_frame(),
        f_I_curve(found).to_frame(),
        sag_and_rebound(found, "up"),
        adaptation(found, "up"),
    )
    assert all(set(table["member"]) == {5, 2} for table in tables)
    whole = run_experiment(population, {"up": step(4, 200, 800)}, duration_ms=1000, transient_ms=500)
    one, other = (each.to_frame().query("member == 5 and condition == 'up'") for each in (found, whole))
    assert one["rate_Hz"].item() == other["rate_Hz"].item()


def test_sag_and_rebound(population: Population) -> None:
    found = run_experiment(
        population, {"down": step(-5, 500, 2000), "A": block("A", 0.5)}, duration_ms=2500, transient_ms=1000
    )
    table = sag_and_rebound(found, "down")
    assert (table["V_lowest_mV"] < table["V_steady_mV"]).all()
    assert (table["rebound_spikes"] > 0).all()
    assert table["rebound_ms"].between(0, 300).all()
    with pytest.raises(ExperimentError, match="with start and stop"):
        sag_and_rebound(found, "A")
    spikes = run_experiment(population, {"down": step(-5, 500, 700)}, duration_ms=1000, record="spikes")
    with pytest.raises(ExperimentError, match="were not kept"):
        sag_and_rebound(spikes, "down")


def test_a_leaky_membrane_neither_sags_nor_resonates(membrane: Population) -> None:
    found = run_experiment(
        membrane,
        {"down": step(-1, 200, 600), "chirp": chirp(0.2, 1, 40, 0, 8000)},
        duration_ms=8000,
        transient_ms=500,
    )
    sag = sag_and_rebound(found, "down")
    assert sag["V_steady_mV"][0] - sag["V_before_mV"][0] == pytest.approx(-20.0, abs=1e-2)  # I / g
    assert sag["sag_mV"][0] == pytest.approx(0.0, abs=1e-2)
    Z = resonance(found, "chirp")
    # 1 / (g √(1 + (2πfτ)²)), in kΩ·cm²
    inner = (Z.frequency_Hz > 3) & (Z.frequency_Hz < 35)
    expected = 1.0 / 0.05 / np.hypot(1.0, 2 * np.pi * Z.frequency_Hz * 0.02)
    np.testing.assert_allclose(Z.impedance[0, inner], expected[inner], rtol=0.05)
    assert Z.resonance_Hz[0] < 3
    assert not Z.spiking[0]


def test_H_makes_a_member_resonate(population: Population) -> None:
    held = chirp(0.2, 0.5, 20, 0, 8000) + constant_current(-6)
    found = run_experiment(population, {"chirp": held}, duration_ms=8000, transient_ms=2000)
    Z = resonance(found, "chirp")
    assert not Z.spiking.any()
    assert np.all(Z.Q >= 1)
    assert len(Z.to_frame()) == 6
    with pytest.raises(ExperimentError, match="has not"):
        resonance(found, "control")


def test_adaptation(population: Population) -> None:
    found = run_experiment(population, {"up": step(5, 500, 2000)}, duration_ms=2000, transient_ms=1000)
    table = adaptation(found, "up")
    times = found.spike_times_ms["up"][0]
    isi = np.diff(times[(times >= 500) & (times < 2000)])
    assert table["ratio"][0] == pytest.approx(isi[-3:].mean() / isi[0])
    assert table["index"].between(-1, 1).all()


def test_phase_response(population: Population) -> None:
    found = phase_response(population.select([0, 1]), 5.0, phases=16)
    assert np.all(np.diff(found.phase, axis=1) >= 0)
    assert np.all((found.phase >= 0) & (found.phase <= 1))
    assert found.shift.max() > 0.05  # a depolarising pulse late in the cycle brings the spike forward
    weak = phase_response(population.select([0, 1]), 0.01, phases=8)
    assert np.nanmax(np.abs(weak.shift)) < 0.05
    with pytest.raises(ExperimentError, match="width_ms"):
        phase_response(population, 1.0, width_ms=-1)


def test_bursts_have_phases() -> None:
    bursting = generate_population("stg", (-8.0, 3.0), 3, seed=1)
    found = phase_response(bursting, 5.0, phases=8)
    assert np.all(found.period_ms > 100)
    assert np.all(np.isfinite(found.shift))
    assert np.all((found.phase >= 0) & (found.phase <= 1))
    assert found.shift.max() > 0.01


def test_members_that_do_not_fire_have_no_phase(membrane: Population) -> None:
    with pytest.raises(ExperimentError, match="No member fires"):
        phase_response(membrane, 1.0, phases=4)
