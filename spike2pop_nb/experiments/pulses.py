"""Pulses of a conductance, as a dynamic clamp or a synapse gives them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.action import FloatArray, IntArray, Waves, number
from spike2pop_nb.experiments.stimuli import Stimulus
from spike2pop_nb.neurons import NeuronModel

__all__ = ["ConductancePulses"]


@dataclass(frozen=True)
class ConductancePulses(Stimulus):
    """Pulses of a conductance with its own reversal potential, which add up; see `conductance_pulses`."""

    conductance: float
    E_mV: float
    times_ms: tuple[float, ...]
    duration_ms: float | None = None
    rise_ms: float | None = None
    decay_ms: float | None = None
    kind = "pulses"
    density = "mS/cm2"
    absolute = "nS"
    named = "pulses {0.conductance:g} {0.unit_words}"
    dosed = "conductance ({0.unit_words})"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start_ms is not None or self.stop_ms is not None or self.course or self.ramp_ms:
            raise ExperimentError("Pulses begin at times_ms; they take no start, stop, ramp or course.")
        self._set("conductance", number(self.conductance, "The conductance of a pulse", 0.0, 1e5))
        self._set("E_mV", number(self.E_mV, "E_mV of pulses", -200.0, 200.0))
        times = tuple(sorted(number(ms, "A time of a pulse", 0.0) for ms in np.atleast_1d(self.times_ms)))
        if not times:
            raise ExperimentError("Pulses need at least one time in times_ms.")
        self._set("times_ms", times)
        smooth = self.rise_ms is not None and self.decay_ms is not None
        if smooth == (self.duration_ms is not None):
            raise ExperimentError("Pulses need either duration_ms, or rise_ms and decay_ms.")
        if smooth:
            self._set("rise_ms", number(self.rise_ms, "rise_ms of pulses", 0.02))
            self._set("decay_ms", number(self.decay_ms, "decay_ms of pulses", 0.02))
            if self.decay_ms <= self.rise_ms:  # type: ignore[operator]
                raise ExperimentError("Pulses must decay more slowly than they rise.")
        else:
            self._set("duration_ms", number(self.duration_ms, "duration_ms of pulses", 0.02))

    @property
    def length_ms(self) -> float:
        """How long a pulse lasts: to its end, or until a thousandth of a per cent is left."""
        return self.duration_ms if self.duration_ms is not None else 12.0 * (self.decay_ms or 0.0)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """From the first pulse to the end of the last."""
        return ((self.times_ms[0], 1.0), (self.times_ms[-1] + self.length_ms, 0.0))

    def share(self, ms: npt.ArrayLike) -> FloatArray:
        """Return 1 from the first pulse to the end of the last, and 0 elsewhere."""
        at = np.asarray(ms, dtype=float)
        (first, _), (end, _) = self.points
        return np.where((at >= first) & (at < end), 1.0, 0.0)

    def moving_ms(self) -> tuple[tuple[float, float], ...]:
        """Nothing: the conductance itself is given at each step."""
        return ()

    @property
    def last_ms(self) -> float:
        """When the last begins."""
        return self.times_ms[-1]

    def onset_ms(self) -> float:
        """Return when the first begins."""
        return self.times_ms[0]

    def span_ms(self) -> tuple[float, float]:
        """Return from when to when it acts."""
        return self.times_ms[0], self.times_ms[-1] + self.length_ms

    def conductance_at(self, ms: FloatArray) -> FloatArray:
        """Return the conductance in its unit."""
        total = np.zeros(len(ms))
        for time in self.times_ms:
            if time + self.length_ms < ms[0] or time > ms[-1]:
                continue
            past = ms - time
            if self.duration_ms is not None:
                total += (past >= 0) & (past < self.duration_ms)
            elif self.rise_ms is not None and self.decay_ms is not None:
                rise, decay = self.rise_ms, self.decay_ms
                peak = rise * decay / (decay - rise) * math.log(decay / rise)
                scale = math.exp(-peak / decay) - math.exp(-peak / rise)
                on = np.clip(past, 0.0, None)
                total += (np.exp(-on / decay) - np.exp(-on / rise)) / scale
        return self.conductance * total

    def wave(
        self, neuron: NeuronModel, ms: FloatArray, members: IntArray, seed: Sequence[int]
    ) -> Waves | None:
        """Return what flows towards its reversal potential, and the conductance."""
        g = self.per_area(neuron) * self.conductance_at(ms)[None]
        return g * self.E_mV, g

    def words(self) -> str:
        shape = (
            f"{self.duration_ms:g} ms long"
            if self.duration_ms is not None
            else f"rising with {self.rise_ms:g} and decaying with {self.decay_ms:g} ms"
        )
        count = len(self.times_ms)
        return (
            f"{count} conductance {'pulse' if count == 1 else 'pulses'} of {self.conductance:g} "
            f"{self.unit_words} ({shape}; E {self.E_mV:g} mV) {'is' if count == 1 else 'are'} added"
        )

    def when(self) -> str:
        first, last = self.times_ms[0], self.times_ms[-1]
        return f"at {first:g} ms" if first == last else f"from {first:g} to {last:g} ms"
