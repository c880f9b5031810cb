"""The simulator beside others and a plain C program: the same STG members and time step, on one core.

Jaxley, Brian2 and NEURON run the scripts that `export` writes, with the step of this package's "standard"
accuracy in place of their shorter ones: Jaxley with 32-bit numbers and all members side by side, Brian2 as
one group, NEURON one member after the other with its fixed step (``cnexp``). The C program is written from
the declaration by SymPy's printer: tiles of 16 members, every gate computed where it is needed, no tables;
GCC makes vectors of it. Rates are of processor time, without start and compiling: what a long run takes
beyond a short one. Errors are those of the mean interval against this package at a quarter of the step.

    python tests/benchmarks/bench_others.py [--members 256] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sympy import Expr
from sympy.codegen.ast import float32, real
from sympy.printing.c import C99CodePrinter

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.export.simulators import export
from spike2pop_nb.export.simulators.description import describe, initial_values
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import ACCURACY_STEPS, simulate

LANES = 16
# how the exported script is changed, members, and seconds of a short and of a long run
OTHERS: dict[str, tuple[list[tuple[str, str]], int | None, tuple[float, float]]] = {
    "jaxley": (
        [(r'"jax_enable_x64", True', '"jax_enable_x64", False'), (r"(?m)^DT = .*", "DT = {dt}")],
        None,
        (0.5, 2.5),
    ),
    "brian2": ([(r"(?m)^defaultclock.dt = .*", "defaultclock.dt = {dt} * ms")], None, (0.2, 1.2)),
    "neuron": (
        [
            (
                r"steps.active\(True\)\nsteps.atol\(1e-6\)",
                "h.dt, h.steps_per_ms = {dt}, 1 / {dt}\nsteps.active(False)",
            ),
            (r"record\(cell\(0.5\)._ref_v, [^)]*\)", "record(cell(0.5)._ref_v, {dt})"),
            (r"return [0-9.e-]+ \* np.arange", "return {dt} * np.arange"),
        ],
        8,
        (0.5, 4.5),
    ),
}


class _Printer(C99CodePrinter):
    """C in 32 bits; a condition is an expression."""

    def _print_where(self, expr: Expr) -> str:
        condition, yes, no = map(self._print, expr.args)
        return f"(({condition}) ? ({yes}) : ({no}))"


def c_program(neuron: NeuronModel) -> str:
    """Return the C program of a neuron without kinetic schemes: members on its input, their spikes out."""
    printer = _Printer({"type_aliases": {real: float32}})
    text = printer.doprint
    channels, pool = describe(neuron), neuron.calcium
    state = initial_values(neuron)
    state.setdefault("Ca", 0.0)
    gates = [gate for channel in channels for gate in channel.gates]

    def at(expression: Expr, lane: str = "v[b]") -> str:
        single = re.sub(r"\b(exp|log|sqrt)\(", r"\1f(", text(expression))
        return re.sub(r"\bV\b", lane, single)

    moves, opens = [], []
    for gate in gates:
        calcium = f" * ca[b] / (ca[b] + {gate.hill.half_uM!r}f)" if gate.hill else ""
        if gate.tau is None:
            moves.append(f"{gate.symbol}[b] = {at(gate.x_inf)};")
        else:
            moves.append(
                f"{{ float to = ({at(gate.x_inf)}){calcium}; "
                f"{gate.symbol}[b] = to + ({gate.symbol}[b] - to) * expf(-dt / ({at(gate.tau)})); }}"
            )
    for c, channel in enumerate(channels):
        factors = [f"g[{c}][b]"]
        factors += [f"{gate.symbol}[b]" for gate in channel.gates for _ in range(gate.exponent)]
        feeds = f" G_Ca += P; I_Ca += P * {channel.E_mV!r}f;" if channel.feeds_calcium else ""
        opens.append(f"{{ float P = {' * '.join(factors)}; G += P; I += P * {channel.E_mV!r}f;{feeds} }}")
    feed = ""
    if pool is not None:
        feed = (
            f"float in = I_Ca - G_Ca * 0.5f * (v[b] + old); "
            f"float rest = {pool.rest_uM!r}f + {pool.influx_uM_per_uA!r}f * in; "
            f"ca[b] = rest + (ca[b] - rest) * expf(-dt / {pool.tau_ms!r}f);"
        )
    names = [gate.symbol for gate in gates]
    start = [f"{name}[b] = {state.get(name, 0.0)!r}f;" for name in names]
    lines = "\n            "
    return f"""#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#define LANES {LANES}
