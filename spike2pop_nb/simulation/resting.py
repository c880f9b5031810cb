"""What a neuron does at rest, and the constant current at which a silent one fires."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import mean_baseline
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.course import HeldCurrents
from spike2pop_nb.simulation.simulator import simulate
from spike2pop_nb.spiketrains import ActivityPattern, SpikeTrain, describe_pattern

__all__ = ["Resting", "at_rest"]

MOST_UA_CM2 = 100.0
_FIRST_UA_CM2 = 0.01
_CURRENTS = 16  # as many as the kernel simulates at once
_ROUNDS = 3
FloatArray = npt.NDArray[np.float64]


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
    current_uA_cm2
        Least constant current at which it fires three spikes or more: 0 if it fires without, NaN if it fires
        at none up to 100 µA/cm². To about 1 %.

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
    current_uA_cm2: float

    @property
    def words(self) -> str:
        """The same in a few words, with numbers to two digits."""
        if self.kind is ActivityPattern.SILENT:
            return "silent at rest"
        if self.kind is ActivityPattern.BURSTING and np.isfinite(self.period_ms):
            return f"bursts every {_two_digits(self.period_ms / 1000.0)} s at rest"
        irregular = "irregularly " if self.kind is ActivityPattern.IRREGULAR else ""
        return f"spikes {irregular}at {_two_digits(self.rate_hz)} Hz at rest"

    def describe(self) -> str:
        """Whether it fires without current, and at which it does, in one sentence."""
        if self.kind is not ActivityPattern.SILENT:
            return f"The mean baseline member fires without current: it {self.words}."
        if np.isnan(self.current_uA_cm2):
            return (
                "The mean baseline member is silent without current, and no constant current up to "
                f"{MOST_UA_CM2:g} µA/cm² makes it fire."
            )
        return (
            "The mean baseline member is silent without current; it fires from "
            f"{_two_digits(self.current_uA_cm2)} µA/cm² on."
        )


def at_rest(neuron: NeuronModel) -> Resting:
    """Simulate the mean baseline member of a neuron over its recording window.

    Raises
    ------
    CompensationError
        If the mean of the baseline cannot be solved.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation import at_rest
    >>> print(at_rest(s2p.get_neuron("stg")).describe())
    The mean baseline member fires without current: it spikes at 10 Hz at rest.
    """
    g = mean_baseline(neuron)
    found = simulate(g[None], neuron, record="spikes")
    train = found.trains()[0]
    kind = describe_pattern(train).kind
    seconds = (found.duration_ms - found.transient_ms) / 1000.0
    current = firing_current(neuron, g) if kind is ActivityPattern.SILENT else 0.0
    return Resting(kind, train.n_spikes / seconds, _burst_period_ms(train, kind), current)


def firing_current(neuron: NeuronModel, g: FloatArray) -> float:
    """Return the least constant current at which one member fires, in µA/cm², to about 1 %.

    NaN if it fires at none. The current is tried from 0.01 to 100 µA/cm², first in steps of a factor of 1.8.
    """
    low, high = 0.0, MOST_UA_CM2
    tried = np.geomspace(_FIRST_UA_CM2, MOST_UA_CM2, _CURRENTS)
    for _ in range(_ROUNDS):
        members = np.tile(g, (len(tried), 1))
        injected = simulate(members, neuron, record="spikes", course=HeldCurrents(tried))
        fires = np.array([len(times) > 2 for times in injected.spike_times_ms])
        if not fires.any():
            return float("nan")
        first = int(np.argmax(fires))
        low, high = (low if first == 0 else float(tried[first - 1])), float(tried[first])
        if high - low < 0.01 * high:
            break
        tried = np.linspace(low, high, _CURRENTS + 1)[1:]
    return high


def _burst_period_ms(train: SpikeTrain, kind: ActivityPattern) -> float:
    """Mean time from one burst's first spike to the next one's; bursts are parted by the longer intervals."""
    if kind is not ActivityPattern.BURSTING:
        return float("nan")
    intervals = np.diff(train.times_ms)
    measures = describe_pattern(train).measures
    starts = train.times_ms[1:][intervals > np.sqrt(measures.short_ms * measures.pause_ms)]
    return float(np.diff(starts).mean()) if len(starts) > 1 else float("nan")


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"
