"""From a recording to a distribution over its dynamic input conductances.

PyTorch is imported when a predictor is first loaded, not before.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spike2pop_nb.inference.domain import DomainVerdict
from spike2pop_nb.inference.drift import Course
from spike2pop_nb.inference.posterior import (
    PRIORS,
    CredibleRegion,
    Network,
    Posterior,
    attempt_predictions,
    course_frame,
    predict_frame,
)

if TYPE_CHECKING:
    from spike2pop_nb.inference.predictor import Predictor

__all__ = [
    "PRIORS",
    "Course",
    "CredibleRegion",
    "DomainVerdict",
    "Network",
    "Posterior",
    "Predictor",
    "attempt_predictions",
    "course_frame",
    "find_weights",
    "list_predictors",
    "load_predictor",
    "own_weights_folder",
    "predict_frame",
]


def own_weights_folder() -> Path:
    """Folder of the networks that this user adapted; ``SPIKE2POP_NB_WEIGHTS`` names another."""
    import platformdirs

    chosen = os.environ.get("SPIKE2POP_NB_WEIGHTS")
    return Path(chosen) if chosen else platformdirs.user_data_path("spike2pop_nb") / "weights"


def find_weights() -> dict[str, Path]:
    """Weights file of each neuron that has a network: those shipped, and the user's own, which come first."""
    folders = (Path(__file__).parent / "weights", own_weights_folder())
    files = (path for folder in folders for path in sorted(folder.glob("*.safetensors")))
    return {path.stem: path for path in files if not path.stem.endswith(".base")}


def list_predictors() -> list[str]:
    """Names of the neurons that there is a network for."""
    return sorted(find_weights())


def load_predictor(neuron: Any, path: str | Path | None = None, device: Any = "cpu") -> Predictor:
    """Load the network of a neuron; see `spike2pop_nb.inference.predictor.load_predictor`."""
    from spike2pop_nb.inference.predictor import load_predictor as load

    return load(neuron, path, device)


def __getattr__(name: str) -> Any:
    if name == "Predictor":
        from spike2pop_nb.inference.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
