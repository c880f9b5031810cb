"""A Brian2 script: one NeuronGroup that holds all members."""

from __future__ import annotations

from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import channel_symbol, describe, gates, header, scheme
from spike2pop_nb.export.simulators.expressions import Expression, Printer, render
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = ["brian2_script"]

_PRINTER = Printer(
    voltage="V",
    where=lambda condition, yes, no: f"(int({condition}) * {yes} + int(not {condition}) * {no})",
    words={},
)
DT_MS = 0.0025


def _text(expression: Expression) -> str:
    return render(expression, _PRINTER)


def _equations(neuron: NeuronModel) -> tuple[list[str], dict[str, float]]:
    """Return the equations and the values of all variables at the start."""
    lines = ["V = v / mV : 1 (constant over dt)"]
    initial: dict[str, float] = {}
    currents: list[str] = []
    for channel in neuron.channels:
        name = channel_symbol(channel)
        factors = [f"gmax_{name}"]
        for gate in gates(neuron, channel):
            x = gate.symbol
            factors.append(f"{x}**{gate.exponent}" if gate.exponent > 1 else x)
            if gate.tau is None:
                lines.append(f"{x} = {_text(gate.x_inf)} : 1 (constant over dt)")
                continue
            calcium = f" * Ca / (Ca + {gate.half_uM!r})" if gate.half_uM else ""
            # constant over a step, so that the equation of the gate is linear, and solved exactly
            lines.append(f"inf_{x} = {_text(gate.x_inf)}{calcium} : 1 (constant over dt)")
            lines.append(f"tau_{x} = {_text(gate.tau)} : 1 (constant over dt)")
            lines.append(f"d{x}/dt = (inf_{x} - {x}) / (tau_{x} * ms) : 1")
            initial[x] = gate.initial
        if (kinetics := scheme(neuron, channel)) is not None:
            for (source, target), rate in kinetics.rates.items():
                lines.append(f"k_{source}_{target} = {_text(rate)} : 1 (constant over dt)")
            eliminated, *free = kinetics.initial
            lines.append(f"{eliminated} = 1 - {' - '.join(free)} : 1")
            for state in free:
                flows = [
                    f"{'+' if state == target else '-'} k_{source}_{target} * {source}"
                    for source, target in kinetics.rates
                    if state in (source, target)
                ]
                lines.append(f"d{state}/dt = ({' '.join(flows)}) / ms : 1")
                initial[state] = kinetics.initial[state]
            factors.append(kinetics.conducting)
        lines.append(f"current_{name} = {' * '.join(factors)} * (v - {channel.E_mV!r}*mV) : amp/meter**2")
        lines.append(f"gmax_{name} : siemens/meter**2 (constant)")
        currents.append(f"current_{name}")
    if (pool := neuron.calcium) is not None:
        feeding = [f"current_{channel_symbol(c)}" for c in neuron.channels if c.name in pool.channels]
        influx = f"{pool.influx_uM_per_uA!r} * ({' + '.join(feeding)}) / (uA/cm**2)"
        lines.append(f"dCa/dt = (-{influx} - Ca + {pool.rest_uM!r}) / ({pool.tau_ms!r}*ms) : 1")
        initial["Ca"] = pool.initial_uM
    lines.append(f"dv/dt = -({' + '.join(currents)}) / C_m : volt")
    return lines, initial


def brian2_script(population: Population) -> str:
    """Return the script; run with a duration in ms, it writes spike_times.csv (id/member, time_ms)."""
    neuron = get_neuron(population.neuron)
    members = describe(population)
    equations, initial = _equations(neuron)
    symbols = [channel_symbol(channel) for channel in neuron.channels]
    g = "".join(
        f"neurons.gmax_{symbol} = {[values[symbol] for _label, values in members]!r} * msiemens/cm**2\n"
        for symbol in symbols
    )
    start = "".join(f"neurons.{name} = {value!r}\n" for name, value in initial.items())
    head = "".join(f"# {line}\n" for line in header(neuron))
    body = "\n".join(equations)
    return f'''{head}# Densities need no membrane area. Each member is one neuron of the group.
# Usage: python FILE [duration in ms]; writes spike_times.csv.

import csv
import sys

from brian2 import (
    NeuronGroup,
    SpikeMonitor,
    cm,
    defaultclock,
    ms,
    msiemens,
    mV,
    run,
    uA,
    uF,
)

MEMBERS = {[label for label, _values in members]!r}
C_m = {neuron.capacitance_uF!r} * uF/cm**2
EQUATIONS = """
{body}
"""

defaultclock.dt = {DT_MS!r} * ms
neurons = NeuronGroup(
    len(MEMBERS),
    EQUATIONS,
    method="exponential_euler",
    threshold="v > {neuron.spike_threshold_mV!r}*mV",
    refractory="v > {neuron.spike_reset_mV!r}*mV",
    reset="",
)
neurons.v = {neuron.V_initial_mV!r} * mV
{start}{g}
spikes = SpikeMonitor(neurons)
run((float(sys.argv[1]) if len(sys.argv) > 1 else {neuron.recording_window_ms[1]!r}) * ms)
with open("spike_times.csv", "w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["member", "time_ms"])
    for i, time in zip(spikes.i, spikes.t / ms):
        table.writerow([MEMBERS[i], float(time)])
'''
