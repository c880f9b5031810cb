"""The simulator: beside a general-purpose solver, beside known spike times, and how fast it is."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from spike2pop_nb.checking.check import Found
from spike2pop_nb.checking.equations import solve_declared
from spike2pop_nb.checking.known import known_neurons, known_of
from spike2pop_nb.conductances import generate_population
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.simulation import simulate

__all__ = ["check_pyloric", "check_spike_times", "check_voltage", "kernel_rate"]

_SOLVED = (("stg", 0, 300.0), ("da", 3, 250.0))  # neuron, member, ms
_SPIKES_MS, _VOLTAGE_MV = 0.1, 0.05
_EXACT, _MEAN = 5e-4, 2e-3
_RATE = (64, 3000.0)  # members, ms
_PUBLISHED_RATE = 2700


def check_voltage() -> Found:
    """Compare voltage and spikes with LSODA at a relative tolerance of 1e-8."""
    spikes, voltage, where = 0.0, 0.0, []
    for name, member, duration_ms in _SOLVED:
        neuron, g = get_neuron(name), np.array(known_of(name)["simulations"][member]["conductances"])
        t = np.arange(0.0, duration_ms, 0.5)
        crossings, solution = solve_declared(neuron, g, duration_ms, t)
        out = simulate(
            [g], neuron, duration_ms=duration_ms, transient_ms=0.0, accuracy="exact", sample_ms=0.5
        )
        ours = out.spike_times_ms[0]
        if not 0 < len(crossings) - 1 <= len(ours) <= len(crossings):  # the last may not have come down yet
            spikes = np.inf
        else:
            spikes = max(spikes, float(np.abs(ours - crossings[: len(ours)]).max()))
        voltage = max(voltage, float(np.median(np.abs(out.V_mV[0] - solution.y[0]))))
        where.append(name)
    return Found(
        f"spikes within {_SPIKES_MS:g} ms, voltage within {_VOLTAGE_MV:g} mV (median)",
        f"{spikes:.3f} ms and {voltage:.3f} mV ({' and '.join(where)})",
        spikes <= _SPIKES_MS and voltage <= _VOLTAGE_MV,
    )


def check_spike_times() -> Found:
    """Compare intervals of members of every neuron with converged simulations made elsewhere."""
    errors, wrong, n_members = [], [], 0
    for name in known_neurons():
        cases: list[dict[str, Any]] = known_of(name).get("simulations", [])
        if not cases:
            continue
        out = simulate(
            [case["conductances"] for case in cases],
            name,
            current=[case.get("current_uA_cm2", 0.0) for case in cases],
            duration_ms=max(case["duration_ms"] for case in cases) + 20.0,
            transient_ms=0.0,
            accuracy="exact",
            record="spikes",
        )
        key = f"upcrossings_of_{get_neuron(name).spike_threshold_mV:g}mV_ms"
        for place, (case, times) in enumerate(zip(cases, out.spike_times_ms, strict=True)):
            n_members += 1
            ours, known = times[times < case["duration_ms"]], np.array(case[key])
            if len(ours) != len(known):
                wrong.append(f"member {place} of {name} has {len(ours)} spikes, not {len(known)}")
                continue
            of_it = np.abs(np.diff(ours) / np.diff(known) - 1.0)
            errors.append(of_it)
            far = np.abs(ours - known).max() / max(0.5, 2e-3 * np.diff(known).max())
            if np.median(of_it) > _EXACT or far > 1.0:
                wrong.append(f"member {place} of {name} is off by {100 * np.median(of_it):.3f} %")
    median = float(np.median(np.concatenate(errors))) if errors else np.inf
    told = f"{100 * median:.4f} % ({n_members} members)"
    return Found(
        f"every spike, and intervals within {100 * _EXACT:g} % (median of each member)",
        "; ".join([told, *wrong[:3]]),
        not wrong and median <= _EXACT,
    )


def check_pyloric() -> Found:
    """Compare published members of the pyloric neuron, from 3 s on, with converged simulations."""
    # one drifts through doublets, where what a step gets wrong adds up over all intervals
    cases = [case for case in known_of("pyloric")["spike_times"] if not case["name"].startswith("LP 4")]
    worst, wrong = 0.0, []
    for case in cases:
        window = {"duration_ms": case["duration_ms"], "transient_ms": case["from_ms"]}
        out = simulate([case["conductances"]], "pyloric", accuracy="exact", record="spikes", **window)
        ours, known = out.spike_times_ms[0], np.array(case["spikes_ms"])
        if len(ours) != len(known):
            wrong.append(f"{case['name']} has {len(ours)} spikes, not {len(known)}")
        elif len(known) > 1:
            worst = max(worst, abs(float(np.diff(ours).mean() / np.diff(known).mean()) - 1.0))
    return Found(
        f"every spike, and the mean interval within {100 * _MEAN:g} %",
        "; ".join([f"{100 * worst:.3f} % at most ({len(cases)} members)", *wrong[:3]]),
        not wrong and worst <= _MEAN,
    )


def kernel_rate() -> Found:
    """Measure how fast one core simulates; other work on the machine slows it, so that this is told alone."""
    n, duration_ms = _RATE
    g = generate_population("stg", (-10.0, 3.0), n, seed=1).g
    options: dict[str, Any] = {
        "duration_ms": duration_ms,
        "transient_ms": 0.0,
        "record": "spikes",
        "workers": 1,
    }
    rates = []
    for _ in range(3):
        begin = time.process_time()
        simulate(g, "stg", **options)
        rates.append(n * duration_ms / 1000.0 / (time.process_time() - begin))
    return Found(
        "",
        f"{max(rates):.0f} simulated seconds of an STG neuron a second and core; "
        f"{_PUBLISHED_RATE} on the machine of the documentation",
        None,
    )
