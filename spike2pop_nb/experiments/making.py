"""What can be done to a population, each as a protocol: currents, blocks, potassium, warmth and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from spike2pop_nb.experiments import perturbations as done
from spike2pop_nb.experiments import stimuli
from spike2pop_nb.experiments.protocol import Protocol

__all__ = [
    "block",
    "calcium_buffering",
    "chirp",
    "conductance_pulses",
    "constant_current",
    "knock_in",
    "noise",
    "potassium",
    "ramp",
    "scale",
    "shift_reversal",
    "step",
    "temperature",
    "waveform",
]


def constant_current(current: float | Sequence[float], **options: Any) -> Protocol:
    """Return a current that flows all the time.

    Parameters
    ----------
    current
        For all members, or one for each; positive depolarises.
    options
        ``unit`` (``"uA/cm2"`` or ``"pA"``, which needs ``capacitance_pF``).

    Raises
    ------
    ExperimentError
        If a value is no finite number, or a current in pA comes without a capacitance.

    Examples
    --------
    >>> from spike2pop_nb.experiments import constant_current
    >>> constant_current(50, unit="pA", capacitance_pF=25).describe()
    'A current of 50 pA is injected throughout.'
    """
    return Protocol((stimuli.Step(current, **options),))  # type: ignore[arg-type]


def step(
    current: float | Sequence[float],
    start_ms: float,
    stop_ms: float,
    **options: Any,
) -> Protocol:
    """Return a step of current.

    Parameters
    ----------
    current
        For all members, or one for each.
    start_ms, stop_ms
        When, from the beginning of the recording.
    options
        ``unit``, ``capacitance_pF`` and ``ramp_ms``, over which it comes on and wears off.

    Raises
    ------
    ExperimentError
        As `constant_current`, or if it stops before it starts.

    Examples
    --------
    >>> from spike2pop_nb.experiments import step
    >>> step(-2.0, 500, 1500).label
    '-2 µA/cm²'
    """
    return Protocol((stimuli.Step(current, start_ms=start_ms, stop_ms=stop_ms, **options),))  # type: ignore[arg-type]


def ramp(first: float, last: float, start_ms: float, stop_ms: float, **options: Any) -> Protocol:
    """Return a current that goes in a straight line from its first to its last value.

    Raises
    ------
    ExperimentError
        As `step`.

    Examples
    --------
    >>> from spike2pop_nb.experiments import ramp
    >>> ramp(0, 5, 0, 3000).label
    'ramp 0 to 5 µA/cm²'
    """
    return Protocol((stimuli.Ramp(first, last, start_ms=start_ms, stop_ms=stop_ms, **options),))


def chirp(
    current: float,
    from_Hz: float,
    to_Hz: float,
    start_ms: float,
    stop_ms: float,
    *,
    logarithmic: bool = False,
    **options: Any,
) -> Protocol:
    """Return a sine whose frequency goes from one to another.

    Raises
    ------
    ExperimentError
        As `step`, or if a frequency cannot be.

    Examples
    --------
    >>> from spike2pop_nb.experiments import chirp
    >>> chirp(0.1, 0.5, 20, 0, 10_000).label
    'chirp 0.5 to 20 Hz'
    """
    made = stimuli.Chirp(current, from_Hz, to_Hz, logarithmic, start_ms=start_ms, stop_ms=stop_ms, **options)
    return Protocol((made,))


def noise(
    sd: float, tau_ms: float = 0.0, *, mean: float = 0.0, same_for_all: bool = False, **options: Any
) -> Protocol:
    """Return a Gaussian noise current: white, or with a correlation time an Ornstein–Uhlenbeck process.

    Parameters
    ----------
    sd, mean
        Of the current. White noise is drawn anew every 0.1 ms.
    tau_ms
        Correlation time; 0 for white noise.
    same_for_all
        Whether all members get the same noise. In all conditions a member gets the same anyway.
    options
        ``start_ms``, ``stop_ms``, ``ramp_ms``, ``unit``, ``capacitance_pF``.

    Raises
    ------
    ExperimentError
        As `step`.

    Examples
    --------
    >>> from spike2pop_nb.experiments import noise
    >>> noise(0.5, tau_ms=5).label
    'noise 0.5 µA/cm²'
    """
    return Protocol((stimuli.Noise(sd, tau_ms, mean, same_for_all, **options),))


def waveform(samples: npt.ArrayLike, sample_ms: float, start_ms: float = 0.0, **options: Any) -> Protocol:
    """Return a sampled current, linear between samples.

    Raises
    ------
    ExperimentError
        If a sample is not finite, or they lie further apart than a spike lasts.

    Examples
    --------
    >>> import numpy as np
    >>> from spike2pop_nb.experiments import waveform
    >>> waveform(np.sin(np.arange(1000) / 100), sample_ms=1.0).label
    'waveform'
    """
    return Protocol((stimuli.Waveform(samples, sample_ms, start_ms=start_ms, **options),))  # type: ignore[arg-type]


def conductance_pulses(
    conductance: float,
    E_mV: float,
    times_ms: Sequence[float] | float,
    *,
    duration_ms: float | None = None,
    rise_ms: float | None = None,
    decay_ms: float | None = None,
    **options: Any,
) -> Protocol:
    """Return pulses of a conductance with its own reversal potential, as a dynamic clamp or a synapse gives.

    Parameters
    ----------
    conductance
        At the peak of a pulse, in mS/cm² (or ``unit="nS"`` with ``capacitance_pF``).
    E_mV
        Reversal potential.
    times_ms
        When pulses begin.
    duration_ms
        Of rectangular pulses.
    rise_ms, decay_ms
        In its place, time constants of pulses that rise and decay by exponentials.

    Raises
    ------
    ExperimentError
        If pulses have no shape or two, or a number cannot be.

    Examples
    --------
    >>> from spike2pop_nb.experiments import conductance_pulses
    >>> conductance_pulses(0.05, -80, [200, 400], rise_ms=1, decay_ms=10).label
    'pulses 0.05 mS/cm²'
    """
    made = stimuli.ConductancePulses(
        conductance,
        E_mV,
        times_ms,  # type: ignore[arg-type]
        duration_ms,
        rise_ms,
        decay_ms,
        **options,
    )
    return Protocol((made,))


def block(channel: str, share: float | Sequence[float], **times: Any) -> Protocol:
    """Block a share of a channel.

    Parameters
    ----------
    channel
        Its name.
    share
        From 0 (none) to 1 (all of it); for all members, or one for each.
    times
        ``start_ms``, ``stop_ms`` and ``ramp_ms``, or a ``course`` of (ms, how much of it); throughout by
        default.

    Raises
    ------
    ExperimentError
        If the share does not lie from 0 to 1, or the times cannot be.

    Examples
    --------
    >>> from spike2pop_nb.experiments import block
    >>> block("A", 0.5, start_ms=1000, ramp_ms=200).describe()
    '50 % of A is blocked from 1000 ms (coming on over 200 ms).'
    """
    return Protocol((done.Block(channel, share, **times),))  # type: ignore[arg-type]


def scale(channel: str, factor: float | Sequence[float], **times: Any) -> Protocol:
    """Multiply a maximal conductance by a factor.

    Raises
    ------
    ExperimentError
        If the factor is negative or not finite, or the times cannot be.

    Examples
    --------
    >>> from spike2pop_nb.experiments import scale
    >>> scale("H", 2.0).label
    'H ×2'
    """
    return Protocol((done.Scale(channel, factor, **times),))  # type: ignore[arg-type]


def knock_in(channel: str, conductance: float | Sequence[float], **options: Any) -> Protocol:
    """Add some of a channel to what members have of it, as a dynamic clamp does; less than 0 takes it away.

    A block or scale beside it is done to what the members have, not to what is added. What is added of a
    channel that carries calcium brings calcium in, which a real clamp cannot.

    Parameters
    ----------
    channel
        One of the neuron's.
    conductance
        For all members, or one for each, in mS/cm² (or ``unit="nS"`` with ``capacitance_pF``).
    options
        ``start_ms``, ``stop_ms``, ``ramp_ms``, ``course``, ``unit``, ``capacitance_pF``.

    Raises
    ------
    ExperimentError
        If a number or the times cannot be; in an experiment, if more is taken than a member has.

    Examples
    --------
    >>> from spike2pop_nb.experiments import block, knock_in
    >>> print((block("A", 1.0) + knock_in("A", 20.0)).describe())
    100 % of A is blocked throughout; 20 mS/cm² of A is added throughout.
    """
    return Protocol((done.KnockIn(channel, conductance, **options),))  # type: ignore[arg-type]


def shift_reversal(channel: str, by_mV: float | Sequence[float], **times: Any) -> Protocol:
    """Shift the reversal potential of a channel.

    Raises
    ------
    ExperimentError
        If the shift or the times cannot be.

    Examples
    --------
    >>> from spike2pop_nb.experiments import shift_reversal
    >>> shift_reversal("leak", 5).label
    'E_leak 5 mV'
    """
    return Protocol((done.ReversalShift(channel, by_mV, **times),))  # type: ignore[arg-type]


def potassium(
    factor: float,
    *,
    channels: Sequence[str] | None = None,
    shares: Mapping[str, float] | None = None,
    temperature_C: float | None = None,
    **times: Any,
) -> Protocol:
    """Multiply potassium outside by a factor; E_K follows by the Nernst equation.

    Parameters
    ----------
    factor
        On the concentration outside; 2.5 for 2.5 times as much.
    channels
        Those that let pass potassium alone; by default all but the leak whose reversal
        potential lies within 5 mV of the lowest.
    shares
        ``{channel: share}`` for channels of which only a share of the conductance is one for potassium, such
        as ``{"leak": 0.5}``. By default none: the leak stays as it is.
    temperature_C
        Of the Nernst equation; by default that of the neuron, or 20 °C.

    Raises
    ------
    ExperimentError
        If a number or the times cannot be.

    Examples
    --------
    >>> from spike2pop_nb.experiments import potassium
    >>> potassium(2.5, shares={"leak": 0.5}).label
    'K⁺ ×2.5'
    """
    whose = None if channels is None else tuple(channels)
    parts = tuple((shares or {}).items())
    return Protocol((done.Potassium(factor, whose, parts, temperature_C, **times),))


def calcium_buffering(factor: float, **times: Any) -> Protocol:
    """Buffer calcium more: its pool gets slower by a factor, and settles where it did before.

    Raises
    ------
    ExperimentError
        If the factor or the times cannot be.

    Examples
    --------
    >>> from spike2pop_nb.experiments import calcium_buffering
    >>> calcium_buffering(10).label
    'Ca²⁺ buffer ×10'
    """
    return Protocol((done.CalciumBuffering(factor, **times),))


def temperature(
    temperature_C: float,
    *,
    rate_q10: float | None = None,
    conductance_q10: float | None = None,
    declared_C: float | None = None,
    **times: Any,
) -> Protocol:
    """Bring the neuron to another temperature; rates and conductances follow their Q10s.

    Parameters
    ----------
    temperature_C
        To which it is brought.
    rate_q10, conductance_q10
        What to assume where the declaration states no Q10.
    declared_C
        At which temperature the declaration holds, if it does not say so.

    Raises
    ------
    ExperimentError
        If a number or the times cannot be; in an experiment, if a Q10 is missing.

    Examples
    --------
    >>> from spike2pop_nb.experiments import temperature
    >>> temperature(19, start_ms=0, ramp_ms=2000).label
    '19 °C'
    """
    made = done.Temperature(temperature_C, rate_q10, conductance_q10, declared_C, **times)
    return Protocol((made,))
