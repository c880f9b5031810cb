"""Dynamic clamps: compiled, run on voltages of members, and held against the declaration of their neuron."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from along_voltage import Along
from rich_neuron import RICH

from spike2pop_nb.conductances import Population, baseline_population, generate_population
from spike2pop_nb.errors import NeuronModelError, SimulationError
from spike2pop_nb.export.clamp import (
    Clamp,
    clamp_files,
    clamps_zip,
    dynamic_clamp,
    export_clamp,
    predict_clamp,
)
from spike2pop_nb.export.clamp.for_c import clamp_header, clamp_name
from spike2pop_nb.neurons import get_neuron
from spike2pop_nb.neurons.shipped import shipped_neurons
from spike2pop_nb.simulation import currents, simulate

FloatArray = npt.NDArray[np.float64]
STEP_MS, LENGTH_MS = 0.02, 120.0
CFLAGS = ("-O2", "-Wall", "-Wextra", "-Werror")
NEURONS = {neuron.name: neuron for neuron in (*shipped_neurons(), RICH)}

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
needs_gpp = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")


@cache
def members(name: str) -> Population:
    neuron = NEURONS[name]
    return Population.from_g(neuron, baseline_population(neuron, 2, 0)[0])


def spiking_voltage(population: Population, step_ms: float = STEP_MS) -> FloatArray:
    """The voltage of the first member in mV, from 20 ms before its first spike on."""
    neuron = population.neuron
    stop = neuron.recording_window_ms[0] + 700
    found = simulate(population.select([0]), duration_ms=stop, record="traces", sample_ms=step_ms)
    assert len(found.spike_times_ms[0])
    first = int((found.spike_times_ms[0][0] - found.transient_ms - 20) / step_ms)
    return found.V_mV[0, max(0, first) :][: int(LENGTH_MS / step_ms)].astype(float)


def injected(folder: Path, clamps: list[Clamp], V: FloatArray, step_ms: float) -> FloatArray:
    """What clamps inject into 1 pF along a voltage, (n_clamps, n): one program of all of their headers."""
    program = ["#include <stdio.h>", "#include <stdlib.h>"]
    begin, steps = [], []
    for k, clamp in enumerate(clamps):
        (folder / f"clamp{k}").mkdir()
        name, alone = clamp_name(clamp), f"clamp{k}_{clamp_name(clamp)}"
        text = clamp_header(clamp, ["a test"]).replace(name, alone).replace(name.upper(), alone.upper())
        (folder / f"clamp{k}" / "clamp.h").write_text(text)
        program.append(f'#include "clamp{k}/clamp.h"')
        begin.append(f"  {alone} s{k}; {alone}_init(&s{k}, V, 1.0);")
        steps.append(f"    out[{k}] = {alone}_step(&s{k}, V, {step_ms!r});")
    program += [
        "int main(void) {",
        f"  double V, out[{len(clamps)}];",
        "  if (fread(&V, sizeof V, 1, stdin) != 1) return 1;",
        *begin,
        "  do {",
        *steps,
        "    fwrite(out, sizeof out, 1, stdout);",
        "  } while (fread(&V, sizeof V, 1, stdin) == 1);",
        "  return 0;",
        "}",
    ]
    (folder / "program.c").write_text("\n".join(program) + "\n")
    command = ["gcc", "-std=c99", "-pedantic", *CFLAGS, "program.c", "-o", "program", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    done = subprocess.run([folder / "program"], input=V.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout).reshape(len(V), len(clamps)).T


def error(found: FloatArray, wanted: FloatArray) -> float:
    """Largest difference over the peak; the first sample has no step before it."""
    return float(np.abs(found - wanted)[1:].max() / max(np.abs(wanted).max(), 1e-12))


@needs_gcc
@pytest.mark.parametrize("name", NEURONS)
def test_each_channel_carries_its_current(name: str, tmp_path: Path) -> None:
    population = members(name)
    neuron = population.neuron
    V = spiking_voltage(population)
    open_ = [channel for channel, g in zip(neuron.channel_names, population.g[0], strict=True) if g > 0]
    clamps = [dynamic_clamp(population, 0, [channel]) for channel in open_]
    clamps.append(dynamic_clamp(population, 1, from_row=0))
    found = -injected(tmp_path, clamps, V, STEP_MS) * neuron.capacitance_uF
    along = Along(neuron, V, STEP_MS)
    wanted, other = (along.currents(g) for g in population.g)
    for channel, current in zip(open_, found, strict=False):
        assert error(current, wanted[neuron.index(channel)]) < 1e-3, channel
    assert error(found[-1], (other - wanted).sum(axis=0)) < 1e-3


@needs_gcc
@pytest.mark.parametrize("name", ["leech", "ca1"])
def test_the_simulator_has_the_same_currents(name: str, tmp_path: Path) -> None:
    # The simulator keeps means over steps, which differ from what flows at a time where a spike is fast
    # against its steps. In these neurons it is slow.
    population = members(name)
    neuron = population.neuron
    step = 2 * neuron.time_step_ms
    found = currents(population, 0, duration_ms=600, transient_ms=0, sample_ms=step)
    ours = -injected(
        tmp_path, [dynamic_clamp(population, 0, [c]) for c in neuron.channel_names], found.V_mV, step
    )
    late = found.time_ms > 300
    for channel, mine, theirs in zip(neuron.channel_names, ours, found.I, strict=True):
        assert error(mine[late], theirs[late]) < 1e-3, channel


@needs_gcc
def test_a_step_takes_less_than_ten_microseconds(tmp_path: Path) -> None:
    # all currents of two members, with calcium of their own, while the voltage jumps by 50 mV at each sample
    clamp = dynamic_clamp(members("stg"), 1, from_row=0)
    name = clamp_name(clamp)
    (tmp_path / "clamp.h").write_text(clamp_header(clamp, ["a test"]))
    (tmp_path / "program.c").write_text(
        f"""#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <time.h>
