"""What an experiment shall tell: all conductances, one of them, the DICs, another answer, which neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.observed import Answers, FloatArray, IntArray, told_by
from spike2pop_nb.experiments.questions import QUESTIONS, Question

__all__ = ["Target"]

_KINDS = ("conductances", "conductance", "dics", "answer", "neuron")
_SMALLEST = 1e-6  # mS/cm², so that an absent channel has a logarithm


@dataclass(frozen=True)
class Target:
    """What an experiment shall tell.

    Attributes
    ----------
    kind
        ``conductances`` (all of them), ``conductance``, ``dics``, ``answer`` or ``neuron``.
    channel
        Of a conductance.
    question, dose
        Of an answer.

    Examples
    --------
    >>> from spike2pop_nb.experiments import Target
    >>> print(Target.parsed("answer:block=H:0.5").describe())
    the answer to H −50 %
    """

    kind: str = "conductances"
    channel: str = ""
    question: Question | None = None
    dose: float = 0.0

    @classmethod
    def parsed(cls, text: str | Target) -> Target:
        """Read ``conductance:A``, ``dics``, ``answer:block=H:0.5``, ``answer:current:2`` or ``neuron``.

        Raises
        ------
        ExperimentError
            If it is none of these.
        """
        if isinstance(text, Target):
            return text
        kind, _, rest = text.strip().partition(":")
        if kind in ("conductances", "dics", "neuron") and not rest:
            return cls(kind)
        if kind == "conductance" and rest:
            return cls(kind, rest)
        if kind == "answer":
            what, _, dose = rest.rpartition(":")
            name, _, channel = what.partition("=")
            try:
                if name in QUESTIONS and bool(channel) == (name == "block"):
                    return cls(kind, "", Question(name, channel), float(dose))
            except ValueError:
                pass
        raise ExperimentError(
            f"A target is conductances, conductance:A, dics, answer:block=H:0.5, answer:current:2 or neuron, "
            f"not {text[:60]!r}."
        )

    def describe(self) -> str:
        """Say what it is."""
        if self.question is not None:
            return f"the answer to {self.question.protocol(self.dose).label}"
        return {
            "conductances": "all conductances",
            "conductance": f"the conductance of {self.channel}",
            "dics": "g_s and g_u",
            "neuron": "which neuron it is",
        }[self.kind]

    def of(self, population: Population) -> FloatArray:
        """Return the numbers that members have of it, (n, d)."""
        n = len(population)
        if self.kind == "conductance":
            at = population.neuron.index(self.channel)
            return np.log(np.maximum(population.g[:, [at]], _SMALLEST))
        if self.kind == "dics":
            return population.table[["g_s", "g_u"]].to_numpy(float)
        return np.zeros((n, 0))


def of_answers(answers: Answers, at: int) -> tuple[IntArray, FloatArray]:
    """Return how members fire under a condition, (n,), and the first measure of it, (n, 1)."""
    kinds, values = answers.at(at)
    first = np.zeros((len(kinds), 1))
    for row, kind in enumerate(kinds.tolist()):
        for place in told_by(kind)[:1]:
            first[row] = np.nan_to_num(values[row, place])
    return kinds, first
