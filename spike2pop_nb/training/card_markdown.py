"""Pieces of Markdown that the sections of a model card share."""

from __future__ import annotations

__all__ = ["pair", "percent", "table"]


def table(*names: str) -> list[str]:
    """Head of a table with columns of these names."""
    return ["", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]


def pair(values: list[float]) -> str:
    """Two numbers, as of g_s and g_u."""
    return " / ".join(f"{v:.2f}" for v in values)


def percent(values: dict[str, float]) -> str:
    """Shares as cells of a row."""
    return " | ".join(f"{100 * v:.1f}" for v in values.values())
