"""Columns that grade units (good, mua, noise): labels of trains, which never tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.behaviour import codes_of
from spike2pop_nb.spiketrains.names import words_of
from spike2pop_nb.spiketrains.readers.phy_table import GROUPS
from spike2pop_nb.spiketrains.readers.raw import Source, counted, shown
from spike2pop_nb.spiketrains.table import Column

from .reading import Reading, label_of

__all__ = ["grade_clusters", "grade_entries", "grade_spikes", "grades_of", "leave_out_noise"]

_SEVERAL: Final = frozenset({"mua", "multi", "multiunit", "multi-unit", "multi unit", "mu"})
_NO_NEURON: Final = ("noise", "artifact", "artefact")
_GRADES: Final = _SEVERAL | {*_NO_NEURON, "good", "unsorted", "sua", "su", "single", "single unit"}
# What phy calls these arrays when it keeps the groups as numbers.
_NUMBERED: Final = ("cgs", "cluster group", "clustergroup")
_QUALITY: Final = ("group", "quality", "KSLabel", "label")


def grades_of(column: Column) -> list[str] | None:
    """The grade of each entry in words; None for a column of anything else.

    What is called "id" is one, also where somebody named a train "multiunit".
    """
    if column.kind == "text" and words_of(column.leaf) != ["id"]:
        found = {str(value).strip().lower() for value in np.unique(np.asarray(column.values))} - {""}
        return [str(value).strip() for value in column.values] if found and found <= _GRADES else None
    if column.kind != "numbers" or " ".join(words_of(column.leaf)) not in _NUMBERED:
        return None
    values = column.numbers
    if not np.isin(values, np.arange(len(GROUPS))).all():
        return None
    return [GROUPS[int(value)] for value in values]


def grade_spikes(columns: Sequence[Column], codes: NDArray[np.int64], reading: Reading) -> None:
    """Label trains by columns of a grade per spike; one that changes within a train grades spikes."""
    for column in columns:
        grades = grades_of(column) or []
        own = codes_of(np.asarray(grades))
        first = np.unique(codes, return_index=True)[1]
        if (own == own[first][codes]).all():
            _label(reading, column, [grades[k] for k in first])


def grade_entries(columns: Sequence[Column], reading: Reading) -> None:
    """Label trains by columns of a grade per train."""
    for column in columns:
        grades = grades_of(column)
        if grades is not None and len(grades) == len(reading.trains):
            _label(reading, column, grades)


def grade_clusters(columns: Sequence[Column], time: Column, reading: Reading) -> None:
    """Label trains by arrays of a grade per cluster, beside one of the clusters' numbers."""
    inside = [c for c in columns if c.parent == time.parent and len(c) != len(time)]
    ids = {train.id for train in reading.trains}
    for column in inside:
        grades = grades_of(column)
        if grades is None or len(column) < len(ids):
            continue
        for numbers in inside:
            if numbers is column or len(numbers) != len(column) or numbers.kind not in ("numbers", "text"):
                continue
            names = [_name(numbers, k) for k in range(len(numbers))]
            if len(set(names)) == len(names) and ids <= set(names):
                by_name = dict(zip(names, grades, strict=True))
                _label(reading, column, [by_name[train.id] for train in reading.trains])
                break
        else:
            reading.cautions.append(
                f"{column.name!r} rates clusters without naming them, so trains of noise may remain"
            )


def _name(column: Column, k: int) -> str:
    value = label_of(column, k)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _label(reading: Reading, column: Column, grades: Sequence[str]) -> None:
    for train, grade in zip(reading.trains, grades, strict=True):
        if grade:
            train.labels["group"] = grade
    reading.columns["label"] = column.name


def leave_out_noise(reading: Reading, source: Source) -> None:
    """Leave out the units labelled noise, artefact or unsorted, and point out those of several neurons.

    Refused where no unit is left.
    """
    grade = {
        id(train): next((train.labels[k].lower() for k in _QUALITY if k in train.labels), "")
        for train in reading.trains
    }
    unsorted = [train.id for train in reading.trains if train.labels.get("unsorted")]
    for word in _NO_NEURON:
        left = [train.id for train in reading.trains if grade[id(train)] == word]
        if not left:
            continue
        reading.trains = [train for train in reading.trains if grade[id(train)] != word]
        reading.skipped.append(f"{counted(len(left), 'unit')} labelled {word}, {shown(left)}")
        if not reading.trains:
            raise source.error(f"every cluster is labelled {word}, so there is no spike train to read.")
    if unsorted and len(unsorted) < len(reading.trains):
        reading.trains = [train for train in reading.trains if not train.labels.get("unsorted")]
        reading.skipped.append(f"{counted(len(unsorted), 'unit')} of unsorted spikes, {shown(unsorted)}")
    elif unsorted:
        reading.cautions.append(
            f"the spikes of {shown(unsorted)} are unsorted, so they may come from several neurons"
        )
    multi = [train.id for train in reading.trains if grade[id(train)] in _SEVERAL]
    if multi:
        reading.cautions.append(
            f"{counted(len(multi), 'unit')} labelled as multi-unit activity (mua), {shown(multi)}, kept"
        )
    for train in reading.trains:
        train.labels.pop("unsorted", None)
