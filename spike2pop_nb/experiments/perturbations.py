"""What is done to the neuron itself: its channels, reversal potentials, calcium and temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from spike2pop_nb.errors import ExperimentError, WayOut
from spike2pop_nb.experiments.action import (
    Action,
    Amount,
    Effect,
    FloatArray,
    IntArray,
    amount,
    check_count,
    each,
    number,
    said,
)
from spike2pop_nb.experiments.stimuli import Stimulus
from spike2pop_nb.neurons import Nernst, NeuronModel
from spike2pop_nb.neurons.temperature import TEMPERATURE_RANGE_C, lacking_q10

__all__ = ["Block", "CalciumBuffering", "KnockIn", "Potassium", "ReversalShift", "Scale", "Temperature"]

_ROOM_C = 20.0
_SAME_E_MV = 5.0


def _one_channel(neuron: NeuronModel, channel: str, values: FloatArray, rest: float) -> FloatArray:
    """Values (n,) for one channel and the same number for all others, (n, n_channels)."""
    found = np.full((len(values), neuron.n_channels), rest)
    found[:, neuron.index(channel)] = values
    return found


@dataclass(frozen=True)
class Block(Action):
    """A share of a channel is blocked, as by a toxin at some dose."""

    channel: str
    blocked: Amount
    kind = "block"
    done = "{0.much} of {0.channel} is blocked"
    named = "{0.channel} −{0.much}"
    dosed = "share of {0.channel} blocked"

    def __post_init__(self) -> None:
        super().__post_init__()
        what = f"The share of {self.channel} that is blocked"
        values = amount(self.blocked, what)
        if np.min(values) < 0 or np.max(values) > 1:
            raise ExperimentError(
                f"{what} must lie from 0 to 1 (0 to 100 %), not at {said(values)}; 0.5 blocks half of it."
            )
        self._set("blocked", values)

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if there is no such channel, or nothing would be left of the leak."""
        at = neuron.index(self.channel)
        check_count(self.blocked, n, f"The block of {self.channel}")
        if at == neuron.n_channels - 1 and np.max(self.blocked) == 1:
            raise ExperimentError("The leak cannot be blocked entirely: a membrane without one has no rest.")

    def effect(self, neuron: NeuronModel, share: float, members: IntArray) -> Effect:
        """Return what is left."""
        return Effect(_one_channel(neuron, self.channel, 1.0 - share * each(self.blocked, members), 1.0))

    @property
    def much(self) -> str:
        """How much, in words."""
        return said(self.blocked, "%", 100.0)


@dataclass(frozen=True)
class Scale(Action):
    """A maximal conductance is multiplied by a factor, as by a modulator or overexpression."""

    channel: str
    factor: Amount
    kind = "scale"
    done = "the conductance of {0.channel} is multiplied by {0.much}"
    named = "{0.channel} ×{0.much}"
    dosed = "factor on {0.channel}"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("factor", amount(self.factor, f"The factor on {self.channel}", 0.0, 1000.0))

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if there is no such channel, or nothing would be left of the leak."""
        at = neuron.index(self.channel)
        check_count(self.factor, n, f"The factor on {self.channel}")
        if at == neuron.n_channels - 1 and np.min(self.factor) == 0:
            raise ExperimentError("The leak cannot be scaled to nothing: a membrane without one has no rest.")

    def effect(self, neuron: NeuronModel, share: float, members: IntArray) -> Effect:
        """Return the factor."""
        factor = 1.0 + share * (each(self.factor, members) - 1.0)
        return Effect(_one_channel(neuron, self.channel, factor, 1.0))

    @property
    def much(self) -> str:
        """The factor, in words."""
        return said(self.factor)


@dataclass(frozen=True)
class KnockIn(Stimulus):
    """Some of a channel is added to what a member has, or taken from it: by a dynamic clamp, or expressed.

    What else is done (a block, a scale) is done to the channels that the member has, not to what is added.
    """

    channel: str
    conductance: Amount
    kind = "knock_in"
    density = "mS/cm2"
    absolute = "nS"
    done = "{0.much} of {0.channel} is added"
    dosed = "{0.channel} added ({0.unit_words})"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("conductance", amount(self.conductance, f"What is added of {self.channel}", -1e5, 1e5))

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if there is no such channel."""
        neuron.index(self.channel)
        check_count(self.conductance, n, f"What is added of {self.channel}")

    def effect(self, neuron: NeuronModel, share: float, members: IntArray) -> Effect:
        """Return what is added."""
        added = share * self.per_area(neuron) * each(self.conductance, members)
        return Effect(g_added=_one_channel(neuron, self.channel, added, 0.0))

    @property
    def much(self) -> str:
        """How much, in words."""
        return said(self.conductance, self.unit_words)

    @property
    def label(self) -> str:
        sign = "+" if np.min(self.conductance) >= 0 else ""
        return f"{self.channel} {sign}{self.much}"


