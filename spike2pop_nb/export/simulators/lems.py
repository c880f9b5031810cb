"""Functions of voltage as LEMS component types."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import sympy
from sympy import And, Expr, S
from sympy.logic.boolalg import BooleanAtom

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.export.simulators.description import SchemeText
from spike2pop_nb.export.simulators.expressions import WHERE, Printer

__all__ = ["ComponentType"]

_MOST_CASES = 100
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
