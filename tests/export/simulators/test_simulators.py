"""Exports against the declaration, and run in the simulators they are for."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich_neuron import RICH

from spike2pop_nb.conductances import Population, baseline_population, generate_population
from spike2pop_nb.errors import NeuronModelError, SimulationError
from spike2pop_nb.export import simulators
from spike2pop_nb.export.simulators.scripts import members_csv
from spike2pop_nb.neurons import add_neuron, list_neurons, remove_neuron
from spike2pop_nb.neurons.shipped import shipped_neurons
from spike2pop_nb.simulation import simulate
from spike2pop_nb.simulation.noise import noise_seeds

# Interpreter that has the simulators, if they are not installed beside this package
PYTHON = os.environ.get("SIMULATORS_PYTHON", sys.executable)
EXAMPLE = Path(__file__).parents[3] / "notebooks" / "my_neuron.py"
NEURONS = ("stg", "da", "my_ca1", "pyloric", "ib", "tc")
TARGET = {
    "stg": (5.0, 5.0),
    "da": (-5.0, 3.0),
    "my_ca1": (-0.02, 0.6),
    "pyloric": (-1.5, 0.2),
    "ib": (0.15, 1.75),
    "tc": (3.8, 5.1),
}
DURATION_MS = {"stg": 1000, "da": 1000, "my_ca1": 300, "pyloric": 350, "ib": 800, "tc": 1500}
# Brian2 compiles what it then runs for a second; half of that time went into making it fast.
BRIAN2 = '[codegen.cpp]\nextra_compile_args_gcc = ["-w", "-O0"]\n'
IMPORTS = {"neuron": "neuron", "brian2": "brian2", "jaxley": "jaxley", "neuroml": "pyneuroml, neuron"}


@pytest.fixture(autouse=True)
def own_neuron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example neuron of a user, found like theirs."""
    monkeypatch.setenv("SPIKE2POP_NB_NEURONS", str(tmp_path / "neurons"))
    add_neuron(EXAMPLE)
    yield
    for name in set(list_neurons()) - {neuron.name for neuron in shipped_neurons()}:
        remove_neuron(name)


def population(name: str, size: int = 1) -> Population:
    return generate_population(name, TARGET[name], size=size, seed=3, id="cell")


def run(folder: Path, script: str, *arguments: object) -> str:
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [PYTHON, script, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout


@cache
def importable(target: str) -> bool:
    command = [PYTHON, "-c", f"import {IMPORTS[target]}"]
    return not subprocess.run(command, capture_output=True).returncode


def why_not(target: str) -> str | None:
    """Why a target cannot be run here, if it cannot."""
    if not importable(target):
        return f"no {target}, or not for this NumPy"
    if target == "neuron" and not (shutil.which("c++") or shutil.which("g++")):
        return "no C++ compiler"
    if target == "neuroml" and not shutil.which("java"):
        return "no Java"
    return None


def members_of(name: str, target: str = "") -> Population:
    """Members; those of the pyloric neuron are driven, in NeuroML without noise."""
    members = population(name, size=2 if name == "da" else 1)
    if name != "pyloric":
        return members
    return without_noise(driven(members)) if target == "neuroml" else driven(members)


SEED = 2**62 + 12_345


def driven(members: Population) -> Population:
    """Members with a current, noise, and rhythmic inhibition."""
    table = members.table.assign(
        current_uA_cm2=0.4,
        noise_sigma_uA_cm2=3.0,
        noise_seed=np.uint64(SEED),
        inhibition_mS_cm2=0.05,
        inhibition_period_ms=150.0,
        inhibition_share=0.3,
    )
    return Population(members.neuron, table, members.made_by)


def without_noise(members: Population) -> Population:
    return Population(members.neuron, members.table.assign(noise_sigma_uA_cm2=0.0), members.made_by)


@pytest.fixture(scope="module")
def scripts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Future[Path]]]:
    """Runs of the scripts that are asked for, two at a time: they mostly compile, on one core each."""
    asked = [
        (item.callspec.params["name"], item.callspec.params["target"])
        for item in request.session.items
        if getattr(item, "originalname", "") == test_other_simulators_give_the_same_intervals.__name__
    ]

    def spikes(script: Path, duration: int) -> Path:
        (script.parent / "brian_preferences").write_text(BRIAN2)
        run(script.parent, script.name, "--duration", duration, "--transient", 0, "--out", "spikes.csv")
        return script.with_name("spikes.csv")

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(max_workers=2) as pool:
        patch.setenv("SPIKE2POP_NB_NEURONS", str(tmp_path_factory.mktemp("neurons")))
        add_neuron(EXAMPLE)
        exported = {
            (name, target): simulators.export(
                members_of(name, target), target, tmp_path_factory.mktemp("out")
            )[0]
            for name, target in asked
            if why_not(target) is None
        }
        remove_neuron("my_ca1")
        yield {key: pool.submit(spikes, script, DURATION_MS[key[0]]) for key, script in exported.items()}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("target", simulators.TARGETS)