@dataclass(frozen=True)
class ReversalShift(Action):
    """The reversal potential of a channel is shifted."""

    channel: str
    by_mV: Amount
    kind = "reversal"
    done = "the reversal potential of {0.channel} is shifted by {0.much}"
    named = "E_{0.channel} {0.much}"
    dosed = "shift of E_{0.channel} (mV)"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("by_mV", amount(self.by_mV, f"The shift of E_{self.channel}", -200.0, 200.0))

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if there is no such channel, or its reversal potential follows calcium."""
        at = neuron.index(self.channel)
        if isinstance(neuron.channels[at].E_mV, Nernst):
            raise ExperimentError(
                f"The reversal potential of {self.channel} follows calcium and cannot be shifted; buffer "
                "calcium instead."
            )
        check_count(self.by_mV, n, f"The shift of E_{self.channel}")

    def effect(self, neuron: NeuronModel, share: float, members: IntArray) -> Effect:
        """Return the shift."""
        return Effect(E_shift=_one_channel(neuron, self.channel, share * each(self.by_mV, members), 0.0))

    @property
    def much(self) -> str:
        """The shift, in words."""
        return said(self.by_mV, "mV")


@dataclass(frozen=True)
class Potassium(Action):
    """Potassium outside is multiplied by a factor, and E_K follows by the Nernst equation; see `potassium`.

    Of channels with a share the reversal potential moves by that share of the shift of E_K.
    """

    factor: float
    channels: tuple[str, ...] | None = None
    shares: tuple[tuple[str, float], ...] = ()
    temperature_C: float | None = None
    kind = "potassium"
    named = "K⁺ ×{0.factor:g}"
    dosed = "factor on potassium outside"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("factor", number(self.factor, "The factor on potassium", 0.01, 100.0))
        if self.temperature_C is not None:
            self._set("temperature_C", number(self.temperature_C, "The temperature in °C", -20.0, 80.0))
        if self.channels is not None:
            self._set(
                "channels", (self.channels,) if isinstance(self.channels, str) else tuple(self.channels)
            )
        pairs = self.shares.items() if isinstance(self.shares, Mapping) else self.shares
        named = {name: number(one, f"The potassium share of {name}", 0.0, 1.0) for name, one in pairs}
        self._set("shares", tuple(sorted(named.items())))

    def carriers(self, neuron: NeuronModel) -> dict[str, float]:
        """Return the share of potassium in each channel that has one."""
        if self.channels is None:
            gated = dict(zip(neuron.channel_names[:-1], neuron.E_mV[:-1], strict=True))
            lowest = min(gated.values()) + _SAME_E_MV
            found = {name: 1.0 for name, E in gated.items() if lowest >= E}
        else:
            found = dict.fromkeys(self.channels, 1.0)
        return found | dict(self.shares)

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if it names a channel that there is not."""
        for name in self.carriers(neuron):
            neuron.index(name)

    def effect(self, neuron: NeuronModel, share: float, members: IntArray) -> Effect:
        """Return the shift of each channel."""
        from scipy import constants

        T_C = self.temperature_C
        if T_C is None:
            declared = getattr(neuron, "temperature_C", None)
            T_C = _ROOM_C if declared is None else declared
        faraday = constants.physical_constants["Faraday constant"][0]
        RT_F_mV = 1000.0 * constants.R * (constants.zero_Celsius + T_C) / faraday
        shift = RT_F_mV * np.log1p((self.factor - 1.0) * share)
        found = np.zeros((1, neuron.n_channels))
        for name, part in self.carriers(neuron).items():
            found[0, neuron.index(name)] = part * shift
        return Effect(E_shift=found)

    def words(self) -> str:
        whose = (
            "the channels of the lowest reversal potential"
            if self.channels is None
            else ", ".join(self.channels)
        )
        mixed = "".join(f"; {part:.0%} of {name} follows" for name, part in self.shares)
        return f"potassium outside is multiplied by {self.factor:g} (Nernst; E of {whose}{mixed})"


