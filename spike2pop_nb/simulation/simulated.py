"""What a simulation of members gave: their spikes and voltages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["Simulated"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Simulated:
    """What a simulation gave.

    Attributes
    ----------
    neuron
        The declaration that was simulated.
    labels
        ``(id, member)`` of each row.
    spike_times_ms
        One array per member: spike times in ms from the start of the simulation, after the transient.
    failed : (n,) bool
        Members whose voltage ran away or that could not be simulated; they have no spikes.
    reasons
        ``{row: why it failed}``.
    time_ms : (n_samples,), V_mV : (n, n_samples)
        Voltage traces after the transient; empty if only spikes were recorded.
    duration_ms, transient_ms, dt_ms, accuracy, noise_sigma
        How it was run.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> simulated.to_frame().columns.tolist(), simulated.train(0).id
    (['id', 'member', 'time_ms'], '1/0')
    """

    neuron: NeuronModel
    labels: list[tuple[str, int]]
    spike_times_ms: list[FloatArray]
    failed: npt.NDArray[np.bool_]
    reasons: dict[int, str]
    time_ms: FloatArray
    V_mV: npt.NDArray[np.float32]
    duration_ms: float
    transient_ms: float
    dt_ms: float
    accuracy: str
    noise_sigma: FloatArray = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.spike_times_ms)

    def train(self, row: int) -> SpikeTrain:
        """Return the spikes of one member as a train named ``id/member``."""
        name, member = self.labels[row]
        return SpikeTrain(
            id=f"{name}/{member}",
            times_ms=self.spike_times_ms[row],
            window_ms=(self.transient_ms, self.duration_ms),
        )

    def trains(self) -> list[SpikeTrain]:
        """Return one train per member."""
        return [self.train(row) for row in range(len(self))]

    def to_frame(self) -> pd.DataFrame:
        """Return a table of all spikes: id, member, time_ms from the start of the simulation."""
        counts = [len(times) for times in self.spike_times_ms]
        rows = np.repeat(np.arange(len(self)), counts)
        return pd.DataFrame(
            {
                "id": [self.labels[row][0] for row in rows],
                "member": [self.labels[row][1] for row in rows],
                "time_ms": np.concatenate(self.spike_times_ms) if len(rows) else np.zeros(0),
            }
        )

    def select(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Simulated:
        """Return some of the members."""
        rows = [int(row) for row in rows]
        return Simulated(
            neuron=self.neuron,
            labels=[self.labels[row] for row in rows],
            spike_times_ms=[self.spike_times_ms[row] for row in rows],
            failed=self.failed[rows],
            reasons={i: self.reasons[row] for i, row in enumerate(rows) if row in self.reasons},
            time_ms=self.time_ms,
            V_mV=self.V_mV[rows] if self.V_mV.size else self.V_mV,
            duration_ms=self.duration_ms,
            transient_ms=self.transient_ms,
            dt_ms=self.dt_ms,
            accuracy=self.accuracy,
            noise_sigma=self.noise_sigma[rows],
        )
