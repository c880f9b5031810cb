"""Neuron declarations: channels, gates, kinetics, reversal potentials, calcium. Nothing else knows them."""

from spike2pop_nb.neurons.functions import bridge, constant, product, sigmoid
from spike2pop_nb.neurons.model import (
    Baseline,
    CalciumPool,
    Channel,
    Gamma,
    Gate,
    KineticScheme,
    Modulation,
    NeuronModel,
    Range,
)
from spike2pop_nb.neurons.registry import get_neuron, list_neurons, register_neuron

__all__ = [
    "Baseline",
    "CalciumPool",
    "Channel",
    "Gamma",
    "Gate",
    "KineticScheme",
    "Modulation",
    "NeuronModel",
    "Range",
    "bridge",
    "constant",
    "get_neuron",
    "list_neurons",
    "product",
    "register_neuron",
    "sigmoid",
]
