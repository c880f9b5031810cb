"""Who imports whom: no circles between modules, and nothing imports up the street."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import spike2pop_nb

grimp = pytest.importorskip("grimp")

NAME = spike2pop_nb.__name__
#: Each room knows only those before it.
STREET = (
    "errors",
    "files",
    "seeds",
    "jit",
    "workers",
    "neurons",
    "spiketrains",
    "inference",
    "conductances",
    "simulation",
    "training",
    "fidelity",
    "experiments",
    "data",
    "plots",
    "export",
    "checking",
    "app",
    "cli",
    "__main__",
)
PLACE = {room: place for place, room in enumerate(STREET)}


def room(module: str) -> str:
    return module.split(".")[1]


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """What each module imports, within its functions too, and what a package loads on first use."""
    graph = grimp.build_graph(NAME, exclude_type_checking_imports=True, cache_dir=None)
    found = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules - {NAME}}
    for stub in Path(spike2pop_nb.__file__).parent.glob("*/__init__.pyi"):
        package = f"{NAME}.{stub.parent.name}"
        lines = ast.walk(ast.parse(stub.read_text(encoding="utf-8")))
        found[package] |= {f"{package}.{line.module}" for line in lines if isinstance(line, ast.ImportFrom)}
    return {module: others - {NAME} for module, others in found.items()}


def test_there_are_no_circles(imports: dict[str, set[str]]) -> None:
    TopologicalSorter(imports).prepare()  # it names a circle


def test_every_room_has_its_place(imports: dict[str, set[str]]) -> None:
    assert {room(module) for module in imports} == set(PLACE)


def test_nothing_imports_up_the_street(imports: dict[str, set[str]]) -> None:
    up = {
        f"{module} imports {other}"
        for module, others in imports.items()
        for other in others
        if room(module) != room(other) and PLACE[room(module)] <= PLACE[room(other)]
    }
    assert not up
