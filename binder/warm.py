"""Compile the numerical kernels, for every neuron, into the cache that sessions read."""

from __future__ import annotations

from spike2pop_nb import currents, generate_population, get_neuron, list_neurons, simulate

for name in list_neurons():
    neuron = get_neuron(name)
    population = generate_population(neuron, (neuron.baseline.g_s, neuron.baseline.g_u), size=2, seed=0)
    simulate(population, duration_ms=10.0, transient_ms=0.0, noise_sigma=0.1)
    currents(population, duration_ms=10.0, transient_ms=0.0)
