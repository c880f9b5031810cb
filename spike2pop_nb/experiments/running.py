"""Run a population through the conditions of an experiment, all of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import Population
from spike2pop_nb.errors import ExperimentError, check_whole
from spike2pop_nb.experiments.action import number
from spike2pop_nb.experiments.applied import Applied
from spike2pop_nb.experiments.experiment import CONTROL, Experiment
from spike2pop_nb.experiments.protocol import MOST_CONDITIONS, Doses, Protocol
from spike2pop_nb.simulation import simulate
from spike2pop_nb.simulation.noise import noise_seeds

__all__ = ["run_experiment"]


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
