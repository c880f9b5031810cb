"""Refuse an inconsistent declaration with one sentence that names the neuron, the channel and the gate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, get_args

import numpy as np

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.calcium import CalciumPool, Nernst
from spike2pop_nb.neurons.parts import (
    V_MAX_MV,
    V_MIN_MV,
    Channel,
    Gate,
    KineticScheme,
    Range,
    TimeScale,
)
from spike2pop_nb.neurons.temperature import TEMPERATURE_RANGE_C, stated_q10

if TYPE_CHECKING:
    from spike2pop_nb.neurons.model import NeuronModel

__all__ = ["MAX_FREE_STATES", "check_neuron"]

#: Free states of a kinetic scheme that the simulation kernel has room for.
MAX_FREE_STATES = 8
MAX_Q10, MAX_HILL_POWER = 20.0, 20.0
_BETWEEN = f"from {V_MIN_MV:g} to {V_MAX_MV:g} mV"
Fail = Callable[[str], NoReturn]


def check_neuron(neuron: NeuronModel) -> None:
    """Check a whole declaration.

    Raises
    ------
    NeuronModelError
        At the first thing that cannot be.
    """

    def fail(text: str) -> NoReturn:
        raise NeuronModelError(f"Neuron {neuron.name!r}: {text}")

    names = [channel.name for channel in neuron.channels]
    if not neuron.name.isidentifier() or neuron.name != neuron.name.lower():
        fail("its name must be a plain lower-case word (letters, digits, underscore).")
    if len(names) < 2 or len(set(names)) != len(names):
        fail(f"channel names must be at least two and all different, not {', '.join(names)}.")
    for channel in neuron.channels:
        _check_channel(channel, fail)
    if neuron.channels[-1].gates or neuron.channels[-1].scheme is not None:
        fail("the last channel must be the leak, with no gates.")
    if names[-1] != "leak":
        fail(f"the last channel must be called leak, not {names[-1]}.")
    _check_calcium(neuron, fail)
    for what in ("tau_fast", "tau_slow", "tau_ultraslow"):
        V = _grid()
        tau = _values(getattr(neuron, what), V, what, fail)
        if (bad := ~(np.isfinite(tau) & (tau > 0))).any():
            fail(f"{what} must be positive and finite {_BETWEEN}, {_first(tau, V, bad)}.")
    if not neuron.modulation or neuron.modulation[-1].where is not None:
        fail("modulation needs at least one entry, and the last must apply everywhere.")
    _check_names(neuron, set(names), fail)
    _check_temperature(neuron, fail)
    if not isinstance(neuron.baseline.free.get(names[-1]), Range):
        fail(f"the baseline must draw the leak, {names[-1]}, from a Range or Gamma.")
    steps = 0.1 / neuron.time_step_ms if 0.001 <= neuron.time_step_ms <= 0.1 else 0.5
    if abs(steps - round(steps)) > 1e-9 * steps:
        fail(
            "time_step_ms must be a whole fraction of 0.1 ms and at least 0.001 ms, such as 0.02, 0.01 or "
            f"0.005, not {neuron.time_step_ms}."
        )
    for name in ("g_s", "g_u"):
        low, high = neuron.dic_range.get(name, (math.nan, math.nan))
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            fail(f"dic_range needs a range (low, high) for {name}.")


def _check_calcium(neuron: NeuronModel, fail: Fail) -> None:
    pools = {pool.name: pool for pool in neuron.pools}
    if len(pools) < len(neuron.pools):
        fail(f"calcium pools must have different names, not {', '.join(pool.name for pool in neuron.pools)}.")
    fed: dict[str, str] = {}
    for pool in neuron.pools:
        _check_pool(pool, f"calcium pool {pool.name}", fail)
        for name in pool.channels:
            if (other := fed.setdefault(name, pool.name)) != pool.name:
                fail(f"channel {name} feeds the calcium pools {other} and {pool.name}; it can feed one.")
    for channel in neuron.channels:
        parts = [(f"channel {channel.name}, gate {gate.name}: a gate", gate.hill) for gate in channel.gates]
        E = channel.E_mV
        reversal = (f"channel {channel.name}: a reversal potential", E if isinstance(E, Nernst) else None)
        for where, part in (*parts, reversal):
            if part is None:
                continue
            if not pools:
                fail(f"{where} depends on calcium, but no CalciumPool is declared.")
            if part.pool not in pools:
                fail(f"{where} follows the calcium pool {part.pool}; there is {', '.join(pools)}.")
            if (
                isinstance(part, Nernst)
                and not min(pools[part.pool].rest_uM, pools[part.pool].initial_uM) > 0
            ):
                fail(f"{where} follows calcium, so rest_uM and initial_uM of its pool must be above 0.")


def _check_pool(pool: CalciumPool, where: str, fail: Fail) -> None:
    if not pool.name.isidentifier():
        fail(f"{where}: its name must be a plain word (letters, digits, underscore).")
    if not pool.channels or len(set(pool.channels)) != len(pool.channels):
        fail(f"{where} needs at least one channel that feeds it, each named once.")
    for what, low in (("tau_ms", 1e-6), ("influx_uM_per_uA", 1e-12), ("rest_uM", 0.0), ("initial_uM", 0.0)):
        value = getattr(pool, what)
        if not (math.isfinite(value) and value >= low):
            fail(f"{where}: {what} must be finite and {'positive' if low else 'not negative'}, not {value}.")
    if (pump := pool.pump) is None:
        return
    if not (0 <= pump.rate_uM_per_ms < math.inf and 0 < pump.half_uM < math.inf):
        fail(f"{where}: its pump needs a rate that is not negative and a half that is positive, both finite.")
    if not math.isfinite(pump.current_uA):
        fail(f"{where}: the current of its pump must be finite.")


def _check_temperature(neuron: NeuronModel, fail: Fail) -> None:
    low, high = TEMPERATURE_RANGE_C
    if neuron.temperature_C is not None and not low <= neuron.temperature_C <= high:
        fail(f"temperature_C must lie between {low:g} and {high:g} °C, not at {neuron.temperature_C:g} °C.")
    for where, q10, takes_time in stated_q10(neuron):
        if q10 is None:
            continue
        if not 0 < q10 <= MAX_Q10:
            fail(f"{where}: q10 must be positive and at most {MAX_Q10:g}, not {q10:g}.")
        if not takes_time:
            fail(f"{where}: it follows at once, so that there is no rate for a q10 to change.")
        if neuron.temperature_C is None:
            fail(f"{where}: a q10 needs the temperature at which the declaration holds (temperature_C).")


def _check_names(neuron: NeuronModel, known: set[str], fail: Fail) -> None:
    free, compensated = set(neuron.baseline.free), set(neuron.baseline.compensated)
    for what, used in (
        ("the calcium pool", {name for pool in neuron.pools for name in pool.channels}),
        ("the baseline", free | compensated),
        ("modulation", {name for entry in neuron.modulation for name in entry.compensate}),
        ("the conductance ranges", set(neuron.conductance_range)),
        ("the calcium guess", set(neuron.calcium_guess)),
    ):
        if unknown := used - known:
            fail(f"{what} names {', '.join(sorted(unknown))}, which is no channel of it.")
    if missing := known - free - compensated:
        fail(f"the baseline says nothing about {', '.join(sorted(missing))}.")
    if missing := known - set(neuron.conductance_range):
        fail(f"the conductance ranges say nothing about {', '.join(sorted(missing))}.")


def _check_channel(channel: Channel, fail: Fail) -> None:
    E = channel.E_mV
    if isinstance(E, Nernst):
        if not (0 < E.outside_uM < math.inf and math.isfinite(E.slope_mV) and E.slope_mV):
            fail(f"channel {channel.name}: Nernst needs a positive outside_uM and a slope_mV that is not 0.")
    elif not math.isfinite(E):
        fail(f"channel {channel.name} needs a finite reversal potential in mV.")
    if channel.gates and channel.scheme is not None:
        fail(f"channel {channel.name} has both gates and a kinetic scheme; declare one of them.")
    for gate in channel.gates:
        _check_gate(gate, f"channel {channel.name}, gate {gate.name}", fail)
    if channel.scheme is not None:
        _check_scheme(channel.scheme, f"channel {channel.name}", fail)


def _grid() -> Any:
    return np.linspace(V_MIN_MV, V_MAX_MV, 401)


def _values(function: Any, V: Any, what: str, fail: Fail) -> Any:
    """Evaluate a declared function on the grid, or say that it cannot be."""
    try:
        with np.errstate(all="ignore"):
            values = np.asarray(function(V))
    except Exception as error:
        fail(f"{what} must be a function of V that takes numpy arrays; it stops with {error}.")
    if values.shape != V.shape:
        fail(f"{what} must give one value a voltage; write constant(value) for one that does not change.")
    return values


def _first(values: Any, V: Any, bad: Any) -> str:
    i = int(np.flatnonzero(bad)[0])
    return f"not {values[i]:.4g} as at {V[i]:g} mV"


def _check_gate(gate: Gate, where: str, fail: Fail) -> None:
    V = _grid()
    if gate.exponent not in range(1, 8):
        fail(f"{where}: the exponent must be a whole number from 1 to 7, not {gate.exponent}.")
    x = _values(gate.x_inf, V, f"{where}: the steady state", fail)
    _values(
        gate.x_inf, V + 0j, f"{where}: the steady state, which is differentiated by a complex step,", fail
    )
    if (bad := ~((x >= -1e-12) & (x <= 1 + 1e-12))).any():
        fail(f"{where}: the steady state must lie in 0…1 {_BETWEEN}, {_first(x, V, bad)}.")
    if gate.tau is not None:
        tau = _values(gate.tau, V, f"{where}: tau", fail)
        if (bad := ~(np.isfinite(tau) & (tau > 0))).any():
            fail(f"{where}: tau must be positive and finite {_BETWEEN}, {_first(tau, V, bad)}.")
    if gate.calcium_half_uM is not None and not gate.calcium_half_uM > 0:
        fail(f"{where}: calcium_half_uM must be positive.")
    if (hill := gate.calcium) is not None:
        if gate.calcium_half_uM is not None:
            fail(f"{where}: declare either calcium_half_uM or calcium, not both.")
        if not (0 < hill.half_uM < math.inf and 0 < hill.power <= MAX_HILL_POWER):
            fail(
                f"{where}: its Hill needs a positive half_uM and a power above 0 and up to "
                f"{MAX_HILL_POWER:g}, not {hill.half_uM:g} and {hill.power:g}."
            )
    if gate.time_scale is not None and gate.time_scale not in get_args(TimeScale):
        fail(f"{where}: the time scale must be fast, slow or ultraslow, not {gate.time_scale!r}.")


def _check_scheme(scheme: KineticScheme, where: str, fail: Fail) -> None:
    V = _grid()
    states = scheme.states
    if scheme.conducting not in states or len(states) < 2 or len(set(states)) != len(states):
        fail(f"{where}: the conducting state must be one of at least two different states.")
    if len(scheme.free_states) > MAX_FREE_STATES:
        fail(f"{where}: a scheme can have {MAX_FREE_STATES + 1} states at most, not {len(states)}.")
    for (source, target), rate in scheme.rates.items():
        if source not in states or target not in states:
            fail(f"{where}: the rate {source}→{target} joins states that are not declared.")
        k = _values(rate, V, f"{where}: the rate {source}→{target}", fail)
        if (bad := ~(np.isfinite(k) & (k >= 0))).any():
            fail(
                f"{where}: the rate {source}→{target} must be finite and not negative {_BETWEEN}, "
                f"{_first(k, V, bad)}."
            )
    if scheme.initial is not None and (missing := set(scheme.free_states) - set(scheme.initial)):
        fail(f"{where}: the initial fractions say nothing about {', '.join(sorted(missing))}.")
    if scheme.time_scale not in get_args(TimeScale):
        fail(f"{where}: the time scale must be fast, slow or ultraslow, not {scheme.time_scale!r}.")
    try:
        steady = scheme.steady_state(V)
    except np.linalg.LinAlgError:
        fail(f"{where}: its rates leave states that are never entered or left, so there is no steady state.")
    if not np.all(np.isfinite(steady)):
        fail(f"{where}: its steady state must be finite {_BETWEEN}.")
