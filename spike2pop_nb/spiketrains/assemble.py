"""From raw trains to `SpikeTrain`: unit, checks, repairs and the report."""

from __future__ import annotations

import math

import numpy as np

from spike2pop_nb.errors import SpikeTrainError

from .limits import MAX_TIME_MS
from .readers.raw import Options, RawRecording, RawTrain, Source, shown
from .recordings import ReadReport, Recordings
from .train import FloatArray, Provenance, SpikeTrain
from .units import SHOWN, to_ms, unit_from_intervals

__all__ = ["assemble"]

# In the stated unit, a median interval outside this range is no neuron's.
_ODD_MEDIAN_MS = (0.5, 60_000.0)


def assemble(raw: RawRecording, source: Source, options: Options) -> Recordings:
    """Check, convert to ms, sort and report.

    Parameters
    ----------
    raw : RawRecording
        What a format reader found.
    source : Source
        The file.
    options : Options
        What the caller fixed.

    Returns
    -------
    Recordings
        Trains with unique ids and strictly increasing times in ms.

    Raises
    ------
    SpikeTrainError
        For no trains at all, too many, a time that is not finite or too far away.
    """
    source.check_counts(sum(train.times.size for train in raw.trains), len(raw.trains))
    if not raw.trains:
        raise source.error("the file holds no spike train; it must hold at least one.")
    for train in raw.trains:
        _refuse(train, ~np.isfinite(train.times), source, "spike times must be finite numbers")
    unit, reason = _unit(raw, options)
    raw.repairs += _unique_ids(raw.trains)

    limit = f"{MAX_TIME_MS:.0e} ms ({MAX_TIME_MS / 86_400_000:.1f} days)"
    trains: list[SpikeTrain] = []
    labels: dict[str, dict[str, str]] = {}
    unsorted = duplicates = duplicate_trains = negative = negative_trains = silent = backwards = outside = 0
    for found in raw.trains:
        times = to_ms(found.times, unit)
        far = np.abs(times) >= MAX_TIME_MS
        _refuse(found, far, source, f"times must lie within ±{limit}, and the unit is {SHOWN[unit]}")
        steps = np.diff(times)
        if (steps < 0).any():
            unsorted += 1
            backwards += int(steps.size >= 10 and np.mean(steps < 0) > 0.25)
        if not (steps > 0).all():
            kept = np.unique(times)
            duplicates += times.size - kept.size
            duplicate_trains += int(kept.size < times.size)
            times = kept
        before_zero = int(np.searchsorted(times, 0.0)) if times.size else 0
        negative += before_zero
        negative_trains += int(before_zero > 0)
        silent += int(not times.size)
        provenance = Provenance(source.name, raw.format, found.location, unit)
        window = _window_ms(found.window, unit)
        if window is not None and times.size and not window[0] <= times[0] <= times[-1] <= window[1]:
            outside += 1
            window = None
        trains.append(SpikeTrain(found.id, times, window, provenance))
        if found.labels:
            labels[trains[-1].id] = dict(found.labels)

    repairs = list(raw.repairs)
    if unsorted:
        repairs.append(f"{_trains(unsorted)} with times out of order, now sorted")
    if duplicates:
        times_word = "time" if duplicates == 1 else "times"
        repairs.append(f"{duplicates:,} {times_word} given twice, in {_trains(duplicate_trains)}, kept once")
    cautions = list(raw.cautions)
    if backwards:
        cautions.append(
            f"in {_trains(backwards)} over a quarter of the times ran backwards, "
            "so they may not be spike times"
        )
    if negative:
        cautions.append(
            f"{negative:,} {'time' if negative == 1 else 'times'} before zero in {_trains(negative_trains)}, "
            "kept, since times may be counted from a stimulus"
        )
    if silent:
        cautions.append(f"{_trains(silent)} without any spike, kept as silent")
    if outside:
        cautions.append(
            f"{_trains(outside)} with spikes outside the time it is said to be observed in, which is not used"
        )
    if raw.fixed_unit and options.unit not in ("auto", unit):
        cautions.append(
            f"the unit {SHOWN[options.unit]} was asked for, but {raw.format} fixes it, so it is not used"
        )
    cautions += _odd_rate(trains, unit, options.unit == "auto" and raw.unit is None)
    report = ReadReport(
        filename=source.name,
        format=raw.format,
        layout=raw.layout,
        layout_reason=raw.layout_reason,
        unit=unit,
        unit_reason=reason,
        n_trains=len(trains),
        n_spikes=sum(train.n_spikes for train in trains),
        columns=dict(raw.columns),
        repairs=tuple(repairs),
        skipped=tuple(raw.skipped),
        cautions=tuple(cautions),
        candidates=raw.candidates,
        fixed_unit=raw.fixed_unit,
        labels=labels,
    )
    return Recordings(trains, report)


def _window_ms(window: tuple[float, float] | None, unit: str) -> tuple[float, float] | None:
    """The window in ms; None when there is none, or it has no length."""
    if window is None or not all(math.isfinite(edge) for edge in window) or window[0] >= window[1]:
        return None
    start, end = to_ms(np.array(window), unit)
    return float(start), float(end)


def _unit(raw: RawRecording, options: Options) -> tuple[str, str]:
    if options.unit != "auto" and not raw.fixed_unit:
        return options.unit, f"{SHOWN[options.unit]}, as asked for"
    if raw.unit is not None:
        return raw.unit, f"{SHOWN[raw.unit]}, {raw.unit_reason}"
    return unit_from_intervals(train.times for train in raw.trains)


def _refuse(train: RawTrain, wrong: np.ndarray, source: Source, why: str) -> None:
    if wrong.any():
        where = int(wrong.argmax())
        raise SpikeTrainError(
            f"{source.name}, {train.place(where)}: the time {train.times[where]:.10g} cannot be used; {why}."
        )


def _unique_ids(trains: list[RawTrain]) -> list[str]:
    """Rename trains whose id is taken ("7" becomes "7 (2)") and say which."""
    taken = {train.id for train in trains}
    if len(taken) == len(trains):
        return []
    seen: set[str] = set()
    renamed: list[str] = []
    for train in trains:
        if train.id in seen:
            renamed.append(train.id)
            number = 2
            while (name := f"{train.id[:190]} ({number})") in taken:
                number += 1
            train.id = name
            taken.add(name)
        seen.add(train.id)
    return [f"{_trains(len(renamed))} with an id that was taken, {shown(sorted(set(renamed)))}, now numbered"]


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
        f"in the {how} unit {SHOWN[unit]} the median interval is {median:.3g} ms, {speed}; "
        "choose another unit by hand if that is wrong"
    ]


def _trains(n: int) -> str:
    return "1 train" if n == 1 else f"{n:,} trains"
