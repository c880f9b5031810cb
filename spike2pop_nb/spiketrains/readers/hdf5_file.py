"""HDF5 files: opened with care, and told apart into NWB, NIX, MATLAB 7.3 and others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains.limits import MAX_OBJECTS, MAX_UNPACKED_BYTES

from .optional import optional
from .raw import Source, shown

if TYPE_CHECKING:
    import h5py

__all__ = ["HDF5_ADVICE", "hdf5_kind", "is_hdf5", "opened"]

HDF5_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
HDF5_ADVICE: Final = (
    "this HDF5 file is neither NWB, NIX nor MATLAB 7.3, so where its spike times are is not known; export "
    "them as NWB, NPZ or CSV."
)
_ELSEWHERE: Final = "{} lies in another file, which is not opened; copy it into this one."


def is_hdf5(source: Source) -> bool:
    """Whether the file says that it is HDF5, MATLAB 7.3 included."""
    return (
        source.data.startswith(HDF5_MAGIC)
        or HDF5_MAGIC in source.data[512:520]
        or source.data[:10] == b"MATLAB 7.3"
    )


@contextmanager
def opened(source: Source) -> Iterator[h5py.File]:
    """Open an HDF5 file that neither points to other files nor promises blocks too large to unpack.

    Raises
    ------
    SpikeTrainError
        When h5py is missing, the file is damaged, or anything in it lies outside it.
    """
    h5py = optional("h5py", "HDF5 files (NWB, MATLAB 7.3)", source)
    try:
        file = h5py.File(source.path or BytesIO(source.data), "r")
    except Exception:  # HDF5 meets a damaged file with errors of several kinds
        kind = "MATLAB 7.3 (HDF5)" if source.data[:10] == b"MATLAB 7.3" else "HDF5"
        raise source.error(f"the {kind} file is damaged or cut short; copy or save it again.") from None
    try:
        with file:
            refusal = _refusal(file, h5py)
            if refusal:
                raise source.error(refusal)
            yield file
    except (SpikeTrainError, MemoryError):
        raise
    except Exception:  # what is damaged shows when it is read, again with errors of several kinds
        raise source.error("the HDF5 file is damaged: a part of it cannot be read.") from None


def hdf5_kind(file: h5py.File) -> str:
    """ "NWB", "NIX", "MATLAB" or "" for anything else."""
    if "nwb_version" in file.attrs or "nwb_version" in file:
        return "NWB"
    if _text(file.attrs.get("format")) == "nix":
        return "NIX"
    if any("MATLAB_class" in item.attrs for item in file.values()) or file.userblock_size >= 512:
        return "MATLAB"
    return ""


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _refusal(file: h5py.File, h5py: Any) -> str | None:
    """Why the file is not read, if it is not. (HDF5 lets no exception out of a visit, but an answer.)"""
    n_links = 0

    def link(name: str, found: Any) -> str | None:
        nonlocal n_links
        n_links += 1
        if n_links > MAX_OBJECTS:
            return f"the HDF5 file has more than {MAX_OBJECTS:,} groups and data sets."
        return _ELSEWHERE.format(shown([name])) if isinstance(found, h5py.ExternalLink) else None

    def item(name: str, found: Any) -> str | None:
        if not isinstance(found, h5py.Dataset):
            return None
        if found.external or found.is_virtual:
            return _ELSEWHERE.format(shown([name]))
        if found.chunks and math.prod(found.chunks) * found.dtype.itemsize > MAX_UNPACKED_BYTES:
            limit = f"{MAX_UNPACKED_BYTES / 1e6:.0f} MB"
            return f"{shown([name])} is packed in blocks of over {limit}, too large to read."
        return None

    return file.visititems_links(link) or file.visititems(item)
