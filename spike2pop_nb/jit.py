"""Compile with Numba: machine code is kept on disk where it can be, and in memory alone where it cannot."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any

import numba as nb

__all__ = ["is_kept", "jit", "words"]


def jit(*, also: Sequence[ModuleType] = (), **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function as `numba.njit` does, with a cache where one can be written.

    The cache notices changes of the file in which the function stands, and of the modules named in ``also``.

    A package installed where nobody may write, for a user without a home, has no place for a cache: Numba
    then refuses to compile at all, and on a full disk it fails after it has compiled. Here both compile in
    memory.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            made = nb.njit(cache=True, **options)(function)
        except RuntimeError:  # no locator available
            return nb.njit(**options)(function)
        cache = made._cache  # Numba has no public name for it, nor for the stamp of what was compiled
        stamps = [os.stat(str(module.__file__)) for module in also]
        index = cache._cache_file
        index._source_stamp = (index._source_stamp, *((s.st_mtime, s.st_size) for s in stamps))
        save = cache.save_overload

        def save_if_possible(signature: Any, data: Any) -> None:
            with suppress(OSError):
                save(signature, data)

        cache.save_overload = save_if_possible
        return made

    return decorate


def is_kept(function: Any) -> bool:
    """Return whether the machine code of a function has a place on disk."""
    return getattr(getattr(function, "_cache", None), "cache_path", None) is not None


def words(function: Any) -> str:
    """Return what to say before a function is compiled."""
    if is_kept(function):
        return "Compiling the simulator, once on this machine (about ten seconds)"
    return (
        "Compiling the simulator (about ten seconds, at each start: neither the folder of spike2pop_nb nor a "
        "home can be written to; NUMBA_CACHE_DIR may name a folder that can)"
    )
