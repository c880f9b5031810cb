"""What shapes a training run, besides data, length and seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.network import NetworkConfig
from spike2pop_nb.inference.tokens import CHANNELS, MAX_INTERVALS, N_STATISTICS
from spike2pop_nb.training.batches import Augmentation
from spike2pop_nb.training.losses import LossWeights

__all__ = ["TrainingOptions"]


@dataclass(frozen=True)
class TrainingOptions:
    """Everything that shapes a run, besides data, length and seed.

    Attributes
    ----------
    batch_size : int
        Trains per step.
    learning_rate, weight_decay, warm_up, clip : float
        AdamW's peak rate, reached after the share ``warm_up`` of the run and then let down along a cosine;
        decoupled weight decay; largest gradient norm.
    ema : float
        Decay of the running mean of the weights; that mean is what is validated and shipped.
    lora_rank : int
        Rank of the adapters, where a base network is given.
    longest : int
        Most intervals read of one train.
    domain_steps : int
        Steps that fit the test for strange recordings.
    """

    batch_size: int = 512
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warm_up: float = 0.03
    clip: float = 1.0
    ema: float = 0.999
    lora_rank: int = 16
    longest: int = MAX_INTERVALS
    domain_steps: int = 2500
    network: NetworkConfig = field(
        default_factory=lambda: NetworkConfig(n_channels=len(CHANNELS), n_statistics=N_STATISTICS)
    )
    augmentation: Augmentation = field(default_factory=Augmentation)
    loss: LossWeights = field(default_factory=LossWeights)

    def changed(self, sizes: Sequence[str]) -> TrainingOptions:
        """With sizes of the network changed, each written ``name=number``.

        Raises
        ------
        TrainingError
            If there is no such size, or it is no whole number.
        """
        known = {f.name: f.type for f in fields(NetworkConfig)}
        values: dict[str, Any] = {}
        for text in sizes:
            name, _, value = text.partition("=")
            if known.get(name) != "int" or not value.isdigit():
                whole = ", ".join(name for name, kind in known.items() if kind == "int")
                raise TrainingError(f"--set {text}: write NAME=NUMBER with a whole number; names: {whole}.")
            values[name] = int(value)
        return replace(self, network=replace(self.network, **values))
