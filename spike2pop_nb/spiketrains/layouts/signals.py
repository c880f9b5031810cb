"""What a table means as sampled signals: which columns are channels, what their clock and their unit is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.behaviour import (
    falls_back,
    has_even_steps,
    is_counter,
    is_whole,
    share_increasing,
)
from spike2pop_nb.spiketrains.names import named_unit, role_of
from spike2pop_nb.spiketrains.readers.builder import Signal
from spike2pop_nb.spiketrains.readers.raw import Source, counted, shown
from spike2pop_nb.spiketrains.signal_units import (
    Quantity,
    SignalUnit,
    named_signal,
    sampling_rate,
    signal_unit,
    stated_signal_unit,
)
from spike2pop_nb.spiketrains.table import Column, Table
from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import SAMPLES, canonical_unit, ms_per_unit

from .no_spikes import counts_spikes, of_bursts
from .reading import times_of
from .reshaped import is_lines, label_at, upright

__all__ = ["Clock", "RawTrace", "Signals", "signals_of_format", "signals_of_table"]

_FEWEST: Final = 10  # samples of a sweep
_SAMPLED: Final = 2_000
_ASK_RATE: Final = WayOut("give the sampling rate in Hz, such as 20000", ("sampling_rate_hz",))


@dataclass(frozen=True)
class Clock:
    """How times are known: their unit, None where only the step tells it, and the rate they rest on."""

    unit: str | None
    reason: str = ""
    rate_hz: float | None = None


@dataclass(frozen=True)
class RawTrace:
    """A trace in the file's units.

    Attributes
    ----------
    id, channel : str
        Name of the trace, and of its channel, which several sweeps share.
    times, samples : ndarray, shape (n,)
        In the units of `clock` and `unit`.
    location : str
        Place in the file, in words.
    clock : Clock
        The unit of the times.
    quantity : str
        What the file says that is measured, "" for nothing.
    unit : SignalUnit or None
        What the file says, None when it does not.
    reason : str
        Where it says so, in words.
    own : SignalUnit or None
        The unit in the file itself, where the samples were converted from it.
    """

    id: str
    channel: str
    times: FloatArray
    samples: FloatArray
    location: str
    clock: Clock
    quantity: Quantity
    unit: SignalUnit | None
    reason: str
    own: SignalUnit | None = None


@dataclass
class Signals:
    """The traces of a file, with what was left out, put right and looks odd, in words."""

    traces: list[RawTrace]
    skipped: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)


def signals_of_format(table: Table) -> Signals:
    """The signals of a format that says what they are, as `formats.read_signals` gives them."""
    found = []
    for row in zip(*(column.values for column in table.columns), strict=True):
        one = Signal(*row)
        clocked = not one.times.size
        times = one.start + np.arange(one.samples.size) / one.rate if clocked else one.times
        unit = signal_unit(str(one.unit)) or SignalUnit("odd", "unknown")
        found.append(
            RawTrace(
                str(one.name),
                str(one.channel),
                times,
                one.samples,
                str(one.place),
                Clock("s", "", float(one.rate) if clocked else None),
                unit.quantity,
                unit,
                str(one.reason),
                signal_unit(str(one.own)),
            )
        )
    return Signals(found, list(table.skipped), list(table.repairs), list(table.cautions))


def _pieces_of(trace: RawTrace, keys: Sequence[Column], table: Table, signals: Signals) -> list[RawTrace]:
    """Sweeps that stand one after another: told apart by columns, or by times that start over."""
    n = trace.samples.size
    keys = [key for key in keys if len(key) >= n]  # arrays of a file may have any length
    bounds = np.empty(0, dtype=np.int64)
    labels: list[str] = []
    if keys:
        changes = [
            np.flatnonzero(np.asarray(c.values)[1:n] != np.asarray(c.values)[: n - 1]) + 1 for c in keys
        ]
        bounds = np.unique(np.concatenate(changes))
        starts = np.concatenate(([0], bounds)).astype(int)
        labels = ["/".join(label_at(c, int(k)) for c in keys) for k in starts]
        if trace.id == trace.channel or len(set(labels)) == 1:
            labels = [f"{trace.id}/{label}" for label in labels]
    elif n == trace.times.size and not (np.diff(trace.times) > 0).all():
        bounds = falls_back(trace.times)
        if not bounds.size or int(np.diff(np.concatenate(([0], bounds, [n]))).min()) < _FEWEST:
            return [trace]
        labels = [f"{trace.id}/{k}" for k in range(1, bounds.size + 2)]
        text = f"{bounds.size + 1:,} sweeps one after another, since the times start over"
        if text not in signals.cautions:
            signals.cautions.append(text)
    if not bounds.size:
        return [trace]
    parts = zip(labels, np.split(trace.times[:n], bounds), np.split(trace.samples, bounds), strict=True)
    return [replace(trace, id=label, times=times, samples=values) for label, times, values in parts]


def signals_of_table(
    table: Table, source: Source, sampling_rate_hz: float | None = None, time_unit: str = "auto"
) -> Signals:
    """Traces of a table: of columns beside one of times, or of columns and a sampling rate.

    What the caller says, the rate and the unit of the times, is used; "auto" takes what the table says.
    """
    if table.roles or (table.ragged and not is_lines(table)):
        raise _none(source)
    signals = Signals([], list(table.skipped), list(table.repairs), list(table.cautions))
    table = upright(table, signals.cautions)
    keys = [c for c in table.columns if _is_key(c, table)]
    words = [c for c in table.columns if c.kind == "text" and c not in keys]
    if words:
        signals.skipped.append(f"{counted(len(words), 'column')} of text, {shown([c.name for c in words])}")
    numbers = [c for c in table.columns if c.kind == "numbers" and c not in keys]
    clock = _clock(table, numbers)
    counters = [c for c in numbers if c is not clock and is_counter(c.numbers) and len(c) > 2]
    if counters:
        signals.skipped.append(
            "the first column, which numbers the rows"
            if counters == [table.columns[0]]
            else f"{counted(len(counters), 'column')} of row numbers, {shown([c.name for c in counters])}"
        )
    n = None if clock is None else len(clock)
    channels: list[tuple[str, FloatArray, Column]] = []
    for column in table.columns:
        if column is clock or column in (*keys, *words, *counters):
            continue
        channels += _channels(column, table, n, source, signals)
    channels = _of_one_length(channels, clock, signals)
    if clock is None and any(role_of(name) in ("time", "interval") for name, _, _ in channels):
        raise _none(source)
    if all(_are_ids(name, samples) for name, samples, _ in channels) or (
        clock is None and _grow([samples for _, samples, _ in channels])
    ):
        raise _none(source)
    if not any(named_signal(column.leaf)[0] in ("voltage", "current") for _, _, column in channels) and (
        any(map(counts_spikes, table.columns)) or (clock is not None and of_bursts(clock))
    ):
        raise _none(source)
    sizes = [samples.size for _, samples, _ in channels]
    times, how = _times(table, clock, sizes, source, sampling_rate_hz, time_unit)
    several = len(channels) > 1
    stated = stated_signal_unit(table.facts, table.comments)
    for name, samples, column in channels:
        quantity, unit = named_signal(column.leaf if table.named else "")
        reason = "as the column name says" if column.rows is not None else f"as the name {column.leaf!r} says"
        if column.unit and (said := signal_unit(column.unit)) is not None:
            where = table.format if column.rows is None else "the line of units"
            quantity, unit, reason = said.quantity, said, f"as {where} says"
        elif (
            unit is None
            and stated is not None
            and stated[0].quantity in (quantity or stated[0].quantity, "odd")
        ):
            (unit, reason), quantity = stated, stated[0].quantity
        trace = RawTrace(
            name if several else source.stem,
            name,
            times[: samples.size],
            samples,
            f"column {name!r}"
            if column.rows is not None or column.kind == "numbers"
            else f"channel {name!r}",
            how,
            quantity,
            unit,
            reason,
        )
        signals.traces += _pieces_of(trace, keys, table, signals)
    if clock is not None and not any(trace.quantity for trace in signals.traces) and not _is_sampled(times):
        raise _none(source)
    return signals


def _none(source: Source) -> Exception:
    return source.error(
        "no voltage trace is found; a table needs a column per trace, such as V_mV, and a column of "
        "times or a sampling rate."
    )


def _is_key(column: Column, table: Table) -> bool:
    """Whether a column tells sweeps or cells apart that stand one after another."""
    if (
        not table.named
        or column.kind not in ("numbers", "text")
        or role_of(column.leaf) not in ("id", "trial")
    ):
        return False
    values = np.asarray(column.values)
    changes = int((values[1:] != values[:-1]).sum()) if values.size > 1 else 0
    return changes * _FEWEST <= values.size and (column.kind == "text" or is_whole(column.numbers))


def _are_ids(name: str, samples: FloatArray) -> bool:
    """Whether numbers beside times are ids, as in a table of spikes."""
    few = np.unique(samples).size * _FEWEST <= samples.size
    return few and is_whole(samples) and role_of(name) in ("id", "trial")


def _clock(table: Table, numbers: Sequence[Column]) -> Column | None:
    """The column of times, which may count samples; None when there is none."""
    named = [c for c in numbers if table.named and role_of(c.leaf) == "time"]
    for column in named:
        if share_increasing([column.numbers[:_SAMPLED]]) > 0.9:
            return column
    if named:  # printed with so few digits that times repeat, or no times
        rounded = [c for c in named if (np.diff(c.numbers[:_SAMPLED]) >= 0).all()]
        return rounded[0] if rounded else None
    for column in numbers[:2] if table.columns and table.columns[0].rows is not None else numbers:
        head = column.numbers[:_SAMPLED]
        if has_even_steps(head) and not is_counter(head) and len(numbers) + len(table.columns) > 2:
            return column
    return None


def _channels(
    column: Column, table: Table, n: int | None, source: Source, signals: Signals
) -> list[tuple[str, FloatArray, Column]]:
    """The signals that a column holds; those of a matrix run along the axis of the clock, or the longer."""
    name = table.name_of(column)
    if column.kind == "numbers":
        return [(name, _samples(column, source, signals), column)]
    if isinstance(column.values, list):
        rows = [np.asarray(row, dtype=np.float64) for row in column.values]
    else:
        matrix = column.numbers
        if matrix.shape[0] == matrix.shape[1] and n is None:
            raise source.error(
                f"{name!r} has as many rows as columns ({matrix.shape[0]:,}), so which of them are channels "
                "is not known; give one channel at a time."
            )
        down = matrix.shape[0] == n if n in matrix.shape else matrix.shape[0] > matrix.shape[1]
        if not matrix.size:
            return []
        rows = list(matrix.T if down else matrix)
        across = "columns" if down else "rows"
        signals.cautions.append(
            f"{counted(len(rows), 'channel')} of {rows[0].size:,} samples were taken from the {across} of "
            f"{'the array' if not column.name else repr(name)}"
        )
    stem = f"{column.name}/" if column.name else "channel "
    found = []
    for k, row in enumerate(rows, start=1):
        kept = int(np.flatnonzero(np.isfinite(row))[-1]) + 1 if np.isfinite(row).any() else 0
        if kept < row.size and kept > 1:
            signals.repairs.append(f"{row.size - kept:,} NaN at the end of channel {k}, taken for padding")
            row = row[:kept]
        found.append((f"{stem}{k}" if len(rows) > 1 else name, np.ascontiguousarray(row), column))
    return found


def _samples(column: Column, source: Source, signals: Signals) -> FloatArray:
    """All numbers of a column; blank cells are refused, except at the end of a channel that is shorter."""
    values = times_of(column, source)
    if column.empty is None or not column.empty.any() or column.rows is None or column.empty.all():
        return values
    kept = int(np.flatnonzero(~column.empty)[-1]) + 1
    if column.empty[:kept].any():
        row = int(column.rows[int(column.empty.argmax())])
        raise source.error(f"a number is missing (column {column.name!r}).", row=row)
    signals.repairs.append(f"{values.size - kept:,} blank cells at the end of the column {column.name!r}")
    return values[:kept]


def _of_one_length(
    channels: list[tuple[str, FloatArray, Column]], clock: Column | None, signals: Signals
) -> list[tuple[str, FloatArray, Column]]:
    """Channels as long as the clock (or nearly, in a text file), or as the longest where there is none."""
    if not channels:
        return []
    if clock is not None and clock.rows is None:
        kept = [
            c
            for c in channels
            if c[1].size == len(clock) or (c[2].kind != "numbers" and c[1].size <= len(clock))
        ]
    else:
        most = max(samples.size for _, samples, _ in channels)
        kept = [c for c in channels if 2 * c[1].size >= most and c[1].size > 1]
    lost = [c[0] for c in channels if not any(c is k for k in kept)]
    if lost:
        signals.skipped.append(f"{counted(len(lost), 'array')} of another length, {shown(lost)}")
    return kept


def _is_sampled(times: FloatArray) -> bool:
    """Whether nine steps in ten are equal, as those of a sampled trace are, also with gaps and in sweeps."""
    head = times[:_SAMPLED]
    steps = np.diff(head)
    usual = float(np.median(steps)) if steps.size else 0.0
    return has_even_steps(head) or float(np.mean(np.abs(steps - usual) <= 0.02 * abs(usual))) > 0.9


def _grow(samples: Sequence[FloatArray]) -> bool:
    """Whether the values only grow, as spike times do."""
    return share_increasing([values[:_SAMPLED] for values in samples]) > 0.98


def _times(
    table: Table,
    clock: Column | None,
    sizes: Sequence[int],
    source: Source,
    rate_hz: float | None,
    asked: str,
) -> tuple[FloatArray, Clock]:
    """Times of the samples, and how they are known."""
    stated = sampling_rate(table.facts, table.comments)
    rate = (rate_hz, "as asked for") if rate_hz is not None else None
    if rate is None and stated is not None:
        rate = (stated[0], f"as {stated[1]} says")
    if clock is not None:
        times = times_of(clock, source)
        unit = named_unit(clock.leaf) if table.named else None
        if clock.unit:
            unit = canonical_unit(clock.unit) or f"?{clock.unit}"
        if asked != "auto":
            unit = asked
        if unit is not None and unit.startswith("?"):
            raise source.error(
                f"the unit {unit[1:]!r} of the times is not understood.", WayOut("give it", ("time_unit",))
            )
        name = f"the name {clock.leaf!r}" if clock.rows is None else "the column name"
        if (np.diff(times) == 0).any() and (np.diff(times) >= 0).all():
            if rate is None:
                raise source.error(
                    f"the times in {clock.name!r} repeat, so they were printed with too few digits.",
                    _ASK_RATE,
                )
            start = float(times[0]) * ms_per_unit(unit or "s") / 1000.0 if unit != SAMPLES else 0.0
            times = start + np.arange(times.size) / rate[0]
            reason = f"counted at {rate[0]:g} Hz, {rate[1]}, since those given repeat"
            return times, Clock("s", reason, rate[0])
        if unit is not None and unit != SAMPLES:
            return times, Clock(unit, "as asked for" if asked != "auto" else f"as {name} says")
        if unit is None and not is_counter(times):
            return times, Clock(None)
        if rate is None:
            raise source.error(
                f"the column {clock.name!r} counts samples, and their rate is not known.", _ASK_RATE
            )
        return times / rate[0], Clock("s", f"counted at {rate[0]:g} Hz, {rate[1]}", rate[0])
    if rate is None:
        raise source.error("the file has no column of times and names no sampling rate.", _ASK_RATE)
    return np.arange(max(sizes)) / rate[0], Clock("s", f"counted at {rate[0]:g} Hz, {rate[1]}", rate[0])
