"""What results rest on: versions of software, and the network whose posterior a result holds."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from spike2pop_nb import __version__
from spike2pop_nb.errors import PredictorError
from spike2pop_nb.fidelity import Result
from spike2pop_nb.inference import Posterior, find_weights, load_predictor

__all__ = ["Network", "networks", "versions"]

_LIBRARIES = ("numpy", "scipy", "numba", "torch", "pandas", "elephant", "plotly", "matplotlib", "pyarrow")


def versions() -> dict[str, str]:
    """Return the versions of this package, Python, and the libraries that results rest on."""
    found = {"spike2pop_nb": __version__, "python": platform.python_version(), "platform": sys.platform}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@dataclass(frozen=True)
class Network:
    """Weights that gave a posterior: file name, SHA-256 of the file, and trains that it was trained on."""

    file: str
    sha256: str
    n_trains: int | None


@lru_cache(maxsize=8)
def _installed(neuron: str, path: Path, _changed_ns: int) -> tuple[Network, Any]:
    predictor = load_predictor(neuron, path)
    trains = predictor.metadata.get("data", {}).get("trains")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Network(path.name, sha256, None if trains is None else int(trains)), predictor


_known: WeakKeyDictionary[Result, Network | None] = WeakKeyDictionary()


def networks(results: Sequence[Result]) -> list[Network | None]:
    """Return the network behind each result.

    A posterior does not say which weights it came from, and others may have been given, or installed since.
    So the installed network is asked again, and named only where it repeats the posterior; else there is
    None, as for results without one.
    """
    asked: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        found = result.posterior
        if result not in _known and isinstance(found, Posterior) and found.usable:
            asked.setdefault((found.neuron, found.prior), []).append(result)
    for (neuron, prior), group in asked.items():
        repeated: Sequence[Posterior | None] = [None] * len(group)
        network = None
        path = find_weights().get(neuron)
        try:
            if path is not None:
                network, predictor = _installed(neuron, path, path.stat().st_mtime_ns)
                repeated = predictor.predict([result.recording for result in group], prior=prior)
        except (PredictorError, OSError):
            pass  # then there is none that could be named
        for result, again in zip(group, repeated, strict=True):
            _known[result] = network if _same(result.posterior, again) else None
    return [_known.get(result) for result in results]


def _same(one: Posterior, other: Posterior | None) -> bool:
    a, b = one.mixture, other.mixture if other is not None else None
    if a is None or b is None or a.means.shape != b.means.shape:
        return False
    # batches of other sizes round otherwise
    return all(
        np.allclose(getattr(a, name), getattr(b, name), rtol=1e-3, atol=1e-3)
        for name in ("log_weights", "means", "scales")
    )
