"""One NPY array: never a pickle, its size checked before memory is taken."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError

from .raw import Source

__all__ = ["load_npy"]


def load_npy(data: bytes, name: str, source: Source, *, fields: bool = False) -> NDArray[Any]:
    """Load an array.

    Parameters
    ----------
    data : bytes
        Contents of the NPY file.
    name : str
        What the array is called in messages.
    source : Source
        Names the file in errors.
    fields : bool
        Whether the array may have named fields.

    Raises
    ------
    SpikeTrainError
        When it is damaged or cut short, or holds Python objects.
    """
    stream = BytesIO(data)
    try:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise source.error(
                f"{name} is in NPY version {version[0]}.{version[1]}; save it with numpy.save."
            )
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = header(stream)
    except SpikeTrainError:
        raise
    except Exception:  # NumPy meets a damaged header with errors of several kinds
        raise source.error(f"{name} is damaged: its header cannot be read.") from None
    if dtype.hasobject:
        raise source.error(
            f"{name} holds Python objects (a pickle), which are never loaded; save plain numbers, with rows "
            "of unequal length filled up with NaN or one array per train."
        )
    if dtype.fields is not None and not fields:
        raise source.error(f"{name} has named fields; save an array of ids and an array of times instead.")
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize > len(data) - stream.tell():
        raise source.error(f"{name} is cut short: its header promises {shape} values that are not there.")
    stream.seek(0)
    try:
        return np.asarray(npy.read_array(stream, allow_pickle=False))
    except Exception:
        raise source.error(f"{name} is damaged and cannot be read.") from None
