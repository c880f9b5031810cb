"""Another temperature: rates and conductances follow their Q10s."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import ExperimentError, WayOut
from spike2pop_nb.experiments.action import Action, FloatArray, number
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.neurons.temperature import TEMPERATURE_RANGE_C, lacking_q10

__all__ = ["Temperature"]


@dataclass(frozen=True)
class Temperature(Action):
    """The neuron is brought to another temperature.

    Attributes
    ----------
    temperature_C
        To which it is brought.
    rate_q10, conductance_q10
        Assumed where the declaration states none: of gates, kinetic schemes and the removal of calcium, and
        of maximal conductances.
    declared_C
        Temperature at which the declaration holds, where it does not say so itself.
    """

    temperature_C: float
    rate_q10: float | None = None
    conductance_q10: float | None = None
    declared_C: float | None = None
    kind = "temperature"
    changes_neuron = True

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

    def g_factor(
        self, neuron: NeuronModel, share: float, members: npt.NDArray[np.int64]
    ) -> FloatArray | None:
        """Return by how much conductances are larger."""
        return self.changed(neuron, share).conductance_factors(self.at(neuron, share))[None]

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

    @property
    def axis(self) -> str:
        return "temperature (°C)"

    @property
    def label(self) -> str:
        return f"{self.temperature_C:g} °C"


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
