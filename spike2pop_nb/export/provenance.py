"""What results rest on: versions of software, and the network whose posterior a result holds."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from spike2pop_nb import __version__
from spike2pop_nb.fidelity import Result
from spike2pop_nb.inference import Network, Posterior

__all__ = ["network_of", "versions"]

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
