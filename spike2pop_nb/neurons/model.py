"""What a neuron is: a frozen declaration from which every other room derives what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.calcium import CalciumPool, Hill, Nernst
from spike2pop_nb.neurons.checks import check_neuron
from spike2pop_nb.neurons.functions import VoltageFunction
from spike2pop_nb.neurons.identity import declaration_of
from spike2pop_nb.neurons.parts import Baseline, Channel, Gate, Modulation
from spike2pop_nb.neurons.temperature import conductance_factors

__all__ = ["NeuronModel"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class NeuronModel:
    """A conductance-based neuron, declared once.

    It can be pickled and sent to other processes. A neuron that every process finds by its name travels as
    that name (and what `vary_neuron` changed), any other by value; its functions must then be importable.

    Attributes
    ----------
    name, title
        Key in the registry, and what people call it.
    channels
        All currents; the leak (no gates) comes last.
    V_th_mV
        Threshold voltage at which DICs are read.
    tau_fast, tau_slow, tau_ultraslow
        The reference time constants (ms, functions of V) between which gates are split.
    baseline
        Recipe of the tonic baseline population.
    modulation
        Which two conductances to compensate where in the (g_s, g_u) plane; the first that applies counts,
        and the last applies everywhere.
    calcium
        The calcium pool, or several; None without.
    calcium_guess
        ``{channel: function of g_s}``: where the iteration starts for conductances that feed calcium.
    dic_range
        ``{"g_s": (low, high), "g_u": (low, high)}``: where the targets of the training data lie.
    conductance_range
        ``{channel: (low, high)}`` in mS/cm², for Monte-Carlo populations.
    V_initial_mV
        Voltage at the start of a simulation; gates start at steady state there.
    recording_window_ms
        ``(start, stop)``: what precedes the start is a transient.
    time_step_ms
        Step of a simulation at accuracy "standard", a whole fraction of 0.1 ms; "exact" takes half of it.
        `check_model` says when it must be shorter, for example where instantaneous gates make the spike.
    spike_threshold_mV, spike_reset_mV
        A spike is an upward crossing of the first that is later followed by a fall below the second.
    references
        Where the model comes from.
    temperature_C
        Temperature at which the declaration holds; None where that is not stated. Every channel must state
        its Q10s (1 where temperature does nothing) before the neuron can be simulated at another.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> neuron = s2p.get_neuron("stg")
    >>> neuron.channel_names
    ('Na', 'Kd', 'CaT', 'CaS', 'KCa', 'A', 'H', 'leak')
    >>> neuron.V_th_mV, neuron.dic_range["g_s"]
    (-51.0, (-20.0, 20.0))
    """

    name: str
    title: str
    channels: tuple[Channel, ...]
    V_th_mV: float
    tau_fast: VoltageFunction
    tau_slow: VoltageFunction
    tau_ultraslow: VoltageFunction
    baseline: Baseline
    modulation: tuple[Modulation, ...]
    dic_range: Mapping[str, tuple[float, float]]
    conductance_range: Mapping[str, tuple[float, float]]
    V_initial_mV: float
    recording_window_ms: tuple[float, float]
    calcium: CalciumPool | tuple[CalciumPool, ...] | None = None
    calcium_guess: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    capacitance_uF: float = 1.0
    time_step_ms: float = 0.02
    spike_threshold_mV: float = 10.0
    spike_reset_mV: float = 0.0
    references: tuple[str, ...] = ()
    temperature_C: float | None = None

    def __post_init__(self) -> None:
        check_neuron(self)

    @cached_property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels, in the order of every conductance vector."""
        return tuple(channel.name for channel in self.channels)

    @property
    def g_columns(self) -> tuple[str, ...]:
        """Names of the conductance columns in tables: ``g_<channel>``, in mS/cm²."""
        return tuple(f"g_{name}" for name in self.channel_names)

    @property
    def n_channels(self) -> int:
        """Number of conductances, the leak included."""
        return len(self.channels)

    @cached_property
    def E_mV(self) -> FloatArray:
        """Reversal potentials, shape ``(n_channels,)``; of those that follow a pool, at its rest."""
        rest = {pool.name: pool.rest_uM for pool in self.pools}
        declared = [channel.E_mV for channel in self.channels]
        return np.array([float(E.value(rest[E.pool])) if isinstance(E, Nernst) else E for E in declared])

    @property
    def pools(self) -> tuple[CalciumPool, ...]:
        """Its calcium pools, none, one or several."""
        if self.calcium is None:
            return ()
        return self.calcium if isinstance(self.calcium, tuple) else (self.calcium,)

    def pool_index(self, part: Hill | Nernst) -> int:
        """Return the place of the pool that a gate or a reversal potential follows."""
        return [pool.name for pool in self.pools].index(part.pool)

    def gate_at_start(self, gate: Gate) -> float:
        """Return the value of a gate at the start of a simulation: its steady state."""
        x = float(np.asarray(gate.x_inf(np.array([self.V_initial_mV])))[0])
        if gate.hill is not None:
            x *= float(gate.hill.value(self.pools[self.pool_index(gate.hill)].initial_uM))
        return x

    def conductance_factors(self, temperature_C: float | None = None) -> FloatArray:
        """Return by how much each maximal conductance is larger at a temperature, shape ``(n_channels,)``.

        Raises
        ------
        NeuronModelError
            If the declaration does not say what the neuron is at that temperature; what lacks a Q10 is named.
        """
        return conductance_factors(self, temperature_C)

    def index(self, channel: str) -> int:
        """Return the place of a channel in a conductance vector.

        Raises
        ------
        NeuronModelError
            If the neuron has no such channel.
        """
        try:
            return self.channel_names.index(channel)
        except ValueError:
            raise NeuronModelError(
                f"The {self.name} neuron has no channel {channel!r}; it has {', '.join(self.channel_names)}."
            ) from None

    def modulation_index(self, g_s: npt.ArrayLike, g_u: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return which entry of `modulation` is recommended at each (g_s, g_u)."""
        s, u = np.broadcast_arrays(np.asarray(g_s, dtype=float), np.asarray(g_u, dtype=float))
        applies = [np.ones(s.shape, bool) if m.where is None else m.where(s, u) for m in self.modulation]
        return np.argmax(np.stack(applies), axis=0)

    def recommend(self, g_s: float, g_u: float) -> tuple[str, str]:
        """Return the two conductances that are recommended to compensate for a target."""
        return self.modulation[int(self.modulation_index(g_s, g_u))].compensate

    @cached_property
    def declaration(self) -> str:
        """``name-digest``, the same on every machine: what files name, so that no other neuron is taken.

        What `vary_neuron` changes does not count.
        """
        return declaration_of(self)

    def __repr__(self) -> str:
        return f"NeuronModel({self.name!r}, V_th_mV={self.V_th_mV:g}, {self.n_channels} channels)"

    def __copy__(self) -> NeuronModel:
        return self  # nothing in it changes

    def __deepcopy__(self, memo: dict[int, Any]) -> NeuronModel:
        return self
