"""Simulate a population: blocks of members in parallel threads, with progress, cancel, and failures apart."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import numpy.typing as npt

from spike2pop_nb.conductances import Inhibition, Population
from spike2pop_nb.errors import Cancelled, SimulationError
from spike2pop_nb.neurons import NeuronModel, get_neuron, same_neuron
from spike2pop_nb.simulation.course import Inhibited, Schedule
from spike2pop_nb.simulation.noise import NOISE_CLOCK_MS, NOISE_CUTOFF_HZ, noise_seeds
from spike2pop_nb.simulation.runner import UNUSABLE, Runner, unusable
from spike2pop_nb.simulation.simulated import Simulated
from spike2pop_nb.simulation.tiles import Tiles
from spike2pop_nb.workers import cores

__all__ = [
    "ACCURACY_STEPS",
    "DEVICES",
    "MAX_DURATION_MS",
    "drive_of",
    "members_of",
    "recording_window",
    "simulate",
    "tiles_on",
    "time_step_ms",
]

FloatArray = npt.NDArray[np.float64]
#: Time step of each named accuracy, over that which the neuron declares.
ACCURACY_STEPS = {"standard": 1.0, "exact": 0.5, "screening": 2.5}
DEVICES = ("cpu", "cuda")
MAX_DURATION_MS = 3_600_000.0
MAX_TRACE_VALUES = 200_000_000


def time_step_ms(neuron: NeuronModel, accuracy: str) -> float:
    """Return the time step in ms.

    Raises
    ------
    SimulationError
        If there is no such accuracy.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> from spike2pop_nb.simulation import time_step_ms
    >>> [time_step_ms(s2p.get_neuron("stg"), name) for name in ("screening", "standard", "exact")]
    [0.05, 0.02, 0.01]
    """
    if accuracy not in ACCURACY_STEPS:
        raise SimulationError(f"The accuracy must be one of {', '.join(ACCURACY_STEPS)}, not {accuracy!r}.")
    step = neuron.time_step_ms * ACCURACY_STEPS[accuracy]
    if accuracy != "screening":
        return step
    # the clock of the noise ticks with a step: 0.1 ms is a whole number of them
    return NOISE_CLOCK_MS / math.ceil(NOISE_CLOCK_MS / step - 1e-9)


def members_of(
    population: Population | npt.ArrayLike, neuron: str | NeuronModel | None
) -> tuple[NeuronModel, FloatArray, list[tuple[str, int]]]:
    """Return the neuron of members, their conductances (n, n_channels), and ``(id, member)`` of each.

    Raises
    ------
    SimulationError
        If another neuron is named beside a population, none beside an array, or the array is not of it.
    """
    if isinstance(population, Population):
        own = population.neuron
        if isinstance(neuron, str):  # a name may be that of a variation
            neuron = own if get_neuron(neuron).declaration == own.declaration else get_neuron(neuron)
        if neuron is not None and not same_neuron(neuron, own):
            raise SimulationError(
                f"The population is of the neuron {own.name!r} with V_th at {own.V_th_mV:g} mV, not of the "
                "one that is named beside it; leave that out."
            )
        return own, population.g, population.labels
    if neuron is None:
        raise SimulationError("Name the neuron when conductances are given as an array.")
    model, g = get_neuron(neuron), np.atleast_2d(np.asarray(population, dtype=float))
    if g.ndim != 2 or g.shape[1] != model.n_channels:
        raise SimulationError(
            f"The {model.name} neuron needs rows of {model.n_channels} conductances, not shape {g.shape}."
        )
    return model, g, [("", member) for member in range(len(g))]


def simulate(
    population: Population | npt.ArrayLike,
    neuron: str | NeuronModel | None = None,
    *,
    duration_ms: float | None = None,
    transient_ms: float | None = None,
    accuracy: str = "standard",
    record: Literal["spikes", "traces"] = "traces",
    sample_ms: float = 0.1,
    noise_sigma: float | npt.ArrayLike | None = None,
    current: float | npt.ArrayLike | None = None,
    inhibition: Inhibition | None = None,
    noise_cutoff_Hz: float = NOISE_CUTOFF_HZ,
    seed: int | np.random.Generator | npt.NDArray[np.uint64] | None = None,
    course: Schedule | None = None,
    workers: int | None = None,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Simulated:
    """Simulate every member of a population.

    Parameters
    ----------
    population : Population or (n, n_channels)
        Members; maximal conductances in mS/cm².
    neuron
        Of an array; a population has its own.
    duration_ms, transient_ms
        Whole length of the simulation, and what is left out at its start; from the neuron's declaration by
        default. If only ``duration_ms`` is given, that much is recorded after the neuron's own transient.
    accuracy
        ``"standard"`` (the neuron's declared time step, 0.02 ms where nothing is said): intervals within
        0.2 % (median), their mean within 0.1 %. A spike that only just happens, as the last of a plateau, may
        be missed: judge such members on distributions, or run them as ``"exact"`` (half that step), within
        0.05 %; ``"screening"`` (two and a half times the declared step) is within 0.7 % and 0.2 %, and
        bursts may gain or lose a spike: good for finding members that are simulated again afterwards. These
        are errors of the shipped neurons; `check_model` measures those of others at ``"standard"``.
    record
        ``"traces"`` keeps the voltage every ``sample_ms``, ``"spikes"`` only spike times.
    noise_sigma : float or (n,)
        Injected current noise in µA/cm² before its low pass at ``noise_cutoff_Hz`` (order 4, run twice, which
        leaves 0.42 of it at 1 kHz); by default that of the members, if they are driven, or none.
    current : float or (n,)
        Constant injected current in µA/cm², positive to depolarise; by default that of the members, or none.
    inhibition
        A conductance that members receive rhythmically; by default that of the members, or none.
    seed
        Seed of the noise; or that of each member, (n,) unsigned 64-bit integers. By default those of the
        members, if they are driven, or 0.
    course
        What changes with time: a `Course` of conductances, in place of those of the population, of which only
        the names of the members count then; or any other schedule.
    workers
        Threads; by default what OMP_NUM_THREADS says, or all cores. Results do not depend on it.
    device
        ``"cpu"``, or ``"cuda"`` for an NVIDIA GPU, which pays with thousands of members; it needs
        ``pip install 'spike2pop-nb[cuda]'``. Noise is the same draw on both, and intervals agree to about
        1e-6, but for members in which a difference of rounding grows.
    progress
        Called with (done, total) in whole member·ms.
    cancel
        Polled every quarter of a simulated second; return True to stop.

    Returns
    -------
    Simulated

    Raises
    ------
    SimulationError
        If the settings make no sense, or there is no such device.
    Cancelled
        If ``cancel`` asked for it.

    Examples
    --------
    >>> import spike2pop_nb as s2p
    >>> population = s2p.generate_population("stg", (4.0, 5.0), size=4, seed=1)
    >>> simulated = s2p.simulate(population, duration_ms=1500, transient_ms=500)
    >>> simulated.V_mV.shape, simulated.failed.any()
    ((4, 10000), np.False_)
    """
    model, g, labels = members_of(population, neuron)
    n = len(g)
    start, stop = recording_window(model, duration_ms, transient_ms)
    if not (np.isfinite(stop) and 0 <= start < stop <= MAX_DURATION_MS):
        raise SimulationError(
            f"The simulation must last longer than its transient and at most {MAX_DURATION_MS:g} ms "
            f"(got {stop:g} ms with a transient of {start:g} ms)."
        )
    dt = time_step_ms(model, accuracy)
    sigma, held = drive_of(population, n, noise_sigma, current)
    if record not in ("spikes", "traces"):
        raise SimulationError(f"record must be 'spikes' or 'traces', not {record!r}.")
    if record == "traces" and not dt <= sample_ms <= MAX_DURATION_MS:
        raise SimulationError(f"sample_ms must be at least the time step of {dt} ms, not {sample_ms}.")
    sampled = sample_ms if record == "traces" else None
    if seed is None:
        own = population.noise_seeds if isinstance(population, Population) else None
        seed = 0 if own is None else own
    tiles = tiles_on(device)
    runner = Runner(
        model, dt, start, stop, sampled, sigma, noise_seeds(seed, n), noise_cutoff_Hz, held, tiles
    )
    n_samples = runner.n_samples
    if n * n_samples > MAX_TRACE_VALUES:
        raise SimulationError(
            f"Traces of {n} members at {sample_ms} ms would take {n * n_samples} values, more than "
            f"{MAX_TRACE_VALUES}; record spikes only, or sample more coarsely."
        )
    if inhibition is None and isinstance(population, Population):
        inhibition = population.inhibition
    given = course or Schedule()
    schedule = (given if inhibition is None else Inhibited(inhibition, given)).checked(n, model.n_channels)
    failed = unusable(schedule.reached(g))
    reasons = {int(row): UNUSABLE for row in np.flatnonzero(failed)}
    V = np.zeros((n, n_samples), dtype=np.float32)
    V[failed] = np.nan
    spikes: list[FloatArray] = [np.zeros(0)] * n
    rows = np.flatnonzero(~failed)
    threads, width = tiles.shares(runner, len(rows), max(1, workers or cores()))
    groups = [group[~failed[group]] for group in schedule.groups(n)]
    blocks = [group[i : i + width] for group in groups for i in range(0, len(group), width)]
    done, lock, stopped = [0.0], threading.Lock(), threading.Event()
    total = round(len(rows) * runner.n_steps * dt)

    def advance(members: int, ms: float) -> bool:
        with lock:
            if cancel is not None and cancel():
                stopped.set()
            done[0] += members * ms
            if progress is not None and not stopped.is_set():
                progress(min(round(done[0]), total), total)
        return not stopped.is_set()

    def work(block: npt.NDArray[np.int64]) -> None:
        if stopped.is_set():
            return
        ran = runner.run(g[block], block, advance, schedule.select(block))
        with lock:
            for lane, row in enumerate(block):
                if why := ran.failures[lane]:
                    failed[row] = True
                    reasons[int(row)] = why
                else:
                    spikes[row] = ran.spike_times_ms[lane]
            V[block] = ran.V_mV

    if len(blocks) > 1:
        with ThreadPoolExecutor(max_workers=threads) as pool:
            list(pool.map(work, blocks))
    elif blocks:
        work(blocks[0])
    if stopped.is_set():
        raise Cancelled("The simulation was cancelled.")
    return Simulated(
        neuron=model,
        labels=labels,
        spike_times_ms=spikes,
        failed=failed,
        reasons=dict(sorted(reasons.items())),
        time_ms=runner.time_ms(),
        V_mV=V,
        duration_ms=stop,
        transient_ms=start,
        dt_ms=dt,
        accuracy=accuracy,
        noise_sigma=sigma,
    )


def tiles_on(device: str) -> type[Tiles]:
    """Return what members run in on a device.

    Raises
    ------
    SimulationError
        If there is no such device.
    """
    if device not in DEVICES:
        raise SimulationError(f"The device must be one of {', '.join(DEVICES)}, not {device!r}.")
    if device == "cpu":
        return Tiles
    from spike2pop_nb.simulation.gpu import GpuTiles, check_gpu

    check_gpu()
    return GpuTiles


def drive_of(
    population: Population | npt.ArrayLike,
    n: int,
    noise_sigma: float | npt.ArrayLike | None,
    current: float | npt.ArrayLike | None,
) -> tuple[FloatArray, FloatArray]:
    """Return noise and constant current of n members, (n,) each: what is given, or what they carry.

    Raises
    ------
    SimulationError
        If what is given makes no sense.
    """
    if isinstance(population, Population):
        noise_sigma = population.noise_sigma if noise_sigma is None else noise_sigma
        current = population.current if current is None else current
    sigma = np.asarray(0.0 if noise_sigma is None else noise_sigma, dtype=float)
    held = np.asarray(0.0 if current is None else current, dtype=float)
    if sigma.shape not in ((), (1,), (n,)) or not (np.all(np.isfinite(sigma)) and np.all(sigma >= 0)):
        raise SimulationError(
            "noise_sigma must be one number, or one per member, finite and not negative (µA/cm²)."
        )
    if held.shape not in ((), (1,), (n,)) or not np.all(np.isfinite(held)):
        raise SimulationError("current must be one number, or one per member, and finite (µA/cm²).")
    return np.broadcast_to(sigma, (n,)).copy(), np.broadcast_to(held, (n,)).copy()


def recording_window(
    neuron: NeuronModel, duration_ms: float | None, transient_ms: float | None
) -> tuple[float, float]:
    """Return when recording starts and stops, by what was asked for or the neuron's declaration."""
    start = neuron.recording_window_ms[0] if transient_ms is None else float(transient_ms)
    if duration_ms is None:
        return start, start + neuron.recording_window_ms[1] - neuron.recording_window_ms[0]
    return start, float(duration_ms) + (start if transient_ms is None else 0.0)
