"""Currents of every channel along a given voltage, from a declaration alone: what a clamp is held against."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

from spike2pop_nb.neurons import Channel, Gate, KineticScheme, Nernst, NeuronModel

FloatArray = npt.NDArray[np.float64]
FINE = 60  # parts of a step


@nb.njit
def relaxing(start: float, goal: FloatArray, share: FloatArray) -> FloatArray:
    """Values that go a share of their way to a goal in each part."""
    out = np.empty(len(goal) + 1)
    out[0] = start
    for i in range(len(goal)):
        out[i + 1] = out[i] + share[i] * (goal[i] - out[i])
    return out


def scheme_course(scheme: KineticScheme, V: FloatArray, mid: FloatArray, h: float) -> FloatArray:
    """What conducts, by the trapezoidal rule, from the steady state on."""
    A, b = scheme.linear_system(mid)
    eye = np.eye(A.shape[-1])
    left = np.linalg.inv(eye - 0.5 * h * A)
    step, gain = left @ (eye + 0.5 * h * A), np.einsum("nij,nj->ni", left, h * b)
    x = scheme.steady_state(V[:1])[0]
    found = [x]
    for M, k in zip(step, gain, strict=True):
        x = M @ x + k
        found.append(x)
    states, free = np.array(found), scheme.free_states
    return states[:, free.index(scheme.conducting)] if scheme.conducting in free else 1.0 - states.sum(axis=1)


class Along:
    """A neuron along a voltage that is linear between its samples."""

    def __init__(self, neuron: NeuronModel, V: FloatArray, dt_ms: float) -> None:
        self.neuron, self.h = neuron, dt_ms / FINE
        samples = np.arange(len(V))
        self.V = np.interp(np.arange((len(V) - 1) * FINE + 1) / FINE, samples, V)
        self.mid = 0.5 * (self.V[1:] + self.V[:-1])
        self.known: dict[Any, FloatArray] = {}

    def of(self, function: Any, V: FloatArray) -> FloatArray:
        return np.asarray(function(V), dtype=float) + 0.0 * V

    def gate(self, gate: Gate, Ca: list[FloatArray]) -> FloatArray:
        hill = gate.hill
        if hill is None and id(gate) in self.known:
            return self.known[id(gate)]
        opened = 1.0 if hill is None else hill.value(Ca[self.neuron.pool_index(hill)])
        at = self.of(gate.x_inf, self.V) * opened
        if gate.tau is None:
            return at
        middle = 1.0 if hill is None else 0.5 * (opened[1:] + opened[:-1])
        share = -np.expm1(-self.h / self.of(gate.tau, self.mid))
        self.known[id(gate)] = relaxing(float(at[0]), self.of(gate.x_inf, self.mid) * middle, share)
        return self.known[id(gate)]

    def channel(self, channel: Channel, g: float, at_rest: float, Ca: list[FloatArray]) -> FloatArray:
        open_ = np.full(len(self.V), g)
        for gate in channel.gates:
            open_ = open_ * self.gate(gate, Ca) ** gate.exponent
        if channel.scheme is not None:
            if id(channel) not in self.known:
                self.known[id(channel)] = scheme_course(channel.scheme, self.V, self.mid, self.h)
            open_ = open_ * self.known[id(channel)]
        E = channel.E_mV
        return open_ * (
            self.V - (E.value(Ca[self.neuron.pool_index(E)]) if isinstance(E, Nernst) else at_rest)
        )

    def currents(self, g: FloatArray) -> FloatArray:
        """Currents at the samples, (n_channels, n); calcium and what follows it agree after some rounds."""
        neuron, n = self.neuron, len(self.V)
        Ca = [np.full(n, pool.initial_uM) for pool in neuron.pools]
        for _round in range(60):
            I = np.array(  # noqa: E741
                [
                    self.channel(channel, *numbers, Ca)
                    for channel, *numbers in zip(neuron.channels, g, neuron.E_mV, strict=True)
                ]
            )
            moved = 0.0
            for q, pool in enumerate(neuron.pools):
                flow = sum(I[neuron.index(name)] for name in pool.channels)
                goal = pool.rest_uM - 0.5 * pool.influx_uM_per_uA * (flow[1:] + flow[:-1])
                if pool.pump is not None:
                    share = pool.pump.share(0.5 * (Ca[q][1:] + Ca[q][:-1]))
                    goal = goal - pool.tau_ms * pool.pump.rate_uM_per_ms * share
                share = np.full(n - 1, -np.expm1(-self.h / pool.tau_ms))
                new = np.maximum(relaxing(pool.initial_uM, goal, share), 1e-9)
                moved, Ca[q] = max(moved, float(np.abs(new / Ca[q] - 1.0).max())), new
            if moved < 1e-7:
                break
        return I[:, ::FINE]
