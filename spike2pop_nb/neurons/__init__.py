"""Neuron declarations: channels, gates, kinetics, reversal potentials, calcium. Nothing else knows them."""

from spike2pop_nb.neurons.functions import bridge, constant, product, sigmoid
from spike2pop_nb.neurons.identity import same_neuron
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
from spike2pop_nb.neurons.own import load_neuron, own_neurons_folder
from spike2pop_nb.neurons.registry import (
    add_neuron,
    broken_neurons,
    get_neuron,
    list_neurons,
    register_neuron,
    remove_neuron,
)
from spike2pop_nb.neurons.variation import V_TH_RANGE_MV, threshold_note, vary_neuron

__all__ = [
    "V_TH_RANGE_MV",
    "Baseline",
    "CalciumPool",
    "Channel",
    "Gamma",
    "Gate",
    "KineticScheme",
    "Modulation",
    "NeuronModel",
    "Range",
    "add_neuron",
    "bridge",
    "broken_neurons",
    "constant",
    "get_neuron",
    "list_neurons",
    "load_neuron",
    "own_neurons_folder",
    "product",
    "register_neuron",
    "remove_neuron",
    "same_neuron",
    "sigmoid",
    "threshold_note",
    "vary_neuron",
]
