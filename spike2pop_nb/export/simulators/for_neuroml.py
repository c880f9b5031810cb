"""NeuroML 2: channels, calcium and one cell a member, a LEMS simulation of them, and a script that runs it.

Kinetics of the forms that NeuroML knows are written in them; all others become LEMS component types within
the same file, which is valid by the NeuroML schema. Neurons that have more than NeuroML's own cell can hold
become one such type (see `lems`).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import sympy
from sympy import Expr

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.export.simulators.description import ChannelText, GateText, SchemeText, describe
from spike2pop_nb.export.simulators.expressions import express
from spike2pop_nb.export.simulators.lems import (
    ComponentType,
    cell_type,
    cells,
    is_one_type,
    parameters,
    type_name,
)
from spike2pop_nb.export.simulators.scripts import one_line, origin, script
from spike2pop_nb.neurons import CalciumPool, NeuronModel, sigmoid

__all__ = ["lems_file", "neuroml_lems", "neuroml_model", "neuroml_script"]

DIAMETER_UM = 20.0
FAR_MV = 1000.0  # where currents whose reversal potential follows calcium are said to reverse
STEP_MS = 0.0005  # of jLEMS, whose forward Euler steps must be shorter than C/g during a spike
_NAMESPACE = "http://www.neuroml.org/schema/neuroml2"
_SCHEMA = "https://raw.githubusercontent.com/NeuroML/NeuroML2/master/Schemas/NeuroML2/NeuroML_v2.3.1.xsd"


def lems_file(neuron: NeuronModel) -> str:
    """Return the name of the simulation's file."""
    return f"LEMS_{neuron.name}.xml"


def _sigmoid(expression: Expr) -> dict[str, str] | None:
    """Return a steady state as NeuroML's own sigmoid, if it is one: rate / (1 + exp((V ± d) / c))."""
    numbers = [float(e) for e in sympy.preorder_traversal(expression) if e.is_Float]
    if len(numbers) != 4:
        return None
    rate, one, shift, scale = numbers
    if one != 1.0 or expression != express(sigmoid(0.0, rate, scale, shift)):
        return None
    return {
        "type": "HHSigmoidVariable",
        "rate": repr(rate),
        "midpoint": f"{-shift!r}mV",
        "scale": f"{-scale!r}mV",
    }


def _steady(gate: GateText, types: list[ComponentType]) -> dict[str, str]:
    """Return the attributes of a steady state, after adding the type that it needs."""
    if gate.hill is None and (known := _sigmoid(gate.x_inf)) is not None:
        return known
    base = "baseVoltageDepVariable" if gate.hill is None else "baseVoltageConcDepVariable"
    made = ComponentType(f"{gate.symbol}_inf", base)
    form = "{0}"
    if gate.hill is not None:
        made.constants["UM"] = ("concentration", "0.001mM")
        made.derive("CA", "caConc / UM")
        form = f"({{0}}){gate.calcium('CA', '^')}"
    made.express("x", gate.x_inf, form)
    types.append(made)
    return {"type": made.name}


def _drive(channel: ChannelText, types: list[ComponentType]) -> dict[str, str]:
    """Return the attributes of a factor that puts a reversal potential that follows calcium at `FAR_MV`.

    It makes V less the one of V less the other. NeuroML's own Nernst potentials have one slope for a whole
    network, that of its temperature.
    """
    made = ComponentType(f"{channel.symbol}_drive", "baseVoltageConcDepVariable")
    made.constants["UM"] = ("concentration", "0.001mM")
    made.derive("CA", "caConc / UM")
    made.derive("x", f"(V - {channel.reversal('CA', 'ln')}) / (V - {FAR_MV!r})")
    types.append(made)
    return {"type": made.name}


def _course(gate: GateText, types: list[ComponentType]) -> dict[str, str]:
    assert gate.tau is not None
    if gate.tau.is_Number:
        return {"type": "fixedTimeCourse", "tau": f"{float(gate.tau)!r}ms"}
    made = ComponentType(f"{gate.symbol}_tau", "baseVoltageDepTime")
    made.constants["MS"] = ("time", "1ms")
    made.express("t", gate.tau, "MS * ({0})", "time")
    types.append(made)
    return {"type": made.name}


def _kinetics(channel: str, scheme: SchemeText, types: list[ComponentType]) -> dict[str, str]:
    made = ComponentType(f"{channel}_scheme", "baseVoltageDepVariable")
    made.constants["MS"] = ("time", "1ms")
    made.add_scheme(scheme)
    made.derive("x", scheme.open)
    types.append(made)
    return {"type": made.name}


