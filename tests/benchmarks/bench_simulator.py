"""The simulator beside the published integrator, on the same members, in the same run.

The published software integrates each neuron with ``scipy.integrate.solve_ivp(BDF, rtol=1e-2, atol=1e-4)``.
Here that solver gets the right-hand side twice: written with NumPy as a user would, and compiled with Numba,
so that what is left is the solver alone. Interval errors and spike counts are against LSODA at rtol 1e-8,
after the first 300 ms, in which a plateau dies away whose last spikes only just happen. Rates are simulated
neuron-seconds a second, of one core by processor time (``per core``) or of all by the clock.

    python tests/benchmarks/bench_simulator.py [--members 256] [--seconds 6] [--bdf-members 8]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numba as nb
import numpy as np
from scipy.integrate import solve_ivp

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.simulation import needs_compiling, simulate

G = np.ndarray
Rhs = Callable[[float, np.ndarray, np.ndarray], np.ndarray]
START_UP_MS = 300.0
SIGMOIDS = np.array(
    [  # Na m h, Kd m, CaT m h, CaS m h, KCa m, A m h, H m: half voltage with its sign turned, slope
        (25.5, -5.29),
        (48.9, 5.18),
        (12.3, -11.8),
        (27.1, -7.2),
        (32.1, 5.5),
        (33.0, -8.1),
        (60.0, 6.2),
        (28.3, -12.6),
        (27.2, -8.7),
        (56.9, 4.9),
        (70.0, 6.0),
    ]
)


def stg_rhs(_t: float, y: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The STG neuron of Liu et al. (1998), as one would write it for a solver: 11 gates, V, Ca."""
    V, Ca = y[11], y[12]
    x = y[:11]
    inf = 1.0 / (1.0 + np.exp((V + SIGMOIDS[:, 0]) / SIGMOIDS[:, 1]))
    inf[7] *= Ca / (Ca + 3.0)
    tau = np.empty(11)
    tau[0] = 1.32 - 1.26 / (1.0 + np.exp((V + 120.0) / -25.0))
    tau[1] = 0.67 / (1.0 + np.exp((V + 62.9) / -10.0)) * (1.5 + 1.0 / (1.0 + np.exp((V + 34.9) / 3.6)))
    tau[2] = 7.2 - 6.4 / (1.0 + np.exp((V + 28.3) / -19.2))
    tau[3] = 21.7 - 21.3 / (1.0 + np.exp((V + 68.1) / -20.5))
    tau[4] = 105.0 - 89.8 / (1.0 + np.exp((V + 55.0) / -16.9))
    tau[5] = 1.4 + 7.0 / (np.exp((V + 27.0) / 10.0) + np.exp((V + 70.0) / -13.0))
    tau[6] = 60.0 + 150.0 / (np.exp((V + 55.0) / 9.0) + np.exp((V + 65.0) / -16.0))
    tau[7] = 90.3 - 75.1 / (1.0 + np.exp((V + 46.0) / -22.7))
    tau[8] = 11.6 - 10.4 / (1.0 + np.exp((V + 32.9) / -15.2))
    tau[9] = 38.6 - 29.2 / (1.0 + np.exp((V + 38.9) / -26.5))
    tau[10] = 272.0 + 1499.0 / (1.0 + np.exp((V + 42.2) / -8.73))
    I_CaT = g[2] * x[3] ** 3 * x[4] * (V - 80.0)
    I_CaS = g[3] * x[5] ** 3 * x[6] * (V - 80.0)
    total = g[0] * x[0] ** 3 * x[1] * (V - 50.0) + g[1] * x[2] ** 4 * (V + 80.0) + I_CaT + I_CaS
    total += (g[4] * x[7] ** 4 + g[5] * x[8] ** 3 * x[9]) * (V + 80.0)
    total += g[6] * x[10] * (V + 20.0) + g[7] * (V + 50.0)
    dy = np.empty(13)
    dy[:11] = (inf - x) / tau
    dy[11] = -total
    dy[12] = (-0.94 * (I_CaT + I_CaS) - Ca + 0.05) / 20.0
    return dy


def start() -> np.ndarray:
    """Everything at steady state at −70 mV."""
    V, Ca = -70.0, 0.5
    inf = 1.0 / (1.0 + np.exp((V + SIGMOIDS[:, 0]) / SIGMOIDS[:, 1]))
    inf[7] *= Ca / (Ca + 3.0)
    return np.concatenate([inf, [V, Ca]])


