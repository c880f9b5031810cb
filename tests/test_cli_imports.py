"""A command imports what it needs and no more, so that it starts fast."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from spike2pop_nb import example_path
from spike2pop_nb.conductances import generate_population

RUN = """
import sys
from spike2pop_nb import cli
sys.argv = ["spike2pop", *sys.argv[1:]]
try:
    cli.main()
except SystemExit as stop:
    assert not stop.code, stop.code
print("\\nimported:", *sys.modules)
"""
SCIENCE = {"numpy", "pandas", "scipy", "torch"}
SIMULATOR = {"numba", "spike2pop_nb.simulation", "spike2pop_nb.fidelity", "sympy"}
FIGURES = {"plotly", "matplotlib", "spike2pop_nb.plots"}
RARE = {
    "dask",
    "elephant",
    "ipywidgets",
    "neo",
    "pyarrow.parquet",
    "quantities",
    "scipy.stats",
    "sklearn",
    "xarray",
}


def imported(*arguments: object) -> set[str]:
    """Run a command in a process of its own; return the modules that it has imported."""
    made = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return set(made.stdout.rpartition("imported:")[2].split())


@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), ("run", "--help"), ("experiment", "--help")], ids=" ".join
)
def test_help_imports_no_library_of_science(arguments: tuple[str, ...]) -> None:
    assert not imported(*arguments) & (SCIENCE | SIMULATOR | FIGURES | RARE)


def test_a_list_of_neurons_imports_neurons() -> None:
    unused = {"pandas", "torch", "scipy.special", "scipy.interpolate"} | SIMULATOR | FIGURES | RARE
    assert not imported("models") & unused


@pytest.mark.parametrize("written", [False, True], ids=("on the screen", "in a file"))
def test_a_prediction_imports_neither_simulator_nor_figures(written: bool, tmp_path: Path) -> None:
    option = ("--out", tmp_path / "dics.csv") if written else ()
    found = imported("predict", example_path("stg_set.csv"), *option)
    assert "torch" in found
    assert not found & (SIMULATOR | FIGURES | RARE | {"scipy.special"})


def test_an_export_to_a_simulator_imports_no_network_and_no_figures(tmp_path: Path) -> None:
    table = tmp_path / "population.csv"
    generate_population("stg", (5.0, 5.0), size=2, seed=1).to_csv(table)
    found = imported("export", table, "--to", "neuroml", "--out", tmp_path / "out")
    assert not found & ({"torch"} | SIMULATOR - {"numba", "sympy"} | FIGURES | RARE)


def test_a_simulation_imports_neither_network_nor_figures_nor_statistics(tmp_path: Path) -> None:
    table = tmp_path / "population.csv"
    generate_population("stg", (5.0, 5.0), size=2, seed=1).to_csv(table)
    found = imported("simulate", table, "--duration-ms", 10, "--transient-ms", 0, "--out", tmp_path / "s.csv")
    assert not found & ({"torch", "scipy.signal"} | FIGURES | RARE)


def test_the_server_of_the_page_parses_no_grammar_as_it_starts() -> None:
    assert not imported("app", "--help") & {"voila", "lark"}
    code = "import sys, spike2pop_nb.app.serve; assert 'lark' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


WITHOUT = """
import sys
from importlib.machinery import PathFinder
missing = set(sys.argv.pop(1).split(","))
class Others(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in missing else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Others
from spike2pop_nb import cli
cli.main()
"""


def needed(*names: str) -> set[str]:
    """Return what is installed with distributions, themselves included."""
    found: set[str] = set()
    waiting = [*map(Requirement, names)]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found or not (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += map(Requirement, metadata.requires(name) or [])
    return found


@pytest.fixture(scope="module")
def missing() -> str:
    """Modules that a worker lacks which was set up as the page on many recordings says."""
    text = (Path(__file__).parents[1] / ".docs" / "pages" / "many.md").read_text(encoding="utf-8")
    (names,) = re.findall(r"^pip install --constraint \S+ (torch .+)$", text, flags=re.M)
    there = needed(*names.split()) | {"spike2pop-nb"}
    assert not {"matplotlib", "plotly", "voila"} & there
    modules = metadata.packages_distributions().items()
    return ",".join(module for module, by in modules if not {*map(canonicalize_name, by)} & there)


def without(missing: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, missing, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_worker_without_page_and_figures_searches_and_experiments(missing: str, tmp_path: Path) -> None:
    out, members = tmp_path / "run", ("--neuron", "stg", "--size", 2, "--seed", 1, "--recordings", 3)
    ran = without(missing, "run", example_path("stg_set.csv"), *members, "--out", out)
    assert ran.returncode == 0, ran.stderr
    asked = ("experiment", out / "population.csv", "--block", "A=0.5", "--out", tmp_path / "experiment")
    assert without(missing, *asked, "--no-figures").returncode == 0
    refused = without(missing, *asked)
    assert refused.returncode == 2
    assert refused.stderr == "Error: Figures need matplotlib: pip install spike2pop-nb.\n"


@pytest.mark.parametrize(
    "arguments",
    [("app", "--no-browser"), ("run", "FILE", "--neuron", "stg", "--report", "--out", "OUT")],
    ids=["page", "report"],
)
def test_what_a_worker_lacks_is_said_before_anything_is_done(
    missing: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    places = {"FILE": example_path("stg_set.csv"), "OUT": tmp_path / "out"}
    refused = without(missing, *(places.get(word, word) for word in arguments))
    assert refused.returncode == 2
    assert re.fullmatch(
        r"Error: (Pages|Reports) need plotly: pip install spike2pop-nb\.", refused.stderr.splitlines()[-1]
    )
    assert not (tmp_path / "out").exists()


def test_the_package_is_run_as_a_module_too() -> None:
    command = [sys.executable, "-m", "spike2pop_nb", "predict", "no such file.csv"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 2
    assert made.stderr == "Error: no such file.csv: there is no such file.\n"
