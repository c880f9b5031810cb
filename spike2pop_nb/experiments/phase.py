"""Phase response: how a short pulse of current moves the next spikes, whenever in the cycle it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.action import number
from spike2pop_nb.experiments.making import step
from spike2pop_nb.experiments.running import run_experiment
from spike2pop_nb.spiketrains import ActivityPattern, describe_pattern

__all__ = ["PhaseResponse", "phase_response"]

FloatArray = npt.NDArray[np.float64]
_MOST_PHASES = 200
_LEAST_EVENTS = 4


@dataclass(frozen=True, eq=False)
class PhaseResponse:
    """How pulses move the rhythm of members.

    Attributes
    ----------
    member : (n,)
        Numbers of the members.
    period_ms : (n,)
        Median period in the control: of spikes, or of bursts in a member that bursts. NaN for a member that
        has none.
    phase : (n, k)
        Phase of each pulse, from 0 (a spike, or the first of a burst) to 1; rising in each member.
    shift : (n, k)
        By what share of its period the next of them comes earlier (negative: later).

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import phase_response
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = phase_response(population, 2.0, phases=8)
    >>> found.shift.shape
    (4, 8)
    """

    member: npt.NDArray[np.int64]
    period_ms: FloatArray
    phase: FloatArray
    shift: FloatArray

    def to_frame(self) -> pd.DataFrame:
        """Return a table: ``member``, ``phase``, ``shift``."""
        k = self.phase.shape[1]
        return pd.DataFrame(
            {"member": np.repeat(self.member, k), "phase": self.phase.ravel(), "shift": self.shift.ravel()}
        )

    def describe(self) -> str:
        """Say how far pulses move the rhythm."""
        if not np.isfinite(self.shift).any():
            return "No member has a rhythm that a pulse could move."
        forward, back = np.nanmax(self.shift), np.nanmin(self.shift)
        with_rhythm = np.isfinite(self.period_ms)
        delayed = int(np.sum(np.nanmin(self.shift[with_rhythm], axis=1) < -0.01))
        late = f", and can delay that of {delayed}" if delayed else ""
        return (
            f"A pulse moves the rhythm of {with_rhythm.sum()} members by {back:+.2f} to {forward:+.2f} of a "
            f"period{late}."
        )


def phase_response(
    population: Population,
    current: float,
    *,
    width_ms: float = 1.0,
    phases: int = 24,
    unit: str = "uA/cm2",
    capacitance_pF: float | None = None,
    accuracy: str = "exact",
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> PhaseResponse:
    """Return how a short pulse of current moves the rhythm of each member, by the phase at which it comes.

    Members are simulated without a pulse, and once with a pulse at each of some times that cover the longest
    period. Without noise, all that differs is what the pulse did.

    Parameters
    ----------
    population
        The members.
    current, unit, capacitance_pF
        Of the pulse, as in `step`.
    width_ms
        How long it lasts.
    phases
        How many pulses.
    accuracy, seed, workers, progress, cancel
        As in `run_experiment`.

    Raises
    ------
    ExperimentError
        If a number cannot be, or no member has a rhythm.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import phase_response
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = phase_response(population, 2.0, phases=8)
    >>> bool((found.shift > 0).any())
    True
    """
    width = number(width_ms, "width_ms", 0.02, 1000.0)
    count = int(number(phases, "phases", 2, _MOST_PHASES))
    options: dict[str, Any] = {"accuracy": accuracy, "seed": seed, "workers": workers, "cancel": cancel}

    def pulse(ms: float) -> Any:
        return step(current, ms, ms + width, unit=unit, capacitance_pF=capacitance_pF)

    control = run_experiment(population, {}, record="spikes", **options)
    trains = control.trains("control")
    bursting = [describe_pattern(train).kind is ActivityPattern.BURSTING for train in trains]
    events = [_events(train.times_ms, bursts) for train, bursts in zip(trains, bursting, strict=True)]
    period = np.array([np.median(np.diff(e)) if len(e) >= _LEAST_EVENTS else np.nan for e in events])
    if not np.isfinite(period).any():
        raise ExperimentError("No member fires with a rhythm in the control, so pulses have no phase.")
    longest = float(np.nanmax(period))
    first = 2.0 * longest  # whole cycles before, in which each member has a spike and a whole burst
    times = first + longest * np.arange(count) / count
    found = run_experiment(
        population,
        {f"{ms:.6f}": pulse(float(ms)) for ms in times},
        duration_ms=float(times[-1] + width + 4.0 * longest),
        record="spikes",
        progress=progress,
        **options,
    )
    phase, shift = np.full((len(population), count), np.nan), np.full((len(population), count), np.nan)
    for member, bursts in enumerate(bursting):
        if not np.isfinite(period[member]):
            continue
        calm = _events(found.spike_times_ms["control"][member], bursts)
        for k, ms in enumerate(times):
            at = int(np.searchsorted(calm, ms, side="right"))
            moved = _events(found.spike_times_ms[found.conditions[k + 1]][member], bursts)
            after = moved[moved > ms]
            if not 0 < at < len(calm) or not after.size:
                continue
            cycle = calm[at] - calm[at - 1]
            phase[member, k], shift[member, k] = (ms - calm[at - 1]) / cycle, (calm[at] - after[0]) / cycle
    order = np.argsort(phase, axis=1)
    return PhaseResponse(
        control.members, period, np.take_along_axis(phase, order, 1), np.take_along_axis(shift, order, 1)
    )


def _events(times_ms: FloatArray, bursts: bool) -> FloatArray:
    """Spikes, or the first of each burst but for one that may have begun before the recording."""
    if not bursts or len(times_ms) < 3:
        return times_ms
    isi = np.diff(times_ms)
    return times_ms[1:][isi > 0.5 * (isi.min() + isi.max())]
