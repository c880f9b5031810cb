"""A population narrowed by a new recording: members weigh as much as it is probable for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances import Population
from spike2pop_nb.conductances.member_table import WEIGHT_COLUMN
from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.choosing import repeated
from spike2pop_nb.experiments.experiment import Experiment
from spike2pop_nb.experiments.information import Shown, shown_under
from spike2pop_nb.experiments.observed import KINDS_OF_FIRING, FloatArray, observe_train
from spike2pop_nb.experiments.protocol import Protocol
from spike2pop_nb.fidelity.variability import LONGEST_MS
from spike2pop_nb.spiketrains import SpikeTrain
from spike2pop_nb.spiketrains.given import as_train

__all__ = ["FAR", "Narrowed", "narrow", "reweighted"]

FAR = 5.0
"""SDs of a recording's noise, and of how far members stand apart, from which on none answers like it."""
_FEW = 3.0  # effective members below which little is left
_LEFT_OUT = 0.01  # weight of the members, together, that are left out
_SHORTEST_MS = 200.0


@dataclass(frozen=True, eq=False)
class Narrowed:
    """A population narrowed by a new recording.

    Attributes
    ----------
    population
        The members that remain, with the column ``weight``.
    before
        The members as they were.
    weights : (n,)
        How probable each of them is now, together 1.
    misfit : (n,)
        By how many SD each is off in its worst measure (noise of a recording, and how far members stand
        apart); infinite if it fires otherwise.
    protocol
        Under which was recorded.
    recording
        What was recorded.
    experiment
        What the members did.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block, narrow
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=8, seed=1)
    >>> cell = s2p.run_experiment(population.select([3]), block("A", 0.5), duration_ms=2000)
    >>> found = narrow(population, block("A", 0.5), cell.train("A −50 %", 0))
    >>> int(found.weights.argmax()), found.n_effective < 8
    (3, True)
    """

    population: Population
    before: Population
    weights: FloatArray
    misfit: FloatArray
    protocol: Protocol
    recording: SpikeTrain
    kind: str
    experiment: Experiment
    made_by: dict[str, Any] = field(default_factory=dict)

    @property
    def n_effective(self) -> float:
        """How many members of the same weight would be as many: 1 / Σ w²."""
        return float(1.0 / (self.weights**2).sum())

    @property
    def bits(self) -> float:
        """How much the recording told: the divergence of the weights from those before, in bits."""
        told = self.weights > 0
        return float((self.weights[told] * np.log2(self.weights[told] / self.before.weights[told])).sum())

    def to_frame(self) -> pd.DataFrame:
        """Return a table of all members: id, member, weight before and after, misfit, whether it remains."""
        left = set(self.population.labels)
        return pd.DataFrame(
            {
                "id": [name for name, _ in self.before.labels],
                "member": [member for _, member in self.before.labels],
                "weight_before": self.before.weights,
                "weight": self.weights,
                "misfit": self.misfit,
                "remains": [label in left for label in self.before.labels],
            }
        )

    def describe(self) -> str:
        """Say how many members are left, and what the recording told."""
        before, n = 1.0 / float((self.before.weights**2).sum()), len(self.before)
        said = (
            f"Under {self.protocol.label} the recording {self.recording.id!r} is {self.kind}; of {n} members "
            f"{len(self.population)} remain, as good as {self.n_effective:.1f} of the same weight "
            f"({before:.1f} before): it told {self.bits:.2f} bits."
        )
        if self.n_effective < _FEW:
            said += " So few say little of what else fires so: start from a larger population."
        return said

    def methods(self) -> str:
        """Say how it was done, for the methods of a paper."""
        return (
            f"The population was narrowed by a recording of {self.experiment.duration_ms / 1000:.3g} s "
            f"({self.protocol.describe()[:-1]}): each member was simulated under the same, and its weight "
            "multiplied by the probability of the recording's firing pattern and measures (normal; SD as two "
            "recordings of the same member differ, 4 to 7 % for how cells drift, and as far as so few "
            "members stand apart by Silverman's rule; with the probability of an answer that tells nothing). "
            f"{len(self.population)} of {len(self.before)} "
            f"members remained, with an effective number of {self.n_effective:.1f}."
        )


