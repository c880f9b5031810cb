"""From the spike times of one neuron to a verified, degenerate population of conductance-based models.

Names are loaded on first use, so that ``import spike2pop_nb`` stays quick and PyTorch is imported only by
those who predict.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

if os.name == "posix" and not os.path.isabs(os.path.expanduser("~")):
    # A user without a home: libraries that look for one as they are imported find a place that holds nothing.
    os.environ["HOME"] = os.devnull

_HOME = {
    "read_spike_trains": "spiketrains",
    "read_voltage": "spiketrains",
    "detect_spikes": "spiketrains",
    "detect_recordings": "spiketrains",
    "write_spike_times": "spiketrains",
    "describe_pattern": "spiketrains",
    "overview": "spiketrains",
    "SpikeTrain": "spiketrains",
    "features": "spiketrains",
    "classify": "spiketrains",
    "get_neuron": "neurons",
    "list_neurons": "neurons",
    "NeuronModel": "neurons",
    "dics": "conductances",
    "dic_curves": "conductances",
    "compensate": "conductances",
    "generate_population": "conductances",
    "reachability": "conductances",
    "pair_correlations": "conductances",
    "Population": "conductances",
    "simulate": "simulation",
    "currents": "simulation",
    "rank_choices": "conductances",
    "modulation_path": "conductances",
    "vary_neuron": "neurons",
    "simulate_modulation": "simulation",
    "load_predictor": "inference",
    "verify": "fidelity",
    "find_population": "fidelity",
    "pattern_map": "fidelity",
    "plots": "",
    "example_path": "data",
}

__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = _HOME[name]
    if not room:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(f"{__name__}.{room}"), name)


def __dir__() -> list[str]:
    return list(__all__)
