"""Members as models for other simulators: everything comes from the neuron's declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.export.simulators.brian2 import brian2_script
from spike2pop_nb.export.simulators.neuron import neuron_mod, neuron_script
from spike2pop_nb.neurons import get_neuron

__all__ = ["MAX_MEMBERS", "Target", "export"]

Target = Literal["brian2", "neuron"]
MAX_MEMBERS = 10_000


def export(population: Population, target: Target, folder: str | Path) -> list[Path]:
    """Write the members of a population (one or many) as a model for another simulator.

    Parameters
    ----------
    population
        Members; ``population.select([3])`` takes one.
    target
        ``"brian2"`` (a script) or ``"neuron"`` (a mod file and a script).
    folder
        Made if it is not there; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files. A script takes the duration in ms and writes ``spike_times.csv``.

    Raises
    ------
    SimulationError
        If there is no member, or too many, or no such target.
    NeuronModelError
        If a function of the neuron cannot be written as an expression.
    """
    if target not in get_args(Target):
        raise SimulationError(
            f"There is no export to {target!r}; choose one of {', '.join(get_args(Target))}."
        )
    if not 1 <= len(population) <= MAX_MEMBERS:
        raise SimulationError(
            f"The population has {len(population)} members; 1 to {MAX_MEMBERS} can be exported."
        )
    neuron = get_neuron(population.neuron)
    if target == "brian2":
        files = {f"{neuron.name}_brian2.py": brian2_script(population)}
    else:
        files = {
            f"{neuron.name}.mod": neuron_mod(neuron),
            f"{neuron.name}_neuron.py": neuron_script(population),
        }
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (out / name).write_text(text, encoding="utf-8")
    return [out / name for name in files]
