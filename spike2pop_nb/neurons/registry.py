"""The neurons that can be named: those of this package, of other packages, and the user's own files."""

from __future__ import annotations

import shutil
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons.model import NeuronModel
from spike2pop_nb.neurons.shipped import shipped_neurons
from spike2pop_nb.neurons.user_neurons import load_neuron, own_files, own_neurons_folder

__all__ = [
    "add_neuron",
    "broken_neurons",
    "get_neuron",
    "is_lasting",
    "list_neurons",
    "look_again",
    "register_neuron",
    "remove_neuron",
]

ENTRY_POINT_GROUP = "spike2pop_nb.neurons"
_registered: dict[str, NeuronModel] = {}
_of_session: set[str] = set()
_of_folder: set[str] = set()


def register_neuron(neuron: NeuronModel) -> NeuronModel:
    """Make a declaration available under its name in this session.

    Raises
    ------
    NeuronModelError
        If another neuron already has the name.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.neurons import register_neuron
    >>> warm = replace(s2p.get_neuron("stg"), name="warm_stg", V_th_mV=-52.0)
    >>> register_neuron(warm).name  # doctest: +SKIP
    """
    _load_entry_points()
    if neuron.name not in _registered:
        _of_session.add(neuron.name)
    return _register(neuron)


def _register(neuron: NeuronModel) -> NeuronModel:
    if _registered.setdefault(neuron.name, neuron) is not neuron:
        raise NeuronModelError(f"A neuron named {neuron.name!r} is already declared; choose another name.")
    return neuron


@cache
def _load_entry_points() -> None:
    """Register the neurons of this package, then those of others."""
    for neuron in shipped_neurons():
        _register(neuron)
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        neuron = entry.load()
        if not isinstance(neuron, NeuronModel):
            raise NeuronModelError(f"The entry point {entry.name!r} of {entry.value} is not a NeuronModel.")
        _register(neuron)


@cache
def _load_own() -> dict[str, str]:
    """Register the user's own neurons; return why some of their files cannot be used."""
    broken = {}
    for path in own_files():
        try:
            _of_folder.add(_register(load_neuron(path)).name)
        except NeuronModelError as error:
            broken[path.stem] = str(error)
    return broken


def look_again() -> None:
    """Read the folder of the user's own neurons anew when a neuron is next asked for."""
    for name in _of_folder:
        _registered.pop(name, None)
    _of_folder.clear()
    _load_own.cache_clear()


def broken_neurons() -> dict[str, str]:
    """Return ``{name: sentence}`` for the user's own files that cannot be used.

    Examples
    --------
    >>> from spike2pop_nb.neurons import broken_neurons
    >>> isinstance(broken_neurons(), dict)
    True
    """
    _load_entry_points()
    return dict(_load_own())


def add_neuron(path: str | Path) -> NeuronModel:
    """Copy a declaration to the user's own neurons, so that it can be used by name from now on.

    A neuron that the user added before under the same name is replaced.

    Raises
    ------
    NeuronModelError
        If the file is no declaration, or its name is that of a neuron of this or another package.

    Examples
    --------
    >>> from spike2pop_nb.neurons import add_neuron
    >>> add_neuron("my_neuron.py")  # doctest: +SKIP
    """
    neuron = load_neuron(path)
    target = own_neurons_folder() / f"{neuron.name}.py"
    if neuron.name in list_neurons() and not target.is_file():
        raise NeuronModelError(f"A neuron named {neuron.name!r} is already declared; choose another name.")
    if neuron.name in {shipped.name for shipped in shipped_neurons()}:
        raise NeuronModelError(f"The name {neuron.name!r} is that of a shipped neuron; choose another name.")
    if target.resolve() != Path(path).resolve():
        part = target.with_name(target.name + ".part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, part)
            part.replace(target)
        except OSError as error:
            raise NeuronModelError(f"{target} cannot be written: {error.strerror or error}.") from None
    _registered[neuron.name] = neuron
    _of_session.discard(neuron.name)
    _of_folder.add(neuron.name)
    _load_own().pop(neuron.name, None)
    return neuron


def remove_neuron(name: str) -> None:
    """Delete one of the user's own neurons.

    Raises
    ------
    NeuronModelError
        If the user has added no neuron of this name.

    Examples
    --------
    >>> from spike2pop_nb.neurons import remove_neuron
    >>> remove_neuron("my_neuron")  # doctest: +SKIP
    """
    own = {path.stem: path for path in own_files()}
    if name not in own:
        raise NeuronModelError(
            f"There is no neuron {name!r} of your own; there is {', '.join(own) or 'none'}."
        )
    broken = _load_own().pop(name, None)
    own[name].unlink()
    if broken is None:
        _registered.pop(name, None)


def is_lasting(neuron: NeuronModel) -> bool:
    """Return whether every process finds this declaration by its name: it was not registered in this one."""
    return _registered.get(neuron.name) is neuron and neuron.name not in _of_session


def list_neurons() -> list[str]:
    """Return the names of all neurons that can be used.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> {"da", "stg"} <= set(s2p.list_neurons())
    True
    """
    _load_entry_points()
    _load_own()
    return list(_registered)


def get_neuron(neuron: str | NeuronModel) -> NeuronModel:
    """Return a declaration by its name; a declaration is returned as it is.

    Raises
    ------
    NeuronModelError
        If no neuron has this name, or the user's own file of this name cannot be used.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> s2p.get_neuron("da").title
    'DA neuron (midbrain dopaminergic)'
    """
    if isinstance(neuron, NeuronModel):
        return neuron
    _load_entry_points()
    broken = _load_own()
    name = str(neuron).strip().lower()
    found = _registered.get(name)
    if found is None:
        if name in broken:
            raise NeuronModelError(f"Your own neuron {name!r} cannot be used: {broken[name]}")
        raise NeuronModelError(f"There is no neuron {neuron!r}; choose one of {', '.join(_registered)}.")
    return found
