"""Generate, simulate, check; again until enough members fire like the recording or a budget is spent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import MAX_SIZE, DICSampler, Population, generate_population
from spike2pop_nb.errors import Cancelled, CompensationError
from spike2pop_nb.fidelity.scores import PassRule, Verdict, verify
from spike2pop_nb.neurons import NeuronModel, get_neuron
from spike2pop_nb.simulation import needs_compiling, simulate
from spike2pop_nb.spiketrains import SpikeTrain, features

__all__ = ["MAX_SEARCH_SIZE", "Result", "default_budget", "find_population"]

MAX_SEARCH_SIZE = 10_000
_BATCH = (32, 256)  # least and most members a round
_LONGEST_MS = 20_000.0


@dataclass(frozen=True, eq=False)
class Result:
    """A verified population of one recording, or the reason why there is none.

    Attributes
    ----------
    recording, neuron, posterior
        What it was made from.
    usable
        Whether there is a population at all.
    message
        One sentence for the user.
    population, simulated, verdict
        The members kept, their traces, and their scores: row by row the same members. Those that pass come
        first; if fewer pass than asked, the best of the others follow, marked as not passed.
    n_asked, n_tried, n_passed
        Members asked for; simulated; and passed among those tried.
    reasons
        Why the others fell, counted by their first reason.
    cancelled
        Whether the user stopped it early.
    options
        Everything that was chosen.
    """

    recording: SpikeTrain
    neuron: NeuronModel
    posterior: Any
    usable: bool
    message: str
    n_asked: int
    population: Population | None = None
    simulated: Any = None
    verdict: Verdict | None = None
    n_tried: int = 0
    n_passed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    cancelled: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def acceptance(self) -> float:
        """Share of simulated members that passed; NaN if none was simulated."""
        return self.n_passed / self.n_tried if self.n_tried else float("nan")

    @property
    def n_kept_passed(self) -> int:
        """Members of the population that passed."""
        return 0 if self.verdict is None else int(self.verdict.passed.sum())


def default_budget(size: int) -> int:
    """Return how many members are tried at most for a population of a given size."""
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
    rule: PassRule | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Result:
    """Find members that fire like a recording.

    Members are generated with DICs drawn from the posterior, simulated and scored, in rounds, until ``size``
    of them pass or ``budget`` were tried. Sharing DICs is not proof of sharing activity; simulating is.

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
        Most members to try; 40 times the size, and at least 512, by default.
    accuracy
        Of the simulation.
    rule
        When a member passes.
    progress
        Called with (done, total, words); total is the size asked for, done the members that passed.
    cancel
        Polled often; when it returns True, what was found so far is returned.

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
    rule = rule or PassRule()
    options = {
        "neuron": model.name,
        "size": int(size),
        "compensate": list(compensate) if compensate else "recommended",
        "seed": seed,
        "budget": int(budget),
        "accuracy": accuracy,
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
    search = _Search(train, model, sampler, int(size), compensate, seed, accuracy, rule, progress, cancel)
    search.run(int(budget))
    return search.result(int(budget), options)


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
        rule: PassRule,
        progress: Callable[[int, int, str], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> None:
        self.train, self.neuron, self.posterior, self.size = train, neuron, posterior, size
        self.compensate, self.accuracy, self.rule = compensate, accuracy, rule
        self.progress, self.cancel = progress, cancel
        self.seeds = np.random.SeedSequence(seed)
        self.duration_ms = neuron.recording_window_ms[0] + recording_length_ms(train, neuron)
        self.members: list[pd.DataFrame] = []
        self.verdicts: list[pd.DataFrame] = []
        self.n_tried = self.n_passed = self.n_negative = 0
        self.reasons: Counter[str] = Counter()
        self.cancelled = False

    def say(self, text: str) -> None:
        if self.progress is not None:
            self.progress(min(self.n_passed, self.size), self.size, text)

    def batch(self, left: int) -> int:
        """Members of the next round: what should do at the acceptance seen so far, and some more."""
        missing = self.size - self.n_passed
        share = (self.n_passed + 1) / (self.n_tried + 2)
        wanted = math.ceil(1.2 * missing / share) if self.n_tried else 2 * missing
        return min(left, max(_BATCH[0], min(wanted, _BATCH[1])))

    def run(self, budget: int) -> None:
        if needs_compiling():
            self.say("Compiling the simulator, once on this machine (about ten seconds)")
        while self.n_passed < self.size and self.n_tried < budget:
            n = self.batch(budget - self.n_tried)
            self.say(f"Simulating {n} members, {self.n_tried} tried so far, {self.n_passed} passed")
            rng = np.random.default_rng(self.seeds.spawn(1)[0])
            population = generate_population(
                self.neuron, self.posterior, n, self.compensate, seed=rng, id=self.train.id
            )
            try:
                simulated = self.simulate(population, "spikes")
            except Cancelled:
                self.cancelled = True
                return
            verdict = verify(self.train, simulated, self.rule, with_van_rossum=False)
            self.n_negative += population.made_by["negative"] + population.made_by["not_converged"]
            self.members.append(population.table)
            self.verdicts.append(verdict.table)
            self.n_tried += n
            self.n_passed += int(verdict.passed.sum())
            fell = verdict.table.loc[~verdict.passed, "reasons"]
            self.reasons.update(reason.split("; ")[0].split(" off by")[0] for reason in fell)

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
            "reasons": dict(self.reasons.most_common()),
            "cancelled": self.cancelled,
            "options": options,
        }
        if not self.members:
            text = "Cancelled before any member was simulated."
            return Result(self.train, self.neuron, self.posterior, False, text, **common)
        members = pd.concat(self.members, ignore_index=True)
        verdicts = pd.concat(self.verdicts, ignore_index=True)
        # stable: members that pass keep the order in which they were found, the others come best first
        order = np.lexsort((np.where(verdicts["passed"], 0.0, -verdicts["score"]), ~verdicts["passed"]))
        kept = members.iloc[order[: self.size]].reset_index(drop=True)
        kept["member"] = np.arange(len(kept))
        made_by = {**options, "tried": self.n_tried, "passed": self.n_passed, "negative": self.n_negative}
        population = Population(self.neuron.name, kept, made_by)
        self.say("Recording the traces of the members kept")
        simulated = self.simulate(population, "traces", cancel=False)
        verdict = verify(self.train, simulated, self.rule)
        return Result(
            self.train,
            self.neuron,
            self.posterior,
            True,
            self.message(budget, int(verdict.passed.sum())),
            population=population,
            simulated=simulated,
            verdict=verdict,
            **common,
        )

    def message(self, budget: int, n_good: int) -> str:
        """Say how it went in one sentence."""
        share = 100 * self.n_passed / self.n_tried
        text = f"{self.n_passed} of {self.n_tried} members tried fire like the recording ({share:.0f} %)"
        if n_good >= self.size:
            return f"{text}; the {self.size} asked for are kept."
        why = "it was cancelled" if self.cancelled else f"the budget of {budget} was spent"
        kept = (
            f"the {n_good} that passed are kept, with the nearest others"
            if n_good
            else "the nearest are kept"
        )
        text += f"; {self.size} were asked for, but {why}: {kept}, marked as not passed"
        text += f", most often for their {causes}." if (causes := _causes(self.reasons)) else "."
        pattern = features(self.train)
        return text + (f" {pattern.notes[0]}" if pattern.notes and n_good == 0 else "")


def _causes(reasons: Counter[str]) -> str:
    """Return the two most frequent reasons in words; firing patterns that differ from one wanted are one."""
    counts: Counter[str] = Counter()
    found: dict[str, list[str]] = {}
    for reason, n in reasons.most_common():
        other, _, wanted = reason.partition(" instead of ")
        cause = f" instead of {wanted}" if wanted else reason
        counts[cause] += n
        if wanted:
            found.setdefault(cause, []).append(other)
    words = [
        f"firing pattern ({' or '.join(found[cause])}{cause})" if cause in found else cause
        for cause, _n in counts.most_common(2)
    ]
    return " and ".join(words)
