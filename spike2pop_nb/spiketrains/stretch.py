"""Which of a file's recordings are wanted, and which stretch of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from spike2pop_nb.errors import SpikeTrainError

from .readers.raw import Source, counted, named, shown
from .train import FloatArray

__all__ = ["Stretch"]


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Named)


@dataclass(frozen=True)
class Stretch:
    """Recordings by their ids, and the time between a start and a stop.

    Attributes
    ----------
    recordings : tuple of str or None
        Ids; None for all.
    start_s, stop_s : float or None
        Edges in s on the recording's own clock; a spike at the start is inside, one at the stop is not. None
        for the recording's own start or end.
    """

    recordings: tuple[str, ...] | None = None
    start_s: float | None = None
    stop_s: float | None = None

    @classmethod
    def checked(
        cls, recordings: str | Sequence[str] | None, start_s: float | None, stop_s: float | None
    ) -> Stretch:
        """A stretch of what a caller gave: its edges are finite and in order, and a recording is named."""
        for name, edge in (("start", start_s), ("stop", stop_s)):
            if edge is not None and not math.isfinite(edge):
                raise SpikeTrainError(f"The {name} of the stretch is {edge} s; it must be a finite number.")
        if start_s is not None and stop_s is not None and not start_s < stop_s:
            raise SpikeTrainError(
                f"The stretch runs from {start_s:g} to {stop_s:g} s; its stop must come after its start."
            )
        if isinstance(recordings, str):
            recordings = (recordings,)
        if recordings is not None and not recordings:
            raise SpikeTrainError(
                "No recording is named; name at least one, or leave the choice out for all."
            )
        return cls(None if recordings is None else tuple(str(name) for name in recordings), start_s, stop_s)

    def wants(self, name: str) -> bool:
        """Whether a recording of that id, or a part of one such as "7/0", is wanted."""
        assert self.recordings is not None
        named = {part.strip() for text in self.recordings for part in (text, *text.split(","))}
        return name in named or any(text.startswith(f"{name}/") for text in named)

    def chosen(self, found: Sequence[T], source: Source, skipped: list[str]) -> list[T]:
        """What was found and is wanted, in the order in which it is named; the rest is noted."""
        if self.recordings is None:
            return list(found)
        by_id = {one.id: one for one in found}
        wanted = dict.fromkeys(named(self.recordings, by_id))
        missing = [name for name in wanted if name not in by_id]
        if missing:
            raise source.error(f"there is no recording {missing[0]!r}; the file has {shown(list(by_id), 8)}.")
        if len(wanted) < len(found):
            skipped.append(f"{counted(len(found) - len(wanted), 'recording')} not asked for")
        return [by_id[name] for name in wanted]

    @property
    def is_part(self) -> bool:
        """Whether anything of the time is cut away."""
        return self.start_s is not None or self.stop_s is not None

    @property
    def edges_ms(self) -> tuple[float, float]:
        """Start and stop in ms, infinite where there is none."""
        low = -np.inf if self.start_s is None else 1000.0 * self.start_s
        return low, np.inf if self.stop_s is None else 1000.0 * self.stop_s

    def cut(
        self, times_ms: FloatArray, window_ms: tuple[float, float] | None
    ) -> tuple[FloatArray, tuple[float, float] | None]:
        """Times inside the stretch, and the time observed in it.

        The edges of the stretch were observed where the window, or failing one the first and last spike, lies
        beyond them.
        """
        if not self.is_part:
            return times_ms, window_ms
        low, high = self.edges_ms
        kept = times_ms[(times_ms >= low) & (times_ms < high)]
        first, last = window_ms or ((times_ms[0], times_ms[-1]) if times_ms.size else (np.inf, -np.inf))
        start, end = max(low, float(first)), min(high, float(last))
        inside = start < end and (not kept.size or (start <= kept[0] and kept[-1] <= end))
        # Without a window, where a recording that is cut on one side begins or ends is not known.
        known = window_ms is not None or (first < low and high < last)
        return kept, (start, end) if inside and known else None

    def __str__(self) -> str:
        if self.stop_s is None:
            return f"from {self.start_s:g} s on"
        if self.start_s is None:
            return f"up to {self.stop_s:g} s"
        return f"from {self.start_s:g} to {self.stop_s:g} s"
