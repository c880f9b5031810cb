"""Functions of voltage as LEMS component types."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.export.simulators.expressions import Expression, Printer, render

__all__ = ["ComponentType"]

_MOST_CASES = 100
_PRINTER = Printer(
    "V",
    {
        "<": ".lt.",
        "<=": ".leq.",
        ">": ".gt.",
        ">=": ".geq.",
        "and": "({0}) .and. ({1})",
        "or": "({0}) .or. ({1})",
        "log": "ln({0})",
        "pow": "{0}^{1}",
    },
    negative="0 - {0}",
)
_CONTRARY = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "and": "or", "or": "and"}


def _without_not(condition: Expression, holds: bool = True) -> Expression:
    """Return a condition, or its contrary, without negations, for which LEMS has no word."""
    if condition.operation == "not":
        return _without_not(condition.operands[0], not holds)
    operation = condition.operation if holds else _CONTRARY[condition.operation]
    if operation in ("and", "or"):
        return Expression(operation, tuple(_without_not(part, holds) for part in condition.operands))
    return Expression(operation, condition.operands)


def _cases(expression: Expression) -> list[tuple[str, Expression]]:
    """Return the values of an expression and when each holds; the first that holds counts, the last always.

    A variable for each condition would do in LEMS, but the NEURON code that jNeuroML makes computes what is
    conditional last.
    """
    found = _first_condition(expression)
    if found is None:
        return [("", expression)]
    text = render(_without_not(found), _PRINTER)
    cases = [
        (f"({text}) .and. ({more})" if more else text, value)
        for more, value in _cases(_given(expression, text, True))
    ]
    cases += _cases(_given(expression, text, False))
    return cases


def _first_condition(expression: Expression) -> Expression | None:
    if expression.operation == "where":
        return expression.operands[0]
    return next((found for e in expression.operands if (found := _first_condition(e)) is not None), None)


def _given(expression: Expression, condition: str, holds: bool) -> Expression:
    """Return what an expression is where a condition holds, or where it does not."""
    if expression.operation == "where":
        test, yes, no = expression.operands
        if render(_without_not(test), _PRINTER) == condition:
            return _given(yes if holds else no, condition, holds)
    if not expression.operands:
        return expression
    operands = tuple(_given(operand, condition, holds) for operand in expression.operands)
    return Expression(expression.operation, operands, expression.value, expression.name)


class ComponentType:
    """A LEMS component type of functions of voltage; parts stand in the order that the schema wants."""

    def __init__(self, name: str, extends: str) -> None:
        self.name, self.extends = name, extends
        self.constants = {"MV": ("voltage", "1mV")}
        self.derived: list[ET.Element] = []
        self.conditional: list[ET.Element] = []
        self.changes: dict[str, tuple[str, float]] = {}
        self.derive("V", "v / MV")

    def derive(self, name: str, value: str) -> None:
        """Add a variable without dimension by the text of its value."""
        exposure = {"exposure": name} if name == "x" else {}
        attributes = {"name": name, "dimension": "none", "value": value, **exposure}
        self.derived.append(ET.Element("DerivedVariable", attributes))

    def express(self, name: str, expression: Expression, form: str = "{0}", dimension: str = "none") -> None:
        """Add a variable that is an expression, put into a form; x and t are what the type exposes."""
        attributes = {"name": name, "dimension": dimension} | (
            {"exposure": name} if name in ("x", "t") else {}
        )
        cases = [(when, form.format(render(value, _PRINTER))) for when, value in _cases(expression)]
        if len(cases) > _MOST_CASES:
            raise NeuronModelError(
                f"{self.name} cannot be exported to NeuroML: it has {len(cases)} pieces, over {_MOST_CASES}."
            )
        if len(cases) == 1:
            self.derived.append(ET.Element("DerivedVariable", {**attributes, "value": cases[0][1]}))
            return
        variable = ET.Element("ConditionalDerivedVariable", attributes)
        for when, value in cases:
            ET.SubElement(variable, "Case", {**({"condition": when} if when else {}), "value": value})
        self.conditional.append(variable)

    def element(self) -> ET.Element:
        """Return the component type."""
        root = ET.Element("ComponentType", {"name": self.name, "extends": self.extends})
        for name, (dimension, value) in self.constants.items():
            ET.SubElement(root, "Constant", {"name": name, "dimension": dimension, "value": value})
        dynamics = ET.SubElement(root, "Dynamics")
        for state in self.changes:
            ET.SubElement(dynamics, "StateVariable", {"name": state, "dimension": "none"})
        dynamics.extend(self.derived)
        dynamics.extend(self.conditional)
        for state, (value, _start) in self.changes.items():
            ET.SubElement(dynamics, "TimeDerivative", {"variable": state, "value": value})
        if self.changes:
            start = ET.SubElement(dynamics, "OnStart")
            for state, (_value, initial) in self.changes.items():
                ET.SubElement(start, "StateAssignment", {"variable": state, "value": repr(initial)})
        return root
