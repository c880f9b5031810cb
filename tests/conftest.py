"""What several rooms need: every registered neuron, and the independently computed reference vectors."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

# Neurons that the developer added to this machine are not part of the tests.
os.environ["SPIKE2POP_NB_NEURONS"] = tempfile.mkdtemp(prefix="no_neurons_")
# Tests and notebooks share the cores: threads that wait for each other leave them to others meanwhile.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# jsonschema, which Jupyter and NWB import, would parse a grammar that nothing here has a use for.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from spike2pop_nb.checking.known import known_neurons, known_of  # noqa: E402
from spike2pop_nb.neurons import NeuronModel, get_neuron, list_neurons, registry  # noqa: E402

# The same examples on every machine, so that a change is judged by what it changes. Others are drawn by
# `--hypothesis-profile=random`, which runs every week with many more of them.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("same")

REFERENCE = {name: known_of(name) for name in known_neurons()}


def pytest_configure(config: pytest.Config) -> None:
    """Have several workers take files in the order in which they are collected; compile once for all."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        from spike2pop_nb import generate_population, simulate

        simulate(generate_population("stg", (5.0, 5.0), size=1), duration_ms=1.0, transient_ms=0.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the notebooks: they take longest, and nobody should wait for them alone at the end."""
    items.sort(key=lambda item: item.path.name != "test_notebooks.py")


def pytest_collection_finish() -> None:
    """Have no garbage sought in what tests have imported, which takes longer than many of them."""
    gc.collect()
    gc.freeze()


class Known(dict[str, Any]):
    """Reference vectors of a neuron; a test that asks for others than it has is skipped."""

    def __missing__(self, key: str) -> Any:
        pytest.skip(f"no {key} in the reference vectors")


@pytest.fixture(params=list_neurons())
def neuron(request: pytest.FixtureRequest) -> NeuronModel:
    """Every registered neuron in turn."""
    return get_neuron(request.param)


@pytest.fixture
def without_atlases(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No neuron has an atlas: only those with a larger network are predicted."""
    monkeypatch.setattr("spike2pop_nb.inference.weight_files.SHIPPED_ATLASES", tmp_path / "none")
    monkeypatch.setenv("SPIKE2POP_NB_WEIGHTS", str(tmp_path / "none"))


@pytest.fixture
def step(neuron: NeuronModel) -> tuple[float, float]:
    """A small step of g_s and g_u, as the neuron at hand counts: (1, 1) for the STG neuron."""
    (low_s, high_s), (low_u, high_u) = neuron.dic_range["g_s"], neuron.dic_range["g_u"]
    return (high_s - low_s) / 40, (high_u - low_u) / 20


@pytest.fixture
def reference(neuron: NeuronModel) -> dict[str, Any]:
    """The reference vectors of the neuron at hand."""
    if neuron.name not in REFERENCE:
        pytest.skip(f"no reference vectors for {neuron.name}")
    return Known(REFERENCE[neuron.name])


@pytest.fixture(autouse=True)
def known_neurons() -> Iterator[None]:
    """No test leaves a neuron behind that was not known before it, whichever tests share its process."""
    before = dict(registry._registered)
    yield
    if registry._registered.keys() - before.keys():
        for name in registry._registered.keys() - before.keys():
            del registry._registered[name]
        registry._of_session.intersection_update(registry._registered)
        registry._of_folder.intersection_update(registry._registered)
        registry._load_own.cache_clear()


@pytest.fixture
def own_neurons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a user with no neurons of their own would keep them."""
    own = tmp_path / "own"
    monkeypatch.setenv("SPIKE2POP_NB_NEURONS", str(own))
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    registry.look_again()
    yield own
    registry.look_again()


class Normal:
    """The smallest thing that can stand for a posterior: a normal distribution."""

    usable = True
    course = None
    mean = np.array([-5.0, 4.0])
    std = np.array([1.0, 0.5])

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        return -0.5 * (((x - self.mean) / self.std) ** 2).sum(axis=-1)

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> np.ndarray:
        return self.mean + self.std * np.random.default_rng(seed).normal(size=(n, 2))


@pytest.fixture(scope="session")
def normal() -> Any:
    """A posterior of the mean (-5, 4)."""
    return Normal()
