"""The differential equations that a declaration stands for, written plainly for a general-purpose solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from spike2pop_nb.neurons import NeuronModel

Derivative = Callable[[float, np.ndarray], list[float]]


def nothing(_t: float, _V: float) -> float:
    return 0.0


def equations(
    neuron: NeuronModel, g: np.ndarray, injected: Callable[[float, float], float] = nothing
) -> tuple[Derivative, np.ndarray]:
    """Return ``dy/dt = f(t, y)`` and the start; y holds V, calcium, then gates and schemes in their order.

    A current in µA/cm² is injected, a function of time and voltage.
    """
    pool = neuron.calcium
    V0 = neuron.V_initial_mV
    Ca0 = pool.initial_uM if pool else 0.0
    start: list[float] = [V0, Ca0]
    for channel in neuron.channels:
        for gate in channel.gates:
            if gate.tau is not None:
                half = gate.calcium_half_uM
                start.append(float(gate.x_inf(V0)) * (Ca0 / (Ca0 + half) if half else 1.0))
        if channel.scheme is not None:
            free = channel.scheme.free_states
            steady = channel.scheme.steady_state(np.array([V0]))[0]
            given = channel.scheme.initial
            start += [float(given[s](V0)) if given else float(steady[i]) for i, s in enumerate(free)]

    def derivative(t: float, y: np.ndarray) -> list[float]:
        V, Ca = float(y[0]), float(y[1])
        dy = [0.0, 0.0]
        total = carried = 0.0
        k = 2
        for channel, g_max in zip(neuron.channels, g, strict=True):
            open_fraction = 1.0
            for gate in channel.gates:
                x_inf = float(gate.x_inf(V))
                if gate.calcium_half_uM:
                    x_inf *= Ca / (Ca + gate.calcium_half_uM)
                x = x_inf
                if gate.tau is not None:
                    x = float(y[k])
                    dy.append((x_inf - x) / float(gate.tau(V)))
                    k += 1
                open_fraction *= x**gate.exponent
            if channel.scheme is not None:
                scheme = channel.scheme
                fractions = dict(zip(scheme.free_states, map(float, y[k:]), strict=False))
                k += len(fractions)
                fractions[scheme.states[0]] = 1.0 - sum(fractions.values())
                change = dict.fromkeys(scheme.states, 0.0)
                for (source, target), rate in scheme.rates.items():
                    flow = float(rate(V)) * fractions[source]
                    change[source] -= flow
                    change[target] += flow
                dy += [change[state] for state in scheme.free_states]
                open_fraction *= fractions[scheme.conducting]
            current = g_max * open_fraction * (V - channel.E_mV)
            total += current
            if pool is not None and channel.name in pool.channels:
                carried += current
        dy[0] = (injected(t, V) - total) / neuron.capacitance_uF
        if pool is not None:
            dy[1] = (-pool.influx_uM_per_uA * carried - Ca + pool.rest_uM) / pool.tau_ms
        return dy

    return derivative, np.array(start)


def solve_declared(
    neuron: NeuronModel,
    g: np.ndarray,
    duration_ms: float,
    t_eval: np.ndarray | None = None,
    injected: Callable[[float, float], float] = nothing,
) -> tuple[np.ndarray, Any]:
    """Integrate with LSODA at rtol 1e-8; return upward crossings of the spike threshold, and the solution."""
    derivative, start = equations(neuron, g, injected)

    def crossing(_t: float, y: np.ndarray) -> float:
        return float(y[0]) - neuron.spike_threshold_mV

    crossing.direction = 1.0  # type: ignore[attr-defined]
    solution = solve_ivp(
        derivative,
        (0.0, duration_ms),
        start,
        method="LSODA",
        rtol=1e-8,
        atol=1e-10,
        events=crossing,
        t_eval=t_eval,
        max_step=1.0,
    )
    assert solution.success, solution.message
    return solution.t_events[0], solution
