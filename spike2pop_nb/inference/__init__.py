"""From a recording to a distribution over its dynamic input conductances.

PyTorch is imported when a predictor is first loaded, not before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spike2pop_nb.inference.posterior import CredibleRegion, Posterior, predict_frame

if TYPE_CHECKING:
    from spike2pop_nb.inference.predictor import Predictor

__all__ = [
    "CredibleRegion",
    "Posterior",
    "Predictor",
    "list_predictors",
    "load_predictor",
    "predict_frame",
]


def list_predictors() -> list[str]:
    """Names of the neurons that a network is shipped for."""
    return sorted(path.stem for path in (Path(__file__).parent / "weights").glob("*.safetensors"))


def load_predictor(neuron: Any, path: str | Path | None = None, device: Any = "cpu") -> Predictor:
    """Load the network of a neuron; see `spike2pop_nb.inference.predictor.load_predictor`."""
    from spike2pop_nb.inference.predictor import load_predictor as load

    return load(neuron, path, device)


def __getattr__(name: str) -> Any:
    if name == "Predictor":
        from spike2pop_nb.inference.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
