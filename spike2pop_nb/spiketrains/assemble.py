"""From raw trains to `SpikeTrain`: unit, checks, repairs and the report."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from spike2pop_nb.errors import SpikeTrainError

from .layouts.reading import RawTrain, Reading
from .layouts.timing import Timing, is_res
from .limits import MAX_TIME_MS
from .names import names_events, words_of
from .readers.raw import Source, counted, shown
from .recordings import ReadReport, Recordings
from .stretch import Stretch
from .table import Table
from .train import FloatArray, Provenance, SpikeTrain, unique_ids
from .units import shown_unit, to_ms

__all__ = ["assemble"]

# What trains are called that are of no neuron: -1 of clustering, 255 of Blackrock, sig001i of Plexon.
_OF_NO_NEURON = {
    "unsorted spikes": re.compile(
        r"unsorted|unclassified|unassigned|noise|invalid|reject(?:ed)?|outliers?|junk|garbage|-1|255|"
        r"(?:sig|spk)\w*\d+i",
        re.IGNORECASE,
    ),
    "artefacts": re.compile(r"arts?|(?:.*[\W_])?art[ei]facts?", re.IGNORECASE),
}
_PUT_RIGHT: Final = {
    "unsorted": "{trains} with times out of order, now sorted",
    "twice": "{times} given twice, in {trains}, kept once",
}
_ODD: Final = {
    "backwards": "in {trains} over a quarter of the times ran backwards, so they may not be spike times",
    "negative": "{times} before zero in {trains}, kept, since times may be relative to a stimulus",
    "even": "in {trains} all intervals are equal, as on an axis and hardly in a neuron",
    "silent": "{trains} without any spike, kept as silent",
    "outside": "{trains} with spikes outside the time it is said to be observed in, which is not used",
}
# In the stated unit, a median interval outside this range is no neuron's.
_ODD_MEDIAN_MS = (0.5, 60_000.0)


def assemble(table: Table, reading: Reading, timing: Timing, source: Source, stretch: Stretch) -> Recordings:
    """Trains in ms with unique ids, sorted, checked and cut, and the report.

    Refused are no trains at all, too many, a time that is not finite or too far away, a recording that is not
    there, and a stretch without a spike.
    """
    source.check_counts(sum(train.times.size for train in reading.trains), len(reading.trains))
    if not reading.trains:
        raise source.error("the file holds no spike train; it must hold at least one.")
    repairs = [*table.repairs, *reading.repairs, *_unique_ids(reading.trains), *_marks(reading)]
    skipped = [*table.skipped, *reading.skipped]
    wanted = stretch.chosen(reading.trains, source, skipped)
    for train in wanted:
        _refuse(train, ~np.isfinite(train.times), source, "spike times must be finite numbers")
    counts = _Counts()
    trains = [_train(found, table, timing, source, stretch, counts) for found in wanted]
    if stretch.is_part:
        if not any(train.n_spikes for train in trains):
            raise source.error(f"there is no spike {stretch}; choose another stretch of the recording.")
        skipped.append(f"{counted(counts.times['cut'], 'spike')} outside the stretch {stretch}")
    repairs += counts.said(_PUT_RIGHT)
    cautions = [timing.caution] if timing.caution else []
    cautions += [*table.cautions, *reading.cautions, *counts.said(_ODD)]
    cautions += _of_no_neuron([train.id for train in trains])
    cautions += _other_events(reading)
    if is_res(source.name) and timing.sampling_rate_hz is not None and len(trains) == 1:
        cautions.append("a file .res holds the spikes of all units of a group, which its .clu tells apart")
    cautions += _given_twice(trains) if len(table.sheets) > 1 else []
    cautions += _unit_zero(table, reading, trains)
    cautions += _spelled_alike([train.id for train in trains])
    cautions += _odd_rate(trains, timing.unit, timing.assumed)
    report = ReadReport(
        filename=source.name,
        format=table.format,
        layout=reading.layout,
        layout_reason=reading.reason,
        unit=timing.unit,
        unit_reason=timing.reason,
        unit_assumed=timing.assumed,
        sampling_rate_hz=timing.sampling_rate_hz,
        key=reading.key,
        n_trains=len(trains),
        n_spikes=sum(train.n_spikes for train in trains),
        columns=dict(reading.columns),
        repairs=tuple(repairs),
        skipped=tuple(skipped),
        cautions=tuple(cautions),
        candidates=_candidates(table),
        labels={train.id: dict(train.labels) for train in wanted if train.labels},
        sheets=table.sheets,
    )
    return Recordings(trains, report)


@dataclass
class _Counts:
    """Of how many trains, and of how many of their times, something is to be said."""

    trains: Counter[str] = field(default_factory=Counter)
    times: Counter[str] = field(default_factory=Counter)

    def note(self, what: str, n_times: int) -> None:
        """Count a train in which that holds for some times, or for the whole where it is True."""
        if n_times:
            self.trains[what] += 1
            self.times[what] += n_times

    def said(self, sentences: Mapping[str, str]) -> list[str]:
        """Those of the sentences for which there are trains."""
        return [
            text.format(trains=counted(self.trains[what], "train"), times=counted(self.times[what], "time"))
            for what, text in sentences.items()
            if self.trains[what]
        ]


def _train(
    found: RawTrain, table: Table, timing: Timing, source: Source, stretch: Stretch, counts: _Counts
) -> SpikeTrain:
    """One train in ms: sorted, each time once, cut to the stretch."""
    times = to_ms(found.times, timing.unit, timing.sampling_rate_hz)
    limit = f"{MAX_TIME_MS:.0e} ms ({MAX_TIME_MS / 86_400_000:.1f} days)"
    why = (
        f"times must lie within ±{limit}, and the unit is {shown_unit(timing.unit)}; subtract the start of "
        "the recording, or give the unit"
    )
    _refuse(found, np.abs(times) >= MAX_TIME_MS, source, why)
    steps = np.diff(times)
    counts.note("unsorted", bool((steps < 0).any()))
    counts.note("backwards", steps.size >= 10 and bool(np.mean(steps < 0) > 0.25))
    if not (steps > 0).all():
        kept = np.unique(times)
        counts.note("twice", times.size - kept.size)
        times = kept
    steps = np.diff(times)
    counts.note("even", steps.size >= 10 and float(np.ptp(steps)) <= 1e-6 * float(steps.mean()))
    window = _window_ms(found.window, timing)
    if window is not None and times.size and not window[0] <= times[0] <= times[-1] <= window[1]:
        counts.note("outside", True)
        window = None
    before = times.size
    times, window = stretch.cut(times, window)
    counts.note("cut", before - times.size)
    counts.note("negative", int(np.searchsorted(times, 0.0)))
    counts.note("silent", not times.size)
    provenance = Provenance(source.name, table.format, found.location, timing.unit, timing.reason)
    return SpikeTrain(found.id, times, window, provenance)


def _candidates(table: Table) -> tuple[str, ...]:
    """Columns that can be chosen as ids or times; none where there is nothing to choose."""
    if table.ragged or len(table.columns) < 2:
        return ()
    return tuple(
        name
        for name, column in zip(table.names, table.columns, strict=True)
        if column.rows is not None or len(column) > 1 or table.roles
    )


def _marks(reading: Reading) -> list[str]:
    """What was understood of commas and points in the numbers."""
    found = []
    commas = sum(column.decimal_commas for column in reading.times)
    if commas:
        found.append(f"{counted(commas, 'number')} with a decimal comma")
    marks = {column.thousands for column in reading.times if column.thousands}
    if marks:
        found.append(f"numbers with {' and '.join(map(repr, sorted(marks)))} between thousands")
    return found


def _window_ms(window: tuple[float, float] | None, timing: Timing) -> tuple[float, float] | None:
    """The window in ms; None when there is none, or it has no length."""
    if window is None or not all(math.isfinite(edge) for edge in window) or window[0] >= window[1]:
        return None
    start, end = to_ms(np.array(window), timing.unit, timing.sampling_rate_hz)
    return float(start), float(end)


def _refuse(train: RawTrain, wrong: np.ndarray, source: Source, why: str) -> None:
    if wrong.any():
        where = int(wrong.argmax())
        raise SpikeTrainError(
            f"{source.name}, {train.place(where)}: the time {train.times[where]:.10g} cannot be used; {why}."
        )


def _unique_ids(trains: list[RawTrain]) -> list[str]:
    """Rename trains whose id is taken ("7" becomes "7 (2)") and say which."""
    renamed = []
    for train, new in zip(trains, unique_ids([train.id for train in trains]), strict=True):
        if new != train.id:
            renamed.append(train.id)
            train.id = new
    taken = shown(sorted(set(renamed)))
    said = f"{counted(len(renamed), 'train')} with an id that was taken, {taken}, now numbered"
    return [said] if renamed else []


def _of_no_neuron(ids: Sequence[str]) -> list[str]:
    """Trains beside others whose ids say that they hold what no neuron fired."""
    held: dict[str, list[str]] = {}
    lasts = [name.rpartition("/")[2].strip() for name in ids]
    for name, last in zip(ids, lasts, strict=True):
        if last == "255" and "254" in lasts:  # numbers that run on past it
            continue
        what = next((what for what, called in _OF_NO_NEURON.items() if called.fullmatch(last)), "")
        what = what or ("triggers or stimuli" if names_events(last) else "")
        if what:
            held.setdefault(what, []).append(name)
    alone = len(ids) == 1 or len(held.get("triggers or stimuli", ())) == len(ids)
    return [] if alone else [f"{shown(odd)} may hold {what}, as its id says" for what, odd in held.items()]


def _unit_zero(table: Table, reading: Reading, trains: list[SpikeTrain]) -> list[str]:
    """Units 0 of channels, which in many files hold what was not sorted."""
    key = reading.columns.get("id", "").rpartition(" + ")[2]
    channels = any({"channel", "chan", "electrode"} & set(words_of(c.leaf)) for c in table.columns)
    zero = [train.id for train in trains if train.id.rpartition("/")[2] == "0"]
    if not channels or "unit" not in words_of(key) or not zero or len(zero) == len(trains):
        return []
    return [f"{shown(zero)} may hold unsorted spikes, as units 0 do in files of Plexon and Blackrock"]


def _other_events(reading: Reading) -> list[str]:
    """Times that are called as those of triggers and stimuli are, with no others beside them."""
    names = [column.leaf for column in reading.times]
    if not names or not all(map(names_events, names)):
        return []
    return [f"{shown(list(dict.fromkeys(names)))} may be times of triggers or stimuli, as the name says"]


def _given_twice(trains: list[SpikeTrain]) -> list[str]:
    """Trains of a workbook that are the same, as in a sheet that was copied or converted."""
    first: dict[bytes, str] = {}
    pairs = []
    for train in trains:
        key = np.round(train.times_ms, 3).tobytes()
        if train.n_spikes > 1 and first.setdefault(key, train.id) != train.id:
            pairs.append(f"{first[key]!r} and {train.id!r}")
    if not pairs:
        return []
    return [f"{', '.join(pairs[:4])} hold the same times; name the sheets to read if one is a copy"]


def _spelled_alike(ids: list[str]) -> list[str]:
    """Ids that differ only in capitals and blanks, which are often the same."""
    spelled: dict[str, list[str]] = {}
    for name in ids:
        spelled.setdefault("".join(name.casefold().split()), []).append(name)
    alike = [names for names in spelled.values() if len(names) > 1]
    if not alike:
        return []
    return [f"the ids {shown(alike[0])} differ only in capitals or blanks, and are kept as several trains"]


def _odd_rate(trains: list[SpikeTrain], unit: str, assumed: bool) -> list[str]:
    gaps: list[FloatArray] = [train.isi_ms for train in trains if train.n_spikes > 1]
    if not gaps:
        return []
    median = float(np.median(np.concatenate(gaps)))
    if _ODD_MEDIAN_MS[0] <= median <= _ODD_MEDIAN_MS[1]:
        return []
    how = "assumed" if assumed else "stated"
    speed = "faster than any neuron fires" if median < _ODD_MEDIAN_MS[0] else "slower than most neurons fire"
    return [
        f"in the {how} unit {shown_unit(unit)} the median interval is {median:.3g} ms, {speed}; "
        "choose another unit by hand if that is wrong"
    ]
