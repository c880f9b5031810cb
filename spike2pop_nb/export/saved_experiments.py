"""Experiments in the file of a session: protocols, spikes, and who lost the rhythm; voltages are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from spike2pop_nb.conductances import Population
from spike2pop_nb.experiments import Doses, Experiment, Protocol
from spike2pop_nb.simulation import Simulated

__all__ = ["Asked", "described", "restored", "spikes_of"]

Read = Callable[[str], npt.NDArray[Any]]
_RUN = ("duration_ms", "transient_ms", "dt_ms", "accuracy")


class Asked(BaseModel):
    """What is said of one experiment; its spikes lie beside the population it was done on."""

    model_config = ConfigDict(extra="forbid", strict=True)

    members: list[int]
    protocols: dict[str, dict[str, Any]]
    doses: dict[str, Any] | None
    made_by: dict[str, Any]
    crash: list[list[str]]


def described(experiment: Experiment) -> dict[str, Any]:
    """Return what is said of an experiment, as `Asked` has it."""
    return {
        "members": [int(member) for _, member in experiment.population.labels],
        "protocols": {name: protocol.to_dict() for name, protocol in experiment.protocols.items()},
        "doses": None if experiment.doses is None else experiment.doses.to_dict(),
        "made_by": dict(experiment.made_by),
        "crash": experiment.data["crash"].values.astype(str).tolist(),
    }


def spikes_of(experiment: Experiment) -> dict[str, npt.NDArray[Any]]:
    """Return spikes of all members by condition, how many each has, when the rhythm was lost, who failed."""
    every = [times for times_of in experiment.spike_times_ms.values() for times in times_of]
    return {
        "spikes": np.concatenate([np.zeros(0), *every]),
        "counts": np.array([len(times) for times in every], dtype=np.int64),
        "crash_ms": experiment.data["crash_ms"].values,
        "failed": experiment.data["failed"].values,
    }


def restored(said: Asked, population: Population, read: Read) -> Experiment:
    """Return the experiment that was saved.

    Parameters
    ----------
    said
        What is said of it.
    population
        Whose members it was done on.
    read
        Reads one of the `spikes_of`.

    Raises
    ------
    ValueError
        If these do not fit together.
    """
    numbers = [member for _, member in population.labels]
    members = population.select([numbers.index(member) for member in said.members])
    protocols = {name: Protocol.from_dict(values) for name, values in said.protocols.items()}
    n, k, run = len(members), len(protocols), said.made_by
    spikes, counts = read("spikes"), read("counts")
    if counts.shape != (n * k,) or counts.min(initial=0) < 0 or counts.sum() != len(spikes):
        raise ValueError("spikes and members differ")
    begin = float(run["transient_ms"])
    simulated = Simulated(
        neuron=members.neuron,
        labels=members.labels * k,
        spike_times_ms=[part + begin for part in np.split(spikes.astype(float), np.cumsum(counts)[:-1])],
        failed=np.asarray(read("failed"), dtype=bool).T.reshape(n * k),
        reasons={},
        time_ms=np.zeros(0),
        V_mV=np.zeros((n * k, 0), dtype=np.float32),
        **_run(run),
    )
    doses = None if said.doses is None else Doses.from_dict(said.doses)
    found = Experiment.judged(members, protocols, doses, simulated, run, traces=False)
    # what only voltages tell: a block from silence, and when one ran away
    known = {"crash": np.array(said.crash, dtype=object), "crash_ms": read("crash_ms")}
    for name, values in known.items():
        if values.shape != (n, k):
            raise ValueError("members and conditions differ")
        found.data[name] = found.data[name].copy(data=values)
    return found


def _run(made_by: Mapping[str, Any]) -> dict[str, Any]:
    run = {name: made_by[name] for name in _RUN}
    return run | {"duration_ms": float(run["duration_ms"]) + float(run["transient_ms"])}