int main(int n_arguments, char **arguments) {{
    int n = atoi(arguments[1]);
    long steps = atol(arguments[2]);
    const float dt = atof(arguments[3]);
    for (int first = 0; first < n; first += LANES) {{
        float g[{len(channels)}][LANES], v[LANES], ca[LANES], before[LANES];
        float {", ".join(f"{name}[LANES]" for name in names)};
        int up[LANES];
        for (int b = 0; b < LANES; b++)
            for (int c = 0; c < {len(channels)}; c++)
                if (scanf("%f", &g[c][b]) != 1) return 1;
        for (int b = 0; b < LANES; b++) {{
            v[b] = {neuron.V_initial_mV!r}f; ca[b] = {state["Ca"]!r}f; up[b] = 0;
            {" ".join(start)}
        }}
        for (long step = 0; step < steps; step++) {{
            int any = 0;
            #pragma GCC ivdep
            for (int b = 0; b < LANES; b++) {{
            {lines.join(moves)}
            float G = 0, I = 0, G_Ca = 0, I_Ca = 0;
            {lines.join(opens)}
            float old = v[b];
            before[b] = old;
            v[b] = I / G + (old - I / G) * expf(-dt / {neuron.capacitance_uF!r}f * G);
            {feed}
            any |= (v[b] >= {neuron.spike_threshold_mV!r}f) != up[b];
            }}
            if (any)
                for (int b = 0; b < LANES; b++) {{
                    if (v[b] >= {neuron.spike_threshold_mV!r}f && !up[b]) {{
                        up[b] = 1;
                        float share = ({neuron.spike_threshold_mV!r}f - before[b]) / (v[b] - before[b]);
                        printf("%d %.4f\\n", first + b, (step + share) * (double)dt);
                    }} else if (v[b] < {neuron.spike_reset_mV!r}f)
                        up[b] = 0;
                }}
        }}
    }}
    return 0;
}}
"""


def cpu_of(command: list[str], folder: Path, given: str | None = None) -> tuple[float, str]:
    """Return processor seconds of a command on one core, and what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= dict.fromkeys(names, "1")
    ran = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}),
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ran.stdout


def mean_error(found: list[np.ndarray], known: list[np.ndarray], until_ms: float) -> float:
    """Return the median error of the mean interval after the start."""
    errors = []
    for times, expected in zip(found, known, strict=True):
        both = [np.diff(t[(t > 300.0) & (t < until_ms)]) for t in (times, expected)]
        if min(map(len, both)) > 3:
            errors.append(abs(both[0].mean() / both[1].mean() - 1.0))
    return float(np.median(errors)) if errors else np.nan


def other(target: str, g: np.ndarray, dt: float, known: list[np.ndarray]) -> tuple[float, float]:
    """Return neuron-seconds a second of an exported script, and its error."""
    changes, n, seconds = OTHERS[target]
    members = Population.from_g("stg", g[:n])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        script, *_ = export(members, target, folder)  # type: ignore[arg-type]
        text = script.read_text(encoding="utf-8")
        for old, new in changes:
            text, count = re.subn(old, new.format(dt=repr(dt)), text)
            assert count, old
        script.write_text(text, encoding="utf-8")
        took = []
        for duration in (seconds[0], *seconds):  # the first also compiles
            command = [sys.executable, script.name, "--duration", str(1000 * duration), "--transient", "0"]
            took.append(cpu_of(command, folder)[0])
        table = pd.read_csv(folder / "spike_times.csv")
    found = [table.loc[table["member"] == k, "time_ms"].to_numpy() for k in range(len(members))]
    rate = len(members) * (seconds[1] - seconds[0]) / (took[2] - took[1])
    return rate, mean_error(found, known[: len(members)], 1000 * seconds[1])


