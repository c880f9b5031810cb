"""Parts of the settings: what is explored, what is asked of a population, and what is compared."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, field_validator

from spike2pop_nb.errors import Spike2PopError
from spike2pop_nb.experiments import (
    PRICES,
    QUESTIONS,
    Feasible,
    Question,
    Target,
    feasible_experiments,
    priced,
)
from spike2pop_nb.neurons import NeuronModel, vary_neuron

__all__ = ["MOST_DOSES", "Asked", "Compared", "Explored", "Name", "Pair", "check_channels", "different"]

MOST_DOSES = 12
"""Most doses that the page gives at once."""


def _parts(value: object) -> object:
    """What an address writes in one word, A,B."""
    return tuple(value.split(",")) if isinstance(value, str) else value


def _ranges(value: object) -> object:
    """What an address writes in one word, Kd:70:140,H:0:1."""
    if not isinstance(value, str):
        return value
    entries = [entry.rsplit(":", 2) for entry in value.split(",") if entry]
    if any(len(entry) != 3 for entry in entries):
        raise ValueError("each range must be written as channel:low:high")
    return {channel: (low, high) for channel, low, high in entries}


def different(pair: tuple[str, str] | None) -> tuple[str, str] | None:
    """A pair, if it is of two."""
    if pair is not None and pair[0] == pair[1]:
        raise ValueError("two different conductances are needed")
    return pair


def check_channels(names: tuple[str, ...] | None, neuron: NeuronModel) -> None:
    """Refuse channels that a neuron does not have."""
    for name in names or ():
        if name not in neuron.channel_names:
            raise Spike2PopError(
                f"the {neuron.name} neuron has no channel {name[:40]!r}; "
                f"it has {', '.join(neuron.channel_names)}."
            )


Name = Annotated[str, Field(max_length=300)]
Pair = Annotated[tuple[str, str], BeforeValidator(_parts)]
_Point = Annotated[tuple[FiniteFloat, FiniteFloat], BeforeValidator(_parts)]


def _prices(value: object) -> object:
    """What an address writes in one word, block:20,current:1."""
    if not isinstance(value, str):
        return value
    return dict(entry.rsplit(":", 1) for entry in value.split(",") if ":" in entry)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_fields(self) -> dict[str, object]:
        """As entries of an address; only what differs from the defaults."""
        fields: dict[str, object] = {}
        for name, value in self.model_dump(exclude_defaults=True).items():
            if isinstance(value, dict):
                ends = {name: one if isinstance(one, tuple) else (one,) for name, one in value.items()}
                value = ",".join(":".join(map(str, (name, *those))) for name, those in ends.items())
            elif isinstance(value, tuple):
                value = ",".join(map(str, value))
            fields[name] = value
        return fields


class Explored(_Part):
    """Choices of the explorer; None leaves one to the program."""

    pair: Pair | None = None  # that is explored; None for that of the search
    layer: Literal["reached", "condition", "residual", "pattern", "rate"] = "reached"  # of `plots.LAYERS`
    # (g_s, g_u) of the members, and where they are modulated to; None for those that the recording gives
    target: _Point | None = None
    end: _Point | None = None
    V_th_mV: FiniteFloat | None = None  # None for the declared one
    ranges: Annotated[  # of the baseline in mS/cm², by channel, that differ from the declared ones
        dict[str, tuple[FiniteFloat, FiniteFloat]], BeforeValidator(_ranges)
    ] = Field(default_factory=dict)
    noise_sigma: float = Field(default=0, ge=0, le=100)  # of what is injected, in µA/cm²; see `simulate`

    _two = field_validator("pair")(different)

    def checked(self, neuron: NeuronModel) -> Explored:
        """Itself, if a neuron can be explored so.

        Raises
        ------
        Spike2PopError
            If a channel is not the neuron's, a point lies outside its plane, or the threshold or a range
            cannot be.
        """
        check_channels(self.pair, neuron)
        for what, point in (("target", self.target), ("end of modulation", self.end)):
            for name, value in zip(("g_s", "g_u"), point or (), strict=False):
                low, high = neuron.dic_range[name]
                if not low <= value <= high:
                    raise Spike2PopError(
                        f"The {what} has {name} = {value:g}; for the {neuron.name} neuron it must lie "
                        f"between {low:g} and {high:g}."
                    )
        vary_neuron(neuron, V_th_mV=self.V_th_mV, baseline=self.ranges)
        return self


class Asked(_Part):
    """What is asked of a population; None leaves a choice to the program."""

    kind: Literal["block", "current", "temperature", "potassium"] = "block"  # of `QUESTIONS`
    channel: Name | None = None  # that is blocked; None for the last with the lowest reversal potential
    range: _Point | None = None  # the lowest and the highest dose; None for the usual
    n: int = Field(default=6, ge=1, le=MOST_DOSES)  # doses from one to the other
    # what a temperature assumes where the neuron states none
    rate_q10: float | None = Field(default=None, ge=0.1, le=20)
    conductance_q10: float | None = Field(default=None, ge=0.1, le=20)
    declared_C: float | None = Field(default=None, ge=0, le=50)
    target: Name = "conductances"  # what the next experiment shall tell; see `experiments.Target`
    # of experiments, by their kind, where they are not the usual ones; 0 for what cannot be done
    prices: Annotated[dict[str, FiniteFloat], BeforeValidator(_prices)] = Field(default_factory=dict)
    by: Literal["bits", "bits_per_price"] = "bits"  # that experiments are ranked by

    def checked(self, neuron: NeuronModel) -> Asked:
        """Itself, if it can be asked of a neuron, which may still lack something.

        Raises
        ------
        Spike2PopError
            If there is no such channel, or a dose cannot be.
        """
        if self.channel is not None:
            check_channels((self.channel,), neuron)
        target = Target.parsed(self.target)
        if target.kind == "conductance":
            check_channels((target.channel,), neuron)
        if wrong := [name for name, price in self.prices.items() if name not in PRICES or price < 0]:
            raise Spike2PopError(
                f"Prices are of {', '.join(PRICES)}, and zero (cannot be done) or more; that of "
                f"{wrong[0][:40]!r} is not."
            )
        low, high = self.ends
        least, most = QUESTIONS[self.kind].limits
        if not least <= low <= high <= most:
            raise Spike2PopError(
                f"Doses of {QUESTIONS[self.kind].dose} rise from {least:g} to {most:g} at most, not from "
                f"{low:g} to {high:g}."
            )
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest dose."""
        return QUESTIONS[self.kind].usual if self.range is None else self.range

    @property
    def doses(self) -> tuple[float, ...]:
        """The doses, evenly from the lowest to the highest; of one, the highest."""
        low, high = self.ends
        doses = np.linspace(low, high, self.n) if self.n > 1 else np.array([high])
        return tuple(dict.fromkeys(float(f"{dose:.4g}") for dose in doses))

    def blocked(self, neuron: NeuronModel) -> str:
        """The channel that is blocked."""
        if self.channel is not None:
            return self.channel
        lowest = np.flatnonzero(neuron.E_mV == neuron.E_mV.min())
        return neuron.channel_names[int(lowest[-1])]

    def rig(self, neuron: NeuronModel) -> tuple[Feasible, ...]:
        """What can be done to the neuron, with prices.

        Raises
        ------
        Spike2PopError
            If nothing can.
        """
        rig = feasible_experiments(
            neuron,
            rate_q10=self.rate_q10,
            conductance_q10=self.conductance_q10,
            declared_C=self.declared_C,
        )
        there = {one.kind for one in rig}
        own = {name: price or math.inf for name, price in self.prices.items() if name in there}
        return priced(rig, own)

    def question(self, neuron: NeuronModel) -> Question:
        """What is asked, but for the dose."""
        if self.kind == "block":
            return Question(self.kind, self.blocked(neuron))
        if self.kind == "temperature":
            return Question(self.kind, "", self.rate_q10, self.conductance_q10, self.declared_C)
        return Question(self.kind)


class Compared(_Part):
    """Which recordings are compared."""

    before: Name | None = None  # ids; None for the first and the second
    after: Name | None = None
    known: Name | None = None  # a conductance that is blocked in the second, and by which share
    share: float = Field(default=0.5, ge=0.05, le=1)
    size: int = Field(default=12, ge=0, le=48)  # members before and after; 0 for the answer alone

    def checked(self, neuron: NeuronModel) -> Compared:
        """Itself, if a neuron has what is known to be blocked.

        Raises
        ------
        Spike2PopError
            If it has no such channel.
        """
        check_channels(None if self.known is None else (self.known,), neuron)
        return self
