"""What shapes a training run, besides data, length and seed."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    """

    batch_size: int = 512
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warm_up: float = 0.03
    clip: float = 1.0
    ema: float = 0.999
    lora_rank: int = 32
    longest: int = MAX_INTERVALS
    network: NetworkConfig = field(
        default_factory=lambda: NetworkConfig(n_channels=len(CHANNELS), n_statistics=N_STATISTICS)
    )
    augmentation: Augmentation = field(default_factory=Augmentation)
    loss: LossWeights = field(default_factory=LossWeights)
