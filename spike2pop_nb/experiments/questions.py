"""What can be asked of a population with one number: blocks, currents, temperatures, potassium, as doses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spike2pop_nb.errors import ExperimentError, Spike2PopError
from spike2pop_nb.experiments.crashes import LOST
from spike2pop_nb.experiments.making import block, constant_current, potassium, temperature
from spike2pop_nb.experiments.protocol import Doses, Protocol, doses
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.neurons.temperature import TEMPERATURE_RANGE_C, lacking_q10

if TYPE_CHECKING:
    from spike2pop_nb.experiments.experiment import Experiment

__all__ = ["QUESTIONS", "Kind", "Question", "became_of", "most_split"]


@dataclass(frozen=True)
class Kind:
    """A kind of question: what is done, its doses from where to where, and those that are usual."""

    title: str
    dose: str
    limits: tuple[float, float]
    usual: tuple[float, float]
    step: float


QUESTIONS = {
    "block": Kind("Block a channel", "share blocked", (0.0, 1.0), (0.1, 0.9), 0.05),
    "current": Kind("Inject a current", "current (µA/cm²)", (-20.0, 20.0), (-2.0, 6.0), 0.5),
    "temperature": Kind("Warm or cool", "temperature (°C)", TEMPERATURE_RANGE_C, (7.0, 31.0), 0.5),
    "potassium": Kind("Raise potassium", "factor on potassium outside", (0.25, 8.0), (1.0, 4.0), 0.25),
}
"""Kinds of questions by name."""


@dataclass(frozen=True)
class Question:
    """What is done to a population, but for its dose.

    Attributes
    ----------
    kind
        One of `QUESTIONS`.
    channel
        Which is blocked.
    rate_q10, conductance_q10, declared_C
        Of a temperature: what to assume where the neuron states none; see `temperature`.

    Raises
    ------
    ExperimentError
        If there is no such kind, or a block names no channel.

    Examples
    --------
    >>> from spike2pop_nb.experiments import Question
    >>> question = Question("block", "A")
    >>> question.protocol(0.5).label, question.doses([0.25, 0.5]).what
    ('A −50 %', 'share of A blocked')
    """

    kind: str
    channel: str = ""
    rate_q10: float | None = None
    conductance_q10: float | None = None
    declared_C: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in QUESTIONS:
            raise ExperimentError(
                f"What is done must be one of {', '.join(QUESTIONS)}, not {str(self.kind)[:40]!r}."
            )
        if self.kind == "block" and not self.channel:
            raise ExperimentError("A block needs the name of a channel, such as A.")

    def protocol(self, dose: float) -> Protocol:
        """Return what is done at a dose.

        Raises
        ------
        ExperimentError
            If the dose cannot be.
        """
        if self.kind == "block":
            return block(self.channel, dose)
        if self.kind == "current":
            return constant_current(dose)
        if self.kind == "potassium":
            return potassium(dose)
        return temperature(
            dose,
            rate_q10=self.rate_q10,
            conductance_q10=self.conductance_q10,
            declared_C=self.declared_C,
        )

    def doses(self, values: Sequence[float]) -> Doses:
        """Return a series of doses.

        Raises
        ------
        ExperimentError
            If there is none, one is there twice, or one cannot be.
        """
        return doses(self.protocol, values)

    def lacking(self, neuron: NeuronModel) -> str:
        """Say in a sentence what a neuron lacks to be asked so; "" if nothing."""
        if self.kind == "temperature":
            return _lacking_for_warmth(self, neuron)
        try:
            self.protocol(QUESTIONS[self.kind].usual[0]).check(neuron, 1, 0.0)
        except Spike2PopError as error:
            return str(error)
        return ""


def _lacking_for_warmth(question: Question, neuron: NeuronModel) -> str:
    states = [
        "at which temperature it holds" * (neuron.temperature_C is None and question.declared_C is None),
    ]
    whose = lacking_q10(neuron)
    if whose and (question.rate_q10 is None or question.conductance_q10 is None):
        names = [name.split(" (")[0] for name in whose]
        states.append(
            "the Q10 of any channel"
            if set(neuron.channel_names) <= set(names)
            else f"every Q10 of {', '.join(names)}"
        )
    missing = " nor ".join(filter(None, states))
    return f"The {neuron.name} neuron does not state {missing}, so give what to assume." if missing else ""


def most_split(experiment: Experiment) -> str:
    """Return the condition that splits members most evenly into those that keep their rhythm and others.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import Question, most_split
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=8, seed=1)
    >>> series = Question("block", "A").doses([0.1, 0.5])
    >>> most_split(s2p.run_experiment(population, series, duration_ms=2000))
    '0.5'
    """
    conditions = experiment.conditions[1:]
    if not conditions:
        return experiment.conditions[0]
    shares = np.array([float(experiment.kept(name).mean()) for name in conditions])
    return conditions[int(np.argmin(np.abs(shares - 0.5)))]


def became_of(experiment: Experiment, condition: str) -> list[str]:
    """Return how each member is under a condition: its pattern, or how it fell silent or ran away.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import Question, became_of
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=2, seed=1)
    >>> series = Question("block", "A").doses([0.75])
    >>> became_of(s2p.run_experiment(population, series, duration_ms=2000), "0.75")
    ['bursting', 'bursting']
    """
    at = experiment.place(condition)
    patterns, crashes = (experiment.data[name].values[:, at] for name in ("pattern", "crash"))
    return [str(kind if how in ("", LOST) else how) for kind, how in zip(patterns, crashes, strict=True)]
