"""Which networks and atlases there are: the files that were shipped, and those of this user."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

import platformdirs

from spike2pop_nb.neurons import NeuronModel, get_neuron, list_neurons

__all__ = [
    "SHIPPED_ATLASES",
    "find_atlas",
    "find_network",
    "find_weights",
    "list_atlases",
    "list_predictors",
    "network_words",
    "own_atlases_folder",
    "own_weights_folder",
]

_SHIPPED = Path(__file__).parent / "weights"
SHIPPED_ATLASES = Path(__file__).parent / "atlases"


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


def own_atlases_folder() -> Path:
    """Folder of the atlases that were made here, within that of this user's networks.

    Examples
    --------
    >>> from spike2pop_nb.inference import own_atlases_folder
    >>> own_atlases_folder().name
    'atlases'
    """
    return own_weights_folder() / "atlases"


def find_atlas(neuron: str | NeuronModel) -> Path | None:
    """Return the file of the atlas of a neuron as it is declared now; None if there is none.

    One that was made of another declaration of the same name does not count.

    Examples
    --------
    >>> from spike2pop_nb.inference import find_atlas
    >>> find_atlas("stg").name
    'stg.safetensors'
    """
    if isinstance(neuron, str) and neuron not in list_neurons():
        return None
    model = get_neuron(neuron)
    for folder in (own_atlases_folder(), SHIPPED_ATLASES):
        path = folder / f"{model.name}.safetensors"
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            continue
        if _made_of(path, changed) == model.declaration:
            return path
    return None


@lru_cache(maxsize=256)
def _made_of(path: Path, _changed: int) -> str:
    """Return the declaration that an atlas was made of, from the header of its file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return str(json.loads((file.metadata() or {})["spike2pop_nb"])["atlas"]["declaration"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return ""


def find_network(neuron: str, current: float | None = None) -> Path | None:
    """Return the file from which the DICs of a neuron are predicted: its network, or else its atlas.

    The atlas comes first where a current other than none is known, as it is told of it.

    Examples
    --------
    >>> from spike2pop_nb.inference import find_network
    >>> find_network("pyloric").parent.name, find_network("stg").parent.name
    ('atlases', 'weights')
    """
    large = find_weights().get(neuron)
    return (find_atlas(neuron) or large) if current or large is None else large


def list_atlases() -> list[str]:
    """Names of the neurons that have an atlas.

    Examples
    --------
    >>> from spike2pop_nb.inference import list_atlases
    >>> {"da", "pyloric", "stg"} <= set(list_atlases())
    True
    """
    return [name for name in list_neurons() if find_atlas(name) is not None]


def list_predictors() -> list[str]:
    """Names of the neurons that have a network, of their own or with their atlas.

    Examples
    --------
    >>> from spike2pop_nb.inference import list_predictors
    >>> {"da", "stg"} <= set(list_predictors())
    True
    """
    return sorted({*find_weights(), *list_atlases()})


def network_words(neuron: str) -> str:
    """Say whether a neuron has a network, and what to do if it has none; one sentence.

    Examples
    --------
    >>> from spike2pop_nb.inference import network_words
    >>> network_words("da")
    'A network is shipped with it.'
    """
    path = find_weights().get(neuron)
    if path is None and find_atlas(neuron) is not None:
        return (
            "It has an atlas, from which DICs, current and noise are predicted; "
            f"`spike2pop adapt --neuron {neuron} --out DIR` makes a larger network, in hours."
        )
    if path is None:
        return (
            "It has no network, so DICs are not predicted for it, and members are sought in all of its "
            f"declared ranges; `spike2pop atlas --neuron {neuron}` changes that in minutes."
        )
    return "A network is shipped with it." if path.parent == _SHIPPED else "It has a network of your own."