def plain_c(
    neuron: NeuronModel, g: np.ndarray, dt: float, seconds: float, known: list[np.ndarray], folder: Path
) -> tuple[float, float]:
    """Return the rate and error of the C program."""
    program = folder / "plain"
    if not program.exists():
        (folder / "plain.c").write_text(c_program(neuron))
        flags = ["-O3", "-march=native", "-ffast-math"]
        subprocess.run(["gcc", *flags, "plain.c", "-o", "plain", "-lm"], cwd=folder, check=True)
    given = "\n".join(" ".join(f"{value:.9g}" for value in row) for row in g)
    command = [str(program), str(len(g)), str(round(1000 * seconds / dt)), repr(dt)]
    took, said = cpu_of(command, folder, given)
    lines = np.array([line.split() for line in said.splitlines()], dtype=float).reshape(-1, 2)
    found = [lines[lines[:, 0] == k, 1] for k in range(len(g))]
    return len(g) * seconds / took, mean_error(found, known, 1000 * seconds)


def ours(g: np.ndarray, accuracy: str, seconds: float, known: list[np.ndarray]) -> tuple[float, float]:
    """Return the rate and error of this package on one core."""
    begin = time.process_time()
    found = simulate(
        g, "stg", duration_ms=1000 * seconds, transient_ms=0.0, accuracy=accuracy, record="spikes", workers=1
    )
    rate = len(g) * seconds / (time.process_time() - begin)
    return rate, mean_error(found.spike_times_ms, known, 1000 * seconds)


def main() -> None:
    """Measure all in turn, several times, and print the best of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=4.5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    tonic = generate_population("stg", (4.0, 5.0), options.members // 2, seed=1)
    burst = generate_population("stg", (-10.0, 3.0), options.members - options.members // 2, seed=1)
    g = np.stack([tonic.g, burst.g], axis=1).reshape(-1, tonic.g.shape[1])
    neuron, dt = tonic.neuron, tonic.neuron.time_step_ms
    ACCURACY_STEPS["reference"] = 0.25
    known = simulate(
        g, "stg", duration_ms=1000 * options.seconds, transient_ms=0.0, accuracy="reference", record="spikes"
    ).spike_times_ms
    simulate(g[:1], "stg", duration_ms=100.0, transient_ms=0.0)
    best: dict[str, tuple[float, float]] = {}

    def measured(name: str, rate: float, error: float) -> None:
        best[name] = max(best.get(name, (0.0, 0.0)), (rate, error))
        print(f"{name}: {rate:.4g} neuron-seconds a second, load {os.getloadavg()[0]:.1f}", flush=True)

    with tempfile.TemporaryDirectory() as place:
        for _ in range(options.rounds):
            for accuracy in ("standard", "screening"):
                measured(f"this package, {accuracy}", *ours(g, accuracy, options.seconds, known))
            if shutil.which("gcc"):
                measured("plain C", *plain_c(neuron, g, dt, options.seconds, known, Path(place)))
            for target in OTHERS:
                measured(target, *other(target, g, dt, known))
    rate = best["this package, standard"][0]
    print("\n| simulator | neuron-seconds a second | standard is | mean interval |\n|---|---|---|---|")
    for name, (own, error) in best.items():
        times = "" if name.startswith("this") else f"{rate / own:.3g} times as fast"
        print(f"| {name} | {own:.3g} | {times} | {100 * error:.3f} % |")


if __name__ == "__main__":
    main()
