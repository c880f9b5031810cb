"""Posteriors in the file of a session: members with weights, what each fires, and how well they are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from spike2pop_nb.conductances import Population
from spike2pop_nb.fidelity import DrawnPosterior, MemberPrior
from spike2pop_nb.spiketrains import SpikeTrain

__all__ = ["Drawn", "described", "restored"]

_NUMBERS = ("length_ms", "n_effective", "tolerance", "n_simulated", "within")


class Drawn(BaseModel):
    """What is said of a posterior; its members and their spikes lie beside it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    period_ms: float | None = Field(gt=0, allow_inf_nan=False)
    length_ms: float = Field(gt=0, allow_inf_nan=False)
    n_effective: float = Field(ge=0, allow_inf_nan=False)
    tolerance: float = Field(ge=0, allow_inf_nan=False)
    n_simulated: int = Field(ge=0)
    within: float = Field(ge=0, le=1)
    made_by: dict[str, Any]


def described(drawn: DrawnPosterior) -> dict[str, Any]:
    """Return what is said of a posterior, as `Drawn` has it."""
    numbers = {name: getattr(drawn, name) for name in _NUMBERS}
    return {"period_ms": drawn.prior.period_ms, **numbers, "made_by": dict(drawn.population.made_by)}


def restored(
    said: Drawn, train: SpikeTrain, population: Population, spike_times_ms: list[npt.NDArray[np.float64]]
) -> DrawnPosterior:
    """Return the posterior that was saved.

    Raises
    ------
    ValueError
        If these do not fit together.
    """
    prior = MemberPrior(population.neuron, said.period_ms)
    if not set(prior.columns) <= set(population.table.columns):
        raise ValueError("members without what the prior has")
    numbers = {name: getattr(said, name) for name in _NUMBERS}
    return DrawnPosterior(
        recording=train, prior=prior, population=population, spike_times_ms=spike_times_ms, **numbers
    )
