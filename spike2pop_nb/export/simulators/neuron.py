"""NEURON: one mechanism in a mod file, and a Python script with a one-compartment section a member."""

from __future__ import annotations

import math

from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import channel_symbol, describe, gates, header, scheme
from spike2pop_nb.export.simulators.expressions import Expression, Printer, render
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = ["neuron_mod", "neuron_script"]

DIAMETER_UM = 20.0
DT_MS = 0.005
_LONGEST = 300  # of a line; the translator of mod files takes 512 characters
_WORDS = {
    "pow": "(({0})^({1}))",
    "and": "({0} && {1})",
    "or": "({0} || {1})",
    "not": "(!{0})",
}


def _function(name: str, expression: Expression) -> str:
    """Return a FUNCTION of the voltage in mV; a condition becomes a block of its own."""
    local: list[str] = []
    lines: list[str] = []

    def assign(target: str, value: Expression, indent: str) -> None:
        if value.operation == "where":
            condition, yes, no = value.operands
            test = hoist(condition, indent)
            lines.append(f"{indent}if ({test}) {{")
            assign(target, yes, indent + "  ")
            lines.append(f"{indent}}} else {{")
            assign(target, no, indent + "  ")
            lines.append(f"{indent}}}")
        elif (
            value.operation in tuple("+-*/")
            and not _conditional(value)
            and len(render(value, _PRINTER)) > _LONGEST
        ):
            left, right = value.operands
            assign(target, left, indent)
            lines.append(f"{indent}{target} = {target} {value.operation} {hoist(right, indent)}")
        else:
            text = hoist(value, indent)
            lines.append(f"{indent}{target} = {text}")

    def hoist(value: Expression, indent: str) -> str:
        """Return the text of an expression after assigning what is conditional in it to variables."""
        if not _conditional(value):
            return render(value, _PRINTER)
        if value.operation == "where":
            variable = f"w{len(local)}"
            local.append(variable)
            assign(variable, value, indent)
            return variable
        operands = [hoist(operand, indent) for operand in value.operands]
        names = {f"@{i}": text for i, text in enumerate(operands)}
        text = render(
            Expression(value.operation, tuple(Expression("V") for _ in operands)),
            Printer("@", _where, _WORDS),
        )
        parts = text.split("@")
        return "".join(part + extra for part, extra in zip(parts, [*names.values(), ""], strict=True))

    assign(name, expression, "  ")
    declared = f"  LOCAL {', '.join(local)}\n" if local else ""
    return f"FUNCTION {name}(v) {{\n{declared}" + "\n".join(lines) + "\n}\n"


def _where(condition: str, yes: str, no: str) -> str:
    raise AssertionError("conditions are hoisted before an expression is printed")


_PRINTER = Printer("v", _where, _WORDS)


def _conditional(value: Expression) -> bool:
    return value.operation == "where" or any(_conditional(operand) for operand in value.operands)


