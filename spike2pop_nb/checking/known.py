"""Numbers that were computed independently of this package; README.md beside them says how."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["known_neurons", "known_of"]

_FOLDER = Path(__file__).parent / "reference"


def known_neurons() -> list[str]:
    """Names of the neurons of which such numbers are there."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


@lru_cache
def known_of(neuron: str) -> dict[str, Any]:
    """Return the numbers of one neuron."""
    found: dict[str, Any] = json.loads((_FOLDER / f"{neuron}.json").read_text(encoding="utf-8"))
    return found
