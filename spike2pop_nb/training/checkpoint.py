"""Checkpoints of a training run, written whole or not at all, and its history as CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.files import whole_file, write_whole

__all__ = ["History", "restore", "store", "write_rows"]


def store(path: Path, state: dict[str, Any]) -> None:
    """Save tensors and plain numbers; a kill leaves the old file or the new one, never half of one."""
    content = io.BytesIO()
    torch.save(state, content)
    with whole_file(path) as file:
        file.write(content.getbuffer())
        file.flush()
        os.fsync(file.fileno())


def restore(path: Path, setup: dict[str, Any]) -> dict[str, Any] | None:
    """The last checkpoint of the run described by ``setup``; None if there is none.

    Raises
    ------
    TrainingError
        If it cannot be read, or belongs to a run with another setup.
    """
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        kept = state["setup"]
    except (OSError, RuntimeError, KeyError, ValueError, EOFError) as error:
        raise TrainingError(
            f"{path} cannot be read ({type(error).__name__}); remove it to start afresh."
        ) from None
    different = [key for key in setup if kept.get(key) != setup[key]]
    if different:
        key = different[0]
        raise TrainingError(
            f"{path} belongs to a run with {key} = {kept.get(key)!r}, not {setup[key]!r}; "
            "choose another folder, or start without resuming."
        )
    return state


class History:
    """Rows of numbers, one per epoch, kept as CSV so that a run can be followed and drawn."""

    def __init__(self, path: Path, epochs_kept: int) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        if epochs_kept and path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["epoch"]) <= epochs_kept]

    def add(self, row: dict[str, Any]) -> None:
        """Append a row and rewrite the file."""
        self.rows.append({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
        write_rows(self.path, self.rows)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same columns as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())
