"""Generate, simulate, refine, check; until enough members fire like the recording or a budget is spent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances import MAX_SIZE, DICSampler, Population, generate_population
from spike2pop_nb.errors import Cancelled, CompensationError, UnreachableTarget
from spike2pop_nb.fidelity.message import search_message
from spike2pop_nb.fidelity.refinement import Summaries, cross_members, enough_to_refine, refine_members
from spike2pop_nb.fidelity.result import Result
from spike2pop_nb.fidelity.scores import REFINED_RULE, PassRule, Verdict, verify
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import Simulated, needs_compiling, simulate, time_step_ms
from spike2pop_nb.spiketrains import SpikeTrain, features

__all__ = ["MAX_SEARCH_SIZE", "attempt_population", "default_budget", "find_population"]

FloatArray = npt.NDArray[np.float64]
MAX_SEARCH_SIZE = 10_000
_BATCH = (32, 256)  # least and most members a round
_LONGEST_MS = 20_000.0
# Who cancels waits no longer: of more members, voltages and van Rossum distances are left out.
_TRACES_AFTER_CANCEL = 32
_MOST_STARTS = 1000


def default_budget(size: int) -> int:
    """Return how many simulations of a member are spent at most for a population of a given size."""
    return max(512, 40 * size)


def recording_length_ms(train: SpikeTrain, neuron: NeuronModel) -> float:
    """Return how long members are recorded: at least the neuron's own window, at most 20 s."""
    start, stop = neuron.recording_window_ms
    return min(max(stop - start, 1.1 * train.duration_ms), _LONGEST_MS)


