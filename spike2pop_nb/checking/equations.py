"""The differential equations that a declaration stands for, written plainly for a general-purpose solver."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from spike2pop_nb.neurons import Hill, Nernst, NeuronModel

Derivative = Callable[[float, np.ndarray], list[float]]


def nothing(_t: float, _V: float) -> float:
    return 0.0


def equations(
    neuron: NeuronModel, g: np.ndarray, injected: Callable[[float, float], float] = nothing
) -> tuple[Derivative, np.ndarray]:
    """Return ``dy/dt = f(t, y)`` and the start; y holds V, calcium, then gates and schemes in their order.

    Calcium is that of the one pool (0 without), or of each pool. A current in µA/cm² is injected, a function
    of time and voltage.
    """
    names = [pool.name for pool in neuron.pools]
    V0 = neuron.V_initial_mV
    start: list[float] = [V0, *([pool.initial_uM for pool in neuron.pools] or [0.0])]
    first = len(start)

    def left_open(hill: Hill | None, pools: list[float]) -> float:
        if hill is None:
            return 1.0
        share = 1.0 / (1.0 + (hill.half_uM / pools[names.index(hill.pool)]) ** hill.power)
        return 1.0 - share if hill.closes else share

    for channel in neuron.channels:
        for gate in channel.gates:
            if gate.tau is not None:
                start.append(float(gate.x_inf(V0)) * left_open(gate.hill, start[1:first]))
        if channel.scheme is not None:
            free = channel.scheme.free_states
            steady = channel.scheme.steady_state(np.array([V0]))[0]
            given = channel.scheme.initial
            start += [float(given[s](V0)) if given else float(steady[i]) for i, s in enumerate(free)]

    def derivative(t: float, y: np.ndarray) -> list[float]:
        V, pools = float(y[0]), [float(Ca) for Ca in y[1:first]]
        dy = [0.0] * first
        total = 0.0
        carried = dict.fromkeys(names, 0.0)
        k = first
        for channel, g_max in zip(neuron.channels, g, strict=True):
            open_fraction = 1.0
            for gate in channel.gates:
                x_inf = float(gate.x_inf(V)) * left_open(gate.hill, pools)
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
            E = channel.E_mV
            if isinstance(E, Nernst):
                E = E.slope_mV * math.log(E.outside_uM / pools[names.index(E.pool)])
            current = g_max * open_fraction * (V - E)
            total += current
            for pool in neuron.pools:
                if channel.name in pool.channels:
                    carried[pool.name] += current
        for q, pool in enumerate(neuron.pools):
            Ca = pools[q]
            dy[1 + q] = (-pool.influx_uM_per_uA * carried[pool.name] - Ca + pool.rest_uM) / pool.tau_ms
            if (pump := pool.pump) is not None:
                dy[1 + q] -= pump.rate_uM_per_ms * Ca / (Ca + pump.half_uM)
                total += pump.current_uA * Ca / (Ca + pump.half_uM)
        dy[0] = (injected(t, V) - total) / neuron.capacitance_uF
        return dy

    return derivative, np.array(start)


def solve_declared(
    neuron: NeuronModel,
    g: np.ndarray,
    duration_ms: float,
    t_eval: np.ndarray | None = None,
    injected: Callable[[float, float], float] = nothing,
    dense: bool = False,
) -> tuple[np.ndarray, Any]:
    """Integrate with LSODA at rtol 1e-8; return upward crossings of the spike threshold, and the solution.

    It is kept at ``t_eval``, and if it is dense as a function ``sol`` of any times.
    """
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
        dense_output=dense,
        max_step=1.0,
    )
    assert solution.success, solution.message
    return solution.t_events[0], solution
