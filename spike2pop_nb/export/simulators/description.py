"""What every export says about a neuron: its variables by name, their equations and values at the start."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sympy import Expr

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.export.simulators.expressions import express
from spike2pop_nb.neurons import CalciumPool, Channel, Hill, Nernst, NeuronModel
from spike2pop_nb.neurons.calcium import CALCIUM
from spike2pop_nb.neurons.functions import VoltageFunction

__all__ = [
    "ChannelText",
    "GateText",
    "PoolText",
    "SchemeText",
    "describe",
    "describe_pools",
    "initial_values",
]


@dataclass(frozen=True)
class GateText:
    """A gate: its variable, equations, exponent, how calcium acts, of which pool, and value at the start."""

    symbol: str
    x_inf: Expr
    tau: Expr | None
    exponent: int
    hill: Hill | None
    pool: str
    initial: float

    def power(self, variable: str, sign: str = "**") -> str:
        """Return the factor that this gate is of its conductance."""
        return f"{variable}{sign}{self.exponent}" if self.exponent > 1 else variable

    def calcium(self, pool: str = "%s", sign: str = "**") -> str:
        """Return the factor that calcium, in a form of its name (%s), is of the gate; or nothing."""
        if self.hill is None:
            return ""
        Ca, half = pool.replace("%s", self.pool), self.hill.half_uM
        if self.hill.power == 1.0:
            return f" * {repr(half) if self.hill.closes else Ca} / ({Ca} + {half!r})"
        ratio = f"{Ca} / {half!r}" if self.hill.closes else f"{half!r} / {Ca}"
        return f" / (1 + ({ratio}){sign}{self.hill.power!r})"


@dataclass(frozen=True)
class SchemeText:
    """A kinetic scheme: variables of its states with values at the start, rates in 1/ms, what conducts."""

    initial: dict[str, float]
    rates: dict[tuple[str, str], Expr]
    conducting: str

    @property
    def free(self) -> list[str]:
        """Variables of all states but the first, which is what they leave."""
        return list(self.initial)[1:]

    @property
    def rest(self) -> str:
        """Text of the first state where it has no variable."""
        return f"(1 - {' - '.join(self.free)})"

    @property
    def open(self) -> str:
        """Text of what conducts where the first state has no variable."""
        return self.conducting if self.conducting in self.free else self.rest

    def change(self, state: str, of: str = "") -> str:
        """Return the text of a free state's derivative by time in 1/ms.

        Rates are called k_<from>_<to>, with ``of`` after the name.
        """
        flows = [
            f"{'+' if state == target else '-'} k_{source}_{target}{of} * "
            + (source if source in self.free else self.rest)
            for source, target in self.rates
            if state in (source, target)
        ]
        return " ".join(flows).removeprefix("+ ") or "0"

    def exchanges(self) -> list[tuple[str, str, float]]:
        """Return one step: which two states exchange, there and back, and over what share of the step.

        Each exchange can be solved exactly; all of them in this order are second order in the step.
        """
        pairs = list(dict.fromkeys((min(pair), max(pair)) for pair in self.rates))
        there = [(a, b, 0.5) for a, b in pairs[:-1]]
        last, other = pairs[-1]
        return [*there, (last, other, 1.0), *reversed(there)]


@dataclass(frozen=True)
class ChannelText:
    """A channel: its variable, column of the table of members, reversal potential, and what opens it.

    ``E_mV`` is the reversal potential, of one that follows a pool as it is at rest; ``nernst`` and ``pool``
    say how it follows which.
    """

    symbol: str
    column: str
    E_mV: float
    gates: tuple[GateText, ...]
    scheme: SchemeText | None
    feeds_calcium: bool
    nernst: Nernst | None
    pool: str

    def reversal(self, pool: str = "%s", log: str = "log") -> str:
        """Return the text of the reversal potential in mV, by the forms of a pool's name and of ln."""
        if self.nernst is None:
            return f"({self.E_mV!r})"
        Ca = pool.replace("%s", self.pool)
        return f"({self.nernst.slope_mV!r} * {log}({self.nernst.outside_uM!r} / {Ca}))"

    @property
    def instant(self) -> bool:
        """Whether some of its gates follow the voltage at once."""
        return any(gate.tau is None for gate in self.gates)

    def conductance(
        self,
        g: str = "gmax_%s",
        state: str = "%s",
        instant: str = "%s",
        sign: str = "**",
        rest: bool = False,
        pool: str | None = None,
    ) -> str:
        """Return the product that its conductance is, by the forms of names and the sign of a power.

        With ``rest`` the first state of a scheme has no variable; with ``pool`` names of gates that follow at
        once stand for their part of voltage alone.
        """
        factors = [g % self.symbol]
        for gate in self.gates:
            variable = (instant if gate.tau is None else state) % gate.symbol
            if gate.tau is None and gate.hill is not None and pool is not None:
                variable = f"({variable}{gate.calcium(pool, sign)})"
            factors.append(gate.power(variable, sign))
        if self.scheme is not None:
            factors.append(self.scheme.open if rest else state % self.scheme.conducting)
        return " * ".join(factors)