#include "clamp.h"
int main(void) {{
  struct timespec a, b;
  {name} clamp;
  double least = 1e9, sum = 0.0;
  int block, i;
  {name}_init(&clamp, -60.0, 25.0);
  for (block = 0; block < 200; ++block) {{
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (i = 0; i < 100; ++i) sum += {name}_step(&clamp, i % 2 ? -60.0 : -10.0, 0.02);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double took = 1e6 * (double)(b.tv_sec - a.tv_sec) + 1e-3 * (double)(b.tv_nsec - a.tv_nsec);
    if (took < least) least = took;
  }}
  printf("%g %g\\n", least / 100.0, sum);
  return 0;
}}
"""
    )
    subprocess.run(["gcc", *CFLAGS, "program.c", "-o", "program", "-lm"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True)
    assert float(done.stdout.split()[0]) < 10.0


@needs_gcc
def test_the_exported_program_replays_a_voltage(tmp_path: Path) -> None:
    population = members("stg")
    clamp = dynamic_clamp(population, 0, ["A"], capacitance_pF=20.0)
    export_clamp(clamp, population, tmp_path, predict=False)
    command = ["gcc", "-std=c99", *CFLAGS, "replay.c", "-o", "replay", "-lm"]
    subprocess.run(command, cwd=tmp_path / "c", check=True)
    V = "\n".join(map(repr, spiking_voltage(population).tolist()))
    program = tmp_path / "c" / "replay"
    twice = [
        subprocess.run([program, "0.02", pF], input=V, capture_output=True, text=True, check=True)
        for pF in ("20", "40")
    ]
    once, double = (np.array(done.stdout.split(), dtype=float) for done in twice)
    np.testing.assert_allclose(double, 2 * once, rtol=1e-7)
    assert once.min() < -100  # a potassium current: what is injected hyperpolarises
    assert "us on average" in twice[0].stderr
    assert subprocess.run([program], capture_output=True, check=False).returncode == 1


@needs_gpp
@pytest.mark.parametrize("name", ["stg", "da", "pyloric", "rich"])
def test_plugins_are_cpp(name: str, tmp_path: Path) -> None:
    population = members(name)
    clamp = dynamic_clamp(population, 1, from_row=0)
    stubs = Path(__file__).parent
    for path, text in clamp_files(clamp, population).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    for version, standard in (("rtxi2", "c++11"), ("rtxi3", "c++17")):
        source = tmp_path / version / f"{clamp_name(clamp)}_rtxi.cpp"
        command = ["g++", f"-std={standard}", "-fsyntax-only", "-Wall", "-I", stubs / version, source]
        subprocess.run(command, check=True)


def test_what_is_injected() -> None:
    population = generate_population("stg", (5.0, 5.0), size=2, seed=1)
    alone = dynamic_clamp(population, 0, ["KCa"])
    assert alone.added == {"KCa": population.g[0, 4]}
    (side,) = alone.sides  # calcium that CaT and CaS of the member bring, which are not injected
    assert side.computed == ("CaT", "CaS", "KCa")
    assert dynamic_clamp(population, 0, ["A"]).sides == ()
    both = dynamic_clamp(population, 0, from_row=1)
    assert [side.name for side in both.sides] == ["to", "from"]
    assert both.added["Na"] == pytest.approx(population.g[0, 0] - population.g[1, 0])


def test_the_readme_says_what_can_and_cannot_be(tmp_path: Path) -> None:
    population = generate_population("stg", (5.0, 5.0), size=2, seed=1)
    clamp = dynamic_clamp(population, 0, ["CaT", "KCa"], capacitance_pF=25.0)
    readme, *_ = export_clamp(clamp, population, tmp_path)
    text = readme.read_text(encoding="utf-8")
    assert "Nobody knows the calcium of the cell. What follows it (KCa)" in text
    assert "Calcium comes in with CaT in the model." in text
    assert "With these channels of its own blocked, and the clamp: member 1/0 is" in text
    assert "doi:10.1371/journal.pcbi.1005430" in text
    assert f"{25 * clamp.added['KCa']:.6g}" in text  # nS
    plain = clamp_files(dynamic_clamp(population, 0, ["A"]), population.select([0]))["README.md"]
    assert "Calcium" not in plain
    assert "enter it in pF" in plain


def test_a_member_becomes_the_other() -> None:
    population = generate_population("stg", (5.0, 5.0), size=3, seed=1)
    found = predict_clamp(dynamic_clamp(population, 2, from_row=1), population, duration_ms=1000).experiment
    control = predict_clamp(dynamic_clamp(population, 2, ["A"]), population, duration_ms=1000).experiment
    np.testing.assert_allclose(
        found.spike_times_ms["added"][0], control.spike_times_ms["control"][0], atol=0.05
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"row": 0}, "Name the channels to inject, of Na, Kd"),
        ({"row": 5, "channels": ["A"]}, "There is no member in row 5; the population has 2"),
        ({"row": 0, "from_row": 0}, "The two members have the same conductances: there is nothing to inject"),
        ({"row": 0, "channels": ["A"], "capacitance_pF": 0.0}, "above 0 and up to 1e6 pF, not 0 pF"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        dynamic_clamp(members("stg"), **options)  # type: ignore[arg-type]
    with pytest.raises(NeuronModelError, match="no channel 'Nap'"):
        dynamic_clamp(members("stg"), 0, ["Nap"])


def test_a_zip_for_the_page() -> None:
    from io import BytesIO
    from zipfile import ZipFile

    names = ZipFile(BytesIO(clamps_zip(members("stg"), 0))).namelist()
    assert "KCa/rtxi3/stg_KCa_clamp_rtxi.cpp" in names
    assert len({name.split("/")[0] for name in names}) == len(get_neuron("stg").channel_names)
