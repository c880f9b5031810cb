"""Which unit the times of a reading have, and how that is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.behaviour import is_whole
from spike2pop_nb.spiketrains.limits import MAX_TIME_MS
from spike2pop_nb.spiketrains.names import named_unit, names_time
from spike2pop_nb.spiketrains.readers.raw import Options, Source
from spike2pop_nb.spiketrains.signal_units import rate_from_facts
from spike2pop_nb.spiketrains.table import Column, Facts, Table
from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import (
    REFRACTORY_MS,
    SAMPLES,
    UNDERSTOOD,
    canonical_unit,
    ms_per_unit,
    shown_unit,
    unit_from_comments,
    unit_from_intervals,
)

from .reading import RawTrain, Reading

__all__ = ["Timing", "is_res", "may_be_samples", "names_unit", "timing_of"]

_USUAL_SAMPLING_HZ: Final = (10_000.0, 50_000.0)
_MEDIAN_MS: Final = (2.0, 2000.0)
_FEWEST_SAMPLES: Final = 100.0
_UNIT_FACTS: Final = frozenset(
    {"time_unit", "time_units", "timeunit", "timeunits", "unit", "units", "timebase"}
)
_ASK_RATE: Final = WayOut("give the sampling rate in Hz, such as 30000", ("sampling_rate_hz",))


@dataclass(frozen=True)
class Timing:
    """The unit of the times in a file.

    Attributes
    ----------
    unit : str
        As `units.canonical_unit` gives it.
    sampling_rate_hz : float or None
        With the unit "samples".
    reason : str
        How the unit is known, in words.
    assumed : bool
        Whether it is only what the intervals suggest.
    caution : str
        What to beware of, "" for nothing.
    """

    unit: str
    sampling_rate_hz: float | None
    reason: str
    assumed: bool = False
    caution: str = ""


def timing_of(table: Table, reading: Reading, source: Source, options: Options) -> Timing:
    """The unit of the times: as asked for, as the file says, or as the intervals suggest.

    Refused are a unit that is named and not understood, several that differ, samples at a rate that is not
    known, and whole numbers that may be samples or microseconds.
    """
    asked_for = options.unit != "auto" or options.sampling_rate_hz is not None
    stated = _stated(table, reading, None if asked_for else source)
    if stated is None and is_res(source.name) and _all_whole(reading.trains):
        stated = SAMPLES, "as files .res of Klusters do"
    rate = rate_from_facts({**_rates_in_columns(table), **table.facts}, table.comments)
    if asked_for:
        asked = _asked(reading, options, stated, rate, source)
        if asked is not None:
            return asked
    if stated is not None:
        unit, why = stated
        if unit != SAMPLES:
            timing = _odd_standard(Timing(unit, None, f"{shown_unit(unit)}, {why}"), table, reading, source)
            _refuse_impossible(timing, why, reading.trains, source)
            return timing
        if rate is None:
            raise source.error(
                f"the times count samples ({why}), and the file gives no sampling rate.",
                _ASK_RATE,
            )
        return Timing(SAMPLES, rate[0], f"samples, {why}, at the {rate[0]:g} Hz of {rate[1]}")
    return _judged(reading, rate, source)


def _asked(
    reading: Reading,
    options: Options,
    stated: tuple[str, str] | None,
    rate: tuple[float, str] | None,
    source: Source,
) -> Timing | None:
    """What the caller asked for; None where a rate is given that times in a stated unit do not need."""
    unit = options.unit
    caution = ""
    if unit == "auto":
        if stated is not None and stated[0] != SAMPLES:
            return None
        if stated is None and not _all_whole(reading.trains):
            raise source.error(
                "a sampling rate is given, but the times are not whole numbers, so they count no samples.",
                WayOut("give their unit instead", ("unit",)),
            )
        unit = SAMPLES
    if stated is not None and stated[0] != unit:
        caution = (
            f"{shown_unit(unit)} was asked for and is used, though the file says {shown_unit(stated[0])} "
            f"({stated[1]})"
        )
    if unit != SAMPLES:
        return Timing(unit, None, f"{shown_unit(unit)}, as asked for", caution=caution)
    hz = options.sampling_rate_hz if options.sampling_rate_hz is not None else rate[0] if rate else None
    if hz is None:
        raise source.error("times in samples need their rate.", _ASK_RATE)
    where = "as asked for" if options.sampling_rate_hz is not None else f"from {rate[1] if rate else ''}"
    if options.sampling_rate_hz is not None and rate is not None and rate[0] != hz:
        caution = (
            f"a sampling rate of {hz:g} Hz was asked for and is used, though {rate[1]} says {rate[0]:g} Hz"
        )
    return Timing(SAMPLES, hz, f"samples at {hz:g} Hz, {where}", caution=caution)


def names_unit(table: Table) -> bool:
    """Whether a table held in memory says the unit of its times."""
    named = any(column.unit or named_unit(column.name) for column in table.columns)
    return named or any(name.strip().lower() in _UNIT_FACTS for name in table.facts)


def is_res(name: str) -> bool:
    """Whether a file is named as those of Klusters that hold the sample number of each spike."""
    return re.search(r"\.res(\.\d+)?$", name, re.IGNORECASE) is not None


def may_be_samples(times: FloatArray) -> bool:
    """Whether whole numbers lie as far apart as sample numbers of a neuron's spikes do."""
    gaps = np.diff(np.unique(times))
    median = float(np.median(gaps)) if gaps.size else 0.0
    return median >= _FEWEST_SAMPLES and any(_plausible(median, hz) for hz in _USUAL_SAMPLING_HZ)


