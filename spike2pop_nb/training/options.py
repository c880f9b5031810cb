"""What shapes a training run, besides data, length and seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from spike2pop_nb.errors import TrainingError
from spike2pop_nb.inference.network import NetworkConfig
from spike2pop_nb.inference.tokens import CHANNELS, MAX_INTERVALS, N_STATISTICS
from spike2pop_nb.training.batches import Augmentation
from spike2pop_nb.training.losses import LossWeights

__all__ = ["TrainingOptions", "augmentation_of", "changes"]


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
        Rank of the adapters, where a base network is given; 0 for no adapters: all weights are learned, from
        those of the base on.
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

    def changed(self, numbers: Sequence[str]) -> TrainingOptions:
        """With some numbers changed, each written ``name=number``; those of the parts too.

        Raises
        ------
        TrainingError
            If there is no such number, or it should be a whole one, and is not.
        """
        made = self
        for text in numbers:
            name, _, value = text.partition("=")
            part, kind = _NUMBERS.get(name, ("", ""))
            written = _WRITTEN[kind].fullmatch(value) is not None
            if not written or (kind == "int" and int(value) < 1 and name not in _MAY_BE_NONE):
                raise TrainingError(
                    f"--set {text}: write NAME=NUMBER, a whole one for a size; names: {', '.join(_NUMBERS)}."
                )
            if name == "n_statistics" and value not in ("0", str(N_STATISTICS)):
                raise TrainingError(f"--set {text}: the statistics are all {N_STATISTICS} or none (0).")
            number = {name: int(value) if kind == "int" else float(value)}
            made = replace(made, **({part: replace(getattr(made, part), **number)} if part else number))
        return made


_WRITTEN = {
    "int": re.compile(r"\d{1,9}"),
    "float": re.compile(r"\d{1,9}(\.\d{1,9})?(e-\d)?"),
    "": re.compile(r"(?!)"),
}
_MAY_BE_NONE = ("latent", "n_statistics", "n_blocks", "n_decoder_blocks", "lora_rank")
_FIXED = ("n_channels", "n_priors", "n_patterns", "n_features", "n_told")
_PARTS = {"": TrainingOptions, "network": NetworkConfig, "augmentation": Augmentation, "loss": LossWeights}
_NUMBERS = {
    f.name: (part, str(f.type))
    for part, kind in _PARTS.items()
    for f in fields(kind)
    if f.type in ("int", "float") and f.name not in _FIXED
}

_BEFORE = {"sample": 0.0, "late": 0.0}
"""What runs did before they knew a number, and kept it in their header."""


def augmentation_of(training: dict[str, Any]) -> Augmentation:
    """How a run disturbed its trains, from what its weights' header keeps of it."""
    return replace(Augmentation(), **{**_BEFORE, **training.get("augmentation", {})})


def changes(training: dict[str, Any], network: dict[str, Any]) -> list[str]:
    """Numbers of a run, as its weights' header keeps them, that are not those of `TrainingOptions`."""
    plain = asdict(TrainingOptions())
    kept = {"": training, "network": network}
    found = []
    for name, (part, _) in _NUMBERS.items():
        usual = plain[part][name] if part else plain[name]
        own = kept.get(part, training.get(part, {})).get(name, _BEFORE.get(name, usual))
        if own != usual:
            found.append(f"{name}={own:g}")
    return found
