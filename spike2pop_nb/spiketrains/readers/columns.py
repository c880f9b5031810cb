"""Which column holds the ids, which the times: judged by names first, contents second."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import unit_from_name

from .raw import Source, shown

__all__ = [
    "EXPECTED",
    "find_column",
    "grows_within_groups",
    "is_counter",
    "is_id_name",
    "is_member_name",
    "is_signal_name",
    "is_time_name",
    "share_increasing",
]

EXPECTED: Final = (
    "a table needs an id and a time column (id, time_ms), a list of times per row (ID, spiking_times), "
    "or a column of increasing times per train"
)

_ID: Final = re.compile(
    r"(?:(?:neuron|cell|unit|train|spike_?train|electrode|channel|cluster|clu|rec|recording|sender|source|"
    r"spike_cluster)s?(?:_?(?:id|no|nr|name|number|index))?|ids?|name|label)"
)
_MEMBER: Final = re.compile(
    r"(?:member|trial|sweep|repeat|repetition|rep|segment)s?(?:_?(?:id|no|nr|number))?"
)
_TIME: Final = re.compile(
    r"t|times?|time_?stamps?|(?:spike|spiking|spk|firing|event)s?(?:_?(?:times?|t|ts|time_?stamps?|list|train))?|"
    r"spks|ts|zeit(?:en)?|temps|tiempos?|tempo|tijd(?:en)?"
)


_SIGNAL: Final = re.compile(
    r"v|vm|i|x|y|volt.*|v_.*|potential|membrane.*|current|amp.*|values?|signal|mv|pa|na"
)


def _plain(name: str) -> str:
    return re.sub(r"[\s.\-]+", "_", name.strip().lower())


def is_id_name(name: str) -> bool:
    """Whether a column of this name holds ids."""
    return _ID.fullmatch(_plain(name)) is not None


def is_member_name(name: str) -> bool:
    """Whether a column of this name numbers the members or trials of one id."""
    return _MEMBER.fullmatch(_plain(name)) is not None


def is_signal_name(name: str) -> bool:
    """Whether a column of this name holds a measured quantity rather than ids."""
    return _SIGNAL.fullmatch(_plain(name)) is not None


def is_time_name(name: str) -> bool:
    """Whether a column of this name, its unit aside, holds spike times."""
    stem, unit = unit_from_name(name)
    return _TIME.fullmatch(_plain(stem)) is not None or (unit is not None and not stem)


def find_column(wanted: str | int | None, names: Sequence[str], source: Source) -> int | None:
    """Index of a column that the caller named, or numbered from 0; None when they did not.

    Raises
    ------
    SpikeTrainError
        When there is no such column.
    """
    if wanted is None:
        return None
    if isinstance(wanted, int):
        if 0 <= wanted < len(names):
            return wanted
    else:
        for same in (str, str.casefold):
            for index, name in enumerate(names):
                if same(name.strip()) == same(wanted.strip()):
                    return index
    raise source.error(f"there is no column {wanted!r}; the columns are {shown(names)}.")


def share_increasing(columns: Sequence[FloatArray]) -> float:
    """Share of steps that go up, over all columns; 1 where there is no step."""
    finite = [column[np.isfinite(column)] for column in columns]
    steps = np.concatenate([np.diff(column) for column in finite] or [np.empty(0)])
    return float(np.mean(steps > 0)) if steps.size else 1.0


def grows_within_groups(ids: NDArray[np.generic], times: FloatArray) -> bool:
    """Whether `ids` repeat and `times` mostly grow within each id: the mark of a row per spike.

    Parameters
    ----------
    ids : ndarray, shape (n,)
        Labels.
    times : ndarray of float64, shape (n,)
        Numbers.
    """
    labels, codes = np.unique(ids, return_inverse=True)
    if 2 * labels.size > ids.size or ids.size < 3:
        return False
    order = np.argsort(codes, kind="stable")
    within = np.diff(codes[order]) == 0
    ordered = times[order]
    return float(np.mean((ordered[1:] > ordered[:-1])[within])) >= 0.9


def is_counter(values: FloatArray) -> bool:
    """Whether the values are 0, 1, 2, … or 1, 2, 3, …: row numbers rather than times."""
    return bool(
        values.size > 1
        and values[0] in (0.0, 1.0)
        and np.array_equal(np.diff(values), np.ones(values.size - 1))
    )
