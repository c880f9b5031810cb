"""The process in which neo reads a file: plain arrays come out of it, or one sentence.

Run as ``python -m spike2pop_nb.spiketrains.readers.neo_worker READER FILE trains|signals ANSWER.npz``.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.limits import MAX_LIBRARY_SECONDS, MAX_SAMPLES, MAX_SPIKES, MAX_TRAINS

from .raw import counted, shown

__all__ = ["main"]

_MAX_MEMORY_BYTES: Final = 6_000_000_000


class _RefusedError(Exception):
    """What the user is told."""


class _Found:
    """Entries and their arrays, as they are found."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.arrays: list[NDArray[np.float64]] = []
        self.skipped: list[str] = []
        self.size = 0

    def count(self, size: int, most: int, what: str) -> None:
        self.size += size
        if self.size > most:
            raise _RefusedError(f"the file holds more than {most:,} {what}; split it into smaller files.")
        if len(self.entries) >= MAX_TRAINS:
            raise _RefusedError(f"the file holds more than {MAX_TRAINS:,} trains or traces; split it.")

    def add(self, array: NDArray[np.float64], **entry: Any) -> None:
        self.entries.append(entry)
        self.arrays.append(array)


def _segments(reader_name: str, path: str) -> list[Any]:
    import neo.io
    from neo.io.basefromrawio import BaseFromRaw

    reader_class = getattr(neo.io, reader_name)
    if reader_name == "NixIO":
        reader = reader_class(path, mode="ro")
        return [segment for block in reader.read_all_blocks() for segment in block.segments]
    reader = reader_class(path)
    if not isinstance(reader, BaseFromRaw):
        return list(reader.read_block().segments)
    return [
        segment
        for block in range(reader.block_count())
        for segment in reader.read_block(block, lazy=True, signal_group_mode="split-all").segments
    ]


def _loaded(item: Any) -> Any:
    return item.load() if hasattr(item, "load") else item


def _trains(segments: list[Any]) -> _Found:
    found = _Found()
    for number, segment in enumerate(segments, start=1):
        names = [_name(train, f"unit {k}") for k, train in enumerate(segment.spiketrains, start=1)]
        for name, train in zip(names, segment.spiketrains, strict=True):
            found.count(int(train.shape[0]), MAX_SPIKES, "spikes")
            # Units sorted from one electrode often share its name, and have an id each.
            unit = train.annotations.get("id")
            train = _loaded(train)
            found.add(
                np.asarray(train.rescale("s").magnitude, dtype=np.float64),
                name=f"{name} {unit}" if unit and names.count(name) > 1 else name,
                segment=number,
                start=float(train.t_start.rescale("s")),
                stop=float(train.t_stop.rescale("s")),
            )
    return found


def _signals(segments: list[Any]) -> _Found:
    import quantities as pq

    found = _Found()
    other: list[str] = []
    for number, segment in enumerate(segments, start=1):
        for k, signal in enumerate(segment.analogsignals, start=1):
            name = _name(signal, f"signal {k}")
            units = pq.Quantity(1, getattr(signal, "units", pq.dimensionless))
            if units.simplified.dimensionality != pq.V.simplified.dimensionality:
                other.append(name)
                continue
            found.count(int(np.prod(signal.shape)), MAX_SAMPLES, "samples")
            signal = _loaded(signal)
            volts = np.asarray(signal.rescale("mV").magnitude, dtype=np.float64).reshape(len(signal), -1)
            for channel, samples in enumerate(volts.T, start=1):
                found.add(
                    np.ascontiguousarray(samples),
                    name=name if volts.shape[1] == 1 else f"{name}/{channel}",
                    segment=number,
                    units=units.dimensionality.string,
                    start=float(signal.t_start.rescale("s")),
                    rate=float(signal.sampling_rate.rescale("Hz")),
                )
    if other:
        unique = list(dict.fromkeys(other))
        found.skipped.append(
            f"{counted(len(other), 'signal')} of another quantity than voltage, {shown(unique)}"
        )
    return found


def _name(item: Any, otherwise: str) -> str:
    return str(item.name or item.annotations.get("id") or otherwise).strip() or otherwise


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; there the time limit of the caller remains
        return
    for kind, most in ((resource.RLIMIT_AS, _MAX_MEMORY_BYTES), (resource.RLIMIT_CPU, MAX_LIBRARY_SECONDS)):
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(kind, (most, hard))


def main(reader: str, path: str, wanted: str, answer: str) -> None:
    """Read `path` with ``neo.io.<reader>`` and save what is `wanted` as an NPZ file at `answer`."""
    said: dict[str, Any]
    arrays: list[NDArray[np.float64]] = []
    try:
        segments = _segments(reader, path)
        found = _trains(segments) if wanted == "trains" else _signals(segments)
        said, arrays = {"entries": found.entries, "skipped": found.skipped}, found.arrays
    except _RefusedError as refusal:
        said = {"error": str(refusal)}
    except Exception as error:  # neo meets a damaged file with errors of every kind
        reason = " ".join(str(error).split())[:150].rstrip(".") or type(error).__name__
        said = {"error": f"neo's {reader} cannot read it ({reason}); it is damaged or of another kind."}
    text = np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)
    named: dict[str, Any] = {f"a{k}": array for k, array in enumerate(arrays)}
    np.savez(answer, said=text, **named)


if __name__ == "__main__":
    _limit()
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
