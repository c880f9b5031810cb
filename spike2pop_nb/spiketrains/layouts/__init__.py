"""What a table means as spike trains: layouts, each with its evidence, and one place that decides."""

from __future__ import annotations

from .decide import understand
from .reading import RawTrain, Reading

__all__ = ["RawTrain", "Reading", "understand"]
