"""A command imports what it needs and no more, so that it starts fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
