"""What every export says about a neuron: its variables by name, their equations, and where it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from spike2pop_nb import __version__
from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.expressions import Expression, express
from spike2pop_nb.neurons import Channel, NeuronModel, get_neuron

__all__ = ["GateText", "SchemeText", "channel_symbol", "describe", "gates", "header", "scheme"]


@dataclass(frozen=True)
class GateText:
    """A gate: its variable, equations, exponent, calcium half activation (µM) and value at the start."""

    symbol: str
    x_inf: Expression
    tau: Expression | None
    exponent: int
    half_uM: float | None
    initial: float


@dataclass(frozen=True)
class SchemeText:
    """A kinetic scheme: variables of its states with values at the start, rates in 1/ms, what conducts."""

    initial: dict[str, float]
    rates: dict[tuple[str, str], Expression]
    conducting: str


def channel_symbol(channel: Channel) -> str:
    """Return the name of a channel as a word that every language takes for a variable."""
    return re.sub(r"\W", "_", channel.name, flags=re.ASCII)


def gates(neuron: NeuronModel, channel: Channel) -> list[GateText]:
    """Describe the gates of a channel; each starts at its steady state."""
    V = np.array([neuron.V_initial_mV])
    Ca = neuron.calcium.initial_uM if neuron.calcium else 0.0
    found = []
    for gate in channel.gates:
        half = gate.calcium_half_uM
        initial = float(np.asarray(gate.x_inf(V))[0]) * (Ca / (Ca + half) if half else 1.0)
        tau = None if gate.tau is None else express(gate.tau)
        symbol = f"{gate.name}_{channel_symbol(channel)}"
        found.append(GateText(symbol, express(gate.x_inf), tau, gate.exponent, half, initial))
    return found


def scheme(neuron: NeuronModel, channel: Channel) -> SchemeText | None:
    """Describe the kinetic scheme of a channel, if it has one."""
    declared = channel.scheme
    if declared is None:
        return None
    V = np.array([neuron.V_initial_mV])
    free = declared.free_states
    if declared.initial is None:
        values = [float(value) for value in declared.steady_state(V)[0]]
    else:
        values = [float(np.asarray(declared.initial[state](V))[0]) for state in free]
    names = {state: f"{state}_{channel_symbol(channel)}" for state in declared.states}
    return SchemeText(
        initial={
            names[state]: value
            for state, value in zip(declared.states, [1.0 - sum(values), *values], strict=True)
        },
        rates={(names[a], names[b]): express(rate) for (a, b), rate in declared.rates.items()},
        conducting=names[declared.conducting],
    )


def header(neuron: NeuronModel) -> list[str]:
    """Return the lines that head every file: neuron, maker and its version, references."""
    return [
        f"{neuron.title}, written by spike2pop_nb {__version__}.",
        "Units: V in mV, t in ms, conductances in mS/cm2, currents in uA/cm2, calcium in uM, C in uF/cm2.",
        *(f"Reference: {reference}" for reference in neuron.references),
    ]


def describe(population: Population) -> list[tuple[str, dict[str, float]]]:
    """Return ``(id/member, {channel symbol: conductance in mS/cm²})`` of every member."""
    symbols = [channel_symbol(channel) for channel in get_neuron(population.neuron).channels]
    return [
        (f"{name}/{member}", dict(zip(symbols, map(float, g), strict=True)))
        for (name, member), g in zip(population.labels, population.g, strict=True)
    ]
