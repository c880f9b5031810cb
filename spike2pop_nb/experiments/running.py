"""Run a population through the conditions of an experiment, all of them side by side.

The simulator takes protocols as `Applied`: for rows of members under conditions, what holds at each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import ExperimentError, check_whole
from spike2pop_nb.experiments.action import Action, FloatArray, IntArray, number
from spike2pop_nb.experiments.experiment import CONTROL, Experiment
from spike2pop_nb.experiments.protocol import MOST_CONDITIONS, Doses, Protocol
from spike2pop_nb.neurons import NeuronModel
from spike2pop_nb.simulation import simulate
from spike2pop_nb.simulation.course import Levels, Schedule, Waves
from spike2pop_nb.simulation.noise import noise_seeds
from spike2pop_nb.simulation.plan import Plan, make_plan

__all__ = ["Applied", "run_experiment"]

_FINEST_SHARE = 1 / 32  # the neuron itself changes in so many steps


def run_experiment(
    population: Population,
    protocol: Protocol | Mapping[str, Protocol] | Doses,
    *,
    duration_ms: float | None = None,
    transient_ms: float | None = None,
    accuracy: str = "standard",
    record: Literal["spikes", "traces"] = "traces",
    sample_ms: float = 0.5,
    noise_sigma: float | npt.ArrayLike | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Experiment:
    """Do the same to every member of a population, and compare with the control.

    Parameters
    ----------
    population
        The members.
    protocol
        What is done: one protocol, several by name, or a series of doses (`doses`). The control, to which
        nothing is done, comes first by itself.
    duration_ms, transient_ms
        Length of the recording after the transient, and of the transient; the neuron's own by default. Times
        of a protocol count from the beginning of the recording; what has no start holds before it, too.
    accuracy
        As in `simulate`.
    record
        ``"traces"`` keeps voltages, ``"spikes"`` does not.
    sample_ms
        Time between samples of the voltage.
    noise_sigma : float or (n,)
        Background noise of all conditions, the control too, in µA/cm²; see `simulate`. By default that of the
        members; a constant current and a rhythmic inhibition that they carry are given in any case.
    seed
        Of noise. A member gets the same noise in all conditions, so that only what is done differs.
    workers
        Threads; all cores by default. Results do not depend on it.
    progress, cancel
        As in `simulate`.

    Returns
    -------
    Experiment

    Raises
    ------
    ExperimentError
        If a protocol does not fit the neuron, the members or the length of the recording.
    SimulationError
        If other settings make no sense.
    Cancelled
        If ``cancel`` asked for it.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.experiments import block, doses
    >>> population = s2p.generate_population("stg", (5.0, 5.0), size=4, seed=1)
    >>> series = doses(lambda share: block("A", share), [0.25, 0.5])
    >>> found = s2p.run_experiment(population, series, duration_ms=2000)
    >>> found.conditions, found.data["rate_Hz"].shape
    (('control', '0.25', '0.5'), (4, 3))
    """
    check_whole("seed", seed, 0, None, ExperimentError)
    conditions, doses = _conditions(protocol)
    neuron, n = population.neuron, len(population)
    start = number(neuron.recording_window_ms[0] if transient_ms is None else transient_ms, "transient_ms", 0)
    stop = start + (
        neuron.recording_window_ms[1] - neuron.recording_window_ms[0]
        if duration_ms is None
        else number(duration_ms, "duration_ms", 1.0)
    )
    for given in conditions.values():
        given.check(neuron, n, stop - start)
    k = len(conditions)
    sigma = np.asarray(population.noise_sigma if noise_sigma is None else noise_sigma, dtype=float)
    if sigma.shape not in ((), (n,)):
        raise ExperimentError("noise_sigma must be one number, or one for each member (µA/cm²).")
    sigma = np.broadcast_to(sigma, (n,))
    inhibition = population.inhibition
    condition, member = np.repeat(np.arange(k), n), np.tile(np.arange(n), k)
    applied = Applied(neuron, tuple(conditions.values()), condition, member, start, seed)
    g = np.tile(population.g, (k, 1))
    for ms in {start, *applied.jumps_ms()}:  # what cannot be is said before anything is simulated
        applied.levels(ms, g, np.broadcast_to(neuron.E_mV, g.shape))
    simulated = simulate(
        g,
        neuron,
        duration_ms=stop,
        transient_ms=start,
        accuracy=accuracy,
        record="traces",
        sample_ms=sample_ms if record == "traces" else max(sample_ms, 5.0),
        noise_sigma=np.tile(sigma, k),
        current=np.tile(population.current, k),
        inhibition=None if inhibition is None else inhibition.repeated(k),
        seed=np.tile(noise_seeds(seed, n), k),
        course=applied,
        workers=workers,
        progress=progress,
        cancel=cancel,
    )
    made_by: dict[str, Any] = {
        "duration_ms": stop - start,
        "transient_ms": start,
        "accuracy": accuracy,
        "dt_ms": simulated.dt_ms,
        "noise_sigma": sigma.tolist() if np.ptp(sigma) else float(sigma[0]),
        "seed": seed,
    }
    return Experiment.judged(population, conditions, doses, simulated, made_by, traces=record == "traces")


def _conditions(
    protocol: Protocol | Mapping[str, Protocol] | Doses,
) -> tuple[dict[str, Protocol], Doses | None]:
    """Return all conditions by name, the control first, and the doses if they are such."""
    doses = protocol if isinstance(protocol, Doses) else None
    if isinstance(protocol, Doses):
        named: dict[str, Protocol] = protocol.named()
    elif isinstance(protocol, Protocol):
        named = {protocol.label: protocol} if protocol else {}
    elif isinstance(protocol, Mapping):
        named = {str(name): one for name, one in protocol.items()}
    else:
        raise ExperimentError(
            "An experiment needs a protocol, several by name, or doses of one, not "
            f"{type(protocol).__name__}."
        )
    if wrong := [name for name, one in named.items() if not isinstance(one, Protocol)]:
        raise ExperimentError(f"The condition {wrong[0]!r} is no protocol, such as block(...).")
    if named.pop(CONTROL, Protocol()):
        raise ExperimentError(
            f"The condition {CONTROL!r} is that to which nothing is done; name it otherwise."
        )
    if len(named) >= MOST_CONDITIONS:
        raise ExperimentError(f"An experiment has up to {MOST_CONDITIONS - 1} conditions, not {len(named)}.")
    return {CONTROL: Protocol(), **named}, doses


class Applied(Schedule):
    """What protocols, one for each condition, do to rows of members of a neuron.

    Parameters
    ----------
    condition, member : (n_rows,)
        Which condition and which member each row is.
    begin_ms
        When the recording begins, from the start of the simulation.
    seed
        Of noise currents.
    """

    def __init__(
        self,
        neuron: NeuronModel,
        protocols: Sequence[Protocol],
        condition: IntArray,
        member: IntArray,
        begin_ms: float,
        seed: int,
    ) -> None:
        self.neuron, self.protocols, self.begin_ms, self.seed = neuron, protocols, begin_ms, seed
        self.condition, self.member = condition, member
        self._parts = [(int(k), np.flatnonzero(condition == k)) for k in np.unique(condition)]

    def select(self, rows: IntArray) -> Applied:
        """Return what is done to some rows."""
        return Applied(
            self.neuron, self.protocols, self.condition[rows], self.member[rows], self.begin_ms, self.seed
        )

    def groups(self, n: int) -> list[IntArray]:
        """Return the rows of conditions that change the neuron itself in the same way."""
        found: dict[tuple[Action, ...], list[IntArray]] = {}
        for k, rows in self._parts:
            key = tuple(action for action in self.protocols[k].actions if action.changes_neuron)
            found.setdefault(key, []).append(rows)
        return [np.concatenate(parts) for parts in found.values()]

    def _actions(self) -> Iterable[Action]:
        return {action for k, _rows in self._parts for action in self.protocols[k].actions}

    def jumps_ms(self) -> Sequence[float]:
        """Return when an action begins, ends or bends."""
        return [self.begin_ms + ms for action in self._actions() for ms in action.jumps_ms()]

    def moving_ms(self) -> Sequence[tuple[float, float]]:
        """Return when an action comes on or wears off."""
        return [
            (self.begin_ms + begin, self.begin_ms + end)
            for action in self._actions()
            for begin, end in action.moving_ms()
        ]

    def levels(self, ms: float, g: FloatArray, E: FloatArray) -> Levels:
        """Return conductances, reversal potentials and constant currents of all rows."""
        g, E, current = g.copy(), E.copy(), np.zeros(len(g))
        for k, rows in self._parts:
            members = self.member[rows]
            added: FloatArray = np.zeros((1, g.shape[1]))
            for action in self.protocols[k].actions:
                share = float(action.share(ms - self.begin_ms))
                if share == 0:
                    continue
                effect = action.effect(self.neuron, share, members)
                g[rows] *= effect.g_factor
                added = added + effect.g_added
                E[rows] += effect.E_shift
                current[rows] += effect.level
            if added.any():
                g[rows] = self._with(added, g[rows], self.protocols[k].label)
        return Levels(g, E, current)

    def _with(self, added: FloatArray, g: FloatArray, label: str) -> FloatArray:
        """Return conductances with what is added; less than nothing by rounding is nothing."""
        total = g + added
        if np.any(total < -1e-9 * np.abs(added)):
            row, channel = np.argwhere(total < -1e-9 * np.abs(added))[0]
            name = self.neuron.channel_names[channel]
            raise ExperimentError(
                f"{label}: of {name} a member has only {g[row, channel]:.4g} mS/cm²; no more can be "
                "taken from it."
            )
        return np.maximum(total, 0.0)

    def waves(self, ms: FloatArray) -> Waves | None:
        """Return what is injected at each of some times."""
        which = np.zeros(len(self.condition), dtype=np.int64)
        none: npt.NDArray[np.floating[Any]] = np.zeros((1, len(ms)), dtype=np.float32)
        currents, conductances = [none], [none]
        found = conducting = False
        for k, rows in self._parts:
            current = conductance = none
            for place, action in enumerate(self.protocols[k].actions):
                since = ms - self.begin_ms
                if not np.any(action.share(since[[0, len(ms) // 2, -1]])):
                    continue  # nothing begins or ends within a chunk
                wave = action.wave(self.neuron, since, self.member[rows], (self.seed, place))
                if wave is None:
                    continue
                found = True
                current = wave[0] if current is none else current + wave[0]
                if wave[1] is not None:
                    conducting = True
                    conductance = conductance + wave[1]
            n = max(len(current), len(conductance))
            which[rows] = sum(map(len, currents)) + (np.arange(len(rows)) if n > 1 else 0)
            currents.append(np.broadcast_to(current, (n, len(ms))))
            conductances.append(np.broadcast_to(conductance, (n, len(ms))))
        if not found:
            return None
        return Waves(which, np.concatenate(currents), np.concatenate(conductances) if conducting else None)

    def plan(self, neuron: NeuronModel, dt_ms: float, ms: float) -> Plan:
        """Return the tables of the neuron as it is at a time."""
        temperature_C: float | None = None
        for action in self.protocols[self._parts[0][0]].actions:
            if action.changes_neuron:
                share = round(float(action.share(ms - self.begin_ms)) / _FINEST_SHARE) * _FINEST_SHARE
                neuron = action.changed(neuron, share)
                at = action.at(neuron, share)
                temperature_C = temperature_C if at is None else at
        if neuron is self.neuron and temperature_C is None:
            return make_plan(neuron, dt_ms)
        return _plan(neuron, dt_ms, temperature_C)


@lru_cache(maxsize=128)
def _plan(neuron: NeuronModel, dt_ms: float, temperature_C: float | None) -> Plan:
    # a longer memory than that of the neurons themselves: a slow change goes through many
    return make_plan.__wrapped__(neuron, dt_ms, temperature_C)
