"""Levels at which spikes are detected: one for all traces of a file, or one for each of its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from spike2pop_nb.spiketrains import VoltageTrace

__all__ = ["Levels", "asked_for", "level_of", "levels_for", "with_level"]

Levels: TypeAlias = "float | Mapping[str, float] | None"

_ALL = "*"


def _channel(trace_id: str) -> str:
    """Name of a channel, of which sweeps are numbered: "Vm" of "Vm/2"."""
    name, _, sweep = trace_id.rpartition("/")
    return name if name and sweep.isdecimal() else trace_id


def level_of(levels: Levels, trace_id: str) -> float | None:
    """The level of a trace; None where none is given."""
    if not isinstance(levels, Mapping):
        return levels
    for name in (trace_id, _channel(trace_id), _ALL):
        if name in levels:
            return levels[name]
    return None


def levels_for(levels: Levels, traces: Sequence[VoltageTrace]) -> Levels:
    """Levels as `detect_recordings` takes them, without those of traces that are not there."""
    if not isinstance(levels, Mapping):
        return levels
    found = {trace.id: level_of(levels, trace.id) for trace in traces}
    return {name: level for name, level in found.items() if level is not None}


def with_level(
    levels: Levels, traces: Sequence[VoltageTrace], trace: VoltageTrace, level: float | None
) -> Levels:
    """Levels with another one for the channel of a trace; where it is the only one, or the first answer to
    what all are asked for, the same for all.
    """
    channels = {_channel(one.id) for one in traces}
    unanswered = levels is None and trace.unit != "mV" and {one.unit for one in traces} == {trace.unit}
    if len(channels) < 2 or unanswered:
        return level
    given = dict(levels) if isinstance(levels, Mapping) else {} if levels is None else {_ALL: levels}
    if level is not None:
        given[_channel(trace.id)] = level
    elif level_of(levels, trace.id) is not None:
        given.pop(trace.id, None)
        given.pop(_channel(trace.id), None)
        if _ALL in given:  # the others keep what they have
            one_for_all = given.pop(_ALL)
            given |= {c: one_for_all for c in channels - {_channel(trace.id)} if c not in given}
    return given or None


def asked_for(traces: Sequence[VoltageTrace], thresholds: Levels, resets: Levels) -> VoltageTrace | None:
    """The first trace in a unit of unknown size whose threshold and reset are yet to be given."""
    for trace in traces:
        given = level_of(thresholds, trace.id) is not None and level_of(resets, trace.id) is not None
        if trace.unit != "mV" and not given:
            return trace
    return None
