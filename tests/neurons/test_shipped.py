"""Shipped neurons are found where they are declared; nothing lists them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import spike2pop_nb.neurons
from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons import get_neuron, list_neurons, registry, shipped

DERIVED = """
import dataclasses
from spike2pop_nb.neurons.stg import STG
NEW = dataclasses.replace(STG, name={name!r})
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules stand beside those of the package."""
    monkeypatch.setattr(spike2pop_nb.neurons, "__path__", [*spike2pop_nb.neurons.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "_registered", {})
    before = set(sys.modules)
    shipped.shipped_neurons.cache_clear()
    registry._load_entry_points.cache_clear()
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    monkeypatch.undo()
    shipped.shipped_neurons.cache_clear()
    registry._load_entry_points.cache_clear()


def test_a_neuron_is_one_file(folder: Path) -> None:
    (folder / "basket.py").write_text(DERIVED.format(name="basket"))
    assert list_neurons()[:3] == ["stg", "basket", "ca1"]
    assert get_neuron("basket").channels is get_neuron("stg").channels


def test_one_name_twice_is_refused(folder: Path) -> None:
    (folder / "zzz.py").write_text(DERIVED.format(name="da"))
    with pytest.raises(NeuronModelError, match=r"neurons\.zzz declares another neuron named 'da'\.$"):
        list_neurons()
