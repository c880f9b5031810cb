"""A neuron in a few lines, as lists of neurons show it."""

from __future__ import annotations

from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.shipped import shipped_neurons, shipped_rest

__all__ = ["card_lines"]


def card_lines(neuron: NeuronModel) -> tuple[str, ...]:
    """Return where a neuron comes from, what it does at rest if that is known, its channels and threshold.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.neurons import card_lines
    >>> card_lines(s2p.get_neuron("leech"))[1]
    'It spikes at 12 Hz at rest (mean of its baseline).'
    """
    known = {shipped.name: shipped for shipped in shipped_neurons()}
    rest = shipped_rest().get(neuron.name, "") if known.get(neuron.name) is neuron else ""
    return (
        neuron.references[0] if neuron.references else "Its declaration names no source.",
        *([f"It {rest} (mean of its baseline)."] if rest else []),
        f"Channels {', '.join(neuron.channel_names)}; V_th {neuron.V_th_mV:g} mV.",
    )
