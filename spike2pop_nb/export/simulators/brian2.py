"""A Brian2 script: one NeuronGroup that holds all members."""

from __future__ import annotations

from dataclasses import replace

from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import ChannelText, SchemeText, describe
from spike2pop_nb.export.simulators.expressions import Expression, Printer, assignments, render
from spike2pop_nb.export.simulators.script import WRITE, comment, members_text, options_text
from spike2pop_nb.neurons import CalciumPool, get_neuron

__all__ = ["brian2_script"]

_PRINTER = Printer("V", {"where": "int({0}) * ({1}) + int(not {0}) * ({2})"})
_NOW = replace(_PRINTER, voltage="V_now")


def _lines(expression: Expression, name: str, extra: str = "") -> list[str]:
    *before, (_name, last) = assignments(expression, name)
    lines = [f"{step} = {render(value, _PRINTER)} : 1" for step, value in before]
    text = render(last, _PRINTER)
    if extra and last.operation in ("where", "+", "-"):
        text = f"({text})"
    return [*lines, f"{name} = {text}{extra} : 1"]


def _equations(channels: tuple[ChannelText, ...]) -> tuple[list[str], dict[str, float]]:
    """Return the equations and the values of all variables at the start."""
    lines = ["v : volt", "V = v / mV : 1"]
    initial: dict[str, float] = {}
    for channel in channels:
        lines += ["", f"# {channel.symbol}"]
        factors = [f"gmax_{channel.symbol}"]
        for gate in channel.gates:
            x = gate.symbol
            factors.append(gate.power(x))
            if gate.tau is None:
                continue
            lines += _lines(gate.x_inf, f"inf_{x}", gate.calcium)
            lines += _lines(gate.tau, f"tau_{x}")
            lines.append(f"d{x}/dt = (inf_{x} - {x}) / (tau_{x} * ms) : 1")
            initial[x] = gate.initial
        if (kinetics := channel.scheme) is not None:
            for (source, target), rate in kinetics.rates.items():
                lines += _lines(rate, f"k_{source}_{target}")
            lines += [f"{state} : 1" for state in kinetics.initial]
            initial |= kinetics.initial
            factors.append(kinetics.conducting)
        if not _instant(channel):
            lines.append(f"g_{channel.symbol} = {' * '.join(factors)} : siemens/meter**2")
        lines.append(f"gmax_{channel.symbol} : siemens/meter**2 (constant)")
    return lines, initial


def _exchanges(scheme: SchemeText) -> list[str]:
    """Return one step of a scheme: each exchange between two states solved exactly, there and back."""
    pairs = list(dict.fromkeys(tuple(sorted(pair)) for pair in scheme.rates))
    lines = []
    for pair, part in [
        *((pair, " / 2") for pair in pairs[:-1]),
        (pairs[-1], ""),
        *((pair, " / 2") for pair in reversed(pairs[:-1])),
    ]:
        a, b = pair
        forth, back = (f"k_{x}_{y}" if (x, y) in scheme.rates else "0" for x, y in ((a, b), (b, a)))
        lines += [
            f"both = {a} + {b}",
            f"rate = {forth} + {back}",
            f"rest = both * {back} / rate",
            f"{a} = rest + ({a} - rest) * exp(-rate * dt{part} / ms)",
            f"{b} = both - {a}",
        ]
    return lines


def _instant(channel: ChannelText) -> bool:
    return any(gate.tau is None for gate in channel.gates)


def _now(channel: ChannelText) -> list[str]:
    """Return the conductance of a channel some of whose gates follow the voltage at once."""
    lines = []
    for gate in channel.gates:
        if gate.tau is None:
            steps = assignments(gate.x_inf, gate.symbol)
            lines += [f"{step} = {render(value, _NOW)}" for step, value in steps]
    factors = [f"gmax_{channel.symbol}", *(gate.power(gate.symbol) for gate in channel.gates)]
    return [*lines, f"g_{channel.symbol} = {' * '.join(factors)}"]


