"""NEURON: one mechanism in a mod file, and a Python script that runs one compartment a member."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import sympy
from sympy import Expr

from spike2pop_nb import __version__
from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import initial_values
from spike2pop_nb.export.simulators.expressions import WHERE, Printer, assignments
from spike2pop_nb.export.simulators.scripts import filled, script
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = ["mechanism", "neuron_mod", "neuron_script"]

DIAMETER_UM = 20.0
SAMPLE_MS = 0.01
_LONGEST = 300  # of an expression; the translator of mod files takes lines of 512 characters


class _Printer(Printer):
    logic = ("&&", "||")

    def doprint(self, expr: Any) -> str:
        return super().doprint(expr).replace("**", "^")


_text = _Printer().doprint


def mechanism(neuron: NeuronModel) -> str:
    """Return the name of a neuron's mechanism; no mechanism that NEURON has is called so."""
    return f"{neuron.name}_currents"


def _assign(target: str, value: Expr, indent: str) -> list[str]:
    """Return the statements that give a variable its value."""
    if isinstance(value, WHERE):
        condition, yes, no = value.args
        return [
            f"{indent}if ({_text(condition)}) {{",
            *_assign(target, yes, indent + "  "),
            f"{indent}}} else {{",
            *_assign(target, no, indent + "  "),
            f"{indent}}}",
        ]
    text = _text(value)
    if len(text) > _LONGEST and isinstance(value, sympy.Add | sympy.Mul):
        left, right = value.args
        rest = _text(value.func(sympy.Symbol(target), right, evaluate=False))
        return [*_assign(target, left, indent), f"{indent}{target} = {rest}"]
    return [f"{indent}{target} = {text}"]


def _function(name: str, expression: Expr) -> str:
    """Return a FUNCTION of the voltage in mV; a condition becomes a statement before it is used."""
    *before, (_name, last) = assignments(expression, name, "v")
    lines = [f"  LOCAL {', '.join(step for step, _value in before)}"] if before else []
    for step, value in [*before, (name, last)]:
        lines += _assign(step, value, "  ")
    return "\n".join([f"FUNCTION {name}(v) {{", *lines, "}", ""])


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c if c.isprintable() else " " for c in plain)


def neuron_mod(population: Population) -> str:
    """Return the mod file of a neuron: its currents, calcium, and what is injected, in one mechanism."""
    neuron = get_neuron(population.neuron)
    about = [f"{neuron.title}, for NEURON; written by spike2pop_nb {__version__}.", *neuron.references]
    return filled(
        "mechanism.mod",
        neuron,
        [_ascii(line) for line in about],
        mechanism=mechanism(neuron),
        states=initial_values(neuron, rest=True),
        function=_function,
        drive=population.driven,
        inhibited=population.inhibition is not None,
    )


def neuron_script(population: Population) -> str:
    """Return the script; it writes the spike times of all members to a CSV file."""
    area = math.pi * DIAMETER_UM**2
    return script(
        "neuron.py",
        population,
        "NEURON",
        f"A member is a cylinder of {DIAMETER_UM:g} um in length and diameter, {area:.6g} um2; all",
        "quantities are densities, so that the area changes nothing. The mod file beside this script is",
        "compiled first, which needs a C++ compiler, and anew once it has changed. Usage: python FILE --help",
        mechanism=mechanism(get_neuron(population.neuron)),
        diameter_um=DIAMETER_UM,
        sample_ms=SAMPLE_MS,
    )
