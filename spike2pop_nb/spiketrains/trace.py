"""A voltage trace: its id, its samples and where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spike2pop_nb.errors import SpikeTrainError

from .train import FloatArray, Provenance, checked_id

__all__ = ["VoltageTrace", "VoltageTraces"]


@dataclass(frozen=True, eq=False)
class VoltageTrace:
    """Recorded voltage over time, from inside a neuron or from beside it.

    Parameters
    ----------
    id : str
        Name of the trace; see `checked_id`.
    times_ms : array_like of float, shape (n,)
        Sample times in ms, finite and strictly increasing; the steps need not be equal.
    V_mV : array_like of float, shape (n,)
        Potential in mV, finite; in `unit` where that is another.
    unit_reason : str
        How the units of the file were decided, in words.
    provenance : Provenance, optional
        Where the trace came from.
    unit : str
        "mV"; or, where the file's unit is no known one of voltage, that unit in its own words, such as
        "counts". Spikes are then found only with a threshold that is given in it.

    Raises
    ------
    SpikeTrainError
        When there are fewer than two samples, or they are not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.spiketrains import VoltageTrace
    >>> trace = VoltageTrace("Vm", times_ms=np.arange(4) * 0.1, V_mV=[-60.0, -58.0, 20.0, -60.0])
    >>> trace.id, trace.unit
    ('Vm', 'mV')
    """

    id: str
    times_ms: FloatArray
    V_mV: FloatArray
    unit_reason: str = ""
    provenance: Provenance | None = None
    unit: str = "mV"

    def __post_init__(self) -> None:
        name = checked_id(self.id)
        object.__setattr__(self, "id", name)
        times, volts = _read_only(self.times_ms), _read_only(self.V_mV)
        if times.ndim != 1 or times.shape != volts.shape or times.size < 2:
            raise SpikeTrainError(
                f"The trace {name!r} has {times.shape} times and {volts.shape} potentials; it must have one "
                "potential per time, and at least two."
            )
        for values, what in ((times, "time"), (volts, "potential")):
            if not np.isfinite(values).all():
                where = int(np.flatnonzero(~np.isfinite(values))[0])
                raise SpikeTrainError(
                    f"Sample {where + 1} of the trace {name!r} has the {what} {values[where]}; it must be "
                    "finite, so choose a stretch without it."
                )
        backwards = np.flatnonzero(np.diff(times) <= 0)
        if backwards.size:
            where = int(backwards[0]) + 1
            raise SpikeTrainError(
                f"Sample {where + 1} of the trace {name!r}, at {times[where]:.10g} ms, does not come after "
                f"the one before it, at {times[where - 1]:.10g} ms; times must be strictly increasing."
            )
        object.__setattr__(self, "times_ms", times)
        object.__setattr__(self, "V_mV", volts)

    @property
    def step_ms(self) -> float:
        """Median time between samples in ms."""
        return float(np.median(np.diff(self.times_ms)))

    @property
    def duration_ms(self) -> float:
        """Time from the first to the last sample in ms."""
        return float(self.times_ms[-1] - self.times_ms[0])

    def __len__(self) -> int:
        return int(self.times_ms.size)

    def __repr__(self) -> str:
        low, high = self.V_mV.min(), self.V_mV.max()
        return f"VoltageTrace({self.id!r}, {self.duration_ms:.10g} ms, {low:.3g} to {high:.3g} {self.unit})"


class VoltageTraces(list[VoltageTrace]):
    """The traces of one file, with what was left out, put right, or looks odd, in words.

    Examples
    --------
    >>> import numpy as np
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.spiketrains import VoltageTrace
    >>> from spike2pop_nb.spiketrains import VoltageTraces
    >>> times_ms = np.arange(0, 1000, 0.1)
    >>> trace = VoltageTrace("Vm", times_ms, 100 * np.exp(-(((times_ms % 100) - 50) ** 2)) - 60)
    >>> len(VoltageTraces([trace]))
    1
    """

    def __init__(
        self,
        traces: Iterable[VoltageTrace] = (),
        skipped: tuple[str, ...] = (),
        repairs: tuple[str, ...] = (),
        cautions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(traces)
        self.skipped, self.repairs, self.cautions = skipped, repairs, cautions


def _read_only(values: ArrayLike) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array
