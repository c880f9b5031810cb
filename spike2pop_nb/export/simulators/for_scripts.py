"""Scripts for NEURON, with its mechanism in a mod file, for Brian2 and for Jaxley."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import sympy
from sympy import Expr

from spike2pop_nb import __version__
from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import SchemeText, describe, initial_values
from spike2pop_nb.export.simulators.expressions import WHERE, Printer, assignments
from spike2pop_nb.export.simulators.scripts import filled, script
from spike2pop_nb.neurons import NeuronModel

__all__ = ["brian2_script", "jaxley_script", "mechanism", "neuron_mod", "neuron_script"]

DIAMETER_UM, SAMPLE_MS = 20.0, 0.01  # of a compartment in NEURON
_LONGEST = 300  # of an expression; the translator of mod files takes lines of 512 characters
_SIDE_BY_SIDE = 16
_RADIUS_UM, _LENGTH_UM = 10.0, 20.0  # in Jaxley; all else are densities, so that they change nothing


class _InNeuron(Printer):
    logic = ("&&", "||")

    def doprint(self, expr: Any) -> str:
        return super().doprint(expr).replace("**", "^")


class _InBrian2(Printer):
    logic = ("and", "or")

    def _print_Function(self, e: Expr) -> str:
        if not isinstance(e, WHERE):
            return super()._print_Function(e)
        return "int({0}) * ({1}) + int(not ({0})) * ({2})".format(*map(self._print, e.args))


class _InJaxley(Printer):
    def _print_Function(self, e: Expr) -> str:
        return f"jnp.{super()._print_Function(e)}"


def mechanism(neuron: NeuronModel) -> str:
    """Return the name of a neuron's mechanism; no mechanism that NEURON has is called so."""
    return f"{neuron.name}_currents"


def neuron_mod(population: Population) -> str:
    """Return the mod file of a neuron: its currents, calcium, and what is injected, in one mechanism."""
    neuron = population.neuron
    about = [f"{neuron.title}, for NEURON; written by spike2pop_nb {__version__}.", *neuron.references]
    return filled(
        "mechanism.mod",
        neuron,
        [_ascii(line) for line in about],
        mechanism=mechanism(neuron),
        states=initial_values(neuron, rest=True),
        function=_neuron_function,
        drive=population.driven,
        inhibited=population.inhibition is not None,
    )


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c if c.isprintable() else " " for c in plain)


def _neuron_function(name: str, expression: Expr) -> str:
    """Return a FUNCTION of the voltage in mV; a condition becomes a statement before it is used."""
    *before, (_name, last) = assignments(expression, name, "v")
    lines = [f"  LOCAL {', '.join(step for step, _value in before)}"] if before else []
    for step, value in [*before, (name, last)]:
        lines += _assign(step, value, "  ")
    return "\n".join([f"FUNCTION {name}(v) {{", *lines, "}", ""])


def _assign(target: str, value: Expr, indent: str) -> list[str]:
    """Return the statements that give a variable its value."""
    written = _InNeuron().doprint
    if isinstance(value, WHERE):
        condition, yes, no = value.args
        return [
            f"{indent}if ({written(condition)}) {{",
            *_assign(target, yes, indent + "  "),
            f"{indent}}} else {{",
            *_assign(target, no, indent + "  "),
            f"{indent}}}",
        ]
    text = written(value)
    if len(text) > _LONGEST and isinstance(value, sympy.Add | sympy.Mul):
        left, right = value.args
        rest = written(value.func(sympy.Symbol(target), right, evaluate=False))
        return [*_assign(target, left, indent), f"{indent}{target} = {rest}"]
    return [f"{indent}{target} = {text}"]


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
        mechanism=mechanism(population.neuron),
        diameter_um=DIAMETER_UM,
        sample_ms=SAMPLE_MS,
    )


def brian2_script(population: Population) -> str:
    """Return the script, one NeuronGroup of all members; it writes their spike times to a CSV file."""
    channels = describe(population.neuron)
    return script(
        "brian2.py",
        population,
        "Brian2",
        "Each member is one neuron of the group. Usage: python FILE --help",
        equations=_equations,
        statements=_statements,
        instant=any(channel.instant for channel in channels),
        exchanges=[pair for c in channels if c.scheme is not None for pair in _exchanges(c.scheme)],
        initial=initial_values(population.neuron),
    )


def _equations(expression: Expr, name: str) -> str:
    written = _InBrian2().doprint
    return "\n".join(f"{step} = {written(value)} : 1" for step, value in assignments(expression, name))


def _statements(expression: Expr, name: str, factor: str = "") -> str:
    written = _InBrian2().doprint
    # a constant, too, has one value for each neuron
    flat = "" if expression.free_symbols else " + 0 * V_now"
    lines = [f"{step} = {written(value)}{flat}" for step, value in assignments(expression, name, "V_now")]
    return "\n".join([*lines, f"{name} = {name}{factor}"] if factor else lines)


def _exchanges(scheme: SchemeText) -> list[dict[str, str]]:
    """Return one step of a scheme: each exchange between two states solved exactly, there and back."""
    found = []
    for a, b, part in scheme.exchanges():
        forth, back = (f"k_{x}_{y}" if (x, y) in scheme.rates else "0" for x, y in ((a, b), (b, a)))
        found.append({"a": a, "b": b, "forth": forth, "back": back, "part": "" if part == 1 else " / 2"})
    return found


def jaxley_script(population: Population) -> str:
    """Return the script, one channel that holds all currents; it writes spike times to a CSV file."""
    return script(
        "jaxley.py",
        population,
        "Jaxley",
        "Usage: python FILE --help",
        function=_jaxley_function,
        initial=initial_values(population.neuron),
        side_by_side=_SIDE_BY_SIDE,
        radius_um=_RADIUS_UM,
        length_um=_LENGTH_UM,
    )


def _jaxley_function(name: str, expression: Expr) -> str:
    written = _InJaxley().doprint
    *before, (_name, last) = assignments(expression, name, "v")
    lines = [f"    {step} = {written(value)}" for step, value in before]
    # a constant, too, has one value for each voltage
    flat = "" if expression.free_symbols else " + 0.0 * v"
    return "\n".join([f"def {name}(v):", *lines, f"    return {written(last)}{flat}"])
