"""Folders of Phy and Kilosort, as they lie on disk or in a ZIP archive."""

from __future__ import annotations

import ast
import csv
import re
from typing import Final

import numpy as np

from .archive import Files
from .arrays import trains_from_pair
from .npy import load_npy
from .raw import RawRecording, Source
from .sorted_units import checked_rate, judge_quality, sampled_recording

__all__ = ["LABEL_FILES", "read_phy"]

LABEL_FILES: Final = ("cluster_info.tsv", "cluster_KSLabel.tsv", "cluster_group.tsv")
"""Tables of cluster labels; what stands in a later one replaces what an earlier one says."""

_KEPT_LABELS: Final = ("group", "KSLabel", "quality", "label")
_ASSIGNMENT: Final = re.compile(r"^\s*sample_rate\s*=\s*(.{1,60}?)\s*(?:#.*)?$", re.MULTILINE)
_MAX_TABLE_BYTES: Final = 20_000_000


def read_phy(files: Files, folder: str, source: Source) -> RawRecording:
    """Read a Phy or Kilosort folder.

    Parameters
    ----------
    files : Files
        Where it lies.
    folder : str
        Its name with a ``/`` at the end, or "".
    source : Source
        Names the file in errors.

    Raises
    ------
    SpikeTrainError
        When ``spike_clusters.npy`` or the sampling rate in ``params.py`` is missing, or a file is damaged.
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
    samples = load_npy(files.read(folder + "spike_times.npy"), "'spike_times.npy'", source).ravel()
    clusters = load_npy(files.read(folder + labels_name), f"{labels_name!r}", source).ravel()
    if samples.dtype.kind not in "iuf" or (samples.dtype.kind == "f" and (samples % 1 != 0).any()):
        raise source.error("'spike_times.npy' must hold sample numbers, which are whole numbers.")
    if clusters.dtype.kind not in "iu":
        raise source.error(f"{labels_name!r} must hold cluster numbers, which are whole numbers.")
    if samples.size != clusters.size:
        raise source.error(
            f"'spike_times.npy' has {samples.size:,} entries but {labels_name!r} has {clusters.size:,}; "
            "there must be as many."
        )
    trains = trains_from_pair(clusters, samples.astype(np.float64), "'spike_times.npy'", source)
    trains.sort(key=lambda train: int(train.id))
    labels: dict[str, dict[str, str]] = {}
    for name in LABEL_FILES:
        if name in present:
            _add_labels(files.read(folder + name), name, labels, source)
    for train in trains:
        train.labels = labels.get(train.id, {})
    raw = sampled_recording("Phy", f"a train per cluster of {labels_name!r}", trains, rate, "params.py")
    raw.columns = {"id": labels_name, "time": "spike_times.npy"}
    judge_quality(raw)
    if not raw.trains:
        raise source.error("every cluster is labelled noise, so there is no spike train to read.")
    return raw


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
    """Take the labels of a table of clusters: tab-separated, ``cluster_id`` (or ``id``) first."""
    if len(data) > _MAX_TABLE_BYTES:
        raise source.error(f"{name!r} has {len(data) / 1e6:.0f} MB, too much for a table of labels.")
    lines = data.decode("utf-8-sig", errors="replace").splitlines()
    try:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    except csv.Error:
        raise source.error(f"{name!r} is damaged; it must be a tab-separated table.") from None
    for row in rows:
        key = row.get("cluster_id") or row.get("id")
        if key is None:
            raise source.error(f"{name!r} has no column 'cluster_id', so its labels belong to no cluster.")
        kept = {
            column: row[column].strip()[:40] for column in _KEPT_LABELS if (row.get(column) or "").strip()
        }
        labels.setdefault(key.strip(), {}).update(kept)
