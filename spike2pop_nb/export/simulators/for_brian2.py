"""A Brian2 script: one NeuronGroup that holds all members."""

from __future__ import annotations

from sympy import Expr

from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import SchemeText, describe, initial_values
from spike2pop_nb.export.simulators.expressions import WHERE, Printer, assignments
from spike2pop_nb.export.simulators.scripts import script
from spike2pop_nb.neurons import get_neuron

__all__ = ["brian2_script"]


class _Printer(Printer):
    logic = ("and", "or")

    def _print_Function(self, e: Expr) -> str:
        if not isinstance(e, WHERE):
            return super()._print_Function(e)
        return "int({0}) * ({1}) + int(not ({0})) * ({2})".format(*map(self._print, e.args))


_text = _Printer().doprint


def _equations(expression: Expr, name: str) -> str:
    return "\n".join(f"{step} = {_text(value)} : 1" for step, value in assignments(expression, name))


def _statements(expression: Expr, name: str, factor: str = "") -> str:
    # a constant, too, has one value for each neuron
    flat = "" if expression.free_symbols else " + 0 * V_now"
    lines = [f"{step} = {_text(value)}{flat}" for step, value in assignments(expression, name, "V_now")]
    return "\n".join([*lines, f"{name} = {name}{factor}"] if factor else lines)


def _exchanges(scheme: SchemeText) -> list[dict[str, str]]:
    """Return one step of a scheme: each exchange between two states solved exactly, there and back."""
    found = []
    for a, b, part in scheme.exchanges():
        forth, back = (f"k_{x}_{y}" if (x, y) in scheme.rates else "0" for x, y in ((a, b), (b, a)))
        found.append({"a": a, "b": b, "forth": forth, "back": back, "part": "" if part == 1 else " / 2"})
    return found


def brian2_script(population: Population) -> str:
    """Return the script; it writes the spike times of all members to a CSV file."""
    neuron = get_neuron(population.neuron)
    channels = describe(neuron)
    return script(
        "brian2.py",
        population,
        "Brian2",
        "Each member is one neuron of the group. Usage: python FILE --help",
        equations=_equations,
        statements=_statements,
        instant=any(channel.instant for channel in channels),
        exchanges=[pair for c in channels if c.scheme is not None for pair in _exchanges(c.scheme)],
        initial=initial_values(neuron),
    )
