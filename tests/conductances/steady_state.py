"""The current of a neuron at rest at a held voltage, written plainly, with every path to it apart."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq, root

from spike2pop_nb.neurons import Hill, Nernst, NeuronModel


class SteadyState:
    """One member; gates and ohmic drive each have a voltage of their own, and each pool its calcium."""

    def __init__(self, neuron: NeuronModel, g: np.ndarray) -> None:
        self.neuron, self.g = neuron, g
        self.pools = [pool.name for pool in neuron.pools]
        self.parts = [
            (c, part)
            for c, channel in enumerate(neuron.channels)
            for part in (*channel.gates, *([channel.scheme] if channel.scheme else []))
        ]

    def left_open(self, hill: Hill | None, Ca: np.ndarray) -> float:
        if hill is None:
            return 1.0
        share = 1.0 / (1.0 + (hill.half_uM / Ca[self.pools.index(hill.pool)]) ** hill.power)
        return 1.0 - share if hill.closes else share

    def currents(self, V: float, gates_V: list[float], Ca: np.ndarray) -> np.ndarray:
        """Currents of the channels with each gate or scheme as it is at a voltage of its own."""
        opened = np.ones(self.neuron.n_channels)
        for (c, part), own in zip(self.parts, gates_V, strict=True):
            at = np.array([own])
            if hasattr(part, "x_inf"):
                x = float(part.x_inf(at)[0]) * self.left_open(part.hill, Ca)
                opened[c] *= x**part.exponent
            else:
                opened[c] *= float(part.conducting_inf(at)[0])
        return self.g * opened * (V - np.array([self.reversal(c, Ca) for c in range(len(opened))]))

    def reversal(self, c: int, Ca: np.ndarray) -> float:
        E = self.neuron.channels[c].E_mV
        if isinstance(E, Nernst):
            return E.slope_mV * math.log(E.outside_uM / Ca[self.pools.index(E.pool)])
        return E

    def total(self, V: float, gates_V: list[float], Ca: np.ndarray) -> float:
        """All current, with that of pumps."""
        carried = sum(
            pool.pump.current_uA * Ca[q] / (Ca[q] + pool.pump.half_uM)
            for q, pool in enumerate(self.neuron.pools)
            if pool.pump is not None
        )
        return float(self.currents(V, gates_V, Ca).sum() + carried)

    def steady(self, V: float) -> float:
        """All current with everything as it is at this voltage."""
        return self.total(V, [V] * len(self.parts), self.calcium(V))

    def calcium(self, V: float) -> np.ndarray:
        """Steady calcium of each pool."""
        neuron = self.neuron
        if not neuron.pools:
            return np.zeros(0)

        def left_over(u: np.ndarray) -> list[float]:
            Ca = np.exp(u)
            I = self.currents(V, [V] * len(self.parts), Ca)  # noqa: E741
            found = []
            for q, pool in enumerate(neuron.pools):
                carried = sum(I[neuron.index(name)] for name in pool.channels)
                change = -pool.influx_uM_per_uA * carried - Ca[q] + pool.rest_uM
                if pool.pump is not None:
                    change -= pool.tau_ms * pool.pump.rate_uM_per_ms * Ca[q] / (Ca[q] + pool.pump.half_uM)
                found.append(change)
            return found

        if len(neuron.pools) == 1:
            return np.exp([brentq(lambda u: left_over(np.array([u]))[0], -20.0, 20.0, xtol=1e-14)])
        start = np.log([pool.rest_uM for pool in neuron.pools])
        solution = root(left_over, start, method="hybr", tol=1e-13)
        Ca = np.exp(solution.x)
        assert np.all(np.abs(solution.fun) < 1e-9 * (1.0 + Ca))
        return np.asarray(Ca)