def _membrane(channels: tuple[ChannelText, ...], pool: CalciumPool | None) -> list[str]:
    """Return what is done after the gates in each step."""
    instant = [channel for channel in channels if _instant(channel)]
    conductance = [line for channel in instant for line in _now(channel)]
    if instant:
        conductance.insert(0, "V_now = v / mV")
    conductance += [
        f"G = {' + '.join(f'g_{channel.symbol}' for channel in channels)}",
        f"v_inf = ({' + '.join(f'g_{c.symbol} * ({c.E_mV!r}*mV)' for c in channels)}) / G",
    ]
    lines = ["v_before = v"]
    if instant:
        # these gates are taken at the voltage in the middle of the step
        lines += [*conductance, "v = v_inf + (v - v_inf) * exp(-G * dt / (2 * C_m))"]
    lines += conductance
    feeding = [channel for channel in channels if channel.feeds_calcium]
    lines.append("v = v_inf + (v_before - v_inf) * exp(-G * dt / C_m)")
    if pool is not None:
        currents = [f"g_{c.symbol} * ((v_before + v) / 2 - ({c.E_mV!r}*mV))" for c in feeding]
        lines += [
            f"I_Ca = {' + '.join(currents)}",
            f"Ca_inf = {pool.rest_uM!r} - {pool.influx_uM_per_uA!r} * I_Ca / (uA/cm**2)",
            f"Ca = Ca_inf + (Ca - Ca_inf) * exp(-dt / ({pool.tau_ms!r}*ms))",
        ]
    return lines


def brian2_script(population: Population) -> str:
    """Return the script; it writes the spike times of all members to a CSV file."""
    neuron = get_neuron(population.neuron)
    channels = describe(neuron)
    equations, initial = _equations(channels)
    if neuron.calcium is not None:
        equations += ["", "Ca : 1  # in uM"]
        initial["Ca"] = neuron.calcium.initial_uM
    start = "".join(f"neurons.{name} = {value!r}\n" for name, value in initial.items())
    g = "".join(
        f"neurons.gmax_{c.symbol} = [float(member[{c.column!r}]) for member in MEMBERS] * msiemens/cm**2\n"
        for c in channels
    )
    path = "import sys\nfrom pathlib import Path\n" if len(population) > 1 else ""
    exchanges = [line for c in channels if c.scheme is not None for line in _exchanges(c.scheme)]
    schemes = also = ""
    if exchanges:
        lines = "\n".join(exchanges)
        schemes = f'# Exchanges between the states of kinetic schemes\nSCHEMES = """\n{lines}\n"""\n'
        also = 'neurons.run_regularly(SCHEMES, when="groups", order=1)\n'
    body, membrane = "\n".join(equations), "\n".join(_membrane(channels, neuron.calcium))
    head = comment(population, "Brian2", "Each member is one neuron of the group. Usage: python FILE --help")
    return f'''{head}
import argparse
import csv
{path}
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

{members_text(population)}
{options_text(neuron)}
C_m = {neuron.capacitance_uF!r} * uF/cm**2
EQUATIONS = """
{body}
"""
{schemes}# C_m dv/dt = -(sum of g (v - E)), solved exactly over a step with the gates as they now are.
# Gates and voltage so stand half a step apart, which makes the scheme second order in dt.
MEMBRANE = """
{membrane}
"""

defaultclock.dt = {0.25 * neuron.time_step_ms!r} * ms
neurons = NeuronGroup(
    len(MEMBERS),
    EQUATIONS,
    method="exponential_euler",
    threshold="v > {neuron.spike_threshold_mV!r}*mV",
    refractory="v > {neuron.spike_reset_mV!r}*mV",
    reset="",
)
{also}neurons.run_regularly(MEMBRANE, when="groups", order=2)

{g}
# Start: gates at their steady state at {neuron.V_initial_mV:g} mV, or as declared
neurons.v = {neuron.V_initial_mV!r} * mV
{start}
spikes = SpikeMonitor(neurons)
run(arguments.duration * ms)


{WRITE}

write([(member, spikes.t[spikes.i == i] / ms) for i, member in enumerate(MEMBERS)])
'''
