"""How the story of a session is written as JSON, and checked when it is read again."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from spike2pop_nb.export.saved_experiments import Asked
from spike2pop_nb.export.saved_posteriors import Drawn

__all__ = ["COUNTS", "FILE", "FLAGS", "RUN", "TEXTS", "WORDS", "Entry", "Run", "Story", "Train"]

FILE = "recordings"
COUNTS = ("n_asked", "n_tried", "n_passed", "n_simulated", "n_crosses", "n_late")
WORDS = ("usable", "outcome", "reasons", "cancelled", "exhausted", "failure", "options")
RUN = ("duration_ms", "transient_ms", "dt_ms", "accuracy")
TEXTS, FLAGS = ("pattern", "reasons"), ("passed",)


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Run(_Checked):
    duration_ms: float = Field(gt=0, allow_inf_nan=False)
    transient_ms: float = Field(ge=0, allow_inf_nan=False)
    dt_ms: float = Field(gt=0, allow_inf_nan=False)
    accuracy: str
    failed: dict[str, str]


class Train(_Checked):
    id: str
    window_ms: tuple[FiniteFloat, FiniteFloat] | None = Field(strict=False)
    provenance: dict[str, str] | None


class Entry(_Checked):
    """What is said of one result; its tables and spikes lie in ``folder``."""

    folder: str
    recording: Train
    neuron: dict[str, Any]
    prior: str | None
    network: str | None
    n_asked: int = Field(ge=0)
    n_tried: int = Field(ge=0)
    n_passed: int = Field(ge=0)
    n_simulated: int = Field(ge=0)
    n_crosses: int = Field(ge=0)
    n_late: int = Field(ge=0)
    usable: bool
    outcome: str
    reasons: dict[str, int]
    cancelled: bool
    exhausted: str
    failure: str
    options: dict[str, Any]
    made_by: dict[str, Any]
    unrefined_by: dict[str, Any]
    rule: dict[str, Any] | None
    scores: list[str]
    run: Run | None
    experiments: list[Asked] = []
    drawn: Drawn | None = None


class Story(_Checked):
    spike2pop_session: int = Field(ge=1, le=1)
    versions: dict[str, str]
    file: str | None
    settings: str
    results: list[Entry]
