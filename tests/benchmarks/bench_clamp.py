"""How long a step of an exported dynamic clamp takes, with its table of the voltage and without one.

All currents of the difference between two members, of every shipped neuron: along their own spikes, and
where the voltage jumps by 50 mV at each sample. Without a table its functions are computed at each step.

    PYTHONPATH=tests:tests/export/clamp python tests/benchmarks/bench_clamp.py
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from test_clamp import STEP_MS, members, spiking_voltage

from spike2pop_nb.export.clamp import dynamic_clamp
from spike2pop_nb.export.clamp.for_c import clamp_header, clamp_name
from spike2pop_nb.neurons.shipped import shipped_neurons

PROGRAM = """#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <time.h>
#include "clamp.h"
static double V[{n}];
static double now_us(void) {{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}}
int main(void) {{
  {name} s;
  double begun, took, along = 1e99, jumping = 1e99, sum = 0.0;
  int i, k;
  if (fread(V, sizeof(double), {n}, stdin) != {n}) return 1;
  for (k = 0; k < 40; ++k) {{
    {name}_init(&s, V[0], 1.0);
    begun = now_us();
    for (i = 0; i < {n}; ++i) sum += {name}_step(&s, V[i], {step});
    took = (now_us() - begun) / {n};
    along = took < along ? took : along;
  }}
  for (k = 0; k < 200; ++k) {{
    begun = now_us();
    for (i = 0; i < 100; ++i) sum += {name}_step(&s, i % 2 ? -60.0 : -10.0, {step});
    took = (now_us() - begun) / 100;
    jumping = took < jumping ? took : jumping;
  }}
  printf("%.2f | %.2f\\n", along, jumping + 0.0 * sum);
  return 0;
}}
"""


def timed(header: str, name: str, V: npt.NDArray[np.float64]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "clamp.h").write_text(header)
        (place / "program.c").write_text(PROGRAM.format(name=name, n=len(V), step=STEP_MS))
        subprocess.run(["gcc", "-O2", "program.c", "-o", "program", "-lm"], cwd=place, check=True)
        done = subprocess.run([place / "program"], input=V.tobytes(), capture_output=True, check=True)
    return done.stdout.decode().strip()


def without_table(header: str, name: str) -> str:
    """The header with its functions of the voltage in place of the look-up."""
    rows = re.findall(r"    at\[(\w+)\] = (.*);", header)
    begin = header.index(f"static inline void {name}_look")
    end = header.index("\n}\n", begin) + 3
    body = "".join(f"  to[{column}] = {text};\n" for column, text in rows)
    return (
        f"{header[:begin]}static inline void {name}_look(double V, double *to) {{\n{body}}}\n{header[end:]}"
    )


def main() -> None:
    print("| neuron | table, along spikes (µs) | table, jumps (µs) | no table, along | no table, jumps |")
    print("|---|---|---|---|---|")
    for neuron in shipped_neurons():
        population = members(neuron.name)
        V = spiking_voltage(population)
        clamp = dynamic_clamp(population, 1, from_row=0)
        header, name = clamp_header(clamp, ["a benchmark"]), clamp_name(clamp)
        both = [timed(text, name, V) for text in (header, without_table(header, name))]
        print(f"| {neuron.name} | {' | '.join(both)} |", flush=True)


if __name__ == "__main__":
    main()
