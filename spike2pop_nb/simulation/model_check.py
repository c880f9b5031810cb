"""Is a declared neuron usable, and what can be done with it? Its numbers, threshold, reach and firing."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spike2pop_nb.conductances import baseline_population, reachability, solvable_pairs
from spike2pop_nb.conductances.threshold import Threshold, mean_threshold, threshold_sensitivity
from spike2pop_nb.errors import NeuronModelError
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation.excitability import Excitability, excitability
from spike2pop_nb.simulation.simulated import Simulated
from spike2pop_nb.simulation.simulator import simulate
from spike2pop_nb.spiketrains import classify
from spike2pop_nb.spiketrains.patterns import SILENT_BELOW

__all__ = ["ModelCheck", "check_model"]

_SWING_MV = 40.0
_STEP_ERROR = 0.003
_STEPS_MS = (0.02, 0.01, 0.005, 0.0025, 0.00125)


@dataclass(frozen=True, eq=False)
class ModelCheck:
    """What a check found.

    Attributes
    ----------
    neuron
        The declaration.
    suspicious
        Values that are allowed but unusual, one sentence each.
    drawn, baseline : Threshold
        Of members drawn over the conductance ranges, and of the baseline population.
    per_mV : (float, float)
        Change of g_s and of g_u per mV of V_th.
    pairs : DataFrame
        ``pair``, ``reached`` (share of the plane) and ``condition`` of each solvable pair, best first.
    rate_hz : (n,)
        Firing rates of the baseline members that were simulated.
    patterns
        How many of them fire in which pattern.
    failed
        How many of them ran away.
    step_error
        Relative change of the mean interval when the time step is halved, median over members; NaN if none
        fires. Large where instantaneous gates make the spike, unless ``time_step_ms`` is short.
    cost
        Seconds of computing per simulated second of one neuron.
    excitability
        Which baseline members fire without current, and at which current others begin or they stop.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation import check_model
    >>> found = check_model(s2p.get_neuron("stg"), members=2)
    >>> print(found.describe().splitlines()[0])
    The gates of STG neuron (crab stomatogastric ganglion) are finite and in range from -120 to 80 mV.
    """

    neuron: NeuronModel
    suspicious: tuple[str, ...]
    drawn: Threshold
    baseline: Threshold
    per_mV: tuple[float, float]
    pairs: pd.DataFrame
    rate_hz: np.ndarray
    patterns: dict[str, int]
    failed: int
    step_error: float
    cost: float
    excitability: Excitability

    def describe(self) -> str:
        """Say what was found, one sentence a line."""
        said = [f"The gates of {self.neuron.title} are finite and in range from -120 to 80 mV."]
        said += self.suspicious or ("Units and magnitudes are plausible.",)
        for what, threshold in (("drawn over the ranges", self.drawn), ("of the baseline", self.baseline)):
            if not threshold.found_share:
                said.append(f"No member {what} has a threshold: g_t never falls through zero.")
                continue
            said.append(
                f"Of members {what}, {100 * threshold.found_share:.0f} % have a threshold, on average "
                f"{threshold.mean_mV:.1f} ± {threshold.std_mV:.1f} mV (declared: {self.neuron.V_th_mV:g} mV)."
            )
        said.append(
            f"A millivolt of V_th changes g_s by {self.per_mV[0]:.2g} and g_u by {self.per_mV[1]:.2g}."
        )
        counts = ", ".join(f"{count} {pattern}" for pattern, count in self.patterns.items())
        said.append(
            f"Of {len(self.rate_hz)} baseline members {self.failed} ran away; {counts}; rates "
            f"{self.rate_hz.min():.1f} to {self.rate_hz.max():.1f} Hz."
        )
        said += self.excitability.describe().splitlines()
        if np.isfinite(self.step_error):
            said.append(
                f"With the time step halved, mean intervals change by {100 * self.step_error:.2g} % (median)"
                + ("." if self.step_error < _STEP_ERROR else self._shorter_step())
            )
        said.append(f"Simulating one second of one neuron takes {1000 * self.cost:.1f} ms.")
        return "\n".join(said)

    def _shorter_step(self) -> str:
        now = self.neuron.time_step_ms
        # second order: the change falls with the square of the step
        wanted = [step for step in _STEPS_MS if self.step_error * (step / now) ** 2 < _STEP_ERROR]
        if not wanted:
            return ", too much even for short time steps."
        return f": declare time_step_ms={wanted[0]:g} (now {now:g})."


def check_model(neuron: NeuronModel, members: int = 16, seed: int = 0) -> ModelCheck:
    """Check a declared neuron and try it out.

    Parameters
    ----------
    neuron
        The declaration; its construction has already checked that it is consistent.
    members
        Baseline members that are simulated.
    seed
        The same seed gives the same findings but for the time taken.

    Raises
    ------
    NeuronModelError
        If no two conductances reach any of the plane, no baseline member can be simulated, or none fires at
        any current.
    CompensationError
        If the baseline cannot be solved.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation import check_model
    >>> found = check_model(s2p.get_neuron("stg"), members=2)
    >>> found.failed, len(found.rate_hz)
    (0, 2)
    """
    g, _ = baseline_population(neuron, members, seed)
    pairs = _pairs(neuron)
    if not len(pairs) or not pairs["reached"].max() > 0:
        raise NeuronModelError(
            f"Neuron {neuron.name!r}: no two conductances bring baseline members to any of dic_range; "
            "change dic_range or the baseline."
        )
    simulate(g[:1], neuron, duration_ms=1.0, transient_ms=0.0, record="spikes")  # what compiles is not timed
    started = time.perf_counter()
    simulated = simulate(g, neuron, seed=seed)
    cost = (time.perf_counter() - started) / (members * simulated.duration_ms / 1000.0)
    trains = [train for train, bad in zip(simulated.trains(), simulated.failed, strict=True) if not bad]
    patterns = Counter(str(classify(train)) for train in trains)
    if not trains:
        raise NeuronModelError(
            f"Neuron {neuron.name!r}: every baseline member ran away ({simulated.reasons[0]})."
        )
    uncounted = _uncounted(simulated)
    fires = np.array([len(times) >= SILENT_BELOW for times in simulated.spike_times_ms])
    excited = excitability(neuron, g[~simulated.failed], fires[~simulated.failed])
    if patterns["silent"] == len(trains) and (uncounted or not np.isfinite(excited.current_uA).any()):
        why = uncounted or [
            "Every baseline member is silent, whatever the current; change the DICs of its baseline."
        ]
        raise NeuronModelError(f"Neuron {neuron.name!r}: {why[0]}")
    span_s = (simulated.duration_ms - simulated.transient_ms) / 1000.0
    return ModelCheck(
        neuron,
        (*_suspicious(neuron), *uncounted),
        mean_threshold(neuron, seed=seed),
        mean_threshold(neuron, 500, seed, members="baseline"),
        threshold_sensitivity(neuron, seed=seed),
        pairs,
        np.array([len(times) / span_s for times in simulated.spike_times_ms]),
        dict(patterns),
        int(simulated.failed.sum()),
        _step_error(simulated, simulate(g, neuron, accuracy="exact", record="spikes", seed=seed)),
        cost,
        excited,
    )


def _step_error(simulated: Simulated, finer: Simulated) -> float:
    """Median relative difference of mean intervals between two simulations of the same members."""
    changes = [
        abs(np.diff(fine).mean() / np.diff(coarse).mean() - 1.0)
        for coarse, fine in zip(simulated.spike_times_ms, finer.spike_times_ms, strict=True)
        if min(len(coarse), len(fine)) > 2
    ]
    return float(np.median(changes)) if changes else float("nan")


def _uncounted(simulated: Simulated) -> list[str]:
    """Members without a spike whose voltage swings as if they had fired."""
    silent = np.array([not len(times) for times in simulated.spike_times_ms]) & ~simulated.failed
    swings = int(np.sum(np.ptp(simulated.V_mV[silent], axis=1) > _SWING_MV))
    if not swings:
        return []
    return [
        f"The voltage of {swings} baseline members swings by over {_SWING_MV:g} mV, yet none of it counts as "
        f"a spike: is spike_threshold_mV ({simulated.neuron.spike_threshold_mV:g} mV) too high, or "
        f"spike_reset_mV ({simulated.neuron.spike_reset_mV:g} mV) too low?"
    ]


def _pairs(neuron: NeuronModel) -> pd.DataFrame:
    reached = [reachability(neuron, pair, 11) for pair in solvable_pairs(neuron)]
    table = pd.DataFrame(
        {
            "pair": [" and ".join(reach.compensate) for reach in reached],
            "reached": [reach.share for reach in reached],
            "condition": [float(np.median(reach.condition)) for reach in reached],
        }
    )
    return table.sort_values(["reached", "condition"], ascending=[False, True], ignore_index=True)


def _suspicious(neuron: NeuronModel) -> list[str]:
    """Values that are off by what a wrong unit would do (V for mV, s for ms, S or nS for mS)."""
    said = []
    V = np.linspace(-90.0, 40.0, 131)
    for channel, E in zip(neuron.channels, neuron.E_mV, strict=True):
        if not -120 <= E <= 180 or 0 < abs(E) < 1:
            said.append(f"Channel {channel.name}: a reversal potential of {E:g} mV is unusual.")
        for gate in channel.gates:
            if gate.tau is None:
                continue
            tau = np.asarray(gate.tau(V))
            if tau.max() > 20_000 or tau.max() < 0.02:
                said.append(
                    f"Channel {channel.name}, gate {gate.name}: time constants of {tau.min():.3g} to "
                    f"{tau.max():.3g} ms are unusual; is the unit ms?"
                )
    for name, (low, high) in neuron.conductance_range.items():
        if not 0 <= low < high <= 20_000 or high < 1e-4:
            said.append(
                f"Channel {name}: a range of {low:g} to {high:g} mS/cm² is unusual; is the unit mS/cm²?"
            )
    if not -90 < neuron.V_th_mV < -20:
        said.append(f"A threshold of {neuron.V_th_mV:g} mV is unusual.")
    if not 0.1 <= neuron.capacitance_uF <= 50:
        said.append(f"A capacitance of {neuron.capacitance_uF:g} µF/cm² is unusual.")
    t = np.array([neuron.V_th_mV])
    fast, slow, ultraslow = neuron.tau_fast(t), neuron.tau_slow(t), neuron.tau_ultraslow(t)
    if not fast < slow < ultraslow:
        said.append("At the threshold tau_fast, tau_slow and tau_ultraslow do not follow in this order.")
    return said