def _ions(channels: tuple[ChannelText, ...]) -> dict[str, str]:
    """Return the ion of each channel: calcium where it feeds calcium, else none in particular.

    Only channels that carry a named ion can read calcium in the NEURON code that jNeuroML makes; what
    calcium opens is therefore said to carry potassium, or a cation by another name. An ion has one reversal
    potential.
    """
    named: dict[float, str] = {}
    ions = {}
    for channel in channels:
        ions[channel.symbol] = "ca" if channel.feeds_calcium else "non_specific"
        if channel.feeds_calcium:
            continue
        if channel.nernst is not None or any(gate.hill for gate in channel.gates):
            kind = "k" if channel.E_mV < -50.0 else "mixed"
            taken = sum(name.startswith(kind) for name in named.values())
            E = FAR_MV if channel.nernst is not None else channel.E_mV
            ions[channel.symbol] = named.setdefault(E, f"{kind}{taken + 1}" if taken else kind)
    return ions


def _channel(channel: ChannelText, ion: str, types: list[ComponentType]) -> ET.Element:
    species = {} if ion == "non_specific" else {"species": ion}
    root = ET.Element("ionChannelHH", {"id": f"{channel.symbol}_channel", "conductance": "1pS", **species})
    for gate in channel.gates:
        attributes = {"id": gate.symbol, "instances": str(gate.exponent)}
        if gate.tau is None:
            inner = ET.SubElement(root, "gateHHInstantaneous", attributes)
        else:
            inner = ET.SubElement(root, "gateHHtauInf", attributes)
            ET.SubElement(inner, "timeCourse", _course(gate, types))
        ET.SubElement(inner, "steadyState", _steady(gate, types))
    standing = []
    if channel.nernst is not None:
        standing.append((f"{channel.symbol}_follows", _drive(channel, types)))
    if channel.scheme is not None:
        # a gate that stands at once where the states of the scheme, which are within it, have come to
        standing.append((channel.scheme.conducting, _kinetics(channel.symbol, channel.scheme, types)))
    for name, state in standing:
        inner = ET.SubElement(root, "gateHHInstantaneous", {"id": name, "instances": "1"})
        ET.SubElement(inner, "steadyState", state)
    return root


def _pool(pool: CalciumPool) -> ET.Element:
    # tau dCa/dt = -influx I - Ca + rest; 1 uM/ms is 1 mol/m3/s, and 1 uA/cm2 is 0.01 A/m2
    rho = 100.0 * pool.influx_uM_per_uA / pool.tau_ms
    return ET.Element(
        "fixedFactorConcentrationModel",
        {
            "id": "calcium",
            "ion": "ca",
            "restingConc": f"{1e-3 * pool.rest_uM!r}mM",
            "decayConstant": f"{pool.tau_ms!r}ms",
            "rho": f"{rho!r}mol_per_m_per_A_per_s",
        },
    )


def _cell(neuron: NeuronModel, i: int, label: str, g: list[float]) -> ET.Element:
    channels = describe(neuron)
    ions = _ions(channels)
    cell = ET.Element("cell", {"id": f"member_{i}"})
    ET.SubElement(cell, "notes").text = label
    morphology = ET.SubElement(cell, "morphology", {"id": f"morphology_{i}"})
    segment = ET.SubElement(morphology, "segment", {"id": "0", "name": "soma"})
    for end, y in (("proximal", 0.0), ("distal", DIAMETER_UM)):
        at = {"x": "0.0", "y": repr(y), "z": "0.0", "diameter": repr(DIAMETER_UM)}
        ET.SubElement(segment, end, at)
    biophysics = ET.SubElement(cell, "biophysicalProperties", {"id": f"biophysics_{i}"})
    membrane = ET.SubElement(biophysics, "membraneProperties")
    for channel, value in zip(channels, g, strict=True):
        density = {
            "id": f"{channel.symbol}_density",
            "ionChannel": f"{channel.symbol}_channel",
            "condDensity": f"{value!r}mS_per_cm2",
            "erev": f"{FAR_MV if channel.nernst is not None else channel.E_mV!r}mV",
            "ion": ions[channel.symbol],
        }
        ET.SubElement(membrane, "channelDensity", density)
    ET.SubElement(membrane, "spikeThresh", {"value": f"{float(neuron.spike_threshold_mV)!r}mV"})
    ET.SubElement(membrane, "specificCapacitance", {"value": f"{neuron.capacitance_uF!r}uF_per_cm2"})
    ET.SubElement(membrane, "initMembPotential", {"value": f"{float(neuron.V_initial_mV)!r}mV"})
    inner = ET.SubElement(biophysics, "intracellularProperties")
    for pool in neuron.pools:
        species = {
            "id": "ca",
            "ion": "ca",
            "concentrationModel": "calcium",
            "initialConcentration": f"{1e-3 * pool.initial_uM!r}mM",
            "initialExtConcentration": "2mM",  # enters nothing: see FAR_MV
        }
        ET.SubElement(inner, "species", species)
    ET.SubElement(inner, "resistivity", {"value": "0.1kohm_cm"})
    return cell


