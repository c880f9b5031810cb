"""One spike train: its id, its times, the window it was observed in and where it came from."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spike2pop_nb.errors import SpikeTrainError

from .limits import MAX_ID_LENGTH, MAX_TIME_MS

__all__ = ["FloatArray", "Provenance", "SpikeTrain", "checked_id", "takes_times", "unique_ids"]

FloatArray: TypeAlias = NDArray[np.float64]

Taker = Callable[[str, Any], FloatArray | None]
_takers: list[Taker] = []
_MEMBERS = re.compile(r"(/\d{1,7}){1,4}$")
# Marks that reorder text on screen: an id that carries one can pass for another.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def takes_times(take: Taker) -> Taker:
    """Decorate a function that turns what another library holds into times in ms, and all else into None.

    It is given the name of the train, too, and asked whenever a train is made.
    """
    _takers.append(take)
    return take


def unique_ids(ids: Sequence[str]) -> list[str]:
    """The ids, numbered where one is taken: a second "7" becomes "7 (2)".

    Examples
    --------
    >>> unique_ids(["7", "7", "8", "7 (2)", "7"])
    ['7', '7 (3)', '8', '7 (2)', '7 (4)']
    """
    taken, seen, last = set(ids), set(), dict.fromkeys(ids, 1)
    found = []
    for name in ids:
        new = name
        while new in seen or (new != name and new in taken):
            last[name] += 1
            new = f"{name[:190]} ({last[name]})"
        seen.add(new)
        found.append(new)
    return found


def checked_id(value: object) -> str:
    """Return `value` as an id: printable text without blanks around it, everything else verbatim.

    Parameters
    ----------
    value : object
        A string, or a number that stands for one (``3`` and ``3.0`` both give ``"3"``).

    Returns
    -------
    str
        The id. Markup such as ``<b>`` is data here and kept; whoever shows an id escapes it.

    Raises
    ------
    SpikeTrainError
        For an empty id, one over 200 characters (the numbers of members after it, as in ``cell/3``, not
        counted), or one with control characters.
    """
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    text = str(value).strip()
    if not text:
        raise SpikeTrainError("A spike train has an empty id; an id must hold at least one character.")
    if len(_MEMBERS.sub("", text)) > MAX_ID_LENGTH:
        raise SpikeTrainError(
            f"The id {text[:30]!r}… has {len(text)} characters; an id may have up to {MAX_ID_LENGTH}."
        )
    if text.isascii() and text.isprintable():  # the usual case, without looking at each character
        return text
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _REORDERING:
            raise SpikeTrainError(
                f"The id {text!a} contains the control character U+{ord(character):04X}; "
                "an id must be printable text."
            )
    return text


@dataclass(frozen=True)
class Provenance:
    """Where a train came from.

    Attributes
    ----------
    source : str
        File name, or a word such as "simulation".
    format : str
        File format, for example "CSV"; empty when the train came from no file.
    location : str
        Place inside the source in words, for example "row 3" or "array 'unit_7'".
    unit : str
        Unit of the times in the source: "s", "ms" or "us". `SpikeTrain` itself always holds ms.
    reading : str
        As what the times were read, in words: their unit and how it is known, or where spikes were detected.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[2]
    >>> train.provenance.source, train.provenance.unit
    ('stg_set.csv', 'ms')
    """

    source: str
    format: str = ""
    location: str = ""
    unit: str = "ms"
    reading: str = ""


@dataclass(frozen=True, eq=False)
class SpikeTrain:
    """Spike times of one neuron.

    Parameters
    ----------
    id : str
        Name of the train; see `checked_id`.
    times_ms : array_like of float, shape (n,)
        Spike times in ms, finite and strictly increasing. Stored as a read-only float64 copy. Trains of neo
        and pynapple, quantities and masked arrays keep their unit and mask.
    window_ms : (float, float), optional
        Start and end in ms of the time the neuron was observed; None when unknown.
    provenance : Provenance, optional
        Where the train came from.

    Raises
    ------
    SpikeTrainError
        When the id, the times or the window are not as described.

    Examples
    --------
    >>> SpikeTrain("PD", [373.9, 391.0, 405.5]).n_spikes
    3
    """

    id: str
    times_ms: FloatArray
    window_ms: tuple[float, float] | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        name = checked_id(self.id)
        object.__setattr__(self, "id", name)
        object.__setattr__(self, "times_ms", _checked_times(name, self.times_ms))
        if self.window_ms is not None:
            object.__setattr__(self, "window_ms", _checked_window(name, self.window_ms, self.times_ms))

    @property
    def isi_ms(self) -> FloatArray:
        """Inter-spike intervals in ms, shape (n − 1,); empty for fewer than two spikes."""
        return np.diff(self.times_ms)

    @property
    def n_spikes(self) -> int:
        """Number of spikes."""
        return int(self.times_ms.size)

    @property
    def duration_ms(self) -> float:
        """Time from the first to the last spike in ms; 0 for fewer than two spikes."""
        return float(self.times_ms[-1] - self.times_ms[0]) if self.n_spikes > 1 else 0.0

    @property
    def rate_hz(self) -> float:
        """Firing rate in Hz: the inverse of the mean interval.

        A train of fewer than two spikes has no interval: its count is divided by the observed window,
        and without a window the rate is 0.
        """
        if self.n_spikes > 1:
            return 1000.0 * (self.n_spikes - 1) / self.duration_ms
        if self.window_ms is not None:
            return 1000.0 * self.n_spikes / (self.window_ms[1] - self.window_ms[0])
        return 0.0

    def __len__(self) -> int:
        return self.n_spikes

    def __repr__(self) -> str:
        if not self.n_spikes:
            return f"SpikeTrain({self.id!r}, no spikes)"
        first, last = self.times_ms[0], self.times_ms[-1]
        return f"SpikeTrain({self.id!r}, {self.n_spikes} spikes, {first:.10g} to {last:.10g} ms)"


def _checked_times(name: str, values: ArrayLike) -> FloatArray:
    for take in _takers:
        if (taken := take(name, values)) is not None:
            values = taken
    try:
        if np.iscomplexobj(values):
            raise TypeError
        times = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise SpikeTrainError(f"The times of train {name!r} are not all numbers.") from None
    if times.ndim != 1:
        raise SpikeTrainError(
            f"The times of train {name!r} have shape {times.shape}; a train is one list of times."
        )
    if times.size:
        if not np.isfinite(times).all():
            where = int(np.flatnonzero(~np.isfinite(times))[0])
            raise SpikeTrainError(
                f"Spike {where + 1} of train {name!r} is at {times[where]}; times must be finite numbers."
            )
        backwards = np.flatnonzero(times[1:] <= times[:-1])
        if backwards.size:
            where = int(backwards[0]) + 1
            raise SpikeTrainError(
                f"Spike {where + 1} of train {name!r}, at {times[where]:.10g} ms, does not come after the "
                f"one before it, at {times[where - 1]:.10g} ms; times must be strictly increasing."
            )
        if max(-times[0], times[-1]) >= MAX_TIME_MS:
            far = times[-1] if times[-1] >= MAX_TIME_MS else times[0]
            raise SpikeTrainError(
                f"Train {name!r} has a spike at {far:.10g} ms; times must lie within ±{MAX_TIME_MS:.0e} ms."
            )
    times.setflags(write=False)
    return times


def _checked_window(name: str, window: tuple[float, float], times: FloatArray) -> tuple[float, float]:
    start, end = (float(edge) for edge in window)
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise SpikeTrainError(
            f"The window of train {name!r} runs from {start} to {end} ms; it must have a positive length."
        )
    if times.size and (times[0] < start or times[-1] > end):
        raise SpikeTrainError(
            f"Train {name!r} has spikes from {times[0]:.10g} to {times[-1]:.10g} ms, outside its window of "
            f"{start:.10g} to {end:.10g} ms."
        )
    return start, end
