"""Every public function and class shows how it is used, in an example that the tests run."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

PACKAGES = [
    "app",
    "conductances",
    "data",
    "export",
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