def _rates_in_columns(table: Table) -> Facts:
    """Columns that repeat a single number throughout, as one of sampling rates may, as facts."""
    found: Facts = {}
    for column in table.columns:
        if column.kind == "numbers" and len(column) > 1 and column.name:
            values = column.numbers
            if values[0] > 0 and (values == values[0]).all():
                found[column.leaf] = float(values[0])
    return found


def _stated(table: Table, reading: Reading, source: Source | None) -> tuple[str, str] | None:
    """The unit that the file names, and where; None when it names none.

    One that is not understood, and two that differ, are refused, or left out where there is no `source`
    since the caller says more.
    """
    found: dict[str, str] = {}
    unknown: list[str] = []

    def note(unit: str | None, why: str) -> None:
        if unit is not None and unit.startswith("?"):
            unknown.append(f"{unit[1:]!r} {why}")
        elif unit is not None:
            found.setdefault(unit, why)

    for column in reading.times:
        if column.unit.strip():
            where = table.format if column.rows is None or table.roles else "what stands beside the numbers"
            note(canonical_unit(column.unit) or f"?{column.unit}", f"as {where} says")
    sure = bool(found or unknown)
    by_name = {_unit_named(column) for column in reading.times} if table.named else {None}
    # A letter behind some of the names only is a part of them: group-s, group-l.
    if not (len(by_name) == 2 and None in by_name):
        for column in reading.times if table.named else ():
            what = "column name" if column.rows is not None else "name of the array"
            if table.ragged or not column.leaf:
                what = "name"
            quoted = f" {column.leaf!r}" if what != "name of the array" else ""
            note(_understood(_unit_named(column), sure), f"as the {what}{quoted} says")
    sure = bool(found or unknown)
    for name, value in table.facts.items():
        leaf = name.rpartition("/")[2].strip().lower().replace(" ", "_")
        near = name.rpartition("/")[0] in {column.parent for column in reading.times} | {""}
        if isinstance(value, str) and leaf in _UNIT_FACTS and near:
            unit = canonical_unit(value)
            if unit is not None or leaf.startswith("time"):
                note(_understood(unit or f"?{value}", sure), f"as {name!r} says")
    sure = bool(found or unknown)
    for column in table.columns:
        if column.kind == "text" and column.leaf.strip().lower() in _UNIT_FACTS:
            cells = {str(value).strip() for value in column.values if str(value).strip()}
            named = {canonical_unit(cell) for cell in cells}
            if len(cells) < 5 and named and None not in named:
                for unit in named:
                    note(unit, f"as the column {column.leaf!r} says")
    sure = bool(found or unknown)
    comment = unit_from_comments(table.comments)
    if comment is not None:
        note(_understood(comment[0], sure), f"as the comment {comment[1]!r} says")
    if unknown and source is not None:
        raise source.error(
            f"the unit {unknown[0]} is not understood.",
            WayOut(f"give the unit of the times: {UNDERSTOOD}", ("unit",)),
        )
    if len(found) > 1 and source is not None:
        units = " and in ".join(f"{shown_unit(unit)} ({why})" for unit, why in found.items())
        raise source.error(
            f"the times are said to be in {units}.",
            WayOut("give the unit", ("unit",)),
            WayOut("name one time column", ("time_column",)),
        )
    return next(iter(found.items())) if len(found) == 1 else None


def _unit_named(column: Column) -> str | None:
    """The unit that a column's name gives, or the name of the group of times that it lies in."""
    group = column.parent.rpartition("/")[2]
    return named_unit(column.leaf) or (named_unit(group) if group and names_time(group) else None)


def _understood(unit: str | None, sure: bool) -> str | None:
    """The unit; where another place names one already, None for one that is not understood."""
    return None if sure and unit is not None and unit.startswith("?") else unit


