"""A Jaxley script: one channel that holds all currents, and members side by side."""

from __future__ import annotations

from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import ChannelText, SchemeText, describe
from spike2pop_nb.export.simulators.expressions import Expression, Printer, assignments, render
from spike2pop_nb.export.simulators.script import comment, members_text, options_text, spikes_text
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = ["jaxley_script"]

_PRINTER = Printer(
    "v",
    {
        "exp": "jnp.exp({0})",
        "log": "jnp.log({0})",
        "sqrt": "jnp.sqrt({0})",
        "where": "jnp.where({0}, {1}, {2})",
        "and": "({0} & {1})",
        "or": "({0} | {1})",
        "not": "(~{0})",
    },
)
_SIDE_BY_SIDE = 16


def _function(name: str, expression: Expression) -> str:
    *before, (_name, last) = assignments(expression, name)
    lines = [f"    {step} = {render(value, _PRINTER)}" for step, value in before]
    # a constant, too, has one value for each voltage
    flat = "" if _depends(expression) else " + 0.0 * v"
    return "\n".join([f"def {name}(v):", *lines, f"    return {render(last, _PRINTER)}{flat}"]) + "\n"


def _depends(expression: Expression) -> bool:
    return expression.operation == "V" or any(map(_depends, expression.operands))


def _step(name: str, scheme: SchemeText) -> str:
    """Return the function that moves a scheme on by one step: the trapezoidal rule, stable at any rate."""
    place = {state: i for i, state in enumerate(scheme.initial)}
    lines = []
    for source, target in scheme.rates:
        i, j = place[source], place[target]
        lines.append(f"    k = k_{source}_{target}(v)")
        lines.append(f"    rates = rates.at[..., {j}, {i}].add(k).at[..., {i}, {i}].add(-k)")
    n = len(place)
    body = "\n".join(lines)
    return f'''def step_{name}(fractions, dt, v):
    """Return the fractions of {", ".join(place)} after a step."""
    rates = jnp.zeros((*v.shape, {n}, {n}))
{body}
    half, one = 0.5 * dt * rates, jnp.eye({n})
    x = jnp.stack(fractions, axis=-1)[..., None]
    return jnp.linalg.solve(one - half, (one + half) @ x)[..., 0]
'''


def _updates(channels: tuple[ChannelText, ...], neuron: NeuronModel) -> list[str]:
    lines = []
    for channel in channels:
        for gate in channel.gates:
            if gate.tau is not None:
                x = gate.symbol
                inf = f"inf_{x}(v){gate.calcium}"
                lines.append(f'new["{x}"] = exponential_euler(states["{x}"], dt, {inf}, tau_{x}(v))')
        if (kinetics := channel.scheme) is not None:
            fractions = ", ".join(f'states["{state}"]' for state in kinetics.initial)
            lines.append(f"after = step_{channel.symbol}([{fractions}], dt, v)")
            lines += [f'new["{state}"] = after[..., {i}]' for i, state in enumerate(kinetics.initial)]
    if (pool := neuron.calcium) is not None:
        feeding = [f'now["{channel.symbol}"]' for channel in channels if channel.feeds_calcium]
        lines.insert(0, 'Ca = states["Ca"]')
        lines += [
            "now = self.currents({**states, **new}, v, params)",
            f"Ca_inf = {pool.rest_uM!r} - {pool.influx_uM_per_uA!r} * 1e3 * ({' + '.join(feeding)})",
            f'new["Ca"] = exponential_euler(Ca, dt, Ca_inf, {pool.tau_ms!r})',
        ]
    return lines


def _currents(channels: tuple[ChannelText, ...]) -> list[str]:
    lines = []
    for channel in channels:
        factors = [f'params["gmax_{channel.symbol}"]']
        for gate in channel.gates:
            x = gate.symbol
            factors.append(gate.power(f'states["{x}"]' if gate.tau is not None else f"inf_{x}(v)"))
        if channel.scheme is not None:
            factors.append(f'states["{channel.scheme.conducting}"]')
        lines.append(f'"{channel.symbol}": {" * ".join(factors)} * (v - ({channel.E_mV!r})),')
    return lines