@pytest.mark.parametrize("name", NEURONS)
def test_other_simulators_give_the_same_intervals(
    name: str, target: simulators.Target, scripts: dict[tuple[str, str], Future[Path]]
) -> None:
    if (why := why_not(target)) is not None:
        pytest.skip(why)
    found = pd.read_csv(scripts[name, target].result())
    members, duration = members_of(name, target), DURATION_MS[name]
    assert set(found["id"]) == {"cell"}
    ours = simulate(members, duration_ms=duration, transient_ms=0, accuracy="exact", record="spikes")
    for member, expected in enumerate(ours.spike_times_ms):
        times = found.loc[found["member"] == member, "time_ms"].to_numpy()
        n = len(expected)
        assert n > 8
        assert len(times) in (n, n + 1)  # the last may not yet be over
        error = np.abs(np.diff(times[:n]) / np.diff(expected) - 1)
        assert error.max() < 0.01


@pytest.fixture
def rich() -> Population:
    """Members of a neuron with all that calcium can do; one follows a rhythm."""
    members = Population.from_g(RICH, np.repeat(baseline_population(RICH, 1, 0)[0], 2, axis=0))
    table = members.table.assign(
        current_uA_cm2=[0.0, 1.5],
        inhibition_mS_cm2=[0.0, 0.1],
        inhibition_period_ms=[0.0, 150.0],
        inhibition_share=[0.0, 0.3],
    )
    return Population(members.neuron, table, members.made_by)


@pytest.mark.parametrize("target", ["neuron", "neuroml"])
def test_pools_pumps_and_drive_are_exported(
    target: simulators.Target, rich: Population, tmp_path: Path
) -> None:
    if (why := why_not(target)) is not None:
        pytest.skip(why)
    script, *_ = simulators.export(rich, target, tmp_path)
    run(tmp_path, script.name, "--duration", 800, "--transient", 0, "--out", "spikes.csv")
    found = pd.read_csv(tmp_path / "spikes.csv")
    ours = simulate(rich, duration_ms=800, transient_ms=0, accuracy="exact", record="spikes")
    assert not np.allclose(*ours.spike_times_ms), "the drive changes what is fired"
    for member, expected in enumerate(ours.spike_times_ms):
        times = found.loc[found["member"] == member, "time_ms"].to_numpy()
        assert len(times) == len(expected) > 2
        assert np.abs(np.diff(times) / np.diff(expected) - 1).max() < 0.01


def test_pools_and_pumps_are_in_every_export(rich: Population, tmp_path: Path) -> None:
    for target in ("brian2", "jaxley", "neuroml"):
        script, *others = simulators.export(rich, target, tmp_path)
        compile(script.read_text(), script.name, "exec")
        equations = others[0] if target == "neuroml" else script
        for part in ("Ca_deep", "12.5 *", "1.7", "0.4", "1.2"):
            assert part in equations.read_text(), (target, part)


def test_a_cell_type_of_its_own_is_valid_and_complete(rich: Population, tmp_path: Path) -> None:
    neuroml = pytest.importorskip("neuroml.utils")
    for members in (rich, rich.select([0]), without_noise(driven(population("ib", size=2)))):
        _script, model, lems, *_ = simulators.export(members, "neuroml", tmp_path)
        assert neuroml.is_valid_neuroml2(str(model))
        made = ET.parse(model).find("{*}ComponentType")
        assert made is not None
        asked = {parameter.get("name") for parameter in made.iterfind("{*}Parameter")}
        cells = ET.parse(lems).findall(str(made.get("name")))
        assert [set(cell.attrib) - {"id"} for cell in cells] == [asked] * len(members)
        assert ({"injected_current", "inhibition_share"} <= asked) == members.driven