def solve(
    rhs: Rhs, g: np.ndarray, ms: float, method: str, rtol: float, atol: float
) -> tuple[np.ndarray, float]:
    """Return spike times, and processor seconds."""

    def crossing(_t: float, y: np.ndarray, _g: np.ndarray) -> float:
        return float(y[11]) - 10.0

    crossing.direction = 1.0  # type: ignore[attr-defined]
    begin = time.process_time()
    with np.errstate(over="ignore", divide="ignore"):  # its trial steps leave the range
        found = solve_ivp(
            rhs, (0.0, ms), start(), method, rtol=rtol, atol=atol, events=crossing, args=(g,), first_step=1e-3
        )
    return found.t_events[0], time.process_time() - begin


def settled(times: np.ndarray) -> np.ndarray:
    """Return the spikes after the start."""
    return times[times > START_UP_MS]


def isi_error(times: np.ndarray, reference: np.ndarray) -> float:
    """Median relative error of intervals matched by their order."""
    times, reference = settled(times), settled(reference)
    n = min(len(times), len(reference))
    if n < 3:
        return np.nan
    return float(np.median(np.abs(np.diff(times[:n]) / np.diff(reference[:n]) - 1.0)))


def share_off(found: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """Return the share of members whose count differs by more than the last spike, which may not be over."""
    counts = [(len(settled(t)), len(settled(k))) for t, k in zip(found, reference, strict=True)]
    return float(np.mean([abs(ours - known) > 1 for ours, known in counts]))


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--bdf-members", type=int, default=8)
    parser.add_argument("--bdf-seconds", type=float, default=1.5)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f}")

    print("kernel has to be compiled first" if needs_compiling() else "kernel compiled before")
    tonic = generate_population("stg", (4.0, 5.0), options.members // 2, seed=1).g
    burst = generate_population("stg", (-10.0, 3.0), options.members - options.members // 2, seed=1).g
    g = np.stack([tonic, burst[: len(tonic)]], axis=1).reshape(-1, 8)
    begin = time.perf_counter()
    simulate(g[:1], "stg", duration_ms=1.0, transient_ms=0.0)
    print(f"first simulation of 1 ms: {time.perf_counter() - begin:.2f} s")

    ms, few = 1000.0 * options.bdf_seconds, g[: options.bdf_members]
    compiled = nb.njit(cache=True)(stg_rhs)
    compiled(0.0, start(), g[0])
    reference = [solve(compiled, member, ms, "LSODA", 1e-8, 1e-10)[0] for member in few]
    rows: list[tuple[str, float, float | None, float, float]] = []

    published: dict[str, float] = {}
    for name, rhs in (("NumPy", stg_rhs), ("compiled", compiled)):
        runs = [solve(rhs, member, ms, "BDF", 1e-2, 1e-4) for member in few]
        rate = len(few) * options.bdf_seconds / sum(seconds for _, seconds in runs)
        published[name] = rate
        errors = [isi_error(times, known) for (times, _), known in zip(runs, reference, strict=True)]
        off = share_off([times for times, _ in runs], reference)
        rows.append(
            (f"solve_ivp BDF rtol 1e-2, {name} equations", rate, None, float(np.nanmedian(errors)), off)
        )

    for accuracy in ("standard", "exact"):
        check = simulate(few, "stg", duration_ms=ms, transient_ms=0.0, accuracy=accuracy, record="spikes")
        errors = [isi_error(t, k) for t, k in zip(check.spike_times_ms, reference, strict=True)]
        off = share_off(check.spike_times_ms, reference)
        per_core, wall = 0.0, 0.0
        for workers in (1, cores):
            for _ in range(options.repeats):
                begin, cpu = time.perf_counter(), time.process_time()
                simulate(
                    np.tile(g, (workers, 1)),
                    "stg",
                    duration_ms=1000.0 * options.seconds,
                    transient_ms=0.0,
                    accuracy=accuracy,
                    record="spikes",
                    workers=workers,
                )
                simulated = workers * len(g) * options.seconds
                wall = max(wall, simulated / (time.perf_counter() - begin)) if workers == cores else wall
                if workers == 1:
                    per_core = max(per_core, simulated / (time.process_time() - cpu))
        rows.append((f"this package, {accuracy}", per_core, wall, float(np.nanmedian(errors)), off))

    print(f"\n| method | per core | {cores} cores | × BDF | × BDF compiled | ISI error | wrong counts |")
    print("|---|---|---|---|---|---|---|")
    for name, rate, wall_rate, error, off in rows:
        on_all = f"{wall_rate:.0f}" if wall_rate is not None else "–"
        print(
            f"| {name} | {rate:.3g} | {on_all} | {rate / published['NumPy']:.0f} | "
            f"{rate / published['compiled']:.0f} | {error:.1e} | {100 * off:.0f} % |"
        )


if __name__ == "__main__":
    main()