@dataclass(frozen=True)
class CalciumBuffering(Action):
    """Calcium is buffered more, so that it follows its channels more slowly.

    A fast buffer that binds all but one in ``factor`` times more calcium ions than before makes the pool
    slower by that factor and leaves the calcium at which it settles as it was.
    """

    factor: float
    kind = "buffering"
    changes_neuron = True
    done = "calcium is buffered {0.factor:g} times as much"
    named = "Ca²⁺ buffer ×{0.factor:g}"
    dosed = "factor on calcium buffering"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("factor", number(self.factor, "The factor on calcium buffering", 0.01, 1000.0))

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if there is no calcium."""
        if not neuron.pools:
            raise ExperimentError(f"The {neuron.name} neuron has no calcium pool that could be buffered.")

    def changed(self, neuron: NeuronModel, share: float) -> NeuronModel:
        """Return the neuron with a slower pool."""
        return _buffered(neuron, 1.0 + share * (self.factor - 1.0))


@lru_cache(maxsize=64)
def _buffered(neuron: NeuronModel, factor: float) -> NeuronModel:
    if factor == 1:
        return neuron
    slower = []
    for pool in neuron.pools:
        pump = pool.pump
        if pump is not None:
            pump = replace(pump, rate_uM_per_ms=pump.rate_uM_per_ms / factor)
        slower.append(replace(pool, tau_ms=pool.tau_ms * factor, pump=pump))
    return replace(neuron, calcium=tuple(slower))


@dataclass(frozen=True)
class Temperature(Action):
    """The neuron is brought to another temperature; see `temperature`.

    ``rate_q10`` is assumed of gates, kinetic schemes and the removal of calcium, where they state none.
    """

    temperature_C: float
    rate_q10: float | None = None
    conductance_q10: float | None = None
    declared_C: float | None = None
    kind = "temperature"
    changes_neuron = True
    named = "{0.temperature_C:g} °C"
    dosed = "temperature (°C)"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("temperature_C", number(self.temperature_C, "The temperature in °C", *TEMPERATURE_RANGE_C))
        for name in ("rate_q10", "conductance_q10"):
            if getattr(self, name) is not None:
                self._set(name, number(getattr(self, name), name, 0.1, 20.0))
        if self.declared_C is not None:
            self._set("declared_C", number(self.declared_C, "declared_C", *TEMPERATURE_RANGE_C))

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if it is not known at which temperature the declaration holds, or a Q10 is missing."""
        changed = self.changed(neuron, 1.0)
        if changed.temperature_C is None:
            raise ExperimentError(
                f"The {neuron.name} neuron does not declare at which temperature it holds.",
                WayOut("say so", ("declared_C",)),
                WayOut("declare it"),
            )
        if lacking := lacking_q10(changed):
            raise ExperimentError(
                f"The {neuron.name} neuron declares no Q10 of {', '.join(lacking)}.",
                WayOut("say which to assume there", ("rate_q10", "conductance_q10")),
                WayOut("declare them, as 1 where temperature does nothing"),
            )

    def at(self, neuron: NeuronModel, share: float) -> float | None:
        """Return the temperature."""
        declared = self.changed(neuron, share).temperature_C
        return None if declared is None else declared + share * (self.temperature_C - declared)

    def effect(self, neuron: NeuronModel, share: float, members: IntArray) -> Effect:
        """Return by how much conductances are larger."""
        return Effect(self.changed(neuron, share).conductance_factors(self.at(neuron, share))[None])

    def changed(self, neuron: NeuronModel, share: float) -> NeuronModel:
        """Return the neuron with the Q10s that are assumed."""
        return _assuming(neuron, self.rate_q10, self.conductance_q10, self.declared_C)

    def words(self) -> str:
        assumed = [
            f"{what} {value:g}"
            for what, value in (("rates", self.rate_q10), ("conductances", self.conductance_q10))
            if value is not None
        ]
        given = f" (Q10 where none is declared: {', '.join(assumed)})" if assumed else ""
        from_C = "" if self.declared_C is None else f" from {self.declared_C:g}"
        return f"the temperature is brought{from_C} to {self.temperature_C:g} °C{given}"


@lru_cache(maxsize=64)
def _assuming(
    neuron: NeuronModel, rate: float | None, conductance: float | None, declared_C: float | None
) -> NeuronModel:
    if neuron.temperature_C is not None:
        declared_C = None
    if rate is None and conductance is None and declared_C is None:
        return neuron
    channels = tuple(
        replace(
            channel,
            q10=conductance if channel.q10 is None else channel.q10,
            gates=tuple(
                replace(gate, q10=rate) if gate.q10 is None and gate.tau is not None else gate
                for gate in channel.gates
            ),
            scheme=replace(channel.scheme, q10=rate)
            if channel.scheme is not None and channel.scheme.q10 is None
            else channel.scheme,
        )
        for channel in neuron.channels
    )
    pools = tuple(replace(pool, q10=rate) if pool.q10 is None else pool for pool in neuron.pools)
    at = neuron.temperature_C if declared_C is None else declared_C
    return replace(neuron, channels=channels, calcium=pools or None, temperature_C=at)
