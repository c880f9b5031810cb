"""Files whose format says itself what is a train: NWB, sorters' folders, what neo reads."""

from __future__ import annotations

import numpy as np

from spike2pop_nb.spiketrains.readers.raw import Options, Source, shown
from spike2pop_nb.spiketrains.table import Column, Table

from .grades import leave_out_noise
from .reading import RawTrain, Reading, label_of

__all__ = ["fixed_layout"]


def fixed_layout(table: Table, source: Source, options: Options) -> Reading:
    """A train per unit, as the format says."""
    time, prefix = _times(table, source, options)
    ids = _beside(table, prefix, "id")
    if options.id_columns:
        ids = next((c for c in table.columns if c.name in map(str, options.id_columns)), None)
        if ids is None:
            raise source.error(f"there is no column {options.id_columns[0]!r}; it has {shown(table.names)}.")
    segments = _beside(table, prefix, "segment")
    windows = _beside(table, prefix, "window")
    assert isinstance(time.values, list)
    several = segments is not None and len({str(value) for value in segments.values}) > 1
    trains: list[RawTrain] = []
    for k, times in enumerate(time.values):
        name = str(source.id(label_of(ids, k))) if ids is not None else str(k + 1)
        if several and segments is not None:
            name = f"{name}/{source.id(label_of(segments, k))}"
        train = RawTrain(source.id(name), times, f"unit {name}")
        if windows is not None:
            start, end = np.asarray(windows.values[k], dtype=float)
            train.window = (float(start), float(end)) if np.isfinite([start, end]).all() else None
        for label, column_name in table.labels.items():
            text = str(label_of(table.column(column_name), k)).strip()
            if text and column_name.rpartition("/")[0] == time.parent:
                train.labels[label] = text[:40]
        trains.append(train)
    source.check_counts(sum(train.times.size for train in trains), len(trains))
    reading = Reading("units", table.reason or "a train per unit", trains, [time])
    reading.columns = {"id": ids.leaf if ids is not None else "", "time": time.leaf}
    reading.columns = {role: name for role, name in reading.columns.items() if name}
    if ids is not None:
        reading.key = f"{ids.leaf}, as {table.format} says"
    leave_out_noise(reading, source)
    return reading


def _times(table: Table, source: Source, options: Options) -> tuple[Column, str]:
    """The column of times, and the group that it lies in."""
    wanted = options.time_column
    if wanted is None:
        column = table.column(table.roles["time"])
        return column, column.parent
    for column in table.columns:
        if column.kind == "lists" and wanted in (
            column.name,
            column.parent,
            column.parent.rpartition("/")[2],
        ):
            return column, column.parent
    lists = [column.name for column in table.columns if column.kind == "lists"]
    raise source.error(f"there are no spike times named {wanted!r}; it has {shown(lists)}.")


def _beside(table: Table, parent: str, role: str) -> Column | None:
    """The column of a role that lies beside the times."""
    name = table.roles.get(role)
    if name is None:
        return None
    leaf = name.rpartition("/")[2]
    inside = [c for c in table.columns if c.parent == parent]
    found = next((c for c in inside if c.leaf == leaf), None)
    return found or (next((c for c in inside if c.leaf == "id"), None) if role == "id" else None)