def find_population(
    train: SpikeTrain,
    neuron: str | NeuronModel,
    posterior: DICSampler | None = None,
    *,
    size: int = 16,
    compensate: Sequence[str] | None = None,
    seed: int = 0,
    budget: int | None = None,
    accuracy: str = "standard",
    refine: bool = True,
    rule: PassRule | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Result:
    """Find members that fire like a recording.

    Members are generated with DICs drawn from the posterior, simulated, refined and scored, in rounds, until
    ``size`` of them pass or ``budget`` simulations were run. Sharing DICs is not proof of sharing activity;
    simulating is. Refining changes each member a little until it fires like the recording (see
    `spike2pop_nb.fidelity.refinement`); its DICs in the table are those that it then has.

    Parameters
    ----------
    train
        The recording.
    neuron
        A neuron or its name.
    posterior
        Anything with ``sample(n, seed)``; by default the neuron's network is asked.
    size
        Members wanted, up to 10 000.
    compensate
        The two conductances solved for; the recommended pair by default.
    seed
        The same seed gives the same population, whatever the number of cores.
    budget
        Most simulations of a member; 40 times the size, and at least 512, by default.
    accuracy
        Of the simulation.
    refine
        Whether members are refined. If not, they keep exactly the DICs drawn, and most miss the recording's
        rate by several per cent.
    rule
        When a member passes; :data:`REFINED_RULE` if refined, else the wider default :class:`PassRule`.
    progress
        Called with (done, total, words); total is the size asked for, done the members that passed.
    cancel
        Polled often; when it returns True, what was found so far is returned. Of more than 32 members it has
        neither voltages nor van Rossum distances (NaN), which take longer than who cancels wants to wait.

    Returns
    -------
    Result

    Raises
    ------
    CompensationError
        If size, budget or the choice of conductances is not possible.
    """
    model = get_neuron(neuron)
    if not (isinstance(size, (int, np.integer)) and 1 <= size <= MAX_SEARCH_SIZE):
        raise CompensationError(
            f"The population size must be a whole number from 1 to {MAX_SEARCH_SIZE}, not {size!r}."
        )
    budget = default_budget(size) if budget is None else budget
    if not (isinstance(budget, (int, np.integer)) and size <= budget <= MAX_SIZE):
        raise CompensationError(
            f"The budget must be a whole number from the population size ({size}) to {MAX_SIZE}, "
            f"not {budget!r}."
        )
    rule = rule or (REFINED_RULE if refine else PassRule())
    options = {
        "neuron": model.name,
        "size": int(size),
        "compensate": list(compensate) if compensate else "recommended",
        "seed": seed,
        "budget": int(budget),
        "accuracy": accuracy,
        "refine": refine,
        "pass_rule": rule.model_dump(),
    }

    def unusable(message: str) -> Result:
        return Result(train, model, posterior, False, message, int(size), options=options)

    if train.n_spikes < 3:
        spikes = "1 spike" if train.n_spikes == 1 else f"{train.n_spikes} spikes"
        return unusable(
            f"Recording {train.id!r} is silent ({spikes}, under 3): "
            "its intervals say nothing about a neuron's conductances, so no population was made."
        )
    sampler: DICSampler
    if posterior is None:
        from spike2pop_nb.inference import load_predictor

        sampler = load_predictor(model.name).predict([train])[0]
    else:
        sampler = posterior
    search = _Search(
        train, model, sampler, int(size), compensate, seed, accuracy, refine, rule, progress, cancel
    )
    search.run(int(budget))
    return search.result(int(budget), options)


def attempt_population(
    train: SpikeTrain, neuron: str | NeuronModel, posterior: DICSampler, *, size: int = 16, **options: Any
) -> Result:
    """As `find_population`; a recording whose DICs cannot be reached gives a `Result` that says so.

    For several recordings, of which the others can go on. Other bad choices are raised.
    """
    try:
        return find_population(train, neuron, posterior, size=size, **options)
    except UnreachableTarget as error:
        return Result(train, get_neuron(neuron), posterior, False, str(error), size)


class _Search:
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
        self.train, self.neuron, self.posterior, self.size = train, neuron, posterior, size
        self.compensate, self.accuracy, self.rule = compensate, accuracy, rule
        self.progress, self.cancel = progress, cancel
        self.summaries = Summaries.of(train, rule) if refine else None
        self.seeds = np.random.SeedSequence(seed)
        self.duration_ms = neuron.recording_window_ms[0] + recording_length_ms(train, neuron)
        # all members so far, those after the first n_tried not yet refined and judged
        self.g = np.zeros((0, neuron.n_channels))
        self.spikes: list[FloatArray] = []
        self.y = np.zeros((0, len(self.summaries.names) if self.summaries else 0))  # summaries of the spikes
        self.is_cross = np.zeros(0, dtype=bool)
        self.failures: dict[int, str] = {}
        self.starts: list[FloatArray] = []  # of the recording's firing pattern, as generated
        self.verdicts: list[pd.DataFrame] = []
        self.n_tried = self.n_passed = self.n_simulated = self.n_negative = 0
        self.reasons: Counter[str] = Counter()
        self.cancelled = False
        self.exhausted = ""

    def say(self, text: str) -> None:
        if self.progress is not None:
            self.progress(min(self.n_passed, self.size), self.size, text)

    def batch(self, left: int) -> int:
        """Members of the next round: what should do at the acceptance seen so far, and some more."""
        missing = self.size - self.n_passed
        share = (self.n_passed + 1) / (self.n_tried + 2)
        first = 2.0 if self.summaries is None else 1.25
        wanted = math.ceil(missing * (1.2 / share if self.n_tried else first))
        return min(left, max(_BATCH[0], min(wanted, _BATCH[1])))

    def run(self, budget: int) -> None:
        if needs_compiling():
            self.say("Compiling the simulator, once on this machine (about ten seconds)")
        try:
            while self.n_passed < self.size and self.n_simulated < budget and not self.exhausted:
                self.round(budget)
        except Cancelled:
            self.cancelled = True
        self.judge()

    def round(self, budget: int) -> None:
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
        simulated = self.simulate(Population.from_g(self.neuron, starts), "spikes")
        self.n_simulated += n
        self.n_negative += population.made_by["negative"] + population.made_by["not_converged"]
        self.failures |= {len(self.g) + row: why for row, why in simulated.reasons.items()}
        self.g = np.concatenate([self.g, starts])
        self.spikes += simulated.spike_times_ms
        self.is_cross = np.append(self.is_cross, np.arange(n) >= len(population))
        if self.summaries is not None:
            y = self.summaries.measure(simulated.spike_times_ms)
            self.y = np.concatenate([self.y, y])
            self.starts.append(population.g[_measured(y[: len(population)])])
        if self.summaries is None or self.refine(self.summaries, budget):
            self.judge()

    def crossed(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Return up to n crosses of the members so far that fire as the recording does."""
        if self.summaries is None or not self.n_tried:
            return np.zeros((0, self.neuron.n_channels))
        return cross_members(self.g[: self.n_tried][_measured(self.y[: self.n_tried])], n, rng)

    def refine(self, summaries: Summaries, budget: int) -> bool:
        """Refine the members that wait; False if they are too few to say how."""
        g, spikes, y = self.g[self.n_tried :], self.spikes[self.n_tried :], self.y[self.n_tried :]
        n_good = int(_measured(y).sum())
        if not enough_to_refine(n_good, summaries):
            return False
        self.say(f"Refining {n_good} members, {self.n_passed} passed so far")

        def run_members(moved: FloatArray) -> list[FloatArray]:
            simulated = self.simulate(Population.from_g(self.neuron, moved), "spikes")
            self.n_simulated += len(moved)
            return list(simulated.spike_times_ms)

        refined = refine_members(
            g,
            spikes,
            summaries,
            run_members,
            y=y,
            enough=math.ceil(1.1 * (self.size - self.n_passed)),
            most_simulations=budget - self.n_simulated,
        )
        rows = self.n_tried + refined.origin
        self.g[rows], self.y[rows] = refined.g, refined.y
        for row, times in zip(rows, refined.spike_times_ms, strict=True):
            self.spikes[row] = times
        return True

    def judge(self) -> None:
        """Score the members that wait."""
        rows = np.arange(self.n_tried, len(self.g))
        if not len(rows):
            return
        verdict = verify(self.train, self.simulated(rows), self.rule, with_van_rossum=False)
        self.verdicts.append(verdict.table)
        self.n_tried += len(rows)
        self.n_passed += int(verdict.passed.sum())
        fell = verdict.table.loc[~verdict.passed, "reasons"]
        self.reasons.update(reason.split("; ")[0].split(" off by")[0] for reason in fell)

    def simulated(self, rows: npt.NDArray[np.int64]) -> Simulated:
        """Return the spikes of members as the simulation gave them, without voltages."""
        n = len(rows)
        reasons = {i: self.failures[row] for i, row in enumerate(rows.tolist()) if row in self.failures}
        return Simulated(
            neuron=self.neuron,
            labels=[(self.train.id, i) for i in range(n)],
            spike_times_ms=[self.spikes[row] for row in rows],
            failed=np.isin(np.arange(n), list(reasons)),
            reasons=reasons,
            time_ms=np.zeros(0),
            V_mV=np.zeros((n, 0), dtype=np.float32),
            duration_ms=self.duration_ms,
            transient_ms=self.neuron.recording_window_ms[0],
            dt_ms=time_step_ms(self.neuron, self.accuracy),
            accuracy=self.accuracy,
            noise_sigma=np.zeros(n),
        )

    def simulate(self, population: Population, record: Any, cancel: bool = True) -> Any:
        return simulate(
            population,
            duration_ms=self.duration_ms,
            transient_ms=self.neuron.recording_window_ms[0],
            accuracy=self.accuracy,
            record=record,
            cancel=self.cancel if cancel else None,
        )

    def result(self, budget: int, options: dict[str, Any]) -> Result:
        common: dict[str, Any] = {
            "n_asked": self.size,
            "n_tried": self.n_tried,
            "n_passed": self.n_passed,
            "n_simulated": self.n_simulated,
            "reasons": dict(self.reasons.most_common()),
            "cancelled": self.cancelled,
            "exhausted": self.exhausted,
            "options": options,
        }
        if not self.verdicts:
            text = "Cancelled before any member was simulated."
            return Result(self.train, self.neuron, self.posterior, False, text, **common)
        verdicts = pd.concat(self.verdicts, ignore_index=True)
        # stable: members that pass keep the order in which they were found, the others come best first
        order = np.lexsort((np.where(verdicts["passed"], 0.0, -verdicts["score"]), ~verdicts["passed"]))
        order = order[: self.size]
        made_by = {
            **options,
            "tried": self.n_tried,
            "passed": self.n_passed,
            "simulated": self.n_simulated,
            "negative": self.n_negative,
            "kept_crosses": int(self.is_cross[order].sum()),
        }
        population = Population.from_g(self.neuron, self.g[order], id=self.train.id, made_by=made_by)
        if not self.cancelled or len(population) <= _TRACES_AFTER_CANCEL:
            self.say("Recording the traces of the members kept")
            simulated = self.simulate(population, "traces", cancel=False)
            verdict = verify(self.train, simulated, self.rule)
        else:
            simulated = self.simulated(order)
            table = verdicts.iloc[order].assign(member=np.arange(len(order))).reset_index(drop=True)
            verdict = Verdict(features(self.train), table, self.rule)
        unrefined = None
        starts = np.concatenate([np.zeros((0, self.neuron.n_channels)), *self.starts])[:_MOST_STARTS]
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
            **common,
        )

    def why_short(self, budget: int) -> str:
        """Say why the search ended before enough members passed, if it did."""
        if self.cancelled:
            return "it was cancelled"
        if self.exhausted:
            return "no more could be generated"
        return f"the budget of {budget} simulations was spent"


def _measured(y: FloatArray) -> npt.NDArray[np.bool_]:
    """Which trains have summaries, that is, the recording's firing pattern."""
    return np.asarray(np.isfinite(y).all(axis=1))
