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

from spike2pop_nb.conductances import Population, generate_population
from spike2pop_nb.errors import NeuronModelError, SimulationError
from spike2pop_nb.export import simulators
from spike2pop_nb.neurons import add_neuron, list_neurons, remove_neuron
from spike2pop_nb.simulation import simulate

# Interpreter that has the simulators, if they are not installed beside this package
PYTHON = os.environ.get("SIMULATORS_PYTHON", sys.executable)
EXAMPLE = Path(__file__).parents[3] / "notebooks" / "my_neuron.py"
NEURONS = ("stg", "da", "ca1")
TARGET = {"stg": (5.0, 5.0), "da": (-5.0, 3.0), "ca1": (-0.02, 0.6)}
DURATION_MS = {"stg": 1000, "da": 1000, "ca1": 300}
IMPORTS = {"neuron": "neuron", "brian2": "brian2", "jaxley": "jaxley", "neuroml": "pyneuroml, neuron"}


@pytest.fixture(autouse=True)
def own_neuron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example neuron of a user, found like theirs."""
    monkeypatch.setenv("SPIKE2POP_NB_NEURONS", str(tmp_path / "neurons"))
    add_neuron(EXAMPLE)
    yield
    for name in set(list_neurons()) - {"stg", "da"}:
        remove_neuron(name)


def population(name: str, size: int = 1) -> Population:
    return generate_population(name, TARGET[name], size=size, seed=3, id="cell")


def run(folder: Path, script: str, *arguments: object) -> None:
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [PYTHON, script, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


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


def members_of(name: str) -> Population:
    return population(name, size=2 if name == "da" else 1)


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
        run(script.parent, script.name, "--duration", duration, "--transient", 0, "--out", "spikes.csv")
        return script.with_name("spikes.csv")

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(max_workers=2) as pool:
        patch.setenv("SPIKE2POP_NB_NEURONS", str(tmp_path_factory.mktemp("neurons")))
        add_neuron(EXAMPLE)
        exported = {
            (name, target): simulators.export(members_of(name), target, tmp_path_factory.mktemp("out"))[0]
            for name, target in asked
            if why_not(target) is None
        }
        remove_neuron("ca1")
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
    members, duration = members_of(name), DURATION_MS[name]
    assert set(found["id"]) == {"cell"}
    ours = simulate(members, duration_ms=duration, transient_ms=0, accuracy="exact", record="spikes")
    for member, expected in enumerate(ours.spike_times_ms):
        times = found.loc[found["member"] == member, "time_ms"].to_numpy()
        n = len(expected)
        assert n > 8
        assert len(times) in (n, n + 1)  # the last may not yet be over
        error = np.abs(np.diff(times[:n]) / np.diff(expected) - 1)
        assert error.max() < 0.01


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
    text = EXAMPLE.read_text().replace('name="ca1"', 'name="odd"').replace("tau_n, 4", "wild, 4")
    wild = "import numpy as np\n\n\ndef wild(V):\n    return 1.5 + np.sin(900.0 * np.asarray(V, float))\n\n\n"
    (tmp_path / "odd.py").write_text(text.replace("CA1 = ", wild + "CA1 = "))
    model = add_neuron(tmp_path / "odd.py")
    members = Population.from_g("odd", np.ones((1, model.n_channels)))
    for target in simulators.TARGETS:
        with pytest.raises(NeuronModelError, match="'odd': channel Kdr, gate n: tau cannot be exported: "):
            simulators.export(members, target, tmp_path)
