"""One NPY array: never a pickle, its size checked before memory is taken."""

from __future__ import annotations

import math
import sys
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError

from .raw import Source

__all__ = ["array_of_bytes", "mapped_array"]


def array_of_bytes(data: bytes, name: str, source: Source) -> NDArray[Any]:
    """The array of an NPY file, as a read-only view of its bytes.

    Parameters
    ----------
    data : bytes
        Contents of the NPY file.
    name : str
        What the array is called in messages.
    source : Source
        Names the file in errors.

    Raises
    ------
    SpikeTrainError
        When it is damaged or cut short, or holds Python objects.
    """
    stream = BytesIO(data)
    shape, fortran, dtype = _header(stream, len(data), name, source)
    if not math.prod(shape):
        return np.empty(shape, dtype)
    flat = np.frombuffer(data, dtype=dtype, count=math.prod(shape), offset=stream.tell())
    if not _is_text_sound(flat):
        raise source.error(f"{name} is damaged: its text has invalid characters.")
    return flat.reshape(shape, order="F" if fortran else "C")


def mapped_array(path: Path, name: str, source: Source) -> NDArray[Any]:
    """The array of an NPY file on disk, which is read as it is used.

    Raises
    ------
    SpikeTrainError
        As `array_of_bytes`.
    """
    try:
        with path.open("rb") as stream:
            shape, fortran, dtype = _header(stream, path.stat().st_size, name, source)
            offset = stream.tell()
        if not math.prod(shape):
            return np.empty(shape, dtype)
        return np.memmap(path, dtype, "r", offset, shape, "F" if fortran else "C")
    except OSError as error:
        raise source.error(f"{name} cannot be opened: {error.strerror}.") from None


def _is_text_sound(flat: NDArray[Any]) -> bool:
    """Whether all code points exist, also in fields; Python fails on others when it makes text of them."""
    if flat.dtype.names:
        return all(_is_text_sound(flat[name].ravel()) for name in flat.dtype.names)
    if flat.dtype.kind != "U" or not flat.size or not flat.dtype.itemsize:
        return True
    codes = np.ascontiguousarray(flat).view(f"{flat.dtype.byteorder}u4")
    return int(codes.max()) <= sys.maxunicode


def _header(
    stream: BinaryIO, size: int, name: str, source: Source
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran order, and type; the stream is left where the values begin."""
    try:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise source.error(
                f"{name} is in NPY version {version[0]}.{version[1]}; save it with numpy.save."
            )
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(stream)
        if any(isinstance(extent, bool) for extent in shape):  # which NumPy lets pass as 0 and 1
            raise ValueError
    except SpikeTrainError:
        raise
    except Exception:  # NumPy meets a damaged header with errors of several kinds
        raise source.error(f"{name} is damaged: its header cannot be read.") from None
    if dtype.hasobject:
        raise source.error(
            f"{name} holds Python objects (a pickle), which are never loaded; save plain numbers, with rows "
            "of unequal length filled up with NaN or one array per train."
        )
    n_values = math.prod(shape)
    if (
        len(shape) > 32
        or any(extent < 0 for extent in shape)
        or n_values * dtype.itemsize > size - stream.tell()
    ):
        raise source.error(f"{name} is cut short: its header announces {shape} values, which are not there.")
    if n_values and not dtype.itemsize:
        raise source.error(f"{name} is damaged: its values have no length.")
    return shape, fortran, dtype
