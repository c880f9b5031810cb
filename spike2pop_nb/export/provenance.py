"""What results rest on: versions of software, and the network whose posterior a result holds."""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from spike2pop_nb import __version__
from spike2pop_nb.fidelity import Result
from spike2pop_nb.inference import Network, Posterior

__all__ = ["as_json", "as_plain", "network_of", "summary_json", "told_files", "versions"]

_LIBRARIES = ("numpy", "scipy", "numba", "torch", "pandas", "elephant", "plotly", "matplotlib", "pyarrow")


def versions() -> dict[str, str]:
    """Return the versions of this package, Python, and the libraries that results rest on.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import versions
    >>> versions()["spike2pop_nb"] == s2p.__version__
    True
    """
    found = {"spike2pop_nb": __version__, "python": platform.python_version(), "platform": sys.platform}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def told_files(words: str, options: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, bytes]:
    """Return what tells of other files: ``methods.md`` and ``summary.json``."""
    return {"methods.md": f"{words}\n".encode(), "summary.json": summary_json(options, told)}


def summary_json(options: Mapping[str, Any], told: Mapping[str, Any]) -> bytes:
    """Return a ``summary.json``: when and by what it was made, the options, and what else is told."""
    made = {"made_at": datetime.now(UTC).isoformat(timespec="seconds"), "versions": versions()}
    whole = as_plain({**made, "options": dict(options), **told})
    return f"{json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)}\n".encode()


def as_json(value: Any) -> Any:
    """Return what JSON has in place of a value that it does not know: numbers of NumPy, or a text."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def as_plain(value: Any) -> Any:
    """Return a value, and all within it, as JSON has it: what is no finite number is None."""
    if isinstance(value, Mapping):
        return {str(key): as_plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(one) for one in value]
    if isinstance(value, np.ndarray | np.generic):
        return as_plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def network_of(result: Result) -> Network | None:
    """Return the network that a result's posterior says it came from; None for one of another origin.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export import network_of
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> network_of(result).file
    'stg.safetensors'
    """
    found = result.posterior
    return found.network if isinstance(found, Posterior) and found.usable else None
