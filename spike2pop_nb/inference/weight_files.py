"""Which networks there are: the files of weights that were shipped, and those of this user."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["find_weights", "list_predictors", "network_words", "own_weights_folder"]

_SHIPPED = Path(__file__).parent / "weights"


def own_weights_folder() -> Path:
    """Folder of the networks that this user adapted; ``SPIKE2POP_NB_WEIGHTS`` names another.

    Examples
    --------
    >>> from spike2pop_nb.inference import own_weights_folder
    >>> own_weights_folder().is_absolute()
    True
    """
    chosen = os.environ.get("SPIKE2POP_NB_WEIGHTS")
    return Path(chosen) if chosen else platformdirs.user_data_path("spike2pop_nb") / "weights"


def find_weights() -> dict[str, Path]:
    """Weights file of each neuron that has a network: those shipped, and the user's own, which come first.

    Examples
    --------
    >>> from spike2pop_nb.inference import find_weights
    >>> find_weights()["stg"].suffix
    '.safetensors'
    """
    folders = (_SHIPPED, own_weights_folder())
    files = (path for folder in folders for path in sorted(folder.glob("*.safetensors")))
    return {path.stem: path for path in files if not path.stem.endswith(".base")}


def list_predictors() -> list[str]:
    """Names of the neurons that have a network.

    Examples
    --------
    >>> from spike2pop_nb.inference import list_predictors
    >>> {"da", "stg"} <= set(list_predictors())
    True
    """
    return sorted(find_weights())


def network_words(neuron: str) -> str:
    """Say whether a neuron has a network, and what to do if it has none; one sentence.

    Examples
    --------
    >>> from spike2pop_nb.inference import network_words
    >>> network_words("da")
    'A network is shipped with it.'
    """
    path = find_weights().get(neuron)
    if path is None:
        return (
            "It has no network, so DICs are not predicted for it, and members are sought in all of its "
            f"declared ranges; `spike2pop adapt --neuron {neuron} --out DIR` makes one."
        )
    return "A network is shipped with it." if path.parent == _SHIPPED else "It has a network of your own."
