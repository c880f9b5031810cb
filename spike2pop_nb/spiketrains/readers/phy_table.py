"""Folders of Phy and Kilosort as tables, as they lie on disk or in a ZIP archive."""

from __future__ import annotations

import ast
import csv
import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spike2pop_nb.spiketrains.limits import MAX_OPENED_SPIKES
from spike2pop_nb.spiketrains.table import Column, Table

from .archive import Files
from .builder import floats, texts
from .raw import Source
from .sorting_table import BLOCK, Wanted, checked_rate, grouped

__all__ = ["GROUPS", "LABEL_FILES", "phy_table"]

GROUPS: Final = ("noise", "mua", "good", "unsorted")
"""What phy means where it keeps the groups of clusters as numbers from 0."""

LABEL_FILES: Final = (
    "cluster_info.tsv",
    "cluster_KSLabel.tsv",
    "cluster_groups.csv",
    "cluster_group.tsv",
)
"""Tables of cluster labels; what stands in a later one replaces what an earlier one says."""

_KEPT_LABELS: Final = ("group", "KSLabel", "quality", "label")
_ASSIGNMENT: Final = re.compile(r"^\s*sample_rate\s*=\s*(.{1,60}?)\s*(?:#.*)?$", re.MULTILINE)
_NUMBERED: Final = frozenset(map(str, range(len(GROUPS))))
_MAX_TABLE_BYTES: Final = 20_000_000
_MAX_CLUSTER: Final = 10_000_000


def phy_table(files: Files, folder: str, source: Source, only: Wanted = None) -> Table:
    """A Phy or Kilosort folder: the sample numbers of each cluster, and the clusters' labels.

    `folder` is its name among the files, with a ``/`` at the end or ""; `only` tells from a cluster's number
    whether its spikes are wanted.
    """
    present = {name.removeprefix(folder) for name in files.names if name.startswith(folder)}
    if "params.py" not in present:
        raise source.error(
            "'params.py' is missing beside 'spike_times.npy'; the spike times are sample numbers, so it must "
            "give their rate in a line such as sample_rate = 30000."
        )
    rate = _sample_rate(files.read(folder + "params.py"), source)
    labels_name = next((n for n in ("spike_clusters.npy", "spike_templates.npy") if n in present), None)
    if labels_name is None:
        raise source.error("'spike_clusters.npy' is missing; it must give the cluster of each spike.")
    samples = files.array(folder + "spike_times.npy", "'spike_times.npy'")
    clusters = files.array(folder + labels_name, f"{labels_name!r}")
    if samples.dtype.kind not in "iuf" or not _whole(samples := samples.ravel()):
        raise source.error("'spike_times.npy' must hold sample numbers, which are whole numbers.")
    if clusters.dtype.kind not in "iu":
        raise source.error(f"{labels_name!r} must hold cluster numbers, which are whole numbers.")
    if samples.size != clusters.size:
        raise source.error(
            f"'spike_times.npy' has {samples.size:,} entries but {labels_name!r} has {clusters.size:,}; "
            "there must be as many."
        )
    if samples.size > MAX_OPENED_SPIKES:
        raise source.error(f"the folder holds {samples.size:,} spikes; up to {MAX_OPENED_SPIKES:,} are read.")
    clusters = clusters.ravel()
    numbers = _numbers(clusters, labels_name, source)
    wanted = [k for k in numbers.tolist() if only is None or only(str(k))]
    trains = grouped(samples, clusters, wanted, int(numbers[-1]) + 1 if numbers.size else 0)
    labels: dict[str, dict[str, str]] = {}
    for name in LABEL_FILES:
        if name in present:
            _add_labels(files.read(folder + name), name, labels, source)
    ids = floats(np.array(wanted, dtype=np.int64))
    columns = [Column("spike_times.npy", trains, "samples", integers=True)]
    columns.append(Column(labels_name, ids, integers=True))
    kept = {}
    for label in _KEPT_LABELS:
        values = [labels.get(str(k), {}).get(label, "") for k in wanted]
        if any(values):
            columns.append(Column(label, texts(values)))
            kept[label] = label
    return Table(
        "Phy",
        columns,
        {"params.py/sample_rate": rate},
        roles={"time": "spike_times.npy", "id": labels_name},
        labels=kept,
        reason=f"a train per cluster of {labels_name!r}",
    )


def _whole(samples: NDArray[Any]) -> bool:
    """Whether all are whole numbers; Kilosort keeps some as floats."""
    return samples.dtype.kind in "iu" or all(
        bool((samples[start : start + BLOCK] % 1 == 0).all()) for start in range(0, samples.size, BLOCK)
    )


def _numbers(clusters: NDArray[Any], name: str, source: Source) -> NDArray[np.int64]:
    """The clusters that have spikes, in order."""
    found = np.zeros(0, dtype=bool)
    for start in range(0, clusters.size, BLOCK):
        block = clusters[start : start + BLOCK]
        low, high = int(block.min()), int(block.max())
        if low < 0 or high > _MAX_CLUSTER:
            raise source.error(
                f"{name!r} has the cluster {low if low < 0 else high}; cluster numbers lie from 0 to "
                f"{_MAX_CLUSTER:,}."
            )
        if high >= found.size:
            found = np.concatenate([found, np.zeros(high + 1 - found.size, dtype=bool)])
        found[block.astype(np.int64)] = True
    return np.flatnonzero(found)


def _sample_rate(data: bytes, source: Source) -> float:
    """The rate that ``params.py`` states; the file is never executed, one line of it is read as a number."""
    found = _ASSIGNMENT.findall(data[:100_000].decode("utf-8", errors="replace").replace("\r", "\n"))
    if not found:
        raise source.error("'params.py' has no line such as sample_rate = 30000, which is needed.")
    try:
        value = ast.literal_eval(found[-1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = found[-1]
    return checked_rate(value, "sample_rate in 'params.py'", source)


def _add_labels(data: bytes, name: str, labels: dict[str, dict[str, str]], source: Source) -> None:
    """Take the labels of a table of clusters: ``cluster_id`` (or ``id``) first, mostly parted by tabs."""
    if len(data) > _MAX_TABLE_BYTES:
        raise source.error(f"{name!r} has {len(data) / 1e6:.0f} MB, too much for a table of labels.")
    lines = data.decode("utf-8-sig", errors="replace").splitlines()
    # phy 1 parts its CSV files by tabs; where somebody made a CSV of them, the header shows it.
    delimiter = "," if lines and "\t" not in lines[0] and "," in lines[0] else "\t"
    try:
        rows = list(csv.DictReader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE))
    except csv.Error:
        raise source.error(f"{name!r} is damaged; it must be a tab-separated table.") from None
    for row in rows:
        key = row.get("cluster_id") or row.get("id")
        if key is None:
            raise source.error(f"{name!r} has no column 'cluster_id', so its labels belong to no cluster.")
        kept = {
            column: row[column].strip()[:40] for column in _KEPT_LABELS if (row.get(column) or "").strip()
        }
        if kept.get("group") in _NUMBERED:
            kept["group"] = GROUPS[int(kept["group"])]
        labels.setdefault(key.strip(), {}).update(kept)
