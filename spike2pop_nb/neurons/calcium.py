"""Calcium within a neuron: pools, pumps, and how gates and reversal potentials follow it; [Ca] in µM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["CALCIUM", "LATER", "CalciumPool", "Hill", "Nernst", "Pump"]

CALCIUM = "Ca"
"""Name of a pool that is given none."""
LATER = {"later": True}
"""Of fields that declarations did not have at first: at their default they do not count in a digest."""


@dataclass(frozen=True)
class Hill:
    """How calcium opens or closes a gate: ``h(Ca) = r / (1 + r)`` with ``r = (Ca / half_uM)^power``.

    Attributes
    ----------
    half_uM
        Calcium at which h is a half.
    power
        Steepness; any positive number.
    closes
        Whether calcium closes the gate: 1 − h in place of h.
    pool
        Name of the pool.

    Examples
    --------
    >>> from spike2pop_nb.neurons import Hill
    >>> float(Hill(3.0).value(1.0)), float(Hill(3.0, power=2, closes=True).value(3.0))
    (0.25, 0.5)
    """

    half_uM: float
    power: float = 1.0
    closes: bool = False
    pool: str = CALCIUM

    def value(self, Ca: Any) -> Any:
        """Return the share of the steady state that is left at calcium in µM."""
        x = (
            Ca / (Ca + self.half_uM)
            if self.power == 1.0
            else 1.0 / (1.0 + (Ca / self.half_uM) ** -self.power)
        )
        return 1.0 - x if self.closes else x

    def slope(self, Ca: Any) -> Any:
        """Return its derivative, per µM."""
        if self.power == 1.0:
            x = self.half_uM / (Ca + self.half_uM) ** 2
        else:
            r = (Ca / self.half_uM) ** -self.power
            x = self.power * r / (Ca * (1.0 + r) ** 2)
        return -x if self.closes else x


@dataclass(frozen=True)
class Nernst:
    """A reversal potential that follows a calcium pool: ``E = slope_mV · ln(outside_uM / Ca)``.

    Attributes
    ----------
    outside_uM
        Concentration outside the cell.
    slope_mV
        RT/zF, 12.2 mV for calcium at 10 °C; it grows with the absolute temperature.
    pool
        Name of the pool inside.

    Examples
    --------
    >>> from spike2pop_nb.neurons import Nernst
    >>> round(float(Nernst(outside_uM=3000.0, slope_mV=12.2).value(0.05)), 1)
    134.2
    """

    outside_uM: float
    slope_mV: float
    pool: str = CALCIUM

    def value(self, Ca: Any) -> Any:
        """Return the reversal potential in mV at calcium in µM."""
        return self.slope_mV * np.log(self.outside_uM / Ca)

    def slope(self, Ca: Any) -> Any:
        """Return its derivative, mV per µM."""
        return -self.slope_mV / Ca


@dataclass(frozen=True)
class Pump:
    """Michaelis–Menten removal from a calcium pool: ``dCa/dt = … − rate · Ca / (Ca + half_uM)``.

    Attributes
    ----------
    rate_uM_per_ms
        What it removes at most.
    half_uM
        Calcium at which it removes half of that.
    current_uA
        Outward current of the membrane in µA/cm² that it carries at most; 0 for an electroneutral pump.

    Examples
    --------
    >>> from spike2pop_nb.neurons import Pump
    >>> float(Pump(rate_uM_per_ms=0.1, half_uM=0.2).share(0.2))
    0.5
    """

    rate_uM_per_ms: float
    half_uM: float
    current_uA: float = 0.0

    def share(self, Ca: Any) -> Any:
        """Return how much of its rate it works at, at calcium in µM."""
        return Ca / (Ca + self.half_uM)

    def slope(self, Ca: Any) -> Any:
        """Return the derivative of that share, per µM."""
        return self.half_uM / (Ca + self.half_uM) ** 2


@dataclass(frozen=True)
class CalciumPool:
    """Intracellular calcium: ``tau_ms · dCa/dt = −influx · Σ I_channels − Ca + rest_uM``.

    Attributes
    ----------
    channels
        Names of those that feed it.
    tau_ms
        Time constant with which calcium goes back to rest.
    influx_uM_per_uA
        How far a current of 1 µA/cm² would raise it in the end.
    rest_uM, initial_uM
        Calcium at rest, and at the start of a simulation.
    q10
        How many times faster calcium is removed, also by a pump, at 10 °C more (what a current brings in
        stays); None where that is not stated.
    name
        Name of the pool, where a neuron has several.
    pump
        What removes calcium beside ``tau_ms``.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> pool = s2p.get_neuron("stg").calcium
    >>> pool.channels, pool.tau_ms
    (('CaT', 'CaS'), 20.0)
    """

    channels: tuple[str, ...]
    tau_ms: float
    influx_uM_per_uA: float
    rest_uM: float
    initial_uM: float
    q10: float | None = None
    name: str = field(default=CALCIUM, metadata=LATER)
    pump: Pump | None = field(default=None, metadata=LATER)

    @property
    def settling_ms(self) -> float:
        """Time constant with which calcium near rest goes back to it, by all that removes it."""
        pumped = 0.0 if self.pump is None else self.pump.rate_uM_per_ms * float(self.pump.slope(self.rest_uM))
        return self.tau_ms / (1.0 + self.tau_ms * pumped)
