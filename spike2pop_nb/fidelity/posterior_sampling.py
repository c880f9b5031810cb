"""A posterior over members: conductances, current and noise given a recording, by importance sampling.

Members are drawn from what the neuron's firing tells (see `spike2pop_nb.fidelity.learned_posterior`) and
simulated, each with noise of its own and for as long as the recording. Those that fire as it does, up to a
tolerance, are kept, weighted by the prior over the density that they were drawn from: approximate Bayesian
computation (Sisson, Fan and Beaumont 2018, doi:10.1201/9781315117195) with summaries that were learned. The
tolerance is as small as the wanted effective sample size allows. What is left of it is taken away as
Rodrigues, Prangle and Sisson do (2018, doi:10.1016/j.csda.2018.04.001): each member is moved to where, given
the recording, it has the rank that it has given its own spikes. Then it is simulated once more, and what it
fires is compared with the recording.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import Population
from spike2pop_nb.conductances.member_table import WEIGHT_COLUMN
from spike2pop_nb.errors import CompensationError, SpikeTrainError
from spike2pop_nb.fidelity.drawn_posterior import DrawnPosterior, effective
from spike2pop_nb.fidelity.learned_posterior import (
    FEWEST_SPIKES,
    LearnedPosterior,
    in_steps,
    load_posterior,
)
from spike2pop_nb.fidelity.variability import Variability
from spike2pop_nb.inference.atlas import WINDOW_MS
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import compiling_words, needs_compiling
from spike2pop_nb.spiketrains import SpikeTrain
from spike2pop_nb.spiketrains.given import as_train

__all__ = ["sample_posterior"]

FloatArray = npt.NDArray[np.float64]
Progress = Callable[[int, int, str], None]
_AT_ONCE = 1024
_REPEATED = 128  # members that are simulated twice, to see how far apart chance brings them
_TRIMMED = 0.8  # share of these that are nearest to themselves
_LEAST_VARIANCE = 1e-3  # of a summary by chance; over the prior it is 1
_WIDE = 0.1  # share of members drawn from the prior, so that no weight is large
_AS_NEAR = 1.0  # tolerance at which members are as near as two runs of one are
_NEAR_ENOUGH = 1.5  # tolerance for which no more members are drawn
_FAR, _TOLERANCES = 3.0, 64  # tolerance beyond which few members suffice; how many are tried, 5 % apart
_CENTRES, _FEW = 32, 32  # summaries that members are drawn for, and how many are needed to choose them
_EFFECTIVE = 2 / 3  # effective sample size sought, as a share of the members
_MOST_SIZE = 4096
_STEPS_MS = (1.0, 0.5, 0.2, 0.1, 0.05, 0.04, 0.02, 0.01)
_SAME_STEP = 1e-3


def sample_posterior(
    train: SpikeTrain,
    neuron: str | NeuronModel,
    *,
    size: int = 384,
    seed: int = 1,
    budget: int = 8192,
    accuracy: str = "standard",
    learned: LearnedPosterior | None = None,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
    workers: int | None = None,
) -> DrawnPosterior:
    """Draw members from the posterior over conductances, current and noise, given a recording.

    A population of `find_population` shows how different members can be that fire alike: they are spread out,
    and how often conductances come up in it means nothing. Members of a posterior come up as often as they
    are probable, given the recording and a prior (see `MemberPrior`), and so their means, intervals and
    correlations have a meaning.

    Parameters
    ----------
    train
        The recording: a `SpikeTrain`, times in ms, or a train of neo, pynapple or quantities in its own unit.
        Of one longer than 15 s, the middle.
    neuron
        A neuron or its name.
    size
        Members wanted, up to 4096; the effective sample size sought is two thirds of that.
    seed
        The same seed gives the same members, for any number of workers.
    budget
        Most members that are simulated to find them.
    accuracy
        Of the simulation of the members that are kept, ``"standard"`` or ``"exact"``; they are found by
        those that are cheaper, as in a search.
    learned
        What the neuron's firing tells; by default what is known, or else is learned first, which takes
        minutes, once for each neuron.
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
        If the size or budget makes no sense.
    SpikeTrainError
        If the recording has under 6 spikes, or no member of the neuron fires at all like it.
    Cancelled
        If ``cancel`` said so.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> found = s2p.sample_posterior(train, "stg", size=8, budget=96, seed=1)
    >>> found.to_frame()["value"].tolist()
    ['Na', 'Kd', 'CaT', 'CaS', 'KCa', 'A', 'H', 'leak', 'I', 'σ']
    """
    model, train = get_neuron(neuron), as_train(train)
    _check(size, budget)
    heard, length_ms = _middle(train)
    if len(heard) < FEWEST_SPIKES:
        raise SpikeTrainError(
            f"Recording {train.id!r} has {len(heard)} spikes; a posterior needs {FEWEST_SPIKES} or more."
        )
    known = load_posterior(model, progress=progress, cancel=cancel) if learned is None else learned
    if progress is not None and needs_compiling():
        progress(0, budget, compiling_words())
    cloud = _Cloud(known, heard, length_ms, seed, cancel, workers)
    while cloud.n_drawn < budget:
        cloud.draw(min(_AT_ONCE, budget - cloud.n_drawn))
        tolerance, weights = cloud.weighted(_EFFECTIVE * size)
        if progress is not None:
            words = f"{cloud.n_drawn} members simulated, effective sample size {effective(weights):.0f}"
            progress(cloud.n_drawn, budget, words)
        if tolerance <= _NEAR_ENOUGH and effective(weights) >= _EFFECTIVE * size:
            break
    if not weights.any():
        raise SpikeTrainError(
            f"None of {cloud.n_drawn} {model.name} neurons that were simulated fires at all like recording "
            f"{train.id!r}, so there is no posterior; `spike2pop which` says which neuron fits."
        )
    return _drawn(cloud, train, model, size, seed, tolerance, weights, accuracy)


def _check(size: Any, budget: Any) -> None:
    if not (isinstance(size, (int, np.integer)) and 1 <= size <= _MOST_SIZE):
        raise CompensationError(f"The size must be a whole number from 1 to {_MOST_SIZE}, not {size!r}.")
    if not (isinstance(budget, (int, np.integer)) and budget >= size):
        raise CompensationError(
            f"The budget must be a whole number of at least the size ({size}), not {budget!r}."
        )


def _middle(train: SpikeTrain) -> tuple[FloatArray, float]:
    """Return the spikes of a recording, or of the middle of a long one, and how long that is."""
    start, stop = train.window_ms or (train.times_ms[:1].sum(), train.times_ms[-1:].sum())
    if stop - start <= WINDOW_MS:
        return train.times_ms, stop - start
    start = 0.5 * (start + stop - WINDOW_MS)
    return train.times_ms[(train.times_ms >= start) & (train.times_ms <= start + WINDOW_MS)], WINDOW_MS


def _step_ms(times_ms: FloatArray) -> float:
    """Return the steps in which times are kept; 0 if there are none that matter."""
    for step in _STEPS_MS:
        if (np.abs(times_ms / step - np.round(times_ms / step)) < _SAME_STEP).all():
            return step
    return 0.0


class _Cloud:
    """Members that were drawn and simulated: quantiles, weights, and how far each is from the recording.

    The first are drawn from the density that was learned, given the recording; the others given what some of
    these fired that are near to it, so that they are spread as those are that will be kept. A tenth of all is
    drawn from the prior, which bounds the weights.
    """

    def __init__(
        self,
        learned: LearnedPosterior,
        heard: FloatArray,
        length_ms: float,
        seed: int,
        cancel: Callable[[], bool] | None,
        workers: int | None,
    ) -> None:
        self.learned, self.length_ms = learned, length_ms
        self.step_ms, self.cancel, self.workers = _step_ms(heard), cancel, workers
        self.rng = np.random.default_rng(seed)
        self.wanted = learned.summaries([heard])
        self.centres = [self.wanted]  # summaries that members are drawn for, first and afterwards
        self.n_of = [0]  # members drawn for each of these
        self.u = np.zeros((0, len(learned.prior.names)))
        self.density = np.zeros((0, 1))  # for each of the centres
        self.distance = np.zeros(0)  # in units of chance
        self.summaries = np.zeros((0, self.wanted.shape[1]))
        self.n_simulated = 0
        self.whitening = np.zeros((0, 0))  # of differences by chance; none yet
        self.by_chance = 1.0  # median distance of two runs of one member, before it is divided by

    @property
    def n_drawn(self) -> int:
        """Members drawn so far."""
        return len(self.u)

    def fired(
        self, u: FloatArray, accuracy: str = "screening"
    ) -> tuple[list[FloatArray], npt.NDArray[np.uint64]]:
        """Simulate members; return their spikes as they would be recorded, and the seeds of their noise."""
        seeds = self.rng.integers(0, 2**63, len(u), dtype=np.uint64)
        trains = self.learned.prior.fired(
            u, seeds, self.length_ms, accuracy=accuracy, cancel=self.cancel, workers=self.workers
        )
        self.n_simulated += len(u)
        return [in_steps(times, self.step_ms) for times in trains] if self.step_ms else trains, seeds

    def draw(self, n: int) -> None:
        """Draw members and simulate them."""
        d, centres = self.u.shape[1], self.centres[-1]
        u = self.rng.random((n, d))
        near = np.flatnonzero(self.rng.random(n) >= _WIDE)
        of = centres[self.rng.integers(len(centres), size=len(near))]
        u[near] = self.learned.drawn(of, self.rng.random((len(near), d)))[0]
        found = self.learned.summaries(self.fired(u)[0])
        if not self.whitening.size:
            self.measure_chance(u[near], found[near])
        far = np.sqrt((((found - self.wanted) @ self.whitening) ** 2).sum(axis=1)) / self.by_chance
        self.u, self.summaries = np.concatenate([self.u, u]), np.concatenate([self.summaries, found])
        self.distance = np.concatenate([self.distance, np.where(np.isfinite(far), far, np.inf)])
        density = np.column_stack([self.density_of(u, each) for each in self.centres])
        self.density = np.concatenate([self.density, density])
        self.n_of[-1] += n
        if len(self.centres) == 1:
            self.look_around()

    def density_of(self, u: FloatArray, centres: FloatArray) -> FloatArray:
        """Return how dense members are drawn (n,) for some centres."""
        of = np.repeat(centres, len(u), axis=0)
        found = np.exp(self.learned.ranked(of, np.tile(u, (len(centres), 1)))[1])
        return np.asarray((1.0 - _WIDE) * found.reshape(len(centres), -1).mean(axis=0) + _WIDE)

    def look_around(self) -> None:
        """From now on draw members for summaries that some have which are near to the recording."""
        _tolerance, weights = self.weighted(_FEW)
        if effective(weights) < _FEW / 2:
            return
        rows, _weights = _chosen(weights, _CENTRES, self.rng)
        self.centres.append(self.summaries[rows])
        self.n_of.append(0)
        self.density = np.column_stack([self.density, self.density_of(self.u, self.centres[-1])])

    def measure_chance(self, u: FloatArray, found: FloatArray) -> None:
        """Simulate those nearest to the recording again: how far from themselves other noise brings them."""
        far = np.nan_to_num(((found - self.wanted) ** 2).sum(axis=1), nan=np.inf)
        rows = np.argsort(far, kind="stable")[:_REPEATED]
        off = self.learned.summaries(self.fired(u[rows])[0]) - found[rows]
        off = off[np.isfinite(off).all(axis=1)]
        n, k = off.shape

        def whitening() -> FloatArray:
            values, vectors = np.linalg.eigh(off.T @ off / max(len(off), 1) + _LEAST_VARIANCE * np.eye(k))
            return np.asarray(vectors / np.sqrt(values))

        def apart() -> FloatArray:
            return np.sqrt(((off @ whitening()) ** 2).sum(axis=1))

        off = off[np.argsort(apart(), kind="stable")[: math.ceil(_TRIMMED * n)]]
        self.whitening = whitening()
        self.by_chance = max(float(np.median(apart())), 1.0) if n else 1.0

    def weighted(self, wanted: float) -> tuple[float, FloatArray]:
        """Return the smallest tolerance with this effective sample size, and the weights (n,) with it.

        It is at least 1, and more than 3 only if no tolerance up to that has an effective sample size of a
        quarter of that. If none has it, it is that up to which most is gained.
        """
        tried = []
        for tolerance in _AS_NEAR * 1.05 ** np.arange(_TOLERANCES):
            weights = self.kernel(float(tolerance))
            n = effective(weights)
            if n >= (wanted if tolerance <= _FAR else 0.25 * wanted):
                return float(tolerance), weights
            tried.append((n, float(tolerance)))
            if tolerance > _FAR and max(tried)[0] >= 0.25 * wanted:
                break
        best = max(tried)[1]
        return best, self.kernel(best)

    def kernel(self, tolerance: float) -> FloatArray:
        """Return the weights (n,) of members with a tolerance."""
        drawn = self.density @ (np.array(self.n_of) / max(1, self.n_drawn))
        weights = np.clip(1.0 - (self.distance / tolerance) ** 2, 0.0, None) / drawn
        n = int(np.count_nonzero(weights))
        # as Ionides has it (2008, doi:10.1198/106186008X320456): none is more than √n of them
        return np.asarray(np.minimum(weights, weights.sum() / math.sqrt(max(n, 1))))


def _drawn(
    cloud: _Cloud,
    train: SpikeTrain,
    neuron: NeuronModel,
    size: int,
    seed: int,
    tolerance: float,
    weights: FloatArray,
    accuracy: str,
) -> DrawnPosterior:
    rows, kept = _chosen(weights, size, cloud.rng)
    # to where it has, given the recording, the rank that it has given its own spikes
    ranks = cloud.learned.ranked(cloud.summaries[rows], cloud.u[rows])[0]
    u = cloud.learned.drawn(np.repeat(cloud.wanted, len(rows), axis=0), ranks)[0]
    trains, seeds = cloud.fired(u, accuracy)
    values = cloud.learned.prior.values(u)
    made_by = {
        "found_by": "posterior",
        "neuron": neuron.name,
        "size": size,
        "seed": seed,
        "accuracy": accuracy,
        "simulated": cloud.n_simulated,
        "tolerance": tolerance,
        "effective_sample_size": effective(weights),
    }
    population = Population.from_g(
        neuron,
        values[:, :-2],
        id=train.id,
        made_by=made_by,
        current=values[:, -2],
        noise_sigma=values[:, -1],
        noise_seeds=seeds,
    )
    population = Population(neuron, population.table.assign(**{WEIGHT_COLUMN: kept}), made_by)
    return DrawnPosterior(
        recording=train,
        prior=cloud.learned.prior,
        population=population,
        spike_times_ms=trains,
        length_ms=cloud.length_ms,
        n_effective=min(effective(weights), effective(kept)),
        tolerance=tolerance,
        n_simulated=cloud.n_simulated,
        within=_within(train, trains),
    )


def _chosen(
    weights: FloatArray, size: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], FloatArray]:
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


def _within(train: SpikeTrain, trains: list[FloatArray]) -> float | None:
    """Return the share of trains within the recording's own variability; None where it is unknown."""
    try:
        own = Variability.of(train, longest_ms=WINDOW_MS)
    except SpikeTrainError:
        return None
    return float(np.mean([own.distance(times) <= 1.0 for times in trains]))
