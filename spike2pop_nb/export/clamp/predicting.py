"""What a dynamic clamp is predicted to do: the knock-in simulated, on a member and a population."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spike2pop_nb.conductances import Population
from spike2pop_nb.experiments import CONTROL, Experiment, Protocol, became_of, block, knock_in, run_experiment
from spike2pop_nb.export.clamp.model import Clamp
from spike2pop_nb.export.formatting import figure, plain

__all__ = ["ClampPrediction", "predict_clamp"]

MOST_MEMBERS = 64
_WORDS = {
    CONTROL: "Without a clamp",
    "added": "With the clamp",
    "own blocked": "With these channels of its own blocked, without a clamp",
    "in place of its own": "With these channels of its own blocked, and the clamp",
}


@dataclass(frozen=True, eq=False)
class ClampPrediction:
    """What members do before and with a clamp.

    Attributes
    ----------
    clamp
        What is injected.
    experiment
        What was simulated: the members the first of which is the one that the clamp is for.
    left_out
        How many members were not simulated, since they have less of a channel than would be taken away.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.clamp import dynamic_clamp, predict_clamp
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> found = predict_clamp(dynamic_clamp(population, 3, from_row=0), population, duration_ms=1000)
    >>> found.describe()[0]
    'Without a clamp: member 1/0 is regular tonic at 14 Hz; 4 of 4 members are, the median of all is 12.5 Hz.'
    """

    clamp: Clamp
    experiment: Experiment
    left_out: int

    def describe(self) -> list[str]:
        """Say for each condition what the member and the population do."""
        found, n = self.experiment, len(self.experiment)
        whose = plain("/".join(map(str, found.population.labels[0])))
        lines = []
        for place, name in enumerate(found.conditions):
            rate, became = found.data["rate_Hz"].values[:, place], became_of(found, name)
            said = f"{_WORDS[name]}: member {whose} is {became[0]} at {figure(float(rate[0]))} Hz"
            if n > 1:
                same = int(np.sum(np.array(became) == became[0]))
                middle = figure(float(np.nanmedian(rate))) if np.isfinite(rate).any() else "no"
                said += f"; {same} of {n} members are, the median of all is {middle} Hz"
                if name != CONTROL:
                    said += f", and {int(found.kept(name).sum())} keep their rhythm"
            lines.append(f"{said}.")
        return lines


def predict_clamp(
    clamp: Clamp, population: Population, *, duration_ms: float | None = None, seed: int = 0
) -> ClampPrediction:
    """Simulate what a clamp does to the member that the cell is like, and to the other members.

    Parameters
    ----------
    clamp
        What is injected.
    population
        Members among which are those of the clamp. Of many the first 64 are simulated.
    duration_ms
        Length of the recording, after the transient; the neuron's own by default.
    seed
        Of noise, where members carry any.

    Returns
    -------
    ClampPrediction
        Of channels that are added: with what is injected on top of the members' own, with their own blocked,
        and with what is injected in place of their own. Of a difference: with it.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.export.clamp import dynamic_clamp, predict_clamp
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> found = predict_clamp(dynamic_clamp(population, 3, ["A"]), population, duration_ms=1000)
    >>> found.experiment.conditions
    ('control', 'added', 'own blocked', 'in place of its own')
    """
    neuron, added = clamp.neuron, clamp.added
    mine = clamp.to_label if clamp.from_label is None else clamp.from_label
    order = sorted(range(len(population)), key=lambda row: population.labels[row] != mine)[:MOST_MEMBERS]
    able = [
        row
        for row in order
        if all(population.g[row, neuron.index(name)] + more >= 0 for name, more in added.items())
    ]
    knocked = sum((knock_in(name, more) for name, more in added.items() if more), Protocol())
    conditions = {"added": knocked}
    leak = neuron.channel_names[-1]
    if clamp.from_label is None and leak not in added:
        gone = sum((block(name, 1.0) for name in added), Protocol())
        conditions |= {"own blocked": gone, "in place of its own": gone + knocked}
    experiment = run_experiment(
        population.select(able), conditions, duration_ms=duration_ms, record="spikes", seed=seed
    )
    return ClampPrediction(clamp, experiment, len(order) - len(able))
