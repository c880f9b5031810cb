"""Make the example recordings, all of them simulated: ``python -m spike2pop_nb.data.make FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from spike2pop_nb.conductances import Population, generate_population, modulation_path
from spike2pop_nb.simulation import simulate, simulate_modulation

__all__ = ["follower", "hard_set", "main", "neuron_set"]

FloatArray = npt.NDArray[np.float64]
_SEED, _SIZE = 7, 8
#: (g_s, g_u) of each recording, the seed of eight members with these DICs, and which of them was recorded.
STG = (
    ((10.0, 2.0), _SEED, 2),
    ((0.0, 2.0), _SEED, 1),
    ((-2.5, 6.0), _SEED, 1),
    ((-8.0, 8.0), _SEED, 1),
    ((0.8, 3.0), 9, 5),
)
DA = (
    ((8.0, 5.0), _SEED, 0),
    ((2.0, 4.0), _SEED, 1),
    ((-2.0, 6.0), _SEED, 0),
    ((-1.0, 3.0), _SEED, 0),
    ((-3.0, 12.0), _SEED, 2),
)


def neuron_set(neuron: str) -> dict[str, FloatArray]:
    """Five members of a neuron, each with DICs of its own, over the neuron's recording window.

    Parameters
    ----------
    neuron : {"stg", "da"}
        Which neuron.

    Returns
    -------
    dict
        Spike times in ms from the start of the simulation, by recording: ``"1"`` to ``"5"``.
    """
    trains = {}
    for number, (dics, seed, member) in enumerate({"stg": STG, "da": DA}[neuron], start=1):
        simulated = simulate(_made(neuron, dics, seed), accuracy="exact", record="spikes")
        trains[str(number)] = simulated.spike_times_ms[member]
    return trains


def hard_set() -> dict[str, FloatArray]:
    """Four recordings that are harder to answer.

    Returns
    -------
    dict
        Spike times in ms: ``doublets``, ``noisy`` and ``drifting`` are STG neurons, recorded from 3 s on for
        6, 10 and 30 s; ``follower`` is none of its kind, and recorded for 10 s.
    """
    pairs = simulate(_made("stg", (0.5, 2.0)), accuracy="exact", record="spikes", duration_ms=6000.0)
    tonic = _made("stg", (5.0, 5.0))
    noisy = simulate(
        tonic, accuracy="exact", record="spikes", duration_ms=10_000.0, noise_sigma=4.0, seed=_SEED
    )
    drifting = simulate_modulation(
        modulation_path(tonic, (-5.0, 5.0)),
        before_ms=6000.0,
        during_ms=18_000.0,
        after_ms=6000.0,
        accuracy="exact",
        record="spikes",
    )
    return {
        "doublets": pairs.spike_times_ms[0],
        "noisy": noisy.spike_times_ms[0],
        "drifting": drifting.simulated.spike_times_ms[0],
        "follower": follower(10_000.0, seed=_SEED),
    }


def follower(duration_ms: float, *, seed: int) -> FloatArray:
    """Spike times of a leaky integrate-and-fire neuron that a slow rhythm silences twice a second.

    Parameters
    ----------
    duration_ms : float
        Length of the recording in ms.
    seed : int
        Seed of the noise in its input.

    Returns
    -------
    array (n,)
        In ms, in steps of 0.1 ms.
    """
    dt, tau, threshold, reset, refractory = 0.1, 20.0, 1.0, 0.0, 3.0
    time = np.arange(0.0, duration_ms, dt)
    drive = 1.6 * np.sin(2 * np.pi * time / 480.0) + 0.3
    kicks = 0.05 * np.sqrt(dt) * np.random.default_rng(seed).standard_normal(time.size)
    v, last = 0.0, -np.inf
    spikes: list[float] = []
    for now, current, kick in zip(time.tolist(), drive.tolist(), kicks.tolist(), strict=True):
        v += dt * (current - v) / tau + kick
        if now - last < refractory:
            v = reset
        elif v >= threshold:
            v, last = reset, now
            spikes.append(now)
    return np.array(spikes)


def main(folder: str | Path) -> None:
    """Write ``stg_set.csv``, ``da_set.csv`` and ``hard_set.csv`` into a folder."""
    folder = Path(folder)
    for neuron in ("stg", "da"):
        rows = [
            (name, "[" + ", ".join(f"{time:.3f}" for time in times) + "]")
            for name, times in neuron_set(neuron).items()
        ]
        table = pd.DataFrame(rows, columns=["ID", "spiking_times_ms"])
        table.to_csv(folder / f"{neuron}_set.csv", index=False, lineterminator="\n")
    trains = hard_set()
    table = pd.DataFrame(
        {
            "neuron": np.repeat(list(trains), [len(times) for times in trains.values()]),
            "time_ms": np.concatenate(list(trains.values())),
        }
    )
    table.to_csv(folder / "hard_set.csv", index=False, float_format="%.1f", lineterminator="\n")


def _made(neuron: str, dics: tuple[float, float], seed: int = _SEED) -> Population:
    return generate_population(neuron, dics, size=_SIZE, seed=seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