def jaxley_script(population: Population) -> str:
    """Return the script; it writes the spike times of all members to a CSV file."""
    neuron = get_neuron(population.neuron)
    channels = describe(neuron)
    functions: list[str] = []
    states: dict[str, float] = {}
    for channel in channels:
        for gate in channel.gates:
            functions.append(_function(f"inf_{gate.symbol}", gate.x_inf))
            if gate.tau is not None:
                functions.append(_function(f"tau_{gate.symbol}", gate.tau))
                states[gate.symbol] = gate.initial
        if channel.scheme is not None:
            functions += [_function(f"k_{a}_{b}", rate) for (a, b), rate in channel.scheme.rates.items()]
            functions.append(_step(channel.symbol, channel.scheme))
            states |= channel.scheme.initial
    if neuron.calcium is not None:
        states["Ca"] = neuron.calcium.initial_uM
    newline = "\n"
    indent = "\n        "
    path = "import sys\nfrom pathlib import Path\n" if len(population) > 1 else ""
    head = comment(population, "Jaxley", "Usage: python FILE --help")
    return f'''{head}
import argparse
import csv
{path}
import jax
import jax.numpy as jnp
import jaxley as jx
import numpy as np
from jaxley.channels import Channel
from jaxley.solver_gate import exponential_euler

jax.config.update("jax_enable_x64", True)

{members_text(population)}
{options_text(neuron)}

{(newline * 2).join(functions)}

class Currents(Channel):
    """All currents of the neuron and its calcium, if it has any."""

    def __init__(self, name=None):
        self.current_is_in_mA_per_cm2 = True
        super().__init__(name)
        self.channel_params = {{  # in S/cm2
{newline.join(f'            "gmax_{channel.symbol}": 0.0,' for channel in channels)}
        }}
        # gates at their steady state at {neuron.V_initial_mV:g} mV, or as declared
        self.channel_states = {{
{newline.join(f'            "{name}": {value!r},' for name, value in states.items())}
        }}
        self.current_name = "i_currents"

    def update_states(self, states, dt, v, params):
        """Return the states after a step at this voltage."""
        new = {{}}
        {indent.join(_updates(channels, neuron))}
        return new

    def currents(self, states, v, params):
        """Return each current in mA/cm2."""
        return {{
            {(indent + "    ").join(_currents(channels))}
        }}

    def compute_current(self, states, v, params):
        """Return the sum of all currents in mA/cm2."""
        return sum(self.currents(states, v, params).values())

{spikes_text(neuron)}

cell = jx.Compartment()
cell.insert(Currents())
cell.set("capacitance", {neuron.capacitance_uF!r})
cell.set("v", {neuron.V_initial_mV!r})
cell.record("v", verbose=False)
DT = {0.25 * neuron.time_step_ms!r}
# column of a member, parameter
CONDUCTANCES = [
{newline.join(f'    ({channel.column!r}, "gmax_{channel.symbol}"),' for channel in channels)}
]


@jax.jit
@jax.vmap
def voltage(g):
    """Return the voltage in mV of a member with these conductances in S/cm2."""
    chosen = None
    for k, (_column, parameter) in enumerate(CONDUCTANCES):
        chosen = cell.data_set(parameter, g[k], chosen)
    steps = {{"t_max": arguments.duration, "delta_t": DT, "solver": "crank_nicolson"}}
    return jx.integrate(cell, param_state=chosen, **steps)[0]


spikes = []
for first in range(0, len(MEMBERS), {_SIDE_BY_SIDE}):  # side by side, but not more than memory holds
    some = MEMBERS[first : first + {_SIDE_BY_SIDE}]
    g = np.array([[1e-3 * float(member[column]) for column, _parameter in CONDUCTANCES] for member in some])
    for member, v in zip(some, np.asarray(voltage(g))):
        spikes.append((member, spike_times(DT * np.arange(v.size), v)))
write(spikes)
'''
