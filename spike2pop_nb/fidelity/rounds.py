"""One search: rounds of generating, simulating, refining and checking, then spreading what is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import DICSampler, Population, generate_population
from spike2pop_nb.errors import Cancelled, CompensationError
from spike2pop_nb.fidelity.distinct import distinct, near_pairs
from spike2pop_nb.fidelity.judging import Judging
from spike2pop_nb.fidelity.message import search_message
from spike2pop_nb.fidelity.proposals import Moving
from spike2pop_nb.fidelity.refinement import cross_members, refine_members
from spike2pop_nb.fidelity.result import Result
from spike2pop_nb.fidelity.scores import PassRule, verify
from spike2pop_nb.fidelity.screening import Window, shortest_window
from spike2pop_nb.fidelity.spreading import choose_spread, spread_ratio, spread_step
from spike2pop_nb.fidelity.summaries import Summaries
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import Simulated, compiling_words, needs_compiling
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["Search"]

FloatArray = npt.NDArray[np.float64]
_BATCH = (32, 256)  # least and most members a round
_MOST_STARTS = 1000
# A search screens its members in so many rounds. What it has not found by then is hard to find, and
# looking at it less closely saves no time.
_SCREENED_ROUNDS = 1
_FEW = 5  # members that pass, below which others of the firing pattern are crossed too
# Members are moved apart if a conductance varies less than so much of what it does over unrefined ones, up to
# a goal, for at most so many rounds.
_LEAST_SPREAD, _SPREAD_GOAL, _SPREAD_ROUNDS = 0.85, 0.95, 8


class Search(Judging):
    """State of one search; members that were tried are kept until the best can be chosen."""

    def __init__(
        self,
        train: SpikeTrain,
        neuron: NeuronModel,
        posterior: DICSampler,
        size: int,
        compensate: Sequence[str] | None,
        seed: int,
        accuracy: str,
        refine: bool,
        rule: PassRule,
        progress: Callable[[int, int, str], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> None:
        super().__init__(train, neuron, size, accuracy, rule, progress, cancel)
        self.posterior, self.compensate = posterior, compensate
        self.summaries = Summaries.of(train, rule) if refine else None
        self.seeds = np.random.SeedSequence(seed)
        self.y = np.zeros((0, len(self.summaries.names) if self.summaries else 0))  # summaries of the spikes
        self.is_cross = np.zeros(0, dtype=bool)
        self.starts: list[FloatArray] = []  # of the recording's firing pattern, as generated
        self.gain: FloatArray | None = None
        self.glance: Window | None = None  # how members are screened
        self.off: FloatArray | None = None  # summaries as members are judged, less those as they are screened
        self.n_rounds = self.n_negative = 0
        self.cancelled = False
        self.exhausted = ""

    def batch(self, left: int) -> int:
        """Members of the next round: what should do at the acceptance seen so far, and some more."""
        missing = self.size - self.n_passed
        share = (self.n_passed + 1) / (self.n_tried + 2)
        first = 2.0 if self.summaries is None else 1.25
        wanted = math.ceil(missing * (1.2 / share if self.n_tried else first))
        most = _BATCH[1] if self.summaries is None else max(_BATCH[0], left // 8)
        return min(left, max(_BATCH[0], min(wanted, most, _BATCH[1])))

    def run(self, budget: int) -> None:
        self.budget = budget
        if needs_compiling():
            self.say(compiling_words())
        try:
            while self.n_passed < self.size and self.n_simulated < budget and not self.exhausted:
                self.round(budget)
            self.spread(budget)
        except Cancelled:
            self.cancelled = True
        self.judge()

    @property
    def screening(self) -> bool:
        """Whether members are screened before they are judged."""
        return self.summaries is not None and self.n_rounds <= _SCREENED_ROUNDS

    def round(self, budget: int) -> None:
        self.n_rounds += 1
        n = self.batch(budget - self.n_simulated)
        self.say(f"Simulating {n} members, {len(self.g)} tried so far, {self.n_passed} passed")
        rng = np.random.default_rng(self.seeds.spawn(1)[0])
        crossed = self.crossed(n // 2, rng)
        try:
            population = generate_population(
                self.neuron, self.posterior, n - len(crossed), self.compensate, seed=rng, id=self.train.id
            )
        except CompensationError as error:
            if not len(self.g):
                raise
            self.exhausted = str(error)  # only some draws can be reached: what was found is not lost
            return
        starts = np.concatenate([population.g, crossed])
        simulated = self.see(starts)
        self.n_simulated += n
        self.n_negative += population.made_by["negative"] + population.made_by["not_converged"]
        self.failures |= {len(self.g) + row: why for row, why in simulated.reasons.items()}
        if self.screening:
            self.screened |= set(range(len(self.g), len(self.g) + n))
        self.g = np.concatenate([self.g, starts])
        self.spikes += simulated.spike_times_ms
        self.is_cross = np.append(self.is_cross, np.arange(n) >= len(population))
        if self.summaries is not None:
            y = self.summaries.measure(simulated.spike_times_ms)
            self.y = np.concatenate([self.y, y])
            self.starts.append(population.g[self.summaries.alike(y[: len(population)])])
        if self.summaries is None or self.refine(self.summaries, budget):
            self.judge()

    def see(self, g: FloatArray) -> Simulated:
        """Simulate members as they are generated or moved."""
        if self.summaries is None or not self.screening:
            return self.simulate(g, self.window)
        if self.glance is not None:
            return self.simulate(g, self.glance)
        whole = replace(self.window, accuracy="screening")
        simulated = self.simulate(g, replace(whole, transient_ms=0.0))
        self.glance = shortest_window(whole, simulated.spike_times_ms, self.summaries)
        return replace(simulated, spike_times_ms=whole.cut(simulated.spike_times_ms))

    def crossed(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Return up to n crosses of the members so far that fire as the recording does, no two alike."""
        made = cross_members(self.alike(), n, rng)
        return made[distinct(np.concatenate([self.g, made]))[len(self.g) :]]

    def alike(self) -> FloatArray:
        """Conductances of the members so far that pass, or, if those are few, that fire at all alike."""
        if self.summaries is None or not self.n_tried:
            return np.zeros((0, self.neuron.n_channels))
        passed = self.verdict["passed"].to_numpy(bool)
        chosen = passed if passed.sum() >= _FEW else self.summaries.within(self.y[: self.n_tried])
        return self.g[: self.n_tried][chosen]

    def refine(self, summaries: Summaries, budget: int) -> bool:
        """Refine the members that wait; False if they are too few to say how."""
        g, spikes, y = self.g[self.n_tried :], self.spikes[self.n_tried :], self.y[self.n_tried :]
        self.say(f"Refining {len(g)} members, {self.n_passed} passed so far")
        refined = refine_members(
            g,
            spikes,
            summaries,
            self.screen,
            finally_simulate=self.judge_by if self.screening else None,
            off=self.off if self.screening else None,
            y=y,
            anchors=self.alike(),
            enough=math.ceil(1.1 * (self.size - self.n_passed)),
            most_simulations=budget - self.n_simulated,
        )
        if self.screening:
            self.off = refined.off
        if self.gain is None:
            self.gain = refined.gain
        rows = self.n_tried + refined.origin
        self.g[rows], self.y[rows] = refined.g, refined.y
        for row, times in zip(rows.tolist(), refined.spike_times_ms, strict=True):
            self.spikes[row] = times
            self.failures.pop(row, None)  # it was moved since
        self.screened -= set(rows[refined.final].tolist())
        self.is_cross[rows] |= refined.crossed
        return refined.gain is not None

    def screen(self, g: FloatArray) -> list[FloatArray]:
        """Return the spikes of members on their way, counted as simulated."""
        self.n_simulated += len(g)
        return self.see(g).spike_times_ms

    def judge_by(self, g: FloatArray) -> list[FloatArray]:
        """Return the spikes by which members are judged."""
        return self.judged(g).spike_times_ms

    def unrefined(self) -> FloatArray:
        """Members of the recording's firing pattern as generated, at most 1000."""
        return np.concatenate([np.zeros((0, self.neuron.n_channels)), *self.starts])[:_MOST_STARTS]

    def kept(self) -> npt.NDArray[np.int64]:
        """Return the rows of the members to keep: those that pass as they were found, then the best others.

        Of a refined population that can spare some, those that keep its conductances spread.
        """
        passed = self.verdict["passed"].to_numpy(bool)
        rows, starts = np.flatnonzero(passed), self.unrefined()
        if len(rows) >= self.size:
            settled = rows[~np.isin(rows, list(self.late))]
            rows = settled if len(settled) >= self.size else rows
            if self.summaries is not None and len(starts) > 1:
                return rows[choose_spread(self.g[rows], self.size, starts, _SPREAD_GOAL)]
            return rows[: self.size]
        others = np.flatnonzero(~passed)
        best = np.argsort(-self.verdict["score"].to_numpy(float)[others], kind="stable")
        order = np.concatenate([rows, others[best]])
        return order[distinct(self.g[order])][: self.size]

    def spread(self, budget: int) -> None:
        """Move the members to keep apart until each conductance is spread enough, within the budget."""
        starts = self.unrefined()
        enough = self.n_passed >= self.size > 1 and len(starts) > 1
        if self.summaries is None or self.gain is None or not enough:
            return
        rows = self.kept()
        spikes, left = [self.spikes[row] for row in rows], budget - self.n_simulated
        off = self.off if self.screening else None
        members = Moving(self.g[rows], spikes, self.summaries, self.screen, left, self.y[rows], off)
        every = np.arange(len(rows))
        for _ in range(_SPREAD_ROUNDS):
            ratio = spread_ratio(members.g, starts)
            least = float(np.min(ratio, initial=1.0, where=np.isfinite(ratio)))
            if least >= _LEAST_SPREAD or members.n_simulated >= members.limit:
                break
            self.say(f"Spreading {len(rows)} members, {self.n_passed} passed so far")
            before = (members.theta.copy(), list(members.spikes), members.y.copy())
            members.go(every, spread_step(members.theta, ratio / _SPREAD_GOAL))
            if self.screening:
                members.settle_for(self.judge_by, self.gain, len(rows))
            else:
                members.approach(self.gain, len(rows))
            simulated = self.simulated(rows, members.spikes)
            verdict = verify(self.train, simulated, self.rule, with_van_rossum=False)
            changing = [self.changes(times) for times in members.spikes]
            good = members.arrived() & verdict.passed & ~np.array(changing)
            good = apart(before[0], members.theta, good)
            members.take(every, *before, ~good)
            self.verdict.iloc[rows[good]] = verdict.table[good]
            self.g[rows[good]], self.y[rows[good]] = members.g[good], members.y[good]
            for k in np.flatnonzero(good):
                self.spikes[rows[k]] = members.spikes[k]
                self.late.pop(int(rows[k]), None)

    def result(self, budget: int, options: dict[str, Any]) -> Result:
        if not len(self.verdict):
            text = "Cancelled before any member was simulated."
            return Result(self.train, self.neuron, self.posterior, False, text, **self.counts(options))
        order, simulated, verdict = self.final()
        made_by = {
            **options,
            "tried": self.n_tried,
            "passed": self.n_passed,
            "simulated": self.n_simulated,
            "negative": self.n_negative,
            "kept_crosses": int(self.is_cross[order].sum()),
            "kept_late": int(np.isin(order, list(self.late)).sum()),
        }
        population = Population.from_g(self.neuron, self.g[order], id=self.train.id, made_by=made_by)
        unrefined, starts = None, self.unrefined()
        if len(starts) > 1:
            unrefined = Population.from_g(self.neuron, starts, id=self.train.id, made_by=options)
        return Result(
            self.train,
            self.neuron,
            self.posterior,
            True,
            search_message(
                self.train,
                n_tried=self.n_tried,
                n_passed=self.n_passed,
                n_asked=self.size,
                n_good=int(verdict.passed.sum()),
                n_kept=len(order),
                n_late=made_by["kept_late"],
                refined=self.summaries is not None,
                why_short=self.why_short(budget),
                reasons=self.reasons,
                note=self.exhausted,
            ),
            population=population,
            simulated=simulated,
            verdict=verdict,
            unrefined=unrefined,
            n_crosses=made_by["kept_crosses"],
            n_late=made_by["kept_late"],
            **self.counts(options),
        )

    def counts(self, options: dict[str, Any]) -> dict[str, Any]:
        """What any result says of how the search went."""
        return {
            "n_asked": self.size,
            "n_tried": self.n_tried,
            "n_passed": self.n_passed,
            "n_simulated": self.n_simulated,
            "reasons": dict(self.reasons.most_common()),
            "cancelled": self.cancelled,
            "exhausted": self.exhausted,
            "options": options,
        }

    def why_short(self, budget: int) -> str:
        """Say why the search ended before enough members passed, if it did."""
        if self.cancelled:
            return "it was cancelled"
        if self.exhausted:
            return "no more could be generated"
        return f"the budget of {budget} simulations was spent"


def apart(before: FloatArray, after: FloatArray, good: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which of the good moves of ln ḡ (n, n_channels) leave all members as different as they were."""
    good = good.copy()
    while True:
        pairs = near_pairs(np.exp(np.where(good[:, None], after, before)))
        moved = pairs[good[pairs]]
        if not len(moved):
            return good
        good[moved] = False