@dataclass(frozen=True)
class PoolText:
    """A calcium pool: its variable, its declaration, and variables of the channels that feed it."""

    symbol: str
    declared: CalciumPool
    channels: tuple[ChannelText, ...]

    def pumped(self, pool: str = "%s") -> str:
        """Return the text of how much of its rate the pump works at; "0" where there is none."""
        if (pump := self.declared.pump) is None:
            return "0"
        Ca = pool.replace("%s", self.symbol)
        return f"{Ca} / ({Ca} + {pump.half_uM!r})"

    @property
    def removed_uM(self) -> float:
        """What the pump removes at most in a time constant of the pool."""
        pump = self.declared.pump
        return 0.0 if pump is None else self.declared.tau_ms * pump.rate_uM_per_ms

    @property
    def current_uA(self) -> float:
        """What current the pump carries at most, in µA/cm²."""
        return 0.0 if self.declared.pump is None else self.declared.pump.current_uA


def _symbol(pool: str) -> str:
    return pool if pool == CALCIUM else f"{CALCIUM}_{pool}"


class _Words:
    """Names that every language takes for variables, each given once."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def __call__(self, text: str) -> str:
        word = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_") or "x"
        word = word if word[0].isalpha() else f"x{word}"
        found, count = word, 1
        while found in self.taken:
            count += 1
            found = f"{word}{count}"
        self.taken.add(found)
        return found


@lru_cache(maxsize=16)
def describe(neuron: NeuronModel) -> tuple[ChannelText, ...]:
    """Describe the channels of a neuron.

    Raises
    ------
    NeuronModelError
        If a function cannot be written as an expression (channel and gate are named).
    """
    words = _Words()
    symbols = [words(channel.name) for channel in neuron.channels]
    words.taken |= {_symbol(pool.name) for pool in neuron.pools}
    fed = {name for pool in neuron.pools for name in pool.channels}
    return tuple(
        ChannelText(
            symbol,
            f"g_{channel.name}",
            float(E),
            tuple(_gates(neuron, channel, symbol, words)),
            _scheme(neuron, channel, symbol, words),
            channel.name in fed,
            channel.E_mV if isinstance(channel.E_mV, Nernst) else None,
            _symbol(channel.E_mV.pool) if isinstance(channel.E_mV, Nernst) else "",
        )
        for channel, symbol, E in zip(neuron.channels, symbols, neuron.E_mV, strict=True)
    )


def describe_pools(neuron: NeuronModel) -> tuple[PoolText, ...]:
    """Describe the calcium pools of a neuron."""
    channels = describe(neuron)
    return tuple(
        PoolText(_symbol(pool.name), pool, tuple(channels[neuron.index(name)] for name in pool.channels))
        for pool in neuron.pools
    )


def initial_values(neuron: NeuronModel, rest: bool = False) -> dict[str, float]:
    """Return the values of all state variables at the start; with ``rest``, first states have none."""
    values: dict[str, float] = {}
    for channel in describe(neuron):
        values |= {gate.symbol: gate.initial for gate in channel.gates if gate.tau is not None}
        if (scheme := channel.scheme) is not None:
            values |= {state: scheme.initial[state] for state in (scheme.free if rest else scheme.initial)}
    return values | {_symbol(pool.name): pool.initial_uM for pool in neuron.pools}


def _express(function: VoltageFunction, neuron: NeuronModel, what: str) -> Expr:
    try:
        return express(function)
    except NeuronModelError as error:
        raise NeuronModelError(f"Neuron {neuron.name!r}: {what} cannot be exported: {error}") from None


def _gates(neuron: NeuronModel, channel: Channel, of: str, words: _Words) -> Iterable[GateText]:
    for gate in channel.gates:
        where = f"channel {channel.name}, gate {gate.name}"
        tau = None if gate.tau is None else _express(gate.tau, neuron, f"{where}: tau")
        yield GateText(
            symbol=words(f"{gate.name}_{of}"),
            x_inf=_express(gate.x_inf, neuron, f"{where}: the steady state"),
            tau=tau,
            exponent=gate.exponent,
            hill=gate.hill,
            pool=_symbol(gate.hill.pool) if gate.hill is not None else "",
            initial=neuron.gate_at_start(gate),
        )


def _scheme(neuron: NeuronModel, channel: Channel, of: str, words: _Words) -> SchemeText | None:
    declared = channel.scheme
    if declared is None:
        return None
    V = np.array([neuron.V_initial_mV])
    if declared.initial is None:
        values = [float(value) for value in declared.steady_state(V)[0]]
    else:
        values = [float(np.asarray(declared.initial[state](V))[0]) for state in declared.free_states]
    names = {state: words(f"{state}_{of}") for state in declared.states}
    where = f"channel {channel.name}: the rate"
    return SchemeText(
        initial=dict(zip(names.values(), [1.0 - sum(values), *values], strict=True)),
        rates={
            (names[a], names[b]): _express(rate, neuron, f"{where} {a}→{b}")
            for (a, b), rate in declared.rates.items()
        },
        conducting=names[declared.conducting],
    )
