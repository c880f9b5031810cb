"""Members as models for other simulators: everything comes from the neuron's declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import NeuronModelError, SimulationError
from spike2pop_nb.export.archive import packed
from spike2pop_nb.export.simulators.for_neuroml import (
    lems_file,
    neuroml_lems,
    neuroml_model,
    neuroml_script,
)
from spike2pop_nb.export.simulators.for_scripts import (
    brian2_script,
    jaxley_script,
    mechanism,
    neuron_mod,
    neuron_script,
)
from spike2pop_nb.export.simulators.scripts import members_csv, members_file
from spike2pop_nb.files import write_whole

__all__ = ["MAX_MEMBERS", "TARGETS", "Target", "export", "simulators_zip"]

Target = Literal["neuron", "brian2", "jaxley", "neuroml"]
TARGETS: tuple[Target, ...] = get_args(Target)
MAX_MEMBERS = 10_000
_NEEDS = {
    "neuron": "pip install neuron, and a C++ compiler",
    "brian2": "pip install brian2",
    "jaxley": "pip install jaxley",
    "neuroml": "pip install pyneuroml neuron, and Java; the .nml file is valid NeuroML 2",
}
_GUIDE = """The members as models for other simulators, a folder for each.

Each script holds the equations and says where its members come from. It runs as

  python SCRIPT --duration MS --transient MS --out spike_times.csv

(by default for as long as the neuron's declaration says) and writes id, member and time_ms of every spike.

{0}
"""


def _files(population: Population, target: Target) -> dict[str, str]:
    if target not in TARGETS:
        raise SimulationError(f"There is no export to {target!r}; choose one of {', '.join(TARGETS)}.")
    if not 1 <= len(population) <= MAX_MEMBERS:
        raise SimulationError(
            f"The population has {len(population)} members; 1 to {MAX_MEMBERS} can be exported."
        )
    neuron = population.neuron
    script = f"{neuron.name}_{target}.py"
    if target == "neuron":
        made = {script: neuron_script(population), f"{mechanism(neuron)}.mod": neuron_mod(population)}
    elif target == "brian2":
        made = {script: brian2_script(population)}
    elif target == "jaxley":
        made = {script: jaxley_script(population)}
    else:
        made = {
            script: neuroml_script(population),
            f"{neuron.name}.nml": neuroml_model(population),
            lems_file(neuron): neuroml_lems(population),
        }
    if len(population) > 1:
        made[members_file(neuron)] = members_csv(population)
    return made


def export(population: Population, target: Target, folder: str | Path) -> list[Path]:
    """Write the members of a population (one or many) as a model for another simulator.

    Parameters
    ----------
    population
        Members; ``population.select([3])`` takes one.
    target
        ``"neuron"`` (a script and a mod file), ``"brian2"`` or ``"jaxley"`` (a script), or ``"neuroml"`` (a
        NeuroML 2 document, a LEMS simulation, and a script that runs it).
    folder
        Made if it is not there; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files, the script first; several members come with a table of their conductances. A script runs
        as ``python FILE`` and writes ``spike_times.csv`` (id, member, time_ms).

    Raises
    ------
    SimulationError
        If there is no member, or too many, or no such target, or the folder cannot be made, or the target
        has no such drive.
    Spike2PopError
        If a file cannot be written.
    NeuronModelError
        If a function of the neuron cannot be written as an expression (channel and gate are named).

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.simulators import export
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> [file.name for file in export(population, "brian2", mkdtemp())]
    ['stg_brian2.py', 'stg_members.csv']
    """
    made = _files(population, target)
    out = Path(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SimulationError(f"The folder {out} cannot be made: {error.strerror or error}.") from None
    for name, text in made.items():
        write_whole(out / name, text.encode())
    return [out / name for name in made]


def simulators_zip(population: Population) -> bytes:
    """Return the files of `export` for every simulator as one zip archive, a folder for each.

    A simulator that cannot have the members is left out; the README in the archive says why.

    Raises
    ------
    SimulationError, NeuronModelError
        As `export`, if no simulator can have them.

    Examples
    --------
    >>> from io import BytesIO
    >>> from zipfile import ZipFile
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.simulators import simulators_zip
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> len(ZipFile(BytesIO(simulators_zip(population))).namelist())
    12
    """
    made: dict[str, bytes] = {}
    left_out: list[SimulationError | NeuronModelError] = []
    for target in TARGETS:
        try:
            files = _files(population, target)
        except (SimulationError, NeuronModelError) as error:
            left_out.append(error)
        else:
            made |= {f"{target}/{name}": text.encode() for name, text in files.items()}
    if not made:
        raise left_out[0]
    usage = [f"  {name} needs {_NEEDS[name.split('/')[0]]}" for name in made if name.endswith(".py")]
    guide = _GUIDE.format("\n".join([*usage, *(f"\n{error}" for error in left_out)]))
    return packed({"README.txt": guide.encode(), **made})
