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
from spike2pop_nb.neurons import Channel, NeuronModel
from spike2pop_nb.neurons.functions import VoltageFunction

__all__ = ["ChannelText", "GateText", "SchemeText", "describe", "initial_values"]


@dataclass(frozen=True)
class GateText:
    """A gate: its variable, equations, exponent, calcium half activation (µM) and value at the start."""

    symbol: str
    x_inf: Expr
    tau: Expr | None
    exponent: int
    half_uM: float | None
    initial: float

    def power(self, variable: str, sign: str = "**") -> str:
        """Return the factor that this gate is of its conductance."""
        return f"{variable}{sign}{self.exponent}" if self.exponent > 1 else variable

    @property
    def calcium(self) -> str:
        """Text of the factor by which calcium opens the gate, or nothing."""
        return f" * Ca / (Ca + {self.half_uM!r})" if self.half_uM else ""


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


@dataclass(frozen=True)
class ChannelText:
    """A channel: its variable, column of the table of members, reversal potential, and what opens it."""

    symbol: str
    column: str
    E_mV: float
    gates: tuple[GateText, ...]
    scheme: SchemeText | None
    feeds_calcium: bool

    @property
    def instant(self) -> bool:
        """Whether some of its gates follow the voltage at once."""
        return any(gate.tau is None for gate in self.gates)

    def conductance(
        self, g: str = "gmax_%s", state: str = "%s", instant: str = "%s", sign: str = "**", rest: bool = False
    ) -> str:
        """Return the product that its conductance is.

        Parameters
        ----------
        g, state, instant
            Forms of the names of its maximal conductance, of its states, and of gates that follow at once.
        sign
            Of a power.
        rest
            Whether the first state of a scheme has no variable.
        """
        factors = [g % self.symbol]
        factors += [
            gate.power((instant if gate.tau is None else state) % gate.symbol, sign) for gate in self.gates
        ]
        if self.scheme is not None:
            factors.append(self.scheme.open if rest else state % self.scheme.conducting)
        return " * ".join(factors)


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
    pool = neuron.calcium
    return tuple(
        ChannelText(
            symbol,
            f"g_{channel.name}",
            float(channel.E_mV),
            tuple(_gates(neuron, channel, symbol, words)),
            _scheme(neuron, channel, symbol, words),
            pool is not None and channel.name in pool.channels,
        )
        for channel, symbol in zip(neuron.channels, symbols, strict=True)
    )


def initial_values(neuron: NeuronModel, rest: bool = False) -> dict[str, float]:
    """Return the values of all state variables at the start; with ``rest``, first states have none."""
    values: dict[str, float] = {}
    for channel in describe(neuron):
        values |= {gate.symbol: gate.initial for gate in channel.gates if gate.tau is not None}
        if (scheme := channel.scheme) is not None:
            values |= {state: scheme.initial[state] for state in (scheme.free if rest else scheme.initial)}
    return values | ({"Ca": neuron.calcium.initial_uM} if neuron.calcium is not None else {})


def _express(function: VoltageFunction, neuron: NeuronModel, what: str) -> Expr:
    try:
        return express(function)
    except NeuronModelError as error:
        raise NeuronModelError(f"Neuron {neuron.name!r}: {what} cannot be exported: {error}") from None


def _gates(neuron: NeuronModel, channel: Channel, of: str, words: _Words) -> Iterable[GateText]:
    V = np.array([neuron.V_initial_mV])
    Ca = neuron.calcium.initial_uM if neuron.calcium else 0.0
    for gate in channel.gates:
        half = gate.calcium_half_uM
        where = f"channel {channel.name}, gate {gate.name}"
        tau = None if gate.tau is None else _express(gate.tau, neuron, f"{where}: tau")
        yield GateText(
            symbol=words(f"{gate.name}_{of}"),
            x_inf=_express(gate.x_inf, neuron, f"{where}: the steady state"),
            tau=tau,
            exponent=gate.exponent,
            half_uM=half,
            initial=float(np.asarray(gate.x_inf(V))[0]) * (Ca / (Ca + half) if half else 1.0),
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
