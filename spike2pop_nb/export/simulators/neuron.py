"""NEURON: one mechanism in a mod file, and a Python script that runs one compartment a member."""

from __future__ import annotations

import math
import unicodedata

from spike2pop_nb import __version__
from spike2pop_nb.conductances import Population
from spike2pop_nb.export.simulators.description import describe
from spike2pop_nb.export.simulators.expressions import Expression, Printer, assignments, render
from spike2pop_nb.export.simulators.script import comment, members_text, options_text, spikes_text
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = ["mechanism", "neuron_mod", "neuron_script"]

DIAMETER_UM = 20.0
SAMPLE_MS = 0.01
_LONGEST = 300  # of an expression; the translator of mod files takes lines of 512 characters
_PRINTER = Printer("v", {"pow": "{0}^{1}", "and": "{0} && {1}", "or": "{0} || {1}", "not": "!{0}"})


def mechanism(neuron: NeuronModel) -> str:
    """Return the name of a neuron's mechanism; no mechanism that NEURON has is called so."""
    return f"{neuron.name}_currents"


def _assign(target: str, value: Expression, indent: str) -> list[str]:
    """Return the statements that give a variable its value."""
    if value.operation == "where":
        condition, yes, no = value.operands
        return [
            f"{indent}if ({render(condition, _PRINTER)}) {{",
            *_assign(target, yes, indent + "  "),
            f"{indent}}} else {{",
            *_assign(target, no, indent + "  "),
            f"{indent}}}",
        ]
    text = render(value, _PRINTER)
    if len(text) > _LONGEST and value.operation in ("+", "-", "*", "/"):
        left, right = value.operands
        rest = render(Expression(value.operation, (Expression("name", name=target), right)), _PRINTER)
        return [*_assign(target, left, indent), f"{indent}{target} = {rest}"]
    return [f"{indent}{target} = {text}"]


def _function(name: str, expression: Expression) -> str:
    """Return a FUNCTION of the voltage in mV; a condition becomes a statement before it is used."""
    *before, (_name, last) = assignments(expression, name)
    lines = [f"  LOCAL {', '.join(step for step, _value in before)}"] if before else []
    for step, value in [*before, (name, last)]:
        lines += _assign(step, value, "  ")
    return f"FUNCTION {name}(v) {{\n" + "\n".join(lines) + "\n}\n"


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c if c.isprintable() else " " for c in plain)


def neuron_mod(neuron: NeuronModel) -> str:
    """Return the mod file of a neuron: all its currents and its calcium pool in one mechanism."""
    states: dict[str, float] = {}
    derivatives: list[str] = []
    current: list[str] = []
    functions: list[str] = []
    channels = describe(neuron)
    for channel in channels:
        factors = [f"gmax_{channel.symbol}"]
        for gate in channel.gates:
            x = gate.symbol
            functions.append(_function(f"inf_{x}", gate.x_inf))
            factors.append(gate.power(x if gate.tau is not None else f"inf_{x}(v)", "^"))
            if gate.tau is not None:
                functions.append(_function(f"tau_{x}", gate.tau))
                derivatives.append(f"  {x}' = (inf_{x}(v){gate.calcium} - {x}) / tau_{x}(v)")
                states[x] = gate.initial
        if (kinetics := channel.scheme) is not None:
            functions += [_function(f"k_{a}_{b}", rate) for (a, b), rate in kinetics.rates.items()]
            eliminated, *free = kinetics.initial
            rest = f"(1 - {' - '.join(free)})"
            states |= {state: kinetics.initial[state] for state in free}
            derivatives += [
                f"  {state}' = {kinetics.change(state, {eliminated: rest}, '(v)')}" for state in free
            ]
            factors.append(rest if kinetics.conducting == eliminated else kinetics.conducting)
        # 1e-3 turns uA/cm2 into mA/cm2
        current.append(
            f"  current_{channel.symbol} = (1e-3) * {' * '.join(factors)} * (v - ({channel.E_mV!r}))"
        )
    symbols = [channel.symbol for channel in channels]
    if (pool := neuron.calcium) is not None:
        feeding = [f"current_{channel.symbol}" for channel in channels if channel.feeds_calcium]
        influx = f"{pool.influx_uM_per_uA!r} * (1e3) * ({' + '.join(feeding)})"
        derivatives.append(f"  Ca' = (-{influx} - Ca + {pool.rest_uM!r}) / {pool.tau_ms!r}")
        states["Ca"] = pool.initial_uM
    solves = ["  SOLVE gating METHOD cnexp"] if derivatives else []
    blocks = "DERIVATIVE gating {\n" + "\n".join(derivatives) + "\n}\n\n" if derivatives else ""
    newline = "\n"
    about = [f"{neuron.title}, for NEURON; written by spike2pop_nb {__version__}.", *neuron.references]
    return f"""TITLE {neuron.name}

COMMENT
{newline.join(_ascii(line) for line in about)}
V in mV, t in ms, conductances in mS/cm2, currents in mA/cm2, calcium in uM.
ENDCOMMENT

NEURON {{
  SUFFIX {mechanism(neuron)}
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
{newline.join(f"  current_{symbol} (mA/cm2)" for symbol in symbols)}
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
    """Return the script; it writes the spike times of all members to a CSV file."""
    neuron = get_neuron(population.neuron)
    name, area = mechanism(neuron), math.pi * DIAMETER_UM**2
    g = "".join(
        f"    cell(0.5).gmax_{channel.symbol}_{name} = float(member[{channel.column!r}])\n"
        for channel in describe(neuron)
    )
    head = comment(
        population,
        "NEURON",
        f"A member is a cylinder of {DIAMETER_UM:g} um in length and diameter, {area:.6g} um2; all",
        "quantities are densities, so that the area changes nothing. The mod file beside this script is",
        "compiled first, which needs a C++ compiler, and anew once it has changed. Usage: python FILE --help",
    )
    return f"""{head}
