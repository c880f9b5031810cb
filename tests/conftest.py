"""What several rooms need: every registered neuron, and the independently computed reference vectors."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The same examples on every machine, so that a change is judged by what it changes. Others are drawn by
# `--hypothesis-profile=random`, which runs every week with many more of them.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("same")

# Neurons that the developer added to this machine are not part of the tests.
os.environ["SPIKE2POP_NB_NEURONS"] = tempfile.mkdtemp(prefix="no_neurons_")

from spike2pop_nb.neurons import NeuronModel, get_neuron, list_neurons

REFERENCE = {
    path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "reference").glob("*.json")
}


@pytest.fixture(params=list_neurons())
def neuron(request: pytest.FixtureRequest) -> NeuronModel:
    """Every registered neuron in turn."""
    return get_neuron(request.param)


@pytest.fixture
def step(neuron: NeuronModel) -> tuple[float, float]:
    """A small step of g_s and g_u, as the neuron at hand counts: (1, 1) for the STG neuron."""
    (low_s, high_s), (low_u, high_u) = neuron.dic_range["g_s"], neuron.dic_range["g_u"]
    return (high_s - low_s) / 40, (high_u - low_u) / 20


@pytest.fixture
def reference(neuron: NeuronModel) -> dict[str, Any]:
    """The reference vectors of the neuron at hand."""
    if neuron.name not in REFERENCE:
        pytest.skip(f"no reference vectors for {neuron.name}")
    return REFERENCE[neuron.name]
