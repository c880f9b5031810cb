"""What determines a data set: its recipe, which is written beside it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationInfo, field_validator

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.neurons import NeuronModel, get_neuron, same_neuron, vary_neuron
from spike2pop_nb.neurons.variation import registered_base, variation

__all__ = ["RECIPE_FILE", "Recipe", "read_recipe"]

RECIPE_FILE = "recipe.json"


def _written(neuron: str | dict[str, Any] | NeuronModel) -> str | dict[str, Any]:
    """Return the name of a neuron that is as it is registered; else also its threshold and other ranges."""
    if not isinstance(neuron, NeuronModel):
        return neuron
    base = registered_base(neuron)
    if base is not None and same_neuron(base, neuron):
        return neuron.name
    V_th_mV, ranges = variation(neuron, base)
    written = {name: [low, high] for name, low, high in ranges}
    return {"name": neuron.name, "V_th_mV": V_th_mV, "baseline": written}


class Recipe(BaseModel):
    """Everything that determines a data set.

    Attributes
    ----------
    neuron
        A neuron, varied or not, or its name, or what a recipe that was written says of a variation; see
        `model`.
    n_trains
        Rows in all.
    members_per_target
        Members that share one (g_s, g_u), drawn uniformly over the neuron's range.
    monte_carlo_share
        Share of groups whose members are not made by compensation but drawn uniformly over the neuron's
        ranges of conductances, each with its own DICs, which lie within the neuron's range of DICs: real
        neurons were not made by our algorithm.
    noisy_share, sigma_min, sigma_max
        Share of members with injected noise, its σ uniform between ``sigma_min`` and ``sigma_max`` µA/cm².
    duration_s
        Length of the recordings; by default the neuron's own recording window. Both start there.
    longest_s
        If given, the recordings of each shard have a length of their own, drawn between ``duration_s`` and
        this, uniform in its logarithm.
    accuracy
        Of the simulation.
    device
        Where it is computed, ``"cpu"`` or ``"cuda"``: rounding differs, so that some rows do.
    seed
        Seed of everything.
    shard_size
        Rows a shard.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    neuron: Annotated[str | dict[str, Any] | NeuronModel, PlainSerializer(_written)]
    n_trains: int = Field(default=200_000, ge=1, le=100_000_000)
    members_per_target: int = Field(default=4, ge=1, le=1024)
    monte_carlo_share: float = Field(default=0.0, ge=0, le=1)
    noisy_share: float = Field(default=0.5, ge=0, le=1)
    sigma_min: float = Field(default=0.0, ge=0, le=100)
    sigma_max: float = Field(default=6.0, ge=0, le=100)
    duration_s: float | None = Field(default=None, gt=0, le=3600)
    longest_s: float | None = Field(default=None, gt=0, le=3600)
    accuracy: Literal["standard", "exact"] = "standard"
    device: Literal["cpu", "cuda"] = "cpu"
    seed: int = Field(default=0, ge=0)
    shard_size: int = Field(default=4096, ge=1, le=1_000_000)

    @field_validator("longest_s")
    @classmethod
    def _not_shorter(cls, value: float | None, others: ValidationInfo) -> float | None:
        shortest = others.data.get("duration_s")
        if value is not None and shortest is not None and value < shortest:
            raise ValueError(f"{value:g} s is under the duration_s of {shortest:g} s")
        return value

    @property
    def model(self) -> NeuronModel:
        """The neuron itself.

        Raises
        ------
        NeuronModelError
            If only its name is known, and no neuron of this name is registered.
        """
        if not isinstance(self.neuron, dict):
            return get_neuron(self.neuron)
        return vary_neuron(
            self.neuron["name"], V_th_mV=self.neuron["V_th_mV"], baseline=self.neuron["baseline"]
        )

    @property
    def n_shards(self) -> int:
        """Number of shards."""
        return math.ceil(self.n_trains / self.shard_size)

    def rows(self, shard: int) -> int:
        """Return the number of rows of a shard."""
        return min(self.shard_size, self.n_trains - shard * self.shard_size)

    def window_ms(self, shard: int) -> tuple[float, float]:
        """Return start and end of the recordings of a shard, in ms after the start of the simulation."""
        start, stop = self.model.recording_window_ms
        length = stop - start if self.duration_s is None else 1000 * self.duration_s
        if self.longest_s is not None:
            share = np.random.default_rng([self.seed, shard, 1]).random()
            length *= float((1000 * self.longest_s / length) ** share)
        return start, start + length


def read_recipe(out: str | Path) -> Recipe:
    """Return the recipe of a data set.

    Raises
    ------
    TrainingError
        If the folder holds none.
    """
    file = Path(out) / RECIPE_FILE
    try:
        return Recipe(**json.loads(file.read_text(encoding="utf-8"))["recipe"])
    except (ValueError, KeyError, OSError):  # pydantic's errors are ValueErrors
        raise TrainingError(
            f"{file}, which `spike2pop dataset` makes, is missing or is damaged; "
            "remove the folder or choose another."
        ) from None