def _document(root: ET.Element) -> str:
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _network(population: Population) -> ET.Element:
    network = ET.Element("network", {"id": "network"})
    for i in range(len(population)):
        ET.SubElement(
            network, "population", {"id": f"population_{i}", "component": f"member_{i}", "size": "1"}
        )
    return network


def neuroml_model(population: Population) -> str:
    """Return the NeuroML document: channels, calcium, one cell a member, a network, and their types.

    Of members that are components of one LEMS cell type it holds that type alone.
    """
    neuron = population.neuron
    if population.noise_sigma.any():
        raise SimulationError(
            "The members have injected noise, which LEMS cannot draw alike; without it they would fire "
            "otherwise. Choose neuron, brian2 or jaxley."
        )
    root = ET.Element(
        "neuroml",
        {
            "xmlns": _NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{_NAMESPACE} {_SCHEMA}",
            "id": neuron.name,
        },
    )
    ET.SubElement(root, "notes").text = "\n".join(origin(population, "NeuroML 2"))
    if is_one_type(population):
        root.append(cell_type(population))
        return _document(root)
    channels = describe(neuron)
    types: list[ComponentType] = []
    ions = _ions(channels)
    root.extend(_channel(channel, ions[channel.symbol], types) for channel in channels)
    for pool in neuron.pools:
        root.append(_pool(pool))
    labels = [one_line(f"{name}/{member}") for name, member in population.labels]
    for i, (label, g) in enumerate(zip(labels, population.g.tolist(), strict=True)):
        root.append(_cell(neuron, i, label, g))
    root.append(_network(population))
    root.extend(made.element() for made in types)
    return _document(root)


def neuroml_lems(population: Population) -> str:
    """Return the LEMS document that simulates the network and writes the time and number of each spike.

    It holds the members and their network where they are components of one LEMS cell type.
    """
    neuron = population.neuron
    root = ET.Element("Lems")
    ET.SubElement(root, "Target", {"component": "simulation"})
    for file in ("Cells.xml", "Networks.xml", "Simulation.xml", f"{neuron.name}.nml"):
        ET.SubElement(root, "Include", {"file": file})
    if is_one_type(population):
        root.extend([*cells(population), _network(population)])
    run = ET.SubElement(
        root,
        "Simulation",
        {
            "id": "simulation",
            "length": f"{float(neuron.recording_window_ms[1])!r}ms",
            "step": f"{STEP_MS!r}ms",
            "target": "network",
        },
    )
    # in the NEURON code that jNeuroML makes, what follows the voltage at once lags by a step
    instant = any(channel.instant or channel.nernst is not None for channel in describe(neuron))
    tolerance = "1e-8" if is_one_type(population) else "1e-9" if instant else "1e-6"
    tolerances = {"abs_tolerance": tolerance, "rel_tolerance": tolerance}
    ET.SubElement(run, "Meta", {"for": "neuron", "method": "cvode", **tolerances})
    spikes = ET.SubElement(
        run, "EventOutputFile", {"id": "spikes", "fileName": f"{neuron.name}_spikes.dat", "format": "TIME_ID"}
    )
    for i in range(len(population)):
        select = {"id": str(i), "select": f"population_{i}[0]", "eventPort": "spike"}
        ET.SubElement(spikes, "EventSelection", select)
    return _document(root)


def neuroml_script(population: Population) -> str:
    """Return the script; it writes the spike times of all members to a CSV file."""
    neuron = population.neuron
    return script(
        "neuroml.py",
        population,
        "NeuroML 2",
        f"Runs {lems_file(neuron)}, which simulates the network in {neuron.name}.nml. Needs pyNeuroML, Java",
        "and NEURON, with which the simulation is run. Usage: python FILE --help",
        columns_of=(
            parameters(population)
            if is_one_type(population)
            else [(f"{channel.symbol}_channel", channel.column, "mS_per_cm2") for channel in describe(neuron)]
        ),
        cell_type=type_name(neuron) if is_one_type(population) else None,
        namespace_uri=_NAMESPACE,
        lems_file=lems_file(neuron),
    )
