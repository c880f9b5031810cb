"""A posterior over members: conductances, current and noise given a recording, by importance sampling.

A search finds members that fire within the recording's own variability (see
`spike2pop_nb.fidelity.evolution`). Around these others are drawn and simulated, each with noise of its own;
around those that fire alike, others again. All that fire within the variability count, weighted by the prior
over the density that they were drawn from: approximate Bayesian computation (Sisson, Fan and Beaumont 2018,
doi:10.1201/9781315117195) by population Monte Carlo (Beaumont et al. 2009, doi:10.1093/biomet/asp052), in
which every round counts (Cornuet et al. 2012, doi:10.1111/j.1467-9469.2011.00756.x).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import gaussian_kde

from spike2pop_nb.conductances import Population
from spike2pop_nb.conductances.member_table import WEIGHT_COLUMN
from spike2pop_nb.errors import Cancelled, CompensationError, SpikeTrainError, check_whole
from spike2pop_nb.fidelity.drawn_posterior import DrawnPosterior, effective
from spike2pop_nb.fidelity.evolution import Evolution
from spike2pop_nb.fidelity.prior import MemberPrior
from spike2pop_nb.fidelity.search import atlas_of
from spike2pop_nb.fidelity.variability import LONGEST_MS, Variability
from spike2pop_nb.inference.drive import check_current
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.spiketrains import SpikeTrain
from spike2pop_nb.spiketrains.given import as_train

__all__ = ["sample_posterior"]

FloatArray = npt.NDArray[np.float64]
Progress = Callable[[int, int, str], None]
_SEARCHED = 16  # members that the search is to find
_AT_ONCE, _FEWEST_ROUNDS = 512, 6  # members drawn in a round; rounds after which a sample may be enough
_WIDER = math.sqrt(2.0)  # than the members themselves are those drawn around them
_CENTRES = 256  # members around which others are drawn, at most
_START, _APART = 48, 0.01  # members begun with; SD of their quantiles, so that no two are the same
_FEWEST_NEAR = 32  # members around which others are drawn, even if they are not within the variability
_EFFECTIVE = 2 / 3  # effective sample size sought, as a share of the members
_MOST_SIZE = 4096


def sample_posterior(
    train: SpikeTrain,
    neuron: str | NeuronModel,
    *,
    size: int = 384,
    seed: int = 1,
    budget: int = 24_576,
    accuracy: str = "standard",
    inhibition: bool | None = None,
    current: float | None = None,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
    workers: int | None = None,
) -> DrawnPosterior:
    """Draw members from the posterior over conductances, current and noise, given a recording.

    A population of `find_population` shows how different members can be that fire alike: they are spread out,
    and how often conductances come up in it means nothing. Members of a posterior come up as often as they
    are probable, given the recording and a prior (see `MemberPrior`), and so their means, intervals and
    correlations have a meaning. Given is that a member fires within the recording's own `Variability`.

    Parameters
    ----------
    train
        The recording: a `SpikeTrain`, times in ms, or a train of neo, pynapple or quantities in its own unit.
    neuron
        A neuron or its name.
    size
        Members wanted, up to 4096; the effective sample size sought is two thirds of that.
    seed
        The same seed gives the same members, for any number of workers.
    budget
        Most simulations of a member, at most half of which search for the first ones.
    accuracy
        Of the simulation of the members that are kept, ``"standard"`` or ``"exact"``; they are found by
        those that are cheaper, as in a search.
    inhibition
        Whether members receive a rhythmic inhibition, as `find_population` has it.
    current
        Constant current that all members receive, in µA/cm², where it is known; it is then given, and not
        part of the posterior.
    progress
        Called with (done, total, words).
    cancel
        Polled often.
    workers
        Threads; all cores by default.

    Returns
    -------
    DrawnPosterior

    Raises
    ------
    CompensationError
        If the size, budget or current makes no sense.
    SpikeTrainError
        If the recording is too short to say how it varies, or no member of the neuron is found that fires
        within its variability.
    Cancelled
        If ``cancel`` said so.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> found = s2p.sample_posterior(train, "stg", size=8, budget=1024, seed=1)
    >>> found.to_frame()["value"].tolist()
    ['Na', 'Kd', 'CaT', 'CaS', 'KCa', 'A', 'H', 'leak', 'I', 'σ']
    """
    model, train = get_neuron(neuron), as_train(train)
    _check(size, budget, seed)
    check_current(current)
    own = Variability.of(train, longest_ms=LONGEST_MS)
    search = _searched(train, model, own, seed, budget, accuracy, inhibition, current, progress, cancel)
    first = [member for member, _seed, _said in search.kept]
    near = search.x[np.argsort(search.cost, kind="stable")[: max(0, _START - len(first))]]
    known = search.prior.quantiles(np.concatenate([first, near]))
    cloud = _Cloud(search.prior, own, search.window_ms, known, seed, cancel, workers)
    while (left := budget - search.n_simulated - cloud.n_drawn) > 0:
        cloud.move(min(_AT_ONCE, left))
        n = effective(cloud.weights)
        if progress is not None:
            words = f"{cloud.n_drawn} members simulated, effective sample size {n:.0f}"
            progress(search.n_simulated + cloud.n_drawn, budget, words)
        if n >= _EFFECTIVE * size and cloud.tolerance <= 1.0 and len(cloud.rounds) >= _FEWEST_ROUNDS:
            break
    return _drawn(cloud, train, size, seed, accuracy, search.n_simulated)


def _check(size: Any, budget: Any, seed: Any) -> None:
    check_whole("size", size, 1, _MOST_SIZE, CompensationError)
    check_whole("seed", seed, 0, None, CompensationError)
    if not (isinstance(budget, (int, np.integer)) and budget >= size):
        raise CompensationError(
            f"The budget must be a whole number of at least the size ({size}), not {budget!r}."
        )


def _searched(
    train: SpikeTrain,
    neuron: NeuronModel,
    own: Variability,
    seed: int,
    budget: int,
    accuracy: str,
    inhibition: bool | None,
    current: float | None,
    progress: Progress | None,
    cancel: Callable[[], bool] | None,
) -> Evolution:
    """Search for members within the variability; refuse a recording for which there are none."""

    def say(_done: int, _total: int, words: str) -> None:
        if progress is not None:
            progress(search.n_simulated, budget, words)

    atlas = atlas_of(neuron)
    search = Evolution(
        train, neuron, None, _SEARCHED, seed, accuracy, own, atlas, say, cancel, inhibition, current
    )
    search.run(max(2, budget // 2))
    if search.cancelled:
        raise Cancelled("Drawing a posterior was cancelled.")
    if not search.kept:
        raise SpikeTrainError(
            f"There is no posterior of recording {train.id!r}: none of {search.n_tried} {neuron.name} "
            f"neurons tried fires within its own variability ({search.stopped}). Ask which neuron fits."
        )
    return search


class _Cloud:
    """Members that were drawn and simulated, and their weights.

    Parameters
    ----------
    prior, own
        Of the members, and how far from the recording they may be.
    window_ms
        How much of each is compared with the recording.
    first
        Quantiles (n, d) of members to begin around.
    seed, cancel, workers
        As `sample_posterior` has them.
    """

    def __init__(
        self,
        prior: MemberPrior,
        own: Variability,
        window_ms: float,
        first: FloatArray,
        seed: int,
        cancel: Callable[[], bool] | None = None,
        workers: int | None = None,
    ) -> None:
        self.prior, self.own, self.window_ms = prior, own, window_ms
        self.cancel, self.workers = cancel, workers
        self.rng = np.random.default_rng(seed)
        self.u = np.zeros((0, first.shape[1]))  # quantiles of members
        self.distance = np.zeros(0)  # from the recording, in units of its variability
        self.rounds: list[tuple[gaussian_kde, float]] = []  # each density, and how often it was drawn from
        self.near = np.clip(first + _APART * self.rng.normal(size=first.shape), 0.0, 1.0)
        self.weights = np.full(len(first), 1.0 / len(first))
        self.tolerance = math.inf

    @property
    def n_drawn(self) -> int:
        """Members drawn so far."""
        return len(self.u)

    def move(self, n: int) -> None:
        """Draw members around those that are near, simulate them, and weigh all."""
        rows, kept = _chosen(self.weights, _CENTRES, self.rng)
        around = gaussian_kde(self.near[rows].T, _WIDER, kept)
        u, n_draws = self.around(around, n)
        found = self.own.distances(self.fired(u, "screening")[0])
        self.u, self.distance = np.concatenate([self.u, u]), np.concatenate([self.distance, found])
        self.rounds.append((around, n_draws))
        self.weigh()

    def around(self, density: gaussian_kde, n: int) -> tuple[FloatArray, float]:
        """Draw n members of a density that the prior allows; return them, and how many draws it takes."""
        found, n_tried, n_found = [], 0, 0
        while n_found < n:
            u = density.resample(8 * n, self.rng).T
            found.append(u[((u > 0.0) & (u < 1.0)).all(axis=1)])
            n_tried, n_found = n_tried + len(u), n_found + len(found[-1])
        return np.concatenate(found)[:n], n * n_tried / n_found

    def fired(self, u: FloatArray, accuracy: str) -> tuple[list[FloatArray], npt.NDArray[np.uint64]]:
        """Simulate members; return their spikes, and the seeds of their noise."""
        seeds = self.rng.integers(0, 2**63, len(u), dtype=np.uint64)
        trains = self.prior.fired(
            u, seeds, self.window_ms, accuracy=accuracy, cancel=self.cancel, workers=self.workers
        )
        return trains, seeds

    def weigh(self) -> None:
        """Weigh members within the variability, or the nearest while there are few."""
        self.tolerance = max(1.0, float(np.sort(self.distance)[:_FEWEST_NEAR][-1]))
        self.near = self.u[self.distance <= self.tolerance]
        drawn = np.array([n_draws * density(self.near.T) for density, n_draws in self.rounds])
        weights = 1.0 / drawn.sum(axis=0)
        # as Ionides has it (2008, doi:10.1198/106186008X320456): none is more than √n of them
        weights = np.minimum(weights, weights.sum() / math.sqrt(len(weights)))
        self.weights = weights / weights.sum()


def _drawn(
    cloud: _Cloud, train: SpikeTrain, size: int, seed: int, accuracy: str, n_searched: int
) -> DrawnPosterior:
    """Choose members by weight, and simulate them as they are kept, with other noise."""
    if math.isinf(cloud.tolerance):
        raise SpikeTrainError(
            f"There is no posterior of recording {train.id!r}: hardly any of {cloud.n_drawn} "
            f"{cloud.prior.neuron.name} neurons drawn fires in its pattern. A larger budget may find more."
        )
    rows, kept = _chosen(cloud.weights, size, cloud.rng)
    u, prior = cloud.near[rows], cloud.prior
    trains, seeds = cloud.fired(u, accuracy)
    values = prior.values(u)
    n_simulated, n_effective = n_searched + cloud.n_drawn, effective(cloud.weights)
    made_by = {
        "found_by": "posterior",
        "neuron": prior.neuron.name,
        "size": size,
        "seed": seed,
        "accuracy": accuracy,
        "simulated": n_simulated,
        "tolerance": cloud.tolerance,
        "effective_sample_size": n_effective,
    }
    g, drive = values[:, : prior.neuron.n_channels], prior.drive(values)
    population = Population.from_g(prior.neuron, g, id=train.id, made_by=made_by, noise_seeds=seeds, **drive)
    table = population.table.assign(**{WEIGHT_COLUMN: kept})
    return DrawnPosterior(
        recording=train,
        prior=prior,
        population=Population(prior.neuron, table, made_by),
        spike_times_ms=trains,
        length_ms=cloud.window_ms,
        n_effective=min(n_effective, effective(kept)),
        tolerance=cloud.tolerance,
        n_simulated=n_simulated,
        within=float((cloud.own.distances(trains) <= 1.0).mean()),
    )


def _chosen(
    weights: FloatArray, size: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Choose members with probabilities by their weights, none twice; return rows, and weights that sum to 1.

    Those too heavy to be one of many of equal weight keep what they have beyond that.
    """
    scale = size / weights.sum()
    for _ in range(50):  # until as many are to be expected as are wanted
        expected = np.minimum(weights * scale, 1.0).sum()
        if expected >= min(size, int(np.count_nonzero(weights))) - 1e-6:
            break
        scale *= size / expected
    share = np.minimum(weights * scale, 1.0)
    order = rng.permutation(len(weights))
    # one at each whole step of the summed probabilities
    ends = np.floor(np.cumsum(share[order]) + rng.random())
    rows = np.sort(order[np.diff(ends, prepend=0.0) > 0])
    kept = np.maximum(weights[rows] * scale, 1.0)
    return rows, kept / kept.sum()
