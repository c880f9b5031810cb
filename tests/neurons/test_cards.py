"""Neurons as lists show them."""

from __future__ import annotations

from dataclasses import replace

from spike2pop_nb.neurons import NeuronModel, card_lines, get_neuron


def test_a_card_says_source_rest_and_channels(neuron: NeuronModel) -> None:
    source, rest, channels = card_lines(neuron)
    assert source == neuron.references[0]
    assert "doi:" in source
    assert rest.startswith("It ")
    assert rest.endswith(" at rest (mean of its baseline).")
    assert all(name in channels for name in neuron.channel_names)


def test_nothing_is_said_of_what_was_not_measured() -> None:
    other = replace(get_neuron("stg"), V_th_mV=-50.0, references=())
    assert card_lines(other) == (
        "Its declaration names no source.",
        "Channels Na, Kd, CaT, CaS, KCa, A, H, leak; V_th -50 mV.",
    )
