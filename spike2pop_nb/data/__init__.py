"""Example recordings that come with the package; README.md beside them says how `make` simulated them."""

from __future__ import annotations

from pathlib import Path

from spike2pop_nb.errors import SpikeTrainError

__all__ = ["example_path", "list_examples"]

_HERE = Path(__file__).resolve().parent
_SUFFIXES = frozenset({".csv", ".txt", ".npy", ".npz", ".mat"})


def list_examples() -> list[str]:
    """File names of the example recordings, sorted.

    Examples
    --------
    >>> from spike2pop_nb.data import list_examples
    >>> list_examples()
    ['da_set.csv', 'hard_set.csv', 'stg_set.csv']
    """
    return sorted(path.name for path in _HERE.iterdir() if path.suffix in _SUFFIXES)


def example_path(name: str) -> Path:
    """Path of an example recording.

    Parameters
    ----------
    name : str
        One of `list_examples`, with or without its suffix.

    Returns
    -------
    Path
        An existing file.

    Raises
    ------
    SpikeTrainError
        When there is no example of that name.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> s2p.example_path("stg_set").name
    'stg_set.csv'
    """
    for known in list_examples():
        if name in (known, Path(known).stem):
            return _HERE / known
    raise SpikeTrainError(f"There is no example {name!r}; the examples are {', '.join(list_examples())}.")