@pytest.mark.parametrize("target", simulators.TARGETS)
@pytest.mark.parametrize("name", NEURONS)
def test_scripts_say_where_they_come_from(name: str, target: simulators.Target, tmp_path: Path) -> None:
    members = population(name, size=2)
    script, *others = simulators.export(members, target, tmp_path)
    text = script.read_text()
    compile(text, script.name, "exec")
    assert "def write" in text
    assert "written by spike2pop_nb" in text
    assert "Recording cell, 2 members, seed 3" in text
    assert "Reference: " in text
    table = next(file for file in others if file.suffix == ".csv")
    pd.testing.assert_frame_equal(
        pd.read_csv(table), members.table[["id", "member", *members.table.filter(like="g_").columns[:-2]]]
    )
    one, *_ = simulators.export(members.select([1]), target, tmp_path / "one")
    assert "Recording cell, member 1, seed 3" in one.read_text()
    assert not list((tmp_path / "one").glob("*.csv"))
    if target != "neuroml":
        assert repr(float(members.g[1][0])) in one.read_text()


@pytest.mark.parametrize("name", NEURONS)
def test_neuroml_is_valid(name: str, tmp_path: Path) -> None:
    neuroml = pytest.importorskip("neuroml.utils")
    simulators.export(population(name, size=2), "neuroml", tmp_path)
    assert neuroml.is_valid_neuroml2(str(tmp_path / f"{name}.nml"))
    cells = neuroml.loaders.read_neuroml2_file(str(tmp_path / f"{name}.nml")).cells
    assert [cell.notes for cell in cells] == ["cell/0", "cell/1"]


def test_a_hostile_name_stays_a_name(tmp_path: Path) -> None:
    name = "\"\"\"'''\n-->&<x>\nimport os\rENDCOMMENT {x}"
    for size in (1, 2):
        members = generate_population("da", (2.0, 5.0), size=size, seed=3, id=name)
        for target in simulators.TARGETS:
            script, *others = simulators.export(members, target, tmp_path)
            compile(script.read_text(encoding="utf-8"), script.name, "exec")
            assert "\nimport os\r" not in script.read_text(encoding="utf-8")
            for file in others:
                if file.suffix in (".nml", ".xml"):
                    ET.parse(file)


def test_the_zip_holds_all_simulators() -> None:
    members = population("stg", size=2)
    content = simulators.simulators_zip(members)
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert names[0] == "README.txt"
    assert {name.split("/")[0] for name in names[1:]} == set(simulators.TARGETS)
    assert "neuron/stg_currents.mod" in names
    assert content == simulators.simulators_zip(members)


def test_a_drive_is_in_every_script_but_noise_in_that_of_neuroml(rich: Population, tmp_path: Path) -> None:
    why = "injected noise, which LEMS cannot draw alike"
    for members in (driven(rich), driven(population("stg", size=2))):
        for target in ("neuron", "brian2", "jaxley"):
            script, *others = simulators.export(members, target, tmp_path)
            compile(script.read_text(), script.name, "exec")
            for file in others:
                if file.suffix == ".csv":
                    table = pd.read_csv(file, dtype={"noise_seed": np.uint64})
                    drive = table.columns[-6:]
                    pd.testing.assert_frame_equal(table[drive], members.table[drive], check_dtype=False)
        with pytest.raises(SimulationError, match=why):
            simulators.export(members, "neuroml", tmp_path)
        with zipfile.ZipFile(io.BytesIO(simulators.simulators_zip(members))) as packed:
            assert {name.split("/")[0] for name in packed.namelist()[1:]} == {"neuron", "brian2", "jaxley"}
            assert why in packed.read("README.txt").decode()
        with zipfile.ZipFile(io.BytesIO(simulators.simulators_zip(without_noise(members)))) as packed:
            assert {name.split("/")[0] for name in packed.namelist()[1:]} == set(simulators.TARGETS)