def narrow(
    population: Population,
    protocol: Protocol,
    recording: SpikeTrain | Sequence[float] | npt.ArrayLike,
    *,
    transient_ms: float | None = None,
    accuracy: str = "standard",
    noise_sigma: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Narrowed:
    """Weigh members by how probable a new recording of the cell is for each.

    Parameters
    ----------
    population
        The members, with their weights if they have such.
    protocol
        Under which was recorded; times count from the beginning of the recording.
    recording
        The recording: a `SpikeTrain`, or times in ms.
    transient_ms, accuracy, noise_sigma, seed, workers, progress, cancel
        As in `run_experiment`.

    Returns
    -------
    Narrowed

    Raises
    ------
    ExperimentError
        If no member answers like the recording, it is too short, or nothing is done.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import constant_current, narrow
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=8, seed=1)
    >>> cell = s2p.run_experiment(population.select([0]), {"up": constant_current(4)}, duration_ms=2000)
    >>> print(narrow(population, constant_current(4), cell.train("up", 0)).describe()[:44])
    Under 4 µA/cm² the recording 'up/0' is tonic
    """
    if not isinstance(protocol, Protocol):
        raise ExperimentError(f"A population is narrowed by one protocol, not by {type(protocol).__name__}.")
    if len(population) < 2:
        raise ExperimentError("Two members at least can be told apart; this population has one.")
    train = as_train(recording)
    begin, end = train.window_ms or (float(train.times_ms[:1].sum()), float(train.times_ms[-1:].sum()))
    length = min(end - begin, max(LONGEST_MS, *(action.last_ms for action in protocol.actions), 0.0))
    if length < _SHORTEST_MS:
        raise ExperimentError(
            f"The recording {train.id!r} is {length:g} ms long; {_SHORTEST_MS:g} ms are needed at least."
        )
    name = protocol.label
    made, answers, noise = repeated(
        population,
        {name: protocol} if protocol else {},
        seed=seed,
        transient_ms=transient_ms,
        duration_ms=length,
        accuracy=accuracy,
        noise_sigma=noise_sigma,
        workers=workers,
        progress=progress,
        cancel=cancel,
    )
    shown = shown_under(answers, noise, population.weights, len(made.conditions) - 1)
    kind, values = observe_train(train.times_ms - begin, protocol.window_ms(length))
    weights, misfit = reweighted(shown, kind, values)
    if not np.isfinite(misfit).any():
        counts = np.bincount(shown.kinds, minlength=len(KINDS_OF_FIRING))
        others = ", ".join(f"{n} {what}" for n, what in zip(counts, KINDS_OF_FIRING, strict=True) if n)
        raise ExperimentError(
            f"Under {name} the recording {train.id!r} is {KINDS_OF_FIRING[kind]}, and no member is "
            f"({others}): the cell is not among these members; check the protocol, or make a larger "
            "population."
        )
    if misfit.min() > FAR:
        raise ExperimentError(
            f"Under {name} no member answers like the recording {train.id!r}: the nearest is off by "
            f"{misfit.min():.1f} SD (of noise, and of how far members stand apart); check the protocol, "
            "or make a larger population."
        )
    order = np.argsort(weights)
    kept = np.sort(order[np.cumsum(weights[order]) > _LEFT_OUT])
    left = population.select(kept)
    table = left.table.assign(**{WEIGHT_COLUMN: weights[kept] / weights[kept].sum()})
    told = dict(population.made_by)
    told["narrowed_by"] = [*told.get("narrowed_by", ()), protocol.to_dict()]
    return Narrowed(
        Population(population.neuron, table, told),
        population,
        weights,
        misfit,
        protocol,
        train,
        KINDS_OF_FIRING[kind],
        made,
        dict(made.made_by),
    )


def reweighted(shown: Shown, kind: int, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights (n,) after an answer, and by how many SD each member is off at worst (n,)."""
    shown = shown.smoothed()
    density = shown.density(np.array([kind]), values[None])[0]
    weights = shown.weights * density
    return weights / weights.sum(), shown.misfit(kind, values)
