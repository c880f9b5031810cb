"""Intervals of exported members in other simulators against those of this package.

``--python`` names an interpreter that has the simulators of the targets asked for; others are left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.export.simulators import TARGETS, export
from spike2pop_nb.neurons import load_neuron, register_neuron
from spike2pop_nb.simulation import simulate

# neuron: DICs of the members, and duration in ms
CASES = {
    "stg": [((5.0, 5.0), 1500), ((-5.0, 5.0), 1500)],
    "da": [((-5.0, 3.0), 1500)],
    "my_ca1": [((-0.02, 0.6), 500)],
    "pyloric": [((-1.5, 0.2), 1500)],
}
VERSION = "import importlib.metadata as m; print(m.version({!r}))"
PACKAGES = {"neuron": "neuron", "brian2": "brian2", "jaxley": "jaxley", "neuroml": "pyneuroml"}


def run(python: str, target: str, name: str, dics: tuple[float, float], duration: int, folder: Path) -> str:
    """Return a row of the table."""
    members = generate_population(name, dics, size=2, seed=3)
    script, *_ = export(members, target, folder)  # type: ignore[arg-type]
    alone = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [python, script.name, "--duration", str(duration), "--transient", "0"]
    subprocess.run(command, cwd=folder, env=alone, check=True, capture_output=True)
    found = pd.read_csv(folder / "spike_times.csv")
    ours = simulate(members, duration_ms=duration, transient_ms=0, accuracy="exact", record="spikes")
    errors, means, counts = [], [], []
    for member, expected in enumerate(ours.spike_times_ms):
        times = found.loc[found["member"] == member, "time_ms"].to_numpy()
        n = min(len(times), len(expected))
        ours_isi, theirs = np.diff(expected[:n]), np.diff(times[:n])
        errors.append(np.abs(theirs / ours_isi - 1))
        means.append(abs(theirs.mean() / ours_isi.mean() - 1))
        counts.append(f"{len(times)}/{len(expected)}")
    error = 100 * np.concatenate(errors)
    version = subprocess.run(
        [python, "-c", VERSION.format(PACKAGES[target])], capture_output=True, text=True, check=True
    ).stdout.strip()
    return (
        f"| {target} {version} | {name} {dics} | {', '.join(counts)} | {100 * max(means):.3f} % "
        f"| {np.median(error):.3f} % | {error.max():.2f} % |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--target", choices=TARGETS, action="append")
    arguments = parser.parse_args()
    register_neuron(load_neuron(Path(__file__).parents[2] / "notebooks" / "my_neuron.py"))
    print("| simulator | neuron (g_s, g_u) | spikes there/here | mean interval | median | largest |")
    print("|---|---|---|---|---|---|")
    for target in arguments.target or TARGETS:
        for name, cases in CASES.items():
            for dics, duration in cases:
                with tempfile.TemporaryDirectory() as folder:
                    row = run(arguments.python, target, name, dics, duration, Path(folder))
                print(row, flush=True)


if __name__ == "__main__":
    main()
