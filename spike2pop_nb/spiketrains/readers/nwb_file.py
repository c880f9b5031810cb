"""NWB files, read by pynwb: the units table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .optional import optional
from .raw import Source

if TYPE_CHECKING:
    import h5py

__all__ = ["nwb_content"]



@contextmanager
def nwb_content(file: h5py.File, source: Source) -> Iterator[Any]:
    """The NWBFile of an HDF5 file, its data still unread.

    Raises
    ------
    SpikeTrainError
        When pynwb is missing or cannot make sense of the file.
    """
    pynwb = optional("pynwb", "NWB files", source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pynwb warns of what other versions wrote differently
        try:
            content = pynwb.NWBHDF5IO(file=file, mode="r", load_namespaces=True).read()
        except Exception as error:  # pynwb meets an unsound file with errors of every kind
            reason = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
            raise source.error(f"pynwb cannot read this NWB file ({reason}); write it again.") from None
        yield content
