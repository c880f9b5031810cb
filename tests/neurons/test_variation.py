"""A neuron with another threshold or other baseline ranges."""

from __future__ import annotations

import pytest

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons import NeuronModel, Range, get_neuron, vary_neuron


def test_a_variation_leaves_the_declaration_alone(neuron: NeuronModel) -> None:
    low, high = 0.5 * neuron.baseline.free["leak"].low, neuron.baseline.free["leak"].high
    varied = vary_neuron(neuron, V_th_mV=neuron.V_th_mV + 1, baseline={"leak": (low, high)})
    assert varied.V_th_mV == neuron.V_th_mV + 1
    assert (varied.baseline.free["leak"].low, varied.baseline.free["leak"].high) == (low, high)
    assert type(varied.baseline.free["leak"]) is type(neuron.baseline.free["leak"])
    assert varied.channels is neuron.channels
    assert get_neuron(neuron.name) is neuron
    assert neuron.baseline.free["leak"].low == 2 * low


def test_the_same_choices_give_the_same_object(neuron: NeuronModel) -> None:
    one = vary_neuron(neuron.name, V_th_mV=-50.5)
    assert one is vary_neuron(neuron, V_th_mV=-50.5)
    assert vary_neuron(neuron) is neuron
    assert vary_neuron(neuron, V_th_mV=neuron.V_th_mV, baseline={}) is neuron


def test_two_equal_numbers_fix_a_conductance() -> None:
    varied = vary_neuron("stg", baseline={"Kd": (100, 100)})
    assert varied.baseline.free["Kd"] == 100.0
    opened = vary_neuron("da", baseline={"NMDA": (0.01, 0.02)})
    assert opened.baseline.free["NMDA"] == Range(0.01, 0.02)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"V_th_mV": 10.0}, "between -90 and -20 mV, not at 10 mV"),
        ({"V_th_mV": float("nan")}, "between -90 and -20 mV"),
        ({"baseline": {"Na": (1, 2)}}, "does not draw 'Na'; it draws leak"),
        ({"baseline": {"Kd": (2, 1)}}, "range of Kd must go from a low to a high"),
        ({"baseline": {"Kd": (-1, 1)}}, "neither negative"),
        ({"baseline": {"Kd": (1, float("inf"))}}, "range of Kd"),
        ({"baseline": {"Kd": (1, 1e300)}}, "range of Kd must go .* nor above 1e\\+06 mS/cm²"),
        ({"baseline": {"leak": (1e-300, 1e-299)}}, "leak must begin above 0 .* at 1e-09 mS/cm² or more"),
        ({"baseline": {"leak": (0.01, 0.01)}}, "leak must begin above 0 and be wider"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(options: dict, words: str) -> None:
    with pytest.raises(NeuronModelError, match=words):
        vary_neuron("stg", **options)
