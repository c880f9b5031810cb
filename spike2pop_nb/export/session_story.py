"""How the story of a session is written as JSON, checked when it is read again, and told from there.

Of experiments protocols, spikes, and who lost the rhythm are kept, of posteriors members with weights, what
each fires, and how well they are known; voltages are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from spike2pop_nb.conductances import Population
from spike2pop_nb.experiments import Doses, Experiment, Protocol
from spike2pop_nb.fidelity import DrawnPosterior, MemberPrior
from spike2pop_nb.simulation import Simulated
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = [
    "COUNTS",
    "FILE",
    "FLAGS",
    "RUN",
    "TEXTS",
    "WORDS",
    "Asked",
    "Drawn",
    "Entry",
    "Run",
    "Story",
    "Train",
    "described_experiment",
    "described_posterior",
    "restored_experiment",
    "restored_posterior",
    "spikes_of",
]

FILE = "recordings"
COUNTS = ("n_asked", "n_tried", "n_passed", "n_simulated", "n_crosses", "n_late")
WORDS = ("usable", "outcome", "reasons", "cancelled", "exhausted", "failure", "options")
RUN = ("duration_ms", "transient_ms", "dt_ms", "accuracy")
TEXTS, FLAGS = ("pattern", "reasons"), ("passed",)
_NUMBERS = ("length_ms", "n_effective", "tolerance", "n_simulated", "within")

Read = Callable[[str], npt.NDArray[Any]]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Run(_Checked):
    duration_ms: float = Field(gt=0, allow_inf_nan=False)
    transient_ms: float = Field(ge=0, allow_inf_nan=False)
    dt_ms: float = Field(gt=0, allow_inf_nan=False)
    accuracy: str
    failed: dict[str, str]


class Train(_Checked):
    id: str
    window_ms: tuple[FiniteFloat, FiniteFloat] | None = Field(strict=False)
    provenance: dict[str, str] | None


class Asked(_Checked):
    """What is said of one experiment; its spikes lie beside the population it was done on."""

    members: list[int]
    protocols: dict[str, dict[str, Any]]
    doses: dict[str, Any] | None
    made_by: dict[str, Any]
    crash: list[list[str]]


class Drawn(_Checked):
    """What is said of a posterior; its members and their spikes lie beside it."""

    period_ms: float | None = Field(gt=0, allow_inf_nan=False)
    current: float | None = Field(default=None, allow_inf_nan=False)
    length_ms: float = Field(gt=0, allow_inf_nan=False)
    n_effective: float = Field(ge=0, allow_inf_nan=False)
    tolerance: float = Field(ge=0, allow_inf_nan=False)
    n_simulated: int = Field(ge=0)
    within: float = Field(ge=0, le=1)
    made_by: dict[str, Any]


class Entry(_Checked):
    """What is said of one result; its tables and spikes lie in ``folder``."""

    folder: str
    recording: Train
    neuron: dict[str, Any]
    prior: str | None
    network: str | None
    n_asked: int = Field(ge=0)
    n_tried: int = Field(ge=0)
    n_passed: int = Field(ge=0)
    n_simulated: int = Field(ge=0)
    n_crosses: int = Field(ge=0)
    n_late: int = Field(ge=0)
    usable: bool
    outcome: str
    reasons: dict[str, int]
    cancelled: bool
    exhausted: str
    failure: str
    options: dict[str, Any]
    made_by: dict[str, Any]
    unrefined_by: dict[str, Any]
    rule: dict[str, Any] | None
    scores: list[str]
    run: Run | None
    experiments: list[Asked] = []
    drawn: Drawn | None = None


class Story(_Checked):
    spike2pop_session: int = Field(ge=1, le=1)
    versions: dict[str, str]
    file: str | None
    settings: str
    results: list[Entry]


def described_experiment(experiment: Experiment) -> dict[str, Any]:
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


def restored_experiment(said: Asked, population: Population, read: Read) -> Experiment:
    """Return the experiment that was saved; ``read`` reads one of its `spikes_of`.

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
        **{name: run[name] for name in RUN} | {"duration_ms": float(run["duration_ms"]) + begin},
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


def described_posterior(drawn: DrawnPosterior) -> dict[str, Any]:
    """Return what is said of a posterior, as `Drawn` has it."""
    numbers = {name: getattr(drawn, name) for name in _NUMBERS}
    return {
        "period_ms": drawn.prior.period_ms,
        "current": drawn.prior.current,
        **numbers,
        "made_by": dict(drawn.population.made_by),
    }


def restored_posterior(
    said: Drawn, train: SpikeTrain, population: Population, spike_times_ms: list[npt.NDArray[np.float64]]
) -> DrawnPosterior:
    """Return the posterior that was saved.

    Raises
    ------
    ValueError
        If these do not fit together.
    """
    prior = MemberPrior(population.neuron, said.period_ms, said.current)
    if not set(prior.columns) <= set(population.table.columns):
        raise ValueError("members without what the prior has")
    numbers = {name: getattr(said, name) for name in _NUMBERS}
    return DrawnPosterior(
        recording=train, prior=prior, population=population, spike_times_ms=spike_times_ms, **numbers
    )
