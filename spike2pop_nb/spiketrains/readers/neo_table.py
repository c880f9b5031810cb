"""Files of acquisition systems, read by neo in the sandbox, as tables.

Only the readers listed here are used. Each was looked through: none unpickles, evaluates text of the file,
opens files that the file names or calls a vendor's library, as others of neo do (PickleIO, ElphyIO,
NeuroshareIO, Plexon2IO).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from spike2pop_nb.errors import SpikeTrainError, WayOut
from spike2pop_nb.spiketrains.limits import MAX_SAMPLES, MAX_TRAINS
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray

from .builder import Signal, table_of_signals, texts
from .raw import Source, counted, shown
from .sandbox import Parser, parsed, require

__all__ = ["NEO_READERS", "neo_signals", "neo_table", "parse_signals", "parse_trains", "signals_table"]


@dataclass(frozen=True)
class NeoReader:
    """A class of neo.io.

    `alone` when it reads a whole folder or the files beside the one named, which must then lie alone in one;
    `folder` when it is given the folder. `unsorted` and `noise` are the units that the system files what was
    not classified and what is no spike under; None where it has no such unit.
    """

    name: str
    format: str
    alone: bool = False
    folder: bool = False
    unsorted: int | None = None
    noise: int | None = None


_NEURALYNX: Final = NeoReader("NeuralynxIO", "Neuralynx", alone=True, folder=True, unsorted=0)

NEO_READERS: Final[dict[str, NeoReader]] = {
    ".abf": NeoReader("AxonIO", "Axon ABF"),
    ".axgd": NeoReader("AxographIO", "AxoGraph"),
    ".axgx": NeoReader("AxographIO", "AxoGraph"),
    ".edr": NeoReader("WinEdrIO", "WinEDR"),
    ".f32": NeoReader("BrainwareF32IO", "BrainWare F32"),
    ".mpx": NeoReader("AlphaOmegaIO", "AlphaOmega", alone=True, folder=True),
    ".nev": NeoReader("BlackrockIO", "Blackrock NEV", alone=True, unsorted=0, noise=255),
    ".nex": NeoReader("NeuroExplorerIO", "NeuroExplorer"),
    ".nix": NeoReader("NixIO", "NIX"),
    ".nse": _NEURALYNX,
    ".ntt": _NEURALYNX,
    ".plx": NeoReader("PlexonIO", "Plexon PLX", unsorted=0),
    ".smr": NeoReader("Spike2IO", "Spike2 SMR"),
    ".src": NeoReader("BrainwareSrcIO", "BrainWare SRC"),
    ".wcp": NeoReader("WinWcpIO", "WinWCP"),
}
"""By the endings of the files that neo reads for us."""

_UNIT_NUMBER: Final = re.compile(r"#(\d+)$")


def neo_table(source: Source) -> Table:
    """The spike trains of a file that neo reads: times in s, windows, segments, which units are unsorted."""
    return _read(source, "parse_trains")


def neo_signals(source: Source) -> Table:
    """The signals of voltage in a file that neo reads, as `builder.table_of_signals`; in mV."""
    return _read(source, "parse_signals")


def _read(source: Source, function: str) -> Table:
    reader = NEO_READERS[source.suffix]
    require("neo", f"{reader.format} files", source)
    if reader.name == "NixIO":
        require("nixio", "NIX files", source)
    parser = Parser(
        f"{__package__}.neo_table",
        function,
        f"{reader.format} file",
        ("neo.io", "nixio") if reader.name == "NixIO" else ("neo.io",),
        f"neo failed on it, so it is damaged, too large, or no {reader.format} file; export its spike times "
        "as CSV.",
        seconds=8,
        seconds_per_mb=15,  # nixio takes about 40 ms per train, of 16 kB
    )
    return parsed(source, parser, suffix=source.suffix, alone=reader.alone)


def parse_trains(source: Source) -> Table:
    """What `neo_table` gives, inside the sandbox."""
    reader = NEO_READERS[source.suffix]
    names: list[str] = []
    units: list[int] = []
    segments: list[int] = []
    trains: list[FloatArray] = []
    windows: list[tuple[float, float]] = []
    n_spikes = 0
    for number, segment in enumerate(_segments(reader, source), start=1):
        found = [_name(train, f"unit {k}") for k, train in enumerate(segment.spiketrains, start=1)]
        for name, train in zip(found, segment.spiketrains, strict=True):
            n_spikes += int(train.shape[0])
            source.check_counts(n_spikes, len(trains) + 1)
            # Units sorted from one electrode often share its name, and have an id each.
            unit = train.annotations.get("id")
            number_of = _UNIT_NUMBER.search(str(unit or "")) or _UNIT_NUMBER.search(name)
            train = _loaded(train)
            names.append(f"{name} {unit}" if unit and found.count(name) > 1 else name)
            units.append(int(number_of[1]) if number_of else -1)
            segments.append(number)
            trains.append(np.asarray(train.rescale("s").magnitude, dtype=np.float64).ravel())
            windows.append((float(train.t_start.rescale("s")), float(train.t_stop.rescale("s"))))
    if not trains:
        raise source.error(
            f"this {reader.format} file holds no spike trains.",
            WayOut("if it holds a voltage trace, read it as one", ("voltage",)),
        )
    columns = {
        "time": Column("spike trains", trains, "s"),
        "id": Column("unit", texts(names)),
        "window": Column("window", np.array(windows), "s"),
    }
    several = len(set(segments)) > 1
    if several:
        columns["segment"] = Column("segment", np.array(segments, dtype=np.float64), integers=True)
    reason = "a train per unit and segment" if several else "a train per unit"
    table = Table.of_roles(reader.format, columns, reason=f"{reason}, as neo finds them")
    marks = [("unsorted", reader.unsorted, "yes"), ("quality", reader.noise, "noise")]
    marks = [mark for mark in marks if mark[1] in units]
    table.labels = {label: label for label, _, _ in marks}
    table.columns += [
        Column(label, texts([word if unit == marked else "" for unit in units]))
        for label, marked, word in marks
    ]
    return table


def parse_signals(source: Source) -> Table:
    """What `neo_signals` gives, inside the sandbox."""
    reader = NEO_READERS[source.suffix]
    segments = [list(segment.analogsignals) for segment in _segments(reader, source)]
    return signals_table(segments, reader.format, source)


def signals_table(segments: Sequence[Sequence[Any]], format_: str, source: Source) -> Table:
    """The signals of neo as a table, as `neo_signals` gives them.

    Where none is a voltage, those in other units are given in these; otherwise they are left out, and said.
    """
    import quantities as pq

    volts = pq.V.simplified.dimensionality
    found: list[tuple[str, int, Any, bool]] = []
    for number, segment in enumerate(segments, start=1):
        names = [_name(signal, f"signal {k}") for k, signal in enumerate(segment, start=1)]
        for k, (name, signal) in enumerate(zip(names, segment, strict=True), start=1):
            units = pq.Quantity(1, getattr(signal, "units", pq.dimensionless))
            label = name if names.count(name) == 1 else f"{name} {k}"
            found.append((label, number, signal, units.simplified.dimensionality == volts))
    wanted = [item for item in found if item[3]] or found
    other = list(dict.fromkeys(name for name, _, _, is_voltage in found if not is_voltage))
    signals: list[Signal] = []
    several = len({number for _, number, _, _ in wanted}) > 1
    n_samples = 0
    for name, number, signal, is_voltage in wanted:
        n_samples += int(np.prod(signal.shape))
        if n_samples > MAX_SAMPLES or len(signals) >= MAX_TRAINS:
            raise source.error(
                f"the file holds more than {MAX_SAMPLES:,} samples or {MAX_TRAINS:,} traces; split it."
            )
        signal = _loaded(signal)
        unit = signal.dimensionality.string
        values = np.asarray((signal.rescale("mV") if is_voltage else signal).magnitude, dtype=np.float64)
        regular = hasattr(signal, "sampling_rate")
        for channel, samples in enumerate(values.reshape(len(signal), -1).T, start=1):
            full = name if values.size == len(signal) else f"{name}/{channel}"
            signals.append(
                Signal(
                    np.ascontiguousarray(samples),
                    np.empty(0) if regular else np.asarray(signal.times.rescale("s").magnitude, float),
                    name=f"{full}/{number}" if several else full,
                    channel=full,
                    place=f"{full}, segment {number}",
                    unit="mV" if is_voltage else unit,
                    own=unit,
                    reason=f"{unit} and s, as neo gives them",
                    start=float(signal.t_start.rescale("s")),
                    rate=float(signal.sampling_rate.rescale("Hz")) if regular else 0.0,
                )
            )
    skipped = []
    if other and len(wanted) < len(found):
        n_other = len(found) - len(wanted)
        skipped = [f"{counted(n_other, 'signal')} of another quantity than voltage, {shown(other)}"]
    return table_of_signals(format_, signals, "mV", skipped)


def _segments(reader: NeoReader, source: Source) -> Iterator[Any]:
    """All segments; neo meets a damaged file with errors of every kind."""
    import neo.io
    from neo.io.basefromrawio import BaseFromRaw

    assert source.path is not None
    path = str(source.path.parent if reader.folder else source.path)
    try:
        reader_class = getattr(neo.io, reader.name)
        if reader.name == "NixIO":
            for block in reader_class(path, mode="ro").read_all_blocks():
                yield from block.segments
            return
        opened = reader_class(path)
        if not isinstance(opened, BaseFromRaw):
            yield from opened.read_block().segments
            return
        for k in range(opened.block_count()):
            yield from opened.read_block(k, lazy=True, signal_group_mode="split-all").segments
    except (SpikeTrainError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:150].rstrip(".") or type(error).__name__
        raise source.error(
            f"neo's {reader.name} cannot read it ({reason}); it is damaged or of another kind."
        ) from None


def _loaded(item: Any) -> Any:
    return item.load() if hasattr(item, "load") else item


def _name(item: Any, otherwise: str) -> str:
    return str(item.name or item.annotations.get("id") or otherwise).strip() or otherwise
