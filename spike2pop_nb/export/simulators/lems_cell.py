"""A neuron as one LEMS cell type, for what NeuroML's own cell cannot hold.

That cell has one calcium pool without a pump, and channels that read no other. Here all of a neuron is one
component type, as NeuroML's own cell of Pinsky and Rinzel is, and each member a component of it.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

from spike2pop_nb.conductances import INHIBITION_E_MV, Population
from spike2pop_nb.conductances.inhibition import INHIBITION_COLUMNS
from spike2pop_nb.conductances.member_table import CURRENT_COLUMN
from spike2pop_nb.export.simulators.description import PoolText, describe, describe_pools, initial_values
from spike2pop_nb.export.simulators.lems import ComponentType
from spike2pop_nb.export.simulators.scripts import injected
from spike2pop_nb.neurons import NeuronModel, get_neuron

__all__ = ["cell_type", "cells", "is_one_type", "parameters", "type_name"]

CURRENT, G, PERIOD, SHARE = "injected_current", "inhibition_g", "inhibition_period", "inhibition_share"
_DIMENSIONS = {"mS_per_cm2": "conductanceDensity", "uA_per_cm2": "currentDensity", "ms": "time", "": "none"}
_SUMMED = 8  # currents at once: in the NEURON code that jNeuroML makes, a line has 512 characters at most
_TURN = repr(2.0 * math.pi)


def is_one_type(population: Population) -> bool:
    """Whether the members are components of one LEMS cell type."""
    pools = get_neuron(population.neuron).pools
    return population.driven or len(pools) > 1 or any(pool.pump is not None for pool in pools)


def type_name(neuron: NeuronModel) -> str:
    """Return the name of the cell type."""
    return f"{neuron.name}_cell"


def _pool(pool: PoolText) -> str:
    """Return the text of a pool's derivative by time, in uM/ms."""
    declared = pool.declared
    fed = " + ".join(f"current_{channel.symbol}" for channel in pool.channels) or "0"
    pumped = f" - {pool.removed_uM!r} * {pool.pumped()}" if pool.removed_uM else ""
    return (
        f"({declared.rest_uM!r} - {pool.symbol} - {declared.influx_uM_per_uA!r} * ({fed}){pumped})"
        f" / {declared.tau_ms!r}"
    )


def _inhibit(made: ComponentType) -> str:
    """Add a rhythmic inhibition, and return its current.

    It is on where a cosine that is highest in the middle of each pulse is over what it is at the edges. A
    state that turns with the shorter of pulse and pause keeps the steps of NEURON from passing over one.
    """
    made.choose("period", [(f"{PERIOD} .gt. (0 * MS)", f"{PERIOD} / MS"), ("", "1000")])  # 0 of one without
    on = f"cos({_TURN} * (t / MS / period - 0.5 * {SHARE})) .gt. cos({_TURN} * 0.5 * {SHARE})"
    made.choose("inhibited", [(on, "1"), ("", "0")])
    made.choose("shorter", [(f"{SHARE} .gt. 0.5", f"1 - {SHARE}"), ("", SHARE)])
    made.changes["turning"] = (f"cos({_TURN} * t / MS / (period * (shorter + 0.01))) / MS", "0")
    made.derive("current_inhibition", f"{G} / GS * inhibited * (V - ({INHIBITION_E_MV!r}))")
    return "current_inhibition"


def parameters(population: Population) -> list[tuple[str, str, str]]:
    """Return the parameters of the cell type, with their columns in the table of members and their units."""
    neuron = get_neuron(population.neuron)
    found = [(f"gmax_{channel.symbol}", channel.column, "mS_per_cm2") for channel in describe(neuron)]
    if population.current.any():
        found.append((CURRENT, CURRENT_COLUMN, "uA_per_cm2"))
    if population.inhibition is not None:
        found += zip((G, PERIOD, SHARE), INHIBITION_COLUMNS, ("mS_per_cm2", "ms", ""), strict=True)
    return found


def cell_type(population: Population) -> ET.Element:
    """Return the component type; its parameters are what differs between members."""
    neuron = get_neuron(population.neuron)
    made = ComponentType(type_name(neuron), "baseCellMembPot")
    made.parameters = {name: _DIMENSIONS[unit] for name, _column, unit in parameters(population)}
    made.constants |= {"MS": ("time", "1ms"), "GS": ("conductanceDensity", "1mS_per_cm2")}
    start = initial_values(neuron, rest=True)
    currents = []
    for channel in describe(neuron):
        for gate in channel.gates:
            x = gate.symbol
            made.express(f"inf_{x}", gate.x_inf)
            if gate.tau is not None:
                made.express(f"tau_{x}", gate.tau)
                made.changes[x] = (
                    f"(inf_{x}{gate.calcium(sign='^')} - {x}) / tau_{x} / MS".replace("%s", gate.pool),
                    repr(start[x]),
                )
        if channel.scheme is not None:
            made.add_scheme(channel.scheme)
        g = channel.conductance("gmax_%s / GS", instant="inf_%s", sign="^", rest=True, pool="%s")
        made.derive(f"current_{channel.symbol}", f"{g} * (V - {channel.reversal(log='ln')})")
        currents.append(f"current_{channel.symbol}")
    for pool in describe_pools(neuron):
        made.changes[pool.symbol] = (f"({_pool(pool)}) / MS", repr(start[pool.symbol]))
        if pool.current_uA:
            made.derive(f"current_pump_{pool.symbol}", f"{pool.current_uA!r} * {pool.pumped()}")
            currents.append(f"current_pump_{pool.symbol}")
    if population.inhibition is not None:
        currents.append(_inhibit(made))
    sums = [currents[k : k + _SUMMED] for k in range(0, len(currents), _SUMMED)]
    for k, some in enumerate(sums):
        made.derive(f"currents_{k}", " + ".join(some))
    total = " + ".join(f"currents_{k}" for k in range(len(sums)))
    if population.current.any():
        made.constants["UA"] = ("currentDensity", "1uA_per_cm2")
        total = f"{total} - {CURRENT} / UA"
    made.changes["v"] = (
        f"(0 - ({total})) / {neuron.capacitance_uF!r} * MV / MS",
        f"{neuron.V_initial_mV!r} * MV",
    )
    made.spike(float(neuron.spike_threshold_mV), float(neuron.spike_reset_mV))
    return made.element()


def cells(population: Population) -> list[ET.Element]:
    """Return a component of the cell type for each member."""
    neuron = get_neuron(population.neuron)
    table = {**dict(zip(neuron.g_columns, population.g.T, strict=True)), **injected(population)}
    said = [(name, table[column].tolist(), unit) for name, column, unit in parameters(population)]
    return [
        ET.Element(
            type_name(neuron),
            {"id": f"member_{i}", **{name: f"{values[i]!r}{unit}" for name, values, unit in said}},
        )
        for i in range(len(population))
    ]
