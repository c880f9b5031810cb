"""Members that an evolution begins with: of an atlas, from the declared ranges, with DICs of a posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import generate_population
from spike2pop_nb.errors import CompensationError

if TYPE_CHECKING:
    from spike2pop_nb.fidelity.evolution import Evolution
    from spike2pop_nb.inference.atlas import Atlas

__all__ = ["LITTLE_NOISE", "first_members"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
LITTLE_NOISE = 2.0
"""µA/cm², at most, of half of the members."""
_ABOUT = 0.25  # of an atlas, those with about the current that is known


def first_members(search: Evolution, n: int, quiet: BoolArray) -> FloatArray:
    """Return the values (n, d) that members begin with.

    Parameters
    ----------
    search
        What they are for.
    n
        How many.
    quiet : (n,)
        Which have little noise, or none where they come from nowhere near.
    """
    driven = slice(len(search.low) - (2 if search.current is None else 1), None)  # current, and noise
    if search.atlas is None:
        x = search.low + search.rng.random((n, len(search.low))) * (search.high - search.low)
        x[quiet, driven] = 0.0
    else:
        x = _nearest(search, search.atlas, n, quiet)
    started = _of_posterior(search, int(search.posterior_share * n))
    if len(started):
        x[-len(started) :, : started.shape[1]] = started
        x[-len(started) :][quiet[-len(started) :], driven] = 0.0
    return x


def _nearest(search: Evolution, atlas: Atlas, n: int, quiet: BoolArray) -> FloatArray:
    """Those of an atlas that fire most like the recording, with any rhythmic inhibition."""
    known = atlas.members
    order = np.argsort(atlas.distances(search.train.times_ms), kind="stable")
    if search.current is not None:
        far = np.abs(known.current - search.current)[order]
        order = order[far <= np.quantile(far, _ABOUT)]
    rows = np.resize(order, n)
    few = order[known.noise_sigma[order] <= LITTLE_NOISE]
    if len(few):
        rows[quiet] = np.resize(few, int(quiet.sum()))
    first, n_rhythm = search.neuron.n_channels, 2 if search.inhibited else 0
    low, high = search.low[first : first + n_rhythm], search.high[first : first + n_rhythm]
    rhythm = low + search.rng.random((n, n_rhythm)) * (high - low)
    current = [known.current[rows]] if search.current is None else []
    x = np.column_stack([known.g[rows], rhythm, *current, known.noise_sigma[rows]]).astype(float)
    x[quiet, -1] = np.minimum(x[quiet, -1], LITTLE_NOISE)
    return np.asarray(x)


def _of_posterior(search: Evolution, n: int) -> FloatArray:
    """Conductances with the DICs of the posterior, as far as these can be reached."""
    if search.posterior is None or not n:
        return np.zeros((0, search.neuron.n_channels))
    try:
        drawn = generate_population(search.neuron, search.posterior, n, seed=search.rng, id=search.train.id)
    except CompensationError:
        return np.zeros((0, search.neuron.n_channels))
    return drawn.g
