"""A dynamic clamp as a C header, gates from tables of the voltage, and as plugins of RTXI around it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, Pow, S

from spike2pop_nb.export.clamp.model import Clamp, Side
from spike2pop_nb.export.simulators.description import ChannelText, GateText, PoolText, describe
from spike2pop_nb.export.simulators.expressions import VOLTAGE, WHERE, Printer
from spike2pop_nb.export.simulators.scripts import filled, one_line
from spike2pop_nb.neurons import Hill

__all__ = ["LIMIT_PA", "clamp_header", "clamp_name", "rtxi_files"]

LIMIT_PA = 10_000.0
"""More than this is not injected, unless the user of the plugin says so."""
_MOST_NAMED = 3
_FINE_MV, _MOST_PARTS = 1.0, 32  # a step in which the voltage jumps is taken in so many parts of that


class _Printer(Printer):
    logic = ("&&", "||")

    def _print_Function(self, e: Expr) -> str:
        if not isinstance(e, WHERE):
            return super()._print_Function(e)
        when, yes, no = map(self._print, e.args)
        return f"({when} ? {yes} : {no})"

    def _print_Pow(self, e: Any, rational: bool = False) -> str:
        return (
            f"pow({self._print(e.base)}, {self._print(e.exp)})"
            if e.exp != -1
            else f"1.0 / ({self._print(e.base)})"
        )


_text = _Printer().doprint


def clamp_name(clamp: Clamp) -> str:
    """Return what the header, its functions and the plugins are called."""
    named = clamp.channels if len(clamp.channels) <= _MOST_NAMED else ()
    name = re.sub(r"\W+", "_", "_".join([clamp.neuron.name, *named, "clamp"]), flags=re.ASCII)
    return name if name[0].isalpha() else f"n{name}"


def _said(text: str) -> str:
    """Return a text as it can stand in a comment and in a string of C, whatever a recording is called."""
    return one_line(text).replace("\\", "/").replace('"', "'").replace("*/", "* /").replace("??", "? ?")


@dataclass
class _Body:
    """What the template is filled in with."""

    name: str  # of the header, with which its words begin
    columns: dict[str, Expr] = field(default_factory=dict)  # of the table of the voltage
    states: dict[str, str] = field(default_factory=dict)  # variables, and what they are
    # those that relax: variable, steady state and rate (columns), and the factor that calcium is
    gates: list[dict[str, str]] = field(default_factory=list)
    instant: list[str] = field(default_factory=list)  # columns of those that follow the voltage at once
    # of kinetic schemes: two states, rates (columns or "0.0") and the share of a step
    exchanges: list[dict[str, str]] = field(default_factory=list)
    fractions: list[dict[str, float]] = field(default_factory=list)  # states of each kinetic scheme
    pools: list[dict[str, Any]] = field(default_factory=list)  # calcium of each side
    currents: list[str] = field(default_factory=list)  # what is injected, as text, in µA/cm²

    @property
    def used(self) -> str:
        """All text in which calcium may stand."""
        return " ".join(
            [
                *(gate["mid"] for gate in self.gates),
                *(f"{pool['current']} {pool['removed']}" for pool in self.pools),
            ]
        )

    def column(self, of: str, expression: Expr) -> str:
        """Add a column to the table; return its name."""
        column = f"{self.name}_at_{of}"
        self.columns[column] = expression
        return column


def _opened(hill: Hill, Ca: str) -> str:
    """Return the factor that calcium is of a steady state."""
    if hill.power == 1.0:
        return f"{repr(hill.half_uM) if hill.closes else Ca} / ({Ca} + {hill.half_uM!r})"
    ratio = f"{Ca} / {hill.half_uM!r}" if hill.closes else f"{hill.half_uM!r} / {Ca}"
    return f"1.0 / (1.0 + pow({ratio}, {hill.power!r}))"


def _of(symbol: str, side: Side | None, many: bool) -> str:
    """Return the name of a variable that a side has for itself."""
    return f"{symbol}_{side.name}" if side is not None and many else symbol


def _own(gate: GateText, side: Side | None) -> Side | None:
    """Return the side of a gate that follows calcium; others are shared by both."""
    return side if gate.hill is not None else None


def _conductance(made: _Body, channel: ChannelText, side: Side | None, many: bool, Ca: str) -> str:
    """Return the share of a channel that is open; ``Ca`` is the form of a pool's name (%s)."""
    factors: list[str] = []
    for gate in channel.gates:
        if gate.tau is None:
            factor = f"now[{_inf(made, gate)}]"
            if gate.hill is not None:
                factor = f"({factor} * ({_opened(gate.hill, Ca % _of(gate.pool, side, many))}))"
        else:
            factor = f"s->{_of(gate.symbol, _own(gate, side), many)}"
        factors += [factor] * gate.exponent
    if channel.scheme is not None:
        factors.append(f"s->{channel.scheme.conducting}")
    return " * ".join(factors) or "1.0"


def _inf(made: _Body, gate: GateText) -> str:
    return made.column(f"{gate.symbol}_inf", gate.x_inf)


def _current(made: _Body, channel: ChannelText, g: float, side: Side | None, many: bool, Ca: str) -> str:
    """Return the text of a current in µA/cm², outward positive."""
    E = repr(channel.E_mV)
    if channel.nernst is not None:
        E = channel.reversal(Ca % _of(channel.pool, side, many))
    return f"{g!r} * {_conductance(made, channel, side, many, Ca)} * (V_mV - {E})"