def _odd_standard(timing: Timing, table: Table, reading: Reading, source: Source) -> Timing:
    """NWB fixes seconds, and some files have milliseconds nevertheless, which the intervals show."""
    if not (table.format == "NWB" and timing.unit == "s"):
        return timing
    median = _median_interval(reading.trains)
    few = sum(train.times.size for train in reading.trains) < 20
    if few or median is None or median * 1000.0 <= 10_000.0 or not _MEDIAN_MS[0] <= median <= _MEDIAN_MS[1]:
        return timing
    caution = (
        f"NWB fixes s as the unit, but then the median interval would be {median:.3g} s; the times are taken "
        "for ms, which they seem to be: give the unit (s or ms) if you know it"
    )
    return Timing("ms", None, "ms, from the intervals, though NWB fixes s", assumed=True, caution=caution)


def _refuse_impossible(timing: Timing, why: str, trains: Sequence[RawTrain], source: Source) -> None:
    """A stated unit in which a neuron would fire faster than any can."""
    median = _median_interval(trains)
    few = sum(train.times.size for train in trains) < 20
    if few or median is None or median * ms_per_unit(timing.unit) >= REFRACTORY_MS:
        return
    raise source.error(
        f"the times are said to be in {shown_unit(timing.unit)} ({why}), in which the median interval would "
        f"be {median * ms_per_unit(timing.unit):.3g} ms, shorter than any neuron's.",
        WayOut("give the unit", ("unit",)),
    )


def _judged(reading: Reading, rate: tuple[float, str] | None, source: Source) -> Timing:
    """The unit that the numbers suggest."""
    trains = reading.trains
    median = _median_interval(trains)
    whole = _all_whole(trains)
    if whole and median is not None:
        if rate is not None and _plausible(median, rate[0]):
            reason = f"samples, as the whole numbers and the {rate[0]:g} Hz of {rate[1]} say"
            if not _MEDIAN_MS[0] <= median <= _MEDIAN_MS[1]:
                return Timing(SAMPLES, rate[0], reason)
            caution = (
                f"the file names no unit: the whole numbers are taken for samples at the {rate[0]:g} Hz of "
                f"{rate[1]}, but may be ms; give the unit (samples or ms) if you know it"
            )
            return Timing(SAMPLES, rate[0], reason, assumed=True, caution=caution)
        # MATLAB keeps whole numbers as doubles; times in ms that are all whole are rare in arrays.
        n_spikes = sum(train.times.size for train in trains)
        integers = any(c.integers or (c.rows is None and n_spikes >= 20) for c in reading.times)
        plausible = any(_plausible(median, hz) for hz in _USUAL_SAMPLING_HZ)
        far = (
            max((float(np.abs(t.times).max()) for t in trains if t.times.size), default=0.0)
            >= 1e3 * MAX_TIME_MS
        )
        ticks = not far and _common_step(trains) < 5
        if plausible and ((integers and median >= _FEWEST_SAMPLES) or (median > _MEDIAN_MS[1] and ticks)):
            raise source.error(
                f"the times are whole numbers with a median interval of {median:.4g}, which may be sample "
                "numbers, ms or µs.",
                _ASK_RATE,
                WayOut("give the unit", ("unit",)),
            )
    unit, reason = unit_from_intervals(train.times for train in trains)
    silent = not any(train.times.size for train in trains)
    caution = "" if silent else f"the file names no unit: {reason}; give the unit if that is wrong"
    return Timing(unit, None, reason, assumed=True, caution=caution)


def _plausible(median: float, rate_hz: float) -> bool:
    return _MEDIAN_MS[0] <= 1000.0 * median / rate_hz <= _MEDIAN_MS[1]


def _all_whole(trains: Sequence[RawTrain]) -> bool:
    filled = [train.times for train in trains if train.times.size]
    return bool(filled) and all(is_whole(times) for times in filled)


def _median_interval(trains: Sequence[RawTrain]) -> float | None:
    gaps: list[FloatArray] = [np.diff(np.unique(t.times)) for t in trains if t.times.size > 1]
    joined = np.concatenate(gaps or [np.empty(0)])
    return float(np.median(joined)) if joined.size else None


def _common_step(trains: Sequence[RawTrain]) -> int:
    """Largest whole number of which all times are multiples: times in µs at 10 kHz are multiples of 100."""
    steps = np.concatenate([np.diff(np.unique(t.times[:10_000])) for t in trains if t.times.size > 1])
    steps = steps[np.abs(steps) < 2**53].astype(np.int64)
    return int(np.gcd.reduce(steps)) if steps.size else 0
