"""Trains that the tests write into files of every kind, and what must come back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spike2pop_nb.errors import SpikeTrainError
from spike2pop_nb.spiketrains import Recordings, read_spike_trains


def train(seed: int, mean_ms: float, n: int = 60, cv: float = 0.25) -> NDArray[np.float64]:
    """Times in ms of a fairly regular cell."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.gamma(1 / cv**2, mean_ms * cv**2, n)) + 200.0


A, B, C = train(1, 120.0), train(2, 66.0), train(3, 240.0)
RATE_HZ = 30_000.0


def merged(trains: Sequence[NDArray[np.float64]]) -> list[tuple[float, int]]:
    """All spikes in the order of time, each with the number of its train."""
    return sorted((t, k) for k, times in enumerate(trains) for t in times)


def same(recordings: Recordings, expected: Iterable[NDArray[np.float64]], within_ms: float = 0.06) -> bool:
    """Whether the trains are those expected, in any order."""
    left = [t.times_ms for t in recordings]
    wanted = list(expected)
    if len(left) != len(wanted):
        return False
    for times in wanted:
        match = next(
            (
                k
                for k, other in enumerate(left)
                if other.size == times.size and (not times.size or np.abs(other - times).max() <= within_ms)
            ),
            None,
        )
        if match is None:
            return False
        left.pop(match)
    return True


@dataclass(frozen=True)
class Case:
    """A file, the trains in it, and which outcomes are good enough (see `outcome`)."""

    name: str
    data: str | bytes
    expected: Sequence[NDArray[np.float64]]
    filename: str = "f.csv"
    ok: tuple[str, ...] = ("right",)
    within_ms: float = 0.06
    options: Mapping[str, Any] = field(default_factory=dict)

    def outcome(self) -> str:
        """ "right", "refused: …", "warned" (wrong unit, and a caution on it first) or "wrong: …"."""
        data = self.data.encode() if isinstance(self.data, str) else self.data
        try:
            recordings = read_spike_trains(data, filename=self.filename, **self.options)
        except SpikeTrainError as error:
            return f"refused: {error}"
        if same(recordings, self.expected, self.within_ms):
            return "right"
        sizes = [train.n_spikes for train in recordings]
        if recordings.report.unit_assumed and sizes == [times.size for times in self.expected]:
            return "warned"
        return f"wrong: {recordings.report} {sizes[:5]}"


def each_case(*kinds: Callable[[], Iterator[Case]]) -> pytest.MarkDecorator:
    """Give a test every case of these kinds as ``case``, in turn."""
    cases = [case for kind in kinds for case in kind()]
    return pytest.mark.parametrize("case", cases, ids=[f"{k}-{case.name}" for k, case in enumerate(cases)])