def _body(clamp: Clamp) -> _Body:
    made = _Body(clamp_name(clamp))
    channels = dict(zip(clamp.neuron.channel_names, describe(clamp.neuron), strict=True))
    sides, many = clamp.sides, len(clamp.sides) > 1
    for name, added in clamp.added.items():
        following = clamp.neuron.channels[clamp.neuron.index(name)].follows_calcium
        if not following and added != 0:
            _open(made, channels[name], [None], many)
            made.currents.append(_current(made, channels[name], added, None, many, "s->%s"))
    for side in sides:
        for name in side.computed:
            g = float(side.g[clamp.neuron.index(name)])
            _open(made, channels[name], [side], many)
            if name in side.following:
                made.currents.append(_current(made, channels[name], side.sign * g, side, many, "s->%s"))
        made.pools += [_pool(made, pool, side, many) for pool in side.pools]
    return made


def _open(made: _Body, channel: ChannelText, sides: Iterable[Side | None], many: bool) -> None:
    """Add what opens a channel, unless it is there."""
    for side in sides:
        for gate in channel.gates:
            _gate(made, gate, _own(gate, side), many)
    scheme = channel.scheme
    if scheme is None or scheme.conducting in made.states:
        return
    made.states |= dict.fromkeys(scheme.initial, f"fraction of {channel.column[2:]} that is in this state")
    made.fractions.append(dict(scheme.initial))
    for a, b, part in scheme.exchanges():
        forth, back = (
            f"mid[{made.column(f'k_{x}_{y}', scheme.rates[x, y])}]" if (x, y) in scheme.rates else "0.0"
            for x, y in ((a, b), (b, a))
        )
        made.exchanges.append({"a": a, "b": b, "forth": forth, "back": back, "part": repr(part)})


def _gate(made: _Body, gate: GateText, side: Side | None, many: bool) -> None:
    inf = _inf(made, gate)
    if gate.tau is None:
        made.instant.append(inf)
        return
    variable = _of(gate.symbol, side, many)
    if variable in made.states:
        return
    rate = made.column(f"{gate.symbol}_rate", Pow(gate.tau, S.NegativeOne, evaluate=False))
    made.states[variable] = "gate"
    pool = _of(gate.pool, side, many)
    opened = {
        when: f" * ({_opened(gate.hill, form % pool)})" if gate.hill is not None else ""
        for when, form in (("start", "s->%s"), ("mid", "%s_mid"))
    }
    made.gates.append({"x": variable, "inf": inf, "rate": rate, **opened})


def _pool(made: _Body, pool: PoolText, side: Side, many: bool) -> dict[str, Any]:
    declared, name = pool.declared, _of(pool.symbol, side, many)
    made.states |= {
        name: "calcium in uM",
        f"{name}_before": "calcium one step before",
        f"{name}_current": "calcium current in uA/cm2 one step before",
    }
    clamp = side.clamp
    feeding = [
        _current(made, channel, float(side.g[clamp.neuron.index(of)]), side, many, "%s_next")
        for of, channel in zip(declared.channels, pool.channels, strict=True)
        if side.g[clamp.neuron.index(of)] > 0
    ]
    return {
        "name": name,
        "initial": repr(declared.initial_uM),
        "rest": repr(declared.rest_uM),
        "influx": repr(declared.influx_uM_per_uA),
        "tau": repr(declared.tau_ms),
        "current": " + ".join(feeding) or "0.0",
        "removed": f" - {pool.removed_uM!r} * {name}_mid / ({name}_mid + {declared.pump.half_uM!r})"
        if declared.pump is not None
        else "",
    }


def clamp_header(clamp: Clamp, about: list[str]) -> str:
    """Return the header, for C99 and C++: where it comes from, the state, what begins it, and a step."""
    made, name = _body(clamp), clamp_name(clamp)
    return filled(
        "clamp.h",
        clamp.neuron,
        [_said(line) for line in about],
        name=name,
        guard=f"{name.upper()}_H",
        what=_said(clamp.describe()),
        made=made,
        columns=[(column, _text(expression)) for column, expression in made.columns.items()],
        voltage=VOLTAGE.name,
        fine_mV=_FINE_MV,
        most_parts=_MOST_PARTS,
    )


def rtxi_files(clamp: Clamp, header: str, about: list[str]) -> dict[str, str]:
    """Return the files of both plugins by their paths, each in a folder with the text of the C header.

    ``about`` are lines that say where it comes from.
    """
    name = clamp_name(clamp)
    values = {
        "name": name,
        "plugin": "".join(word[:1].upper() + word[1:] for word in name.split("_")),
        "what": _said(clamp.describe()),
        "capacitance_pF": 0.0 if clamp.capacitance_pF is None else float(clamp.capacitance_pF),
        "limit_pA": LIMIT_PA,
        "V_initial": repr(float(clamp.neuron.V_initial_mV)),
    }
    templates = {
        f"rtxi2/{name}_rtxi.h": "rtxi2.h",
        f"rtxi2/{name}_rtxi.cpp": "rtxi2.cpp",
        "rtxi2/Makefile": "rtxi2.mk",
        f"rtxi3/{name}_rtxi.hpp": "rtxi3.hpp",
        f"rtxi3/{name}_rtxi.cpp": "rtxi3.cpp",
        "rtxi3/CMakeLists.txt": "rtxi3.cmake",
    }
    about = [_said(line) for line in about]
    made = {path: filled(template, clamp.neuron, about, **values) for path, template in templates.items()}
    return {**made, f"rtxi2/{name}.h": header, f"rtxi3/{name}.h": header}
