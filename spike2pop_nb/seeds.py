"""What draws random numbers, made of a seed that somebody gave."""

from __future__ import annotations

import numpy as np

from spike2pop_nb.errors import Spike2PopError, check_whole

__all__ = ["generator"]


def generator(
    seed: int | np.random.Generator, *stream: int, error: type[Spike2PopError] = Spike2PopError
) -> np.random.Generator:
    """Return what draws random numbers.

    Parameters
    ----------
    seed
        A whole number of at least 0; or a generator, which is returned as it is.
    stream
        Numbers that tell draws of one seed apart.
    error
        What to raise if it is no seed.

    Raises
    ------
    Spike2PopError
        If the seed is not a whole number, or below 0.

    Examples
    --------
    >>> generator(1).random() == generator(1).random()
    True
    >>> generator(1.5)
    Traceback (most recent call last):
    spike2pop_nb.errors.Spike2PopError: The seed must be a whole number of at least 0, not 1.5.
    """
    if isinstance(seed, np.random.Generator):
        return seed
    check_whole("seed", seed, 0, None, error)
    return np.random.default_rng([seed, *stream] if stream else seed)
