"""What a search gives: a verified population of one recording, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from spike2pop_nb.conductances import Population
from spike2pop_nb.fidelity.differences import Diversity, diversity
from spike2pop_nb.fidelity.scores import Verdict
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["Result"]


@dataclass(frozen=True, eq=False)
class Result:
    """A verified population of one recording, or the reason why there is none.

    Attributes
    ----------
    recording, neuron, posterior
        What it was made from.
    usable
        Whether there is a population at all.
    outcome
        How the search went, in a sentence or two.
    population, simulated, verdict
        The members kept, their traces, and their scores: row by row the same members. Those that pass come
        first; if fewer pass than asked, the best of the others follow, marked as not passed. No two are alike
        (see `spike2pop_nb.fidelity.distinct`).
    unrefined
        Members of the recording's firing pattern as they were generated, of which those of ``population``
        were made; None if the search did not refine, or there are fewer than two.
    n_asked, n_tried, n_passed
        Members asked for; tried; and passed among those tried.
    n_simulated
        Simulations of one member that finding them took, which the budget counts; more than ``n_tried`` if
        members were refined. Those that repeat a member as it is judged are not among them.
    n_crosses
        Of the members kept, how many started as crosses of members that fired like the recording, or were
        moved towards one; the others came each from a draw of its own.
    n_late
        Of the members kept, how many settle only after the neuron's own transient; if there are such, all of
        the population is simulated, and judged, after a longer one.
    reasons
        Why the others fell, counted by their first reason.
    cancelled
        Whether the user stopped it early.
    exhausted
        Why no more members could be generated, if that ended the search before enough passed; else empty.
    failure
        The error that ended the search, in words; empty if none did.
    options
        Everything that was chosen.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> train = s2p.read_spike_trains(s2p.example_path("stg_set.csv"))[0]
    >>> result = s2p.find_population(train, "stg", size=2, seed=1, refine=False)
    >>> result.usable, len(result.population)
    (True, 2)
    """

    recording: SpikeTrain
    neuron: NeuronModel
    posterior: Any
    usable: bool
    outcome: str
    n_asked: int
    population: Population | None = None
    simulated: Any = None
    verdict: Verdict | None = None
    unrefined: Population | None = None
    n_tried: int = 0
    n_passed: int = 0
    n_simulated: int = 0
    n_crosses: int = 0
    n_late: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    cancelled: bool = False
    exhausted: str = ""
    failure: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def describe(self) -> str:
        """Say how the search went, and how different the members kept are."""
        if self.diversity is None:
            return self.outcome
        return f"{self.outcome} The members kept are {self.diversity.describe()}"

    @property
    def acceptance(self) -> float:
        """Share of simulated members that passed; NaN if none was simulated."""
        return self.n_passed / self.n_tried if self.n_tried else float("nan")

    @cached_property
    def diversity(self) -> Diversity | None:
        """How different the kept members are, against the unrefined ones if there are any."""
        if self.population is None or len(self.population) < 2:
            return None
        return diversity(self.population, self.unrefined)

    @property
    def n_kept_passed(self) -> int:
        """Members of the population that passed."""
        return 0 if self.verdict is None else int(self.verdict.passed.sum())
