"""Which columns identify a train: by their names, and by what they do to the times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.errors import WayOut
from spike2pop_nb.spiketrains.behaviour import (
    codes_of,
    falls_back,
    is_counter,
    is_whole,
    share_increasing_within,
    steps_within,
    sum_below,
)
from spike2pop_nb.spiketrains.names import role_of, words_of
from spike2pop_nb.spiketrains.readers.raw import Source, shown
from spike2pop_nb.spiketrains.table import Column
from spike2pop_nb.spiketrains.train import FloatArray
from spike2pop_nb.spiketrains.units import SAMPLES, unit_from_name

from .grades import grades_of
from .reading import RawTrain, key_codes

__all__ = ["Keys", "check_trains", "find_keys", "may_label", "needed_keys", "refuse_sums"]

_GROWING: Final = 0.999
_EDGES: Final = frozenset(
    ["level", "edge", "polarity", "state", "ttl", "on", "onoff", "off", "transition", "rising", "direction"]
)
_PAIRS_OF_EDGES: Final = (
    *({"on", "off"}, {"up", "down"}, {"high", "low"}, {"start", "stop"}, {"start", "end"}),
    *({"begin", "end"}, {"rising", "falling"}),
)
_SETTLE: Final = WayOut("say which columns identify a train, or 'none' if none does", ("id_columns",))


@dataclass
class Keys:
    """Columns that identify a train, how that is known, and those that grade trains."""

    columns: list[Column]
    why: str = ""
    grades: list[Column] = field(default_factory=list)


def may_label(column: Column) -> bool:
    """Whether the values can be labels: text, or whole numbers."""
    if column.kind == "text":
        return True
    if column.kind != "numbers":
        return False
    return is_whole(column.numbers)


def needed_keys(keys: Sequence[Column]) -> list[Column]:
    """The keys less ids that are the same throughout while another id tells trains apart."""
    varied = [key for key in keys if role_of(key.leaf) == "id" and _n_groups(key) > 1]
    return [key for key in keys if not varied or role_of(key.leaf) != "id" or key in varied]


def _codes(column: Column) -> NDArray[np.int64]:
    return codes_of(column.labels)


def _n_groups(column: Column) -> int:
    return int(_codes(column).max(initial=-1)) + 1


def _counts_rows(column: Column) -> bool:
    return column.kind == "numbers" and is_counter(column.numbers)


def find_keys(columns: Sequence[Column], times: FloatArray, source: Source, *, named: bool = True) -> Keys:
    """The columns beside the times that identify a train.

    The times are in the file's order, NaN for a row without one. Where the columns are not `named`, a few
    whole numbers may always be ids. Refused are a column that may or may not identify a train, and one that
    only grades trains that nothing tells apart.
    """
    _refuse_edges(columns, source)
    keys: list[Column] = []
    unknown: list[Column] = []
    grades = [column for column in columns if grades_of(column) is not None]
    others = [column for column in columns if column not in grades]
    for column in others:
        role = _role(column, others)
        if role_of(column.leaf) in ("counter", "") and _counts_within(column, others):
            continue
        by_name = role in ("id", "trial")
        # In a text file, ids such as "1,5", "nan" and "7b" stand among numbers.
        labels = may_label(column) or (by_name and column.cells is not None)
        if not labels or (role in ("attribute", "interval", "time") and column.kind != "text"):
            continue
        if by_name and not (_counts_rows(column) and _others_name(column, others)):
            keys.append(column)
        elif not _counts_rows(column) and _n_groups(column) > 1 and not _stands_above(column):
            unknown.append(column)
    keys = needed_keys(keys)
    why = "by name" if keys else ""
    left: list[Column] = []
    for column in unknown:
        verdict = _identifies([column], keys, times)
        if verdict == "no" and not named and not keys and _labels_units(column):
            verdict = "perhaps"
        if words_of(column.leaf) == ["group"] and verdict != "no":
            # One of animals or treatments holds several neurons, unless it stands beside their ids.
            verdict = "yes" if keys else "perhaps"
        if verdict == "yes":
            keys.append(column)
            why = _and(why, column)
        elif verdict == "perhaps":
            left.append(column)
    if len(left) > 1 and _identify_together(left, keys, times):
        keys += left
        why = _and(why, *left)
    elif left:
        raise source.error(
            f"the column {left[0].name!r} may identify trains or only describe the spikes.", _SETTLE
        )
    if not keys:
        for column in grades:
            if _n_groups(column) > 1 and _identifies([column], [], times) != "no":
                raise source.error(
                    f"the column {column.name!r} rates units, but does not identify them.",
                    _SETTLE,
                )
    return Keys(keys, why, grades)


def _refuse_edges(columns: Sequence[Column], source: Source) -> None:
    """Both edges of a pulse: a level that goes up and down in turn beside the times."""
    for column in columns:
        if len(column) < 6 or _n_groups(column) != 2:
            continue
        labels = {str(entry).strip().lower() for entry in column.labels}
        if not _EDGES & set(words_of(column.leaf)) and labels not in _PAIRS_OF_EDGES:
            continue
        if (np.diff(_codes(column)) != 0).all():
            raise source.error(
                f"the column {column.name!r} goes up and down in turn, as the edges of pulses do.",
                WayOut("keep the rows of one edge"),
                WayOut("say that no column identifies a train ('none') if each is a spike", ("id_columns",)),
            )


def _stands_above(column: Column) -> bool:
    """Whether a few entries stand above blanks alone, as settings do that have columns of their own."""
    if column.empty is None:
        return False
    n_filled = int((~column.empty).sum())
    return 1 < n_filled < len(column) / 2 and not column.empty[:n_filled].any()


def _labels_units(column: Column) -> bool:
    """Whether the values are a few labels, or whole numbers of which none is below 0, each several times."""
    values, counts = np.unique(np.asarray(column.values), return_counts=True)
    below = column.kind == "numbers" and bool(values[0] < 0)
    return 1 < 4 * len(values) <= len(column) and not below and bool(counts.min() > 1)


def _and(why: str, *columns: Column) -> str:
    """How the keys are known, with more of them."""
    them = "it parts" if len(columns) == 1 else "together they part"
    return f"{why}, and " * bool(why) + f"{shown_names(columns)} since {them} the times into trains"


def _identify_together(columns: list[Column], keys: list[Column], times: FloatArray) -> bool:
    """Whether columns part the times only together, as a channel and a unit do, and none is needless."""
    if _identifies(columns, keys, times) != "yes":
        return False
    least = [[other for other in columns if other is not column] for column in columns]
    return all(_identifies(fewer, keys, times) != "yes" for fewer in least)


def _role(column: Column, columns: Sequence[Column]) -> str:
    role = role_of(column.leaf)
    if role in ("id", "trial") and column.kind == "numbers" and _names_unit(column.leaf):
        return ""  # "stim_s" and "trial (ms)" are times themselves, or durations
    names = {other.leaf.strip().lower() for other in columns}
    if column.leaf.strip().lower() == "i" and "v" not in names:
        return "id"  # Brian2 writes i and t
    if role == "time" and _n_groups(column) < 0.5 * len(column):
        return ""  # "sample" may be a slice of tissue
    if role == "counter" and not _counts_rows(column) and 1 < _n_groups(column) < 0.7 * len(column):
        return "id"  # an index that repeats
    return role


def _names_unit(name: str) -> bool:
    """Whether a name says a unit of time."""
    unit = unit_from_name(name)[1]
    return unit is not None and unit != SAMPLES and not unit.startswith("?")


def _counts_within(column: Column, columns: Sequence[Column]) -> bool:
    """Whether a column counts the rows anew for each unit that another column names."""
    if column.kind != "numbers":
        return False
    named = [c for c in columns if c is not column and role_of(c.leaf) in ("id", "trial")]
    for ids in ([c for c in named if role_of(c.leaf) == "id"], named):
        codes = key_codes(ids, len(column))
        order = np.argsort(codes, kind="stable")
        values, parted = column.numbers[order], np.diff(codes[order]) > 0
        if ids and ((np.diff(values) == 1) | parted).all():
            return True
    return False


def _others_name(column: Column, columns: Sequence[Column]) -> bool:
    """Whether another column identifies trains, so that one that counts the rows needs not."""
    return any(
        role_of(other.leaf) in ("id", "trial") and not _counts_rows(other) and may_label(other)
        for other in columns
        if other is not column
    )


def _identifies(columns: list[Column], keys: list[Column], times: FloatArray) -> str:
    """Whether columns of unknown names part the times into trains: "yes", "no" or "perhaps"."""
    before = key_codes(keys, times.size)
    after = key_codes([*keys, *columns], times.size)
    if (len(columns) == 1 and _n_groups(columns[0]) > 0.7 * times.size) or any(map(_is_measured, columns)):
        return "no"
    if keys and int(after.max(initial=0)) == int(before.max(initial=0)):
        return "no"  # it says nothing that the keys do not say
    alone = key_codes(columns, times.size)
    if int(key_codes([*columns, Column("", times)], times.size).max(initial=0)) == int(alone.max(initial=0)):
        return "no"  # it says nothing that the times do not say: a step of the clock
    grown = share_increasing_within(before, times)
    if grown < _GROWING:
        better = share_increasing_within(after, times)
        if better >= _GROWING:
            return "yes"
        return "no" if better <= grown else "perhaps"
    # The file is sorted by time, so any column leaves growing times. No neuron fires twice at once: where
    # spikes follow each other at all distances, several neurons fire; where a shortest interval is kept, one.
    pooled, parted = steps_within(before, times), steps_within(after, times)
    if pooled.size < 20 or parted.size < 5:
        return "perhaps"
    middle = float(np.median(pooled))
    shortest = float(np.quantile(pooled, 0.01))
    if shortest > 0.25 * middle:
        return "no"
    return "yes" if float(np.quantile(parted, 0.01)) > 5.0 * max(shortest, 1e-12) else "perhaps"


def _is_measured(column: Column) -> bool:
    """Whether numbers lie below -1, as heights of spikes may, and ids do not."""
    return column.kind == "numbers" and float(np.nanmin(column.numbers)) < -1


def check_trains(trains: Sequence[RawTrain], source: Source, *, keyed: bool) -> None:
    """Refuse trains that show that a key was left out, or that one too many was taken.

    Their times start over as those of trials do, most of them repeat, or nearly every train has one spike.
    """
    refuse_sums(trains, source)
    starting_over = [(train, falls) for train in trains if (falls := falls_back(train.times)).size]
    if 2 * len(starting_over) > len(trains):
        train, falls = starting_over[0]
        again = f"{falls.size} times" if falls.size > 1 else "once"
        raise source.error(
            f"the times of {train.id!r} start over {again} (first at {train.place(int(falls[0]))}), as "
            "those of trials one after another do.",
            WayOut("name the column that numbers the trials", ("id_columns",)),
            WayOut(
                "choose the layout 'trials' to begin a train wherever they start over, or 'single' for one "
                "train",
                ("layout",),
            ),
        )
    for train in trains:
        if train.times.size >= 10 and 2 * np.unique(train.times).size < train.times.size:
            raise source.error(
                f"most numbers of {train.id!r} occur more than once, which spike times do not.",
                WayOut("name the column of times", ("time_column",)),
                WayOut("choose the layout 'single' if they are some", ("layout",)),
            )
    if keyed and len(trains) >= 6:
        alone = sum(train.times.size == 1 for train in trains)
        if 5 * alone > 4 * len(trains):
            raise source.error(
                f"{alone:,} of {len(trains):,} trains have a single spike, so the columns taken for ids do "
                "not identify trains.",
                _SETTLE,
            )


def refuse_sums(trains: Sequence[RawTrain], source: Source, layout: str = "single") -> None:
    """Refuse a train that ends with the mean, the sum or the count of its times."""
    for train in trains:
        found = sum_below(train.times)
        if found is not None:
            at, what = found
            raise source.error(
                f"the number {train.times[at]:.10g} of {train.id!r} ({train.place(at)}) is the {what} of the "
                "numbers above it, so it seems to be no spike time.",
                WayOut("leave out what sums up the times"),
                WayOut(f"choose the layout {layout!r} if it is one", ("layout",)),
            )


def shown_names(columns: Sequence[Column]) -> str:
    """Names of columns in quotes."""
    return shown([column.name for column in columns])
