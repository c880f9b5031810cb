"""A Jaxley script: one channel that holds all currents, and members side by side."""

from __future__ import annotations

from sympy import Expr

from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import initial_values
from spike2pop_nb.export.simulators.expressions import Printer, assignments
from spike2pop_nb.export.simulators.scripts import script
from spike2pop_nb.neurons import get_neuron

__all__ = ["jaxley_script"]

_SIDE_BY_SIDE = 16
_RADIUS_UM, _LENGTH_UM = 10.0, 20.0  # all else are densities, so that they change nothing


class _Printer(Printer):
    def _print_Function(self, e: Expr) -> str:
        return f"jnp.{super()._print_Function(e)}"


_text = _Printer().doprint


def _function(name: str, expression: Expr) -> str:
    *before, (_name, last) = assignments(expression, name, "v")
    lines = [f"    {step} = {_text(value)}" for step, value in before]
    # a constant, too, has one value for each voltage
    flat = "" if expression.free_symbols else " + 0.0 * v"
    return "\n".join([f"def {name}(v):", *lines, f"    return {_text(last)}{flat}"])


def jaxley_script(population: Population) -> str:
    """Return the script; it writes the spike times of all members to a CSV file."""
    return script(
        "jaxley.py",
        population,
        "Jaxley",
        "Usage: python FILE --help",
        function=_function,
        initial=initial_values(get_neuron(population.neuron)),
        side_by_side=_SIDE_BY_SIDE,
        radius_um=_RADIUS_UM,
        length_um=_LENGTH_UM,
    )
