"""What is done to the neuron itself: its channels, reversal potentials and calcium."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.action import Action, Amount, FloatArray, amount, each, number, said
from spike2pop_nb.experiments.stimuli import Stimulus
from spike2pop_nb.neurons import Nernst, NeuronModel

__all__ = ["Block", "CalciumBuffering", "KnockIn", "Potassium", "ReversalShift", "Scale"]

IntArray = npt.NDArray[np.int64]
_ROOM_C = 20.0
_SAME_E_MV = 5.0


def _one_channel(neuron: NeuronModel, channel: str, values: FloatArray, rest: float) -> FloatArray:
    """Values (n,) for one channel and the same number for all others, (n, n_channels)."""
    found = np.full((len(values), neuron.n_channels), rest)
    found[:, neuron.index(channel)] = values
    return found


def _check_count(value: Amount, n: int, what: str) -> None:
    if isinstance(value, tuple) and len(value) != n:
        raise ExperimentError(f"{what} has {len(value)} numbers for {n} members; give one, or one for each.")


@dataclass(frozen=True)
class Block(Action):
    """A share of a channel is blocked, as by a toxin at some dose."""

    channel: str
    blocked: Amount
    kind = "block"

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
        _check_count(self.blocked, n, f"The block of {self.channel}")
        if at == neuron.n_channels - 1 and np.max(self.blocked) == 1:
            raise ExperimentError("The leak cannot be blocked entirely: a membrane without one has no rest.")

    def g_factor(self, neuron: NeuronModel, share: float, members: IntArray) -> FloatArray:
        """Return what is left."""
        return _one_channel(neuron, self.channel, 1.0 - share * each(self.blocked, members), 1.0)

    def words(self) -> str:
        return f"{said(self.blocked, '%', 100.0)} of {self.channel} is blocked"

    @property
    def axis(self) -> str:
        return f"share of {self.channel} blocked"

    @property
    def label(self) -> str:
        return f"{self.channel} −{said(self.blocked, '%', 100.0)}"


@dataclass(frozen=True)
class Scale(Action):
    """A maximal conductance is multiplied by a factor, as by a modulator or overexpression."""

    channel: str
    factor: Amount
    kind = "scale"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("factor", amount(self.factor, f"The factor on {self.channel}", 0.0, 1000.0))

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if there is no such channel, or nothing would be left of the leak."""
        at = neuron.index(self.channel)
        _check_count(self.factor, n, f"The factor on {self.channel}")
        if at == neuron.n_channels - 1 and np.min(self.factor) == 0:
            raise ExperimentError("The leak cannot be scaled to nothing: a membrane without one has no rest.")

    def g_factor(self, neuron: NeuronModel, share: float, members: IntArray) -> FloatArray:
        """Return the factor."""
        return _one_channel(neuron, self.channel, 1.0 + share * (each(self.factor, members) - 1.0), 1.0)

    def words(self) -> str:
        return f"the conductance of {self.channel} is multiplied by {said(self.factor)}"

    @property
    def axis(self) -> str:
        return f"factor on {self.channel}"

    @property
    def label(self) -> str:
        return f"{self.channel} ×{said(self.factor)}"


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

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("conductance", amount(self.conductance, f"What is added of {self.channel}", -1e5, 1e5))

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if there is no such channel."""
        neuron.index(self.channel)
        _check_count(self.conductance, n, f"What is added of {self.channel}")

    def g_added(self, neuron: NeuronModel, share: float, members: IntArray) -> FloatArray:
        """Return what is added."""
        added = share * self.per_area(neuron) * each(self.conductance, members)
        return _one_channel(neuron, self.channel, added, 0.0)

    def words(self) -> str:
        return f"{said(self.conductance, self.unit_words)} of {self.channel} is added"

    @property
    def axis(self) -> str:
        return f"{self.channel} added ({self.unit_words})"

    @property
    def label(self) -> str:
        sign = "+" if np.min(self.conductance) >= 0 else ""
        return f"{self.channel} {sign}{said(self.conductance, self.unit_words)}"


@dataclass(frozen=True)
class ReversalShift(Action):
    """The reversal potential of a channel is shifted."""

    channel: str
    by_mV: Amount
    kind = "reversal"

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
        _check_count(self.by_mV, n, f"The shift of E_{self.channel}")

    def E_shift(self, neuron: NeuronModel, share: float, members: IntArray) -> FloatArray:
        """Return the shift."""
        return _one_channel(neuron, self.channel, share * each(self.by_mV, members), 0.0)

    def words(self) -> str:
        return f"the reversal potential of {self.channel} is shifted by {said(self.by_mV, 'mV')}"

    @property
    def axis(self) -> str:
        return f"shift of E_{self.channel} (mV)"

    @property
    def label(self) -> str:
        return f"E_{self.channel} {said(self.by_mV, 'mV')}"


@dataclass(frozen=True)
class Potassium(Action):
    """Potassium outside is multiplied by a factor, and E_K follows by the Nernst equation.

    Attributes
    ----------
    factor
        On the concentration outside.
    channels
        Those that let pass potassium alone. By default all but the leak whose reversal potential lies within
        5 mV of the lowest.
    shares
        ``{channel: share}`` for channels of which only a share of the conductance is one for potassium, such
        as the leak: their reversal potential moves by that share of the shift of E_K.
    temperature_C
        Of the Nernst equation; by default that of the neuron, or 20 °C where it declares none.
    """

    factor: float
    channels: tuple[str, ...] | None = None
    shares: tuple[tuple[str, float], ...] = ()
    temperature_C: float | None = None
    kind = "potassium"

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

    def E_shift(self, neuron: NeuronModel, share: float, members: IntArray) -> FloatArray:
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
        return found

    def words(self) -> str:
        whose = (
            "the channels of the lowest reversal potential"
            if self.channels is None
            else ", ".join(self.channels)
        )
        mixed = "".join(f"; {part:.0%} of {name} follows" for name, part in self.shares)
        return f"potassium outside is multiplied by {self.factor:g} (Nernst; E of {whose}{mixed})"

    @property
    def axis(self) -> str:
        return "factor on potassium outside"

    @property
    def label(self) -> str:
        return f"K⁺ ×{self.factor:g}"


@dataclass(frozen=True)
class CalciumBuffering(Action):
    """Calcium is buffered more, so that it follows its channels more slowly.

    A fast buffer that binds all but one in ``factor`` times more calcium ions than before makes the pool
    slower by that factor and leaves the calcium at which it settles as it was.
    """

    factor: float
    kind = "buffering"
    changes_neuron = True

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

    def words(self) -> str:
        return f"calcium is buffered {self.factor:g} times as much"

    @property
    def axis(self) -> str:
        return "factor on calcium buffering"

    @property
    def label(self) -> str:
        return f"Ca²⁺ buffer ×{self.factor:g}"


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
