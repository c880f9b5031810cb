"""Members found by evolution: conductances, a constant current and noise, moved until they fire alike.

Where a recording is no clock, members need noise to be like it. Then those members of the neuron's atlas that
fire most like it are moved. Without an atlas, members are drawn from the ranges that the neuron declares, and
from the posterior, where there is one; a distribution that the user gave counts in any case.

They are moved by differential evolution (Storn and Price 1997, doi:10.1023/A:1008202821328; towards the
better ones as in JADE, Zhang and Sanderson 2009, doi:10.1109/TEVC.2009.2014613), each with the same noise all
the way, so that members are compared and not their luck, and over a few bursts, where the recording has them.
Of several moves the one is simulated that promises most (see `spike2pop_nb.fidelity.forecast`). Who comes
near fires over more windows, with other noise. Who is then within the recording's own variability is judged
with noise of its own, over three windows of the recording's length, and counts if it is still within it.
Passing members go on moving, so that many different ones are found, and those nearest to the recording kept.

Cells that follow a rhythm burst on the rebound from inhibition, which a current and noise do not give. Where
none comes within the variability of a recording that bursts, the search begins again with members that
receive a conductance with the rhythm of the recording, whose size and share of the period are moved, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import DICSampler
from spike2pop_nb.errors import Cancelled
from spike2pop_nb.fidelity.distinct import distinct
from spike2pop_nb.fidelity.first_members import LITTLE_NOISE, first_members
from spike2pop_nb.fidelity.forecast import Forecast
from spike2pop_nb.fidelity.moves import moves
from spike2pop_nb.fidelity.prior import MemberPrior
from spike2pop_nb.fidelity.variability import LONGEST_MS, PERIODS, Variability
from spike2pop_nb.inference.posterior import Posterior
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import Simulated, compiling_words, needs_compiling, simulate
from spike2pop_nb.spiketrains import SpikeTrain

if TYPE_CHECKING:
    from spike2pop_nb.inference.atlas import Atlas

__all__ = ["WINDOWS", "Evolution", "Member", "window_ms"]

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
WINDOWS = 3  # of the recording's length, on which a member is judged
_MOVING_PERIODS, _MOVING_MS = 4, 5000.0  # of bursts, and how long at least, while members move
_MOVING_WINDOWS = 2  # of those near enough: over three, slow bursts took a sixth longer and found no more
_LEAST, _MOST = 128, 1024  # members that move side by side
_SPARE, _LONGER = 1.9, 1.5  # members that pass for each that is kept; simulations that this may take
_FIRST_LOOK, _STALE, _PROGRESS = 4, 15, 0.99  # generations after which nothing is hoped for
_FAR, _STALE_FAR, _PROGRESS_FAR = 3.0, 6, 0.9  # the same for members as far as that; half of it with an atlas
_WITHOUT_INHIBITION = 5  # generations in which no member came within the variability
_FAR_WITHOUT = 4  # the same for members as far as that; half of it with an atlas, which holds what there is
_HOPELESS = 8.0  # cost of the best member of an atlas from which no search has come near
_OTHER_KIND, _SILENT = 100.0, 300.0  # cost of firing otherwise, and of not firing
_CLOSE_CALL = 0.5  # least cost above 1 of a member that was judged and did not pass
_CLOSE, _SHARE_CLOSE = 3.0, 0.25  # cost, and share of members below it, from which chance is averaged out
_SIDE_BY_SIDE = 16  # members that are judged at once
_PATIENCE, _LITTLE_PATIENCE = 3, 1  # generations they wait for others; while inhibition may yet be tried
_MOVES = 8  # of each member, of which one is made
_HOPEFUL = 1.5  # by which a member may cost more in one window than the one it would replace does in all
_OTHER_NOISE = np.uint64(0x9E3779B97F4A7C15)  # bits of a seed that are turned over
_SAMPLE_MS, _MOST_VALUES = 0.1, 50_000_000  # of voltages, and how many are kept at most
Member = tuple[FloatArray, np.uint64, dict[str, Any]]
"""Values as those of the prior; seed of the noise; verdict."""


def burst_period_ms(own: Variability) -> float:
    """Return the typical burst period of a recording that bursts."""
    return math.exp(own.wanted[own.names.index("burst period")])


def cost_of(off: FloatArray) -> FloatArray:
    """Return how far members are from the recording, up to 1 only within its variability.

    Parameters
    ----------
    off : (..., q)
        Their differences in tolerances, of either sign.
    """
    typical = (off**8).mean(axis=-1) ** 0.125  # mostly the worst, a little of the others
    return np.asarray(np.where(np.abs(off).max(axis=-1) <= 1.0, typical, 1.0 + typical))


def window_ms(train: SpikeTrain, own: Variability) -> float:
    """Return how much of a member is compared with a recording: as much, but no more than it takes."""
    if not own.bursting:
        return min(train.duration_ms, LONGEST_MS)
    period = burst_period_ms(own)
    # one burst more is cut than of a recording that begins and ends with one
    return min(train.duration_ms, max(LONGEST_MS, PERIODS * period)) + period


class Evolution:
    """One search.

    Parameters
    ----------
    train, neuron, posterior, size, seed, accuracy, progress, cancel
        As `find_population` has them.
    own
        The recording's variability over windows of `window_ms`.
    atlas
        Of the neuron; without one members come from the declared ranges.
    inhibition
        Whether members receive a rhythmic inhibition; by default if a recording bursts, and they do not come
        within its variability otherwise.
    current
        Of all members, in µA/cm², if it is known.
    """

    def __init__(
        self,
        train: SpikeTrain,
        neuron: NeuronModel,
        posterior: DICSampler | None,
        size: int,
        seed: int,
        accuracy: str,
        own: Variability,
        atlas: Atlas | None,
        progress: Callable[[int, int, str], None] | None,
        cancel: Callable[[], bool] | None,
        inhibition: bool | None = None,
        current: float | None = None,
    ) -> None:
        self.atlas, self.current = atlas, current
        self.inhibited = bool(inhibition) and own.bursting
        self.may_inhibit = inhibition is None and own.bursting
        self.hurry = 1 if atlas is None else 2  # with what stays far off
        self.without = 0  # generations that came not near without inhibition, before it was resorted to
        # networks know of no drive, and an atlas does
        known = posterior is None or (atlas is not None and isinstance(posterior, Posterior))
        self.posterior_share = 0.0 if known else 0.25 if atlas is not None else 0.5
        self.train, self.neuron, self.posterior, self.size, self.own = train, neuron, posterior, size, own
        self.accuracy, self.progress, self.cancel = accuracy, progress, cancel
        self.window_ms = window_ms(train, own)
        self.moving_ms = self.window_ms
        if own.bursting:
            few_ms = (_MOVING_PERIODS + 1) * burst_period_ms(own)
            self.moving_ms = min(self.window_ms, max(_MOVING_MS, few_ms))
        self.rng = np.random.default_rng(seed)
        self.n = min(max(_LEAST, 2 * size), _MOST)
        self.low, self.high = self.limits()
        self.x = np.zeros((0, len(self.low)))  # values as those of the prior
        self.off: list[FloatArray | None] = []
        self.cost, self.seeds = np.zeros(0), np.zeros(0, dtype=np.uint64)
        self.groups: list[Rows] = []  # of members that move by themselves
        self.most = np.zeros((0, len(self.low)))  # of each member
        self.kept: list[Member] = []  # those that pass
        self.n_windows, self.forecast = 1, Forecast()
        self.waiting: list[tuple[int, FloatArray]] = []  # rows and values of members that are to be judged
        self.waited = 0  # generations
        self.n_simulated = self.n_tried = self.budget = self.n_generations = 0
        self.sufficed = 0  # simulations after which as many passed as were asked for
        self.stopped = "the budget of simulations was spent"
        self.cancelled = False

    def limits(self) -> tuple[FloatArray, FloatArray]:
        """Return the least and most of each value."""
        low, high = self.prior.ranges.T.copy()
        leak = self.neuron.n_channels - 1
        low[leak] = max(low[leak], 1e-3 * high[leak])  # no member is without a leak
        return low, high

    def say(self, text: str) -> None:
        if self.progress is not None:
            self.progress(min(len(self.kept), self.size), self.size, text)

    def run(self, budget: int) -> None:
        """Search until enough members pass, the budget is spent, or nothing is to be hoped for."""
        self.budget, self.n = budget, max(1, min(self.n, budget // 2))
        if needs_compiling():
            self.say(compiling_words())
        try:
            self.move()
            if self.may_inhibit and not self.kept and self.affordable:
                self.inhibited, self.may_inhibit = True, False
                self.without = max(1, self.n_generations)  # the members drawn first are one
                self.move()
        except Cancelled:
            self.cancelled, self.stopped = True, "it was cancelled"

    def move(self) -> None:
        """Move members, from the beginning, until enough pass or nothing is to be hoped for."""
        self.begin()
        best, since = math.inf, 0
        far, since_far = math.inf, 0
        for generation in range(1, self.budget):
            if self.has_enough():
                return
            if self.n_simulated + self.n * self.n_windows > self.budget:
                self.stopped = f"the budget of {self.budget} simulations was spent"
                self.confirm(np.arange(0), at_last=True)
                return
            now = float(self.cost.min())
            if self.atlas is not None and now > _HOPELESS:
                self.stopped = "nothing in the atlas of the neuron comes near"
                return
            best, since = (now, 0) if now < _PROGRESS * best else (best, since + 1)
            far, since_far = (now, 0) if now < _PROGRESS_FAR * far else (far, since_far + 1)
            if now > _FAR and since_far >= _STALE_FAR // self.hurry:
                self.stopped = f"they hardly came nearer in {since_far} generations"
                return
            if generation > _FIRST_LOOK and now >= _OTHER_KIND:
                self.stopped = "none of them fired in its pattern"
                return
            if since >= _STALE and not self.kept:
                self.stopped = f"they came no nearer in {_STALE} generations"
                return
            tried = generation > (_WITHOUT_INHIBITION if now <= _FAR else _FAR_WITHOUT // self.hurry)
            if self.may_inhibit and tried and now > 1.0 and not self.kept:
                return
            with_it = " with rhythmic inhibition" if self.inhibited else ""
            so_far = f"{self.n_tried} members tried{with_it}"
            self.say(f"Generation {generation}, {so_far}, {len(self.kept)} passed")
            self.generation()
            if self.n_windows == 1 and (self.cost <= _CLOSE).mean() >= _SHARE_CLOSE:
                self.look_longer()
                best, since = math.inf, 0

    def has_enough(self) -> bool:
        """Whether enough members pass, with some to spare, so that the nearest can be kept."""
        if len(self.kept) < self.size:
            return False
        self.sufficed = self.sufficed or self.n_simulated
        return len(self.kept) >= _SPARE * self.size or self.n_simulated >= _LONGER * self.sufficed

    def begin(self) -> None:
        """Take twice as many members as move, half of them with little noise, and keep the better of each."""
        self.low, self.high = self.limits()
        self.n_windows, self.forecast, self.waiting = 1, Forecast(), []
        n = min(2 * self.n, self.budget - self.n_simulated)
        quiet = np.arange(n) % 2 == 0
        x = first_members(self, n, quiet)
        self.low, self.high = np.minimum(self.low, x.min(axis=0)), np.maximum(self.high, x.max(axis=0))
        seeds = self.rng.integers(0, 2**63, size=n, dtype=np.uint64)
        self.say(f"Simulating {n} members, {self.moving_ms / 1000:.3g} s of each")
        cost, off = self.rated(x, seeds, np.ones(n))
        self.n_tried += n
        order = np.argsort(cost, kind="stable")
        n_quiet = self.n // 2
        best = np.concatenate([order[quiet[order]][:n_quiet], order[~quiet[order]][: self.n - n_quiet]])
        self.n = len(best)
        self.x, self.seeds, self.cost, self.off = x[best], seeds[best], cost[best], [off[i] for i in best]
        self.groups = [np.arange(n_quiet), np.arange(n_quiet, self.n)]
        self.most = np.tile(self.high, (self.n, 1))
        self.most[:n_quiet, -1] = LITTLE_NOISE
        self.confirm(np.arange(self.n))

    def generation(self) -> None:
        """Move each member by differences of others, and towards a better one; keep what is no worse.

        Of several moves that is made which promises most, as far as the members known tell it.
        """
        self.n_generations += 1
        moved = self.forecast.best_of(
            [
                moves(self.x, self.cost, self.groups, self.low, self.most, self.rng)
                for _ in range(_MOVES if self.forecast.tells else 1)
            ],
            self.x.std(axis=0),
            cost_of,
        )
        hopeful = self.cost + _HOPEFUL if self.n_windows > 1 else np.ones(self.n)
        cost, off = self.rated(moved, self.seeds, hopeful)
        self.n_tried += self.n
        # who passes moves on among those that pass
        better_rows = np.flatnonzero((cost <= self.cost) | ((cost <= 1.0) & (self.cost <= 1.0)))
        self.x[better_rows], self.cost[better_rows] = moved[better_rows], cost[better_rows]
        for row in better_rows.tolist():
            self.off[row] = off[row]
        self.confirm(better_rows)

    def look_longer(self) -> None:
        """From now on have members fire over more windows, so that luck counts less; also those there are."""
        if self.affordable < self.n:
            return
        self.n_windows = _MOVING_WINDOWS
        self.waiting.clear()  # who is still near enough is so over all of them
        self.cost, self.off = self.rated(self.x, self.seeds, np.full(self.n, _CLOSE))
        self.confirm(np.arange(self.n))

    def rated(
        self, x: FloatArray, seeds: npt.NDArray[np.uint64], hopeful: FloatArray
    ) -> tuple[FloatArray, list[FloatArray | None]]:
        """Simulate members as they are screened; return their costs and differences.

        Members fire over all windows, in the others with other noise, only if they cost no more than
        ``hopeful``, (n,), in the first: what is far off there is so on average, too.
        """
        seen = self.fired(x, seeds, 1)
        by = self.own.deviations_of(seen)
        cost = np.array([self.cost_of(found, first) for found, (first,) in zip(by, seen, strict=True)])
        if len(rows := np.flatnonzero(cost <= hopeful)[: self.affordable]):
            others = self.fired(x[rows], seeds[rows] ^ _OTHER_NOISE, _MOVING_WINDOWS - 1)
            longer = [seen[row] + other for row, other in zip(rows.tolist(), others, strict=True)]
            for row, found in zip(rows.tolist(), self.own.deviations_of(longer), strict=True):
                by[row], cost[row] = found, self.cost_of(found, seen[row][0])
        if known := [row for row, found in enumerate(by) if found is not None]:
            self.forecast.add(x[known], np.array([by[row] for row in known]))
        return cost, [None if found is None else np.abs(found) for found in by]

    def fired(self, x: FloatArray, seeds: npt.NDArray[np.uint64], n: int) -> list[list[FloatArray]]:
        """Return what members fire in so many windows, as they are screened."""
        run = self.simulate(x, seeds, "screening", n, self.moving_ms)
        return [self.windows(times, n, self.moving_ms) for times in run.spike_times_ms]

    def cost_of(self, off: FloatArray | None, times_ms: FloatArray) -> float:
        """Return how far a member is from the recording, up to 1 only within its variability."""
        if off is None:
            far = self.own.apart(times_ms)
            return _SILENT - len(times_ms) if not math.isfinite(far) else _OTHER_KIND + 20.0 * far
        return float(cost_of(off))

    def confirm(self, rows: Rows, at_last: bool = False) -> None:
        """Have those that are near enough judged, with noise that they were not chosen by.

        What passes with the noise that it was moved with may owe it to that. A few take as long to simulate
        as many side by side, so they wait for others, but not for long.
        """
        self.waiting += [(row, self.x[row].copy()) for row in rows[self.cost[rows] <= 1.0].tolist()]
        self.waited = self.waited + 1 if self.waiting else 0
        due = at_last or self.waited > (_LITTLE_PATIENCE if self.may_inhibit else _PATIENCE)
        while (wanted := math.ceil(_SPARE * self.size) - len(self.kept)) > 0:
            most = _SIDE_BY_SIDE if wanted <= _SIDE_BY_SIDE else 2 * _SIDE_BY_SIDE  # on two processors
            n = min(len(self.waiting), most, self.affordable)
            if not n or (n < min(wanted, _SIDE_BY_SIDE) and not due):
                return
            self.judge([self.waiting.pop(0) for _ in range(n)])
            self.waited = 0

    def judge(self, near: list[tuple[int, FloatArray]]) -> None:
        """Judge members, given by their rows and values; keep who passes."""
        self.say(f"Checking {len(near)} members, {len(self.kept)} passed")
        x = np.array([member for _row, member in near])
        seeds = self.rng.integers(0, 2**63, size=len(near), dtype=np.uint64)
        run = self.simulate(x, seeds, self.accuracy, WINDOWS, self.window_ms)
        for (row, member), seed, times in zip(near, seeds, run.spike_times_ms, strict=True):
            windows = self.windows(times, WINDOWS, self.window_ms)
            said = self.own.judge(*windows)
            if said["passed"]:
                if self.is_new(member, self.kept):
                    self.kept.append((member, seed, said))
            elif np.array_equal(self.x[row], member):  # what else it is worth than its luck
                self.off[row] = self.own.differences(*windows)
                self.cost[row] = max(1.0 + _CLOSE_CALL, self.cost_of(self.off[row], windows[0]))

    def is_new(self, x: FloatArray, known: list[Member]) -> bool:
        """Whether the conductances of a member are different from those that are known."""
        members = np.array([*(member for member, _seed, _said in known), x])
        return bool(distinct(members[:, : self.neuron.n_channels])[-1])

    @property
    def prior(self) -> MemberPrior:
        """Where members may be, and what they receive."""
        return MemberPrior(self.neuron, burst_period_ms(self.own) if self.inhibited else None, self.current)

    def simulate(
        self,
        x: FloatArray,
        seeds: npt.NDArray[np.uint64],
        accuracy: str,
        windows: int,
        length_ms: float,
        record: Literal["spikes", "traces"] = "spikes",
    ) -> Simulated:
        start = self.neuron.recording_window_ms[0]
        coarser = math.ceil(len(x) * windows * length_ms / _SAMPLE_MS / _MOST_VALUES)
        self.n_simulated += len(x) * windows
        return simulate(
            x[:, : self.neuron.n_channels],
            self.neuron,
            **self.prior.drive(x),
            seed=seeds,
            transient_ms=start,
            duration_ms=start + windows * length_ms,
            accuracy=accuracy,
            record=record,
            sample_ms=_SAMPLE_MS * coarser,
            cancel=self.cancel,
        )

    @property
    def affordable(self) -> int:
        """Members that can still be judged within the budget."""
        return max(0, (self.budget - self.n_simulated) // WINDOWS)

    def windows(self, times_ms: FloatArray, n: int, length_ms: float) -> list[FloatArray]:
        """Cut a train into windows that are compared with the recording."""
        start = self.neuron.recording_window_ms[0]
        borders = start + length_ms * np.arange(n + 1)
        ends = np.searchsorted(times_ms, borders)
        return [times_ms[first:end] for first, end in pairwise(ends)]
