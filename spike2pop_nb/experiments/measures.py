"""What is read from steps and chirps: f–I curves, sag and rebound, adaptation, resonance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.errors import ExperimentError
from spike2pop_nb.experiments.experiment import CONTROL, Experiment
from spike2pop_nb.experiments.stimuli import Chirp, Step

__all__ = ["FICurve", "Resonance", "adaptation", "f_I_curve", "resonance", "sag_and_rebound"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_BASELINE_MS = 50.0
_STEADY_MS = 50.0
_REBOUND_MS = 300.0
_SMOOTH_HZ = 0.5


@dataclass(frozen=True, eq=False)
class FICurve:
    """Firing rate over injected current.

    Attributes
    ----------
    member : (n,)
        Numbers of the members.
    current : (k,)
        Rising.
    unit
        Of the current.
    rate_Hz : (n, k)
        Of each member.
    rheobase : (n,)
        The lowest current given at which a member fires a spike or more; NaN if at none. A member that fires
        at the lowest of all currents may fire at less.
    gain : (n,)
        Slope from the rheobase to the highest rate, in Hz per unit of current; NaN where that is one point.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import constant_current, doses, f_I_curve
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> series = doses(constant_current, [-5, 5, 10])
    >>> curve = f_I_curve(s2p.run_experiment(population, series, duration_ms=1000, transient_ms=500))
    >>> curve.current.tolist(), curve.rheobase.tolist()
    ([-5.0, 0.0, 5.0, 10.0], [0.0, 0.0, 0.0, 0.0])
    """

    member: IntArray
    current: FloatArray
    unit: str
    rate_Hz: FloatArray
    rheobase: FloatArray
    gain: FloatArray

    def to_frame(self) -> pd.DataFrame:
        """Return a table: ``member``, ``current``, ``rate_Hz``."""
        n, k = self.rate_Hz.shape
        return pd.DataFrame(
            {
                "member": np.repeat(self.member, k),
                "current": np.tile(self.current, n),
                "rate_Hz": self.rate_Hz.ravel(),
            }
        )

    def describe(self) -> str:
        """Say rheobase and gain of the members."""
        fires = np.isfinite(self.rheobase)
        if not fires.any():
            return f"No member fires at up to {self.current[-1]:g} {self.unit}."
        low, high = np.min(self.rheobase[fires]), np.max(self.rheobase[fires])
        among = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        first = " or less" if low == self.current[0] else ""
        said = f"{fires.sum()} of {len(fires)} members fire, from {among} {self.unit}{first} on"
        gain = self.gain[np.isfinite(self.gain)]
        if not gain.size:
            return f"{said}."
        return f"{said}, with a gain of {np.median(gain):.3g} Hz per {self.unit} (median)."


def f_I_curve(experiment: Experiment) -> FICurve:
    """Return firing rates over the currents of an experiment.

    The control counts as no current, unless something else is done beside the currents.

    Raises
    ------
    ExperimentError
        If not every condition is one current of its own, the same for all members, in one unit, with the same
        done beside it.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import doses, f_I_curve, step
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> series = doses(lambda current: step(current, 0, 1000), [0.5, 5])
    >>> f_I_curve(s2p.run_experiment(population, series, duration_ms=1000)).rate_Hz.shape
    (4, 3)
    """
    currents: dict[float, str] = {}
    units, beside = set(), set()
    for name, protocol in experiment.protocols.items():
        steps = [action for action in protocol.actions if isinstance(action, Step)]
        others = tuple(action for action in protocol.actions if not isinstance(action, Step))
        if name == CONTROL:
            continue
        beside.add(others)
        if len(steps) != 1 or len(beside) > 1 or not isinstance(steps[0].current, float):
            raise ExperimentError(
                f"An f–I curve needs conditions that each inject one current, with the same done beside it, "
                f"not {name!r}: {protocol.describe()}"
            )
        currents[steps[0].current] = name
        units.add(steps[0].unit_words)
    if len(units) != 1:
        raise ExperimentError("An f–I curve needs conditions that inject a current, all in one unit.")
    if not any(beside):
        currents.setdefault(0.0, CONTROL)
    current = np.array(sorted(currents))
    places = [experiment.place(currents[value]) for value in current]
    rate = experiment.data["rate_Hz"].values[:, places]
    rheobase, gain = np.full(len(rate), np.nan), np.full(len(rate), np.nan)
    for member, rates in enumerate(rate):
        if not np.any(rates > 0):
            continue
        first, best = int(np.argmax(rates > 0)), int(np.nanargmax(rates))
        rheobase[member] = current[first]
        if best > first:
            gain[member] = np.polyfit(current[first : best + 1], rates[first : best + 1], 1)[0]
    return FICurve(experiment.members, current, units.pop(), rate, rheobase, gain)


def _step_of(experiment: Experiment, condition: str) -> tuple[float, float]:
    """Start and stop of the one step of a condition."""
    experiment.place(condition)
    steps = [action for action in experiment.protocols[condition].actions if isinstance(action, Step)]
    if len(steps) != 1 or steps[0].start_ms is None or steps[0].stop_ms is None:
        raise ExperimentError(
            f"This is measured on a step of current with start and stop, not on {condition!r}."
        )
    return steps[0].start_ms, steps[0].stop_ms


def _voltage(experiment: Experiment, condition: str) -> tuple[FloatArray, FloatArray]:
    """Times and voltages (n, n_samples) under a condition."""
    if "V_mV" not in experiment.data:
        raise ExperimentError('Voltages were not kept; run the experiment with record="traces".')
    V = experiment.data["V_mV"].values[:, experiment.place(condition)]
    return experiment.data["time"].values, V.astype(float)


def sag_and_rebound(experiment: Experiment, condition: str) -> pd.DataFrame:
    """Return how far voltages sag during a hyperpolarising step, and what follows it.

    Returns
    -------
    DataFrame
        A row for each member: ``V_before_mV`` (median of the 50 ms before), ``V_lowest_mV``, ``V_steady_mV``
        (median of the last 50 ms of the step), ``sag_mV`` (steady − lowest), ``sag`` (its share of the whole
        deflection), ``rebound_spikes`` in the 300 ms after, and ``rebound_ms``, when the first comes.

    Raises
    ------
    ExperimentError
        If the condition has no step with start and stop, or voltages were not kept.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import sag_and_rebound, step
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = s2p.run_experiment(population, {"down": step(-5, 500, 1500)}, duration_ms=2000)
    >>> bool((sag_and_rebound(found, "down")["sag_mV"] > 0).all())
    True
    """
    start, stop = _step_of(experiment, condition)
    time, V = _voltage(experiment, condition)

    def part(begin: float, end: float) -> FloatArray:
        inside = (time >= begin) & (time < end)
        if not inside.any():
            raise ExperimentError("The recording begins or ends too close to the step to measure sag there.")
        return V[:, inside]

    before = np.median(part(start - _BASELINE_MS, start), axis=1)
    lowest = part(start, stop).min(axis=1)
    steady = np.median(part(max(start, stop - _STEADY_MS), stop), axis=1)
    after = [
        times[(times >= stop) & (times < stop + _REBOUND_MS)]
        for times in experiment.spike_times_ms[condition]
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (steady - lowest) / (before - lowest)
    return pd.DataFrame(
        {
            "member": experiment.members,
            "V_before_mV": before,
            "V_lowest_mV": lowest,
            "V_steady_mV": steady,
            "sag_mV": steady - lowest,
            "sag": share,
            "rebound_spikes": [len(times) for times in after],
            "rebound_ms": [times[0] - stop if len(times) else np.nan for times in after],
        }
    )


def adaptation(experiment: Experiment, condition: str) -> pd.DataFrame:
    """Return how firing slows down during a step of current.

    Returns
    -------
    DataFrame
        A row for each member: ``spikes``; ``first_ms`` and ``last_ms``, its first interval and the mean of
        its last three; ``ratio`` of the last to the first; and ``index``, (last − first) / (last + first): 0
        for none, positive where firing slows down. NaN for fewer than 5 spikes.

    Raises
    ------
    ExperimentError
        If the condition has no step with start and stop.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import adaptation, step
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> found = s2p.run_experiment(population, {"up": step(5, 500, 1500)}, duration_ms=2000)
    >>> adaptation(found, "up").columns.tolist()
    ['member', 'spikes', 'first_ms', 'last_ms', 'ratio', 'index']
    """
    start, stop = _step_of(experiment, condition)
    rows = []
    for member, times in zip(experiment.members, experiment.spike_times_ms[condition], strict=True):
        isi = np.diff(times[(times >= start) & (times < stop)])
        first, last = (isi[0], isi[-3:].mean()) if isi.size >= 4 else (np.nan, np.nan)
        rows.append(
            (
                member,
                isi.size + 1 if isi.size else 0,
                first,
                last,
                last / first,
                (last - first) / (last + first),
            )
        )
    return pd.DataFrame(rows, columns=["member", "spikes", "first_ms", "last_ms", "ratio", "index"])


@dataclass(frozen=True, eq=False)
class Resonance:
    """Impedance over frequency.

    Attributes
    ----------
    member : (n,)
        Numbers of the members.
    frequency_Hz : (m,)
        Within the chirp.
    impedance : (n, m)
        Magnitude, in kΩ·cm² (mV per µA/cm²).
    resonance_Hz : (n,)
        Where it is largest.
    Q : (n,)
        How much larger it is there than at the lowest frequency; 1 for no resonance.
    spiking : (n,) bool
        Members that fired during the chirp, of whose membrane the impedance says little.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import chirp, constant_current, resonance
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> quiet = chirp(0.2, 1, 20, 0, 3000) + constant_current(-5)
    >>> found = resonance(s2p.run_experiment(population, {"chirp": quiet}, duration_ms=3000), "chirp")
    >>> bool(found.spiking.any()), bool((found.Q >= 1).all())
    (False, True)
    """

    member: IntArray
    frequency_Hz: FloatArray
    impedance: FloatArray
    resonance_Hz: FloatArray
    Q: FloatArray
    spiking: npt.NDArray[np.bool_]

    def to_frame(self) -> pd.DataFrame:
        """Return a table of members: ``member``, ``resonance_Hz``, ``Q``, ``spiking``."""
        return pd.DataFrame(
            {
                "member": self.member,
                "resonance_Hz": self.resonance_Hz,
                "Q": self.Q,
                "spiking": self.spiking,
            }
        )

    def describe(self) -> str:
        """Say at which frequencies members resonate."""
        if self.spiking.all():
            return "All members fire during the chirp; hold them below threshold to see their resonance."
        quiet = ~self.spiking
        return (
            f"{quiet.sum()} members stay below threshold and resonate at "
            f"{np.median(self.resonance_Hz[quiet]):.3g} Hz with Q {np.median(self.Q[quiet]):.2f} (medians)"
            + (f"; {self.spiking.sum()} fire during the chirp." if self.spiking.any() else ".")
        )


def resonance(experiment: Experiment, condition: str) -> Resonance:
    """Return the impedance of members over the frequencies of a chirp.

    The ratio of the spectra of voltage and current during the chirp, averaged over 0.5 Hz.

    Raises
    ------
    ExperimentError
        If the condition has no chirp, or voltages were not kept, or too coarsely for its frequencies.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import chirp, constant_current, resonance
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> quiet = chirp(0.2, 1, 20, 0, 3000) + constant_current(-5)
    >>> found = resonance(s2p.run_experiment(population, {"chirp": quiet}, duration_ms=3000), "chirp")
    >>> float(found.frequency_Hz[0]), float(found.frequency_Hz[-1])
    (1.0, 20.0)
    """
    from scipy.ndimage import uniform_filter1d

    experiment.place(condition)
    chirps = [action for action in experiment.protocols[condition].actions if isinstance(action, Chirp)]
    if len(chirps) != 1:
        raise ExperimentError(
            f"Resonance is measured on one chirp, which the condition {condition!r} has not."
        )
    chirp = chirps[0]
    start, stop = float(chirp.start_ms or 0.0), float(chirp.stop_ms or 0.0)
    time, V = _voltage(experiment, condition)
    inside = (time >= start) & (time < stop)
    dt_s = float(time[1] - time[0]) / 1000.0
    low, high = sorted((chirp.from_Hz, chirp.to_Hz))
    if high > 0.25 / dt_s:
        raise ExperimentError(
            f"Voltages every {1000 * dt_s:g} ms are too coarse for {high:g} Hz; set sample_ms."
        )
    V = V[:, inside] - V[:, inside].mean(axis=1, keepdims=True)
    current = chirp.per_area(experiment.population.neuron) * chirp.current_at(time[inside])
    frequency = np.asarray(np.fft.rfftfreq(current.size, dt_s), dtype=np.float64)
    spectra, given = np.fft.rfft(V, axis=1), np.fft.rfft(current - current.mean())
    width = max(1, round(_SMOOTH_HZ / frequency[1]))
    cross = spectra * np.conj(given)
    smooth = [uniform_filter1d(part, width, axis=-1) for part in (cross.real, cross.imag, np.abs(given) ** 2)]
    within = (frequency >= low) & (frequency <= high)
    Z = np.hypot(smooth[0], smooth[1])[:, within] / smooth[2][within]
    best = np.argmax(Z, axis=1)
    spiking = np.array(
        [bool(np.any((times >= start) & (times < stop))) for times in experiment.spike_times_ms[condition]]
    )
    rows = np.arange(len(Z))
    Q = Z[rows, best] / Z[:, 0]
    return Resonance(experiment.members, frequency[within], Z, frequency[within][best], Q, spiking)
