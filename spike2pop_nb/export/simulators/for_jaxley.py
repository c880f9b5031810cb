"""A Jaxley script: one channel that holds all currents, and members side by side."""

from __future__ import annotations

from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import initial_values
from spike2pop_nb.export.simulators.expressions import Expression, Printer, assignments, render
from spike2pop_nb.export.simulators.scripts import script
from spike2pop_nb.neurons import get_neuron

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
    return "\n".join([f"def {name}(v):", *lines, f"    return {render(last, _PRINTER)}{flat}"])


def _depends(expression: Expression) -> bool:
    return expression.operation == "V" or any(map(_depends, expression.operands))


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
    )