import argparse
import csv
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

{members_text(population)}
{options_text(neuron)}


def compiled(mod, place):
    \"\"\"Return the library of a mod file, built in a place whose path has no blanks or accents.\"\"\"
    (place / mod.name).write_bytes(mod.read_bytes())
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    build = subprocess.run(
        ["nrnivmodl", mod.name],
        cwd=place,
        env={{**os.environ, "PATH": beside}},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    libraries = [file for file in place.glob("*/*nrnmech.*") if file.suffix in (".so", ".dylib", ".dll")]
    if build.returncode or not libraries:
        sys.exit(f"{{build.stdout}}\\n{{mod.name}} could not be compiled; the lines above say why.")
    return libraries[0]


mod = Path(__file__).resolve().with_name("{name}.mod")
before = os.getcwd()
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    # NEURON loads at its start what was ever compiled in the folder it is started in.
    os.chdir(folder)
    import neuron
    from neuron import h

    os.chdir(before)
    if hasattr(h, "{name}"):
        sys.exit("NEURON has loaded another mechanism {name} as it started: unset NRN_NMODL_PATH.")
    # The library is kept under what it was made of, so that a changed mod file is compiled anew.
    machine = repr((neuron.__version__, platform.platform(), sys.version_info[:2]))
    made_of = mod.read_bytes() + machine.encode()
    kept = mod.with_name(f"{name}_{{hashlib.sha256(made_of).hexdigest()[:16]}}.lib")
    place = Path(folder)
    if kept.is_file():
        library = Path(shutil.copyfile(kept, place / "libnrnmech.so"))
    else:
        library = compiled(mod, place)
        try:
            part = kept.with_name(f"{{kept.name}}.{{os.getpid()}}")
            shutil.copyfile(library, part)
            part.replace(kept)
        except OSError:
            pass  # where nothing can be kept, it is compiled at each start
    if not h.nrn_load_dll(str(library)):
        sys.exit(f"NEURON could not load what was compiled from {{mod.name}}.")


def simulate(member):
    \"\"\"Return time in ms and voltage in mV.\"\"\"
    cell = h.Section(name="cell")
    cell.L = cell.diam = {DIAMETER_UM!r}
    cell.cm = {neuron.capacitance_uF!r}
    cell.insert("{name}")
{g}    voltage = h.Vector()
    voltage.record(cell(0.5)._ref_v, {SAMPLE_MS!r})
    h.finitialize({neuron.V_initial_mV!r})
    h.continuerun(arguments.duration)
    v = voltage.as_numpy().copy()
    return {SAMPLE_MS!r} * np.arange(v.size), v

{spikes_text(neuron)}

h.load_file("stdrun.hoc")
steps = h.CVode()  # of varying length
steps.active(True)
steps.atol(1e-6)
write([(member, spike_times(*simulate(member))) for member in MEMBERS])
"""
