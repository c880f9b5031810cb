"""Public names load only what they need, and each shows how it is used."""

from __future__ import annotations

import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

PACKAGES = [
    "app",
    "checking",
    "conductances",
    "data",
    "experiments",
    "export",
    "export.clamp",
    "export.simulators",
    "fidelity",
    "inference",
    "neurons",
    "plots",
    "simulation",
    "spiketrains",
]

EXAMPLE = "Examples\n--------\n>>> "


@pytest.mark.parametrize("name", PACKAGES)
def test_public_names_have_an_example(name: str) -> None:
    package = import_module(f"spike2pop_nb.{name}")
    public = {member: getattr(package, member) for member in package.__all__}
    used = {member: it for member, it in public.items() if inspect.isclass(it) or inspect.isroutine(it)}
    assert used
    assert not [member for member, it in used.items() if EXAMPLE not in (inspect.getdoc(it) or "")]


@pytest.mark.parametrize("name", PACKAGES)
def test_no_module_hides_a_public_name(name: str) -> None:
    # A module is bound in its package once it is imported, whatever the package loads under that name.
    package = import_module(f"spike2pop_nb.{name}")
    assert not {module.name for module in pkgutil.iter_modules(package.__path__)} & set(package.__all__)


@pytest.mark.parametrize(
    ("statement", "needless"),
    [
        ("import spike2pop_nb", "numpy"),
        ("import spike2pop_nb.simulation, spike2pop_nb.plots", "numpy"),
        ("from spike2pop_nb.inference import Posterior", "torch pandas plotly spike2pop_nb.simulation"),
        ("from spike2pop_nb.spiketrains import read_spike_trains", "torch numba scipy plotly"),
        ("from spike2pop_nb.conductances import Population", "torch numba plotly"),
        ("from spike2pop_nb.plots import recording", "torch numba matplotlib"),
    ],
)
def test_a_name_loads_only_what_it_needs(statement: str, needless: str) -> None:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(needless.split()) & set(done.stdout.split())
