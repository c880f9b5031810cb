"""The injected current: its size, its spectrum, its seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, welch

from spike2pop_nb.conductances import baseline_population
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import simulate
from spike2pop_nb.simulation.noise import filter_sections, gaussian_quantiles, noise_seeds

G_LEAK = 1000.0  # so leaky a membrane (1 µs) that its voltage is the current, divided by this


def current(
    neuron: NeuronModel, n: int, sigma: float, cutoff_Hz: float = 1000.0, seed: int = 0
) -> np.ndarray:
    """Return the injected current of passive members, (n, n_t) at 10 kHz."""
    g = np.zeros((n, neuron.n_channels))
    g[:, -1] = G_LEAK
    out = simulate(
        g,
        neuron,
        duration_ms=2020.0,
        transient_ms=20.0,
        noise_sigma=sigma * G_LEAK,
        noise_cutoff_Hz=cutoff_Hz,
        seed=seed,
        sample_ms=0.1,
    )
    assert not out.failed.any()
    return out.V_mV - neuron.E_mV[-1]


def test_size_after_the_low_pass(neuron: NeuronModel) -> None:
    noise = current(neuron, 16, 3.0)
    assert noise.std() == pytest.approx(0.4246 * 3.0, rel=0.01)
    assert abs(noise.mean()) < 0.02 * 3.0
    beyond = np.mean(np.abs(noise) > 2 * noise.std())
    assert beyond == pytest.approx(0.0455, abs=0.004)  # Gaussian tails


@pytest.mark.parametrize("cutoff_Hz", [300.0, 1000.0])
def test_spectrum_is_that_of_two_butterworth_passes(neuron: NeuronModel, cutoff_Hz: float) -> None:
    f, power = welch(current(neuron, 16, 1.0, cutoff_Hz), fs=10_000.0, nperseg=1000, axis=-1)
    power = power.mean(axis=0) / (2.0 / 10_000.0)  # of the white noise that went in
    assert power[(f > 20) & (f < 0.5 * cutoff_Hz)].mean() == pytest.approx(1.0, abs=0.05)
    assert power[np.abs(f - cutoff_Hz).argmin()] == pytest.approx(0.25, abs=0.04)
    assert power[np.abs(f - 2 * cutoff_Hz).argmin()] < 1e-3


@pytest.mark.parametrize("cutoff_Hz", [0.1, 50.0, 1000.0 / 3, 1000.0, 2500.0, 4999.9])
def test_the_low_pass_is_that_of_scipy(cutoff_Hz: float) -> None:
    sections = butter(4, cutoff_Hz, fs=10_000.0, output="sos")
    np.testing.assert_array_equal(filter_sections(cutoff_Hz), np.tile(sections, (2, 1))[:, [0, 1, 2, 4, 5]])


def test_members_have_noise_of_their_own(neuron: NeuronModel) -> None:
    noise = current(neuron, 4, 1.0)
    correlation = np.corrcoef(noise)[~np.eye(4, dtype=bool)]
    assert np.abs(correlation).max() < 0.05


def test_same_seed_same_noise(neuron: NeuronModel) -> None:
    assert np.array_equal(current(neuron, 3, 1.0, seed=7), current(neuron, 3, 1.0, seed=7))
    assert not np.array_equal(current(neuron, 3, 1.0, seed=7), current(neuron, 3, 1.0, seed=8))
    seeds = noise_seeds(3, 1000)
    assert len(np.unique(seeds)) == 1000
    assert np.array_equal(seeds, noise_seeds(np.random.default_rng(3), 1000))
    assert np.array_equal(seeds[:10], noise_seeds(3, 10))


def test_noise_does_not_depend_on_the_time_step(neuron: NeuronModel) -> None:
    g = np.zeros((4, neuron.n_channels))
    g[:, -1] = 0.05  # passive, 20 ms
    runs = [
        simulate(g, neuron, duration_ms=500.0, transient_ms=100.0, noise_sigma=4.0, seed=1, accuracy=accuracy)
        for accuracy in ("standard", "exact")
    ]
    V = [run.V_mV - neuron.E_mV[-1] for run in runs]
    assert V[0].std() > 0.2
    assert np.abs(V[0] - V[1]).max() < 0.01 * V[0].std()


def test_a_quiet_member_does_not_hear_its_neighbours(neuron: NeuronModel) -> None:
    g, _ = baseline_population(neuron, 10, 0)
    sigma = np.where(np.arange(10) % 2, 5.0, 0.0)
    noisy = simulate(g, neuron, duration_ms=400.0, transient_ms=0.0, noise_sigma=sigma, seed=2)
    quiet = simulate(g, neuron, duration_ms=400.0, transient_ms=0.0)
    assert np.array_equal(noisy.V_mV[::2], quiet.V_mV[::2])
    assert all(np.abs(noisy.V_mV[i] - quiet.V_mV[i]).max() > 0.1 for i in range(1, 10, 2))
    assert np.array_equal(noisy.noise_sigma, sigma)


def test_noise_does_not_depend_on_workers(neuron: NeuronModel) -> None:
    g, _ = baseline_population(neuron, 30, 0)
    runs = [
        simulate(g, neuron, duration_ms=300.0, transient_ms=0.0, noise_sigma=4.0, seed=3, workers=workers)
        for workers in (1, 3)
    ]
    assert np.array_equal(runs[0].V_mV, runs[1].V_mV)


def test_quantiles_have_unit_variance() -> None:
    q = gaussian_quantiles()
    drawn = np.interp(np.random.default_rng(0).random(1_000_000) * (q.size - 1), np.arange(q.size), q)
    assert drawn.std() == pytest.approx(1.0, abs=3e-3)
    assert np.allclose(q, -q[::-1])


@pytest.mark.parametrize("cutoff_Hz", [0.0, -5.0, 5000.0, np.nan])
def test_impossible_cutoff_is_refused(cutoff_Hz: float) -> None:
    with pytest.raises(SimulationError, match="cutoff must lie between 0 and 5000 Hz"):
        filter_sections(cutoff_Hz)


@pytest.mark.parametrize("sigma", [-1.0, np.nan, np.inf, [1.0, 2.0, 3.0], [[1.0], [2.0]]])
def test_impossible_noise_is_refused(neuron: NeuronModel, sigma: object) -> None:
    g, _ = baseline_population(neuron, 2, 0)
    with pytest.raises(SimulationError, match="noise_sigma must be one number, or one per member"):
        simulate(g, neuron, noise_sigma=sigma)  # type: ignore[arg-type]