def neuron_mod(neuron: NeuronModel) -> str:
    """Return the mod file of a neuron: all its currents and its calcium pool in one mechanism."""
    states: dict[str, float] = {}
    assigned: list[str] = []
    derivatives: list[str] = []
    kinetic: list[str] = []
    current: list[str] = []
    functions: list[str] = []
    for channel in neuron.channels:
        name = channel_symbol(channel)
        factors = [f"gmax_{name}"]
        for gate in gates(neuron, channel):
            x = gate.symbol
            functions.append(_function(f"inf_{x}", gate.x_inf))
            base = x if gate.tau is not None else f"inf_{x}(v)"
            factors.append(f"{base}^{gate.exponent}" if gate.exponent > 1 else base)
            if gate.tau is not None:
                functions.append(_function(f"tau_{x}", gate.tau))
                calcium = f" * Ca / (Ca + {gate.half_uM!r})" if gate.half_uM else ""
                derivatives.append(f"  {x}' = (inf_{x}(v){calcium} - {x}) / tau_{x}(v)")
                states[x] = gate.initial
        if (kinetics := scheme(neuron, channel)) is not None:
            states |= kinetics.initial
            pairs: dict[tuple[str, str], list[str]] = {}
            for (source, target), rate in kinetics.rates.items():
                functions.append(_function(f"k_{source}_{target}", rate))
                forward = (target, source) not in pairs
                pairs.setdefault((source, target) if forward else (target, source), ["0", "0"])[
                    0 if forward else 1
                ] = f"k_{source}_{target}(v)"
            for (source, target), (forth, back) in pairs.items():
                kinetic.append(f"  ~ {source} <-> {target} ({forth}, {back})")
            kinetic.append(f"  CONSERVE {' + '.join(kinetics.initial)} = 1")
            factors.append(kinetics.conducting)
        assigned.append(f"  current_{name} (mA/cm2)")
        # 1e-3 turns uA/cm2 into mA/cm2
        current.append(f"  current_{name} = (1e-3) * {' * '.join(factors)} * (v - ({channel.E_mV!r}))")
    if (pool := neuron.calcium) is not None:
        feeding = [f"current_{channel_symbol(c)}" for c in neuron.channels if c.name in pool.channels]
        influx = f"{pool.influx_uM_per_uA!r} * (1e3) * ({' + '.join(feeding)})"
        derivatives.append(f"  Ca' = (-{influx} - Ca + {pool.rest_uM!r}) / {pool.tau_ms!r}")
        states["Ca"] = pool.initial_uM
    symbols = [channel_symbol(channel) for channel in neuron.channels]
    solves = ["  SOLVE gating METHOD cnexp"] if derivatives else []
    solves += ["  SOLVE kinetics METHOD sparse"] if kinetic else []
    blocks = "DERIVATIVE gating {\n" + "\n".join(derivatives) + "\n}\n\n" if derivatives else ""
    blocks += "KINETIC kinetics {\n" + "\n".join(kinetic) + "\n}\n\n" if kinetic else ""
    newline = "\n"
    return f"""TITLE {neuron.name}

COMMENT
{newline.join(header(neuron))}
ENDCOMMENT

NEURON {{
  SUFFIX {neuron.name}
  NONSPECIFIC_CURRENT i
  RANGE {", ".join(f"gmax_{symbol}, current_{symbol}" for symbol in symbols)}
}}

UNITS {{
  (mA) = (milliamp)
  (mV) = (millivolt)
}}

PARAMETER {{
{newline.join(f"  gmax_{symbol} = 0" for symbol in symbols)}
}}

ASSIGNED {{
  v (mV)
  i (mA/cm2)
{newline.join(assigned)}
}}

STATE {{
{newline.join(f"  {state}" for state in states)}
}}

INITIAL {{
{newline.join(f"  {state} = {value!r}" for state, value in states.items())}
}}

BREAKPOINT {{
{newline.join([*solves, *current])}
  i = {" + ".join(f"current_{symbol}" for symbol in symbols)}
}}

{blocks}{newline.join(functions)}"""


def neuron_script(population: Population) -> str:
    """Return the script; run with a duration in ms, it writes spike_times.csv (id/member, time_ms)."""
    neuron = get_neuron(population.neuron)
    members = describe(population)
    head = "".join(f"# {line}\n" for line in header(neuron))
    listed = "".join(f"    ({label!r}, {values!r}),\n" for label, values in members)
    threshold, reset = neuron.spike_threshold_mV, neuron.spike_reset_mV
    return f"""{head}# A member is a cylinder of {DIAMETER_UM:g} um in length and diameter,
# {math.pi * DIAMETER_UM**2:.6g} um2; all quantities are densities, so that the area changes nothing.
# Usage: nrnivmodl in this folder, then python FILE [duration in ms]; writes spike_times.csv.

import csv
import sys

from neuron import h

# (id/member, maximal conductances in mS/cm2)
MEMBERS = [
{listed}]

h.load_file("stdrun.hoc")
recorded = []
for label, conductances in MEMBERS:
    cell = h.Section(name=f"member_{{len(recorded)}}")
    cell.L = cell.diam = {DIAMETER_UM!r}
    cell.nseg = 1
    cell.cm = {neuron.capacitance_uF!r}
    cell.insert({neuron.name!r})
    for channel, g in conductances.items():
        setattr(cell(0.5), f"gmax_{{channel}}_{neuron.name}", g)
    voltage = h.Vector()
    voltage.record(cell(0.5)._ref_v)
    recorded.append((label, cell, voltage))
h.dt = {DT_MS!r}
h.steps_per_ms = 1 / h.dt
h.finitialize({neuron.V_initial_mV!r})
h.continuerun(float(sys.argv[1]) if len(sys.argv) > 1 else {neuron.recording_window_ms[1]!r})

# A spike is an upward crossing of {threshold:g} mV after a fall below {reset:g} mV.
with open("spike_times.csv", "w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["member", "time_ms"])
    for label, cell, voltage in recorded:
        armed, before = True, {neuron.V_initial_mV!r}
        for step, now in enumerate(voltage):
            if armed and before < {threshold!r} <= now:
                share = ({threshold!r} - before) / (now - before)
                table.writerow([label, (step - 1 + share) * h.dt])
                armed = False
            armed = armed or now < {reset!r}
            before = now
"""
