"""LEMS component types: of functions of voltage, and of a neuron as one cell.

NeuroML's own cell has one calcium pool without a pump, and channels that read no other. What it cannot hold
is one component type here, as NeuroML's own cell of Pinsky and Rinzel is, and each member a component of it.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from typing import Any

import sympy
from sympy import And, Expr, S
from sympy.logic.boolalg import BooleanAtom

from spike2pop_nb.conductances import INHIBITION_E_MV, Population
from spike2pop_nb.conductances.inhibition import INHIBITION_COLUMNS
from spike2pop_nb.conductances.member_table import CURRENT_COLUMN
from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.export.simulators.description import (
    PoolText,
    SchemeText,
    describe,
    describe_pools,
    initial_values,
)
from spike2pop_nb.export.simulators.expressions import WHERE, Printer
from spike2pop_nb.export.simulators.scripts import injected
from spike2pop_nb.neurons import NeuronModel

__all__ = ["ComponentType", "cell_type", "cells", "is_one_type", "parameters", "type_name"]

_MOST_CASES = 100
CURRENT, G, PERIOD, SHARE = "injected_current", "inhibition_g", "inhibition_period", "inhibition_share"
_DIMENSIONS = {"mS_per_cm2": "conductanceDensity", "uA_per_cm2": "currentDensity", "ms": "time", "": "none"}
_SUMMED = 8  # currents at once: in the NEURON code that jNeuroML makes, a line has 512 characters at most
_TURN = repr(2.0 * math.pi)
_SIGNS = {"<": ".lt.", "<=": ".leq.", ">": ".gt.", ">=": ".geq."}


class _Printer(Printer):
    logic = (".and.", "")

    def _print_Relational(self, e: Any) -> str:
        return f"({self._print(e.lhs)}) {_SIGNS[e.rel_op]} ({self._print(e.rhs)})"

    def doprint(self, expr: Any) -> str:
        text = super().doprint(expr).replace("**", "^").replace("log(", "ln(")
        return re.sub(r"(^|\()-", r"\g<1>0 - ", text)  # there is no sign of what is negative


_text = _Printer().doprint


def _cases(expression: Expr) -> list[tuple[Any, Expr]]:
    """Return the values of an expression and when each holds; the first that holds counts, the last always.

    A variable for each condition would do in LEMS, but the NEURON code that jNeuroML makes computes what is
    conditional last, and does not know ``.or.``: each comparison is asked on its own.
    """
    terms = sympy.preorder_traversal(expression)
    if (asked := next((e for e in terms if e.is_Relational and not e.has(WHERE)), None)) is None:
        return [(S.true, expression)]

    def given(holds: Any) -> list[tuple[Any, Expr]]:
        def known(e: Expr) -> bool:
            return isinstance(e, WHERE) and isinstance(e.args[0], BooleanAtom)

        with sympy.evaluate(False):
            found = expression.xreplace({asked: holds})
            found = found.replace(known, lambda e: e.args[1 if e.args[0] else 2], simultaneous=False)
        return _cases(found)

    yes, no = given(S.true), given(S.false)
    if len(no) == 1 and yes[-1][1] == no[0][1]:
        yes.pop()
    return [(And(asked, more), value) for more, value in yes] + no


def _variable(name: str, dimension: str) -> dict[str, str]:
    return {"name": name, "dimension": dimension} | ({"exposure": name} if name in ("x", "t", "v") else {})


class ComponentType:
    """A LEMS component type of functions of voltage; parts stand in the order that the schema wants."""

    def __init__(self, name: str, extends: str) -> None:
        self.name, self.extends = name, extends
        self.parameters: dict[str, str] = {}
        self.constants = {"MV": ("voltage", "1mV")}
        self.derived: list[ET.Element] = []
        self.conditional: dict[str, ET.Element] = {}
        self.changes: dict[str, tuple[str, str]] = {}
        self.conditions: list[ET.Element] = []
        self.derive("V", "v / MV")

    def derive(self, name: str, value: str, dimension: str = "none") -> None:
        """Add a variable by the text of its value; x and t are what the type exposes."""
        if not self.conditional.keys().isdisjoint(re.findall(r"\w+", value)):
            # computed after what is conditional, by a condition that always holds
            return self.choose(name, [("1 .gt. 0", value)], dimension)
        self.derived.append(ET.Element("DerivedVariable", {**_variable(name, dimension), "value": value}))
        return None

    def choose(self, name: str, cases: list[tuple[str, str]], dimension: str = "none") -> None:
        """Add a variable by its values and when each holds; one without a condition always does."""
        variable = self.conditional[name] = ET.Element(
            "ConditionalDerivedVariable", _variable(name, dimension)
        )
        for when, value in cases:
            ET.SubElement(variable, "Case", {"condition": when, "value": value} if when else {"value": value})

    def express(self, name: str, expression: Expr, form: str = "{0}", dimension: str = "none") -> None:
        """Add a variable that is an expression, put into a form."""
        cases = [
            (_text(when), form.format(_text(value)))
            for when, value in _cases(expression)
            if when is not S.false
        ]
        if len(cases) > _MOST_CASES:
            raise NeuronModelError(
                f"{self.name} cannot be exported to NeuroML: it has {len(cases)} pieces, over {_MOST_CASES}."
            )
        if len(cases) == 1:
            self.derive(name, cases[0][1], dimension)
        else:
            self.choose(name, [*cases[:-1], ("", cases[-1][1])], dimension)

    def add_scheme(self, scheme: SchemeText) -> None:
        """Add the rates and the states of a kinetic scheme."""
        for (source, target), rate in scheme.rates.items():
            self.express(f"k_{source}_{target}", rate)
        for state in scheme.free:
            change = scheme.change(state)
            change = f"0 {change}" if change.startswith("-") else change
            self.changes[state] = (f"({change}) / MS", repr(scheme.initial[state]))

    def spike(self, threshold_mV: float, reset_mV: float) -> None:
        """Send a spike when the voltage rises over a threshold, once until it is below another."""
        for test, spiking in (
            (f"v .gt. ({threshold_mV!r} * MV) .and. spiking .lt. 0.5", "1"),
            (f"v .lt. ({reset_mV!r} * MV)", "0"),
        ):
            condition = ET.Element("OnCondition", {"test": test})
            ET.SubElement(condition, "StateAssignment", {"variable": "spiking", "value": spiking})
            if spiking == "1":
                ET.SubElement(condition, "EventOut", {"port": "spike"})
            self.conditions.append(condition)

    def element(self) -> ET.Element:
        """Return the component type."""
        root = ET.Element("ComponentType", {"name": self.name, "extends": self.extends})
        for name, dimension in self.parameters.items():
            ET.SubElement(root, "Parameter", {"name": name, "dimension": dimension})
        for name, (dimension, value) in self.constants.items():
            ET.SubElement(root, "Constant", {"name": name, "dimension": dimension, "value": value})
        dynamics = ET.SubElement(root, "Dynamics")
        for state in [*self.changes, *(["spiking"] if self.conditions else [])]:
            ET.SubElement(dynamics, "StateVariable", _variable(state, "voltage" if state == "v" else "none"))
        dynamics.extend(self.derived)
        dynamics.extend(self.conditional.values())
        for state, (value, _start) in self.changes.items():
            ET.SubElement(dynamics, "TimeDerivative", {"variable": state, "value": value})
        if self.changes:
            start = ET.SubElement(dynamics, "OnStart")
            for state, (_value, initial) in self.changes.items():
                ET.SubElement(start, "StateAssignment", {"variable": state, "value": initial})
        dynamics.extend(self.conditions)
        return root


def is_one_type(population: Population) -> bool:
    """Whether the members are components of one LEMS cell type."""
    pools = population.neuron.pools
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
    neuron = population.neuron
    found = [(f"gmax_{channel.symbol}", channel.column, "mS_per_cm2") for channel in describe(neuron)]
    if population.current.any():
        found.append((CURRENT, CURRENT_COLUMN, "uA_per_cm2"))
    if population.inhibition is not None:
        found += zip((G, PERIOD, SHARE), INHIBITION_COLUMNS, ("mS_per_cm2", "ms", ""), strict=True)
    return found


def cell_type(population: Population) -> ET.Element:
    """Return the component type; its parameters are what differs between members."""
    neuron = population.neuron
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
    neuron = population.neuron
    table = {**dict(zip(neuron.g_columns, population.g.T, strict=True)), **injected(population)}
    said = [(name, table[column].tolist(), unit) for name, column, unit in parameters(population)]
    return [
        ET.Element(
            type_name(neuron),
            {"id": f"member_{i}", **{name: f"{values[i]!r}{unit}" for name, values, unit in said}},
        )
        for i in range(len(population))
    ]
