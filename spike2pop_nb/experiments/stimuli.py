"""What is injected, in densities or in pA and nS: currents of all shapes, and pulses of a conductance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spike2pop_nb.errors import ExperimentError, WayOut
from spike2pop_nb.experiments.action import (
    Action,
    Amount,
    Effect,
    FloatArray,
    IntArray,
    Waves,
    amount,
    check_count,
    each,
    number,
    said,
)
from spike2pop_nb.neurons import NeuronModel

__all__ = ["MOST_UA", "Chirp", "ConductancePulses", "Noise", "Ramp", "Step", "Stimulus", "Waveform"]

_COARSEST_MS = 1.0
_HIGHEST_HZ = 2000.0
_CLOCK_MS = 0.1  # of noise
_PER_BLOCK = 2_500
MOST_UA = 1e4
"""Largest current; hundreds of times what makes any neuron fire."""


@dataclass(frozen=True, kw_only=True)
class Stimulus(Action):
    """Something injected, in densities (µA/cm², mS/cm²) or in absolute units (pA, nS).

    Attributes
    ----------
    unit
        Of currents ``"uA/cm2"`` (as by default) or ``"pA"``; of conductances ``"mS/cm2"`` or ``"nS"``.
    capacitance_pF
        Of the cell, with which pA and nS become densities: 1 pA into 1 pF is what 1 µA/cm² is to 1 µF/cm².
    """

    unit: str = ""
    capacitance_pF: float | None = None

    density: ClassVar[str] = "uA/cm2"
    absolute: ClassVar[str] = "pA"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("unit", self.unit or self.density)
        if self.unit not in (self.density, self.absolute):
            raise ExperimentError(
                f"The unit of {self.kind} must be {self.density} or {self.absolute}, not {self.unit!r}."
            )
        if self.capacitance_pF is not None:
            self._set("capacitance_pF", number(self.capacitance_pF, "capacitance_pF", 1e-3, 1e6))
        if self.unit == self.absolute and self.capacitance_pF is None:
            raise ExperimentError(
                f"A stimulus in {self.absolute} needs the capacitance of the cell to become one in "
                f"{self.density}.",
                WayOut("give it in pF", ("capacitance_pF",)),
            )

    def per_area(self, neuron: NeuronModel) -> float:
        """Return by what a value in its unit is multiplied to be a density."""
        if self.capacitance_pF is None or self.unit == self.density:
            return 1.0
        return neuron.capacitance_uF / self.capacitance_pF

    @property
    def unit_words(self) -> str:
        """The unit as it is printed."""
        return self.unit.replace("u", "µ").replace("cm2", "cm²")

    def _times(self) -> tuple[float, float]:
        """Start and stop, which both have to be given."""
        if self.start_ms is None or self.stop_ms is None:
            raise ExperimentError(f"A {self.kind} needs start_ms and stop_ms.")
        return self.start_ms, self.stop_ms


@dataclass(frozen=True)
class Step(Stimulus):
    """A current that stays the same while it flows."""

    current: Amount
    kind = "step"
    done = "a current of {0.label} is injected"
    dosed = "current ({0.unit_words})"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("current", amount(self.current, "The current of a step", -MOST_UA, MOST_UA))

    def check(self, neuron: NeuronModel, n: int) -> None:
        """Raise if it has another number of currents than there are members."""
        check_count(self.current, n, "A step", "currents")

    def effect(self, neuron: NeuronModel, share: float, members: IntArray) -> Effect:
        """Return the current, where it does not change."""
        if self.moving_ms():
            return Effect()
        return Effect(level=share * self.per_area(neuron) * each(self.current, members))

    def wave(
        self, neuron: NeuronModel, ms: FloatArray, members: IntArray, seed: Sequence[int]
    ) -> Waves | None:
        """Return the current, where it comes on and wears off smoothly."""
        if not self.moving_ms():
            return None
        return self.per_area(neuron) * each(self.current, members)[:, None] * self.share(ms), None

    @property
    def label(self) -> str:
        return said(self.current, self.unit_words)


class Course(Stimulus):
    """A current that changes over time, the same for all members."""

    def current_at(self, ms: FloatArray) -> FloatArray:
        """Return the current in its unit."""
        raise NotImplementedError

    def wave(
        self, neuron: NeuronModel, ms: FloatArray, members: IntArray, seed: Sequence[int]
    ) -> Waves | None:
        """Return the current."""
        return self.per_area(neuron) * self.current_at(ms)[None], None


@dataclass(frozen=True)
class Ramp(Course):
    """A current that goes in a straight line from its first to its last value."""

    first: float
    last: float
    kind = "ramp"
    done = "a current that goes from {0.first:g} to {0.last:g} {0.unit_words} is injected"
    named = "ramp {0.first:g} to {0.last:g} {0.unit_words}"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._times()
        for name in ("first", "last"):
            self._set(name, number(getattr(self, name), f"The {name} current of a ramp", -MOST_UA, MOST_UA))

    def current_at(self, ms: FloatArray) -> FloatArray:
        start, stop = self._times()
        course = self.first + (self.last - self.first) * np.clip((ms - start) / (stop - start), 0.0, 1.0)
        return course * self.share(ms)


@dataclass(frozen=True)
class Chirp(Course):
    """A sine whose frequency goes from one to another, in equal steps or in equal ratios."""

    current: float
    from_Hz: float
    to_Hz: float
    logarithmic: bool = False
    kind = "chirp"
    named = "chirp {0.from_Hz:g} to {0.to_Hz:g} Hz"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._times()
        self._set("current", number(self.current, "The current of a chirp", -MOST_UA, MOST_UA))
        for name in ("from_Hz", "to_Hz"):
            low = 1e-3 if self.logarithmic else 0.0
            self._set(name, number(getattr(self, name), f"{name} of a chirp", low, _HIGHEST_HZ))

    def current_at(self, ms: FloatArray) -> FloatArray:
        from scipy.signal import chirp  # takes a second to import, which who draws a panel need not wait for

        start, stop = self._times()
        at = np.clip(ms - start, 0.0, stop - start) / 1000.0
        method = "logarithmic" if self.logarithmic else "linear"
        wave = chirp(at, self.from_Hz, (stop - start) / 1000.0, self.to_Hz, method=method, phi=-90.0)
        return self.current * np.asarray(wave) * self.share(ms)

    def words(self) -> str:
        return (
            f"a chirp of {self.current:g} {self.unit_words} from {self.from_Hz:g} to {self.to_Hz:g} Hz "
            f"({'logarithmic' if self.logarithmic else 'linear'}) is injected"
        )


@dataclass(frozen=True)
class Waveform(Course):
    """A sampled current, linear between samples, such as one that was recorded."""

    samples: tuple[float, ...]
    sample_ms: float
    kind = "waveform"
    named = "waveform"

    def __post_init__(self) -> None:
        super().__post_init__()
        values = np.asarray(self.samples, dtype=float)
        if values.ndim != 1 or values.size < 2:
            raise ExperimentError("A waveform needs two samples or more, in one row.")
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ExperimentError(f"Sample {at + 1} of the waveform is {values[at]}; all must be finite.")
        sample = number(self.sample_ms, "sample_ms of a waveform", 1e-3)
        if sample > _COARSEST_MS:
            raise ExperimentError(
                f"A waveform needs a sample every {_COARSEST_MS:g} ms or more often, for that is how long a "
                f"spike lasts, not every {sample:g} ms; interpolate it first, or give ramps."
            )
        self._set("samples", tuple(map(float, values)))
        self._set("sample_ms", sample)
        start = self.start_ms or 0.0
        self._set("start_ms", start)
        end = start + sample * (values.size - 1)
        if self.stop_ms is None or self.stop_ms > end:
            self._set("stop_ms", end)

    def current_at(self, ms: FloatArray) -> FloatArray:
        at = (self.start_ms or 0.0) + self.sample_ms * np.arange(len(self.samples))
        return np.interp(ms, at, self.samples, left=0.0, right=0.0) * self.share(ms)

    def words(self) -> str:
        return (
            f"a waveform of {len(self.samples)} samples, one every {self.sample_ms:g} ms, from "
            f"{min(self.samples):.3g} to {max(self.samples):.3g} {self.unit_words}, is injected"
        )


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


@dataclass(frozen=True)
class Noise(Stimulus):
    """A Gaussian noise current, white on a clock of 0.1 ms or Ornstein–Uhlenbeck; see `noise`."""

    sd: float
    tau_ms: float = 0.0
    mean: float = 0.0
    same_for_all: bool = False
    kind = "noise"
    named = "noise {0.sd:g} {0.unit_words}"
    dosed = "standard deviation of noise ({0.unit_words})"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("sd", number(self.sd, "The standard deviation of noise", 0.0, MOST_UA))
        self._set("mean", number(self.mean, "The mean of noise", -MOST_UA, MOST_UA))
        self._set("tau_ms", number(self.tau_ms, "tau_ms of noise", 0.0, 1e5))

    def wave(
        self, neuron: NeuronModel, ms: FloatArray, members: IntArray, seed: Sequence[int]
    ) -> Waves | None:
        """Return the current."""
        tick = np.floor(ms / _CLOCK_MS + 1e-9).astype(np.int64)
        # Each quarter of a second has its own generator, so that only what is asked for is drawn.
        whose = np.zeros(1, dtype=np.int64) if self.same_for_all else members
        drawn = self._ticks(int(tick[0]), int(tick[-1]), [(*seed, int(member)) for member in whose])
        current = (self.per_area(neuron) * (self.mean + self.sd * drawn)).astype(np.float32)
        current = np.take(current, tick - tick[0], axis=1)
        share = self.share(ms)
        return current if share.min() == 1 else current * share, None

    def _ticks(self, first: int, last: int, seeds: list[tuple[int, ...]]) -> FloatArray:
        """Unit noise from one tick of the clock to another, (n, n_ticks), however it is asked for."""
        memory = math.exp(-_CLOCK_MS / self.tau_ms) if self.tau_ms > 0 else 0.0
        # an Ornstein–Uhlenbeck process has forgotten what lies 20 correlation times back
        back = math.ceil(20.0 * self.tau_ms / _CLOCK_MS)
        blocks = range((first - back) // _PER_BLOCK, last // _PER_BLOCK + 1)
        white = np.stack([np.concatenate([_block(seed, block) for block in blocks]) for seed in seeds])
        begin = first - back - blocks[0] * _PER_BLOCK
        white = white[:, begin : begin + back + last - first + 1]
        if memory:
            from scipy.signal import lfilter  # slow to import

            white = lfilter([math.sqrt(1.0 - memory**2)], [1.0, -memory], white)
        return np.asarray(white[:, back:])

    def words(self) -> str:
        sort = (
            f"Ornstein–Uhlenbeck noise (correlation time {self.tau_ms:g} ms)"
            if self.tau_ms
            else (f"white noise (new every {_CLOCK_MS:g} ms)")
        )
        mean = f" around {self.mean:g}" if self.mean else ""
        same = ", the same for all members," if self.same_for_all else ""
        return f"{sort} of standard deviation {self.sd:g}{mean} {self.unit_words}{same} is injected"


@lru_cache(maxsize=4096)  # all conditions get the same
def _block(seed: tuple[int, ...], block: int) -> FloatArray:
    return np.random.default_rng([*seed, block + 2**20]).standard_normal(_PER_BLOCK)
