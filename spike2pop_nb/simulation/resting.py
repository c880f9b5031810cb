"""What a neuron does at rest: the words that stand on its card."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spike2pop_nb.conductances import mean_baseline
from spike2pop_nb.errors import SimulationError
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.simulator import simulate
from spike2pop_nb.spiketrains import ActivityPattern, SpikeTrain, describe_pattern

__all__ = ["Resting", "at_rest"]


@dataclass(frozen=True)
class Resting:
    """What the mean baseline member of a neuron does without current.

    Attributes
    ----------
    kind
        Its firing pattern.
    rate_hz
        Its spikes a second.
    period_ms
        Mean time from the start of one burst to the next; NaN where it does not burst.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation import at_rest
    >>> at_rest(s2p.get_neuron("stg")).kind
    <ActivityPattern.REGULAR: 'regular tonic'>
    """

    kind: ActivityPattern
    rate_hz: float
    period_ms: float

    @property
    def words(self) -> str:
        """The same in a few words, with numbers to two digits: `AT_REST` of a neuron that is shipped."""
        if self.kind is ActivityPattern.SILENT:
            return "is silent at rest"
        if self.kind is ActivityPattern.BURSTING and np.isfinite(self.period_ms):
            return f"bursts every {_two_digits(self.period_ms / 1000.0)} s at rest"
        irregular = "irregularly " if self.kind is ActivityPattern.IRREGULAR else ""
        return f"spikes {irregular}at {_two_digits(self.rate_hz)} Hz at rest"


def at_rest(neuron: NeuronModel) -> Resting:
    """Simulate the mean baseline member of a neuron over its recording window.

    Raises
    ------
    CompensationError
        If the mean of the baseline cannot be solved.
    SimulationError
        If that member runs away.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation import at_rest
    >>> at_rest(s2p.get_neuron("pyloric")).words
    'bursts every 0.81 s at rest'
    """
    found = simulate(mean_baseline(neuron)[None], neuron, record="spikes")
    if found.failed[0]:
        raise SimulationError(
            f"The mean baseline member of the {neuron.name} neuron ran away ({found.reasons[0]})."
        )
    train = found.trains()[0]
    kind = describe_pattern(train).kind
    seconds = (found.duration_ms - found.transient_ms) / 1000.0
    return Resting(kind, train.n_spikes / seconds, _burst_period_ms(train, kind))


def _burst_period_ms(train: SpikeTrain, kind: ActivityPattern) -> float:
    """Mean time from one burst's first spike to the next one's; bursts are parted by the longer intervals."""
    if kind is not ActivityPattern.BURSTING:
        return float("nan")
    measures = describe_pattern(train).measures
    starts = train.times_ms[1:][np.diff(train.times_ms) > np.sqrt(measures.short_ms * measures.pause_ms)]
    return float(np.diff(starts).mean()) if len(starts) > 1 else float("nan")


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"
