"""Spike trains of the traces of a file, with a report of how they were found and of what looks odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from spike2pop_nb.errors import SpikeTrainError

from .detection import (
    SMALLEST_SPIKE_MV,
    Detection,
    Found,
    NoSpikes,
    Polarity,
    choose_detection,
    find_spikes,
    gap_ms,
    train_of,
)
from .readers.raw import counted, shown
from .recordings import ReadReport, Recordings
from .trace import VoltageTrace
from .train import FloatArray, Provenance, SpikeTrain

__all__ = ["Detected", "Levels", "detect_recordings", "detect_traces", "recordings_of"]

Levels: TypeAlias = "float | Sequence[float] | Mapping[str, float] | None"

_FASTEST_HZ: Final = 500.0
_FEW: Final = 3
_SLOWEST_STEP_MS: Final = 0.5
# Two groups of heights: as far apart as no single one is that is cut in two (normal 2.7, uniform 3.5).
_APART, _SMALLEST_GROUP, _SHARE, _TIMES_AS_HIGH = 5.0, 5, 0.1, 1.3
_LISTED: Final = 8
_CLEAR: Final = 1.25
_FURTHEST_REST_MV: Final = 250.0


@dataclass(frozen=True)
class Detected:
    """A trace and its spikes.

    Attributes
    ----------
    trace : VoltageTrace
        The trace.
    detection : Detection or None
        How its spikes were found; None where nothing stands out.
    found : Found
        Times and heights of its spikes.
    train : SpikeTrain
        Its spikes, of an id that no other trace has.

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.spiketrains import VoltageTrace, detect_traces
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> detect_traces([trace])[0].train.n_spikes
    10
    """

    trace: VoltageTrace
    detection: Detection | None
    found: Found
    train: SpikeTrain


def detect_recordings(
    traces: Sequence[VoltageTrace],
    threshold_mV: Levels = None,
    reset_mV: Levels = None,
    *,
    polarity: Polarity = "auto",
) -> Recordings:
    """Spike trains of several traces, with a report, as `read_spike_trains` gives them.

    Parameters
    ----------
    traces : sequence of VoltageTrace
        What `read_voltage` returned.
    threshold_mV, reset_mV : float, sequence of float or dict of str to float, optional
        As `detect_spikes` takes them: one for all traces, one for each, or by id; the id of a channel stands
        for all its sweeps ("Vm" for "Vm/1", "Vm/2"), and "*" for all traces that are not named. By default
        each trace has the one that `suggest_threshold_mV` gives, and a trace without a spike to suggest it by
        becomes a silent train.
    polarity : {"auto", "up", "down", "both"}
        As `detect_spikes` takes it.

    Returns
    -------
    Recordings
        A train per trace. Ids that are taken are numbered.

    Raises
    ------
    SpikeTrainError
        When there are no traces, a threshold is not finite or for no trace, or a trace is in a unit that is
        not known and has none.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.spiketrains import VoltageTrace
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> recordings = s2p.detect_recordings([trace], threshold_mV=-20.0)
    >>> recordings[0].n_spikes
    10
    """
    ones = detect_traces(traces, threshold_mV, reset_mV, polarity=polarity)
    return recordings_of(ones, traces)


def detect_traces(
    traces: Sequence[VoltageTrace],
    threshold_mV: Levels = None,
    reset_mV: Levels = None,
    *,
    polarity: Polarity = "auto",
) -> list[Detected]:
    """Spikes of several traces, with how each was found, to be looked at beside their voltage.

    Parameters and errors are those of `detect_recordings`.

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.spiketrains import VoltageTrace, detect_traces
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> (found,) = detect_traces([trace])
    >>> found.train.n_spikes, round(found.detection.threshold)
    (10, -10)
    """
    if not traces:
        raise SpikeTrainError("There is no voltage trace; at least one is needed to detect spikes in.")
    thresholds = _levels(threshold_mV, traces, "threshold")
    resets = _levels(reset_mV, traces, "reset")
    ones: list[Detected] = []
    taken: dict[str, int] = {}
    for trace, threshold, reset in zip(traces, thresholds, resets, strict=True):
        taken[trace.id] = taken.get(trace.id, 0) + 1
        try:
            detection = choose_detection(trace, threshold, reset, polarity)
            found = find_spikes(trace, detection)
            train = train_of(trace, detection, found)
        except NoSpikes:
            detection, found = None, Found(np.empty(0), np.empty(0), np.empty(0))
            window = float(trace.times_ms[0]), float(trace.times_ms[-1])
            train = SpikeTrain(trace.id, found.times_ms, window, trace.provenance)
        if taken[trace.id] > 1:
            train = replace(train, id=f"{trace.id} ({taken[trace.id]})")
        ones.append(Detected(trace, detection, found, train))
    return ones


def recordings_of(ones: Sequence[Detected], traces: Sequence[VoltageTrace]) -> Recordings:
    """Trains of what `detect_traces` found in traces, with the report."""
    origin = traces[0].provenance or Provenance("a trace")
    said, doubtful = _said(ones)
    n_channels = f"{counted(len(ones), 'trace')} of voltage" if len(ones) > 1 else "a voltage trace"
    parts = [part for trace in traces for part in trace.unit_reason.split("; ") if part]
    reasons = list(dict.fromkeys(parts))
    places = [trace.provenance.location for trace in traces if trace.provenance and trace.provenance.location]
    where = f" ({_some(list(dict.fromkeys(places)), ', ')})" if places else ""
    report = ReadReport(
        filename=origin.source,
        format=origin.format or "voltage",
        layout="voltage",
        layout_reason="; ".join([f"a train per trace, of {n_channels}{where}", *([] if doubtful else said)]),
        unit=origin.unit,
        unit_reason=_some(reasons) or "mV and ms",
        n_trains=len(ones),
        n_spikes=sum(one.train.n_spikes for one in ones),
        repairs=tuple(getattr(traces, "repairs", ())),
        skipped=tuple(getattr(traces, "skipped", ())),
        cautions=(*(said if doubtful else []), *_cautions(ones), *getattr(traces, "cautions", ())),
    )
    return Recordings([one.train for one in ones], report)


def _some(texts: list[str], between: str = "; ", most: int = 6) -> str:
    return between.join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def _levels(levels: Levels, traces: Sequence[VoltageTrace], what: str) -> list[float | None]:
    """The level of each trace, None where none is given."""
    if levels is None:
        return [None] * len(traces)
    if isinstance(levels, Mapping):
        used: set[str] = set()
        found: list[float | None] = []
        for trace in traces:
            names = [name for name in levels if trace.id == name or trace.id.startswith(f"{name}/")]
            name = max(names, key=len, default="*")
            used.add(name)
            found.append(float(levels[name]) if name in levels else None)
        unknown = [name for name in levels if name not in used and name != "*"]
        if unknown:
            raise SpikeTrainError(
                f"A {what} is given for {unknown[0]!r}, and there is no such trace; there are "
                f"{shown([trace.id for trace in traces])}."
            )
        return found
    values = np.atleast_1d(np.asarray(levels, dtype=np.float64)).ravel().tolist()
    if len(values) not in (1, len(traces)):
        raise SpikeTrainError(
            f"{counted(len(values), what)} are given for {counted(len(traces), 'trace')}; give one for all, "
            "one for each, or each by the id of its trace."
        )
    return [*(values * len(traces) if len(values) == 1 else values)]


def _said(ones: Sequence[Detected]) -> tuple[list[str], bool]:
    """How spikes were detected, in words, and whether any of that is only what the traces suggest."""
    groups: dict[tuple[bool, str, str, bool], list[tuple[str, Detection]]] = {}
    for one in ones:
        if (d := one.detection) is not None:
            kind = d.outside, d.polarity, one.trace.unit, d.slow_removed
            groups.setdefault(kind, []).append((one.trace.id, d))
    texts = []
    doubtful = False
    for (outside, polarity, unit, slow), group in groups.items():
        ids, first = [name for name, _ in group], group[0][1]
        levels = [abs(d.threshold - d.centre) if polarity == "both" else d.threshold for _, d in group]
        way = {"up": "rises through", "down": "falls through", "both": "leaves the median by more than"}[
            polarity
        ]
        asked = first.reason == "as asked for"
        suggests = "traces suggest" if len(group) > 1 else "trace suggests"
        why = f", {first.reason}" if outside or asked else f", as the {suggests}"
        if min(levels) == max(levels):
            span = f"{min(levels):.3g} {unit}"
        elif len(group) <= _LISTED:
            listed = ", ".join(f"{level:.3g}" for level in levels)
            span = f"{listed} {unit} ({', '.join(map(repr, ids))})"
        else:
            span = f"{min(levels):.3g} to {max(levels):.3g} {unit}"
        others = f" {shown(ids)}" if len(groups) > 1 else ""
        what = "beside the cell (extracellular)" if outside else "inside the cell"
        text = f"spikes detected where the voltage{others} {way} {span}{why}"
        if slow:
            text += ", without what is slower than 200 Hz"
        if outside:
            text += ", and timed at their peak"
        text += f"; taken for a recording from {what}, {first.side_reason}"
        sure = asked and not outside
        doubtful = doubtful or not sure
        texts.append(text + ("; give the threshold or the polarity if that is wrong" if not sure else ""))
    return texts, doubtful


def _cautions(ones: Sequence[Detected]) -> list[str]:
    """What an experimenter would want to look at."""
    silent = [one.trace.id for one in ones if one.detection is None]
    cautions = []
    if silent:
        cautions.append(
            f"{counted(len(silent), 'trace')} without a peak of {SMALLEST_SPIKE_MV:g} mV, {shown(silent)}, "
            "kept as silent"
        )
    notes: dict[str, list[str]] = {}
    for one in ones:
        if one.detection is not None:
            for text in _oddities(one, one.detection):
                notes.setdefault(text, []).append(one.trace.id)
    return cautions + [f"{shown(ids)}: {text}" for text, ids in notes.items()]


def _oddities(one: Detected, detection: Detection) -> list[str]:
    trace, train, found = one.trace, one.train, one.found
    texts = []
    if train.n_spikes < _FEW:
        texts.append(
            f"only {counted(train.n_spikes, 'spike')}" if train.n_spikes else "no spike at this threshold"
        )
    elif train.n_spikes > 0.001 * _FASTEST_HZ * trace.duration_ms or float(np.median(train.isi_ms)) < 2.0:
        rate = 1000.0 * train.n_spikes / trace.duration_ms
        texts.append(
            f"{rate:.0f} Hz, with a median interval of {float(np.median(train.isi_ms)):.2g} ms, is faster "
            "than neurons fire; the threshold may lie in the noise"
        )
    if detection.n_peaks is not None and abs(train.n_spikes - detection.n_peaks) > max(
        1, 0.1 * detection.n_peaks
    ):
        texts.append(
            f"{counted(detection.n_peaks, 'peak')} stand out but {train.n_spikes:,} cross the threshold, "
            "since the voltage drifts or the spikes change their height; choose a stretch or another "
            "threshold"
        )
    level = abs(detection.threshold - detection.centre)
    weak = detection.outside and detection.reason != "as asked for"
    if weak and train.n_spikes and float(np.median(found.heights)) < _CLEAR * level:
        texts.append(
            f"its spikes barely stand out of the noise (half of them by under {_CLEAR:g} times the "
            "threshold), so some are missed; give a threshold nearer to 0"
        )
    groups = _two_groups(found.heights)
    if groups is not None:
        low, high = groups
        texts.append(
            f"its spikes have two separate heights, around {low:.3g} and {high:.3g} {trace.unit} from the "
            "median: maybe two neurons, of which a higher threshold takes one"
        )
    if found.gaps_ms.size:
        texts.append(
            f"{counted(found.gaps_ms.size, 'gap')} of up to {float(found.gaps_ms.max()):.4g} ms in the "
            "samples, across which intervals between spikes run"
        )
    elif float(np.diff(trace.times_ms).max()) > gap_ms(trace):
        texts.append("gaps in the samples, across which intervals between spikes run")
    texts += _clipped(trace)
    if not detection.outside and trace.unit == "mV" and abs(detection.centre) > _FURTHEST_REST_MV:
        texts.append(
            f"it rests at {detection.centre:.4g} mV, where no neuron does; check the unit of the voltage"
        )
    if trace.step_ms > _SLOWEST_STEP_MS:
        texts.append(
            f"sampled at {1000.0 / trace.step_ms:.4g} Hz, at which spikes can fall between two samples"
        )
    return texts


def _two_groups(heights: FloatArray) -> tuple[float, float] | None:
    """Medians of two clearly separate groups of heights; None for one."""
    n = heights.size
    if n < 4 * _SMALLEST_GROUP:
        return None
    ordered = np.sort(heights)
    least = max(_SMALLEST_GROUP, int(np.ceil(_SHARE * n)))
    size = np.arange(1, n)
    total, squares = np.cumsum(ordered), np.cumsum(ordered**2)
    low, high = total[:-1] / size, (total[-1] - total[:-1]) / (n - size)
    # The split that leaves least variance within the two groups (Otsu 1979).
    within = squares[-1] - size * low**2 - (n - size) * high**2
    within[: least - 1] = within[n - least :] = np.inf
    k = int(np.argmin(within))
    if not np.isfinite(within[k]):
        return None
    spread = float(np.sqrt(max(within[k], 0.0) / n))
    apart = high[k] - low[k] > _APART * spread and high[k] > _TIMES_AS_HIGH * low[k]
    gap = ordered[k + 1] - ordered[k] > spread
    return (float(np.median(ordered[: k + 1])), float(np.median(ordered[k + 1 :]))) if apart and gap else None


def _clipped(trace: VoltageTrace) -> list[str]:
    """Whether the trace stays at its highest or lowest value for three samples on end, more than once."""
    texts = []
    for name, extreme in (("highest", float(trace.V_mV.max())), ("lowest", float(trace.V_mV.min()))):
        at = np.flatnonzero(trace.V_mV == extreme)
        if at.size < 2 * _FEW or at.size > 0.5 * len(trace):
            continue
        runs = np.diff(np.flatnonzero(np.concatenate(([True], np.diff(at) > 1, [True]))))
        if (runs >= _FEW).sum() > 1 and float(np.median(runs)) >= _FEW:
            texts.append(
                f"it stays at its {name} value, {extreme:.5g} {trace.unit}, for up to "
                f"{counted(int(runs.max()), 'sample')} on end, {counted(int((runs >= _FEW).sum()), 'time')}, "
                "so it seems to be clipped"
            )
    return texts
