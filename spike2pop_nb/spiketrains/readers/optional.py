"""Libraries that are needed for some formats only, imported when such a file comes."""

from __future__ import annotations

import importlib
from types import ModuleType

from .raw import Source

__all__ = ["optional"]


def optional(library: str, what: str, source: Source) -> ModuleType:
    """Import a library of the ``io`` extra.

    Parameters
    ----------
    library : str
        Module name, for example "h5py".
    what : str
        The files that it reads, in words.
    source : Source
        Names the file in errors.

    Raises
    ------
    SpikeTrainError
        With the command that installs it.
    """
    try:
        return importlib.import_module(library)
    except ImportError:
        raise source.error(
            f"{what} are read with {library}, which is not installed; install it with: "
            'pip install "spike2pop-nb[io]"'
        ) from None
