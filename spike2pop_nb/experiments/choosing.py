"""Which experiment next: those that members answer differently, by how much a recording would tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import Population
from spike2pop_nb.conductances.member_table import WEIGHT_COLUMN
from spike2pop_nb.errors import ExperimentError, check_whole, three_digits
from spike2pop_nb.experiments.experiment import Experiment
from spike2pop_nb.experiments.information import RecordingNoise, ranked_bits, recording_noise
from spike2pop_nb.experiments.observed import (
    KINDS_OF_FIRING,
    MEASURES,
    Answers,
    FloatArray,
    in_units,
    observe,
    told_by,
)
from spike2pop_nb.experiments.protocol import Protocol
from spike2pop_nb.experiments.rig import Feasible, feasible_experiments
from spike2pop_nb.experiments.running import run_experiment
from spike2pop_nb.experiments.targets import Target, of_answers

__all__ = ["MOST_ASKED", "Ranking", "next_experiments", "repeated"]

MOST_ASKED = 64
"""Members that are simulated at most; of more, so many are drawn by their weights."""
_REPEATED = 12  # members that are recorded twice
_ASKED = "the target's own"


@dataclass(frozen=True, eq=False)
class Ranking:
    """Experiments, the most telling first.

    Attributes
    ----------
    population
        The members that were simulated.
    target
        What the experiments shall tell.
    experiments
        Those that were compared, the most telling first.
    bits : (k,)
        How much a recording of each is expected to tell about the target.
    experiment
        What the members did; its conditions are the names of the experiments.
    answers, noise
        What of that a recording shows, with the noise of one, by condition.
    weights : (n,)
        How probable each member is; of several neurons, each neuron as probable as another.
    by
        Whether they are ranked by bits, or by bits for their price.
    neurons
        Of a target ``neuron``, the neuron of each member.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=8, seed=1)
    >>> rig = [one for one in s2p.experiments.feasible_experiments("stg") if one.kind == "current"]
    >>> found = s2p.experiments.next_experiments(population, experiments=rig, duration_ms=1000)
    >>> len(found), found.to_frame().columns.tolist()[:4]
    (7, ['rank', 'experiment', 'bits', 'bits_per_price'])
    """

    population: Population
    target: Target
    experiments: tuple[Feasible, ...]
    bits: FloatArray
    experiment: Experiment
    answers: Answers
    noise: RecordingNoise
    weights: FloatArray
    by: str = "bits"
    neurons: tuple[str, ...] = ()
    made_by: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.experiments)

    @property
    def best(self) -> Feasible:
        """The most telling experiment."""
        return self.experiments[0]

    def to_frame(self) -> pd.DataFrame:
        """Return a table of experiments, the most telling first.

        ``rank``, ``experiment``, ``bits``, ``bits_per_price``, ``price``, ``what`` is done, the share of
        members that are then ``silent``, ``tonic``, ``bursting``, and ``why`` it tells something.
        """
        rows = []
        for rank, (one, bits) in enumerate(zip(self.experiments, self.bits, strict=True), 1):
            shares = self._shares(one.name)
            rows.append(
                {
                    "rank": rank,
                    "experiment": one.name,
                    "bits": bits,
                    "bits_per_price": bits / one.price,
                    "price": one.price,
                    "what": one.protocol.describe(),
                    **{KINDS_OF_FIRING[k]: shares[k] for k in range(3)},
                    "why": self.why(one.name),
                }
            )
        return pd.DataFrame(rows)

    def _shares(self, name: str) -> FloatArray:
        kinds = self.answers.kinds[:, self.experiment.place(name)]
        return np.bincount(kinds, self.weights, minlength=len(KINDS_OF_FIRING)).astype(float)

    def why(self, name: str) -> str:
        """Say what the answers of members are, in a few words."""
        kinds, values = self.answers.at(self.experiment.place(name))
        shares = self._shares(name)
        order = np.argsort(-shares, kind="stable")
        said = ", ".join(f"{100 * shares[k]:.0f} % {KINDS_OF_FIRING[k]}" for k in order if shares[k] > 0)
        most = int(order[0])
        best, told = 0.0, ""
        for at in told_by(most):
            has = (kinds == most) & np.isfinite(values[:, at])
            if has.sum() < 3:
                continue
            low, high = np.quantile(values[has, at], (0.1, 0.9))
            apart = float(high - low) / float(self.noise.sd[self.experiment.place(name), at])
            if apart > best:
                measure = list(MEASURES.values())[at]
                ends = np.full((2, len(MEASURES)), np.nan)
                ends[:, at] = low, high
                first, last = map(three_digits, in_units(ends)[:, at])
                best = apart
                told = f"; {measure.title} from {first} to {last} {measure.unit}".rstrip()
        return f"{said}{told}" if best > 2 else said

    def describe(self) -> str:
        """Say which experiment tells the most, and why."""
        first, n = self.experiments[0], len(self.weights)
        price = ""
        if self.by == "bits_per_price":
            price = f" ({self.bits[0] / first.price:.3g} for its price of {first.price:g} each)"
        lines = [
            f"Of {len(self)} experiments, {first.label} is expected to tell the most about "
            f"{self.target.describe()}: {self.bits[0]:.2f} bits{price}; the median is "
            f"{np.median(self.bits):.2f}.",
            f"{first.protocol.describe()[:-1]}: of {n} members {self.why(first.name)}.",
        ]
        if self.bits[0] < 0.1:
            lines.append("No experiment would tell much: members answer all of them alike.")
        if self.target.kind == "conductances":
            most = 1.0 / float((self.weights**2).sum())
            lines.append(f"{most:.0f} members can tell {np.log2(most):.1f} bits apart at most.")
        return "\n".join(lines)

    def methods(self) -> str:
        """Say how it was done, for the methods of a paper."""
        made, target = self.made_by, self.target.describe()
        return (
            f"Each of {len(self.weights)} members was simulated in {len(self)} experiments of "
            f"{made['duration_ms'] / 1000:g} s. How much a recording of each would tell about {target} was "
            "estimated as the mutual information between it and the answer (firing pattern; rate and CV of "
            "intervals, or burst period and duration, spikes per burst and rate within bursts), with noise "
            f"as two recordings of the same member differ ({made['repeated']} members) and cells drift "
            "(4 to 7 %). "
            + (
                "Answers were drawn from members, and compared with those of all."
                if self.target.kind == "conductances"
                else "Answers of members were foretold by the other members, by those of alike targets and "
                "by all (kernel density, leave one out); what shuffled targets gave was subtracted."
            )
        )


def next_experiments(
    population: Population | Sequence[Population],
    target: str | Target = "conductances",
    *,
    experiments: Sequence[Feasible] | None = None,
    by: Literal["bits", "bits_per_price"] = "bits",
    most: int = MOST_ASKED,
    duration_ms: float | None = None,
    transient_ms: float | None = None,
    accuracy: str = "standard",
    noise_sigma: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Ranking:
    """Rank experiments by how much a recording of each is expected to tell.

    Members fire alike; an experiment that they answer differently tells which of them the cell is like. How
    much, in bits, is the mutual information between target and answer, with the noise of a recording.

    Parameters
    ----------
    population
        The members, with their weights if they have such; several populations for the target ``neuron``.
    target
        What the experiment shall tell: ``conductances`` (all of them, that is which member), ``dics``,
        ``conductance:A``, ``answer:block=H:0.5`` or ``neuron``.
    experiments
        What can be done, with prices; `feasible_experiments` of the neuron by default.
    by
        Ranked by bits, or by bits for the price.
    most
        Members that are simulated at most.
    duration_ms, transient_ms, accuracy, noise_sigma, seed, workers, progress, cancel
        As in `run_experiment`. ``duration_ms`` is also how long the recording will be that is counted with.

    Raises
    ------
    ExperimentError
        If the target is none, there are fewer than 4 members, or no experiment is possible.
    NeuronModelError
        If the target names a channel that the neuron has not.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import feasible_experiments, next_experiments
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=8, seed=1)
    >>> rig = feasible_experiments("stg", duration_ms=1000, prices={"block": float("inf")})
    >>> found = next_experiments(population, "conductance:A", experiments=rig, duration_ms=1000)
    >>> found.best.kind in ("current", "pulses", "potassium", "buffer")
    True
    """
    check_whole("seed", seed, 0, None, ExperimentError)
    wanted = Target.parsed(target)
    groups = [population] if isinstance(population, Population) else list(population)
    if wanted.kind == "neuron":
        if len(groups) < 2 or len({one.neuron.name for one in groups}) < len(groups):
            raise ExperimentError("To tell which neuron it is, give populations of two or more neurons.")
    elif len(groups) != 1:
        raise ExperimentError("Several populations are compared for the target neuron alone; give one.")
    if few := [one for one in groups if len(one) < 4]:
        raise ExperimentError(
            f"What tells members apart takes 4 of them at least, not {len(few[0])}; generate more."
        )
    groups = [_drawn(one, most, seed) for one in groups]
    for one in groups:
        wanted.of(one)
    rig = _possible(groups, experiments, duration_ms)
    protocols = {one.name: one.protocol for one in rig}
    if wanted.question is not None:
        asked = wanted.question.protocol(wanted.dose)
        rig = [one for one in rig if one.protocol != asked]  # what it shall tell without being done
        protocols = {one.name: one.protocol for one in rig} | {_ASKED: asked}
    options: dict[str, Any] = {
        "duration_ms": duration_ms,
        "accuracy": accuracy,
        "noise_sigma": noise_sigma,
        "workers": workers,
        "cancel": cancel,
    }
    found = [
        repeated(one, protocols, seed=seed, transient_ms=transient_ms, progress=progress, **options)
        for one in groups
    ]
    made = [experiment for experiment, *_ in found]
    answers = Answers(*(np.concatenate([getattr(a, of) for _, a, _ in found]) for of in ("kinds", "values")))
    noise = RecordingNoise(
        np.max([noise.sd for *_, noise in found], axis=0),
        np.max([noise.slips for *_, noise in found], axis=0),
    )
    neurons = tuple(one.neuron.name for one in groups for _ in range(len(one))) if len(groups) > 1 else ()
    weights = np.concatenate([one.weights / len(groups) for one in groups])
    numbers, labels = wanted.of(groups[0]), None
    if wanted.question is not None:
        labels, numbers = of_answers(answers, made[0].place(_ASKED))
    if neurons:
        labels = np.unique(neurons, return_inverse=True)[1].astype(np.int64)
        numbers = np.zeros((len(neurons), 0))
    places = [made[0].place(one.name) for one in rig]
    bits = ranked_bits(answers, noise, weights, places, wanted, numbers, labels, seed)
    value = bits / np.array([one.price for one in rig]) if by == "bits_per_price" else bits
    order = np.argsort(-value, kind="stable")
    told = {"duration_ms": made[0].duration_ms, "repeated": _REPEATED, "seed": seed}
    return Ranking(
        groups[0],
        wanted,
        tuple(rig[k] for k in order),
        bits[order],
        made[0],
        answers,
        noise,
        weights,
        by,
        neurons,
        told,
    )


def repeated(
    population: Population,
    protocols: dict[str, Protocol],
    *,
    seed: int,
    transient_ms: float | None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> tuple[Experiment, Answers, RecordingNoise]:
    """Do experiments, some members twice: what members did and show, and what a recording cannot tell."""
    rows = np.unique(np.linspace(0, len(population) - 1, _REPEATED).round().astype(int))
    share = len(population) / (len(population) + 2 * len(rows))

    def part(begin: float, width: float) -> Callable[[int, int], None] | None:
        if progress is None:
            return None
        return lambda done, total: progress(int(1000 * (begin + width * done / max(total, 1))), 1000)

    made = run_experiment(
        population,
        protocols,
        seed=seed,
        transient_ms=transient_ms,
        record="spikes",
        progress=part(0.0, share),
        **options,
    )
    again = run_experiment(
        population.select(rows),
        protocols,
        seed=seed + 1,
        transient_ms=made.made_by["transient_ms"] + made.duration_ms,
        record="spikes",
        progress=part(share, 1.0 - share),
        **options,
    )
    answers = observe(made)
    first = Answers(answers.kinds[rows], answers.values[rows])
    return made, answers, recording_noise(first, observe(again))


def _drawn(population: Population, most: int, seed: int) -> Population:
    """Return as many members as are simulated at most: of more, some drawn by their weights."""
    if len(population) <= most:
        return population
    rng = np.random.default_rng([seed, 2])
    weights = population.weights
    places = np.searchsorted(np.cumsum(weights), (np.arange(most) + rng.uniform()) / most)
    rows, counts = np.unique(np.minimum(places, len(weights) - 1), return_counts=True)
    drawn = population.select(rows)
    return Population(drawn.neuron, drawn.table.assign(**{WEIGHT_COLUMN: counts / most}), drawn.made_by)


def _possible(
    groups: Sequence[Population], experiments: Sequence[Feasible] | None, duration_ms: float | None
) -> list[Feasible]:
    """Return the experiments that can be done to all."""
    if experiments is None:
        sets = [feasible_experiments(one.neuron, duration_ms=duration_ms) for one in groups]
        others = [{other.name for other in those} for those in sets[1:]]
        experiments = [one for one in sets[0] if all(one.name in names for names in others)]
    if not experiments:
        raise ExperimentError("There is no experiment to choose from.")
    if len({one.name for one in experiments}) < len(experiments):
        raise ExperimentError("Each experiment needs a name of its own.")
    return list(experiments)