def test_members_without_a_seed_get_the_one_that_they_are_simulated_with() -> None:
    members = driven(population("stg", size=2))
    unsaid = Population(members.neuron, members.table.drop(columns="noise_seed"), {})
    assert members_csv(unsaid).splitlines()[1].split(",")[-4] == str(noise_seeds(0, 2)[0])


def test_what_cannot_be_exported_is_one_sentence(tmp_path: Path) -> None:
    members = population("stg")
    with pytest.raises(SimulationError, match="no export to 'matlab'; choose one of neuron, brian2"):
        simulators.export(members, "matlab", tmp_path)  # type: ignore[arg-type]
    for target in simulators.TARGETS:
        with pytest.raises(SimulationError, match="has 0 members; 1 to 10000 can be exported"):
            simulators.export(members.select([]), target, tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulationError, match=r"The folder .* cannot be made"):
        simulators.export(members, "neuron", tmp_path / "file")


def test_what_cannot_be_expressed_names_channel_and_gate(tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace('name="my_ca1"', 'name="odd"').replace("tau_n, 4", "wild, 4")
    wild = "import numpy as np\n\n\ndef wild(V):\n    return 1.5 + np.sin(900.0 * np.asarray(V, float))\n\n\n"
    (tmp_path / "odd.py").write_text(text.replace("CA1 = ", wild + "CA1 = "))
    model = add_neuron(tmp_path / "odd.py")
    members = Population.from_g("odd", np.ones((1, model.n_channels)))
    for target in simulators.TARGETS:
        with pytest.raises(NeuronModelError, match="'odd': channel Kdr, gate n: tau cannot be exported: "):
            simulators.export(members, target, tmp_path)


def stopped(folder: Path, script: str) -> str:
    """What a script says that must stop before it simulates; it leaves nothing."""
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [PYTHON, script, "--duration", "50", "--out", "none.csv"]
    done = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (folder / "none.csv").exists()
    return done.stderr.strip().splitlines()[-1]


def ending(text: str, end: str) -> str:
    """The table with another end of its last row."""
    return text.rstrip()[: text.rstrip().rindex(",")] + end


# What is done to a table, and what is said of it
FAULTS = {
    "another neuron": (lambda text: text.replace("g_CaT", "g_CaL"), "must have the columns id, member, g_Na"),
    "a column less": (lambda text: "\n".join(ending(row, "") for row in text.splitlines()), "the columns"),
    "a column more": (lambda text: text.replace("g_leak", 'g_leak","more'), "must have the columns"),
    "a cell less": (lambda text: ending(text, ""), "row 3: it must have 10 cells"),
    "a cell more": (lambda text: text.rstrip() + ",1", "row 3: it must have 10 cells"),
    "negative": (lambda text: ending(text, ",-1"), "row 3: g_leak is '-1'"),
    "not finite": (lambda text: ending(text, ",inf"), "row 3: g_leak is 'inf'"),
    "no number": (lambda text: ending(text, ",nan"), "row 3: g_leak is 'nan'"),
    "a drive that is no number": (lambda text: text.replace(",3.0,", ",x,"), "noise_sigma_uA_cm2 is 'x'"),
    "a drive with negative noise": (lambda text: text.replace(",3.0,", ",-3,"), "noise_sigma_uA_cm2 is '-3'"),
    "a drive with no seed": (lambda text: text.replace(str(SEED), "4.6E+18"), "seed is '4.6E"),
    "no members": (lambda text: text.splitlines()[0], "has no members"),
    "empty": (lambda _text: "", "must have the columns"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_table_that_was_not_made_for_it_is_refused(fault: str, tmp_path: Path) -> None:
    change, sentence = FAULTS[fault]
    members = population("stg", size=2)
    simulators.export(driven(members) if "drive" in fault else members, "brian2", tmp_path)
    table = tmp_path / "stg_members.csv"
    table.write_text(change(table.read_text()))
    # the part that reads the table is the same in all scripts
    text = (tmp_path / "stg_brian2.py").read_text()
    start, stop = text.index("COLUMNS = "), text.index("parser = ")
    (tmp_path / "read.py").write_text(f"import csv\nimport sys\nfrom pathlib import Path\n{text[start:stop]}")
    said = stopped(tmp_path, "read.py")
    assert said.startswith("stg_members.csv")
    assert sentence in said


@pytest.mark.parametrize("target", simulators.TARGETS)
def test_every_script_reads_the_table_before_it_simulates(target: simulators.Target, tmp_path: Path) -> None:
    if not importable(target):
        pytest.skip(f"no {target}")
    script, *_ = simulators.export(population("stg", size=2), target, tmp_path)
    table = tmp_path / "stg_members.csv"
    table.write_text(table.read_text().replace("g_CaT", "g_CaL"))
    assert "stg_members.csv must have the columns id, member, g_Na" in stopped(tmp_path, script.name)


RUNNER = """
from pathlib import Path

def run_lems_with_jneuroml_neuron(lems, nogui, exec_in_dir):
    folder = Path(exec_in_dir)
    assert 'length="50.0ms"' in (folder / lems).read_text()
    assert (folder / "stg.nml").is_file()
    (folder / "stg_spikes.dat").write_text("0.01 0\\n0.02 1\\n")
"""


def test_neuroml_is_run_in_a_place_of_its_own_and_with_its_own_members(tmp_path: Path) -> None:
    script, *_ = simulators.export(population("stg", size=2), "neuroml", tmp_path)
    (tmp_path / "pyneuroml").mkdir()
    (tmp_path / "pyneuroml" / "__init__.py").write_text("")
    (tmp_path / "pyneuroml" / "runners.py").write_text(RUNNER)
    before = set(tmp_path.iterdir())
    run(tmp_path, script.name, "--duration", 50, "--transient", 0, "--out", "spikes.csv")
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {"spikes.csv"}
    assert (tmp_path / "spikes.csv").read_text().split() == [
        "id,member,time_ms",
        "cell,0,10.0",
        "cell,1,20.0",
    ]
    other = generate_population("stg", TARGET["stg"], size=2, seed=4, id="cell")
    (tmp_path / "stg_members.csv").write_text(members_csv(other))
    assert "The conductances of stg.nml are not those of its members" in stopped(tmp_path, script.name)
    # where each member is a component of one type, all of it is asked
    members = without_noise(driven(population("stg", size=2)))
    simulators.export(members, "neuroml", tmp_path)
    run(tmp_path, script.name, "--duration", 50, "--transient", 0, "--out", "spikes.csv")
    changed = members.table.assign(inhibition_share=[0.3, 0.4])
    (tmp_path / "stg_members.csv").write_text(members_csv(Population("stg", changed, {})))
    assert "The values of LEMS_stg.xml are not those of its members" in stopped(tmp_path, script.name)


@pytest.mark.skipif(why_not("neuron") is not None, reason=str(why_not("neuron")))
def test_neuron_compiles_a_changed_mechanism_below_any_path(tmp_path: Path) -> None:
    folder = tmp_path / "Données de l'été"
    script, mod = simulators.export(population("stg"), "neuron", folder)
    options = ("--duration", 400, "--transient", 0, "--out")
    said = run(folder, script.name, *options, "first.csv")
    assert "member 1 of 1" in said, "it takes minutes for many members, and says how far it is"
    assert "Written: first.csv" in said
    kept = set(folder.glob("*.lib"))
    assert len(kept) == 1
    run(folder, script.name, *options, "again.csv")
    assert set(folder.glob("*.lib")) == kept, "compiled once"
    text = mod.read_text()
    mod.write_text(text.replace("  i = current_Na", "  i = 0.5 * current_Na"))
    os.utime(mod, (0, 0))  # older than what was compiled
    run(folder, script.name, *options, "changed.csv")
    first, again, changed = (pd.read_csv(folder / f"{name}.csv") for name in ("first", "again", "changed"))
    pd.testing.assert_frame_equal(first, again)
    assert len(changed) > 3
    assert len(changed) != len(first) or not np.allclose(changed["time_ms"], first["time_ms"])
    mod.write_text(text.replace("  i = current_Na", "  i = nothing + current_Na"))
    command = [PYTHON, script.name, "--out", "none.csv"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{mod.name} could not be compiled" in done.stderr.splitlines()[-1]
    assert not (folder / "none.csv").exists()
